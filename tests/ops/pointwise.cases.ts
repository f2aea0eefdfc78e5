/** Cases of pointwise ops: odd sizes, size 0 and 1, views, and values at the edges of f32 and of the integers. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import {
  type Draw,
  given,
  type Input,
  permuted,
  repeated,
  type Row,
  row,
  strided,
  table,
  type Tolerance,
} from "./case";

const DIVISION: Tolerance = { abs: 1e-6, rel: 1e-6, because: "WGSL divides within 2.5 ULP" };
const POLYNOMIAL: Tolerance = { abs: 1e-7, rel: 1e-6, because: "polynomials of 2 ULP, on top of a rounded argument" };
const POWER: Tolerance = { abs: 1e-6, rel: 1e-5, because: "an error of log(a) is multiplied by b" };

/** What a float op may meet. Subnormals are left out: GPUs flush them. */
const EDGES = [
  NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.99999994, 1e-7, -1e-7, 20.5, 87, -80, 110, -110,
  3e38, -3e38, 2e-38,
]; // prettier-ignore
const PAIR_EDGES = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 2, -2.5, 1e20];
const INT_EDGES = [0, 1, -1, 2, 7, -7, 100, -3, 2147483647, -2147483648];
const UINT_EDGES = [0, 1, 2, 7, 31, 32, 255, 2147483647, 2147483648, 4294967295];

type Unary = (x: Node) => Node;
type Binary = (a: Node, b: Node) => Node;
type Shaped = (draw: Draw, shape: readonly number[]) => Input;

/** All pairs of some values, as two inputs. */
const allPairs = (values: readonly number[], dtype: "f32" | "i32" | "u32" | "bool" = "f32"): Input[] => [
  given(
    values.flatMap((a) => values.map(() => a)),
    undefined,
    dtype,
  ),
  given(
    values.flatMap(() => [...values]),
    undefined,
    dtype,
  ),
];

const smooth: Shaped = (draw, shape) => draw.uniform(shape);
const positive: Shaped = (draw, shape) => draw.uniform(shape, 0.2, 3);
const away: Shaped = (draw, shape) => draw.awayFrom0(shape);

const unaryShapes = (op: Unary, values: Shaped, tolerance: Tolerance): Row[] => [
  row("odd", (draw) => [values(draw, [3, 7])], op, { tolerance }),
  row("one", (draw) => [values(draw, [1])], op, { tolerance }),
  row("scalar", (draw) => [values(draw, [])], op, { tolerance }),
  row("empty", (draw) => [values(draw, [0, 3])], op, { tolerance }),
  row("permuted", (draw) => [permuted(values(draw, [2, 3, 5]))], op, { tolerance }),
  row("strided", (draw) => [strided(values(draw, [3, 9]))], op, { tolerance }),
  row("many", (draw) => [values(draw, [1027])], op, { tolerance, grad: false }),
];

/** A float function, at the edges too. */
const unary = (
  op: Unary,
  values: Shaped = smooth,
  tolerance: Tolerance = POLYNOMIAL,
  edges: readonly number[] = EDGES,
): Row[] => [...unaryShapes(op, values, tolerance), row("edges", () => [given(edges)], op, { grad: false, tolerance })];

const integers = (op: Unary): Row[] => [
  row("i32", () => [given(INT_EDGES, undefined, "i32")], op),
  row("u32", () => [given(UINT_EDGES, undefined, "u32")], op),
];

const binaryShapes = (op: Binary, left: Shaped, right: Shaped, tolerance: Tolerance): Row[] => [
  row("odd", (draw) => [left(draw, [3, 7]), right(draw, [3, 7])], op, { tolerance }),
  row("one", (draw) => [left(draw, [1]), right(draw, [1])], op, { tolerance }),
  row("scalar", (draw) => [left(draw, []), right(draw, [])], op, { tolerance }),
  row("empty", (draw) => [left(draw, [2, 0]), right(draw, [2, 0])], op, { tolerance }),
  row("broadcast", (draw) => [left(draw, [2, 1, 3]), right(draw, [4, 1])], op, { tolerance }),
  row("scalar and row", (draw) => [left(draw, []), right(draw, [5])], op, { tolerance }),
  row("permuted", (draw) => [permuted(left(draw, [5, 3])), strided(right(draw, [3, 9]))], op, { tolerance }),
  row("repeated", (draw) => [repeated(left(draw, [5]), 3), right(draw, [3, 5])], op, { tolerance }),
];

const binary = (op: Binary, left: Shaped = smooth, right: Shaped = left, tolerance?: Tolerance): Row[] => [
  ...binaryShapes(op, left, right, tolerance ?? { abs: 1e-6, rel: 1e-6, because: "rounded once" }),
  row("edges", () => allPairs(PAIR_EDGES), op, { grad: false, tolerance }),
];

