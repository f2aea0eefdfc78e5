/** How values are written, as PyTorch 1.13 writes them after `tensor(`, but for booleans. */

import { expect, test } from "vitest";
import type { DType } from "../../src";
import { showValues } from "../../src/methods/print";

const count = (length: number, step = 1): number[] => Array.from({ length }, (_, i) => i * step);

const CASES: readonly [string, readonly number[], readonly number[], DType, string][] = [
  ["columns", [1, 2.5, -3, NaN], [2, 2], "f32", "[[ 1.0000,  2.5000],\n        [-3.0000,     nan]]"],
  ["whole numbers", [1, 2, 3], [3], "f32", "[1., 2., 3.]"],
  ["whole numbers and infinity", [1, Infinity, -2], [3], "f32", "[ 1., inf, -2.]"],
  ["a scalar", [3.14159], [], "f32", "3.1416"],
  ["a wide range", [1e-6, 1, Infinity], [3], "f32", "[1.0000e-06, 1.0000e+00,        inf]"],
  ["large numbers", [1e10, 1], [2], "f32", "[1.0000e+10, 1.0000e+00]"],
  ["small numbers", [1e-5], [1], "f64", "[1.0000e-05]"],
  ["whole numbers of a wide range", [1, 2000], [2], "f32", "[1.0000e+00, 2.0000e+03]"],
  ["integers in planes", [1, 2, 3, -4], [2, 2, 1], "i32", "[[[ 1],\n         [ 2]],\n\n        [[ 3],\n         [-4]]]"],
  ["booleans", [1, 0], [2], "bool", "[ true, false]"],
  ["long rows", count(12, 1.5), [12], "f32", "[ 0.0000,  1.5000,  3.0000,  4.5000,  6.0000,  7.5000,  9.0000, 10.5000,\n        12.0000, 13.5000, 15.0000, 16.5000]"],
  ["many numbers", count(2000), [2000], "i32", "[   0,    1,    2,  ..., 1997, 1998, 1999]"],
  ["many rows", count(1200), [600, 2], "i32", "[[   0,    1],\n        [   2,    3],\n        [   4,    5],\n        ...,\n        [1194, 1195],\n        [1196, 1197],\n        [1198, 1199]]"],
]; // prettier-ignore

test.each(CASES)("%s", (_name, values, shape, dtype, expected) => {
  expect(showValues(values, shape, dtype, 7)).toBe(expected);
});
