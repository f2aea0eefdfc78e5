/** Cases of reductions. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { type Draw, type Input, type Row, given, permuted, row, strided, table } from "./case";

type Shaped = (draw: Draw, shape: readonly number[]) => Input;

const uniform: Shaped = (draw, shape) => draw.uniform(shape);
const distinct: Shaped = (draw, shape) => draw.distinct(shape);

/** A reduction over every kind of dims. */
const reductions = (
  op: (x: Node, dims?: number | readonly number[], keepDim?: boolean) => Node,
  values: Shaped = uniform,
): Row[] => [
  row(
    "all",
    (draw) => [values(draw, [3, 7])],
    (x) => op(x),
  ),
  row(
    "rows",
    (draw) => [values(draw, [3, 7])],
    (x) => op(x, 1),
  ),
  row(
    "columns",
    (draw) => [values(draw, [5, 3])],
    (x) => op(x, 0),
  ),
  row(
    "middle",
    (draw) => [values(draw, [2, 5, 3])],
    (x) => op(x, 1, true),
  ),
  row(
    "outer and inner",
    (draw) => [values(draw, [3, 2, 5])],
    (x) => op(x, [0, 2]),
  ),
  row(
    "batch and plane",
    (draw) => [values(draw, [2, 3, 2, 3])],
    (x) => op(x, [0, 2, 3]),
  ),
  row(
    "scalar",
    (draw) => [draw.uniform([])],
    (x) => op(x),
  ),
  row(
    "one",
    (draw) => [draw.uniform([1, 1])],
    (x) => op(x, 0),
  ),
  row(
    "no outputs",
    (draw) => [draw.uniform([0, 3])],
    (x) => op(x, 1),
  ),
  row(
    "permuted",
    (draw) => [permuted(values(draw, [5, 3]))],
    (x) => op(x, 1),
  ),
  row(
    "strided",
    (draw) => [strided(values(draw, [3, 11]))],
    (x) => op(x, 0),
  ),
  row(
    "NaN",
    () => [given([1, NaN, 3, 4, 5, Infinity, -Infinity, 8, 9], [3, 3])],
    (x) => op(x, 1),
    { grad: false },
  ),
  row(
    "i32",
    (draw) => [draw.ints([3, 7], -9, 9)],
    (x) => op(x, 1),
  ),
  row(
    "u32",
    (draw) => [draw.ints([7, 3], 0, 9, "u32")],
    (x) => op(x, 0),
  ),
];

/** Long rows and columns, for kernels that split them. */
const long = (op: (x: Node, dims: number) => Node): Row[] => [
  row(
    "long row",
    (draw) => [draw.uniform([2, 4099])],
    (x) => op(x, 1),
    { grad: false },
  ),
  row(
    "long column",
    (draw) => [draw.uniform([4099, 3])],
    (x) => op(x, 0),
    { grad: false },
  ),
];

export const cases = table({
  sum: [
    ...reductions(ops.sum),
    ...long(ops.sum),
    row(
      "of nothing",
      (draw) => [draw.uniform([2, 0])],
      (x) => ops.sum(x, 1),
    ),
    row(
      "bool",
      (draw) => [draw.bools([3, 7])],
      (x) => ops.sum(x, 1),
    ),
  ],
  prod: [
    ...reductions(ops.prod),
    row(
      "zeros",
      () => [given([0, 2, 3, 1, 2, 3, 0, 0, 5], [3, 3])],
      (x) => ops.prod(x, 1),
    ),
    row(
      "of nothing",
      (draw) => [draw.uniform([2, 0])],
      (x) => ops.prod(x, 1),
    ),
  ],
  amax: [
    ...reductions(ops.amax, distinct),
    ...long(ops.amax),
    row(
      "ties",
      () => [given([1, 3, 3, 0], [2, 2])],
      (x) => ops.amax(x),
      { grad: false },
    ),
  ],
  amin: [
    ...reductions(ops.amin, distinct),
    ...long(ops.amin),
    row(
      "ties",
      () => [given([1, 0, 3, 0], [2, 2])],
      (x) => ops.amin(x),
      { grad: false },
    ),
  ],
});
