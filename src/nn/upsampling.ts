/** Layers that change the size of images: interpolation, and channels moved into space. */

import * as F from "../functional";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { Module } from "./module";
import { shown } from "./shown";

/** A size for all spatial dimensions, or one for each. */
type Sizes = number | readonly number[];

/** Options of `Upsample`; see `F.interpolate`. */
export type UpsampleOptions = Omit<F.InterpolateOptions, "antialias">;

/** Options of the layers that are an `Upsample` of one mode: one of the two. */
export interface UpsamplingOptions {
  readonly size?: Sizes | null;
  readonly scaleFactor?: Sizes | null;
}

/**
 * Interpolation to a size, or by a factor; see `F.interpolate`.
 *
 * @shape `[n, c, ...] -> [n, c, ...size]`
 * @see torch.nn.Upsample
 *
 * @example
 * const up = new nn.Upsample({ scaleFactor: 2, mode: "bilinear" });
 */
export class Upsample extends Module {
  constructor(private readonly options: UpsampleOptions) {
    super();
    checkOptionNames("Upsample", options, ["size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor"]);
  }

  override extraRepr(): string {
    return shown(this.options);
  }

  forward(x: Tensor): Tensor {
    return F.interpolate(x, this.options);
  }
}

/**
 * Each pixel repeated.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`
 * @see torch.nn.UpsamplingNearest2d
 */
export class UpsamplingNearest2d extends Module {
  constructor(private readonly options: UpsamplingOptions) {
    super();
    checkOptionNames("UpsamplingNearest2d", options, ["size", "scaleFactor"]);
  }

  override extraRepr(): string {
    return shown(this.options);
  }

  forward(x: Tensor): Tensor {
    return F.interpolate(x, { ...this.options, mode: "nearest" });
  }
}

/**
 * Bilinear interpolation that keeps the corner pixels in their places.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`
 * @see torch.nn.UpsamplingBilinear2d
 */
export class UpsamplingBilinear2d extends Module {
  constructor(private readonly options: UpsamplingOptions) {
    super();
    checkOptionNames("UpsamplingBilinear2d", options, ["size", "scaleFactor"]);
  }

  override extraRepr(): string {
    return shown(this.options);
  }

  forward(x: Tensor): Tensor {
    return F.interpolate(x, { ...this.options, mode: "bilinear", alignCorners: true });
  }
}

/**
 * Channels moved into space; see `F.pixelShuffle`.
 *
 * @shape `[..., c * r * r, h, w] -> [..., c, h * r, w * r]`
 * @see torch.nn.PixelShuffle
 */
export class PixelShuffle extends Module {
  constructor(private readonly upscaleFactor: number) {
    super();
  }

  override extraRepr(): string {
    return shown({ upscaleFactor: this.upscaleFactor });
  }

  forward(x: Tensor): Tensor {
    return F.pixelShuffle(x, this.upscaleFactor);
  }
}

/**
 * Squares of pixels moved into channels; see `F.pixelUnshuffle`.
 *
 * @shape `[..., c, h * r, w * r] -> [..., c * r * r, h, w]`
 * @see torch.nn.PixelUnshuffle
 */
export class PixelUnshuffle extends Module {
  constructor(private readonly downscaleFactor: number) {
    super();
  }

  override extraRepr(): string {
    return shown({ downscaleFactor: this.downscaleFactor });
  }

  forward(x: Tensor): Tensor {
    return F.pixelUnshuffle(x, this.downscaleFactor);
  }
}

/**
 * Channels of all groups taken in turn; see `F.channelShuffle`.
 *
 * @shape `[n, c, ...]`, the same shape
 * @see torch.nn.ChannelShuffle
 */
export class ChannelShuffle extends Module {
  constructor(private readonly groups: number) {
    super();
  }

  override extraRepr(): string {
    return shown({ groups: this.groups });
  }

  forward(x: Tensor): Tensor {
    return F.channelShuffle(x, this.groups);
  }
}
