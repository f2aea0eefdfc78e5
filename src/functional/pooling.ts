/** Pooling: one value for each window. */

import { naming } from "../errors";
import type { Node } from "../graph/node";
import * as ops from "../ops";
import { checkOptionNames } from "../options";
import { build, checkTensors, type Tensor, type ValuesAndIndices, wrap } from "../tensor";
import type { Size1d, Size2d } from "./convolution";
import { unary } from "./unary";

interface PoolOptions<Size> {
  /** Distance of windows; default `kernelSize`. */
  readonly stride?: Size | null;
  /** Elements around the input that no window counts; at most half of `kernelSize`; default 0. */
  readonly padding?: Size;
  /** Whether a last window may reach past the end; default false. */
  readonly ceilMode?: boolean;
}

interface MaxPoolOptions<Size> extends PoolOptions<Size> {
  /** Distance of a window's elements; default 1. */
  readonly dilation?: Size;
  /** Whether to give also where in its plane each maximum lies; default false. */
  readonly returnIndices?: boolean;
}

interface AvgPoolOptions<Size> extends PoolOptions<Size> {
  /** Whether zeros of the padding count as elements; default true. */
  readonly countIncludePad?: boolean;
  /** What sums are divided by, instead of the number of elements. */
  readonly divisorOverride?: number | null;
}

/** Options of `maxPool1d`, PyTorch's names. */
export type MaxPool1dOptions = MaxPoolOptions<Size1d>;
/** Options of `maxPool2d`, PyTorch's names. */
export type MaxPool2dOptions = MaxPoolOptions<Size2d>;
/** Options of `avgPool1d`, PyTorch's names. */
export type AvgPool1dOptions = Omit<AvgPoolOptions<Size1d>, "divisorOverride">;
/** Options of `avgPool2d`, PyTorch's names. */
export type AvgPool2dOptions = AvgPoolOptions<Size2d>;
/** Options of `lpPool1d`, PyTorch's names. */
export type LPPool1dOptions = Pick<PoolOptions<Size1d>, "stride" | "ceilMode">;
/** Options of `lpPool2d`, PyTorch's names. */
export type LPPool2dOptions = Pick<PoolOptions<Size2d>, "stride" | "ceilMode">;

/** Sizes of an adaptive pooling's output, `[height, width]` or one for both; null keeps the input's. */
export type OutputSize2d = number | null | readonly [height: number | null, width: number | null];
/** Size of an adaptive pooling's output; null keeps the input's. */
export type OutputSize1d = number | null | readonly [length: number | null];

interface MaxUnpoolOptions<Size> {
  /** The pooling's; default `kernelSize`. */
  readonly stride?: Size | null;
  /** The pooling's; default 0. */
  readonly padding?: Size;
  /** Sizes of what was pooled, where several give the same. */
  readonly outputSize?: Size | null;
}

/** Options of `maxUnpool1d`, PyTorch's names. */
export type MaxUnpool1dOptions = MaxUnpoolOptions<Size1d>;
/** Options of `maxUnpool2d`, PyTorch's names. */
export type MaxUnpool2dOptions = MaxUnpoolOptions<Size2d>;

type Indices = { readonly returnIndices: true };
type NoIndices = { readonly returnIndices?: false };

const MAX_POOL = ["stride", "padding", "dilation", "ceilMode", "returnIndices"];

/** Values, with their indices where they are asked for. */
function maxima(
  op: string,
  x: Tensor,
  make: (node: Node) => ops.MaxPooled,
  withIndices: boolean,
): Tensor | ValuesAndIndices {
  checkTensors(op, x);
  const { values, indices } = naming(op, () => make(x.node));
  const output = wrap(values, x.device);
  return withIndices ? { values: output, indices: wrap(indices, x.device) } : output;
}

/**
 * Largest element of each window; NaN where there is one.
 *
 * @shape `[n, c, l] -> [n, c, ol]`, also without the batch
 * @returns with `returnIndices` `{ values, indices }`, indices being i32
 * @throws ShapeError if no window fits
 * @throws ValueError if padding is more than half of `kernelSize`, or a window steps over the whole input
 * @see torch.nn.functional.max_pool1d
 */
