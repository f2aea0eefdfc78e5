/** Cases of views. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { type Row, given, permuted, repeated, row, strided, table } from "./case";

type Unary = (x: Node) => Node;

/** A view of a float, an integer and a bool; sizes that differ in every dimension. */
const views = (op: Unary): Row[] => [
  row("f32", (draw) => [draw.uniform([2, 3, 5])], op),
  row("permuted", (draw) => [permuted(draw.uniform([5, 3, 2]))], op),
  row("strided", (draw) => [strided(draw.uniform([2, 3, 9]))], op),
  row("repeated", (draw) => [repeated(draw.uniform([3, 5]), 2)], op),
  row("i32", (draw) => [draw.ints([2, 3, 5], -9, 9)], op),
  row("bool", (draw) => [draw.bools([2, 3, 5])], op),
  row(
    "u8",
    (draw) => [draw.ints([2, 3, 5], 0, 256, "u8")],
    (x) => ops.cast(op(x), "f32"),
  ),
];

/** The same rows under another name. */
function renamed(prefix: string): (make: Row) => Row {
  return (make) => (op) => {
    const opCase = make(op);
    return { ...opCase, name: `${prefix} ${opCase.name}` };
  };
}

export const cases = table({
  reshape: [
    ...views((x) => ops.reshape(x, [5, -1])),
    row(
      "scalar",
      (draw) => [draw.uniform([1, 1])],
      (x) => ops.reshape(x, []),
    ),
    row(
      "empty",
      (draw) => [draw.uniform([0, 3])],
      (x) => ops.reshape(x, [3, 0, 2]),
    ),
    row(
      "after permute",
      (draw) => [draw.uniform([3, 4])],
      (x) => ops.reshape(ops.transpose(x, 0, 1), [2, 6]),
    ),
  ],
  permute: [
    ...views((x) => ops.permute(x, [2, 0, 1])),
    row(
      "empty",
      (draw) => [draw.uniform([2, 0])],
      (x) => ops.transpose(x, 0, 1),
    ),
    row(
      "one",
      (draw) => [draw.uniform([1, 1])],
      (x) => ops.permute(x, [1, 0]),
    ),
    row(
      "sizes whose reciprocals, times themselves, are less than 1 in f32",
      (draw) => [draw.uniform([41, 47, 3])],
      (x) => ops.permute(x, [2, 0, 1]),
    ),
    row(
      "the same of four neighbours at once",
      (draw) => [draw.uniform([41, 3, 4])],
      (x) => ops.permute(x, [1, 0, 2]),
    ),
  ],
  expand: [
    row(
      "row",
      (draw) => [draw.uniform([5])],
      (x) => ops.expand(x, [3, 5]),
    ),
    row(
      "column",
      (draw) => [draw.uniform([3, 1])],
      (x) => ops.expand(x, [2, 3, 5]),
    ),
    row(
      "both",
      (draw) => [draw.uniform([1, 3, 1])],
      (x) => ops.expand(x, [2, 3, 4]),
    ),
    row(
      "scalar",
      (draw) => [draw.uniform([])],
      (x) => ops.expand(x, [2, 3]),
    ),
    row(
      "to nothing",
      (draw) => [draw.uniform([1, 3])],
      (x) => ops.expand(x, [0, 3]),
    ),
    row(
      "permuted",
      (draw) => [permuted(draw.uniform([3, 1]))],
      (x) => ops.expand(x, [4, 3]),
    ),
    row(
      "i32",
      (draw) => [draw.ints([3, 1], 0, 9)],
      (x) => ops.expand(x, [3, 7]),
    ),
  ],
  slice: [
    ...views((x) => ops.slice(x, [0, 1], [2, 3])),
    ...views((x) => ops.slice(x, [null, null, 1], [null, null, 5], [1, 2, 3])).map(renamed("steps")),
    ...views((x) => ops.flip(x, [0, 2])).map(renamed("flip")),
    ...views((x) => ops.slice(x, [], [], [1, -2, -3])).map(renamed("backwards")),
    row(
      "one element",
      (draw) => [draw.uniform([3, 5])],
      (x) => ops.slice(x, [1, 2], [2, 3]),
    ),
    row(
      "to nothing",
      (draw) => [draw.uniform([3, 5])],
      (x) => ops.slice(x, [2], [1]),
    ),
    row(
      "empty",
      (draw) => [draw.uniform([0, 5])],
      (x) => ops.slice(x, [0, 1]),
    ),
    row(
      "twice",
      (draw) => [draw.uniform([9])],
      (x) => ops.slice(ops.slice(x, [1], [8], [2]), [2], [null], [-1]),
    ),
  ],
  pad: [
    ...views((x) => ops.pad(x, [1, 2, 0, 3])),
    ...views((x) => ops.padZeros(x, [1, 0, 2], [0, 1, 0], [1, 2, 0])).map(renamed("interior")),
    row(
      "value",
      (draw) => [draw.uniform([3, 5])],
      (x) => ops.pad(x, [1, 0, 2, 1], -1.5),
    ),
    row(
      "infinity",
      (draw) => [draw.uniform([3])],
      (x) => ops.pad(x, [1, 1], -Infinity),
      { grad: false },
    ),
    row(
      "negative",
      (draw) => [draw.uniform([3, 5])],
      (x) => ops.pad(x, [-1, 2, 1, -1]),
    ),
    row(
      "NaN inside",
      () => [given([NaN, Infinity])],
      (x) => ops.pad(x, [2, 2]),
      { grad: false },
    ),
    row(
      "nothing",
      (draw) => [draw.uniform([0, 2])],
      (x) => ops.pad(x, [1, 1, 1, 2]),
    ),
    row(
      "of a constant place",
      (draw) => [draw.uniform([3, 5])],
      (x) => ops.narrow(ops.pad(x, [2, 2]), 1, 0, 1),
    ),
  ],
  cat: [
    row(
      "rows",
      (draw) => [draw.uniform([2, 3]), draw.uniform([1, 3]), draw.uniform([4, 3])],
      (...list) => ops.cat(list, 0),
    ),
    row(
      "columns",
      (draw) => [draw.uniform([3, 2]), draw.uniform([3, 5])],
      (...list) => ops.cat(list, -1),
    ),
    row(
      "views",
      (draw) => [permuted(draw.uniform([5, 3])), strided(draw.uniform([3, 4]))],
      (...list) => ops.cat(list, 1),
    ),
    row(
      "with empty",
      (draw) => [draw.uniform([0, 3]), draw.uniform([2, 3]), draw.uniform([0, 3])],
      (...list) => ops.cat(list, 0),
    ),
    row(
      "all empty",
      (draw) => [draw.uniform([0]), draw.uniform([0])],
      (...list) => ops.cat(list, 0),
    ),
    row(
      "nine",
      (draw) => Array.from({ length: 9 }, (_, i) => draw.uniform([1 + (i % 3), 2])),
      (...list) => ops.cat(list, 0),
    ),
    row(
      "i32 and f32",
      (draw) => [draw.ints([3], 0, 9), draw.uniform([2])],
      (...list) => ops.cat(list, 0),
    ),
    row(
      "bool",
      (draw) => [draw.bools([3]), draw.bools([4])],
      (...list) => ops.cat(list, 0),
    ),
    row(
      "stack",
      (draw) => [draw.uniform([2, 3]), draw.uniform([2, 3])],
      (...list) => ops.stack(list, 1),
    ),
    row(
      "NaN",
      () => [given([NaN, 1]), given([Infinity])],
      (...list) => ops.cat(list, 0),
      { grad: false },
    ),
  ],
  detach: [
    row(
      "odd",
      (draw) => [permuted(draw.uniform([3, 5]))],
      (x) => ops.add(ops.detach(x), x),
    ),
    row("empty", (draw) => [draw.uniform([0])], ops.detach),
  ],
});
