/** Cases of the places of the largest. */

import * as ops from "../../src/ops";
import { type Draw, type Input, type Row, given, permuted, row, table } from "./case";

const topkRow = (name: string, input: (draw: Draw) => Input, k: number, options: ops.TopkOptions = {}): Row =>
  row(
    name,
    (draw) => [input(draw)],
    (x) => ops.topk(x, k, options).indices,
  );

export const cases = table({
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