export function maxPool1d(x: Tensor, kernelSize: Size1d, options: MaxPool1dOptions & Indices): ValuesAndIndices;
export function maxPool1d(x: Tensor, kernelSize: Size1d, options?: MaxPool1dOptions & NoIndices): Tensor;
export function maxPool1d(x: Tensor, kernelSize: Size1d, options: MaxPool1dOptions = {}): Tensor | ValuesAndIndices {
  checkOptionNames("maxPool1d", options, MAX_POOL);
  return maxima("maxPool1d", x, (node) => ops.maxPool1d(node, kernelSize, options), options.returnIndices ?? false);
}

/**
 * Largest element of each window; NaN where there is one.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`, also without the batch
 * @returns with `returnIndices` `{ values, indices }`: `y * w + x` of each maximum, i32
 * @throws ShapeError if no window fits
 * @throws ValueError if padding is more than half of `kernelSize`, or a window steps over the whole input
 * @see torch.nn.functional.max_pool2d
 *
 * @example
 * const { values, indices } = F.maxPool2d(x, 3, { stride: 2, padding: 1, returnIndices: true });
 */
export function maxPool2d(x: Tensor, kernelSize: Size2d, options: MaxPool2dOptions & Indices): ValuesAndIndices;
export function maxPool2d(x: Tensor, kernelSize: Size2d, options?: MaxPool2dOptions & NoIndices): Tensor;
export function maxPool2d(x: Tensor, kernelSize: Size2d, options: MaxPool2dOptions = {}): Tensor | ValuesAndIndices {
  checkOptionNames("maxPool2d", options, MAX_POOL);
  return maxima("maxPool2d", x, (node) => ops.maxPool2d(node, kernelSize, options), options.returnIndices ?? false);
}

/**
 * Maxima back where they were before a pooling, all else 0.
 *
 * @shape x and indices `[n, c, l] -> [n, c, ol]`, also without the batch
 * @param indices those of `maxPool1d`
 * @throws ShapeError unless the indices have the input's shape
 * @throws ValueError if `outputSize` is none that such a pooling makes the input of
 * @see torch.nn.functional.max_unpool1d
 */
export function maxUnpool1d(x: Tensor, indices: Tensor, kernelSize: Size1d, options: MaxUnpool1dOptions = {}): Tensor {
  checkOptionNames("maxUnpool1d", options, ["stride", "padding", "outputSize"]);
  checkTensors("maxUnpool1d", x, indices);
  return build("maxUnpool1d", [x, indices], (input, places) => ops.maxUnpool1d(input, places, kernelSize, options));
}

/**
 * Maxima back where they were before a pooling, all else 0.
 *
 * @shape x and indices `[n, c, h, w] -> [n, c, oh, ow]`, also without the batch
 * @param indices those of `maxPool2d`
 * @throws ShapeError unless the indices have the input's shape
 * @throws ValueError if `outputSize` is none that such a pooling makes the input of
 * @see torch.nn.functional.max_unpool2d
 *
 * @example
 * const { values, indices } = F.maxPool2d(x, 2, { returnIndices: true });
 * const sparse = F.maxUnpool2d(values, indices, 2);
 */
export function maxUnpool2d(x: Tensor, indices: Tensor, kernelSize: Size2d, options: MaxUnpool2dOptions = {}): Tensor {
  checkOptionNames("maxUnpool2d", options, ["stride", "padding", "outputSize"]);
  checkTensors("maxUnpool2d", x, indices);
  return build("maxUnpool2d", [x, indices], (input, places) => ops.maxUnpool2d(input, places, kernelSize, options));
}

/**
 * Largest element of windows chosen so that the output has `outputSize`; NaN where there is one.
 *
 * @shape `[n, c, l] -> [n, c, outputSize]`, also without the batch
 * @returns with `returnIndices` `{ values, indices }`, indices being i32
 * @see torch.nn.functional.adaptive_max_pool1d
 */
export function adaptiveMaxPool1d(x: Tensor, outputSize: OutputSize1d, options: Indices): ValuesAndIndices;
export function adaptiveMaxPool1d(x: Tensor, outputSize: OutputSize1d, options?: NoIndices): Tensor;
export function adaptiveMaxPool1d(
  x: Tensor,
  outputSize: OutputSize1d,
  options: { returnIndices?: boolean } = {},
): Tensor | ValuesAndIndices {
  checkOptionNames("adaptiveMaxPool1d", options, ["returnIndices"]);
  return maxima(
    "adaptiveMaxPool1d",
    x,
    (node) => ops.adaptiveMaxPool1d(node, outputSize),
    options.returnIndices ?? false,
  );
}

