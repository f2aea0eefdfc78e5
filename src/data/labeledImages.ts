/** What can be done with labelled images as bytes: take some of them, split them, measure their channels. */

import { ShapeError, ValueError } from "../errors";
import { checkOptionNames, describe } from "../options";
import { Generator, permutation } from "../random";

/** Class indices, one an image: bytes, where none is above 255. */
export type Labels<T extends ArrayBufferLike = ArrayBufferLike> = Uint8Array<T> | Int32Array<T>;

/** Images as bytes, with one label each. */
export interface LabeledImages {
  /** Values 0 to 255; shape `[count, channels, height, width]`, row-major. */
  readonly images: Uint8Array;
  /** Class indices; shape `[count]`. */
  readonly labels: Labels;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Some of the images of a whole, with what the whole has of each. Which files were no images is said of the whole only. */
export type ImagesPart<T extends LabeledImages> = LabeledImages & Omit<T, "unread">;

/**
 * Some of the images, in the order of `rows`, with their labels and, where there are any, `paths`.
 *
 * @throws ValueError for a row that is not there
 *
 * @example
 * const few = takeImages(train, fewLabels(train.labels, { perClass: 10 }));
 */
export function takeImages<T extends LabeledImages>(data: T, rows: ArrayLike<number>): ImagesPart<T> {
  const size = sizeOfImage(data);
  const images = new Uint8Array(rows.length * size);
  const labels: Labels = new (data.labels instanceof Uint8Array ? Uint8Array : Int32Array)(rows.length);
  Array.from(rows).forEach((row, place) => {
    if (!(Number.isInteger(row) && row >= 0 && row < data.count))
      throw new ValueError(`takeImages: rows must be in 0..${data.count - 1}, got ${row}. Check the row numbers.`);
    images.set(data.images.subarray(row * size, (row + 1) * size), place * size);
    labels[place] = data.labels[row]!;
  });
  const { paths, ...whole } = data as T & { readonly paths?: readonly string[] };
  const part = { ...whole, images, labels, count: rows.length };
  if ("unread" in part) delete part.unread;
  return (paths ? { ...part, paths: Array.from(rows, (row) => paths[row]!) } : part) as unknown as ImagesPart<T>;
}

/**
 * Splits images into a training and a test part, each class in the same proportion. A class of two or more has some in both.
 *
 * @param options.test part of each class that is for the test, above 0 and below 1; default 0.2
 * @param options.seed integer, 0 to 2^53; the same one gives the same parts. Default 0
 * @returns both parts, in the order that the images had, each with its own `paths`
 * @throws ValueError for another part or seed
 *
 * @example
 * const { train, test } = splitData(images, { test: 0.1 });
 */
export function splitData<T extends LabeledImages>(
  data: T,
  options: { test?: number; seed?: number } = {},
): { train: ImagesPart<T>; test: ImagesPart<T> } {
  const rows = rowsOfParts("splitData", data.labels, options);
  return { train: takeImages(data, rows.train), test: takeImages(data, rows.test) };
}

/** Rows of a training and a test part, in order. */
export interface RowsOfParts {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * Rows of a training and a test part, each class in the same proportion: as `splitData`, for images that are read when they are needed.
 *
 * @throws ValueError for another part or seed
 *
 * @example
 * const images = await openImages(file);
 * const rows = splitRows(images.labels);
 * const train = selectImages(images, rows.train);
 */
export const splitRows = (labels: ArrayLike<number>, options: { test?: number; seed?: number } = {}): RowsOfParts =>
  rowsOfParts("splitRows", labels, options);

function rowsOfParts(op: string, labels: ArrayLike<number>, options: { test?: number; seed?: number }): RowsOfParts {
  checkOptionNames(op, options, ["test", "seed"]);
  const { test: part = 0.2, seed = 0 } = options;
  if (!(part > 0 && part < 1)) {
    throw new ValueError(`${op}: test must be above 0 and below 1, got ${describe(part)}. Pass a part of the images.`);
  }
  const isTest = new Uint8Array(labels.length);
  for (const rows of rowsByClass(labels, seed).values()) {
    const most = rows.length - 1; // one is left to train on
    const wanted = Math.min(Math.max(Math.round(part * rows.length), 1), most);
    for (const row of rows.slice(0, wanted)) isTest[row] = 1;
  }
  const all = Int32Array.from({ length: labels.length }, (_, row) => row);
  return { train: all.filter((row) => isTest[row] === 0), test: all.filter((row) => isTest[row] === 1) };
}

/** Rows of each class, in a random order that follows from the seed. */
export function rowsByClass(labels: ArrayLike<number>, seed: number): Map<number, number[]> {
  const rowsOfClass = new Map<number, number[]>();
  for (const row of permutation(labels.length, new Generator(seed))) {
    const rows = rowsOfClass.get(labels[row]!);
    if (rows) rows.push(row);
    else rowsOfClass.set(labels[row]!, [row]);
  }
  return rowsOfClass;
}

/**
 * Mean and standard deviation of each channel, in 0 to 1: what `normalize` takes. The deviation of a channel that is the same everywhere,
 * 0, is given as 1, so that nothing is divided by it.
 *
 * @throws ShapeError if there are no images
 *
 * @example
 * const { mean, std } = channelStatistics(train);
 */
export function channelStatistics(data: LabeledImages): ChannelStatistics {
  const { images, count, channels, height, width } = data;
  const area = height * width;
  if (count * area === 0) throw new ShapeError(`channelStatistics: there must be images, got ${count}. Load some.`);
  const sums = new ChannelSums(channels, area);
  sums.add(images);
  return sums.statistics();
}

/** Of each channel, in 0 to 1. */
export interface ChannelStatistics {
  readonly mean: number[];
  readonly std: number[];
}

/** Adds up bytes by channel. */
export class ChannelSums {
  private readonly sums: Float64Array;
  private readonly squares: Float64Array; // of bytes: exact up to 2^53
  private count = 0;

  constructor(
    channels: number,
    private readonly area: number,
  ) {
    this.sums = new Float64Array(channels);
    this.squares = new Float64Array(channels);
  }

  /** @param images bytes of whole images, `[n, channels, height, width]` */
  add(images: Uint8Array): void {
    const { sums, squares, area } = this;
    images.forEach((value, place) => {
      const channel = Math.floor(place / area) % sums.length;
      sums[channel]! += value;
      squares[channel]! += value * value;
    });
    this.count += images.length / sums.length;
  }

  statistics(): ChannelStatistics {
    const { sums, squares, count } = this;
    const mean = Array.from(sums, (sum) => sum / count / 255);
    const std = Array.from(sums, (sum, channel) => {
      const variance = count * squares[channel]! - sum * sum; // count^2 of it: exactly 0 without spread
      return variance > 0 ? Math.sqrt(variance) / count / 255 : 1;
    });
    return { mean, std };
  }
}

const sizeOfImage = ({ channels, height, width }: LabeledImages): number => channels * height * width;
