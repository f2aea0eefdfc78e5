/** Cases of products. */

import * as ops from "../../src/ops";
import { type Input, type Row, given, permuted, repeated, row, strided, table, through } from "./case";

type Product = [name: string, a: readonly number[], b: readonly number[]];

const PRODUCTS: readonly Product[] = [
  ["odd", [3, 7], [7, 5]],
  ["one", [1, 1], [1, 1]],
  ["dot", [7], [7]],
  ["vector matrix", [4], [4, 3]],
  ["matrix vector", [3, 4], [4]],
  ["batch", [2, 3, 4], [2, 4, 5]],
  ["batch matrix", [2, 3, 4], [4, 5]],
  ["matrix batch", [3, 4], [2, 4, 5]],
  ["broadcast batches", [2, 1, 3, 2], [3, 2, 2]],
  ["no rows", [0, 3], [3, 2]],
  ["no inner", [2, 0], [0, 3]],
  ["no batch", [0, 2, 3], [3, 2]],
];

const LARGE: readonly Product[] = [
  ["past a tile", [17, 33], [33, 19]],
  ["past many tiles", [130, 67], [67, 129]],
  ["long inner", [3, 2051], [2051, 5]],
  ["tall", [515, 9], [9, 3]],
  ["wide", [2, 9], [9, 515]],
  ["many batches", [65, 3, 5], [65, 5, 2]],
];

const product = ([name, a, b]: Product, grad: boolean): Row =>
  row(name, (draw) => [draw.uniform(a), draw.uniform(b)], ops.matmul, { grad });

const swapped = (input: Input): Input => through(input, (leaf) => ops.transpose(leaf, -1, -2));

export const cases = table({
  matmul: [
    ...PRODUCTS.map((shapes) => product(shapes, true)),
    ...LARGE.map((shapes) => product(shapes, false)),
    row("transposed A", (draw) => [swapped(draw.uniform([7, 3])), draw.uniform([7, 5])], ops.matmul),
    row("transposed B", (draw) => [draw.uniform([3, 7]), swapped(draw.uniform([5, 7]))], ops.matmul),
    row(
      "transposed batches",
      (draw) => [swapped(draw.uniform([2, 4, 3])), swapped(draw.uniform([2, 5, 4]))],
      ops.matmul,
    ),
    row("permuted batches", (draw) => [permuted(draw.uniform([4, 3, 2])), draw.uniform([2, 4, 5])], ops.matmul),
    // what kernels read four at a time: along k or across it
    row("in fours", (draw) => [draw.uniform([2, 19, 24]), draw.uniform([2, 24, 36])], ops.matmul),
    row("in fours, transposed A", (draw) => [swapped(draw.uniform([24, 20])), draw.uniform([24, 36])], ops.matmul),
    row("in fours, transposed B", (draw) => [draw.uniform([19, 24]), swapped(draw.uniform([37, 24]))], ops.matmul),
    row(
      "in fours, transposed both",
      (draw) => [swapped(draw.uniform([24, 20])), swapped(draw.uniform([35, 24]))],
      ops.matmul,
    ),
    row("strided", (draw) => [strided(draw.uniform([3, 9])), draw.uniform([5, 4])], ops.matmul),
    row("repeated", (draw) => [repeated(draw.uniform([5]), 3), draw.uniform([5, 4])], ops.matmul),
    row(
      "with itself",
      (draw) => [draw.uniform([4, 4])],
      (x) => ops.matmul(x, ops.transpose(x, 0, 1)),
    ),
    row("NaN", () => [given([NaN, 1, 0, Infinity, 2, 3], [3, 2]), given([0, 1, 1, 0], [2, 2])], ops.matmul, {
      grad: false,
    }),
  ],
});
