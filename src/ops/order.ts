/**
 * Order along a dimension: sorting, and the k largest or smallest. Kernels find the places; values are gathered from them, and
 * so have gradients.
 */

import { ShapeError } from "../errors";
import type { TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { normalizeDim, showShape, sizeOf } from "../graph/shape";
import { counted } from "./cast";
import { checkDType, checkRank } from "./check";
import { withoutGrad } from "./custom";
import { gather } from "./indexing";
import type { SortKeyType } from "./kernelInfo";
import { apply, defineOp } from "./op";
import { NUMERIC } from "./pointwise";
import { narrow } from "./slice";
import { reshape, transpose } from "./views";

/** Order of two values; NaN is larger than everything. */
function compare(a: number, b: number): number {
  if (a === b) return 0;
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return Number.isNaN(b) || a < b ? -1 : 1;
}

/** Places in `row`, best first, equals by place. */
function ranking(row: TypedArray, descending: boolean): Uint32Array {
  const places = Uint32Array.from(row, (_, i) => i);
  const sign = descending ? -1 : 1;
  return places.sort((i, j) => sign * compare(row[i]!, row[j]!) || i - j);
}

/** The first `k` places of each row in order. */
function evaluateRanking(
  { shape, data }: { shape: readonly number[]; data: TypedArray },
  descending: boolean,
  k: number,
): Int32Array {
  const [rows, n] = shape as [number, number];
  const places = new Int32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    places.set(ranking(data.subarray(row * n, (row + 1) * n), descending).subarray(0, k), row * k);
  }
  return places;
}

/** Input: `[rows, n]`. Output: i32 `[rows, k]`, best first, equals by lower index; NaN is larger than everything. */
const topkIndicesOp = defineOp<{ readonly k: number; readonly largest: boolean }>({
  name: "topkIndices",
  infer([x], { k }) {
    checkDType("topkIndices", [x!], NUMERIC);
    checkRank("topkIndices", "input", x!, 2, "[rows, n]");
    return { shape: [x!.shape[0]!, k], dtype: "i32" };
  },
  evaluate: ([x], output, { k, largest }) => output.data.set(evaluateRanking(x!, largest, k)),
  vjp: null,
  lowering: {
    kind: "kernel",
    call({ inputs: [x], attrs }) {
      const { k, largest } = attrs as { k: number; largest: boolean };
      const [rows, n] = x!.shape as [number, number];
      return { kernel: "topk", info: { rows, n, k, largest, dtype: x!.dtype as SortKeyType } };
    },
  },
});

/** Input: `[rows, n]`. Output: i32 of the same shape, the places of each row in order; equals keep theirs, NaN is largest. */
const sortIndicesOp = defineOp<{ readonly descending: boolean }>({
  name: "sortIndices",
  infer([x]) {
    checkDType("sortIndices", [x!], NUMERIC);
    checkRank("sortIndices", "input", x!, 2, "[rows, n]");
    return { shape: x!.shape, dtype: "i32" };
  },
  evaluate: ([x], output, { descending }) => output.data.set(evaluateRanking(x!, descending, x!.shape[1]!)),
  vjp: null,
  lowering: {
    kind: "kernel",
    call({ inputs: [x], attrs }) {
      const { descending } = attrs as { descending: boolean };
      const [rows, n] = x!.shape as [number, number];
      return { kernel: "sort", info: { rows, n, descending, dtype: x!.dtype as SortKeyType } };
    },
  },
});

/** From so many on, sorting a row and taking the first ones is cheaper than selecting them. */
const isMost = (k: number, n: number): boolean => k === n || (k > 12 && 8 * k > n);

/** The best `k` places of each row of `[rows, n]`. */
function bestPlaces(x: Node, k: number, largest: boolean): Node {
  if (!isMost(k, x.shape[1]!)) return apply(topkIndicesOp, [x], { k, largest });
  return narrow(apply(sortIndicesOp, [x], { descending: largest }), 1, 0, k);
}

export interface Ranked {
  readonly values: Node;
  /** i32. */
  readonly indices: Node;
}

/** The `k` largest elements along `dim` and their places, best first; of equals the first. NaN counts as largest. */
export function topk(
  x: Node,
  k: number,
  { dim = -1, largest = true }: { dim?: number; largest?: boolean } = {},
): Ranked {
  const rank = x.shape.length;
  const at = normalizeDim("topk", dim, rank);
  const n = x.shape[at] ?? 1;
  if (!Number.isInteger(k) || k < 0 || k > n) {
    throw new ShapeError(
      `topk: k must be in 0..${n}, got ${k} for dim ${dim} of ${showShape(x.shape)}. Ask for fewer.`,
    );
  }
  const indices =
    rank === 0 ? reshape(placesAlong(reshape(x, [1]), 0, 1, largest), []) : placesAlong(x, at, k, largest);
  return { values: gather(x, at, indices), indices };
}

/** The first `k` places in order along a dimension. */
function placesAlong(x: Node, dim: number, k: number, largest: boolean): Node {
  const last = transpose(counted(withoutGrad(x)), dim, -1);
  const [rows, n] = [sizeOf(last.shape.slice(0, -1)), last.shape.at(-1)!];
  const found = bestPlaces(reshape(last, [rows, n]), k, largest);
  return transpose(reshape(found, last.shape.with(-1, k)), dim, -1);
}

/** All elements along `dim` in order, and where they came from. Equals keep their order; NaN is larger than everything. */
export function sort(x: Node, { dim = -1, descending = false }: { dim?: number; descending?: boolean } = {}): Ranked {
  const size = x.shape[normalizeDim("sort", dim, x.shape.length)] ?? 1;
  return topk(x, size, { dim, largest: descending });
}
