/** Cases of pooling. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { apply } from "../../src/ops/op";
import { type Row, given, permuted, row, table } from "./case";

const pool = (kernelSize: ops.Sizes, options: ops.MaxPoolOptions = {}) => ({
  forward: (x: Node): Node => ops.maxPool2d(x, kernelSize, options).values,
  indices: (x: Node): Node => ops.maxPool2d(x, kernelSize, options).indices,
  backward: (gradOut: Node, x: Node): Node =>
    apply(ops.maxPool2dGradOp, [gradOut, x], ops.poolAttrs("maxPool2d", 2, kernelSize, options)),
});

interface Pool {
  readonly x: readonly number[];
  readonly pool: ReturnType<typeof pool>;
}

const POOLS: Readonly<Record<string, Pool>> = {
  "2x2": { x: [2, 2, 4, 6], pool: pool(2) },
  "3x3 stride 2": { x: [1, 2, 5, 7], pool: pool(3, { stride: 2, padding: 1 }) },
  overlapping: { x: [1, 1, 5, 4], pool: pool(3, { stride: 1 }) },
  unequal: { x: [1, 2, 6, 7], pool: pool([2, 3], { stride: [1, 2], padding: [0, 0] }) },
  one: { x: [1, 1, 1, 1], pool: pool(1) },
  dilated: { x: [1, 2, 7, 8], pool: pool([3, 2], { stride: 2, padding: 1, dilation: [2, 3] }) },
  "cut at the end": { x: [2, 1, 6, 7], pool: pool(3, { stride: 2, ceilMode: true }) },
  "padded, cut": { x: [1, 1, 5, 8], pool: pool(2, { stride: 3, padding: 1, ceilMode: true, dilation: [1, 2] }) }, // prettier-ignore
  "many in a window": { x: [1, 1, 11, 19], pool: pool([9, 15], { stride: 2 }) },
  "long window": { x: [1, 1, 2, 71], pool: pool([1, 70], { stride: 1 }) },
  "no images": { x: [0, 1, 2, 2], pool: pool(2) },
};

/** Output sizes of adaptive pooling for a plane of 5 x 7. */
const ADAPTIVE: readonly ops.Pair[] = [[1, 1], [3, 4], [2, 7], [5, 7], [7, 9], [0, 2]]; // prettier-ignore

const poolRows = (forwardPass: boolean): Row[] =>
  Object.entries(POOLS).map(([name, { x, pool: ofPool }]) =>
    forwardPass
      ? row(name, (draw) => [draw.distinct(x)], ofPool.forward)
      : row(name, (draw) => [draw.uniform(ofPool.forward(ops.zeros(x)).shape), draw.distinct(x)], ofPool.backward),
  );

export const cases = table({
  maxPool2d: [
    ...poolRows(true),
    row(
      "permuted",
      (draw) => [permuted(draw.distinct([6, 4, 2, 1]))],
      (x) => ops.maxPool2d(x, 2).values,
    ),
    row(
      "all negative, padded",
      (draw) => [draw.uniform([1, 1, 3, 3], -3, -1)],
      (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1 }).values,
    ),
    row(
      "NaN and -inf",
      () => [given([NaN, 1, 2, 3, -Infinity, -Infinity, -Infinity, -Infinity], [1, 2, 2, 2])],
      (x) => ops.maxPool2d(x, 2).values,
      { grad: false },
    ),
  ],
  maxPool2dIndices: [
    ...Object.entries(POOLS).map(([name, { x, pool: ofPool }]) =>
      row(name, (draw) => [draw.distinct(x)], ofPool.indices),
    ),
    row("permuted", (draw) => [permuted(draw.distinct([7, 5, 2, 1]))], pool([2, 3], { stride: [1, 2] }).indices),
    row("ties", (draw) => [draw.ints([2, 2, 6, 5], 0, 2, "f32")], pool(3, { stride: 1, padding: 1 }).indices),
    row(
      "NaN and -inf",
      () => [given([NaN, 1, 2, NaN, -Infinity, -Infinity, -Infinity, -Infinity], [1, 2, 2, 2])],
      pool(2).indices,
    ),
  ],
  adaptiveMaxPool2dIndices: [
    ...ADAPTIVE.map((size) =>
      row(
        `to ${size.join("x")}`,
        (draw) => [draw.distinct([2, 2, 5, 7])],
        (x) => ops.adaptiveMaxPool2d(x, size).indices,
      ),
    ),
    row(
      "permuted",
      (draw) => [permuted(draw.distinct([7, 5, 2, 1]))],
      (x) => ops.adaptiveMaxPool2d(x, [3, 4]).indices,
    ),
    row(
      "ties",
      (draw) => [draw.ints([2, 2, 6, 5], 0, 2, "f32")],
      (x) => ops.adaptiveMaxPool2d(x, [4, 3]).indices,
    ),
    row(
      "NaN and -inf",
      () => [given([NaN, 1, 2, NaN, -Infinity, -Infinity, -Infinity, -Infinity], [1, 2, 2, 2])],
      (x) => ops.adaptiveMaxPool2d(x, 1).indices,
    ),
    row(
      "no images",
      (draw) => [draw.uniform([0, 2, 5, 7])],
      (x) => ops.adaptiveMaxPool2d(x, 2).indices,
    ),
    row(
      "values",
      (draw) => [draw.distinct([2, 2, 5, 7])],
      (x) => ops.adaptiveMaxPool2d(x, [3, 4]).values,
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
