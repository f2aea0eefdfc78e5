/** What random views are drawn from: each transform's probability and range, and MoCo's chains by name. */

import { ShapeError, ValueError } from "../errors";
import type { AugmentAttrs } from "../functional/augment";
import { showShape } from "../graph/shape";
import { checkOptionNames } from "../options";
import type { Generator } from "../random";
import type { Tensor } from "../tensor";
import type { CropOptions } from "./cropTable";

/** Means and standard deviations of images in 0 to 1: one number, or one a channel. */
export interface Statistics {
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}

/** Mean and standard deviation of ImageNet's training images. */
export const IMAGENET_STATISTICS = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** A number `x` for all from `1 - x`, or 0, to `1 + x` (for the hue from `-x` to `x`), or both ends. */
export type Range = number | readonly [low: number, high: number];

/** How a view is made of an image, alike for all. */
export interface ViewOptions {
  /** Height and width of the views in pixels; default: the images'. */
  readonly size?: number | readonly [number, number];
  /** What is taken off and divided by in the end; default: nothing, and 1. */
  readonly statistics?: Statistics;
  /** Whether colours become gray before they are jittered, as in MoCo v1; default false. */
  readonly grayFirst?: boolean;
  /** Whether boxes start and end anywhere, not at whole pixels: see `randomResizedCrop`. For small images. Default false, as torchvision. */
  readonly subpixel?: boolean;
  /** Side of the blur's kernel in pixels, odd; default: about a tenth of the view's side and at least 3, or 1 without `pBlur`: no blur. */
  readonly kernelSize?: number;
}

/** What is drawn for each view. All that is left out does not happen, but the crop. */
export interface DrawOptions extends CropOptions {
  /** Probability of a mirror image; default 0. */
  readonly pFlip?: number;
  /** Probability that colours are jittered at all; default 1. */
  readonly pJitter?: number;
  /** Whether the four changes of colours come in the order that they have here; default false: in a random one, as torchvision. */
  readonly inOrder?: boolean;
  /** Ranges of the factors; default 0. */
  readonly brightness?: Range;
  readonly contrast?: Range;
  readonly saturation?: Range;
  /** Parts of the colour circle, from -0.5 to 0.5. */
  readonly hue?: Range;
  /** Probability of a gray image; default 0. */
  readonly pGray?: number;
  /** Probability of a blur; default 0. */
  readonly pBlur?: number;
  /** Range of the blur's standard deviation in pixels; default [0.1, 2]. */
  readonly sigma?: readonly [number, number];
  /** Default: the device's own. */
  readonly generator?: Generator;
}

/** All options of a random view. */
export interface AugmentOptions extends ViewOptions, DrawOptions {}

const JITTER = { brightness: 0.4, contrast: 0.4, saturation: 0.4 } as const;

/** MoCo v1: crop, gray, jitter, flip, normalise. */
export const MOCO_V1 = {
  ...{ scale: [0.2, 1], pFlip: 0.5, pGray: 0.2, grayFirst: true },
  ...{ ...JITTER, hue: 0.4, statistics: IMAGENET_STATISTICS },
} as const satisfies AugmentOptions;

/** MoCo v2: crop, jitter, gray, blur, flip, normalise. */
export const MOCO_V2 = {
  ...{ scale: [0.2, 1], pFlip: 0.5, pGray: 0.2, pBlur: 0.5, sigma: [0.1, 2] },
  ...{ pJitter: 0.8, ...JITTER, hue: 0.1, statistics: IMAGENET_STATISTICS },
} as const satisfies AugmentOptions;

/**
 * MoCo's recipe for CIFAR: crop, flip, jitter, gray, normalise. It divides by the mean over images of each one's standard deviation, which is
 * less than that of all pixels in `CIFAR10_STATISTICS`.
 */
export const MOCO_CIFAR = {
  ...{ scale: [0.08, 1], pFlip: 0.5, pGray: 0.2, pJitter: 0.8, ...JITTER, hue: 0.1 },
  statistics: { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
} as const satisfies AugmentOptions;

/** Mean and standard deviation of Fashion-MNIST's training images. */
export const FASHION_MNIST_STATISTICS = { mean: 0.286, std: 0.353 } as const;

/** Our recipe for Fashion-MNIST: crop between pixels, brightness and then contrast, normalise. */
export const MOCO_FASHION_MNIST = {
  ...{ scale: [0.8, 1], subpixel: true, pJitter: 0.8, inOrder: true, brightness: 0.4, contrast: 0.4 },
  statistics: FASHION_MNIST_STATISTICS,
} as const satisfies AugmentOptions;

const VIEW_NAMES = ["size", "statistics", "grayFirst", "subpixel", "kernelSize"];
const DRAW_NAMES = [
  ...["scale", "ratio", "pFlip", "pJitter", "inOrder", "brightness", "contrast", "saturation", "hue"],
  ...["pGray", "pBlur", "sigma", "generator"],
];

/** Checks that all options are known, and that images are images. */
export function checkAugment(op: string, images: Tensor, options: object): void {
  checkOptionNames(op, options, [...VIEW_NAMES, ...DRAW_NAMES]);
  if (images.ndim === 4) return;
  throw new ShapeError(
    `${op}: images must be [m, c, h, w], got ${showShape(images.shape)}. Unsqueeze or reshape them.`,
  );
}

/** The op's attributes: sizes and numbers in full. */
export function attrsOf(images: Tensor, options: AugmentOptions): AugmentAttrs {
  const [, channels, height, width] = images.shape as [number, number, number, number];
  const { size = [height, width], statistics = { mean: 0, std: 1 }, grayFirst = false, subpixel = false } = options;
  const sides = typeof size === "number" ? ([size, size] as const) : ([size[0], size[1]] as const);
  const each = (values: number | readonly number[]): readonly number[] =>
    typeof values === "number" ? Array.from({ length: channels }, () => values) : [...values];
  return {
    size: sides,
    mean: each(statistics.mean),
    std: each(statistics.std),
    isGrayFirst: grayFirst,
    isSubpixel: subpixel,
    taps: options.kernelSize ?? ((options.pBlur ?? 0) > 0 ? kernelSizeFor(Math.min(...sides)) : 1),
  };
}

/** The odd number nearest to a tenth of a side, at least 3 where the side has as many pixels: 23 of 224. */
const kernelSizeFor = (side: number): number => (side < 2 ? 1 : Math.max(3, 2 * Math.round((side / 10 - 1) / 2) + 1));

/** Both ends of a range around `middle`. */
export function rangeOf(name: string, range: Range, middle: 0 | 1): readonly [number, number] {
  const least = middle === 0 ? -0.5 : 0;
  const [low, high] = typeof range === "number" ? [Math.max(middle - range, least), middle + range] : range;
  if (low >= least && low <= high && high <= (middle === 0 ? 0.5 : Number.MAX_VALUE)) return [low, high];
  throw new ValueError(
    `augment: ${name} must be a number or a range in ${middle === 0 ? "[-0.5, 0.5]" : "[0, infinity)"}, got ${String(range)}. ` +
      "List the smaller end first.",
  );
}

/** A range of standard deviations. */
export function sigmasOf([low, high]: readonly [number, number]): readonly [number, number] {
  if (low > 0 && low <= high && Number.isFinite(high)) return [low, high];
  throw new ValueError(
    `augment: sigma must be a range of positive numbers, got ${low} to ${high}. List the smaller one first.`,
  );
}

export function checkProbability(name: string, p: number): number {
  if (p >= 0 && p <= 1) return p;
  throw new ValueError(`augment: ${name} must be in [0, 1], got ${p}. It is a probability.`);
}
