/** Average pooling, composed of sums: each window adds its own elements only, so that no infinity or NaN leaves its window. */

import { ValueError } from "../errors";
import type { Node } from "../graph/node";
import { sameShape } from "../graph/shape";
import { abs, add, div, maximum, minimum, mul, relu, sign, sub } from "./arithmetic";
import { checkDType } from "./check";
import { iota } from "./generate";
import type { Pool2dInfo } from "./kernelInfo";
import { table } from "./leaf";
import { pow } from "./math";
import {
  adaptiveSize,
  adaptiveWindow,
  type OutputSizes,
  type PoolAttrs,
  poolAttrs,
  poolInfo,
  type PoolOptions,
} from "./maxPool";
import { checkPlanes, onPlanes, type Pair, pairOf, type Sizes, type Spatial } from "./planes";
import { FLOAT } from "./pointwise";
import { mean } from "./moments";
import { inF32 } from "./precision";
import { narrow, padZeros, slice } from "./slice";
import { mapAlong } from "./taps";
import { reshape, unsqueeze } from "./views";

export interface AvgPoolOptions extends PoolOptions {
  /** Whether zeros of the padding count as elements. */
  readonly countIncludePad?: boolean;
  /** What sums are divided by, instead of the number of elements. */
  readonly divisorOverride?: number | null;
}

