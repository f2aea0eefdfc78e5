/** Moments and norms over dims, all composed of sums. NaN may be left out of sums and means. */

import { ShapeError } from "../errors";
import { toFloatDType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { showShape } from "../graph/shape";
import { abs, div, maximum, mul, sign, square, sub, where } from "./arithmetic";
import { type Dims, expand, finishReduce, keepDims, reduceDims, spread, sumDims, zerosLike } from "./broadcast";
import { cast, toFloat } from "./cast";
import { customVjp, withoutGrad } from "./custom";
import { eq, isnan, logicalNot } from "./logic";
import { pow, sqrt } from "./math";
import { hasHalf, inF32, inF32ForAutocast } from "./precision";
import { amax, amin, countNonzero, countOf, sum } from "./reduce";
import { slice } from "./slice";
import { reshape, unsqueeze } from "./views";

// --- moments ---------------------------------------------------------------------------------------------------------

// --- sums and means --------------------------------------------------------------------------------------------------

/** Mean over `dims`, all by default; NaN of nothing. */
export function mean(x: Node, dims?: Dims, keepDim = false): Node {
  if (hasHalf(x)) return inF32([x], (wide) => mean(wide, dims, keepDim));
  const list = reduceDims("mean", x, dims);
  return div(finishReduce(x, sumDims(toFloat(x), list), list, keepDim), countOf(x, list));
}

/** 0 for NaN. The gradient is multiplied with 0 there, as in PyTorch, so that NaN of it shows. */
function withoutNaN(x: Node): Node {
  const isNumber = logicalNot(isnan(x));
  return customVjp(where(isNumber, withoutGrad(x), 0), [x], (gradOut) => [mul(gradOut, cast(isNumber, x.dtype))]);
}

/** Sum over `dims`, all by default, of what is not NaN. */
export const nansum = (x: Node, dims?: Dims, keepDim = false): Node => sum(withoutNaN(x), dims, keepDim);

/** Mean over `dims`, all by default, of what is not NaN; NaN of nothing. */
export function nanmean(x: Node, dims?: Dims, keepDim = false): Node {
  if (hasHalf(x)) return inF32([x], (wide) => nanmean(wide, dims, keepDim));
  return div(
    sum(withoutNaN(toFloat(x)), dims, keepDim),
    cast(sum(logicalNot(isnan(x)), dims, keepDim), toFloatDType(x.dtype)),
  );
}

// --- variance --------------------------------------------------------------------------------------------------------

export interface VarOptions {
  /** Subtracted from the number of elements: 1 for an unbiased estimate. */
  readonly correction?: number;
  readonly keepDim?: boolean;
}

/**
 * Deviations from the first element of each sum: nearer to 0 than the elements where these are far from 0, so that their mean is
 * exact to the last digits of the spread. The gradient of a variance does not change.
 */
function fromFirst(x: Node, dims: readonly number[]): Node {
  if (countOf(x, dims) < 2) return x;
  const first = slice(withoutGrad(x), [], keepDims(x.shape, dims));
  return sub(x, expand(first, x.shape));
}

/** Variance over `dims`, all by default; NaN where nothing is left of the count. */
export function variance(x: Node, dims?: Dims, { correction = 1, keepDim = false }: VarOptions = {}, op = "var"): Node {
  if (hasHalf(x)) return inF32([x], (wide) => variance(wide, dims, { correction, keepDim }, op));
  const list = reduceDims(op, x, dims);
  const shifted = fromFirst(toFloat(x), list);
  const centered = sub(shifted, div(spread(sumDims(shifted, list), list, x.shape), countOf(x, list)));
  const degrees = Math.max(countOf(x, list) - correction, 0);
  return div(finishReduce(x, sumDims(square(centered), list), list, keepDim), degrees);
}

/** Square root whose gradient at 0 is 0. */
function safeSqrt(x: Node): Node {
  const isZero = eq(x, 0);
  return where(isZero, 0, sqrt(where(isZero, 1, x)));
}

/** Standard deviation over `dims`, all by default. Where it is 0, so is its gradient. */
export function std(x: Node, dims?: Dims, options: VarOptions = {}): Node {
  if (hasHalf(x)) return inF32([x], (wide) => std(wide, dims, options));
  return safeSqrt(variance(x, dims, options, "std"));
}

// --- norms -----------------------------------------------------------------------------------------------------------

/** Largest or smallest magnitude. Its gradient is shared by ties, and is 0 in a row with NaN. */
function normOfExtreme(extreme: typeof amax, x: Node, dims: Dims, keepDim: boolean): Node {
  const list = reduceDims("norm", x, dims);
  const value = extreme(abs(withoutGrad(x)), dims, keepDim, "norm");
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
export function norm(values: Node, p = 2, dims?: Dims, keepDim = false): Node {
  if (hasHalf(values)) return inF32ForAutocast([values], (wide) => norm(wide, p, dims, keepDim));
  const x = toFloat(values);
  if (p === 2) return safeSqrt(sum(square(x), dims, keepDim));
  if (p === 1) return sum(abs(x), dims, keepDim);
  if (p === 0) return customVjp(cast(countNonzero(x, dims, keepDim), x.dtype), [x], () => [zerosLike(x)]);
  if (p === Infinity) return normOfExtreme(amax, x, dims, keepDim);
  if (p === -Infinity) return normOfExtreme(amin, x, dims, keepDim);
  const total = sum(powerOfMagnitude(x, p), dims, keepDim);
  if (p < 0) return pow(total, 1 / p);
  const isZero = eq(total, 0);
  return where(isZero, 0, pow(where(isZero, 1, total), 1 / p));
}

/** Distances between all rows of `[..., p, m]` and all of `[..., r, m]`: `[..., p, r]`. */
export function cdist(a: Node, b: Node, p = 2): Node {
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-1)) {
    throw new ShapeError(
      `cdist: both must be [..., rows, m] with one m, got ${showShape(a.shape)} and ${showShape(b.shape)}. Unsqueeze single vectors.`,
    );
  }
  if (hasHalf(a, b)) return inF32ForAutocast([a, b], (x, y) => cdist(x, y, p));
  return norm(sub(unsqueeze(a, -2), unsqueeze(b, -3)), p, -1);
}
