/** Expand and its transpose, sum; and what follows from expand: constant tensors. */

import { ShapeError } from "../errors";
import type { DType, HostArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import {
  checkShape,
  contiguousStrides,
  expandsTo,
  normalizeDims,
  sameShape,
  type Shape,
  showShape,
  sizeOf,
} from "../graph/shape";
import { checkDType } from "./check";
import { storedScalar } from "./leaf";
import { along, apply, defineOp } from "./op";
import { NUMERIC } from "./pointwise";
import { forEachRow } from "./strided";
import { defineView, reshape } from "./views";

// --- expand ----------------------------------------------------------------------------------------------------------

export const expandOp = defineView<{ readonly shape: Shape }>({
  name: "expand",
  infer([input], { shape }) {
    checkShape("expand", shape);
    if (!expandsTo(input!.shape, shape)) {
      throw new ShapeError(
        `expand: sizes must be 1 or stay the same, counted from the last dimension, got ${showShape(input!.shape)} -> ` +
          `${showShape(shape)}. Use unsqueeze to place the dimensions of size 1.`,
      );
    }
    return { shape, dtype: input!.dtype };
  },
  vjp: (gradOut, { inputs: [input] }) => [sumTo(gradOut, input!.shape)],
  axes: (_attrs, input, output) =>
    input.map((size, d) => {
      const from = d + output.length - input.length;
      return size === output[from] ? along(from) : { start: 0, terms: [] };
    }),
});

/** Dimensions of size 1 repeated, and new ones in front; -1 keeps a size. */
export function expand(x: Node, shape: Shape): Node {
  const lead = shape.length - x.shape.length;
  const target = shape.map((size, d) => (size === -1 ? (x.shape[d - lead] ?? -1) : size));
  return sameShape(target, x.shape) ? x : apply(expandOp, [x], { shape: target });
}

/** The transpose of expand: sums what was repeated. */
function sumTo(x: Node, shape: Shape): Node {
  const lead = x.shape.length - shape.length;
  const dims = x.shape.flatMap((size, d) => (d < lead || (shape[d - lead] === 1 && size !== 1) ? [d] : []));
  return reshape(sumDims(x, dims), shape);
}

// --- sum -------------------------------------------------------------------------------------------------------------

export type ReduceAttrs = { readonly dims: readonly number[] };

/** Shape without `dims`. */
export const dropDims = (shape: Shape, dims: readonly number[]): Shape => shape.filter((_, d) => !dims.includes(d));

/** Shape with `dims` set to 1. */
export const keepDims = (shape: Shape, dims: readonly number[]): Shape =>
  shape.map((size, d) => (dims.includes(d) ? 1 : size));

/** `output[kept coordinates] = fold of all inputs there`, in f64, in the order of the input. */
export function evaluateReduce(
  input: HostArray,
  output: HostArray,
  dims: readonly number[],
  initial: number,
  fold: (total: number, value: number) => number,
): void {
  const totals = new Float64Array(output.data.length).fill(initial);
  if (sizeOf(input.shape) > 0) {
    const kept = contiguousStrides(dropDims(input.shape, dims));
    let next = 0;
    const steps = input.shape.map((_, d) => (dims.includes(d) ? 0 : kept[next++]!));
    foldRows(input, totals, steps, fold);
  }
  output.data.set(totals);
}

function foldRows(
  { shape, data }: HostArray,
  totals: Float64Array,
  steps: readonly number[],
  fold: (total: number, value: number) => number,
): void {
  const length = shape.at(-1) ?? 1;
  const step = steps.at(-1) ?? 0;
  forEachRow(shape, steps, 0, (start, into) => {
    if (step === 0) {
      let total = totals[into]!;
      for (let i = start; i < start + length; i++) total = fold(total, data[i]!);
      totals[into] = total;
    } else {
      for (let i = 0; i < length; i++) totals[into + i] = fold(totals[into + i]!, data[start + i]!);
    }
  });
}

/** The transpose of a reduction: a value per kept coordinate, repeated over `dims` of `shape`. */
export const spread = (x: Node, dims: readonly number[], shape: Shape): Node =>
  expand(reshape(x, keepDims(shape, dims)), shape);

export const sumOp = defineOp<ReduceAttrs>({
  name: "sum",
  infer([input], { dims }) {
    checkDType("sum", [input!], NUMERIC);
    return { shape: dropDims(input!.shape, dims), dtype: input!.dtype };
  },
  evaluate: ([input], output, { dims }) => evaluateReduce(input!, output, dims, 0, (total, value) => total + value),
  vjp: (gradOut, { inputs: [input], attrs: { dims } }) => [spread(gradOut, dims, input!.shape)],
  lowering: { kind: "reduce", fold: "sum", dims: ({ dims }) => dims },
});

/** Sum over counted, sorted dims that are dropped; nothing to do where there are none. */
export const sumDims = (x: Node, dims: readonly number[]): Node =>
  dims.length === 0 ? x : apply(sumOp, [x], { dims });

/** How a reduction's builder ends: the reduced dimensions stay as size 1, or not. */
export const finishReduce = (x: Node, reduced: Node, dims: readonly number[], keepDim: boolean): Node =>
  keepDim ? reshape(reduced, keepDims(x.shape, dims)) : reduced;

/** Dims as every reduction takes them: one, several, or all when absent. */
export type Dims = number | readonly number[] | null | undefined;

/** Dims counted from the front; all for null and an empty list too, as in PyTorch. */
export const reduceDims = (op: string, x: Node, dims: Dims): number[] =>
  normalizeDims(op, dims === null || (Array.isArray(dims) && dims.length === 0) ? undefined : dims, x.shape.length);

// --- constants -------------------------------------------------------------------------------------------------------

/** One number everywhere. */
export const full = (shape: Shape, value: number, dtype: DType = "f32"): Node =>
  expand(storedScalar(value, dtype), shape);
export const zeros = (shape: Shape, dtype: DType = "f32"): Node => full(shape, 0, dtype);
export const ones = (shape: Shape, dtype: DType = "f32"): Node => full(shape, 1, dtype);
export const fullLike = (x: Node, value: number): Node => full(x.shape, value, x.dtype);
export const zerosLike = (x: Node): Node => fullLike(x, 0);
export const onesLike = (x: Node): Node => fullLike(x, 1);
