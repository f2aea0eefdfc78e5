/** Cases of functions of one number. */

import * as ops from "../../src/ops";
import { given, row, table } from "./case";
import { away, EDGES, INT_EDGES, integers, offGrid, positive, type Shaped, smooth, unary } from "./pointwiseRows";

const inside: Shaped = (draw, shape) => draw.uniform(shape, -0.9, 0.9);

/** `base` to the powers from one to another. */
const powers = (base: number, from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => base ** (from + i));

export const cases = table({
  neg: [...unary(ops.neg), ...integers(ops.neg)],
  abs: [...unary(ops.abs, away), ...integers(ops.abs)],
  sign: [...unary(ops.sign, away), ...integers(ops.sign)],
  square: [...unary(ops.square), ...integers(ops.square)],
  relu: [...unary(ops.relu, away), row("i32", () => [given(INT_EDGES, undefined, "i32")], ops.relu)],
  reciprocal: unary(ops.reciprocal, away),
  floor: unary(ops.floor, (draw, shape) => offGrid(draw, shape)),
  ceil: unary(ops.ceil, (draw, shape) => offGrid(draw, shape)),
  round: unary(ops.round, (draw, shape) => offGrid(draw, shape)),
  trunc: unary(ops.trunc, (draw, shape) => offGrid(draw, shape)),
  exp: unary(ops.exp),
  expm1: unary(ops.expm1),
  log: unary(ops.log, positive, [...EDGES, 1.0000001, 0.9999999]),
  log1p: unary(ops.log1p, (draw, shape) => draw.uniform(shape, -0.8, 3)),
  exp2: [
    ...unary(ops.exp2, smooth, [...EDGES, 127, 127.5, -120]),
    row("whole", (draw) => [draw.ints([97], -126, 128, "f32")], ops.exp2, { grad: false }),
  ],
  log2: [
    ...unary(ops.log2, positive, [...EDGES, 1.0000001, 0.9999999]),
    row("powers of 2", () => [given(powers(2, -126, 127))], ops.log2, { grad: false }),
  ],
  log10: [
    ...unary(ops.log10, positive, [...EDGES, 1.0000001, 0.9999999]),
    row("powers of 10", () => [given(powers(10, 0, 10))], ops.log10, { grad: false }),
  ],
  sqrt: unary(ops.sqrt, positive),
  rsqrt: unary(ops.rsqrt, positive),
  sin: unary(ops.sin, smooth, [...EDGES, 1e5, -1e10, 1e20, 8192, 8193]),
  cos: unary(ops.cos, smooth, [...EDGES, 1e5, -1e10, 1e20, 8192, 8193]),
  tan: unary(ops.tan, (draw, shape) => draw.uniform(shape, -1.4, 1.4), [...EDGES, 1e5, -1e10, 1e20, 8193]),
  asin: unary(ops.asin, inside),
  acos: unary(ops.acos, inside),
  atan: unary(ops.atan),
  sinh: unary(ops.sinh, smooth, [...EDGES, 89.4, -89.4]),
  cosh: unary(ops.cosh, smooth, [...EDGES, 89.4, -89.4]),
  tanh: unary(ops.tanh),
  asinh: unary(ops.asinh),
  acosh: unary(ops.acosh, (draw, shape) => draw.uniform(shape, 1.2, 4)),
  atanh: unary(ops.atanh, inside),
  sigmoid: unary(ops.sigmoid),
  erf: unary(ops.erf),
  erfc: [...unary(ops.erfc), row("tail", (draw) => [draw.uniform([97], 3, 9)], ops.erfc, { grad: false })],
  erfinv: unary(ops.erfinv, inside),
});
