/** The k largest or smallest along a dimension. A kernel finds the places; the values are gathered, and so have gradients. */

import { ShapeError } from "../errors";
import type { TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { normalizeDim, showShape, sizeOf } from "../graph/shape";
import { toFloat } from "./cast";
import { checkDType, checkRank } from "./check";
import { withoutGrad } from "./custom";
import { gather } from "./indexing";
import { bitwiseAnd, bitwiseRightShift } from "./logic";
import { apply, defineOp } from "./op";
import { FLOAT } from "./pointwise";
import { reshape, transpose } from "./views";

type TopkAttrs = { readonly k: number; readonly largest: boolean };

/** Order of two values; NaN is larger than everything. */
function compare(a: number, b: number): number {
  if (a === b) return 0;
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return Number.isNaN(b) || a < b ? -1 : 1;
}

/** Places in `row`, best first, equals by place. */
function ranking(row: TypedArray, largest: boolean): Uint32Array {
  const places = Uint32Array.from(row, (_, i) => i);
  const sign = largest ? -1 : 1;
  return places.sort((i, j) => sign * compare(row[i]!, row[j]!) || i - j);
}

/** Input: `[rows, n]`. Output: i32 `[rows, k]`, best first, equals by lower index; NaN is larger than everything. */
export const topkIndicesOp = defineOp<TopkAttrs>({
  name: "topkIndices",
  infer([x], { k }) {
    checkDType("topkIndices", [x!], FLOAT);
    checkRank("topkIndices", "input", x!, 2, "[rows, n]");
    return { shape: [x!.shape[0]!, k], dtype: "i32" };
  },
  evaluate([x], output, { k, largest }) {
    const [rows, n] = x!.shape as [number, number];
    for (let row = 0; row < rows; row++) {
      output.data.set(ranking(x!.data.subarray(row * n, (row + 1) * n), largest).subarray(0, k), row * k);
    }
  },
  vjp: null,
  lowering: {
    kind: "kernel",
    call({ inputs: [x], attrs }) {
      const { k, largest } = attrs as unknown as TopkAttrs;
      const [rows, n] = x!.shape as [number, number];
      return { kernel: "topk", info: { rows, n, k, largest } };
    },
  },
});

const indicesOf = (x: Node, k: number, largest: boolean): Node => apply(topkIndicesOp, [x], { k, largest });

/**
 * Places of the k best in each row. Integers, which f32 does not hold, are sorted by their low 16 bits first and then by
 * their high ones: the second sort keeps the order of equals.
 */
function bestPlaces(x: Node, k: number, largest: boolean): Node {
  if (x.dtype !== "i32" && x.dtype !== "u32") return indicesOf(toFloat(x), k, largest);
  const low = toFloat(bitwiseAnd(x, 0xffff));
  const high = toFloat(bitwiseRightShift(x, 16));
  const byLow = indicesOf(low, x.shape[1]!, largest);
  return gather(byLow, 1, indicesOf(gather(high, 1, byLow), k, largest));
}

export interface TopkOptions {
  readonly dim?: number;
  readonly largest?: boolean;
}

export interface Ranked {
  readonly values: Node;
  /** i32. */
  readonly indices: Node;
}

/** The `k` largest elements along `dim` and their places, best first; of equals the first. NaN counts as largest. */
export function topk(x: Node, k: number, { dim = -1, largest = true }: TopkOptions = {}): Ranked {
  const rank = x.shape.length;
  if (rank === 0) return scalarTopk(x, k, largest);
  const at = normalizeDim("topk", dim, rank);
  const n = x.shape[at]!;
  if (!Number.isInteger(k) || k < 0 || k > n) {
    throw new ShapeError(
      `topk: k must be in 0..${n}, got ${k} for dim ${dim} of ${showShape(x.shape)}. Ask for fewer.`,
    );
  }
  const last = transpose(withoutGrad(x), at, -1);
  const rows = sizeOf(last.shape.slice(0, -1));
  const found = bestPlaces(reshape(last, [rows, n]), k, largest);
  const indices = transpose(reshape(found, last.shape.with(-1, k)), at, -1);
  return { values: gather(x, at, indices), indices };
}

function scalarTopk(x: Node, k: number, largest: boolean): Ranked {
  const { values, indices } = topk(reshape(x, [1]), k, { dim: 0, largest });
  return k === 0 ? { values, indices } : { values: reshape(values, []), indices: reshape(indices, []) };
}

/** All elements along `dim` in order, and where they came from. Equals keep their order; NaN is larger than everything. */
export function sort(x: Node, { dim = -1, descending = false }: { dim?: number; descending?: boolean } = {}): Ranked {
  const size = x.shape.length === 0 ? 1 : x.shape[normalizeDim("sort", dim, x.shape.length)]!;
  return topk(x, size, { dim, largest: descending });
}
