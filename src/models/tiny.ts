/** Encoders for small images that train in minutes: three convolutions of stride 2, then flat or pooled. */

import * as F from "../functional";
import { Conv2d, type Layer, Module } from "../nn";
import { checkCounts } from "../options";
import type { Tensor } from "../tensor";
import { head, type HeadKind } from "./head";
import { batchNorm2d, type Norm } from "./resnet";

/** Options of `tinyFlat` and `tinyGap`. */
export interface TinyOptions {
  /** Outputs of the head; default 128. */
  readonly numClasses?: number;
  /** Channels of the images; default 1. */
  readonly inChannels?: number;
  /** Height and width of the images in pixels, which only `tinyFlat` must know; default 28. */
  readonly imageSize?: number;
  /** Default BatchNorm2d. */
  readonly norm?: Norm;
  /** `"linear"` (default), MoCo v2's `"mlp"`, or a function that makes one. */
  readonly head?: HeadKind;
}

/** Convolutions of 16, 32 and 64 channels, each with normalisation and ReLU. Use `tinyFlat` or `tinyGap`. */
export class TinyEncoder extends Module {
  /** As `fc`, it may be replaced by another layer. */
  conv1: Conv2d;
  readonly bn1: Layer;
  readonly conv2: Conv2d;
  readonly bn2: Layer;
  readonly conv3: Conv2d;
  readonly bn3: Layer;
  fc: Layer;

  constructor(
    private readonly pooled: boolean,
    { numClasses = 128, inChannels = 1, imageSize = 28, norm = batchNorm2d, head: kind = "linear" }: TinyOptions = {},
  ) {
    super();
    checkCounts("TinyEncoder", { imageSize }, "Pass the images' height.");
    const conv = (from: number, to: number): Conv2d => new Conv2d(from, to, 3, { stride: 2, padding: 1, bias: false });
    this.conv1 = conv(inChannels, 16);
    this.bn1 = norm(16);
    this.conv2 = conv(16, 32);
    this.bn2 = norm(32);
    this.conv3 = conv(32, 64);
    this.bn3 = norm(64);
    const side = pooled ? 1 : Math.ceil(imageSize / 8); // each of three convolutions halves it, rounded up
    this.fc = head(kind, 64 * side * side, numClasses);
  }

  /** What comes before the head: `[n, 64]` pooled; flat `[n, 1024]` of images of 28 or 32 pixels. */
  features(x: Tensor): Tensor {
    const first = this.bn1.forward(this.conv1.forward(x)).relu(); // [n, 16, 14, 14] of 28x28
    const second = this.bn2.forward(this.conv2.forward(first)).relu(); // [n, 32, 7, 7]
    const third = this.bn3.forward(this.conv3.forward(second)).relu(); // [n, 64, 4, 4]
    return (this.pooled ? F.adaptiveAvgPool2d(third, 1) : third).flatten(1);
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.features(x));
  }
}

/**
 * Flattens its last 4x4x64 values: 154,600 parameters, 1.36 MFLOP an image of 28 pixels.
 *
 * @shape `[n, inChannels, imageSize, imageSize] -> [n, numClasses]`
 * @throws ValueError for a size that is none
 *
 * @example
 * const encoder = tinyFlat({ norm: (channels) => new nn.SplitBatchNorm2d(channels, 8) });
 */
export const tinyFlat = (options: TinyOptions = {}): TinyEncoder => new TinyEncoder(false, options);

/**
 * As `tinyFlat`, with global average pooling: 31,700 parameters, 1.11 MFLOP an image of 28 pixels.
 *
 * @shape `[n, inChannels, h, w] -> [n, numClasses]`
 *
 * @example
 * const encoder = tinyGap({ inChannels: 3, numClasses: 64 });
 */
export const tinyGap = (options: TinyOptions = {}): TinyEncoder => new TinyEncoder(true, options);
