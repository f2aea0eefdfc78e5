/** Images to other sizes, sampled at other places, and channels moved into space. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
import { build, checkTensors, type Tensor } from "../tensor";
import { unary } from "./unary";

export type { GridSampleOptions, InterpolateOptions, InterpolationMode } from "../ops";

/**
 * Values between the elements, at as many places as the output shall have.
 *
 * @shape `[n, c, l]`, `[n, c, h, w]` or `[n, c, d, h, w]` -> `[n, c, ...size]`
 * @param options.size of the output, one number or one for each dimension
 * @param options.scaleFactor instead of `size`: sizes are multiplied by it, and rounded down
 * @param options.mode "nearest" (default), "nearest-exact" (as other libraries round), "area" (means), and by rank "linear",
 *   "bilinear", "bicubic", "trilinear"
 * @param options.alignCorners whether corner elements keep their places; default false; for the linear modes and bicubic
 * @param options.recomputeScaleFactor whether positions follow from the rounded sizes; default false: from `scaleFactor`
 * @param options.antialias whether smaller outputs average what lies between; default false; for bilinear and bicubic
 * @throws ShapeError if the mode is for another rank, or the input is empty
 * @throws ValueError if options do not go together
 * @see torch.nn.functional.interpolate
 *
 * @example
 * const large = F.interpolate(x, { scaleFactor: 2, mode: "bilinear" });
 */
export function interpolate(x: Tensor, options: ops.InterpolateOptions = {}): Tensor {
  const names = ["size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor", "antialias"];
  checkOptionNames("interpolate", options, names);
  return unary("interpolate", x, (node) => ops.interpolate(node, options));
}

/**
 * Images at the places that a grid gives, in coordinates from -1 (left, top) to 1 (right, bottom). Differentiable by both.
 *
 * @shape x `[n, c, h, w]`, grid `[n, oh, ow, 2]` (x and y) -> `[n, c, oh, ow]`
 * @param options.mode "bilinear" (default) or "nearest"
 * @param options.paddingMode what lies outside: "zeros" (default), "border" or "reflection"
 * @param options.alignCorners whether -1 and 1 are the middles of the corner pixels, not their outer edges; default false
 * @throws ShapeError if the batches differ, or images are empty
 * @see torch.nn.functional.grid_sample
 *
 * @example
 * const turned = F.gridSample(images, F.affineGrid(theta, images.shape));
 */
export function gridSample(x: Tensor, grid: Tensor, options: ops.GridSampleOptions = {}): Tensor {
  checkOptionNames("gridSample", options, ["mode", "paddingMode", "alignCorners"]);
  checkTensors("gridSample", x, grid);
  return build("gridSample", [x, grid], (input, places) => ops.gridSample(input, places, options));
}

/**
 * The grid of an affine map, for `gridSample`.
 *
 * @shape theta `[n, 2, 3]` -> `[n, h, w, 2]`
 * @param size shape of `gridSample`'s output, `[n, c, h, w]`
 * @param options.alignCorners as `gridSample`'s; default false
 * @throws ShapeError if `theta` has no matrix for each image
 * @see torch.nn.functional.affine_grid
 */
export function affineGrid(theta: Tensor, size: readonly number[], options: { alignCorners?: boolean } = {}): Tensor {
  checkOptionNames("affineGrid", options, ["alignCorners"]);
  return unary("affineGrid", theta, (node) => ops.affineGrid(node, size, options.alignCorners));
}

/**
 * Channels moved into space, `r * r` of them to a square of pixels.
 *
 * @shape `[..., c * r * r, h, w] -> [..., c, h * r, w * r]`
 * @throws ShapeError unless `upscaleFactor` squared divides the channels
 * @see torch.nn.functional.pixel_shuffle; Shi et al. 2016 (arXiv:1609.05158)
 */
export const pixelShuffle = (x: Tensor, upscaleFactor: number): Tensor =>
  unary("pixelShuffle", x, (node) => ops.pixelShuffle(node, upscaleFactor));

/**
 * Squares of pixels moved into channels: undoes `pixelShuffle`.
 *
 * @shape `[..., c, h * r, w * r] -> [..., c * r * r, h, w]`
 * @throws ShapeError unless `downscaleFactor` divides height and width
 * @see torch.nn.functional.pixel_unshuffle
 */
export const pixelUnshuffle = (x: Tensor, downscaleFactor: number): Tensor =>
  unary("pixelUnshuffle", x, (node) => ops.pixelUnshuffle(node, downscaleFactor));

/**
 * Channels of all groups taken in turn.
 *
 * @shape `[n, c, ...]`, the same shape
 * @throws ValueError unless `groups` divides the channels
 * @see torch.nn.functional.channel_shuffle; Zhang et al. 2018 (arXiv:1707.01083)
 */
export const channelShuffle = (x: Tensor, groups: number): Tensor =>
  unary("channelShuffle", x, (node) => ops.channelShuffle(node, groups));
