/** What MoCo's options must be. */

import { ValueError } from "../errors";

/** @throws ValueError unless each is a whole number above 0 */
export function checkCounts(name: string, counts: Readonly<Record<string, number>>): void {
  for (const [count, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1)
      throw new ValueError(`${name}: ${count} must be a positive integer, got ${value}. Pass a size.`);
  }
}

/** @throws ValueError if the key encoder's momentum is outside [0, 1] */
export function checkMomentum(name: string, momentum: number): void {
  if (!(momentum >= 0 && momentum <= 1))
    throw new ValueError(`${name}: momentum must be in [0, 1], got ${momentum}. The paper has 0.999.`);
}

/** @throws ValueError if the temperature is not positive */
export function checkTemperature(name: string, temperature: number): void {
  if (!(temperature > 0))
    throw new ValueError(`${name}: temperature must be positive, got ${temperature}. The paper has 0.07.`);
}
