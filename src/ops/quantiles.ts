/** Elements by their rank along a dimension: the median, quantiles, the k-th smallest, the most frequent. All sort first. */

import { ShapeError, ValueError } from "../errors";
import { isFloat } from "../graph/dtype";
import type { Node } from "../graph/node";
import { normalizeDim, type Shape, showShape, sizeOf } from "../graph/shape";
import { checkChoice } from "../options";
import { clamp, div, lerp, mul, sub, where } from "./arithmetic";
import { expand, full, keepDims } from "./broadcast";
import { cast } from "./cast";
import { checkDType } from "./check";
import { customVjp, withoutGrad } from "./custom";
import { ceil, floor, round } from "./division";
import { iota } from "./generate";
import { gather } from "./indexing";
import { bitwiseRightShift, eq, isnan, logicalAnd, logicalNot, logicalOr, lt, ne } from "./logic";
import { type Ranked, sort } from "./order";
import { FLOAT } from "./pointwise";
import { hasHalf, inF32 } from "./precision";
import { argmax, sum } from "./reduce";
import { cummax } from "./scan";
import { narrow, padZeros } from "./slice";
import { movedim, permute, reshape } from "./views";

/** One dimension, counted from the front, that must hold something. */
function filledDim(op: string, x: Node, dim: number): number {
  const at = normalizeDim(op, dim, x.shape.length);
  if (x.shape[at] !== 0) return at;
  throw new ShapeError(
    `${op}: the dim that is reduced must not be empty, got dim ${dim} of ${showShape(x.shape)}. Check for size 0 first.`,
  );
}

/** The elements at one index for each place of a dimension, which goes unless it is kept. */
function pick(x: Node, dim: number, indices: Node, keepDim: boolean): Ranked {
  const values = gather(x, dim, indices);
  if (keepDim || x.shape.length === 0) return { values, indices };
  const shape = x.shape.toSpliced(dim, 1);
  return { values: reshape(values, shape), indices: reshape(indices, shape) };
}

/** As a tensor of one dimension at least. */
const atLeast1d = (x: Node): Node => (x.shape.length === 0 ? reshape(x, [1]) : x);

// --- kthvalue --------------------------------------------------------------------------------------------------------

/** The `k`-th smallest element along `dim`, from 1, and where it is; NaN is larger than everything. */
export function kthvalue(x: Node, k: number, dim = -1, keepDim = false): Ranked {
  const at = normalizeDim("kthvalue", dim, x.shape.length);
  const n = x.shape[at] ?? 1;
  if (!Number.isInteger(k) || k < 1 || k > n) {
    throw new ShapeError(
      `kthvalue: k must be in 1..${n}, got ${k} for dim ${dim} of ${showShape(x.shape)}. The first is the smallest.`,
    );
  }
  if (x.shape.length === 0) return sort(x);
  return pick(x, at, narrow(sort(withoutGrad(x), { dim: at }).indices, at, k - 1, 1), keepDim);
}

// --- median ----------------------------------------------------------------------------------------------------------

/** How many elements along a dimension are numbers, `[..., 1, ...]`, i32. */
const countNumbers = (x: Node, dim: number): Node => sum(logicalNot(isnan(x)), dim, true);

/** Where in its sorted row the median lies: the lower one of two. NaN comes last, and is the median unless it is ignored. */
function medianPlace(x: Node, dim: number, ignoresNaN: boolean): Node {
  const n = x.shape[dim]!;
  const middle = full(keepDims(x.shape, [dim]), (n - 1) >> 1, "i32");
  if (!isFloat(x.dtype)) return middle;
  const count = countNumbers(x, dim);
  if (ignoresNaN) return bitwiseRightShift(clamp(sub(count, 1), 0), 1);
  return where(lt(count, n), count, middle);
}

/** The median along `dim` and where it is; the lower one of two, and NaN where there is one unless that is ignored. */
export function medianAlong(op: "median" | "nanmedian", x: Node, dim: number, keepDim = false): Ranked {
  const at = filledDim(op, x, dim);
  const rows = atLeast1d(withoutGrad(x));
  const order = sort(rows, { dim: at }).indices;
  const indices = gather(order, at, medianPlace(rows, at, op === "nanmedian"));
  return pick(x, at, x.shape.length === 0 ? reshape(indices, []) : indices, keepDim);
}

/** A value of a tensor's own, whose gradient all elements share that are equal to it; NaN is equal to NaN here. */
export function sharedByTies(x: Node, value: Node): Node {
  if (!x.requiresGrad) return value;
  return customVjp(value, [x], (gradOut, _inputs, output) => {
    const all = expand(output, x.shape);
    const ties = cast(logicalOr(eq(x, all), logicalAnd(isnan(x), isnan(all))), x.dtype);
    return [mul(ties, expand(div(gradOut, sum(ties)), x.shape))];
  });
}

/** The median of all elements; NaN of none. Equals share its gradient. */
export function median(op: "median" | "nanmedian", x: Node): Node {
  if (sizeOf(x.shape) === 0 && isFloat(x.dtype)) return full([], NaN, x.dtype);
  return sharedByTies(x, medianAlong(op, reshape(withoutGrad(x), [-1]), 0).values);
}

// --- quantile --------------------------------------------------------------------------------------------------------

