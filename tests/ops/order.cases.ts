/** Cases of order: the places of the largest, and of all in order. */

import * as ops from "../../src/ops";
import { type Draw, type Input, type Row, given, permuted, row, table } from "./case";

const topkRow = (
  name: string,
  input: (draw: Draw) => Input,
  k: number,
  options?: Parameters<typeof ops.topk>[2],
): Row =>
  row(
    name,
    (draw) => [input(draw)],
    (x) => ops.topk(x, k, options).indices,
  );

const sortRow = (name: string, input: (draw: Draw) => Input, options: Parameters<typeof ops.sort>[1] = {}): Row =>
  row(
    name,
    (draw) => [input(draw)],
    (x) => ops.sort(x, options).indices,
  );

const SPECIAL = [1, NaN, 3, -Infinity, Infinity, NaN, 0, -0, 1e-42, -0, 0, -3];

export const cases = table({
  sortIndices: [
    sortRow("rows", (draw) => draw.distinct([3, 7])),
    sortRow("columns", (draw) => draw.distinct([7, 3]), { dim: 0 }),
    sortRow("descending", (draw) => draw.distinct([2, 13]), { descending: true }),
    sortRow("one", (draw) => draw.distinct([1, 1])),
    sortRow("scalar", (draw) => draw.uniform([])),
    sortRow("empty", (draw) => draw.distinct([2, 0])),
    sortRow("no rows", (draw) => draw.distinct([0, 3])),
    sortRow("one merge", (draw) => draw.distinct([3, 19])),
    sortRow("even merges", (draw) => draw.distinct([2, 64])),
    sortRow("odd merges", (draw) => draw.distinct([2, 300])),
    sortRow("ties", (draw) => draw.ints([3, 133], 0, 4, "f32")),
    sortRow("ties descending", (draw) => draw.ints([3, 133], 0, 4, "f32"), { descending: true }),
    sortRow("permuted", (draw) => permuted(draw.distinct([39, 2]))),
    sortRow("long", (draw) => draw.distinct([1, 5001])),
    sortRow("NaN", () => given(SPECIAL, [2, 6])),
    sortRow("NaN descending", () => given(SPECIAL, [1, 12]), { descending: true }),
    sortRow("i32", (draw) => draw.ints([2, 39], -5, 5)),
    sortRow("large i32", () =>
      given([7, 2147483647, -2147483648, 2147483646, 16777217, 16777216, 2147483647], [7], "i32"),
    ),
    sortRow("large u32", () => given([7, 4294967295, 0, 4294967294, 16777217, 16777216, 4294967295], [7], "u32"), {
      descending: true,
    }),
    sortRow("bool", (draw) => draw.bools([2, 21])),
    row(
      "values",
      (draw) => [draw.distinct([3, 17])],
      (x) => ops.sort(x).values,
    ),
  ],
  topkIndices: [
    topkRow("rows", (draw) => draw.distinct([3, 7]), 3),
    topkRow("columns", (draw) => draw.distinct([7, 3]), 2, { dim: 0 }),
    topkRow("smallest", (draw) => draw.distinct([2, 9]), 4, { largest: false }),
    topkRow("all", (draw) => draw.distinct([2, 5]), 5),
    topkRow("one", (draw) => draw.distinct([1, 1]), 1),
    topkRow("none", (draw) => draw.distinct([2, 3]), 0),
    topkRow("no rows", (draw) => draw.distinct([0, 3]), 2),
    topkRow("ties", (draw) => draw.ints([3, 33], 0, 4, "f32"), 7),
    topkRow("permuted", (draw) => permuted(draw.distinct([9, 2])), 3),
    topkRow("long rows", (draw) => draw.distinct([5, 1031]), 5),
    topkRow("NaN", () => given([1, NaN, 3, -Infinity, Infinity, NaN], [2, 3]), 3),
    topkRow("NaN, smallest", () => given([1, NaN, 3, -Infinity, Infinity, NaN], [2, 3]), 3, { largest: false }),
    topkRow("most", (draw) => draw.distinct([2, 150]), 100),
    topkRow("a quarter", (draw) => draw.distinct([2, 900]), 100),
    topkRow("scalar", (draw) => draw.uniform([]), 1),
    topkRow("selected i32", (draw) => draw.ints([1, 900], -300, 300), 40),
    topkRow("selected u32", (draw) => draw.ints([1, 900], 0, 300, "u32"), 40, { largest: false }),
    topkRow("i32", (draw) => draw.ints([2, 9], -5, 5), 3),
    topkRow(
      "large i32",
      () => given([7, 2147483647, -2147483648, 2147483646, 16777217, 16777216, 2147483647], [1, 7], "i32"),
      5,
    ),
    topkRow(
      "large u32",
      () => given([7, 4294967295, 0, 4294967294, 16777217, 16777216, 4294967295], [1, 7], "u32"),
      7,
      { largest: false },
    ),
    row(
      "values",
      (draw) => [draw.distinct([3, 7])],
      (x) => ops.topk(x, 3).values,
    ),
  ],
});
