/**
 * Random views of images, on the device, composed of tensor ops. Bytes stay bytes until a view is made of them; boxes,
 * coins and factors are drawn from the counter-based generator, so every device draws the same ones.
 */

import { arange, tensor } from "../creation";
import { DTypeError, IndexError, ShapeError, ValueError } from "../errors";
import { where } from "../functions";
import { noGrad } from "../gradient";
import { showShape } from "../graph/shape";
import { checkOptionNames } from "../options";
import { rand } from "../random";
import { knownIntegers, type Tensor } from "../tensor";
import { drawBoxes, type Drawn } from "./cropBoxes";
import { type CropOptions, FIXED_ONE } from "./cropTable";

/** Options of `randomResizedCrop`. */
export interface RandomResizedCropOptions extends CropOptions, Drawn {
  /** Height and width of the result; default: the image's. */
  readonly size?: number | readonly [number, number];
  /** Whether boxes start and end anywhere, not at whole pixels; for small images. Default false, as torchvision. */
  readonly subpixel?: boolean;
}

/**
 * Crops a random box out of each image and scales it, bilinearly, to `size`. A box that does not fit is drawn again, and
 * after ten of them the centre is taken, as in torchvision. The interpolation stays inside the box. With `subpixel` boxes
 * are not rounded to pixels, sides are cut to the image, and the interpolation sees the pixels around the box.
 *
 * @shape images u8 or f32 `[m, c, h, w]`, index i32 `[n]` -> f32 `[n, c, size, size]`, in the images' own range
 * @param index which images; null for all, in order. One that is not there is an error, or NaN where only the GPU knows
 * @param options.size default: the image's
 * @param options.scale part of the area, default [0.08, 1]
 * @param options.ratio width / height, default [3/4, 4/3]
 * @throws ShapeError for images of another rank, IndexError, ValueError for an index, ranges or option names that cannot be
 * @see torchvision.transforms.RandomResizedCrop (without antialiasing)
 *
 * @example
 * const view = randomResizedCrop(bytes, index, { scale: [0.8, 1] }).div(255);
 */
export function randomResizedCrop(
  images: Tensor,
  index: Tensor | null = null,
  options: RandomResizedCropOptions = {},
): Tensor {
  checkOptionNames("randomResizedCrop", options, ["size", "subpixel", "scale", "ratio", "generator"]);
  checkImages("randomResizedCrop", images);
  return noGrad(() => {
    const [count, channels, height, width] = images.shape as [number, number, number, number];
    const samples = (index ?? arange(count, { device: images.device })).int();
    const isThere = index && checkIndex(samples, count); // [n]
    const { size = [height, width] } = options;
    const [outHeight, outWidth] = typeof size === "number" ? [size, size] : size;
    const box = drawBoxes(images, samples.size(0), options);
    const along = (start: Tensor, size: Tensor, total: number, count: number): Positions =>
      options.subpixel ? subpixelPositions(start, size, total, count) : positions(start, size, count);
    const rows = along(box.top, box.height, height, outHeight); // [n, outHeight]
    const columns = along(box.left, box.width, width, outWidth); // [n, outWidth]

    const pixels = images.reshape([-1]);
    const plane = samples
      .unsqueeze(1)
      .mul(channels)
      .add(arange(channels, { device: images.device })); // [n, c]
    const at = (row: Tensor, column: Tensor): Tensor => {
      const line = plane.unsqueeze(2).mul(height).add(row.unsqueeze(1)); // [n, c, outHeight]
      const place = line.unsqueeze(3).mul(width).add(column.unsqueeze(1).unsqueeze(1)); // [n, c, outHeight, outWidth]
      return pixels
        .gather(0, place.reshape([-1]))
        .reshape(place.shape)
        .float();
    };
    const down = rows.fraction.reshape([-1, 1, outHeight, 1]);
    const right = columns.fraction.reshape([-1, 1, 1, outWidth]);
    const mix = (a: Tensor, b: Tensor, weight: Tensor): Tensor => a.add(b.sub(a).mul(weight));
    const upper = mix(at(rows.low, columns.low), at(rows.low, columns.high), right);
    const lower = mix(at(rows.high, columns.low), at(rows.high, columns.high), right);
    const views = mix(upper, lower, down);
    return isThere ? where(isThere.reshape([-1, 1, 1, 1]), views, NaN) : views;
  });
}

