/** Convolutions. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
import { buildWithNone, checkOptionalTensors, checkTensors, type Tensor } from "../tensor";

/** The size of a signal's dimension, alone or in a list of one. */
export type Size1d = number | readonly [length: number];

/** One size for both directions, or `[height, width]`. */
export type Size2d = number | ops.Pair;

interface ConvOptions<Size> {
  /** Default 1. */
  readonly stride?: Size;
  /** Zeros on each side; "same" for as many as keep the size, "valid" for none; default 0. */
  readonly padding?: Size | "same" | "valid";
  /** Distance of the kernel's elements; default 1. */
  readonly dilation?: Size;
  /** Groups of channels that are convolved by themselves; default 1. */
  readonly groups?: number;
}

interface ConvTransposeOptions<Size> {
  /** Default 1. */
  readonly stride?: Size;
  /** The padding of the convolution that this is the transpose of: cut from each side; default 0. */
  readonly padding?: Size;
  /** Added to the output's size, since several sizes convolve to the same; less than stride or dilation; default 0. */
  readonly outputPadding?: Size;
  /** Groups of channels that are convolved by themselves; default 1. */
  readonly groups?: number;
  /** Distance of the kernel's elements; default 1. */
  readonly dilation?: Size;
}

/** Options of `conv1d`, PyTorch's names. */
export type Conv1dOptions = ConvOptions<Size1d>;
/** Options of `conv2d`, PyTorch's names. */
export type Conv2dOptions = ConvOptions<Size2d>;
/** Options of `convTranspose1d`, PyTorch's names. */
export type ConvTranspose1dOptions = ConvTransposeOptions<Size1d>;
/** Options of `convTranspose2d`, PyTorch's names. */
export type ConvTranspose2dOptions = ConvTransposeOptions<Size2d>;

const CONV = ["stride", "padding", "dilation", "groups"];
const CONV_TRANSPOSE = ["stride", "padding", "outputPadding", "groups", "dilation"];

/**
 * 1-d convolution (cross-correlation, as everywhere in deep learning).
 *
 * @shape x `[n, c, l]` or `[c, l]`, weight `[o, c / groups, k]`, bias `[o]` -> `[n, o, ol]`
 * @throws ShapeError if channels do not fit, or the kernel is larger than the padded signal
 * @see torch.nn.functional.conv1d
 *
 * @example
 * const y = F.conv1d(x, weight, null, { padding: "same" });
 */
export function conv1d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv1dOptions = {}): Tensor {
  checkOptionNames("conv1d", options, CONV);
  checkTensors("conv1d", x, weight);
  checkOptionalTensors("conv1d", bias);
  return buildWithNone("conv1d", [x, weight, bias], (input, w, b) => ops.conv1d(input, w, b, options));
}

/**
 * 2-d convolution (cross-correlation, as everywhere in deep learning).
 *
 * @shape x `[n, c, h, w]` or `[c, h, w]`, weight `[o, c / groups, kh, kw]`, bias `[o]` -> `[n, o, oh, ow]`
 * @throws ShapeError if channels do not fit, or the kernel is larger than the padded image
 * @see torch.nn.functional.conv2d
 *
 * @example
 * const y = F.conv2d(x, weight, null, { stride: 2, padding: 1 });
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv2dOptions = {}): Tensor {
  checkOptionNames("conv2d", options, CONV);
  checkTensors("conv2d", x, weight);
  checkOptionalTensors("conv2d", bias);
  return buildWithNone("conv2d", [x, weight, bias], (input, w, b) => ops.conv2d(input, w, b, options));
}

/**
 * 1-d transposed convolution: the gradient of `conv1d` by its input, as a function of its own.
 *
 * @shape x `[n, c, l]` or `[c, l]`, weight `[c, o / groups, k]`, bias `[o]` -> `[n, o, ol]` with
 *   `ol = (l - 1) * stride - 2 * padding + dilation * (k - 1) + outputPadding + 1`
 * @throws ShapeError if channels do not fit, or nothing is left of the output
 * @throws ValueError unless `outputPadding` is less than `stride` or `dilation`
 * @see torch.nn.functional.conv_transpose1d
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose1dOptions = {},
): Tensor {
  checkOptionNames("convTranspose1d", options, CONV_TRANSPOSE);
  checkTensors("convTranspose1d", x, weight);
  checkOptionalTensors("convTranspose1d", bias);
  return buildWithNone("convTranspose1d", [x, weight, bias], (input, w, b) =>
    ops.convTranspose1d(input, w, b, options),
  );
}

/**
 * 2-d transposed convolution: the gradient of `conv2d` by its input, as a function of its own.
 *
 * @shape x `[n, c, h, w]` or `[c, h, w]`, weight `[c, o / groups, kh, kw]`, bias `[o]` -> `[n, o, oh, ow]` with
 *   `oh = (h - 1) * stride - 2 * padding + dilation * (kh - 1) + outputPadding + 1`
 * @throws ShapeError if channels do not fit, or nothing is left of the output
 * @throws ValueError unless `outputPadding` is less than `stride` or `dilation`
 * @see torch.nn.functional.conv_transpose2d
 *
 * @example
 * const twiceAsLarge = F.convTranspose2d(x, weight, bias, { stride: 2, padding: 1, outputPadding: 1 }); // a kernel of 3
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose2dOptions = {},
): Tensor {
  checkOptionNames("convTranspose2d", options, CONV_TRANSPOSE);
  checkTensors("convTranspose2d", x, weight);
  checkOptionalTensors("convTranspose2d", bias);
  return buildWithNone("convTranspose2d", [x, weight, bias], (input, w, b) =>
    ops.convTranspose2d(input, w, b, options),
  );
}
