/** Cases of reductions, generators and the places of maxima. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { apply } from "../../src/ops/op";
import { type Draw, given, type Input, permuted, type Row, row, strided, table, type Tolerance } from "./case";

const SUM: Tolerance = { abs: 1e-5, rel: 1e-5, because: "a GPU adds in f32 and in another order" };

type Shaped = (draw: Draw, shape: readonly number[]) => Input;

const uniform: Shaped = (draw, shape) => draw.uniform(shape);
const distinct: Shaped = (draw, shape) => draw.distinct(shape);

/** A reduction over every kind of dims. */
const reductions = (
  op: (x: Node, dims?: number | readonly number[], keepDim?: boolean) => Node,
  values: Shaped = uniform,
  tolerance = SUM,
): Row[] => [
  row(
    "all",
    (draw) => [values(draw, [3, 7])],
    (x) => op(x),
    { tolerance },
  ),
  row(
    "rows",
    (draw) => [values(draw, [3, 7])],
    (x) => op(x, 1),
    { tolerance },
  ),
  row(
    "columns",
    (draw) => [values(draw, [5, 3])],
    (x) => op(x, 0),
    { tolerance },
  ),
  row(
    "middle",
    (draw) => [values(draw, [2, 5, 3])],
    (x) => op(x, 1, true),
    { tolerance },
  ),
  row(
    "outer and inner",
    (draw) => [values(draw, [3, 2, 5])],
    (x) => op(x, [0, 2]),
    { tolerance },
  ),
  row(
    "batch and plane",
    (draw) => [values(draw, [2, 3, 2, 3])],
    (x) => op(x, [0, 2, 3]),
    { tolerance },
  ),
  row(
    "scalar",
    (draw) => [draw.uniform([])],
    (x) => op(x),
    { tolerance },
  ),
  row(
    "one",
    (draw) => [draw.uniform([1, 1])],
    (x) => op(x, 0),
    { tolerance },
  ),
  row(
    "no outputs",
    (draw) => [draw.uniform([0, 3])],
    (x) => op(x, 1),
    { tolerance },
  ),
  row(
    "permuted",
    (draw) => [permuted(values(draw, [5, 3]))],
    (x) => op(x, 1),
    { tolerance },
  ),
  row(
    "strided",
    (draw) => [strided(values(draw, [3, 11]))],
    (x) => op(x, 0),
    { tolerance },
  ),
  row(
    "NaN",
    () => [given([1, NaN, 3, 4, 5, Infinity, -Infinity, 8, 9], [3, 3])],
    (x) => op(x, 1),
    { grad: false, tolerance },
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
const long = (op: (x: Node, dims: number) => Node, tolerance = SUM): Row[] => [
  row(
    "long row",
    (draw) => [draw.uniform([2, 4099])],
    (x) => op(x, 1),
    { grad: false, tolerance },
  ),
  row(
    "long column",
    (draw) => [draw.uniform([4099, 3])],
    (x) => op(x, 0),
    { grad: false, tolerance },
  ),
];

const SEED = [12345, 67890] as const;

/** Random bits from a given state; the offset is about to overflow its low word. */
const bits = (shape: readonly number[], offset: readonly [number, number] = [3, 0]): Row =>
  row(
    `bits ${shape.join("x") || "scalar"} from ${offset.join(" ")}`,
    () => [],
    () =>
      ops.randomBits(shape, {
        seedLow: ops.scalar(SEED[0], "u32"),
        seedHigh: ops.scalar(SEED[1], "u32"),
        offsetLow: ops.scalar(offset[0], "u32"),
        offsetHigh: ops.scalar(offset[1], "u32"),
      }),
  );

function bitsOf(shape: readonly number[]): Node {
  const state = { seedLow: 1, seedHigh: 2, offsetLow: 3, offsetHigh: 4 };
  const [seedLow, seedHigh, offsetLow, offsetHigh] = Object.values(state).map((value) => ops.scalar(value, "u32"));
  return ops.randomBits(shape, {
    seedLow: seedLow!,
    seedHigh: seedHigh!,
    offsetLow: offsetLow!,
    offsetHigh: offsetHigh!,
  });
}

export const reduceCases = table({
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
  arange: [
    row(
      "odd",
      () => [],
      () => ops.iota(7),
    ),
    row(
      "f32",
      () => [],
      () => ops.arange(0.5, 9, 0.75),
    ),
    row(
      "down",
      () => [],
      () => ops.arange(9, -3, -2),
    ),
    row(
      "empty",
      () => [],
      () => ops.arange(3, 3),
    ),
    row(
      "transposed",
      () => [],
      () => ops.transpose(ops.reshape(ops.iota(15), [3, 5]), 0, 1),
    ),
  ],
  randomBits: [
    bits([7]),
    bits([3, 5]),
    bits([]),
    bits([0]),
    bits([1]),
    bits([130], [4294967290, 6]),
    row(
      "strided",
      () => [],
      () => ops.slice(bitsOf([33]), [1], [null], [3]),
    ),
    row(
      "uniform",
      () => [],
      () => ops.bitsToUniform(bitsOf([65])),
    ),
  ],
  maxPool2dIndices: [
    row(
      "3x3",
      (draw) => [draw.distinct([2, 2, 5, 7])],
      (x) => apply(ops.maxPool2dIndicesOp, [x], { kernelSize: [3, 3], stride: [2, 2], padding: [1, 1] }),
    ),
    row(
      "2x3",
      (draw) => [permuted(draw.distinct([7, 5, 2, 1]))],
      (x) => apply(ops.maxPool2dIndicesOp, [x], { kernelSize: [2, 3], stride: [1, 2], padding: [0, 0] }),
    ),
    row(
      "NaN and -inf",
      () => [given([NaN, 1, 2, NaN, -Infinity, -Infinity, -Infinity, -Infinity], [1, 2, 2, 2])],
      (x) => apply(ops.maxPool2dIndicesOp, [x], { kernelSize: [2, 2], stride: [2, 2], padding: [0, 0] }),
    ),
  ],
});
