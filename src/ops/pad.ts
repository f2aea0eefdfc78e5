/** More elements around a tensor: a constant, or its own elements again. Negative padding cuts. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { resized, type Shape, showShape } from "../graph/shape";
import { where } from "./arithmetic";
import { expand, ones } from "./broadcast";
import { fitted } from "./cast";
import { cat } from "./join";
import { flip, narrow, padZeros, slice } from "./slice";

/** What lies around: a constant, the tensor mirrored at its edge, the edge itself, or the other end. */
export type PadMode = "constant" | "reflect" | "replicate" | "circular";

/** Counts of elements per dimension. */
interface Margins {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * Elements around a tensor. Padding lists the last dimension first, as in PyTorch: `[left, right, top, bottom]`.
 * Negative padding cuts.
 */
export function pad(x: Node, padding: readonly number[], value = 0, mode: PadMode = "constant"): Node {
  const margins = marginsOf(x.shape, padding);
  const fill = FILLS[mode] as ((x: Node, margins: Margins, value: number) => Node) | undefined;
  if (!fill) {
    throw new ValueError(
      `pad: mode must be ${Object.keys(FILLS).join(" or ")}, got ${JSON.stringify(mode)}. Pass one of them.`,
    );
  }
  return fill(x, margins, value);
}

const FILLS: Readonly<Record<PadMode, (x: Node, margins: Margins, value: number) => Node>> = {
  constant: padConstant,
  reflect: (x, margins) => padEach(x, margins, reflected),
  replicate: (x, margins) => padEach(x, margins, replicated),
  circular: (x, margins) => padEach(x, margins, wrapped),
};

function marginsOf(shape: Shape, padding: readonly number[]): Margins {
  const rank = shape.length;
  const isList: boolean = Array.isArray(padding); // callers without types may pass one number
  if (!isList || padding.length % 2 !== 0 || padding.length > 2 * rank || !padding.every(Number.isInteger)) {
    throw new ShapeError(
      `pad: padding must be pairs of integers, at most one per dimension, got ${showShape(padding)} for ${showShape(shape)}. ` +
        `List before and after of the last dimension first.`,
    );
  }
  const side = (offset: 0 | 1): number[] => shape.map((_, d) => padding[2 * (rank - 1 - d) + offset] ?? 0);
  return { before: side(0), after: side(1) };
}

function padConstant(x: Node, { before, after }: Margins, value: number): Node {
  const kept = cutNegative(x, before, after);
  const low = before.map((count) => Math.max(count, 0));
  const high = after.map((count) => Math.max(count, 0));
  const padded = padZeros(kept, low, high);
  if (Object.is(value, 0) || padded === kept) return padded;
  return where(padZeros(ones(kept.shape, "bool"), low, high), padded, fitted("pad", value, x.dtype));
}

function cutNegative(x: Node, before: readonly number[], after: readonly number[]): Node {
  const starts = before.map((count) => Math.max(-count, 0));
  const ends = after.map((count, d) => x.shape[d]! + Math.min(count, 0));
  if (ends.some((end, d) => end < starts[d]!)) {
    throw new ShapeError(
      `pad: negative padding must leave something, got ${showShape(before)} before and ${showShape(after)} after ${showShape(x.shape)}. Cut less.`,
    );
  }
  return slice(x, starts, ends);
}

/** What lies before or after `x` along `dim`: `count` elements. */
type Border = (x: Node, dim: number, count: number, side: "before" | "after") => Node;

/** Pads one dimension after the other with what `border` makes of the whole tensor; then cuts. */
function padEach(x: Node, { before, after }: Margins, border: Border): Node {
  const padded = x.shape.reduce((result, _, dim) => {
    const low = Math.max(before[dim]!, 0);
    const high = Math.max(after[dim]!, 0);
    const parts = [
      ...(low > 0 ? [border(result, dim, low, "before")] : []),
      result,
      ...(high > 0 ? [border(result, dim, high, "after")] : []),
    ];
    return cat(parts, dim);
  }, x);
  const negative = (counts: readonly number[]): number[] => counts.map((count) => Math.min(count, 0));
  return cutNegative(padded, negative(before), negative(after));
}

function checkBorder(x: Node, dim: number, count: number, most: number, why: string): void {
  if (count <= most) return;
  throw new ShapeError(
    `pad: padding must be at most ${most} in dim ${dim} of ${showShape(x.shape)} for ${why}, got ${count}. Pad less, or in steps.`,
  );
}

/** The elements next to the edge, mirrored; the edge itself is not repeated. */
function reflected(x: Node, dim: number, count: number, side: "before" | "after"): Node {
  const size = x.shape[dim]!;
  checkBorder(x, dim, count, Math.max(size - 1, 0), `mode "reflect"`);
  return flip(narrow(x, dim, side === "before" ? 1 : size - 1 - count, count), dim);
}

function replicated(x: Node, dim: number, count: number, side: "before" | "after"): Node {
  const size = x.shape[dim]!;
  checkBorder(x, dim, count, size > 0 ? Infinity : 0, `mode "replicate"`);
  return expand(narrow(x, dim, side === "before" ? 0 : size - 1, 1), resized(x.shape, dim, count));
}

/** The elements of the other end. */
function wrapped(x: Node, dim: number, count: number, side: "before" | "after"): Node {
  const size = x.shape[dim]!;
  checkBorder(x, dim, count, size, `mode "circular"`);
  return narrow(x, dim, side === "before" ? size - count : 0, count);
}
