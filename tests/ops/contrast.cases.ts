/** Cases of contrast and contrastMean: softmaxes over many keys, and counts. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { type Draw, given, type Input, permuted, type Row, row, strided, table } from "./case";

const vectors = (n: number, k: number, dim: number) => (draw: Draw): Input[] => [
  draw.uniform([n, dim], -1, 1),
  draw.uniform([n, dim], -1, 1),
  draw.uniform([k, dim], -1, 1),
]; // prettier-ignore

const mean = (query: Node, key: Node, total: Node): Node => ops.contrastMean(query, key, total, 2);

/** Inputs of `contrastMean`: queries, keys, and logs of sums that make weights of about 1 in all. */
const weighed = (n: number, k: number, dim: number) => (draw: Draw): Input[] => [
  draw.uniform([n, dim], -1, 1),
  draw.uniform([k, dim], -1, 1),
  draw.uniform([n], Math.log(Math.max(1, k)), Math.log(Math.max(1, k)) + 1),
]; // prettier-ignore

const means = (name: string, n: number, k: number, dim: number, view = (input: Input) => input): Row =>
  row(name, (draw) => weighed(n, k, dim)(draw).map((input, i) => (i < 2 ? view(input) : input)), mean, {
    grad: n * k * dim < 2000,
  });

const SPECIAL = [1, NaN, 3, 4, Infinity, -2, 1, -1, 2, 0.5, -Infinity, 3, 1, 1, 1, 1];

/** InfoNCE in one pass over the keys, or from products that are held. */
export function contrasts(isStreaming: boolean): Row[] {
  const infoNCE = (query: Node, own: Node, key: Node): ReturnType<typeof ops.infoNCE> =>
    ops.infoNCE(query, own, key, 2, isStreaming);
  const losses = (query: Node, own: Node, key: Node): Node => infoNCE(query, own, key).losses;
  const above = (query: Node, own: Node, key: Node): Node => infoNCE(query, own, key).above;
  const of = (name: string, n: number, k: number, dim: number, view = (input: Input) => input): Row =>
    row(name, (draw) => vectors(n, k, dim)(draw).map(view), losses, { grad: n * k * dim < 2000 });
  return [
    of("odd", 5, 7, 6),
    of("blocks", 8, 16, 8),
    of("one", 1, 1, 1),
    of("one key", 3, 1, 4),
    of("no queries", 0, 3, 4),
    of("no keys", 3, 0, 4),
    of("many keys", 9, 1037, 12),
    of("many queries", 77, 9, 4),
    of("permuted", 6, 6, 6, permuted),
    of("strided", 5, 9, 8, strided),
    row("how many are above", vectors(11, 263, 8), above, { grad: false }),
    row(
      "large scores",
      (draw) => vectors(5, 21, 8)(draw),
      (query, own, key) => ops.infoNCE(query, own, key, 2000, isStreaming).losses,
      { grad: false },
    ),
    row(
      "NaN and infinities",
      (draw) => [draw.uniform([4, 4], 0.5, 1), draw.uniform([4, 4], 0.5, 1), given(SPECIAL, [4, 4])],
      losses,
      { grad: false },
    ),
    row(
      "queries of NaN",
      (draw) => [given(SPECIAL, [4, 4]), draw.uniform([4, 4], 0.5, 1), draw.uniform([9, 4], 0.5, 1)],
      losses,
      { grad: false },
    ),
  ];
}

export const cases = table({
  contrast: contrasts(true),
  contrastMean: [
    means("odd", 5, 7, 8),
    means("blocks", 8, 16, 8),
    means("one", 1, 1, 4),
    means("no queries", 0, 3, 4),
    means("no keys", 3, 0, 4),
    means("many keys", 9, 1037, 12),
    means("many queries", 77, 9, 4),
    means("long vectors", 3, 11, 1024),
    means("longer than a kernel takes", 2, 5, 1028),
    means("permuted", 8, 8, 8, permuted),
    means("strided", 5, 5, 8, strided),
    row("no weight", (draw) => [...weighed(3, 9, 4)(draw).slice(0, 2), given([500, -Infinity, NaN], [3])], mean, {
      grad: false,
    }),
  ],
});
