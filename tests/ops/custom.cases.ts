/** Cases of gradients that are given. */

import * as ops from "../../src/ops";
import { permuted, row, table } from "./case";

/** Output sizes that do not divide a plane of 5 x 7 evenly. */
const ADAPTIVE: readonly ops.Pair[] = [[3, 4], [2, 7], [1, 5], [7, 9]]; // prettier-ignore

export const cases = table({
  customVjp: [
    row(
      "odd",
      (draw) => [draw.uniform([3, 5])],
      (x) => ops.customVjp(ops.mul(x, 3), [x], (gradOut) => [ops.mul(gradOut, 3)]),
    ),
    ...ADAPTIVE.map(([height, width]) =>
      row(
        `adaptive average to ${height}x${width}`,
        (draw) => [draw.uniform([2, 2, 5, 7])],
        (x) => ops.adaptiveAvgPool2d(x, [height, width]),
      ),
    ),
    row(
      "adaptive average, permuted",
      (draw) => [permuted(draw.uniform([7, 5, 2, 1]))],
      (x) => ops.adaptiveAvgPool2d(x, [3, 4]),
    ),
    ...[Infinity, -Infinity].map((p) =>
      row(
        `norm ${p}`,
        (draw) => [draw.distinct([3, 7])],
        (x) => ops.norm(x, p, 1),
      ),
    ),
  ],
});
