/** Shapes: sizes per dimension, row-major, and the rules that every op shares. */

import { ShapeError } from "../errors";

export type Shape = readonly number[];

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, d) => size === b[d]);

/** `[2, 3]`, as errors and prints show it; callers without types may have passed something else for one. */
export function showShape(shape: Shape): string {
  const isList: boolean = Array.isArray(shape);
  return isList ? `[${shape.join(", ")}]` : String(shape);
}

/** Row-major strides in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d]!;
  }
  return strides;
}

/** Numbers of elements before, at and after a dimension. */
export function around(shape: Shape, dim: number): { outer: number; size: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, dim)), size: shape[dim] ?? 1, inner: sizeOf(shape.slice(dim + 1)) };
}

/** A shape with another size along `dim`; that of a scalar stays. */
export const resized = (shape: Shape, dim: number, size: number): number[] =>
  shape.map((old, d) => (d === dim ? size : old));

/** Where the element at a row-major index lies. */
export function coordinatesOf(index: number, shape: Shape): number[] {
  let rest = index;
  const reversed = shape.toReversed().map((size) => {
    const coordinate = rest % size;
    rest = (rest - coordinate) / size;
    return coordinate;
  });
  return reversed.toReversed();
}

/** A dimension counted from the front; negative ones count from the back. */
export function normalizeDim(op: string, dim: number, rank: number): number {
  const low = rank === 0 ? -1 : -rank;
  const high = rank === 0 ? 0 : rank - 1;
  if (!Number.isInteger(dim) || dim < low || dim > high) {
    throw new ShapeError(
      `${op}: dim must be an integer in ${low}..${high}, got ${dim}. Count dimensions from 0, or from -1 backwards.`,
    );
  }
  return rank === 0 ? 0 : dim < 0 ? dim + rank : dim;
}

/** All of `dims` counted from the front, without repeats, ascending; all dimensions when absent. */
export function normalizeDims(op: string, dims: number | readonly number[] | undefined, rank: number): number[] {
  if (dims === undefined) return Array.from({ length: rank }, (_, d) => d);
  const isKnown: boolean = typeof dims === "number" || Array.isArray(dims); // callers without types may pass options
  if (!isKnown) {
    throw new ShapeError(
      `${op}: dim must be an integer or a list of them, got ${JSON.stringify(dims)}. Options come behind it: write undefined for all dims.`,
    );
  }
  const list = (typeof dims === "number" ? [dims] : [...dims]).map((dim) => normalizeDim(op, dim, rank));
  if (new Set(list).size !== list.length) {
    throw new ShapeError(`${op}: each dim must appear once, got ${showShape(list)}. Remove the repeated one.`);
  }
  return rank === 0 ? [] : list.sort((a, b) => a - b);
}

/** Checks that a shape given by the user is a list of non-negative integers. */
export function checkShape(op: string, shape: Shape): void {
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new ShapeError(
        `${op}: sizes must be non-negative integers, got ${showShape(shape)}. Check the computed sizes.`,
      );
    }
  }
}

/** Whether a shape broadcasts to another as it is: sizes of 1 grow, counted from the last dimension, and new ones come in front. */
export function expandsTo(from: Shape, to: Shape): boolean {
  const lead = to.length - from.length;
  return lead >= 0 && from.every((size, d) => size === 1 || size === to[d + lead]);
}

/** The shape two operands broadcast to, by NumPy's rule. */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let d = 0; d < rank; d++) {
    const sizeA = a[d - rank + a.length] ?? 1;
    const sizeB = b[d - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new ShapeError(
        `${op}: shapes must broadcast, got ${showShape(a)} and ${showShape(b)} (${sizeA} != ${sizeB}). ` +
          `Reshape or unsqueeze one of them so that sizes agree or are 1, counted from the last dimension.`,
      );
    }
    out[d] = sizeA === 1 ? sizeB : sizeA;
  }
  return out;
}
