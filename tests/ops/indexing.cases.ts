/** Cases of ops that read or write at computed places. */

import type { DType } from "../../src/graph/dtype";
import * as ops from "../../src/ops";
import { type Input, given, permuted, row, strided, table, SUM } from "./case";

const index = (values: readonly number[], shape: readonly number[], dtype: DType = "i32"): Input =>
  given(values, shape, dtype);

export const cases = table({
  gather: [
    row(
      "rows",
      (draw) => [draw.uniform([4, 3]), index([1, 0, 3, 2, 2, 2], [2, 3])],
      (x, i) => ops.gather(x, 0, i),
    ),
    row(
      "columns",
      (draw) => [draw.uniform([3, 5]), index([4, 0, 1, 1, 3, 2], [3, 2])],
      (x, i) => ops.gather(x, 1, i),
    ),
    row(
      "shorter",
      (draw) => [draw.uniform([3, 5]), index([4, 0, 1, 1], [2, 2])],
      (x, i) => ops.gather(x, 1, i),
    ),
    row(
      "permuted",
      (draw) => [permuted(draw.uniform([5, 3])), permuted(index([4, 0, 1, 1, 3, 2], [2, 3]))],
      (x, i) => ops.gather(x, 1, i),
    ),
    row(
      "one",
      (draw) => [draw.uniform([1]), index([0], [1])],
      (x, i) => ops.gather(x, 0, i),
    ),
    row(
      "nothing",
      (draw) => [draw.uniform([3, 2]), index([], [0, 2])],
      (x, i) => ops.gather(x, 0, i),
    ),
    row(
      "u32 index",
      (draw) => [draw.uniform([4]), index([3, 1], [2], "u32")],
      (x, i) => ops.gather(x, 0, i),
    ),
    row(
      "i32",
      (draw) => [draw.ints([4, 2], -9, 9), index([3, 1], [1, 2])],
      (x, i) => ops.gather(x, 0, i),
    ),
    row(
      "indexSelect",
      (draw) => [draw.uniform([4, 3, 2]), index([2, 0, 2], [3])],
      (x, i) => ops.indexSelect(x, 1, i),
    ),
    row(
      "not chosen NaN",
      () => [given([NaN, 1, 2]), index([1, 2], [2])],
      (x, i) => ops.gather(x, 0, i),
      { grad: false },
    ),
  ],
  scatterAdd: [
    row(
      "rows",
      (draw) => [draw.uniform([4, 3]), index([1, 0, 3, 2, 2, 3], [2, 3]), draw.uniform([2, 3])],
      (x, i, s) => ops.scatterAdd(x, 0, i, s),
    ),
    row(
      "columns",
      (draw) => [draw.uniform([2, 4]), index([0, 0, 0, 3, 2, 3], [2, 3]), draw.uniform([2, 3])],
      (x, i, s) => ops.scatterAdd(x, 1, i, s),
    ),
    row(
      "shorter",
      (draw) => [draw.uniform([4, 5]), index([1, 1, 0, 3], [2, 2]), draw.uniform([3, 2])],
      (x, i, s) => ops.scatterAdd(x, 0, i, s),
    ),
    row(
      "views",
      (draw) => [permuted(draw.uniform([3, 4])), index([1, 0, 3, 2, 2, 3], [2, 3]), strided(draw.uniform([2, 6]))],
      (x, i, s) => ops.scatterAdd(x, 0, i, s),
    ),
    row(
      "nothing",
      (draw) => [draw.uniform([3]), index([], [0]), draw.uniform([0])],
      (x, i, s) => ops.scatterAdd(x, 0, i, s),
    ),
    row(
      "one",
      (draw) => [draw.uniform([1]), index([0], [1]), draw.uniform([1])],
      (x, i, s) => ops.scatterAdd(x, 0, i, s),
    ),
    row(
      "many to one",
      (draw) => [draw.uniform([2]), index(Array<number>(97).fill(1), [97]), draw.uniform([97])],
      (x, i, s) => ops.scatterAdd(x, 0, i, s),
      { tolerance: SUM },
    ),
    row(
      "i32",
      (draw) => [
        draw.ints([3], -9, 9),
        index([1, 1, 0, 2, 1], [5]),
        given([2147483647, 5, -7, 300, -2147483648], [5], "i32"),
      ],
      (x, i, s) => ops.scatterAdd(x, 0, i, s),
    ),
    row(
      "NaN",
      () => [given([1, 2]), index([0, 0], [2]), given([NaN, 1])],
      (x, i, s) => ops.scatterAdd(x, 0, i, s),
      { grad: false },
    ),
  ],
});
