/** Rows that pointwise ops share: odd sizes, size 0 and 1, views, and values at the edges of f32 and of the integers. */

import type { DType } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { type Draw, type Input, type Row, given, permuted, repeated, row, strided } from "./case";

/** What a float op may meet. Subnormals are left out: GPUs flush them. */
export const EDGES = [
  NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.99999994, 1e-7, -1e-7, 20.5, 87, -80, 110, -110,
  3e38, -3e38, 2e-38,
]; // prettier-ignore
export const PAIR_EDGES = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 2, -2.5, 1e20];
export const INT_EDGES = [0, 1, -1, 2, 7, -7, 100, -3, 2147483647, -2147483648];
export const UINT_EDGES = [0, 1, 2, 7, 31, 32, 255, 2147483647, 2147483648, 4294967295];
export const BYTE_EDGES = [0, 1, 2, 7, 31, 128, 200, 255];

export type Unary = (x: Node) => Node;
export type Binary = (a: Node, b: Node) => Node;
export type Shaped = (draw: Draw, shape: readonly number[]) => Input;

/** All pairs of some values, as two inputs. */
export const allPairs = (values: readonly number[], dtype: DType = "f32"): [Input, Input] => [
  given(
    values.flatMap((a) => values.map(() => a)),
    undefined,
    dtype,
  ),
  given(
    values.flatMap(() => [...values]),
    undefined,
    dtype,
  ),
];

export const smooth: Shaped = (draw, shape) => draw.uniform(shape);
export const positive: Shaped = (draw, shape) => draw.uniform(shape, 0.2, 3);
export const away: Shaped = (draw, shape) => draw.awayFrom0(shape);

export const unaryShapes = (op: Unary, values: Shaped): Row[] => [
  row("odd", (draw) => [values(draw, [3, 7])], op),
  row("one", (draw) => [values(draw, [1])], op),
  row("scalar", (draw) => [values(draw, [])], op),
  row("empty", (draw) => [values(draw, [0, 3])], op),
  row("permuted", (draw) => [permuted(values(draw, [2, 3, 5]))], op),
  row("strided", (draw) => [strided(values(draw, [3, 9]))], op),
  row("many", (draw) => [values(draw, [1027])], op, { grad: false }),
];

/** A float function, at the edges too. */
export const unary = (op: Unary, values: Shaped = smooth, edges: readonly number[] = EDGES): Row[] => [
  ...unaryShapes(op, values),
  row("edges", () => [given(edges)], op, { grad: false }),
];

export const integers = (op: Unary): Row[] => [
  row("i32", () => [given(INT_EDGES, undefined, "i32")], op),
  row("u32", () => [given(UINT_EDGES, undefined, "u32")], op),
  row("u8", () => [given(BYTE_EDGES, undefined, "u8")], op),
];

export const binaryShapes = (op: Binary, left: Shaped, right: Shaped): Row[] => [
  row("odd", (draw) => [left(draw, [3, 7]), right(draw, [3, 7])], op),
  row("one", (draw) => [left(draw, [1]), right(draw, [1])], op),
  row("scalar", (draw) => [left(draw, []), right(draw, [])], op),
  row("empty", (draw) => [left(draw, [2, 0]), right(draw, [2, 0])], op),
  row("broadcast", (draw) => [left(draw, [2, 1, 3]), right(draw, [4, 1])], op),
  row("scalar and row", (draw) => [left(draw, []), right(draw, [5])], op),
  row("permuted", (draw) => [permuted(left(draw, [5, 3])), strided(right(draw, [3, 9]))], op),
  row("repeated", (draw) => [repeated(left(draw, [5]), 3), right(draw, [3, 5])], op),
];

export const binary = (op: Binary, left: Shaped = smooth, right: Shaped = left): Row[] => [
  ...binaryShapes(op, left, right),
  row("edges", () => allPairs(PAIR_EDGES), op, { grad: false }),
];

const INTEGERS = { i32: INT_EDGES, u32: UINT_EDGES, u8: BYTE_EDGES } as const;

export const integerPairs = (op: Binary): Row[] =>
  (["i32", "u32", "u8"] as const).map((dtype) => row(dtype, () => allPairs(INTEGERS[dtype], dtype), op));

/** Pairs of integers where the host cannot tell that a divisor is 0. */
export const quotients = (op: Binary): Row[] => integerPairs((a, b) => op(a, ops.flip(b, 0)));

export const logicalPairs = (op: Binary): Row[] => [
  row("bool", () => allPairs([0, 1], "bool"), op),
  row("f32", () => allPairs(PAIR_EDGES), op, { grad: false }),
  row("permuted", (draw) => [permuted(draw.bools([5, 3])), draw.bools([3, 5])], op),
  row("empty", (draw) => [draw.bools([0]), draw.bools([1])], op),
];

/** Both comparisons and their edges; small integers, so that there are ties. */
export const comparison = (op: Binary): Row[] => [
  row("ties", (draw) => [draw.ints([3, 7], -2, 3, "f32"), draw.ints([7], -2, 3, "f32")], op),
  row("empty", (draw) => [draw.uniform([0]), draw.uniform([0])], op),
  row("strided", (draw) => [strided(draw.ints([2, 9], 0, 2)), permuted(draw.ints([5, 2], 0, 2))], op),
  row("edges", () => allPairs(PAIR_EDGES), op),
  ...integerPairs(op),
];

/** Distinct values, so that no operand is near the other. */
export const apart: Shaped = (draw, shape) => draw.distinct(shape);
export const shifted: Shaped = (draw, shape) => {
  const { host } = draw.distinct(shape);
  return { host: { ...host, data: host.data.map((value: number) => value + 0.1) } };
};

/** Floats at least 0.2 away from where rounding jumps: whole numbers and halves. */
export function offGrid(draw: Draw, shape: readonly number[]): Input {
  const { host } = draw.ints(shape, -6, 6, "f32");
  return { host: { ...host, data: (host.data as Float32Array).map((value) => value / 2 + 0.23) } };
}
