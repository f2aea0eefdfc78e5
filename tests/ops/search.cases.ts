/** Cases of places in sorted sequences. */

import * as ops from "../../src/ops";
import { type Draw, given, type Input, permuted, type Row, row, strided, table } from "./case";

const rising = (shape: readonly number[]): Input =>
  given(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i - 5),
    shape,
  );

const search = (name: string, inputs: (draw: Draw) => [sequence: Input, values: Input], right = false): Row =>
  row(name, inputs, (sequence, values) => ops.searchsorted(sequence, values, right));

const SPECIAL = [NaN, -Infinity, Infinity, 0, -0, 3, 3.5, -7, 1];

export const cases = table({
  searchsorted: [
    search("one row for all", (draw) => [rising([13]), draw.ints([3, 7], -8, 12, "f32")]),
    search("behind equals", (draw) => [rising([13]), draw.ints([3, 7], -8, 12, "f32")], true),
    search("a row each", (draw) => [rising([3, 6]), draw.ints([3, 5], -8, 14, "f32")]),
    search("fractions", (draw) => [rising([16]), draw.uniform([5], -9, 12)]),
    search("ties", (draw) => [given([0, 1, 1, 1, 2, 2, 5]), draw.ints([9], -1, 6, "f32")]),
    search("ties, right", (draw) => [given([0, 1, 1, 1, 2, 2, 5]), draw.ints([9], -1, 6, "f32")], true),
    search("special", () => [given([-Infinity, -1, -0, 0, 3, Infinity, NaN]), given(SPECIAL)]),
    search("special, right", () => [given([-Infinity, -1, -0, 0, 3, Infinity, NaN]), given(SPECIAL)], true),
    search("not sorted", (draw) => [draw.distinct([11]), draw.distinct([6])]),
    search("scalar", () => [rising([7]), given([1], [])]),
    search("one", (draw) => [given([1]), draw.uniform([4])]),
    search("empty sequence", (draw) => [rising([0]), draw.uniform([2, 3])]),
    search("no values", (draw) => [rising([2, 4]), draw.uniform([2, 0])]),
    search("permuted", (draw) => [
      permuted(given([1, 2, 2, 4, 3, 6], [3, 2])),
      permuted(draw.ints([5, 2], 0, 8, "f32")),
    ]),
    search("strided", (draw) => [rising([9]), strided(draw.ints([2, 11], -8, 5, "f32"))]),
    search("i32", (draw) => [given([-5, -5, 0, 7, 2147483647], [5], "i32"), draw.ints([9], -8, 12)]),
    search("large u32", () => [
      given([0, 7, 4294967294], [3], "u32"),
      given([4294967295, 4294967294, 8, 0], [4], "u32"),
    ]),
    search("long", (draw) => [rising([4099]), draw.uniform([50], -20, 4200)]),
    row(
      "computed sequence",
      (draw) => [draw.distinct([2, 9]), draw.uniform([2, 4])],
      (x, values) => ops.searchsorted(ops.sort(ops.mul(x, 2)).values, values),
    ),
  ],
});