const INTERPOLATIONS = ["linear", "lower", "higher", "midpoint", "nearest"] as const;
/** What a quantile between two elements is. */
export type Interpolation = (typeof INTERPOLATIONS)[number];

export interface QuantileOptions {
  readonly keepDim?: boolean;
  readonly interpolation?: Interpolation;
  readonly ignoresNaN?: boolean;
}

function checkQuantile(op: string, x: Node, q: Node, interpolation: Interpolation): void {
  checkDType(op, [x], FLOAT);
  if (sizeOf(x.shape) === 0)
    throw new ShapeError(`${op}: the tensor must not be empty, got ${showShape(x.shape)}. Check for size 0 first.`);
  if (q.shape.length > 1)
    throw new ShapeError(`${op}: q must be a number or have one dimension, got ${showShape(q.shape)}. Flatten it.`);
  const wrong = q.hostData?.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) throw new ValueError(`${op}: q must be in 0..1, got ${wrong}. A median is 0.5.`);
  checkChoice(op, "interpolation", interpolation, INTERPOLATIONS);
}

/** Ranks `[..., q]` in the sorted rows of `[..., n]`, fractions among them. */
function ranksOf(rows: Node, q: Node, ignoresNaN: boolean): Node {
  const [last, n] = [rows.shape.length - 1, rows.shape.at(-1)!];
  const shape = rows.shape.with(-1, q.shape[0]!);
  const count = expand(cast(countNumbers(rows, last), rows.dtype), shape);
  if (ignoresNaN) return mul(expand(q, shape), clamp(sub(count, 1), 0));
  return where(lt(count, n), n - 1, expand(mul(q, n - 1), shape));
}

/** Values at ranks between two elements. */
function between(rows: Node, ranks: Node, interpolation: Interpolation): Node {
  const sorted = sort(rows).values;
  const at = (place: Node): Node => gather(sorted, sorted.shape.length - 1, cast(withoutGrad(place), "i32"));
  const below = floor(ranks);
  switch (interpolation) {
    case "lower":
      return at(below);
    case "higher":
      return at(ceil(ranks));
    case "nearest":
      return at(round(ranks));
    case "midpoint":
      return lerp(at(below), at(ceil(ranks)), 0.5);
    case "linear":
      return lerp(at(below), at(ceil(ranks)), sub(ranks, below));
  }
}

/**
 * Quantiles along `dim`, of all elements by default: those at rank `q * (n - 1)` of the sorted row.
 * @param q in 0..1, rank 0, or `[m]` for a first dimension of size m
 */
export function quantile(
  op: "quantile" | "nanquantile",
  x: Node,
  q: Node,
  dim: number | undefined,
  options: QuantileOptions = {},
): Node {
  if (hasHalf(x)) return inF32([x], (wide) => quantile(op, wide, q, dim, options));
  const { keepDim = false, interpolation = "linear" } = options;
  checkQuantile(op, x, q, interpolation);
  const all = dim === undefined ? reshape(x, [-1]) : atLeast1d(x);
  const at = normalizeDim(op, dim ?? 0, x.shape.length);
  const rows = movedim(all, dim === undefined ? 0 : at, -1);
  const values = between(rows, ranksOf(rows, atLeast1d(cast(q, x.dtype)), op === "nanquantile"), interpolation);
  const found = permute(values, [-1, ...values.shape.slice(1).keys()]);
  return reshape(found, [...q.shape, ...reducedShape(x.shape, dim === undefined ? null : at, keepDim)]);
}

/** A shape without one dimension, or without all of them. */
function reducedShape(shape: Shape, dim: number | null, keepDim: boolean): Shape {
  if (keepDim) return shape.map((size, d) => (dim === null || d === dim ? 1 : size));
  return dim === null || shape.length === 0 ? [] : shape.toSpliced(dim, 1);
}

// --- mode ------------------------------------------------------------------------------------------------------------

/** Where the run of equals starts that each element of sorted rows is in. */
function runStarts(sorted: Node, dim: number): Node {
  const n = sorted.shape[dim]!;
  const differs = ne(narrow(sorted, dim, 0, n - 1), narrow(sorted, dim, 1, n - 1));
  const zeros = sorted.shape.map(() => 0);
  const isStart = padZeros(differs, zeros.with(dim, 1), zeros);
  return cummax(where(isStart, placesAlong(sorted.shape, dim), 0), dim).values;
}

/** `0 ... n - 1` along one dimension of a shape. */
function placesAlong(shape: Shape, dim: number): Node {
  const column = shape.map((size, d) => (d === dim ? size : 1));
  return expand(reshape(iota(shape[dim]!), column), shape);
}

/** The most frequent element along `dim`, the smallest of several, and where it is last; NaN equals nothing. */
export function mode(x: Node, dim = -1, keepDim = false): Ranked {
  const at = filledDim("mode", x, dim);
  const rows = atLeast1d(withoutGrad(x));
  const { values, indices } = sort(rows, { dim: at });
  const length = sub(placesAlong(rows.shape, at), runStarts(values, at));
  const end = argmax(length, at, true); // of the first of the longest runs
  const found = gather(indices, at, end);
  return pick(x, at, x.shape.length === 0 ? reshape(found, []) : found, keepDim);
}
