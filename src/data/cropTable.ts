/**
 * The sizes of random crops as a table of equally likely entries, made on the host in f64. A GPU looks one up by random
 * bits, so that every device crops the same boxes.
 */

import { ValueError } from "../errors";

/** Height and width of a crop in pixels, and whether it is the image's centre: 1, or 0 for one anywhere. */
export type CropSize = readonly [height: number, width: number, isCentre: 0 | 1];

/** What crops are drawn from. */
export interface CropOptions {
  /** Smallest and largest part of the image's area; default [0.08, 1]. */
  readonly scale?: readonly [number, number];
  /** Smallest and largest width / height; default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
}

/** Entries of a table: 16 random bits choose one. */
const TABLE_SIZE = 2 ** 16;

/** Draws that torchvision makes before it gives up and crops the centre. */
const ATTEMPTS = 10;

/**
 * Crop sizes with torchvision's distribution: area uniform in `scale`, log(width / height) uniform in `ratio`, boxes that
 * do not fit drawn again. Area and ratio are cut into 256 strata each of equal probability, of which an entry is the centre.
 *
 * @returns TABLE_SIZE equally likely sizes
 * @throws ValueError if scale or ratio are no ranges of positive numbers
 * @see torchvision.transforms.RandomResizedCrop.get_params
 *
 * @example
 * const [height, width, isCentre] = cropTable(32, 32, { scale: [0.2, 1] })[randomBits & 0xffff]!;
 */
export function cropTable(
  height: number,
  width: number,
  { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] }: CropOptions = {},
): CropSize[] {
  checkRange("scale", scale);
  checkRange("ratio", ratio);
  const fitting = candidates(height, width, scale, ratio)
    .map(([h, w]): CropSize => [Math.round(h), Math.round(w), 0])
    .filter(([h, w]) => h >= 1 && w >= 1 && h <= height && w <= width);
  const rejected = 1 - fitting.length / TABLE_SIZE;
  const givenUp = fitting.length === 0 ? TABLE_SIZE : Math.round(TABLE_SIZE * rejected ** ATTEMPTS);
  const drawn = TABLE_SIZE - givenUp;
  const centre = fallback(height, width, ratio);
  return Array.from({ length: TABLE_SIZE }, (_, entry) =>
    entry < drawn ? fitting[Math.floor(((entry + 0.5) * fitting.length) / drawn)]! : centre,
  );
}

/** A pixel in the fixed-point numbers of `subpixelCropTable`. */
export const FIXED_ONE = 2 ** 16;

/**
 * Crop sizes that are not rounded to pixels, in 1/65536 pixel; sides longer than the image are cut to it, where torchvision
 * draws the whole box again. So crops of nearly the whole image are as frequent as asked for, and narrower than 80 % of the
 * area now and then.
 *
 * @returns TABLE_SIZE equally likely sizes
 * @throws ValueError if scale or ratio are no ranges of positive numbers
 */
export function subpixelCropTable(
  height: number,
  width: number,
  { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] }: CropOptions = {},
): CropSize[] {
  checkRange("scale", scale);
  checkRange("ratio", ratio);
  const fixed = (size: number, most: number): number => Math.round(FIXED_ONE * Math.min(size, most));
  return candidates(height, width, scale, ratio).map(([h, w]) => [fixed(h, height), fixed(w, width), 0]);
}

/** One box per stratum, in pixels and parts of them, whether it fits or not. */
function candidates(
  height: number,
  width: number,
  scale: readonly [number, number],
  ratio: readonly [number, number],
): [height: number, width: number][] {
  const strata = Math.sqrt(TABLE_SIZE);
  const between = ([low, high]: readonly [number, number], stratum: number): number =>
    low + ((high - low) * (stratum + 0.5)) / strata;
  const logRatio = [Math.log(ratio[0]), Math.log(ratio[1])] as const;
  return Array.from({ length: TABLE_SIZE }, (_, entry) => {
    const area = height * width * between(scale, Math.floor(entry / strata));
    const aspect = Math.exp(between(logRatio, entry % strata));
    return [Math.sqrt(area / aspect), Math.sqrt(area * aspect)];
  });
}

/** The largest box with a ratio in range. */
function fallback(height: number, width: number, [low, high]: readonly [number, number]): CropSize {
  if (width / height < low) return [Math.round(width / low), width, 1];
  if (width / height > high) return [height, Math.round(height * high), 1];
  return [height, width, 1];
}

function checkRange(name: string, [low, high]: readonly [number, number]): void {
  if (low > 0 && low <= high && Number.isFinite(high)) return;
  throw new ValueError(
    `cropTable: ${name} must be a range of positive numbers, got [${low}, ${high}]. List the smaller one first.`,
  );
}
