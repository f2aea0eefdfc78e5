/** Pooling: one value for each window. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import type { Size2d } from "./convolution";
import { unary } from "./unary";

/** Options of pooling. */
export interface Pool2dOptions {
  /** Distance of windows; default `kernelSize`. */
  readonly stride?: Size2d;
  /** Default 0. */
  readonly padding?: Size2d;
}

/**
 * Largest element of each window.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`
 * @see torch.nn.functional.max_pool2d
 */
export function maxPool2d(x: Tensor, kernelSize: Size2d, options: Pool2dOptions = {}): Tensor {
  checkOptionNames("maxPool2d", options, ["stride", "padding"]);
  return unary(x, (node) => ops.maxPool2d(node, kernelSize, options));
}

/**
 * Mean of each window.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`
 * @param options.countIncludePad whether zeros of the padding count as elements; default true
 * @see torch.nn.functional.avg_pool2d
 */
export function avgPool2d(
  x: Tensor,
  kernelSize: Size2d,
  options: Pool2dOptions & { countIncludePad?: boolean } = {},
): Tensor {
  checkOptionNames("avgPool2d", options, ["stride", "padding", "countIncludePad"]);
  return unary(x, (node) => ops.avgPool2d(node, kernelSize, options));
}

/**
 * Mean of windows chosen so that the output has `outputSize`.
 *
 * @shape `[n, c, h, w] -> [n, c, ...outputSize]`
 * @see torch.nn.functional.adaptive_avg_pool2d
 */
export const adaptiveAvgPool2d = (x: Tensor, outputSize: Size2d): Tensor =>
  unary(x, (node) => ops.adaptiveAvgPool2d(node, outputSize));
