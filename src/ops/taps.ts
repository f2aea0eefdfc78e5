/**
 * Sparse linear maps along one dimension: each entry of the result is a weighted sum of a few entries of the input. Windows
 * and interpolation are made of them. The tables are computed on the host; the gradient is the transposed map, which
 * reads where the map itself would scatter.
 */

import { allocateHost, type DType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { add, maximum, mul, where } from "./arithmetic";
import { expand, zeros } from "./broadcast";
import { customVjp, withoutGrad } from "./custom";
import { gather } from "./indexing";
import { table } from "./leaf";
import { ge } from "./logic";
import { sum } from "./reduce";
import { narrow } from "./slice";
import { reshape } from "./views";

/** Entry `place` of the input, times `weight`. */
export interface Tap {
  readonly place: number;
  readonly weight: number;
}

/** A map of `size` entries: what each entry of the result is a sum of. */
export interface TapMap {
  readonly size: number;
  readonly rows: readonly (readonly Tap[])[];
}

/** A map that takes entries as they are. */
export const takingMap = (size: number, places: readonly number[]): TapMap => ({
  size,
  rows: places.map((place) => [{ place, weight: 1 }]),
});

/** The map that sends each entry back to where it was taken from: what gradients are. */
export function transposed({ size, rows }: TapMap): TapMap {
  const columns = Array.from({ length: size }, (): Tap[] => []);
  rows.forEach((taps, row) => {
    for (const { place, weight } of taps) columns[place]!.push({ place: row, weight });
  });
  return { size: rows.length, rows: columns };
}

/** The map applied along `dim`, whose size it changes to the number of its rows. */
export function mapAlong(x: Node, dim: number, map: TapMap): Node {
  const value = applyMap(withoutGrad(x), dim, map);
  return x.requiresGrad ? customVjp(value, [x], (gradOut) => [mapAlong(gradOut, dim, transposed(map))]) : value;
}

/** Longest rows whose terms are written out; longer ones are a reduction. */
const MOST_TERMS = 4;

function applyMap(x: Node, dim: number, map: TapMap): Node {
  const { rows } = map;
  const longest = rows.reduce((most, taps) => Math.max(most, taps.length), 0);
  const shape = x.shape.with(dim, rows.length);
  if (sizeOf(shape) === 0 || longest === 0) return zeros(shape, x.dtype);
  const tables = tablesOf(map, longest, x.dtype);
  return longest <= MOST_TERMS ? sumOfTerms(x, dim, tables) : reduceTerms(x, dim, tables);
}

/** Taps as tensors, all rows of one length. */
interface Tables {
  /** i32 `[longest, rows]`: the place of each row's first tap, then of each one's second; -1 where there is none. */
  readonly places: Node;
  /** `[longest, rows]`; null where all are 1. */
  readonly weights: Node | null;
  /** Whether all rows are of full length. */
  readonly isFull: boolean;
}

function tablesOf({ rows }: TapMap, longest: number, dtype: DType): Tables {
  const places = new Int32Array(longest * rows.length).fill(-1);
  const weights = allocateHost(dtype, places.length);
  rows.forEach((taps, row) => {
    taps.forEach(({ place, weight }, k) => {
      places[k * rows.length + row] = place;
      weights[k * rows.length + row] = weight;
    });
  });
  const shape = [longest, rows.length];
  const isWeighted = rows.some((taps) => taps.some(({ weight }) => weight !== 1));
  return {
    places: table(places, shape, "i32"),
    weights: isWeighted ? table(weights, shape, dtype) : null,
    isFull: places.every((place) => place >= 0),
  };
}

/** Numbers of any shape in the place of `dim`, the dimensions after it of size 1. */
const along = (numbers: Node, x: Node, dim: number): Node =>
  reshape(numbers, [...numbers.shape, ...x.shape.slice(dim + 1).map(() => 1)]);

/** `x` at a 1-d list of places along `dim`; where a place is -1 any entry. */
function taken(x: Node, dim: number, places: Node, isFull: boolean): Node {
  const known = isFull ? places : maximum(places, 0);
  return gather(x, dim, expand(along(known, x, dim), x.shape.with(dim, places.shape[0]!)));
}

/** The terms added one after the other: one expression. */
function sumOfTerms(x: Node, dim: number, { places, weights, isFull }: Tables): Node {
  const [longest, rows] = places.shape as [number, number];
  const row = (all: Node, k: number): Node => reshape(narrow(all, 0, k, 1), [rows]);
  const terms = Array.from({ length: longest }, (_, k) => {
    const at = row(places, k);
    const value = taken(x, dim, at, isFull);
    const term = weights ? mul(value, along(row(weights, k), x, dim)) : value;
    return isFull ? term : where(along(ge(at, 0), x, dim), term, 0);
  });
  return terms.reduce(add);
}

/** The terms in a dimension of their own, which is summed. */
function reduceTerms(x: Node, dim: number, { places, weights, isFull }: Tables): Node {
  const [longest, rows] = places.shape as [number, number];
  const values = taken(x, dim, reshape(places, [longest * rows]), isFull);
  const terms = reshape(values, x.shape.toSpliced(dim, 1, longest, rows));
  const weighted = weights ? mul(terms, along(weights, x, dim)) : terms;
  return sum(isFull ? weighted : where(along(ge(places, 0), x, dim), weighted, 0), dim);
}