/** Which images there are: null where the host sees that all are. What only the device knows becomes NaN, as `gather` has it. */
function checkIndex(index: Tensor, count: number): Tensor | null {
  const values = knownIntegers(index);
  if (!values) return index.ge(0).logicalAnd(index.lt(count));
  const wrong = values.find((value) => value < 0 || value >= count);
  if (wrong === undefined) return null;
  throw new IndexError(`randomResizedCrop: index must be in 0..${count - 1}, got ${wrong}. Check the image numbers.`);
}

/** For each output pixel, the two pixels its value lies between, and how far from the first. */
interface Positions {
  readonly low: Tensor;
  readonly high: Tensor;
  readonly fraction: Tensor;
}

/** As `positions`, for boxes in 1/65536 pixel; pixels around the box count, those around the image repeat its edge. */
function subpixelPositions(start: Tensor, size: Tensor, total: number, count: number): Positions {
  const pixels = (fixed: Tensor): Tensor =>
    fixed
      .float()
      .mul(1 / FIXED_ONE)
      .unsqueeze(1); // exact below 256 pixels
  const centre = arange(count, { dtype: "f32", device: start.device }).add(0.5); // [count]
  const at = pixels(start)
    .add(pixels(size).div(count).mul(centre))
    .sub(0.5)
    .clamp(0, total - 1); // [n, count]
  const low = at.floor().int();
  return { low, high: low.add(1).clamp(0, total - 1), fraction: at.sub(low.float()) };
}

/** Between which two pixels the output's pixel centres lie, inside the box: `(i + 0.5) * size / count - 0.5`. */
function positions(start: Tensor, size: Tensor, count: number): Positions {
  const { device } = start;
  const centre = arange(count, { dtype: "f32", device }).add(0.5); // [count]
  const last = size.sub(1).unsqueeze(1); // [n, 1]
  const at = size.float().div(count).unsqueeze(1).mul(centre).sub(0.5).clamp(0); // [n, count]
  const low = at.floor().int().minimum(last);
  const high = low.add(1).minimum(last);
  const origin = start.unsqueeze(1);
  return { low: low.add(origin), high: high.add(origin), fraction: at.sub(low.float()).clamp(0, 1) };
}

/**
 * Mirrors each image with probability `p` (default 0.5).
 *
 * @shape `[n, c, h, w]`, unchanged
 * @throws ShapeError for images of another rank, ValueError for a probability or option names that cannot be
 * @see torchvision.transforms.RandomHorizontalFlip
 *
 * @example
 * const mirrored = randomHorizontalFlip(view, { p: 0.5, generator });
 */
export function randomHorizontalFlip(x: Tensor, options: { p?: number } & Drawn = {}): Tensor {
  checkOptionNames("randomHorizontalFlip", options, ["p", "generator"]);
  checkImages("randomHorizontalFlip", x);
  const { p = 0.5, ...drawn } = options;
  return where(chosen(x, p, drawn), x.flip(-1), x);
}

/** Options of `brightnessContrast`. */
export interface BrightnessContrastOptions extends Drawn {
  /** Probability that an image is changed at all; default 0.8. */
  readonly p?: number;
  /** Range of the factor of brightness; default [0.6, 1.4]. */
  readonly brightness?: readonly [number, number];
  /** Range of the factor of contrast; default [0.6, 1.4]. */
  readonly contrast?: readonly [number, number];
}

