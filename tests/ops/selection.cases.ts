/** Cases of ops that choose or convert. */

import * as ops from "../../src/ops";
import { given, permuted, row, strided, table } from "./case";
import { EDGES, INT_EDGES, UINT_EDGES } from "./pointwiseRows";

export const cases = table({
  where: [
    row("odd", (draw) => [draw.bools([3, 7]), draw.uniform([3, 7]), draw.uniform([3, 7])], ops.where),
    row("broadcast", (draw) => [draw.bools([3, 1]), draw.uniform([5]), draw.uniform([2, 1, 1])], ops.where),
    row("one", (draw) => [draw.bools([1]), draw.uniform([1]), draw.uniform([1])], ops.where),
    row("empty", (draw) => [draw.bools([0]), draw.uniform([0]), draw.uniform([1])], ops.where),
    row(
      "permuted",
      (draw) => [permuted(draw.bools([5, 3])), strided(draw.uniform([3, 10])), draw.uniform([3, 5])],
      ops.where,
    ),
    row("i32", (draw) => [draw.bools([9]), draw.ints([9], -9, 9), draw.ints([9], -9, 9)], ops.where),
    row("bool", (draw) => [draw.bools([9]), draw.bools([9]), draw.bools([9])], ops.where),
    row("unchosen NaN", () => [given([1, 0], undefined, "bool"), given([1, NaN]), given([Infinity, 2])], ops.where, {
      grad: false,
    }),
    row(
      "clamp",
      (draw) => [draw.uniform([33])],
      (x) => ops.clamp(x, -1, 0.5),
    ),
    row(
      "clamp at edges",
      () => [given(EDGES)],
      (x) => ops.clamp(x, -1, 1),
      { grad: false },
    ),
  ],
  cast: [
    row(
      "f32 to i32",
      () => [given([...EDGES, 2147483520, -2147483648, 3e9, -3e9, 1.99, -1.99])],
      (x) => ops.cast(x, "i32"),
    ),
    row(
      "f32 to u32",
      () => [given([...EDGES, 4294967040, 5e9, -3, 1.99])],
      (x) => ops.cast(x, "u32"),
    ),
    row(
      "f32 to u8",
      () => [given([...EDGES, 254.9, 255, 256, -3])],
      (x) => ops.cast(x, "u8"),
    ),
    row(
      "f32 to bool",
      () => [given(EDGES)],
      (x) => ops.cast(x, "bool"),
    ),
    row(
      "i32 to f32",
      () => [given(INT_EDGES, undefined, "i32")],
      (x) => ops.cast(x, "f32"),
    ),
    row(
      "i32 to u32",
      () => [given(INT_EDGES, undefined, "i32")],
      (x) => ops.cast(x, "u32"),
    ),
    row(
      "i32 to u8",
      () => [given(INT_EDGES, undefined, "i32")],
      (x) => ops.cast(x, "u8"),
    ),
    row(
      "i32 to bool",
      () => [given(INT_EDGES, undefined, "i32")],
      (x) => ops.cast(x, "bool"),
    ),
    row(
      "u32 to f32",
      () => [given(UINT_EDGES, undefined, "u32")],
      (x) => ops.cast(x, "f32"),
    ),
    row(
      "u32 to i32",
      () => [given(UINT_EDGES, undefined, "u32")],
      (x) => ops.cast(x, "i32"),
    ),
    row(
      "u8 to f32",
      () => [given([0, 1, 127, 255, 3], undefined, "u8")],
      (x) => ops.cast(x, "f32"),
    ),
    row(
      "u8 to i32",
      () => [strided(given([0, 1, 127, 255, 3], undefined, "u8"))],
      (x) => ops.cast(x, "i32"),
    ),
    row(
      "bool to f32",
      () => [given([0, 1, 1], undefined, "bool")],
      (x) => ops.cast(x, "f32"),
    ),
    row(
      "bool to i32",
      () => [given([0, 1, 1], undefined, "bool")],
      (x) => ops.cast(x, "i32"),
    ),
    row(
      "empty",
      () => [given([], undefined, "i32")],
      (x) => ops.cast(x, "f32"),
    ),
  ],
});
