/** Images sampled at places that a tensor gives: what spatial transformers are made of. Composed; a gather reads the pixels. */

import { ShapeError } from "../errors";
import type { Node } from "../graph/node";
import { sameShape, type Shape, showShape } from "../graph/shape";
import { checkChoice, checkIsList } from "../options";
import { add, clamp, div, mul, neg, sub, where } from "./arithmetic";
import { expand, zeros } from "./broadcast";
import { cast } from "./cast";
import { checkDType, checkRank, checkSameDType } from "./check";
import { customVjp } from "./custom";
import { floor, round } from "./division";
import { iota } from "./generate";
import { gather } from "./indexing";
import { eq, ge, gt, le, logicalAnd, lt } from "./logic";
import { FLOAT } from "./pointwise";
import { sum } from "./reduce";
import { narrow } from "./slice";
import { reshape } from "./views";

export interface GridSampleOptions {
  readonly mode?: "bilinear" | "nearest";
  /** What lies outside: zeros, the nearest pixel of the edge, or the image mirrored at its edge. */
  readonly paddingMode?: "zeros" | "border" | "reflection";
  /** Whether -1 and 1 are the middles of the corner pixels, rather than their outer edges. */
  readonly alignCorners?: boolean;
}

const MODES = ["bilinear", "nearest"];
const PADDING_MODES = ["zeros", "border", "reflection"];

function checkGrid(x: Node, grid: Node, { mode = "bilinear", paddingMode = "zeros" }: GridSampleOptions): void {
  checkChoice("gridSample", "mode", mode, MODES);
  checkChoice("gridSample", "paddingMode", paddingMode, PADDING_MODES);
  checkDType("gridSample", [x, grid], FLOAT);
  checkSameDType("gridSample", [x, grid]);
  checkRank("gridSample", "input", x, 4, "[n, c, h, w]");
  checkRank("gridSample", "grid", grid, 4, "[n, oh, ow, 2]");
  if (grid.shape[0] !== x.shape[0] || grid.shape[3] !== 2) {
    throw new ShapeError(
      `gridSample: the grid must be [n, oh, ow, 2] with the batch of the input, got ${showShape(grid.shape)} for ${showShape(x.shape)}. ` +
        `Its last dimension holds x and y.`,
    );
  }
  if (x.shape[2]! > 0 && x.shape[3]! > 0) return;
  throw new ShapeError(`gridSample: images must not be empty, got ${showShape(x.shape)}. There is nothing to sample.`);
}

// --- places ----------------------------------------------------------------------------------------------------------

/** From -1..1 to pixels. */
function toPixels(coord: Node, size: number, alignCorners: boolean): Node {
  if (alignCorners) return mul(add(coord, 1), (size - 1) / 2);
  return sub(mul(add(coord, 1), size / 2), 0.5);
}

/** Cut to the image; NaN is the first pixel. No gradient comes from where it cuts. */
const toBorder = (pixel: Node, size: number): Node =>
  where(gt(pixel, 0), where(lt(pixel, size - 1), pixel, size - 1), 0);

/** Mirrored at the middles of the corner pixels, or at their outer edges, as often as it takes. */
function reflected(pixel: Node, size: number, alignCorners: boolean): Node {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return mul(pixel, 0);
  const signed = sub(pixel, low);
  const distance = where(lt(signed, 0), neg(signed), signed);
  const within = sub(distance, mul(floor(div(distance, 2 * span)), 2 * span));
  const back = sub(2 * span, within);
  return add(where(gt(within, back), back, within), low);
}

/** Where one coordinate of the grid lies, in pixels. */
function pixelOf(coord: Node, size: number, { paddingMode = "zeros", alignCorners = false }: GridSampleOptions): Node {
  const pixel = toPixels(coord, size, alignCorners);
  if (paddingMode === "zeros") return pixel;
  return toBorder(paddingMode === "border" ? pixel : reflected(pixel, size, alignCorners), size);
}

/** Pixels along one direction that a sample is made of, and what each weighs. */
interface Neighbours {
  /** Whole numbers, as floats: NaN and infinity are none of the image's. */
  readonly places: Node;
  readonly weights: Node;
}

/** The pixels before and after: `side` is 0 or 1. */
function neighbours(pixel: Node, side: Node): Neighbours {
  const low = floor(pixel);
  const beyond = sub(pixel, low);
  return { places: add(low, cast(side, pixel.dtype)), weights: where(eq(side, 0), sub(1, beyond), beyond) };
}

// --- samples ---------------------------------------------------------------------------------------------------------

