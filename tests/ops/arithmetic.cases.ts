/** Cases of arithmetic on two numbers. */

import * as ops from "../../src/ops";
import { row, table, DIVISION, POWER } from "./case";
import { allPairs, smooth, positive, away, binary, integerPairs, apart, shifted } from "./pointwiseRows";

export const cases = table({
  add: [...binary(ops.add), ...integerPairs(ops.add)],
  sub: [...binary(ops.sub), ...integerPairs(ops.sub)],
  mul: [...binary(ops.mul), ...integerPairs(ops.mul)],
  div: [...binary(ops.div, smooth, away, DIVISION), row("i32", () => allPairs([0, 1, -7, 100], "i32"), ops.div)],
  maximum: [...binary(ops.maximum, apart, shifted), ...integerPairs(ops.maximum)],
  minimum: [...binary(ops.minimum, apart, shifted), ...integerPairs(ops.minimum)],
  pow: [
    ...binary(ops.pow, positive, smooth, POWER),
    row(
      "negative bases",
      (draw) => [draw.uniform([3, 5], -2, -0.5)],
      (a) => ops.pow(a, 3),
      { tolerance: POWER },
    ),
    row(
      "number base",
      (draw) => [draw.uniform([5])],
      (b) => ops.pow(2, b),
      { tolerance: POWER },
    ),
    ...integerPairs(ops.pow),
  ],
  remainder: [
    ...binary(
      ops.remainder,
      (draw, shape) => draw.uniform(shape, 0.1, 0.4),
      (draw, shape) => draw.uniform(shape, 0.5, 0.9),
    ),
    row("signs", (draw) => [draw.uniform([97], -100, 100), draw.awayFrom0([97])], ops.remainder, { grad: false }),
    ...integerPairs(ops.remainder),
  ],
  floorDivide: [
    ...binary(
      ops.floorDivide,
      (draw, shape) => draw.uniform(shape, 0.1, 0.4),
      (draw, shape) => draw.uniform(shape, 0.5, 0.9),
    ),
    row("signs", (draw) => [draw.uniform([97], -100, 100), draw.awayFrom0([97])], ops.floorDivide, { grad: false }),
    ...integerPairs(ops.floorDivide),
  ],
});
