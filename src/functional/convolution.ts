/** Convolutions. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
import { build, type Tensor } from "../tensor";

/** One size for both directions, or `[height, width]`. */
export type Size2d = number | ops.Pair;

/** Options of `conv2d`, PyTorch's names. */
export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: Size2d;
  /** Zeros on each side; default 0. */
  readonly padding?: Size2d;
  /** Distance of the kernel's elements; default 1. */
  readonly dilation?: Size2d;
  /** Groups of channels that are convolved by themselves; default 1. */
  readonly groups?: number;
}

/**
 * 2-d convolution (cross-correlation, as everywhere in deep learning).
 *
 * @shape x `[n, c, h, w]`, weight `[o, c / groups, kh, kw]`, bias `[o]` -> `[n, o, oh, ow]`
 * @throws ShapeError if channels do not fit, or the kernel is larger than the padded image
 * @see torch.nn.functional.conv2d
 *
 * @example
 * const y = F.conv2d(x, weight, null, { stride: 2, padding: 1 });
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv2dOptions = {}): Tensor {
  checkOptionNames("conv2d", options, ["stride", "padding", "dilation", "groups"]);
  return build("conv2d", [x, weight, bias], (input, w, b) => ops.conv2d(input, w, b, options));
}
