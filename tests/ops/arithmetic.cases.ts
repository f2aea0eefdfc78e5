/** Cases of arithmetic on two numbers. */

import * as ops from "../../src/ops";
import { row, table } from "./case";
import {
  allPairs,
  apart,
  away,
  binary,
  INT_EDGES,
  integerPairs,
  positive,
  quotients,
  shifted,
  smooth,
} from "./pointwiseRows";

export const cases = table({
  add: [
    ...binary(ops.add),
    ...integerPairs(ops.add),
    row(
      "alpha",
      (draw) => [draw.uniform([3, 5]), draw.uniform([5])],
      (a, b) => ops.addScaled(a, b, -1.5),
    ),
    row(
      "addcmul",
      (draw) => [draw.uniform([3, 5]), draw.uniform([5]), draw.uniform([3, 1])],
      (x, a, b) => ops.addcmul(x, a, b, 0.5),
    ),
    row(
      "addcdiv",
      (draw) => [draw.uniform([3, 5]), draw.uniform([5]), draw.awayFrom0([3, 1])],
      (x, a, b) => ops.addcdiv(x, a, b, 0.5),
    ),
    row(
      "infinite number",
      (draw) => [draw.uniform([5])],
      (x) => ops.add(x, Infinity),
      { grad: false },
    ),
    row(
      "NaN as a number",
      (draw) => [draw.uniform([5])],
      (x) => ops.add(x, NaN),
      { grad: false },
    ),
    row(
      "number beyond f32",
      (draw) => [draw.uniform([5])],
      (x) => ops.add(x, -1e39),
      { grad: false },
    ),
  ],
  sub: [
    ...binary(ops.sub),
    ...integerPairs(ops.sub),
    row(
      "alpha",
      () => allPairs(INT_EDGES, "i32"),
      (a, b) => ops.subScaled(a, b, 3),
    ),
  ],
  mul: [
    ...binary(ops.mul),
    ...integerPairs(ops.mul),
    row(
      "negative zero as a number",
      (draw) => [draw.uniform([5])],
      (x) => ops.reciprocal(ops.mul(x, -0)),
      { grad: false },
    ),
  ],
  div: [...binary(ops.div, smooth, away), row("i32", () => allPairs([0, 1, -7, 100], "i32"), ops.div)],
  maximum: [...binary(ops.maximum, apart, shifted), ...integerPairs(ops.maximum)],
  minimum: [...binary(ops.minimum, apart, shifted), ...integerPairs(ops.minimum)],
  pow: [
    ...binary(ops.pow, positive, smooth),
    row(
      "negative bases",
      (draw) => [draw.uniform([3, 5], -2, -0.5)],
      (a) => ops.pow(a, 3),
    ),
    row(
      "number base",
      (draw) => [draw.uniform([5])],
      (b) => ops.pow(2, b),
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
    ...quotients(ops.remainder),
  ],
  floorDivide: [
    ...binary(
      ops.floorDivide,
      (draw, shape) => draw.uniform(shape, 0.1, 0.4),
      (draw, shape) => draw.uniform(shape, 0.5, 0.9),
    ),
    row("signs", (draw) => [draw.uniform([97], -100, 100), draw.awayFrom0([97])], ops.floorDivide, { grad: false }),
    ...quotients(ops.floorDivide),
  ],
  fmod: [
    ...binary(
      ops.fmod,
      (draw, shape) => draw.uniform(shape, 0.1, 0.4),
      (draw, shape) => draw.uniform(shape, 0.5, 0.9),
    ),
    row("signs", (draw) => [draw.uniform([97], -100, 100), draw.awayFrom0([97])], ops.fmod, { grad: false }),
    ...quotients(ops.fmod),
  ],
  truncDivide: [
    ...binary(
      ops.truncDivide,
      (draw, shape) => draw.uniform(shape, 0.1, 0.4),
      (draw, shape) => draw.uniform(shape, 0.5, 0.9),
    ),
    row("signs", (draw) => [draw.uniform([97], -100, 100), draw.awayFrom0([97])], ops.truncDivide, { grad: false }),
    row(
      "whole quotients",
      (draw) => [draw.ints([97], -3000, 3000, "f32"), draw.ints([97], 1, 50, "f32")],
      ops.truncDivide,
      { grad: false },
    ),
    ...quotients(ops.truncDivide),
  ],
  copysign: binary(ops.copysign, away, smooth),
  atan2: binary(ops.atan2, away, away),
  hypot: [
    ...binary(ops.hypot, away, away),
    row("far from 1", () => allPairs([1e-30, 3e30, 1e38, -2e-38, 1e-14, 1e18]), ops.hypot, {
      grad: false,
    }),
  ],
});
