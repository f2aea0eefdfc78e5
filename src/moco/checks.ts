/** What options of MoCo and of its evaluations must be. */

import { ValueError } from "../errors";
import { describe } from "../options";

/** @throws ValueError unless it is a number above 0 and below infinity */
export function checkPositive(op: string, name: string, value: number, advice: string): void {
  if (typeof value === "number" && value > 0 && value < Infinity) return;
  throw new ValueError(`${op}: ${name} must be positive and finite, got ${describe(value)}. ${advice}`);
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
