/** Images of a safetensors file, as `writeImages` and others make it: all of them at once, or each batch when it is needed. */

import { FormatError } from "../errors";
import {
  type FileArray,
  openSafetensors,
  type ReadableBytes,
  readSafetensors,
  type SafetensorsFile,
  type TensorEntry,
  writeSafetensors,
} from "../io";
import { headOf, type Part } from "../io/safetensors";
import type { LabeledImages } from "./fashionMnist";
import type { ImageSource } from "./imageSource";

/** Images of a file, and the names of their classes; none where the file has none. */
export interface NamedImages extends LabeledImages {
  readonly classNames: readonly string[];
}

type ImagesSize = Pick<LabeledImages, "count" | "channels" | "height" | "width">;

/** What labels of one byte can tell apart. */
export const MOST_CLASSES = 256;

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

/** What the file has in front of the images' bytes, which the labels' follow. */
export function imagesHead(size: ImagesSize, classNames: readonly string[]): Uint8Array<ArrayBuffer> {
  const { count, channels, height, width } = size;
  const shape = [count, channels, height, width];
  const parts: Part[] = [
    { name: "images", dtype: "u8", shape, byteLength: count * channels * height * width },
    { name: "labels", dtype: "u8", shape: [count], byteLength: count },
  ];
  return headOf(parts, { class_names: JSON.stringify(classNames) });
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
  const size = sizeIn("readImages", tensors);
  const classNames = classNamesOf("readImages", metadata);
  const labels = labelsOf("readImages", tensors["labels"]!, classNames);
  return { images: tensors["images"]!.data as Uint8Array, labels, ...size, classNames };
}

/** Images of a file that are read when they are needed; their labels are here. */
export interface ImageFile extends ImageSource {
  /** `[count]` */
  readonly labels: Uint8Array;
  readonly classNames: readonly string[];
}

/**
 * Opens a file of images, as `readImages` takes it, to read it piece by piece. Nothing is read but the header and the labels: what trains on it reads
 * a batch at a time, ahead of its steps.
 *
 * @param file from an input element, or `await handle.getFile()` of the browser's own file system; in Node and elsewhere as
 *   `openSafetensors` takes it
 * @throws FormatError if it is no such file; DTypeError if it is no file; ValueError if it cannot be read
 *
 * @example
 * const folder = await navigator.storage.getDirectory();
 * const handle = await folder.getFileHandle("images.safetensors");
 * const trainer = new MoCoTrainer(await openImages(await handle.getFile()), resnet18, RECIPES.v2);
 */
export async function openImages(file: Blob | ReadableBytes): Promise<ImageFile> {
  const opened = await openSafetensors(file);
  const size = sizeIn("openImages", opened.tensors);
  const classNames = classNamesOf("openImages", opened.metadata);
  const labels = labelsOf("openImages", await opened.read("labels"), classNames);
  return {
    ...{ ...size, labels, classNames },
    read: async (rows) => (await opened.readRows("images", rows)).data as Uint8Array,
  };
}

const INTEGERS: readonly string[] = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];

/** How many images there are and of what size; checks that there are as many labels. */
function sizeIn(op: string, tensors: Readonly<Record<string, TensorEntry>>): ImagesSize {
  const { images, labels } = tensors;
  if (images?.dtype !== "u8" || images.shape.length !== 4)
    throw badFile(op, "hold images u8 [count, channels, height, width]", shown(images));
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  if (labels?.shape.length !== 1 || labels.shape[0] !== count || !INTEGERS.includes(labels.dtype))
    throw badFile(op, `hold integer labels [${count}], one an image`, shown(labels));
  return { count, channels, height, width };
}

function labelsOf(op: string, { data }: FileArray, classNames: readonly string[]): Uint8Array {
  const values = Array.from(data, Number);
  const most = classNames.length > 0 ? classNames.length : MOST_CLASSES;
  const wrong = values.find((label) => label < 0 || label >= most);
  if (wrong !== undefined) throw badFile(op, `hold labels from 0 to ${most - 1}`, String(wrong));
  return Uint8Array.from(values);
}

function classNamesOf(op: string, { class_names: text }: SafetensorsFile["metadata"]): string[] {
  if (text === undefined) return [];
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    names = null;
  }
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw badFile(op, "have a JSON list of strings as class_names", JSON.stringify(text));
}

const badFile = (op: string, what: string, got: string): FormatError =>
  new FormatError(`${op}: the file must ${what}, got ${got}. Write it with writeImages.`);

const shown = (array: TensorEntry | undefined): string =>
  array ? `${array.dtype} [${array.shape.join(", ")}]` : "none";