const integerPairs = (op: Binary): Row[] => [
  row("i32", () => allPairs(INT_EDGES, "i32"), op),
  row("u32", () => allPairs(UINT_EDGES, "u32"), op),
];

const logicalPairs = (op: Binary): Row[] => [
  row("bool", () => allPairs([0, 1], "bool"), op),
  row("f32", () => allPairs(PAIR_EDGES), op, { grad: false }),
  row("permuted", (draw) => [permuted(draw.bools([5, 3])), draw.bools([3, 5])], op),
  row("empty", (draw) => [draw.bools([0]), draw.bools([1])], op),
];

/** Both comparisons and their edges; small integers, so that there are ties. */
const comparison = (op: Binary): Row[] => [
  row("ties", (draw) => [draw.ints([3, 7], -2, 3, "f32"), draw.ints([7], -2, 3, "f32")], op),
  row("empty", (draw) => [draw.uniform([0]), draw.uniform([0])], op),
  row("strided", (draw) => [strided(draw.ints([2, 9], 0, 2)), permuted(draw.ints([5, 2], 0, 2))], op),
  row("edges", () => allPairs(PAIR_EDGES), op),
  ...integerPairs(op),
];

/** Distinct values, so that no operand is near the other. */
const apart: Shaped = (draw, shape) => draw.distinct(shape);
const shifted: Shaped = (draw, shape) => {
  const { host } = draw.distinct(shape);
  return { host: { ...host, data: host.data.map((value: number) => value + 0.1) } };
};

