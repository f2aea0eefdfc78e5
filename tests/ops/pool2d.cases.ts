/** Cases of pooling. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { apply } from "../../src/ops/op";
import { type Row, given, permuted, row, table } from "./case";

const pool = (kernelSize: number | ops.Pair, options: ops.Pool2dOptions = {}) => ({
  forward: (x: Node): Node => ops.maxPool2d(x, kernelSize, options),
  backward: (gradOut: Node, x: Node): Node => {
    const pair = (value: number | ops.Pair): ops.Pair => (typeof value === "number" ? [value, value] : value);
    const { stride = kernelSize, padding = 0 } = options;
    return apply(ops.maxPool2dGradOp, [gradOut, x], {
      kernelSize: pair(kernelSize),
      stride: pair(stride),
      padding: pair(padding),
    });
  },
});

interface Pool {
  readonly x: readonly number[];
  readonly out: readonly number[];
  readonly pool: ReturnType<typeof pool>;
}

const POOLS: Readonly<Record<string, Pool>> = {
  "2x2": { x: [2, 2, 4, 6], out: [2, 2, 2, 3], pool: pool(2) },
  "3x3 stride 2": { x: [1, 2, 5, 7], out: [1, 2, 3, 4], pool: pool(3, { stride: 2, padding: 1 }) },
  overlapping: { x: [1, 1, 5, 4], out: [1, 1, 3, 2], pool: pool(3, { stride: 1 }) },
  unequal: { x: [1, 2, 6, 7], out: [1, 2, 5, 3], pool: pool([2, 3], { stride: [1, 2], padding: [0, 0] }) },
  one: { x: [1, 1, 1, 1], out: [1, 1, 1, 1], pool: pool(1) },
  "no images": { x: [0, 1, 2, 2], out: [0, 1, 1, 1], pool: pool(2) },
};

const poolRows = (forwardPass: boolean): Row[] =>
  Object.entries(POOLS).map(([name, { x, out, pool: ofPool }]) =>
    forwardPass
      ? row(name, (draw) => [draw.distinct(x)], ofPool.forward)
      : row(name, (draw) => [draw.uniform(out), draw.distinct(x)], ofPool.backward),
  );

export const cases = table({
  maxPool2d: [
    ...poolRows(true),
    row(
      "permuted",
      (draw) => [permuted(draw.distinct([6, 4, 2, 1]))],
      (x) => ops.maxPool2d(x, 2),
    ),
    row(
      "all negative, padded",
      (draw) => [draw.uniform([1, 1, 3, 3], -3, -1)],
      (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1 }),
    ),
    row(
      "NaN and -inf",
      () => [given([NaN, 1, 2, 3, -Infinity, -Infinity, -Infinity, -Infinity], [1, 2, 2, 2])],
      (x) => ops.maxPool2d(x, 2),
      { grad: false },
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
  maxPool2dGrad: [
    ...poolRows(false),
    row("ties", () => [given([1, 2], [1, 2, 1, 1]), given([1, 1, 1, 1, 0, 3, 3, 0], [1, 2, 2, 2])], pool(2).backward, {
      grad: false,
    }),
    row("NaN", () => [given([1], [1, 1, 1, 1]), given([1, NaN, 3, NaN], [1, 1, 2, 2])], pool(2).backward, {
      grad: false,
    }),
  ],
});
