/** Cases of sliding windows. */

import * as ops from "../../src/ops";
import { given, permuted, type Row, row, strided, table } from "./case";

const windows = (name: string, shape: readonly number[], dim: number, size: number, step: number): Row =>
  row(
    name,
    (draw) => [draw.uniform(shape)],
    (x) => ops.unfold(x, dim, size, step),
  );

export const cases = table({
  unfold: [
    windows("overlapping", [9], 0, 3, 1),
    windows("strided", [2, 11], 1, 4, 3),
    windows("apart", [3, 10], 1, 2, 4),
    windows("whole steps", [12, 2], 0, 6, 2),
    windows("in the middle", [2, 7, 3], 1, 3, 2),
    windows("of one", [5], 0, 1, 1),
    windows("everything", [5], 0, 5, 2),
    windows("of nothing", [5], 0, 0, 2),
    windows("no rows", [0, 5], 1, 3, 1),
    windows("scalar", [], 0, 1, 1),
    row(
      "permuted",
      (draw) => [permuted(draw.uniform([5, 3]))],
      (x) => ops.unfold(x, 1, 2, 1),
    ),
    row(
      "backwards",
      (draw) => [strided(draw.uniform([2, 9]))],
      (x) => ops.unfold(x, 1, 2, 2),
    ),
    row(
      "u8",
      (draw) => [draw.ints([9], 0, 256, "u8")],
      (x) => ops.cast(ops.unfold(x, 0, 4, 1), "f32"),
    ),
    row(
      "NaN",
      () => [given([NaN, 1, Infinity])],
      (x) => ops.unfold(x, 0, 2, 1),
      { grad: false },
    ),
    row(
      "images",
      (draw) => [draw.uniform([2, 3, 5, 4])],
      (x) => ops.unfoldImages(x, [3, 2], { padding: [1, 0], stride: [2, 1], dilation: [1, 2] }),
    ),
    row(
      "images and back",
      (draw) => [draw.uniform([1, 4 * 2, 9])],
      (x) => ops.foldImages(x, [5, 4], 2, { padding: [1, 0], stride: [2, 1] }),
    ),
    row(
      "a product of windows",
      (draw) => [draw.uniform([9]), draw.uniform([3, 2])],
      (x, weight) => ops.matmul(ops.unfold(x, 0, 3, 2), weight),
    ),
  ],
});
