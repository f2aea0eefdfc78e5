/** Cases of drawing by weight: integers, which must be the same to the last bit. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { apply } from "../../src/ops/op";
import { type Draw, given, type Input, permuted, type Row, row, table } from "./case";

const bits = (draw: Draw, shape: readonly number[]): Input => draw.ints(shape, 0, 2 ** 32, "u32");

const EDGES = [0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x12345678];
const WEIGHTS = [1, 0, 1e-30, 3e38, 0.3, 1.1754944e-38, 2.5, 7];

const key = (drawn: Node, weights: Node): Node => apply(ops.raceKeyOp, [drawn, weights], { least: 0 });

const fixed = (weights: Node, largest: Node, total: Node, room: Node): Node =>
  apply(ops.fixedWeightOp, [weights, largest, total, room], { least: 0 });

const state = (): ops.RandomState => ({
  seedLow: ops.scalar(5, "u32"),
  seedHigh: ops.scalar(6, "u32"),
  offsetLow: ops.scalar(7, "u32"),
  offsetHigh: ops.scalar(0, "u32"),
});

const multinomial = (name: string, draw: (draw: Draw) => Input, count: number, replacement: boolean): Row =>
  row(
    name,
    (from) => [draw(from)],
    (weights) => ops.multinomial(weights, count, replacement, state()),
  );

export const cases = table({
  raceKey: [
    row("random", (draw) => [bits(draw, [5, 33]), draw.uniform([5, 33], 0, 9)], key),
    row("edges", () => [given(EDGES, [8], "u32"), given(WEIGHTS)], key),
    row("edges of one weight", () => [given(EDGES, [8], "u32"), given(WEIGHTS.map(() => 1))], key),
    row("permuted", (draw) => [permuted(bits(draw, [5, 3])), permuted(draw.uniform([5, 3], 0, 1e-3))], key),
    row("scalar", (draw) => [bits(draw, []), draw.uniform([], 0, 1)], key),
    row("empty", (draw) => [bits(draw, [0, 3]), draw.uniform([0, 3], 0, 1)], key),
    multinomial("without replacement", (draw) => draw.uniform([3, 17], 0, 1), 9, false),
    multinomial("zeros are never drawn", () => given([0, 1, 0, 2, 0, 0.5, 0, 0], [2, 4]), 1, false),
  ],
  fixedWeight: [
    row(
      "random",
      (draw) => [
        draw.uniform([4, 21], 0, 5),
        draw.uniform([4, 21], 5, 40),
        draw.ints([4, 21], 1, 2 ** 32, "u32"),
        given(new Array<number>(84).fill(20), [4, 21], "u32"),
      ],
      fixed,
    ),
    row(
      "edges",
      () => [
        given(WEIGHTS),
        given(WEIGHTS.map(() => 3e38)),
        given(
          WEIGHTS.map(() => 0xffffffff),
          [8],
          "u32",
        ),
        given([32, 31, 1, 20, 30, 24, 23, 8], [8], "u32"),
      ],
      fixed,
    ),
    row(
      "empty",
      (draw) => [
        draw.uniform([0], 0, 5),
        draw.uniform([0], 5, 40),
        draw.ints([0], 1, 9, "u32"),
        draw.ints([0], 1, 9, "u32"),
      ],
      fixed,
    ),
    multinomial("with replacement", (draw) => draw.uniform([3, 17], 0, 1), 29, true),
    multinomial("of very different size", () => given([1e-30, 1, 0, 1e-7, 3e20, 0, 2e20, 5], [2, 4]), 50, true),
    multinomial("of one row", (draw) => draw.uniform([5], 0, 1), 7, true),
    multinomial("of many", (draw) => draw.uniform([1, 3001], 0, 1), 40, true),
  ],
});