/** Pixels `[n, c, 2 or 1, 2 or 1, samples]`: 0 outside of the image. */
function pixelsAt(x: Node, rows: Node, columns: Node): Node {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const isInside = (places: Node, size: number): Node => logicalAnd(ge(places, 0), le(places, size - 1));
  const toIndex = (places: Node, size: number): Node => cast(clamp(places, 0, size - 1), "i32");
  const inside = logicalAnd(isInside(rows, height), isInside(columns, width)); // [n, 1, 2, 2, samples]
  const index = add(mul(toIndex(rows, height), width), toIndex(columns, width));
  const shape: Shape = [batch, channels, ...index.shape.slice(2)];
  const list: Shape = [batch, channels, index.shape.slice(2).reduce((a, b) => a * b, 1)];
  const values = gather(reshape(x, [batch, channels, height * width]), 2, reshape(expand(index, shape), list));
  return where(inside, reshape(values, shape), 0);
}

/** 0, through which a tensor gets a gradient of zeros: rounded places do not move with it. */
const zeroOf = (x: Node): Node => customVjp(zeros([], x.dtype), [x], () => [zeros(x.shape, x.dtype)]);

/**
 * `x` at the places of a grid, `[n, c, h, w]` and `[n, oh, ow, 2]` to `[n, c, oh, ow]`. The grid holds x and y, from -1 at the
 * left and top to 1 at the right and bottom.
 */
export function gridSample(x: Node, grid: Node, options: GridSampleOptions = {}): Node {
  checkGrid(x, grid, options);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [, outHeight, outWidth] = grid.shape as [number, number, number];
  const output: Shape = [batch, channels, outHeight, outWidth];
  const sides = options.mode === "nearest" ? 1 : 2; // pixels that a sample takes, in each direction
  const shape: Shape = [batch, 1, sides, sides, outHeight * outWidth];
  const coordinate = (d: number): Node =>
    expand(reshape(narrow(grid, 3, d, 1), [batch, 1, 1, 1, outHeight * outWidth]), shape);
  const column = pixelOf(coordinate(0), width, options);
  const row = pixelOf(coordinate(1), height, options);
  if (sides === 1) {
    const nearest = reshape(pixelsAt(x, round(row), round(column)), output);
    return grid.requiresGrad ? sub(nearest, zeroOf(grid)) : nearest;
  }
  const rows = neighbours(row, expand(reshape(iota(2), [2, 1, 1]), shape));
  const columns = neighbours(column, expand(reshape(iota(2), [2, 1]), shape));
  const pixels = pixelsAt(x, rows.places, columns.places);
  return reshape(sum(mul(pixels, mul(rows.weights, columns.weights)), [2, 3]), output);
}

// --- grids -----------------------------------------------------------------------------------------------------------

/** Middles of `size` pixels from -1 to 1, or with the outer ones at -1 and 1. */
function centers(size: number, alignCorners: boolean, like: Node): Node {
  const index = cast(iota(size), like.dtype);
  if (alignCorners) return size === 1 ? mul(index, 0) : sub(mul(index, 2 / (size - 1)), 1);
  return sub(div(add(mul(index, 2), 1), size), 1);
}

/** The grid of an affine map: `theta [n, 2, 3]` to `[n, h, w, 2]` for an output `size` `[n, c, h, w]`. */
export function affineGrid(theta: Node, size: Shape, alignCorners = false): Node {
  checkDType("affineGrid", [theta], FLOAT);
  checkIsList("affineGrid", "size", size);
  if (size.length !== 4 || !size.every((count) => Number.isInteger(count) && count > 0)) {
    throw new ShapeError(
      `affineGrid: size must be [n, c, h, w] of positive integers, got ${showShape(size)}. It is the shape of the output of gridSample.`,
    );
  }
  const [batch, , height, width] = size as [number, number, number, number];
  if (!sameShape(theta.shape, [batch, 2, 3])) {
    throw new ShapeError(
      `affineGrid: theta must be [${batch}, 2, 3] for size ${showShape(size)}, got ${showShape(theta.shape)}. Pass a 2 x 3 matrix for each image.`,
    );
  }
  const factor = (d: number): Node => reshape(narrow(theta, 2, d, 1), [batch, 1, 1, 2]);
  const across = reshape(centers(width, alignCorners, theta), [1, width, 1]);
  const down = reshape(centers(height, alignCorners, theta), [height, 1, 1]);
  return add(add(mul(factor(0), across), mul(factor(1), down)), factor(2));
}
