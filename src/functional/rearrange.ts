/** What `torch.nn.functional` has to move and mark elements: padding, one-hot rows, windows of images. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { unary } from "./unary";

/**
 * 1 at the index, 0 elsewhere, in a new last dimension; i32.
 *
 * @param numClasses default: one more than the largest index, which the host must know
 * @throws DTypeError if `index` holds no integers; IndexError for a class out of range, where the host knows it, and on the
 *   CPU when it runs. A GPU gives zeros there
 * @see torch.nn.functional.one_hot
 */
export const oneHot = (index: Tensor, numClasses?: number): Tensor =>
  unary("oneHot", index, (node) => ops.oneHot(node, numClasses));

/** Options of `pad`. */
export interface PadOptions {
  /** What lies around: "constant" (default), the tensor mirrored at its edge ("reflect"), the edge, or the other end. */
  readonly mode?: ops.PadMode;
  /** The constant; default 0. */
  readonly value?: number;
}

/**
 * Elements around a tensor; negative padding cuts. Works on any number of dimensions, in all modes.
 *
 * @param padding last dimension first: `[left, right, top, bottom]`
 * @throws ShapeError if there is less to mirror or to repeat than is asked for
 * @see torch.nn.functional.pad
 */
export function pad(x: Tensor, padding: readonly number[], options: PadOptions = {}): Tensor {
  checkOptionNames("pad", options, ["mode", "value"]);
  return unary("pad", x, (node) => ops.pad(node, padding, options.value, options.mode));
}

/** Options of `unfold` and `fold`; one number for both directions, or `[height, width]`. */
export interface WindowOptions {
  /** Distance of a window's elements; default 1. */
  readonly dilation?: number | ops.Pair;
  /** Zeros on each side; default 0. */
  readonly padding?: number | ops.Pair;
  /** Distance of windows; default 1. */
  readonly stride?: number | ops.Pair;
}

const WINDOW_OPTIONS = ["dilation", "padding", "stride"];

/**
 * The windows of images as columns, as a convolution multiplies them. A view: nothing is copied before it is used.
 *
 * @shape `[n, c, h, w]` -> `[n, c * kh * kw, windows]`, or without `n`
 * @throws ShapeError if the kernel is larger than the padded image
 * @see torch.nn.functional.unfold
 */
export function unfold(x: Tensor, kernelSize: number | ops.Pair, options: WindowOptions = {}): Tensor {
  checkOptionNames("unfold", options, WINDOW_OPTIONS);
  return unary("unfold", x, (node) => ops.unfoldImages(node, kernelSize, options));
}

/**
 * The transpose of `unfold`: columns added up into images, where windows overlap in a fixed order.
 *
 * @shape `[n, c * kh * kw, windows]` -> `[n, c, ...outputSize]`, or without `n`
 * @throws ShapeError if the number of windows or the depth does not fit
 * @see torch.nn.functional.fold
 */
export function fold(
  x: Tensor,
  outputSize: number | ops.Pair,
  kernelSize: number | ops.Pair,
  options: WindowOptions = {},
): Tensor {
  checkOptionNames("fold", options, WINDOW_OPTIONS);
  return unary("fold", x, (node) => ops.foldImages(node, outputSize, kernelSize, options));
}
