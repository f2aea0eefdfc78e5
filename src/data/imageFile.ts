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
import type { LabeledImages, Labels } from "./labeledImages";
import type { ImageSource } from "./imageSource";

/** Images of a file, and the names of their classes; none where the file has none. */
export interface NamedImages extends LabeledImages {
  readonly classNames: readonly string[];
}

type ImagesSize = Pick<LabeledImages, "count" | "channels" | "height" | "width">;

/**
 * Images as a safetensors file: `images` u8 `[count, channels, height, width]`, `labels` `[count]`, u8 or, of more classes, i32, and class
 * names as a JSON list in the metadata, `class_names`.
 *
 * @throws ShapeError if there are not as many bytes or labels as the sizes say
 *
 * @example
 * const bytes = writeImages(folder, folder.classNames);
 */
export function writeImages(data: LabeledImages, classNames?: readonly string[]): Uint8Array {
  const { images, labels, count, channels, height, width } = data;
  return writeSafetensors(
    {
      images: { shape: [count, channels, height, width], dtype: "u8", data: images },
      labels: { shape: [count], dtype: dtypeOf(labels), data: labels },
    },
    classNames && { class_names: JSON.stringify(classNames) },
  );
}

/**
 * The file that `writeImages` makes, of images that are there in pieces.
 *
 * @param images their bytes, one piece after the other
 */
export function imagesBlob(
  { count, channels, height, width }: ImagesSize,
  images: readonly BlobPart[],
  labels: Labels<ArrayBuffer>,
  classNames: readonly string[],
): Blob {
  const shape = [count, channels, height, width];
  const ofImages: Part = { name: "images", dtype: "u8", shape, byteLength: count * channels * height * width };
  const ofLabels: Part = { name: "labels", dtype: dtypeOf(labels), shape: [count], byteLength: labels.byteLength };
  const metadata = { class_names: JSON.stringify(classNames) };
  return labels instanceof Uint8Array
    ? new Blob([headOf([ofImages, ofLabels], metadata), ...images, labels])
    : new Blob([headOf([ofLabels, ofImages], metadata), labels, ...images]); // wide values first: they stay aligned
}

const dtypeOf = (labels: Labels): "u8" | "i32" => (labels instanceof Uint8Array ? "u8" : "i32");

/** Class indices in as few bytes as hold the largest. */
export const narrowed = (labels: readonly number[]): Labels<ArrayBuffer> =>
  labels.every((label) => label < 256) ? Uint8Array.from(labels) : Int32Array.from(labels);

/**
 * Reads images from a safetensors file, as `writeImages` and others make them.
 *
 * @param file its bytes: `images` u8 `[count, channels, height, width]`, `labels` `[count]` of any integers from 0 to 2^31 - 1
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
  readonly labels: Labels;
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

function labelsOf(op: string, { data }: FileArray, classNames: readonly string[]): Labels {
  const values = Array.from(data, Number);
  const most = classNames.length > 0 ? classNames.length : 2 ** 31;
  const wrong = values.find((label) => label < 0 || label >= most);
  if (wrong !== undefined) throw badFile(op, `hold labels from 0 to ${most - 1}`, String(wrong));
  return narrowed(values);
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
