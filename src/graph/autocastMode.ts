/** Whether builders choose between f16 and f32 by themselves. `autocast` switches it; op builders read it. */

import { gradEnabled } from "./gradMode";
import type { Node } from "./node";
import { currentRegion } from "./region";

/** Parameters as f16, while autocast is on; null where it is off. */
let casts: WeakMap<Node, Node> | null = null;

export const autocastEnabled = (): boolean => casts !== null;

/** Runs `body` with autocast on or off, and puts it back whatever happens. */
export function withAutocast<T>(value: boolean, body: () => T): T {
  const before = casts;
  casts = value ? (before ?? new WeakMap<Node, Node>()) : null;
  try {
    return body();
  } finally {
    casts = before;
  }
}

/** The cast of a parameter: made once a region of autocast, as long as gradients go the same ways. */
export function castOnce(node: Node, make: () => Node): Node {
  if (!casts || node.variable === null || !node.requiresGrad) return make();
  let known = casts.get(node);
  if (known?.region !== currentRegion() || known.requiresGrad !== gradEnabled()) casts.set(node, (known = make()));
  return known;
}
