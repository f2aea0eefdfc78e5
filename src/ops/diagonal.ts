/**
 * Diagonals and triangles. A diagonal of `[n, m]` is every (m + 1)-th element of the flat matrix: a slice takes it out, and
 * its transpose, a pad between elements, puts it in.
 */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { normalizeDim, type Shape, showShape } from "../graph/shape";
import { describe } from "../options";
import { add, where } from "./arithmetic";
import { sumDims, zeros } from "./broadcast";
import { cast } from "./cast";
import { iota } from "./generate";
import { ge, le } from "./logic";
import { padZeros, sliceBox } from "./slice";
import { movedim, reshape, unsqueeze } from "./views";

/** Two dims that must differ, counted from the front. */
function planeOf(op: string, dim1: number, dim2: number, rank: number): [number, number] {
  const [a, b] = [normalizeDim(op, dim1, rank), normalizeDim(op, dim2, rank)];
  if (a === b || rank < 2) {
    throw new ShapeError(`${op}: dim1 and dim2 must be two dimensions, got ${dim1} and ${dim2}. Name another one.`);
  }
  return [a, b];
}

/** Callers without types may pass anything, and would get part of an element. */
function checkOffset(op: string, offset: number): void {
  if (Number.isInteger(offset)) return;
  throw new ValueError(`${op}: the diagonal must be an integer, got ${describe(offset)}. 0 is the main one.`);
}

/** Where the diagonal starts in the flat `[rows, columns]`, and how long it is. */
function lineOf(rows: number, columns: number, offset: number): { start: number; length: number } {
  const [row, column] = [Math.max(-offset, 0), Math.max(offset, 0)];
  return { start: row * columns + column, length: Math.max(Math.min(rows - row, columns - column), 0) };
}

/** The diagonal of two dimensions, as a last one; `offset` counts to the right. */
export function diagonal(x: Node, offset = 0, dim1 = 0, dim2 = 1): Node {
  checkOffset("diagonal", offset);
  const [a, b] = planeOf("diagonal", dim1, dim2, x.shape.length);
  const moved = movedim(x, [a, b], [-2, -1]);
  const outer = moved.shape.slice(0, -2);
  const [rows, columns] = moved.shape.slice(-2) as [number, number];
  const { start, length } = lineOf(rows, columns, offset);
  const flat = reshape(moved, [...outer, rows * columns]);
  const at = (first: number, other: number): number[] => [...outer.map(() => other), first];
  return sliceBox(flat, { starts: at(start, 0), sizes: [...outer, length], steps: at(columns + 1, 1) });
}

/** The last dimension on a diagonal of two new ones, zeros elsewhere. */
export function diagEmbed(x: Node, offset = 0, dim1 = -2, dim2 = -1): Node {
  if (x.shape.length === 0) {
    throw new ShapeError("diagEmbed: there must be at least 1 dimension, got []. Unsqueeze it.");
  }
  checkOffset("diagEmbed", offset);
  const [a, b] = planeOf("diagEmbed", dim1, dim2, x.shape.length + 1);
  const size = x.shape.at(-1)! + Math.abs(offset);
  return movedim(onDiagonal(x, size, size, offset), [-2, -1], [a, b]);
}

/** The transpose of `diagonal`: a tensor of `shape` with its values on the diagonal, zeros elsewhere. */
export function undiagonal(x: Node, shape: Shape, offset: number, dim1: number, dim2: number): Node {
  const [a, b] = planeOf("undiagonal", dim1, dim2, shape.length);
  return movedim(onDiagonal(x, shape[a]!, shape[b]!, offset), [-2, -1], [a, b]);
}

/** The last dimension on a diagonal of `[..., rows, columns]`. */
function onDiagonal(x: Node, rows: number, columns: number, offset: number): Node {
  const outer = x.shape.slice(0, -1);
  const { start, length } = lineOf(rows, columns, offset);
  const last = (count: number): number[] => [...outer.map(() => 0), count];
  const rest = length === 0 ? rows * columns - start : rows * columns - start - (length - 1) * (columns + 1) - 1;
  return reshape(padZeros(x, last(start), last(rest), last(columns)), [...outer, rows, columns]);
}

/** The diagonal of a matrix, or a matrix with a vector on its diagonal. */
export function diag(x: Node, offset = 0): Node {
  const rank = x.shape.length;
  if (rank !== 1 && rank !== 2) {
    throw new ShapeError(
      `diag: there must be 1 or 2 dimensions, got ${showShape(x.shape)}. Use diagonal or diagEmbed.`,
    );
  }
  return rank === 1 ? diagEmbed(x, offset) : diagonal(x, offset);
}

/** The sum of the diagonal of a matrix. */
export function trace(x: Node): Node {
  if (x.shape.length !== 2) {
    throw new ShapeError(`trace: there must be 2 dimensions, got ${showShape(x.shape)}. Use diagonal, and sum it.`);
  }
  const line = diagonal(x);
  return sumDims(x.dtype === "bool" || x.dtype === "u8" ? cast(line, "i32") : line, [0]);
}

/** Keeps what lies on one side of a diagonal of the last two dimensions. */
function triangle(op: string, x: Node, offset: number, keeps: typeof le): Node {
  if (x.shape.length < 2) {
    throw new ShapeError(`${op}: there must be at least 2 dimensions, got ${showShape(x.shape)}. Unsqueeze it.`);
  }
  checkOffset(op, offset);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const row = unsqueeze(iota(rows), 1);
  return where(keeps(iota(columns), offset === 0 ? row : add(row, offset)), x, zeros([], x.dtype));
}

/** The lower triangle of the last two dimensions, up to `diagonal`; 0 elsewhere. */
export const tril = (x: Node, diagonal = 0): Node => triangle("tril", x, diagonal, le);
/** The upper triangle of the last two dimensions, from `diagonal` on; 0 elsewhere. */
export const triu = (x: Node, diagonal = 0): Node => triangle("triu", x, diagonal, ge);
