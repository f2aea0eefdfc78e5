/** Reductions: prod, amax and amin have kernels of their own beside sum; the rest is composed of them. */

import { ShapeError } from "../errors";
import { isFloat } from "../graph/dtype";
import type { Node } from "../graph/node";
import { normalizeDim, type Shape, showShape, sizeOf } from "../graph/shape";
import { add, div, mul, sub, where } from "./arithmetic";
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
import { cast, counted, toFloat } from "./cast";
import { checkDType } from "./check";
import { withoutGrad } from "./custom";
import { iota } from "./generate";
import { eq, gt, isfinite, isnan, logicalNot, logicalOr } from "./logic";
import { exp, log } from "./math";
import { apply, defineOp, type Op } from "./op";
import { hasHalf, inF32ForAutocast } from "./precision";
import { productOfOneSide } from "./scan";
import { permute, reshape } from "./views";
import { NUMERIC } from "./pointwise";

/** Elements that fold to one. */
export const countOf = (x: Node, dims: readonly number[]): number => sizeOf(dims.map((dim) => x.shape[dim]!));

// --- sum, prod -------------------------------------------------------------------------------------------------------

/** Sum over `dims`, all by default. Bools and bytes are added as i32. */
export function sum(x: Node, dims?: Dims, keepDim = false): Node {
  const list = reduceDims("sum", x, dims);
  return finishReduce(x, sumDims(counted(x), list), list, keepDim);
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
const prodOp = defineOp<ReduceAttrs>({
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
  return finishReduce(x, prodDims(counted(x), list), list, keepDim);
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

const amaxOp = extremumOp("amax", "max", Math.max, -Infinity);
const aminOp = extremumOp("amin", "min", Math.min, Infinity);

function extremum(op: Op<ReduceAttrs>, x: Node, dims: Dims, keepDim: boolean, name: string): Node {
  const list = reduceDims(name, x, dims);
  if (list.length === 0) return x;
  checkNotEmpty(name, x.shape, list);
  return finishReduce(x, cast(apply(op, [counted(x)], { dims: list }), x.dtype), list, keepDim);
}

/** Largest element over `dims`, all by default; NaN where there is one. Ties share the gradient. `name` is for errors. */
export const amax = (x: Node, dims?: Dims, keepDim = false, name = "amax"): Node =>
  extremum(amaxOp, x, dims, keepDim, name);
/** Smallest element over `dims`, all by default; NaN where there is one. Ties share the gradient. `name` is for errors. */
export const amin = (x: Node, dims?: Dims, keepDim = false, name = "amin"): Node =>
  extremum(aminOp, x, dims, keepDim, name);

function argExtremum(extreme: typeof amax, x: Node, dim: number | null, keepDim: boolean, op: string): Node {
  if (dim === null) {
    const index = argExtremum(extreme, reshape(x, [-1]), 0, false, op);
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
  const best = extreme(x, at, true);
  const isBest = logicalOr(eq(x, expand(best, x.shape)), isnan(x));
  const size = x.shape[at]!;
  const position = reshape(
    iota(size),
    x.shape.map((_, d) => (d === at ? size : 1)),
  );
  return amin(where(isBest, position, size), at, keepDim);
}

/** Index of the largest element along `dim`, or of the flat tensor; the first of equals, NaN before all. i32. */
export const argmax = (x: Node, dim: number | null = null, keepDim = false, name = "argmax"): Node =>
  argExtremum(amax, x, dim, keepDim, name);
/** Index of the smallest element along `dim`, or of the flat tensor; the first of equals, NaN before all. i32. */
export const argmin = (x: Node, dim: number | null = null, keepDim = false, name = "argmin"): Node =>
  argExtremum(amin, x, dim, keepDim, name);

// --- truth -----------------------------------------------------------------------------------------------------------

/** How many elements hold, i32. */
function countTrue(op: string, x: Node, dims: Dims, keepDim: boolean): Node {
  const list = reduceDims(op, x, dims);
  return finishReduce(x, sumDims(cast(x, "i32"), list), list, keepDim);
}

/** Whether some element is not 0. False for none. */
export const any = (x: Node, dims?: Dims, keepDim = false): Node =>
  gt(countTrue("any", cast(x, "bool"), dims, keepDim), 0);
/** Whether no element is 0. True for none. */
export const all = (x: Node, dims?: Dims, keepDim = false): Node =>
  eq(countTrue("all", logicalNot(x), dims, keepDim), 0);
/** How many elements over `dims`, of all by default, are not 0; i32. NaN is not. */
export const countNonzero = (x: Node, dims?: Dims, keepDim = false): Node =>
  countTrue("countNonzero", cast(x, "bool"), dims, keepDim);

// --- exponentials ---------------------------------------------------------------------------------------------------

/** `log(sum(exp(x)))` over `dims`, without overflow. */
export function logsumexp(x: Node, dims?: Dims, keepDim = false): Node {
  if (hasHalf(x)) return inF32ForAutocast([x], (wide) => logsumexp(wide, dims, keepDim));
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
  if (hasHalf(x)) return inF32ForAutocast([x], (wide) => softmax(wide, dim));
  const floats = toFloat(x);
  if (sizeOf(x.shape) === 0) return floats;
  const powers = exp(sub(floats, withoutGrad(amax(floats, dim, true))));
  return div(powers, sum(powers, dim, true));
}

/** `log(softmax(x))`, without overflow or loss. */
export function logSoftmax(x: Node, dim: number): Node {
  if (hasHalf(x)) return inF32ForAutocast([x], (wide) => logSoftmax(wide, dim));
  const floats = toFloat(x);
  if (sizeOf(x.shape) === 0) return floats;
  const shifted = sub(floats, withoutGrad(amax(floats, dim, true)));
  return sub(shifted, log(sum(exp(shifted), dim, true)));
}