/**
 * With probability `p`, multiplies an image by a random factor, then stretches it about its mean by another. Clamped to
 * 0 to 1 after each.
 *
 * @shape f32 `[n, c, h, w]` in 0 to 1, unchanged; with 3 channels the mean is that of the luminance
 * @throws DTypeError for bytes: they would be clamped to 1; ShapeError for images of another rank, ValueError for a probability or option
 *   names that cannot be
 * @see torchvision.transforms.ColorJitter(brightness, contrast)
 *
 * @example
 * const changed = brightnessContrast(bytes.float().div(255), { p: 1, contrast: [0.8, 1.2] });
 */
export function brightnessContrast(x: Tensor, options: BrightnessContrastOptions = {}): Tensor {
  checkOptionNames("brightnessContrast", options, ["p", "brightness", "contrast", "generator"]);
  const { p = 0.8, brightness = [0.6, 1.4], contrast = [0.6, 1.4], ...drawn } = options;
  checkImages("brightnessContrast", x);
  checkFloat("brightnessContrast", x);
  const n = x.size(0);
  const factors = rand([2, n, 1, 1, 1], { device: x.device, ...drawn });
  const between = (which: number, [low, high]: readonly [number, number]): Tensor =>
    factors
      .select(0, which)
      .mul(high - low)
      .add(low);
  const bright = x.mul(between(0, brightness)).clamp(0, 1);
  const mean = luminance(bright).mean([1, 2, 3], { keepDim: true });
  const stretched = bright.sub(mean).mul(between(1, contrast)).add(mean).clamp(0, 1);
  return where(chosen(x, p, drawn), stretched, x);
}

/** Grey values, `[n, 1, h, w]`, of colours by ITU-R 601. */
function luminance(x: Tensor): Tensor {
  if (x.size(1) !== 3) return x;
  return x.mul(tensor([0.2989, 0.587, 0.114], { device: x.device }).reshape([3, 1, 1])).sum(1, { keepDim: true });
}

/** True with probability `p` per image, `[n, 1, 1, 1]`. */
function chosen(x: Tensor, p: number, drawn: Drawn): Tensor {
  if (!(p >= 0 && p <= 1)) throw new ValueError(`augment: p must be in [0, 1], got ${p}. It is a probability.`);
  return rand([x.size(0), 1, 1, 1], { device: x.device, ...drawn }).lt(p);
}

/**
 * `(x - mean) / std`, per channel.
 *
 * @shape f32 `[n, c, h, w]`, unchanged
 * @param mean, std one number, or one a channel
 * @throws ShapeError for another count of numbers, DTypeError for bytes
 * @see torchvision.transforms.Normalize
 *
 * @example
 * const view = normalize(bytes.float().div(255), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
 */
export function normalize(x: Tensor, mean: number | readonly number[], std: number | readonly number[]): Tensor {
  checkImages("normalize", x);
  checkFloat("normalize", x);
  const channels = x.size(1);
  const perChannel = (name: string, values: number | readonly number[]): Tensor | number => {
    if (typeof values === "number") return values;
    if (values.length === 1 || values.length === channels) {
      return tensor(values, { device: x.device }).reshape([-1, 1, 1]);
    }
    throw new ShapeError(
      `normalize: ${name} must be one number, or one a channel, got ${values.length} for ${showShape(x.shape)}. Pass ${channels}.`,
    );
  };
  return x.sub(perChannel("mean", mean)).div(perChannel("std", std));
}

function checkImages(op: string, x: Tensor): void {
  if (x.ndim !== 4)
    throw new ShapeError(`${op}: images must be [n, c, h, w], got ${showShape(x.shape)}. Unsqueeze or reshape them.`);
}

function checkFloat(op: string, x: Tensor): void {
  if (x.dtype !== "f32")
    throw new DTypeError(`${op}: images must be f32, got ${x.dtype}. Scale bytes first: x.float().div(255).`);
}
