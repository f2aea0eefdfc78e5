/** The same elements in another order, or several times: rolled, turned, repeated. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { normalizeDim, type Shape, showShape } from "../graph/shape";
import { checkIsList } from "../options";
import { expand } from "./broadcast";
import { cat } from "./join";
import { flip, narrow } from "./slice";
import { atLeast, reshape, transpose, unsqueeze } from "./views";

/** Elements moved on by `shifts` along `dims`, those at the end to the front; without dims, in the flat tensor. */
export function roll(x: Node, shifts: number | readonly number[], dims?: number | readonly number[]): Node {
  const distances = [shifts].flat();
  if (dims === undefined && distances.length === 1) return reshape(roll(reshape(x, [-1]), shifts, 0), x.shape);
  const along = [dims ?? []].flat();
  if (along.length !== distances.length || !distances.every(Number.isInteger)) {
    throw new ShapeError(
      `roll: shifts must be as many integers as dims, got ${showShape(distances)} and ${showShape(along)}. Name a shift for each dim.`,
    );
  }
  return along.reduce((result, dim, i) => rollOne(result, distances[i]!, dim), x);
}

function rollOne(x: Node, shift: number, dim: number): Node {
  const at = normalizeDim("roll", dim, x.shape.length);
  const size = x.shape[at] ?? 1;
  const distance = size === 0 ? 0 : ((shift % size) + size) % size;
  if (distance === 0) return x;
  return cat([narrow(x, at, size - distance, distance), narrow(x, at, 0, size - distance)], at);
}

/** Turned by `k` quarters in the plane of two dims, from the first towards the second. */
export function rot90(x: Node, k = 1, dims: readonly number[] = [0, 1]): Node {
  checkIsList("rot90", "dims", dims);
  const [a, b] = dims.map((dim) => normalizeDim("rot90", dim, x.shape.length));
  if (dims.length !== 2 || a === b || !Number.isInteger(k)) {
    throw new ShapeError(
      `rot90: there must be a whole number of quarters and two dims, got ${k} and ${showShape(dims)}. Name the plane, [0, 1] say.`,
    );
  }
  switch (((k % 4) + 4) % 4) {
    case 1:
      return transpose(flip(x, b!), a!, b!);
    case 2:
      return flip(x, [a!, b!]);
    case 3:
      return transpose(flip(x, a!), a!, b!);
    default:
      return x;
  }
}

/** The tensor `times[d]` times along each dimension; new dimensions come first. */
export function repeat(x: Node, times: Shape): Node {
  const lead = times.length - x.shape.length;
  if (lead < 0 || !times.every((count) => Number.isInteger(count) && count >= 0)) {
    throw new ShapeError(
      `repeat: there must be a count of at least 0 for each dimension, got ${showShape(times)} for ${showShape(x.shape)}. Use tile for fewer.`,
    );
  }
  const shape = [...new Array<number>(lead).fill(1), ...x.shape];
  const apart = shape.flatMap((size) => [1, size]);
  const repeated = shape.flatMap((size, d) => [times[d]!, size]);
  return reshape(
    expand(reshape(x, apart), repeated),
    shape.map((size, d) => size * times[d]!),
  );
}

/** As `repeat`; counts that are missing in front are 1. */
export const tile = (x: Node, times: Shape): Node =>
  repeat(x, [...new Array<number>(Math.max(x.shape.length - times.length, 0)).fill(1), ...times]);

/** Each element `times` times in a row along `dim`; without dim, of the flat tensor. */
export function repeatInterleave(x: Node, times: number, dim?: number): Node {
  if (!(Number.isInteger(times) && times >= 0)) {
    throw new ValueError(`repeatInterleave: repeats must be an integer of at least 0, got ${times}. Pass a count.`);
  }
  if (dim === undefined) return repeatInterleave(reshape(x, [-1]), times, 0);
  const from = atLeast(1, x);
  const at = normalizeDim("repeatInterleave", dim, from.shape.length);
  const apart = unsqueeze(from, at + 1);
  const repeated = expand(apart, apart.shape.with(at + 1, times));
  return reshape(repeated, from.shape.with(at, from.shape[at]! * times));
}
