/** Momentum of optimizers that schedules move: `momentum`, or Adam's beta1. */

import { ValueError } from "../../errors";
import type { Optimizer, ParamGroup } from "../optimizer";

/** Groups of optimizers that have either. */
interface WithMomentum {
  momentum?: number;
  betas?: readonly [number, number];
}

/** Checks that there is momentum to cycle. */
export function checkMomentum(name: string, { paramGroups }: Optimizer): void {
  if (paramGroups.every((group) => "momentum" in group || "betas" in group)) return;
  throw new ValueError(
    `${name}: cycleMomentum must have an optimizer with momentum or betas, got one without. Pass { cycleMomentum: false }.`,
  );
}

export function setMomentum(group: ParamGroup & WithMomentum, momentum: number): void {
  if (group.betas) group.betas = [momentum, group.betas[1]];
  else group.momentum = momentum;
}
