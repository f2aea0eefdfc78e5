/** Where a fused expression reads what it loads: at the very element that it stores, or anywhere else. */

import type { Node } from "../graph/node";
import { computedFrom, opOf } from "../ops/op";

export interface Reads {
  /** Loaded at the element that is stored. */
  readonly inPlace: ReadonlySet<Node>;
  /** Loaded at other elements; a node may be in both. */
  readonly elsewhere: ReadonlySet<Node>;
}

/** Kinds of ops whose elements come from those of their inputs at the same place. */
const KEEPS_PLACE: readonly string[] = ["pointwise", "alias", "reshape"];

/** @param isLoaded where the expression ends */
export function readsOf(root: Node, isLoaded: (node: Node) => boolean): Reads {
  const reads = { inPlace: new Set<Node>(), elsewhere: new Set<Node>() };
  const seen = { inPlace: new Set<Node>(), elsewhere: new Set<Node>() };
  const stack: { node: Node; place: keyof Reads }[] = [{ node: root, place: "inPlace" }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { node, place } = top;
    if (seen[place].has(node)) continue;
    seen[place].add(node);
    if (isLoaded(node)) {
      reads[place].add(node);
      continue;
    }
    const below = KEEPS_PLACE.includes(opOf(node).lowering.kind) ? place : "elsewhere";
    for (const input of computedFrom(node)) stack.push({ node: input, place: below });
  }
  return reads;
}
