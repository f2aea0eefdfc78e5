/** Cases of scans: running sums, products, extremes. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { apply } from "../../src/ops/op";
import { type Draw, given, type Input, permuted, type Row, row, strided, table } from "./case";

const SPECIAL = [1, NaN, 3, Infinity, -Infinity, 6, -0, 0, -Infinity, -Infinity, 2, Infinity];

type Scan = (x: Node, dim: number) => Node;

/** A scan along every kind of dimension, in one chunk and in several. */
const scans = (scan: Scan, draw: (draw: Draw, shape: readonly number[]) => Input): Row[] => {
  const along = (name: string, shape: readonly number[], dim: number, view = (input: Input) => input): Row =>
    row(
      name,
      (from) => [view(draw(from, shape))],
      (x) => scan(x, dim),
      { grad: shape.every((size) => size < 50) },
    );
  return [
    along("rows", [3, 7], 1),
    along("columns", [5, 3], 0),
    along("middle", [2, 5, 3], 1),
    along("scalar", [], 0),
    along("one", [1, 1], 0),
    along("empty", [2, 0], 1),
    along("no lines", [0, 3], 1),
    along("permuted", [5, 3], 1, permuted),
    along("strided", [3, 11], 1, strided),
    along("chunks", [2, 263], 1),
    along("chunks of columns", [149, 3], 0),
    row(
      "NaN",
      () => [given(SPECIAL, [3, 4])],
      (x) => scan(x, 1),
      { grad: false },
    ),
  ];
};

const integers = (scan: Scan): Row[] => [
  row(
    "i32",
    (draw) => [draw.ints([3, 7], -9, 9)],
    (x) => scan(x, 1),
  ),
  row(
    "u32 in chunks",
    (draw) => [draw.ints([201, 2], 0, 9, "u32")],
    (x) => scan(x, 0),
  ),
];

const uniform = (draw: Draw, shape: readonly number[]): Input => draw.uniform(shape);
const nearOne = (draw: Draw, shape: readonly number[]): Input => draw.awayFrom0(shape, 0.7, 1.3);
const tied = (draw: Draw, shape: readonly number[]): Input => draw.ints(shape, -5, 5, "f32");

const reversed: Scan = (x, dim) => apply(ops.cumsumOp, [x], { dim, reversed: true });

export const cases = table({
  cumsum: [
    ...scans(ops.cumsum, uniform),
    ...integers(ops.cumsum),
    row(
      "bool",
      (draw) => [draw.bools([3, 7])],
      (x) => ops.cumsum(x, 1),
    ),
    row(
      "reversed",
      (draw) => [draw.uniform([3, 7])],
      (x) => reversed(x, 1),
    ),
    row(
      "reversed in chunks",
      (draw) => [draw.uniform([263, 2])],
      (x) => reversed(x, 0),
      { grad: false },
    ),
    row(
      "and what follows",
      (draw) => [draw.uniform([3, 7]), draw.uniform([7])],
      (x, y) => ops.mul(ops.exp(ops.cumsum(x, 0)), y),
    ),
  ],
  cumprod: [
    ...scans(ops.cumprod, nearOne),
    ...integers(ops.cumprod),
    row(
      "zeros",
      () => [given([0, 2, 3, 1, 2, 3, 0, 0, 5, 4, 0, 2], [3, 4])],
      (x) => ops.cumprod(x, 1),
    ),
  ],
  linearScan: [
    ...([false, true] as const).map((isReversed) =>
      row(
        isReversed ? "reversed" : "rows",
        (draw) => [draw.uniform([3, 5]), draw.uniform([3, 5])],
        (factor, term) => ops.linearScan(factor, term, { dim: 1, reversed: isReversed }),
      ),
    ),
    row(
      "zeros",
      (draw) => [given([0, 2, 0, 0, 1, 3], [2, 3]), draw.uniform([2, 3])],
      (factor, term) => ops.linearScan(factor, term, { dim: 0, reversed: false }),
    ),
    row(
      "chunks",
      (draw) => [draw.uniform([2, 263], -1, 1), draw.uniform([2, 263])],
      (factor, term) => ops.linearScan(factor, term, { dim: 1, reversed: false }),
      { grad: false },
    ),
    row(
      "reversed in chunks",
      (draw) => [draw.uniform([149, 3], -1, 1), draw.uniform([149, 3])],
      (factor, term) => ops.linearScan(factor, term, { dim: 0, reversed: true }),
      { grad: false },
    ),
    row(
      "empty",
      (draw) => [draw.uniform([2, 0]), draw.uniform([2, 0])],
      (factor, term) => ops.linearScan(factor, term, { dim: 1, reversed: false }),
    ),
  ],
  logcumsumexp: [
    ...scans(ops.logcumsumexp, uniform),
    row(
      "large",
      () => [given([-1000, 1000, 88, 1000, -Infinity, -Infinity, -200, 5], [2, 4])],
      (x) => ops.logcumsumexp(x, 1),
      { grad: false },
    ),
  ],
  cummaxIndices: [
    ...scans((x, dim) => ops.cummax(x, dim).indices, tied),
    ...integers((x, dim) => ops.cummax(x, dim).indices),
    row(
      "values",
      (draw) => [draw.distinct([3, 7])],
      (x) => ops.cummax(x, 1).values,
    ),
  ],
  cumminIndices: [
    ...scans((x, dim) => ops.cummin(x, dim).indices, tied),
    ...integers((x, dim) => ops.cummin(x, dim).indices),
    row(
      "values",
      (draw) => [draw.distinct([3, 7])],
      (x) => ops.cummin(x, 0).values,
    ),
  ],
});
