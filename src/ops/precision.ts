/** Where f16 is not enough, and where it is: what is computed in f32 and rounded once, and what autocast makes f16 or f32 of. */

import { autocastEnabled, castOnce, withAutocast } from "../graph/autocastMode";
import { type DType, isFloat } from "../graph/dtype";
import type { Node } from "../graph/node";
import { cast } from "./cast";

/** Whether any operand is f16. */
export const hasHalf = (...nodes: readonly (Node | null)[]): boolean => nodes.some((node) => node?.dtype === "f16");

export const asF32 = <T extends Node | null>(node: T): T => (node?.dtype === "f16" ? (cast(node, "f32") as T) : node);

/** What comes of operands among which are f16: that, if there is no wider one. */
const dtypeOf = (nodes: readonly (Node | null)[]): DType =>
  nodes.every((node) => !node || !isFloat(node.dtype) || node.dtype === "f16") ? "f16" : "f32";

/** Computes what is made of several ops in f32, as PyTorch's kernels do with f16, and rounds once. */
export function inF32<const T extends readonly (Node | null)[]>(nodes: T, make: (...wide: T) => Node): Node {
  if (!hasHalf(...nodes)) return make(...nodes);
  const result = withAutocast(false, () => make(...(nodes.map(asF32) as unknown as T)));
  return result.dtype === "f32" ? cast(result, dtypeOf(nodes)) : result;
}

/** The same, where autocast keeps the result in f32. */
export const inF32ForAutocast = <const T extends readonly (Node | null)[]>(
  nodes: T,
  make: (...wide: T) => Node,
): Node => (autocastEnabled() ? make(...(nodes.map(asF32) as unknown as T)) : inF32(nodes, make));

/** What autocast makes of operands that f16 is enough for: products. */
export function forProduct<const T extends readonly (Node | null)[]>(nodes: T): T {
  if (!autocastEnabled()) return nodes;
  return nodes.map((node) => (node?.dtype === "f32" ? castOnce(node, () => cast(node, "f16")) : node)) as unknown as T;
}