/**
 * Largest element of windows chosen so that the output has `outputSize`; NaN where there is one.
 *
 * @shape `[n, c, h, w] -> [n, c, ...outputSize]`, also without the batch
 * @returns with `returnIndices` `{ values, indices }`: `y * w + x` of each maximum, i32
 * @see torch.nn.functional.adaptive_max_pool2d
 */
export function adaptiveMaxPool2d(x: Tensor, outputSize: OutputSize2d, options: Indices): ValuesAndIndices;
export function adaptiveMaxPool2d(x: Tensor, outputSize: OutputSize2d, options?: NoIndices): Tensor;
export function adaptiveMaxPool2d(
  x: Tensor,
  outputSize: OutputSize2d,
  options: { returnIndices?: boolean } = {},
): Tensor | ValuesAndIndices {
  checkOptionNames("adaptiveMaxPool2d", options, ["returnIndices"]);
  return maxima(
    "adaptiveMaxPool2d",
    x,
    (node) => ops.adaptiveMaxPool2d(node, outputSize),
    options.returnIndices ?? false,
  );
}

/**
 * Mean of each window.
 *
 * @shape `[n, c, l] -> [n, c, ol]`, also without the batch
 * @throws ShapeError if no window fits
 * @see torch.nn.functional.avg_pool1d
 */
export function avgPool1d(x: Tensor, kernelSize: Size1d, options: AvgPool1dOptions = {}): Tensor {
  checkOptionNames("avgPool1d", options, ["stride", "padding", "ceilMode", "countIncludePad"]);
  return unary("avgPool1d", x, (node) => ops.avgPool1d(node, kernelSize, options));
}

/**
 * Mean of each window.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`, also without the batch
 * @throws ShapeError if no window fits
 * @throws ValueError if `divisorOverride` is 0
 * @see torch.nn.functional.avg_pool2d
 */
export function avgPool2d(x: Tensor, kernelSize: Size2d, options: AvgPool2dOptions = {}): Tensor {
  checkOptionNames("avgPool2d", options, ["stride", "padding", "ceilMode", "countIncludePad", "divisorOverride"]);
  return unary("avgPool2d", x, (node) => ops.avgPool2d(node, kernelSize, options));
}

/**
 * `(sum of x ^ normType) ^ (1 / normType)` of each window.
 *
 * @shape `[n, c, l] -> [n, c, ol]`, also without the batch
 * @see torch.nn.functional.lp_pool1d
 */
export function lpPool1d(x: Tensor, normType: number, kernelSize: Size1d, options: LPPool1dOptions = {}): Tensor {
  checkOptionNames("lpPool1d", options, ["stride", "ceilMode"]);
  return unary("lpPool1d", x, (node) => ops.lpPool1d(node, normType, kernelSize, options));
}

/**
 * `(sum of x ^ normType) ^ (1 / normType)` of each window.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`, also without the batch
 * @see torch.nn.functional.lp_pool2d
 */
export function lpPool2d(x: Tensor, normType: number, kernelSize: Size2d, options: LPPool2dOptions = {}): Tensor {
  checkOptionNames("lpPool2d", options, ["stride", "ceilMode"]);
  return unary("lpPool2d", x, (node) => ops.lpPool2d(node, normType, kernelSize, options));
}

/**
 * Mean of windows chosen so that the output has `outputSize`.
 *
 * @shape `[n, c, l] -> [n, c, outputSize]`, also without the batch
 * @see torch.nn.functional.adaptive_avg_pool1d
 */
export const adaptiveAvgPool1d = (x: Tensor, outputSize: OutputSize1d): Tensor =>
  unary("adaptiveAvgPool1d", x, (node) => ops.adaptiveAvgPool1d(node, outputSize));

/**
 * Mean of windows chosen so that the output has `outputSize`.
 *
 * @shape `[n, c, h, w] -> [n, c, ...outputSize]`, also without the batch
 * @see torch.nn.functional.adaptive_avg_pool2d
 */
export const adaptiveAvgPool2d = (x: Tensor, outputSize: OutputSize2d): Tensor =>
  unary("adaptiveAvgPool2d", x, (node) => ops.adaptiveAvgPool2d(node, outputSize));
