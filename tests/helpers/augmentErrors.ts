/**
 * How far a view of `augment` may stray on a GPU: errors of a sample's values, all at most 1, as they go through its transforms.
 * Every transform is continuous: also the hue, which jumps where colours wrap and where they are gray, but the colour that is made of
 * it does not. It is linear in the largest, the middle and the smallest channel, by factors whose magnitudes sum to at most 3.
 */

import type { HostArray } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import { AUGMENTATION_COLUMNS, type AugmentAttrs } from "../../src/ops/augment";
import { orderOf } from "../../src/ops/augmentPixels";

/** What is shared with `tolerance`. */
export interface Roundings {
  readonly ULP: number;
  readonly roundingsOf: (terms: number) => number;
}

type Values = Readonly<Record<(typeof AUGMENTATION_COLUMNS)[number], number>>;

const valuesOf = (row: ArrayLike<number>, start: number): Values =>
  Object.fromEntries(AUGMENTATION_COLUMNS.map((name, i) => [name, row[start + i]!])) as Values;

/** Fractions of 2.5 ULP twice, two differences, products and sums each, and a quotient. */
const OF_CROP = 13;
/** A quotient of 2.5 ULP, a product and sums of a position between pixels, which is at most the side. */
const OF_POSITION = 6;
/** Three products and two sums. */
const OF_GRAY = 4;
/** Of six numbers up to 13 that a hue is added up from, and of what becomes of it. */
const OF_HUE = 48;
/** An exponent of 8 ULP and exp's 8, in the weights and in their sum; products and a quotient. */
const OF_WEIGHTS = 29;

/** Errors of one sample. */
class Sample {
  /** Of its values so far. */
  private error: number;

  constructor(
    private readonly drawn: Values,
    private readonly off: Values,
    private readonly channels: number,
    private readonly area: number,
    private readonly rounding: Roundings,
  ) {
    this.error = OF_CROP * rounding.ULP;
  }

  /** Neighbours differ by 1 at most, so a value moves as far as its position does. */
  placed([height, width]: readonly [number, number]): void {
    const { top, left, height: tall, width: wide } = this.off;
    this.error += OF_POSITION * this.rounding.ULP * (height + width) + top + left + tall + wide;
  }

  private get grayError(): number {
    return this.error + (this.channels === 1 ? 0 : OF_GRAY * this.rounding.ULP);
  }

  /** f * x + (1 - f) * other: three products, a difference, a sum. */
  private blend(factor: number, off: number, otherError: number): void {
    const [of, rest] = [Math.abs(factor), Math.abs(1 - factor)];
    this.error = of * this.error + rest * otherError + off + this.rounding.ULP * (2 * of + 3 * rest);
  }

  /** A mean of sums of 32, of at most 64 of them in a row for each of 4 invocations and more, and of these. */
  private get meanError(): number {
    const { ULP, roundingsOf } = this.rounding;
    return this.grayError + ULP * (roundingsOf(32) + roundingsOf(Math.ceil(this.area / 128)) + 8 + 3);
  }

  jitter(): void {
    if (this.drawn.jitter === 0) return;
    for (const colour of orderOf(this.drawn.order)) {
      if (this.channels === 1 && colour > 1) continue;
      if (colour === 0) this.blend(this.drawn.brightness, this.off.brightness, 0);
      else if (colour === 1) this.blend(this.drawn.contrast, this.off.contrast, this.meanError);
      else if (colour === 2) this.blend(this.drawn.saturation, this.off.saturation, this.grayError);
      else this.error = 3 * this.error + 6 * this.off.hue + OF_HUE * this.rounding.ULP;
    }
  }

  gray(): void {
    if (this.drawn.gray !== 0) this.error = this.grayError;
  }

  /** Weights move with sigma by no more than twice its relative error. */
  blur(taps: number): void {
    if (this.drawn.blur === 0 || taps === 1) return;
    const { ULP, roundingsOf } = this.rounding;
    const ofSigma = (2 * this.off.sigma) / this.drawn.sigma;
    this.error += 2 * (ofSigma + ULP * (OF_WEIGHTS + 2 * roundingsOf(taps)));
  }

  /** A difference, a quotient, and numbers that were rounded to f32. */
  normalized(mean: number, std: number): number {
    return (this.error + 6 * this.rounding.ULP * (1 + Math.abs(mean))) / Math.abs(std);
  }
}

export function augmentErrors(
  node: Node,
  hosts: readonly HostArray[],
  errorOf: (input: number) => Float64Array,
  rounding: Roundings,
): Float64Array {
  const { mean, std, isGrayFirst, isSubpixel, taps } = node.attrs as unknown as AugmentAttrs;
  const [n, channels, height, width] = node.shape as [number, number, number, number];
  const [drawn, off] = [hosts[2]!.data, errorOf(2)];
  const errors = new Float64Array(n * channels * height * width);
  for (let i = 0; i < n; i++) {
    const start = i * AUGMENTATION_COLUMNS.length;
    const sample = new Sample(valuesOf(drawn, start), valuesOf(off, start), channels, height * width, rounding);
    if (isSubpixel) sample.placed(hosts[0]!.shape.slice(2) as [number, number]);
    if (isGrayFirst) sample.gray();
    sample.jitter();
    if (!isGrayFirst) sample.gray();
    sample.blur(taps);
    for (let c = 0; c < channels; c++) {
      const at = (i * channels + c) * height * width;
      errors.fill(sample.normalized(mean[c]!, std[c]!), at, at + height * width);
    }
  }
  return errors;
}
