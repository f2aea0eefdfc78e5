/** Cases of comparisons, and of logical and bitwise ops. */

import * as ops from "../../src/ops";
import { given, permuted, row, table } from "./case";
import { EDGES, UINT_EDGES, allPairs, integers, integerPairs, logicalPairs, comparison } from "./pointwiseRows";

export const cases = table({
  eq: comparison(ops.eq),
  ne: comparison(ops.ne),
  lt: [...comparison(ops.lt), row("bool", () => allPairs([0, 1], "bool"), ops.lt)],
  le: comparison(ops.le),
  gt: comparison(ops.gt),
  ge: [...comparison(ops.ge), row("bool", () => allPairs([0, 1], "bool"), ops.ge)],
  logicalAnd: [
    ...logicalPairs(ops.logicalAnd),
    row("product of bools", () => allPairs([0, 1], "bool"), ops.mul),
    row("minimum of bools", () => allPairs([0, 1], "bool"), ops.minimum),
  ],
  logicalOr: [
    ...logicalPairs(ops.logicalOr),
    row("sum of bools", () => allPairs([0, 1], "bool"), ops.add),
    row("maximum of bools", () => allPairs([0, 1], "bool"), ops.maximum),
  ],
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
  signbit: [
    row("edges", () => [given(EDGES)], ops.signbit),
    row("permuted", (draw) => [permuted(draw.uniform([3, 2]))], ops.signbit),
    row("empty", (draw) => [draw.uniform([0])], ops.signbit),
  ],
  isnan: [
    row("edges", () => [given(EDGES)], ops.isnan),
    row("permuted", (draw) => [permuted(draw.uniform([3, 2]))], ops.isnan),
  ],
  isinf: [row("edges", () => [given(EDGES)], ops.isinf), row("empty", (draw) => [draw.uniform([0])], ops.isinf)],
  isfinite: [row("edges", () => [given(EDGES)], ops.isfinite), row("one", () => [given([NaN])], ops.isfinite)],
});
