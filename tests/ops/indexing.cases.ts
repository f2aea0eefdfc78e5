/** Cases of ops that read or write at computed places. */

import type { DType } from "../../src/graph/dtype";
import * as ops from "../../src/ops";
import { type Input, type Row, given, permuted, row, strided, table } from "./case";

const index = (values: readonly number[], shape: readonly number[], dtype: DType = "i32"): Input =>
  given(values, shape, dtype);

/** Values that meet, and values that do not; away from 0 and from each other. */
const folds = (reduce: ops.Fold | "mean", includeSelf = true): Row[] => {
  const name = `${reduce}${includeSelf ? "" : " without self"}`;
  const make: Row = row(
    name,
    (draw) => [draw.distinct([4, 3]), index([1, 0, 3, 1, 2, 3, 1, 0, 3], [3, 3]), draw.distinct([3, 3])],
    (x, i, s) => ops.scatterReduce(x, 0, i, s, { reduce, includeSelf }),
  );
  const views: Row = row(
    `${name} of views`,
    (draw) => [permuted(draw.distinct([4, 2])), index([0, 3, 0, 1], [2, 2]), strided(draw.awayFrom0([2, 4]))],
    (x, i, s) => ops.scatterReduce(x, 1, i, s, { reduce, includeSelf }),
  );
  return [make, views];
};

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
      "sum over nothing",
      (draw) => [draw.uniform([3, 0]), index([], [3, 0])],
      (x, i) => ops.sum(ops.gather(x, 1, i), 1),
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
      "rank 8",
      (draw) => [draw.uniform([2, 1, 3, 1, 2, 1, 2, 1]), draw.ints([2, 1, 4, 1, 1, 1, 2, 1], 0, 3)],
      (x, i) => ops.gather(x, 2, i),
    ),
    row(
      "scalar",
      (draw) => [draw.uniform([]), index([0], [])],
      (x, i) => ops.gather(x, 0, i),
    ),
    row(
      "broadcast",
      (draw) => [draw.uniform([1, 5]), index([4, 0, 1, 1, 3, 2], [3, 2])],
      (x, i) => ops.takeAlongDim(x, i, 1),
    ),
    row(
      "not chosen NaN",
      () => [given([NaN, 1, 2]), index([1, 2], [2])],
      (x, i) => ops.gather(x, 0, i),
      { grad: false },
    ),
  ],
  scatterReduce: [
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
    ...folds("prod"),
    ...folds("amax"),
    ...folds("amin"),
    ...folds("mean"),
    ...folds("sum", false),
    ...folds("prod", false),
    ...folds("amax", false),
    ...folds("amin", false),
    ...folds("mean", false),
    row(
      "product with zeros",
      () => [given([2, 0, 0, 3]), index([0, 0, 1, 2, 2, 3], [6]), given([0, 3, 4, 0, 5, 0.5])],
      (x, i, s) => ops.scatterReduce(x, 0, i, s, { reduce: "prod" }),
      { grad: false },
    ),
    row(
      "extreme of NaN",
      () => [given([1, NaN, 3]), index([0, 1, 2, 2], [4]), given([NaN, 5, 1, Infinity])],
      (x, i, s) => ops.scatterReduce(x, 0, i, s, { reduce: "amax" }),
      { grad: false },
    ),
    row(
      "product of i32",
      () => [index([3, -2, 0], [3]), index([0, 0, 1], [3]), index([65536, 70000, -5], [3])],
      (x, i, s) => ops.scatterReduce(x, 0, i, s, { reduce: "prod" }),
    ),
    row(
      "extremes of u32",
      () => [index([3, 7], [2], "u32"), index([0, 0, 1], [3]), index([4294967295, 1, 6], [3], "u32")],
      (x, i, s) => ops.scatterReduce(x, 0, i, s, { reduce: "amax", includeSelf: false }),
    ),
    row(
      "u8 and bool",
      (draw) => [index([200, 7], [2], "u8"), index([0, 0, 1], [3]), draw.bools([3])],
      (x, i, s) => ops.cast(ops.scatterAdd(x, 0, i, s), "f32"),
    ),
    row(
      "written",
      (draw) => [draw.uniform([4, 3]), index([1, 0, 3, 1, 2, 3], [2, 3]), draw.uniform([2, 3])],
      (x, i, s) => ops.scatter(x, 0, i, s),
    ),
    row(
      "written twice",
      (draw) => [draw.uniform([2, 4]), index([0, 0, 0, 3, 2, 3], [2, 3]), draw.uniform([2, 3])],
      (x, i, s) => ops.scatter(x, 1, i, s),
    ),
    row(
      "written shorter",
      (draw) => [permuted(draw.uniform([5, 4])), index([1, 1, 0, 3], [2, 2]), draw.uniform([3, 2])],
      (x, i, s) => ops.scatter(x, 0, i, s),
    ),
    row(
      "written bools",
      (draw) => [draw.bools([6]), index([1, 5, 1], [3]), draw.bools([3])],
      (x, i, s) => ops.scatter(x, 0, i, s),
    ),
    row(
      "written nothing",
      (draw) => [draw.uniform([3]), index([], [0]), draw.uniform([0])],
      (x, i, s) => ops.scatter(x, 0, i, s),
    ),
    row(
      "scalar",
      (draw) => [draw.uniform([]), index([0], []), draw.uniform([])],
      (x, i, s) => ops.scatter(x, 0, i, s),
    ),
    row(
      "rank 8",
      (draw) => [draw.uniform([2, 1, 3, 1, 2, 1, 2, 1]), draw.ints([2, 1, 2, 1, 2, 1, 2, 1], 0, 3), draw.uniform([2, 1, 2, 1, 2, 1, 2, 1])], // prettier-ignore
      (x, i, s) => ops.scatterAdd(x, 2, i, s),
    ),
  ],
  wrapIndex: [
    row(
      "negative",
      () => [given([5, 6, 7]), index([-1, 0, 2, -3], [2, 2])],
      (x, i) => ops.take(x, i),
    ),
    row(
      "one-hot",
      () => [index([2, 0], [2])],
      (i) => ops.oneHot(i, 3),
    ),
    row(
      "nothing",
      (draw) => [draw.uniform([3]), index([], [0])],
      (x, i) => ops.take(x, i),
    ),
  ],
});