export const pointwiseCases = table({
  neg: [...unary(ops.neg), ...integers(ops.neg)],
  abs: [...unary(ops.abs, away), ...integers(ops.abs)],
  sign: [...unary(ops.sign, away), ...integers(ops.sign)],
  square: [...unary(ops.square), ...integers(ops.square)],
  relu: [...unary(ops.relu, away), row("i32", () => [given(INT_EDGES, undefined, "i32")], ops.relu)],
  reciprocal: unary(ops.reciprocal, away, DIVISION),
  floor: unary(ops.floor, (draw, shape) => offGrid(draw, shape)),
  ceil: unary(ops.ceil, (draw, shape) => offGrid(draw, shape)),
  round: unary(ops.round, (draw, shape) => offGrid(draw, shape)),
  trunc: unary(ops.trunc, (draw, shape) => offGrid(draw, shape)),

  exp: unary(ops.exp),
  expm1: unary(ops.expm1),
  log: unary(ops.log, positive, POLYNOMIAL, [...EDGES, 1.0000001, 0.9999999]),
  log1p: unary(ops.log1p, (draw, shape) => draw.uniform(shape, -0.8, 3)),
  sqrt: unary(ops.sqrt, positive),
  rsqrt: unary(ops.rsqrt, positive),
  sin: unary(ops.sin, smooth, POLYNOMIAL, [...EDGES, 1e5, -1e10, 1e20, 8192, 8193]),
  cos: unary(ops.cos, smooth, POLYNOMIAL, [...EDGES, 1e5, -1e10, 1e20, 8192, 8193]),
  tanh: unary(ops.tanh),
  sigmoid: unary(ops.sigmoid),
  erf: unary(ops.erf),

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
  where: [
    row("odd", (draw) => [draw.bools([3, 7]), draw.uniform([3, 7]), draw.uniform([3, 7])], ops.where),
    row("broadcast", (draw) => [draw.bools([3, 1]), draw.uniform([5]), draw.uniform([2, 1, 1])], ops.where),
    row("one", (draw) => [draw.bools([1]), draw.uniform([1]), draw.uniform([1])], ops.where),
    row("empty", (draw) => [draw.bools([0]), draw.uniform([0]), draw.uniform([1])], ops.where),
    row(
      "permuted",
      (draw) => [permuted(draw.bools([5, 3])), strided(draw.uniform([3, 10])), draw.uniform([3, 5])],
      ops.where,
    ),
    row("i32", (draw) => [draw.bools([9]), draw.ints([9], -9, 9), draw.ints([9], -9, 9)], ops.where),
    row("bool", (draw) => [draw.bools([9]), draw.bools([9]), draw.bools([9])], ops.where),
    row("unchosen NaN", () => [given([1, 0], undefined, "bool"), given([1, NaN]), given([Infinity, 2])], ops.where, {
      grad: false,
    }),
    row(
      "clamp",
      (draw) => [draw.uniform([33])],
      (x) => ops.clamp(x, -1, 0.5),
    ),
    row(
      "clamp at edges",
      () => [given(EDGES)],
      (x) => ops.clamp(x, -1, 1),
      { grad: false },
    ),
  ],

  eq: comparison(ops.eq),
  ne: comparison(ops.ne),
  lt: comparison(ops.lt),
  le: comparison(ops.le),
  gt: comparison(ops.gt),
  ge: comparison(ops.ge),
  logicalAnd: logicalPairs(ops.logicalAnd),
  logicalOr: logicalPairs(ops.logicalOr),
  logicalXor: logicalPairs(ops.logicalXor),
  logicalNot: [
    row("bool", (draw) => [permuted(draw.bools([3, 5]))], ops.logicalNot),
    row("edges", () => [given(EDGES)], ops.logicalNot),
    row("empty", (draw) => [draw.bools([0])], ops.logicalNot),
  ],
  bitwiseAnd: [...integerPairs(ops.bitwiseAnd), row("bool", () => allPairs([0, 1], "bool"), ops.bitwiseAnd)],
  bitwiseOr: [...integerPairs(ops.bitwiseOr), row("bool", () => allPairs([0, 1], "bool"), ops.bitwiseOr)],
  bitwiseXor: [...integerPairs(ops.bitwiseXor), row("bool", () => allPairs([0, 1], "bool"), ops.bitwiseXor)],
  bitwiseNot: [...integers(ops.bitwiseNot), row("empty", (draw) => [draw.ints([0], 0, 1)], ops.bitwiseNot)],
  bitwiseLeftShift: integerPairs(ops.bitwiseLeftShift),
  bitwiseRightShift: integerPairs(ops.bitwiseRightShift),
  mulHigh: [
    row("u32", () => allPairs(UINT_EDGES, "u32"), ops.mulHigh),
    row("random", (draw) => [draw.ints([2, 41], 0, 2 ** 32, "u32"), draw.ints([41], 0, 2 ** 32, "u32")], ops.mulHigh),
    row("empty", (draw) => [draw.ints([0], 0, 1, "u32"), draw.ints([1], 0, 1, "u32")], ops.mulHigh),
  ],
  isnan: [
    row("edges", () => [given(EDGES)], ops.isnan),
    row("permuted", (draw) => [permuted(draw.uniform([3, 2]))], ops.isnan),
  ],
  isinf: [row("edges", () => [given(EDGES)], ops.isinf), row("empty", (draw) => [draw.uniform([0])], ops.isinf)],
  isfinite: [row("edges", () => [given(EDGES)], ops.isfinite), row("one", () => [given([NaN])], ops.isfinite)],

  cast: [
    row(
      "f32 to i32",
      () => [given([...EDGES, 2147483520, -2147483648, 3e9, -3e9, 1.99, -1.99])],
      (x) => ops.cast(x, "i32"),
    ),
    row(
      "f32 to u32",
      () => [given([...EDGES, 4294967040, 5e9, -3, 1.99])],
      (x) => ops.cast(x, "u32"),
    ),
    row(
      "f32 to u8",
      () => [given([...EDGES, 254.9, 255, 256, -3])],
      (x) => ops.cast(x, "u8"),
    ),
    row(
      "f32 to bool",
      () => [given(EDGES)],
      (x) => ops.cast(x, "bool"),
    ),
    row(
      "i32 to f32",
      () => [given(INT_EDGES, undefined, "i32")],
      (x) => ops.cast(x, "f32"),
    ),
    row(
      "i32 to u32",
      () => [given(INT_EDGES, undefined, "i32")],
      (x) => ops.cast(x, "u32"),
    ),
    row(
      "i32 to u8",
      () => [given(INT_EDGES, undefined, "i32")],
      (x) => ops.cast(x, "u8"),
    ),
    row(
      "i32 to bool",
      () => [given(INT_EDGES, undefined, "i32")],
      (x) => ops.cast(x, "bool"),
    ),
    row(
      "u32 to f32",
      () => [given(UINT_EDGES, undefined, "u32")],
      (x) => ops.cast(x, "f32"),
    ),
    row(
      "u32 to i32",
      () => [given(UINT_EDGES, undefined, "u32")],
      (x) => ops.cast(x, "i32"),
    ),
    row(
      "u8 to f32",
      () => [given([0, 1, 127, 255, 3], undefined, "u8")],
      (x) => ops.cast(x, "f32"),
    ),
    row(
      "u8 to i32",
      () => [strided(given([0, 1, 127, 255, 3], undefined, "u8"))],
      (x) => ops.cast(x, "i32"),
    ),
    row(
      "bool to f32",
      () => [given([0, 1, 1], undefined, "bool")],
      (x) => ops.cast(x, "f32"),
    ),
    row(
      "bool to i32",
      () => [given([0, 1, 1], undefined, "bool")],
      (x) => ops.cast(x, "i32"),
    ),
    row(
      "empty",
      () => [given([], undefined, "i32")],
      (x) => ops.cast(x, "f32"),
    ),
  ],
});

/** Floats at least 0.2 away from where rounding jumps: whole numbers and halves. */
function offGrid(draw: Draw, shape: readonly number[]): Input {
  const { host } = draw.ints(shape, -6, 6, "f32");
  return { host: { ...host, data: (host.data as Float32Array).map((value) => value / 2 + 0.23) } };
}
