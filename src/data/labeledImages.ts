/** What can be done with labelled images as bytes: split them, measure their channels, keep them as a safetensors file. */

import { FormatError, ShapeError, ValueError } from "../errors";
import { readSafetensors, type Safetensors, writeSafetensors } from "../io";
import { checkOptionNames, describe } from "../options";
import { Generator, permutation } from "../random";
import type { LabeledImages } from "./fashionMnist";

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
  const labels = new Uint8Array(rows.length);
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
  checkOptionNames("splitData", options, ["test", "seed"]);
  const { test: part = 0.2, seed = 0 } = options;
  if (!(part > 0 && part < 1)) {
    throw new ValueError(
      `splitData: test must be above 0 and below 1, got ${describe(part)}. Pass a part of the images.`,
    );
  }
  const isTest = new Uint8Array(data.count);
  for (const rows of rowsByClass(data.labels, seed).values()) {
    const most = rows.length - 1; // one is left to train on
    const wanted = Math.min(Math.max(Math.round(part * rows.length), 1), most);
    for (const row of rows.slice(0, wanted)) isTest[row] = 1;
  }
  const rows = Array.from({ length: data.count }, (_, row) => row);
  const taken = (kind: number): ImagesPart<T> =>
    takeImages(
      data,
      rows.filter((row) => isTest[row] === kind),
    );
  return { train: taken(0), test: taken(1) };
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
 * Mean and standard deviation of each channel, in 0 to 1: what `normalize` takes.
 *
 * @throws ShapeError if there are no images
 *
 * @example
 * const { mean, std } = channelStatistics(train);
 */
export function channelStatistics(data: LabeledImages): { mean: number[]; std: number[] } {
  const { images, count, channels, height, width } = data;
  const area = height * width;
  if (count * area === 0) throw new ShapeError(`channelStatistics: there must be images, got ${count}. Load some.`);
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels); // of bytes: exact up to 2^53
  images.forEach((value, place) => {
    const channel = Math.floor(place / area) % channels;
    sums[channel]! += value;
    squares[channel]! += value * value;
  });
  const mean = Array.from(sums, (sum) => sum / (count * area));
  const std = mean.map(
    (each, channel) => Math.sqrt(Math.max(0, squares[channel]! / (count * area) - each * each)) / 255,
  );
  return { mean: mean.map((each) => each / 255), std };
}

/**
 * Images as a safetensors file: `images` u8 `[count, channels, height, width]`, `labels` u8 `[count]`, and class names as a JSON
 * list in the metadata, `class_names`.
 *
 * @example
 * const bytes = writeImages(folder, folder.classNames);
 */
export function writeImages(data: LabeledImages, classNames?: readonly string[]): Uint8Array {
  const { images, labels, count, channels, height, width } = data;
  return writeSafetensors(
    {
      images: { shape: [count, channels, height, width], dtype: "u8", data: images },
      labels: { shape: [count], dtype: "u8", data: labels },
    },
    classNames && { class_names: JSON.stringify(classNames) },
  );
}

/** Images of a file, and the names of their classes; none where the file has none. */
export interface NamedImages extends LabeledImages {
  readonly classNames: readonly string[];
}

/**
 * Reads images from a safetensors file, as `writeImages` and others make them.
 *
 * @param file its bytes: `images` u8 `[count, channels, height, width]`, `labels` `[count]` of any integers from 0 to 255
 * @throws FormatError if it is no such file
 *
 * @example
 * const { images, labels, classNames } = readImages(await file.arrayBuffer());
 */
export function readImages(file: Uint8Array | ArrayBuffer): NamedImages {
  const { tensors, metadata } = readSafetensors(file);
  const { images, labels } = tensors;
  if (!(images?.data instanceof Uint8Array) || images.dtype !== "u8" || images.shape.length !== 4) {
    throw badFile("hold images u8 [count, channels, height, width]", shown(images));
  }
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  if (labels?.shape.length !== 1 || labels.shape[0] !== count || !INTEGERS.includes(labels.dtype)) {
    throw badFile(`hold integer labels [${count}], one an image`, shown(labels));
  }
  const classNames = classNamesOf(metadata);
  const values = Array.from(labels.data, Number);
  const most = classNames.length > 0 ? classNames.length : MOST_CLASSES;
  const wrong = values.find((label) => label < 0 || label >= most);
  if (wrong !== undefined) throw badFile(`hold labels from 0 to ${most - 1}`, String(wrong));
  return { images: images.data, labels: Uint8Array.from(values), count, channels, height, width, classNames };
}

/** What labels of one byte can tell apart. */
export const MOST_CLASSES = 256;

const INTEGERS: readonly string[] = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];

const badFile = (what: string, got: string): FormatError =>
  new FormatError(`readImages: the file must ${what}, got ${got}. Write it with writeImages.`);

const shown = (array: Safetensors["tensors"][string] | undefined): string =>
  array ? `${array.dtype} [${array.shape.join(", ")}]` : "none";

function classNamesOf({ class_names: text }: Readonly<Record<string, string>>): string[] {
  if (text === undefined) return [];
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    names = null;
  }
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw badFile("have a JSON list of strings as class_names", JSON.stringify(text));
}

const sizeOfImage = ({ channels, height, width }: LabeledImages): number => channels * height * width;
