/**
 * A folder of images that somebody picked or dropped: PNG, JPEG and whatever else the browser decodes, the name of the folder
 * that an image lies in being its class. Needs a browser: `createImageBitmap` and `OffscreenCanvas`.
 */

import { ValueError } from "../errors";
import { checkOptionNames, describe } from "../options";
import { MOST_CLASSES, type NamedImages } from "./imageFile";

/** A file, and where it lies: `folder/class/name.png`. Files of a directory input say it themselves. */
export interface PlacedFile {
  readonly file: Blob;
  readonly path: string;
}

/** Options of `loadImageFolder`. */
export interface ImageFolderOptions {
  /** Height and width of the result in pixels. The shorter side of an image is scaled to it, and the middle cut out. */
  readonly size: number;
  /** 3 for colours (default), 1 for grey. */
  readonly channels?: 1 | 3;
  /** Files that are decoded at once; default 8. */
  readonly parallel?: number;
  /** Hears how many files are done. */
  readonly onProgress?: (done: number, count: number) => void;
}

/** A file that is no image, or that the browser could not draw. */
export interface UnreadFile {
  readonly path: string;
  readonly reason: string;
}

/** Images of a folder, in the order of their paths. */
export interface FolderImages extends NamedImages {
  /** Path of each image. */
  readonly paths: readonly string[];
  /** Files that could not be read, and why. */
  readonly unread: readonly UnreadFile[];
}

/**
 * Reads a folder of images into one array of bytes. Classes are the folders that images lie in, in the order of their names;
 * files in no folder are of the class "". Files whose names start with a dot are passed over. Transparency is laid on black.
 *
 * @shape images u8 `[count, channels, size, size]`
 * @param files those of `<input type="file" webkitdirectory>`, or files with their paths
 * @param options see ImageFolderOptions
 * @returns images, labels and class names, and the files that could not be read
 * @throws ValueError if an option is outside its range, no file is an image, there are more than 256 classes, or this is no browser
 * @see torchvision.datasets.ImageFolder, Resize, CenterCrop
 *
 * @example
 * const { images, count, classNames, unread } = await loadImageFolder(input.files!, { size: 64 });
 * const x = tensor(images, { shape: [count, 3, 64, 64] });
 */
export async function loadImageFolder(
  files: Iterable<File | PlacedFile>,
  options: ImageFolderOptions,
): Promise<FolderImages> {
  checkOptionNames("loadImageFolder", options, ["size", "channels", "parallel", "onProgress"]);
  const { size, channels = 3, parallel = 8, onProgress } = options;
  checkOptions({ size, channels, parallel });
  const placed = [...files].map(withPath).filter(({ path }) => !nameOf(path).startsWith("."));
  placed.sort((a, b) => compare(a.path, b.path));

  const decoded = new Array<Uint8Array | UnreadFile>(placed.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < placed.length) {
      const index = next++;
      decoded[index] = await decode(placed[index]!, size, channels);
      onProgress?.(++done, placed.length);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));

  const unread = decoded.flatMap((each) => (each instanceof Uint8Array ? [] : [each]));
  const read = placed.flatMap(({ path }, index) => {
    const pixels = decoded[index]!;
    return pixels instanceof Uint8Array ? [{ path, pixels }] : [];
  });
  if (read.length === 0) {
    const why = unread[0] ? `; ${unread[0].path}: ${unread[0].reason}` : "";
    throw new ValueError(
      `loadImageFolder: some file must be an image, got none of ${placed.length}${why}. Pick another folder.`,
    );
  }
  return { ...labelled(read, size, channels), unread };
}

/** Joins pixels, and numbers the classes. */
function labelled(
  read: readonly { readonly path: string; readonly pixels: Uint8Array }[],
  size: number,
  channels: number,
): Omit<FolderImages, "unread"> {
  const classNames = [...new Set(read.map(({ path }) => classOf(path)))].sort(compare);
  if (classNames.length > MOST_CLASSES) {
    throw new ValueError(
      `loadImageFolder: there must be at most ${MOST_CLASSES} classes, got ${classNames.length}. Pick the folder whose folders are the classes.`,
    );
  }
  const images = new Uint8Array(read.length * channels * size * size);
  read.forEach(({ pixels }, index) => images.set(pixels, index * pixels.length));
  const labels = Uint8Array.from(read, ({ path }) => classNames.indexOf(classOf(path)));
  const paths = read.map(({ path }) => path);
  return { images, labels, count: read.length, channels, height: size, width: size, classNames, paths };
}

/** Pixels `[channels, size, size]` of one file, or why there are none. */
async function decode({ file, path }: PlacedFile, size: number, channels: number): Promise<Uint8Array | UnreadFile> {
  let bitmap: ImageBitmap | null = null;
  try {
    bitmap = await createImageBitmap(file);
    return planes(drawn(bitmap, size), channels);
  } catch (error) {
    return { path, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    bitmap?.close();
  }
}

/** RGBA `[size, size, 4]` of the middle. */
function drawn(bitmap: ImageBitmap, size: number): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true }); // black behind
  if (!context) throw new ValueError(`loadImageFolder: size must be one that the browser draws, got ${size}.`);
  context.imageSmoothingQuality = "high";
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  context.drawImage(bitmap, left, top, side, side, 0, 0, size, size);
  return context.getImageData(0, 0, size, size).data;
}

/** Planes of colours, or one of grey by ITU-R 601, as Pillow rounds it. */
function planes(rgba: Uint8ClampedArray, channels: number): Uint8Array {
  const area = rgba.length / 4;
  const pixels = new Uint8Array(channels * area);
  for (let at = 0; at < area; at++) {
    const [red, green, blue] = [rgba[4 * at]!, rgba[4 * at + 1]!, rgba[4 * at + 2]!];
    if (channels === 1) pixels[at] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
    else [pixels[at], pixels[area + at], pixels[2 * area + at]] = [red, green, blue];
  }
  return pixels;
}

function withPath(given: File | PlacedFile): PlacedFile {
  if (!(given instanceof Blob)) return given;
  return { file: given, path: given.webkitRelativePath || given.name };
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Name of the folder that a file lies in. */
const classOf = (path: string): string => path.split("/").at(-2) ?? "";

/** By UTF-16 words, wherever it runs: the user's language has no say. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function checkOptions({ size, channels, parallel }: { size: number; channels: number; parallel: number }): void {
  for (const [name, value] of Object.entries({ size, parallel })) {
    if (!Number.isInteger(value) || value < 1)
      throw new ValueError(
        `loadImageFolder: ${name} must be a positive integer, got ${describe(value)}. Pass a number.`,
      );
  }
  if (channels !== 1 && channels !== 3)
    throw new ValueError(`loadImageFolder: channels must be 1 or 3, got ${describe(channels)}. Pass one of them.`);
  if (typeof createImageBitmap !== "function" || typeof OffscreenCanvas !== "function") {
    throw new ValueError(
      "loadImageFolder: images must be decoded by a browser, got none here. In Node read safetensors: readImages(bytes).",
    );
  }
}
