/** Looking up by index: entries of a dimension, of the flat tensor, one-hot rows; and indices that count from the end. */

import { IndexError, ShapeError } from "../errors";
import type { TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { broadcastShapes, normalizeDim, resized, showShape } from "../graph/shape";
import { expand } from "./broadcast";
import { cast, toIndex } from "./cast";
import { checkDType } from "./check";
import { iota } from "./generate";
import { checkKnown, checkRange, gather } from "./indexing";
import { hostIntegers } from "./leaf";
import { eq } from "./logic";
import { apply, defineOp, type IndexedContext, type IndexRange } from "./op";
import { reshape, unsqueeze } from "./views";
import { lit } from "./wgsl";

// --- indices that count from the end ---------------------------------------------------------------------------------

/** Indices must lie in `low..size - 1`, where `low` is 0 or `-size`. */
type WrapAttrs = { readonly op: string; readonly low: number; readonly size: number };

function wrapAll(index: TypedArray, out: TypedArray, { op, low, size }: WrapAttrs): void {
  checkRange(op, index, size, low);
  for (let i = 0; i < index.length; i++) out[i] = index[i]! < 0 ? index[i]! + size : index[i]!;
}

function wrapWgsl(node: Node, context: IndexedContext): string {
  const { low, size } = node.attrs as unknown as WrapAttrs;
  const i32 = (value: number): string => lit(`${value}i`, "i32", context.lanes);
  const index = context.read(0, context.coords);
  const place = low === 0 ? index : context.bind(`select(${index}, ${index} + ${i32(size)}, ${index} < ${i32(0)})`, "i32"); // prettier-ignore
  return `select(${i32(-1)}, ${place}, (${place} >= ${i32(0)}) & (${place} < ${i32(size)}))`;
}

/** Negative indices counted from the end. What is out of range throws on the CPU, and is -1 on a GPU. */
export const wrapIndexOp = defineOp<WrapAttrs>({
  name: "wrapIndex",
  infer([index], { op }) {
    checkDType(op, [index!], ["i32"]);
    return { shape: index!.shape, dtype: "i32" };
  },
  evaluate: ([index], output, attrs) => wrapAll(index!.data, output.data, attrs),
  vjp: null,
  lowering: { kind: "indexed", wgsl: wrapWgsl },
  indices: ({ inputs: [index], attrs }) => ({ ...(attrs as unknown as WrapAttrs), index: index! }) satisfies IndexRange,
});

/** Places along a dimension of `size` elements: negative indices count from the end. */
export function wrapIndex(op: string, index: Node, size: number): Node {
  const places = toIndex(op, index);
  checkKnown(op, index, size, -size);
  return apply(wrapIndexOp, [places], { op, low: -size, size });
}

// --- entries ---------------------------------------------------------------------------------------------------------

/** A 1-d index as one that `gather` takes along `dim` of `shape`. A scalar counts as one entry. */
export function spreadIndex(op: string, index: Node, shape: readonly number[], dim: number): Node {
  if (index.shape.length > 1) {
    throw new ShapeError(`${op}: index must have 1 dimension [n], got ${showShape(index.shape)}. Flatten it.`);
  }
  const count = index.shape[0] ?? 1;
  if (shape.length === 0) return reshape(index, count === 1 ? [] : index.shape);
  const column = shape.map((_, d) => (d === dim ? count : 1));
  return expand(reshape(index, column), resized(shape, dim, count));
}

/** Slices of `x` along `dim`, in the order of a 1-d index. */
export function indexSelect(x: Node, dim: number, index: Node): Node {
  const at = normalizeDim("indexSelect", dim, x.shape.length);
  return gather(x, at, spreadIndex("indexSelect", index, x.shape, at), "indexSelect");
}

/** Elements of the flat tensor, in the shape of the index; negative indices count from the end. */
export function take(x: Node, index: Node): Node {
  const flat = reshape(x, [-1]);
  const places = reshape(wrapIndex("take", index, flat.shape[0]!), [-1]);
  return reshape(gather(flat, 0, places, "take"), index.shape);
}

/** As `gather`, where tensor and index broadcast outside `dim`; without `dim` both are flat. */
export function takeAlongDim(x: Node, index: Node, dim?: number): Node {
  const op = "takeAlongDim";
  if (dim === undefined) return gather(reshape(x, [-1]), 0, reshape(index, [-1]), op);
  const rank = x.shape.length;
  if (index.shape.length !== rank) {
    throw new ShapeError(
      `${op}: index must have as many dimensions as the tensor, got ${showShape(index.shape)} for ${showShape(x.shape)}. Unsqueeze it.`,
    );
  }
  const at = normalizeDim(op, dim, rank);
  const outside = broadcastShapes(op, resized(x.shape, at, 1), resized(index.shape, at, 1));
  const whole = (node: Node): Node => expand(node, resized(outside, at, node.shape[at] ?? 1));
  return gather(whole(x), at, whole(index), op);
}

/** 1 at the index, 0 elsewhere, in a new last dimension of `numClasses`; i32. On a GPU a class out of range gives zeros. */
export function oneHot(index: Node, numClasses?: number): Node {
  const places = toIndex("oneHot", index);
  const known = hostIntegers(index);
  const size = numClasses ?? (known ? classCount(known) : null);
  if (size === null || !(Number.isInteger(size) && size >= 0)) {
    throw new IndexError(
      `oneHot: numClasses must be the number of classes, got ${String(size)}. Pass it, where only the device knows the index.`,
    );
  }
  checkKnown("oneHot", index, size);
  const classes = apply(wrapIndexOp, [places], { op: "oneHot", low: 0, size });
  return cast(eq(unsqueeze(classes, -1), iota(size)), "i32");
}

function classCount(index: TypedArray): number {
  if (index.length === 0) {
    throw new IndexError("oneHot: there must be an index to count the classes from, got none. Pass numClasses.");
  }
  let most = 0;
  for (const value of index) most = Math.max(most, value);
  return most + 1;
}
