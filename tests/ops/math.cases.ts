/** Cases of functions of one number. */

import * as ops from "../../src/ops";
import { given, row, table, DIVISION, POLYNOMIAL } from "./case";
import { EDGES, INT_EDGES, smooth, positive, away, unary, integers, offGrid } from "./pointwiseRows";

export const cases = table({
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
});
