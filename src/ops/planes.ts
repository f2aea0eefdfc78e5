/**
 * Images and signals as users pass them: 1-d or 2-d, in batches or one alone. All come down to planes `[n, c, h, w]`, a
 * signal being an image of one row, and options to pairs for height and width.
 */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { type Shape, showShape } from "../graph/shape";
import { reshape } from "./views";

export type Pair = readonly [height: number, width: number];

/** One number for all spatial dimensions, or one for each. */
export type Sizes = number | readonly number[];

/** Number of spatial dimensions: 1 for signals, 2 for images. */
export type Spatial = 1 | 2;

/**
 * An integer option as a pair for height and width.
 *
 * @param least the smallest value that is allowed
 * @param missing what a signal's one row has
 */
export function pairOf(op: string, name: string, value: Sizes, spatial: Spatial, least: number, missing: number): Pair {
  const sizes = typeof value === "number" ? new Array<number>(spatial).fill(value) : value;
  const fits =
    Array.isArray(sizes) && sizes.length === spatial && sizes.every((size) => Number.isInteger(size) && size >= least);
  if (!fits) {
    const many = spatial === 1 ? "an integer" : "one or two integers";
    throw new ValueError(
      `${op}: ${name} must be ${many} of at least ${least}, got ${showValue(value)}. Check the options.`,
    );
  }
  return spatial === 1 ? [missing, sizes[0]!] : [sizes[0]!, sizes[1]!];
}

const showValue = (value: Sizes): string => (Array.isArray(value) ? showShape(value) : String(value));

/** A pair without what only an image has. */
export const withoutRow = ([height, width]: Pair, spatial: Spatial): readonly number[] =>
  spatial === 1 ? [width] : [height, width];

/** `[c, h, w] or [n, c, h, w]`, as errors show it. */
const layouts = (spatial: Spatial): string => (spatial === 1 ? "[c, l] or [n, c, l]" : "[c, h, w] or [n, c, h, w]");

/** Checks the rank of an image or signal, or of a batch of them. */
export function checkPlanes(op: string, x: Node, spatial: Spatial): void {
  const rank = x.shape.length;
  if (rank === spatial + 1 || rank === spatial + 2) return;
  throw new ShapeError(
    `${op}: the input must be ${layouts(spatial)}, got ${showShape(x.shape)}. Reshape or unsqueeze it.`,
  );
}

/** The shape of what `checkPlanes` lets pass, as planes. */
export function planeShape(shape: Shape, spatial: Spatial): readonly [number, number, number, number] {
  const inner = shape.slice(-spatial - 1) as [number, ...number[]];
  const batch = shape.length === spatial + 1 ? 1 : shape[0]!;
  const [channels, height, width] = spatial === 1 ? [inner[0], 1, inner[1]!] : inner;
  return [batch, channels, height!, width!];
}

/** What a builder on planes `[n, c, h, w]` makes, in the rank that the user's tensor has. */
export function onPlanes(x: Node, spatial: Spatial, make: (planes: Node) => Node): Node {
  return backTo(x, spatial, make(reshape(x, planeShape(x.shape, spatial))));
}

/** Planes in the rank of the tensor that they were made of. */
export function backTo(x: Node, spatial: Spatial, planes: Node): Node {
  const [batch, channels, height, width] = planes.shape as [number, number, number, number];
  const lead = x.shape.length === spatial + 1 ? [channels] : [batch, channels];
  return reshape(planes, [...lead, ...withoutRow([height, width], spatial)]);
}

/** Windows along one dimension; with `ceilMode` also one that reaches past the end, if it starts before it. */
export function windowsAlong(
  size: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation = 1,
  ceilMode = false,
): number {
  const room = size + 2 * padding - dilation * (kernel - 1) - 1;
  const windows = (ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  return ceilMode && (windows - 1) * stride >= size + padding ? windows - 1 : windows;
}