/** Windows of a fixed size along one dimension. */
interface Sliding {
  readonly size: number;
  readonly windows: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

function slidingOf(info: Pool2dInfo): { rows: Sliding; columns: Sliding } {
  return {
    rows: {
      size: info.height,
      windows: info.outHeight,
      kernel: info.kernelHeight,
      stride: info.strideHeight,
      padding: info.padHeight,
    },
    columns: {
      size: info.width,
      windows: info.outWidth,
      kernel: info.kernelWidth,
      stride: info.strideWidth,
      padding: info.padWidth,
    },
  };
}

// --- sums ------------------------------------------------------------------------------------------------------------

// Sums over windows are separable: rows first, then columns.

/** Sum of `kernel` neighbours along `dim` from each place on, by doubling. */
function sumOfNeighbours(x: Node, dim: number, kernel: number): Node {
  if (kernel === 1) return x;
  const half = Math.floor(kernel / 2);
  const halves = sumOfNeighbours(x, dim, half);
  const windows = x.shape[dim]! - kernel + 1;
  const both = add(narrow(halves, dim, 0, windows), narrow(halves, dim, half, windows));
  return kernel % 2 === 0 ? both : add(both, narrow(x, dim, kernel - 1, windows));
}

/** Sums over sliding windows along `dim`. */
function sumSliding(x: Node, dim: number, { size, windows, kernel, stride, padding }: Sliding): Node {
  const reach = (windows - 1) * stride + kernel;
  const along = (count: number): number[] => x.shape.map((_, d) => (d === dim ? count : 0));
  const padded = padZeros(x, along(padding), along(Math.max(reach - padding - size, 0)));
  const sums = sumOfNeighbours(narrow(padded, dim, 0, reach), dim, kernel);
  if (stride === 1) return sums;
  return slice(
    sums,
    [],
    [],
    x.shape.map((_, d) => (d === dim ? stride : 1)),
  );
}

/** How many elements of each window lie in the image, and its padding if `margin` says so; i32 `[windows]`. */
function countInside({ size, windows, kernel, stride, padding }: Sliding, margin: number): Node {
  const starts = sub(mul(iota(windows), stride), padding);
  return sub(minimum(add(starts, kernel), size + margin), maximum(starts, -margin));
}

/** Whether the last window reaches past the padding. */
const isCut = ({ size, windows, kernel, stride, padding }: Sliding): boolean =>
  (windows - 1) * stride + kernel > size + 2 * padding;

/** What the sums of windows are divided by: a number, or one for each row and column. */
function divisors(rows: Sliding, columns: Sliding, options: AvgPoolOptions): Node | number {
  const { countIncludePad = true, divisorOverride = null } = options;
  if (divisorOverride !== null) return divisorOverride;
  if (countIncludePad && !isCut(rows) && !isCut(columns)) return rows.kernel * columns.kernel;
  const count = (sliding: Sliding): Node => countInside(sliding, countIncludePad ? sliding.padding : 0);
  return mul(unsqueeze(count(rows), 1), count(columns));
}

/** Means of tiles that divide the plane evenly. */
function meanOfTiles(x: Node, outHeight: number, outWidth: number): Node {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  if (outHeight === 1 && outWidth === 1) return mean(x, [2, 3], true);
  return mean(reshape(x, [n, c, outHeight, height / outHeight, outWidth, width / outWidth]), [3, 5]);
}

// --- fixed windows ---------------------------------------------------------------------------------------------------

function checkDivisor(op: string, { divisorOverride = null }: AvgPoolOptions): void {
  if (divisorOverride === null || (Number.isInteger(divisorOverride) && divisorOverride !== 0)) return;
  throw new ValueError(
    `${op}: divisorOverride must be an integer other than 0, got ${divisorOverride}. Leave it out to divide by the window's size.`,
  );
}

function averageOfPlanes(op: string, planes: Node, attrs: PoolAttrs, options: AvgPoolOptions): Node {
  const info = poolInfo(op, planes.shape, attrs);
  const { rows, columns } = slidingOf(info);
  const isTiling =
    sameShape(attrs.stride, attrs.kernelSize) &&
    [rows, columns].every(({ size, windows, kernel, padding }) => size === windows * kernel && padding === 0) &&
    (options.divisorOverride ?? null) === null;
  if (isTiling) return meanOfTiles(planes, info.outHeight, info.outWidth);
  return div(sumSliding(sumSliding(planes, 2, rows), 3, columns), divisors(rows, columns, options));
}

function avgPool(op: string, spatial: Spatial, x: Node, kernelSize: Sizes, options: AvgPoolOptions): Node {
  checkDType(op, [x], FLOAT);
  checkPlanes(op, x, spatial);
  checkDivisor(op, options);
  const attrs = poolAttrs(op, spatial, kernelSize, options);
  return inF32([x], (wide) => onPlanes(wide, spatial, (planes) => averageOfPlanes(op, planes, attrs, options)));
}

/** Mean of each window, `[n, c, l]` to `[n, c, ol]`. */
export const avgPool1d = (x: Node, kernelSize: Sizes, options: AvgPoolOptions = {}): Node =>
  avgPool("avgPool1d", 1, x, kernelSize, options);

/** Mean of each window, `[n, c, h, w]` to `[n, c, oh, ow]`. */
export const avgPool2d = (x: Node, kernelSize: Sizes, options: AvgPoolOptions = {}): Node =>
  avgPool("avgPool2d", 2, x, kernelSize, options);

/** `(sum of x ^ p) ^ (1 / p)` of each window. A window that is cut at the end counts as many elements as a whole one, as in PyTorch. */
function lpPool(op: string, spatial: Spatial, x: Node, p: number, kernelSize: Sizes, options: PoolOptions): Node {
  if (!(p !== 0 && Number.isFinite(p))) {
    throw new ValueError(`${op}: normType must be a finite number other than 0, got ${p}. Use maxPool for infinity.`);
  }
  const [height, width]: Pair = pairOf(op, "kernelSize", kernelSize, spatial, 1, 1);
  const means = avgPool(op, spatial, pow(x, p), kernelSize, options);
  return pow(mul(mul(sign(means), relu(abs(means))), height * width), 1 / p);
}

/** Power average of each window, `[n, c, l]` to `[n, c, ol]`. */
export const lpPool1d = (x: Node, normType: number, kernelSize: Sizes, options: PoolOptions = {}): Node =>
  lpPool("lpPool1d", 1, x, normType, kernelSize, options);

/** Power average of each window, `[n, c, h, w]` to `[n, c, oh, ow]`. */
export const lpPool2d = (x: Node, normType: number, kernelSize: Sizes, options: PoolOptions = {}): Node =>
  lpPool("lpPool2d", 2, x, normType, kernelSize, options);

// --- adaptive windows ------------------------------------------------------------------------------------------------

/** Means along `dim` over `windows` windows of nearly equal size that cover it. */
export function meanAdaptive(x: Node, dim: number, windows: number): Node {
  const size = x.shape[dim]!;
  const after = x.shape.slice(dim + 1).map(() => 1);
  if (size % windows === 0) {
    const tiles = [...x.shape.slice(0, dim), windows, size / windows, ...x.shape.slice(dim + 1)];
    return mean(reshape(x, tiles), dim + 1);
  }
  const bounds = Array.from({ length: windows }, (_, index) => adaptiveWindow(index, size, windows));
  const rows = bounds.map(([start, end]) =>
    Array.from({ length: end - start }, (_, i) => ({ place: start + i, weight: 1 })),
  );
  const counts = table(
    Int32Array.from(bounds, ([start, end]) => end - start),
    [windows, ...after],
    "i32",
  );
  return div(mapAlong(x, dim, { size, rows }), counts);
}

function adaptiveAvgPool(op: string, spatial: Spatial, x: Node, outputSize: OutputSizes): Node {
  const [outHeight, outWidth] = adaptiveSize(op, x, spatial, outputSize);
  return inF32([x], (wide) =>
    onPlanes(wide, spatial, (planes) => {
      const [height, width] = planes.shape.slice(2) as [number, number];
      if (height % outHeight === 0 && width % outWidth === 0) return meanOfTiles(planes, outHeight, outWidth);
      return meanAdaptive(meanAdaptive(planes, 2, outHeight), 3, outWidth);
    }),
  );
}

/** Mean over windows chosen so that the output has `outputSize`, `[n, c, l]` to `[n, c, outputSize]`. */
export const adaptiveAvgPool1d = (x: Node, outputSize: OutputSizes): Node =>
  adaptiveAvgPool("adaptiveAvgPool1d", 1, x, outputSize);

/** Mean over windows chosen so that the output has `outputSize`, `[n, c, h, w]` to `[n, c, ...outputSize]`. */
export const adaptiveAvgPool2d = (x: Node, outputSize: OutputSizes): Node =>
  adaptiveAvgPool("adaptiveAvgPool2d", 2, x, outputSize);
