/** Cases of contrast: log sums of exp over many keys, and counts. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { type Draw, given, type Input, permuted, type Row, row, strided, table } from "./case";

const losses = (query: Node, own: Node, key: Node): Node => ops.infoNCE(query, own, key, 2).losses;
const above = (query: Node, own: Node, key: Node): Node => ops.infoNCE(query, own, key, 2).above;

const vectors = (n: number, k: number, dim: number) => (draw: Draw): Input[] => [
  draw.uniform([n, dim], -1, 1),
  draw.uniform([n, dim], -1, 1),
  draw.uniform([k, dim], -1, 1),
]; // prettier-ignore

const of = (name: string, n: number, k: number, dim: number, view = (input: Input) => input): Row =>
  row(name, (draw) => vectors(n, k, dim)(draw).map(view), losses, { grad: n * k * dim < 2000 });

const SPECIAL = [1, NaN, 3, 4, Infinity, -2, 1, -1, 2, 0.5, -Infinity, 3, 1, 1, 1, 1];

export const cases = table({
  contrast: [
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
      (query, own, key) => ops.infoNCE(query, own, key, 2000).losses,
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
  ],
});
