/** Reductions: prod, amax and amin have kernels of their own beside sum; the rest is composed of them. */

import { ShapeError } from "../errors";
import { isFloat, toFloatDType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { normalizeDim, type Shape, showShape, sizeOf } from "../graph/shape";
import { abs, add, div, maximum, mul, sign, square, sub, where } from "./arithmetic";
import {
  type Dims,
  dropDims,
  evaluateReduce,
  expand,
  finishReduce,
  type ReduceAttrs,
  reduceDims,
  spread,
  sumDims,
} from "./broadcast";
import { cast, toFloat } from "./cast";
import { checkDType } from "./check";
import { customVjp, withoutGrad } from "./custom";
import { iota } from "./generate";
import { eq, gt, isfinite, isnan, logicalNot, logicalOr, ne } from "./logic";
import { exp, log, pow, sqrt } from "./math";
import { apply, defineOp, type Op } from "./op";
import { productOfOneSide } from "./scan";
import { permute, reshape } from "./views";
import { NUMERIC } from "./pointwise";

/** Elements that fold to one. */
const countOf = (x: Node, dims: readonly number[]): number => sizeOf(dims.map((dim) => x.shape[dim]!));

// --- sum, prod -------------------------------------------------------------------------------------------------------

/** Sum over `dims`, all by default. Bools are counted, as i32. */
export function sum(x: Node, dims?: Dims, keepDim = false): Node {
  const list = reduceDims("sum", x, dims);
  return finishReduce(x, sumDims(x.dtype === "bool" ? cast(x, "i32") : x, list), list, keepDim);
}

/** The product of all other elements along `dims`: without division, so that zeros do no harm in any derivative. */
function productOfOthers(x: Node, dims: readonly number[]): Node {
  const order = [...x.shape.keys()].filter((d) => !dims.includes(d)).concat(dims);
  const moved = permute(x, order);
  const rows = reshape(moved, [...dropDims(x.shape, dims), countOf(x, dims)]);
  const last = rows.shape.length - 1;
  const others = mul(productOfOneSide(rows, last, "before"), productOfOneSide(rows, last, "after"));
  return permute(
    reshape(others, moved.shape),
    order.map((_, d) => order.indexOf(d)),
  );
}

// d prod(x) / dx_i = product of x_j over j != i
export const prodOp = defineOp<ReduceAttrs>({
  name: "prod",
  infer([input], { dims }) {
    checkDType("prod", [input!], NUMERIC);
    return { shape: dropDims(input!.shape, dims), dtype: input!.dtype };
  },
  evaluate: ([input], output, { dims }) =>
    evaluateReduce(input!, output, dims, 1, isFloat(output.dtype) ? (total, value) => total * value : Math.imul),
  vjp: (gradOut, { inputs: [x], attrs: { dims } }) => [mul(spread(gradOut, dims, x!.shape), productOfOthers(x!, dims))],
  lowering: { kind: "reduce", fold: "prod", dims: ({ dims }) => dims },
});

const prodDims = (x: Node, dims: readonly number[]): Node => (dims.length === 0 ? x : apply(prodOp, [x], { dims }));

/** Product over `dims`, all by default; integers wrap. */
export function prod(x: Node, dims?: Dims, keepDim = false): Node {
  const list = reduceDims("prod", x, dims);
  return finishReduce(x, prodDims(x.dtype === "bool" ? cast(x, "i32") : x, list), list, keepDim);
}

// --- amax, amin ------------------------------------------------------------------------------------------------------

function checkNotEmpty(op: string, shape: Shape, dims: readonly number[]): void {
  if (dims.every((dim) => shape[dim] !== 0)) return;
  throw new ShapeError(
    `${op}: the dims that are reduced must not be empty, got ${showShape(shape)}. Check for size 0 first.`,
  );
}

/** Ties share the gradient evenly. */
function extremumOp(
  name: "amax" | "amin",
  fold: "max" | "min",
  js: (a: number, b: number) => number,
  initial: number,
): Op<ReduceAttrs> {
  return defineOp<ReduceAttrs>({
    name,
    infer([input], { dims }) {
      checkDType(name, [input!], NUMERIC);
      checkNotEmpty(name, input!.shape, dims);
      return { shape: dropDims(input!.shape, dims), dtype: input!.dtype };
    },
    evaluate: ([input], output, { dims }) => evaluateReduce(input!, output, dims, initial, js),
    vjp(gradOut, { inputs: [x], output, attrs: { dims } }) {
      const isBest = cast(eq(x!, spread(output, dims, x!.shape)), x!.dtype);
      return [mul(isBest, spread(div(gradOut, sumDims(isBest, dims)), dims, x!.shape))];
    },
    lowering: { kind: "reduce", fold, dims: ({ dims }) => dims },
  });
}

export const amaxOp = extremumOp("amax", "max", Math.max, -Infinity);
export const aminOp = extremumOp("amin", "min", Math.min, Infinity);

function extremum(op: Op<ReduceAttrs>, x: Node, dims: Dims, keepDim: boolean): Node {
  const list = reduceDims(op.name, x, dims);
  return finishReduce(x, list.length === 0 ? x : apply(op, [x], { dims: list }), list, keepDim);
}

/** Largest element over `dims`, all by default; NaN where there is one. Ties share the gradient. */
export const amax = (x: Node, dims?: Dims, keepDim = false): Node => extremum(amaxOp, x, dims, keepDim);
/** Smallest element over `dims`, all by default; NaN where there is one. Ties share the gradient. */
export const amin = (x: Node, dims?: Dims, keepDim = false): Node => extremum(aminOp, x, dims, keepDim);

function argExtremum(op: "argmax" | "argmin", x: Node, dim: number | null, keepDim: boolean): Node {
  if (dim === null) {
    const index = argExtremum(op, reshape(x, [-1]), 0, false);
    return keepDim
      ? reshape(
          index,
          x.shape.map(() => 1),
        )
      : index;
  }
  const at = normalizeDim(op, dim, x.shape.length);
  if (x.shape.length === 0) return cast(withoutGrad(mul(x, 0)), "i32");
  checkNotEmpty(op, x.shape, [at]);
  const best = (op === "argmax" ? amax : amin)(x, at, true);
  const isBest = logicalOr(eq(x, expand(best, x.shape)), isnan(x));
  const size = x.shape[at]!;
  const position = reshape(
    iota(size),
    x.shape.map((_, d) => (d === at ? size : 1)),
  );
  return amin(where(isBest, position, size), at, keepDim);
}

/** Index of the largest element along `dim`, or of the flat tensor; the first of equals, NaN before all. i32. */
export const argmax = (x: Node, dim: number | null = null, keepDim = false): Node =>
  argExtremum("argmax", x, dim, keepDim);
/** Index of the smallest element along `dim`, or of the flat tensor; the first of equals, NaN before all. i32. */
export const argmin = (x: Node, dim: number | null = null, keepDim = false): Node =>
  argExtremum("argmin", x, dim, keepDim);

// --- truth -----------------------------------------------------------------------------------------------------------

/** Whether some element is not 0. False for none. */
export const any = (x: Node, dims?: Dims, keepDim = false): Node => gt(sum(cast(x, "bool"), dims, keepDim), 0);
/** Whether no element is 0. True for none. */
export const all = (x: Node, dims?: Dims, keepDim = false): Node => eq(sum(logicalNot(x), dims, keepDim), 0);

// --- moments ---------------------------------------------------------------------------------------------------------

/** Mean over `dims`, all by default; NaN of nothing. */
export function mean(x: Node, dims?: Dims, keepDim = false): Node {
  const list = reduceDims("mean", x, dims);
  return div(sum(toFloat(x), list.length > 0 ? list : undefined, keepDim), countOf(x, list));
}

export interface VarOptions {
  /** Subtracted from the number of elements: 1 for an unbiased estimate. */
  readonly correction?: number;
  readonly keepDim?: boolean;
}

/** Variance over `dims`, all by default. */
export function variance(x: Node, dims?: Dims, { correction = 1, keepDim = false }: VarOptions = {}): Node {
  const list = reduceDims("var", x, dims);
  const centered = sub(x, mean(x, list.length > 0 ? list : undefined, true));
  const degrees = Math.max(countOf(x, list) - correction, 0);
  return div(sum(square(centered), list.length > 0 ? list : undefined, keepDim), degrees);
}

/** Square root whose gradient at 0 is 0. */
function safeSqrt(x: Node): Node {
  const isZero = eq(x, 0);
  return where(isZero, 0, sqrt(where(isZero, 1, x)));
}

/** Standard deviation over `dims`, all by default. Where it is 0, so is its gradient. */
export const std = (x: Node, dims?: Dims, options: VarOptions = {}): Node => safeSqrt(variance(x, dims, options));

/** Largest or smallest magnitude. Its gradient is shared by ties, and is 0 in a row with NaN. */
function normOfExtreme(extreme: typeof amax, x: Node, dims: Dims, keepDim: boolean): Node {
  const list = reduceDims("norm", x, dims);
  const value = extreme(abs(withoutGrad(x)), dims, keepDim);
  if (!x.requiresGrad) return value;
  return customVjp(value, [x], (gradOut, _inputs, output) => {
    const isExtreme = eq(abs(x), spread(output, list, x.shape)); // never where that is NaN
    const ties = maximum(sumDims(cast(isExtreme, x.dtype), list), 1);
    const shared = div(reshape(gradOut, ties.shape), ties);
    return [where(isExtreme, mul(sign(x), spread(shared, list, x.shape)), 0)];
  });
}

/** `|x|^p`, whose gradient at 0 is 0, also where `p < 1` makes it infinite. */
function powerOfMagnitude(x: Node, p: number): Node {
  if (p > 1) return pow(abs(x), p);
  const isZero = eq(x, 0);
  return where(isZero, p > 0 ? 0 : Infinity, pow(where(isZero, 1, abs(x)), p));
}

/** `(sum |x|^p)^(1/p)` over `dims`, all by default; `p` may be infinite or 0. Where it is 0, so is its gradient. */
export function norm(x: Node, p = 2, dims?: Dims, keepDim = false): Node {
  if (p === 2) return safeSqrt(sum(square(x), dims, keepDim));
  if (p === 1) return sum(abs(x), dims, keepDim);
  if (p === 0) return cast(sum(ne(x, 0), dims, keepDim), toFloatDType(x.dtype));
  if (p === Infinity) return normOfExtreme(amax, x, dims, keepDim);
  if (p === -Infinity) return normOfExtreme(amin, x, dims, keepDim);
  const total = sum(powerOfMagnitude(x, p), dims, keepDim);
  if (p < 0) return pow(total, 1 / p);
  const isZero = eq(total, 0);
  return where(isZero, 0, pow(where(isZero, 1, total), 1 / p));
}

/** `log(sum(exp(x)))` over `dims`, without overflow. */
export function logsumexp(x: Node, dims?: Dims, keepDim = false): Node {
  const floats = toFloat(x);
  const list = reduceDims("logsumexp", x, dims);
  if (countOf(x, list) === 0) return log(sum(exp(floats), list, keepDim));
  const largest = withoutGrad(amax(floats, dims, true));
  const shift = where(isfinite(largest), largest, 0);
  const total = log(sum(exp(sub(floats, shift)), dims, true));
  const result = add(total, shift);
  return keepDim ? result : reshape(result, dropDims(x.shape, list));
}

/** `exp(x)` scaled to sum to 1 along `dim`. */
export function softmax(x: Node, dim: number): Node {
  const floats = toFloat(x);
  if (sizeOf(x.shape) === 0) return floats;
  const powers = exp(sub(floats, withoutGrad(amax(floats, dim, true))));
  return div(powers, sum(powers, dim, true));
}

/** `log(softmax(x))`, without overflow or loss. */
export function logSoftmax(x: Node, dim: number): Node {
  const floats = toFloat(x);
  if (sizeOf(x.shape) === 0) return floats;
  const shifted = sub(floats, withoutGrad(amax(floats, dim, true)));
  return sub(shifted, log(sum(exp(shifted), dim, true)));
}
