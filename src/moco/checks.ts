/** What options of MoCo and of its evaluations must be. */

import { DTypeError, ValueError } from "../errors";
import { describe, isPromise } from "../options";
import { Tensor } from "../tensor";

/** As `checkTensors`, of options, by their names. */
export function checkTensorOptions(op: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value instanceof Tensor) continue;
    const advice = isPromise(value) ? "Write await in front of it." : "Write tensor(values).";
    throw new DTypeError(`${op}: ${name} must be a tensor, got ${describe(value)}. ${advice}`);
  }
}

/** @throws ValueError unless it is a number above 0 and below infinity */
export function checkPositive(op: string, name: string, value: number, advice: string): void {
  if (typeof value === "number" && value > 0 && value < Infinity) return;
  throw new ValueError(`${op}: ${name} must be positive and finite, got ${describe(value)}. ${advice}`);
}

/** @throws ValueError if the key encoder's momentum is outside [0, 1] */
export function checkMomentum(op: string, momentum: number): void {
  if (!(typeof momentum === "number" && momentum >= 0 && momentum <= 1))
    throw new ValueError(`${op}: momentum must be in [0, 1], got ${describe(momentum)}. The paper has 0.999.`);
}

/** @throws ValueError if the temperature is not positive */
export function checkTemperature(op: string, temperature: number): void {
  checkPositive(op, "temperature", temperature, "The paper has 0.07.");
}
