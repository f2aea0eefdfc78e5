/**
 * A folder of images that somebody picked or dropped: PNG, JPEG and whatever else the browser decodes, the name of the folder
 * that an image lies in being its class. Needs a browser: `createImageBitmap` and `OffscreenCanvas`.
 */

import { ValueError } from "../errors";
import { checkCounts, checkOptionNames, describe } from "../options";
import { extentOf, HEADER_BYTE_LENGTH } from "./imageHeader";
import { imagesBlob, type NamedImages, narrowed } from "./imageFile";
import type { Labels } from "./labeledImages";

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
  /**
   * Most pixels of an image, default 178,956,970 as in Pillow: few bytes may claim more than there is memory for. A PNG, JPEG, GIF, WebP or BMP
   * that says it has more is not decoded, and is among those that could not be read.
   */
  readonly maxPixels?: number;
  /** Hears how many files are done. */
  readonly onProgress?: (done: number, count: number) => void;
}

/** What an image may have, 4 bytes each while it is decoded: as `PIL.Image.MAX_IMAGE_PIXELS`, doubled. */
const MOST_PIXELS = 178_956_970;

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
 * @throws ValueError if an option is outside its range, the browser has no canvas of that size, no file is an image, or this is no
 *   browser; what `onProgress` throws, and no more files are decoded then
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
  const { placed, ...how } = opened("loadImageFolder", files, options);
  const { size, channels } = how;
  const read: DecodedFile[] = [];
  const unread: UnreadFile[] = [];
  for await (const each of decoded(placed, how))
    if ("pixels" in each) read.push(each);
    else unread.push(each);
  const { labels, classNames } = labelled("loadImageFolder", { read, unread });
  const images = new Uint8Array(read.length * channels * size * size);
  read.forEach(({ pixels }, index) => images.set(pixels, index * pixels.length));
  const paths = read.map(({ path }) => path);
  const shape = { count: read.length, channels, height: size, width: size };
  return { images, labels, ...shape, classNames, paths, unread };
}

/** A folder of images as a file. */
export interface PackedFolder {
  /** A safetensors file as `writeImages` makes it, in the order of the paths; `openImages` opens it. */
  readonly file: Blob;
  /** Path of each image. */
  readonly paths: readonly string[];
  /** Files that could not be read, and why. */
  readonly unread: readonly UnreadFile[];
}

/** Bytes that are gathered before they go to the browser. */
const PIECE_BYTE_LENGTH = 2 ** 24;

/**
 * As `loadImageFolder`, for folders larger than memory: the images become a Blob piece by piece, and no more than some of them are held
 * beside it. Where Blobs lie is up to the browser: Chrome moves large ones to disk, up to a part of it; others may hold them in memory. To keep
 * it, write it to the browser's own file system: `await file.stream().pipeTo(await handle.createWritable())`.
 *
 * @throws as `loadImageFolder`
 *
 * @example
 * const { file } = await packImageFolder(input.files!, { size: 64 });
 * const images = await openImages(file);
 * const rows = splitRows(images.labels);
 * const trainer = new MoCoTrainer(selectImages(images, rows.train), resnet18, RECIPES.v2);
 */
export async function packImageFolder(
  files: Iterable<File | PlacedFile>,
  options: ImageFolderOptions,
): Promise<PackedFolder> {
  const { placed, ...how } = opened("packImageFolder", files, options);
  const { size, channels } = how;
  const read: { path: string }[] = [];
  const unread: UnreadFile[] = [];
  const pieces: Blob[] = [];
  let gathered: Uint8Array<ArrayBuffer>[] = [];
  for await (const each of decoded(placed, how)) {
    if (!("pixels" in each)) {
      unread.push(each);
      continue;
    }
    read.push({ path: each.path });
    gathered.push(each.pixels);
    if (gathered.length * each.pixels.length < PIECE_BYTE_LENGTH) continue;
    pieces.push(new Blob(gathered));
    gathered = [];
  }
  const { labels, classNames } = labelled("packImageFolder", { read, unread });
  const shape = { count: read.length, channels, height: size, width: size };
  const file = imagesBlob(shape, [...pieces, ...gathered], labels, classNames);
  return { file, paths: read.map(({ path }) => path), unread };
}

/** How files are decoded. */
interface Decoding {
  readonly size: number;
  readonly channels: number;
  readonly parallel: number;
  readonly maxPixels: number;
  readonly onProgress: NonNullable<ImageFolderOptions["onProgress"]>;
}

/** Checked options, and the files in order. */
function opened(
  op: string,
  files: Iterable<File | PlacedFile>,
  options: ImageFolderOptions,
): Decoding & { placed: PlacedFile[] } {
  checkOptionNames(op, options, ["size", "channels", "parallel", "maxPixels", "onProgress"]);
  const { size, channels = 3, parallel = 8, maxPixels = MOST_PIXELS, onProgress = () => undefined } = options;
  checkOptions(op, { size, channels, parallel, maxPixels });
  const placed = [...files].map(withPath).filter(({ path }) => !nameOf(path).startsWith("."));
  placed.sort((a, b) => compare(a.path, b.path));
  return { size, channels, parallel, maxPixels, onProgress, placed };
}

interface DecodedFile {
  readonly path: string;
  /** `[channels, size, size]` */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Files decoded in order, some at once. */
async function* decoded(
  placed: readonly PlacedFile[],
  { parallel, onProgress, ...how }: Decoding,
): AsyncGenerator<DecodedFile | UnreadFile> {
  const ahead: Promise<DecodedFile | UnreadFile>[] = [];
  for (let done = 0; done < placed.length; done++) {
    for (let next = done + ahead.length; ahead.length < parallel && next < placed.length; next++)
      ahead.push(decode(placed[next]!, how));
    yield await ahead.shift()!;
    onProgress(done + 1, placed.length);
  }
}

/** Numbers the classes. */
function labelled(
  op: string,
  { read, unread }: { read: readonly { readonly path: string }[]; unread: readonly UnreadFile[] },
): { labels: Labels<ArrayBuffer>; classNames: string[] } {
  if (read.length === 0) {
    const why = unread[0] ? `; ${unread[0].path}: ${unread[0].reason}` : "";
    throw new ValueError(`${op}: some file must be an image, got none of ${unread.length}${why}. Pick another folder.`);
  }
  const classNames = [...new Set(read.map(({ path }) => classOf(path)))].sort(compare);
  const numbers = new Map(classNames.map((name, number) => [name, number]));
  return { labels: narrowed(read.map(({ path }) => numbers.get(classOf(path))!)), classNames };
}

/** Pixels of one file, or why there are none. */
async function decode(
  { file, path }: PlacedFile,
  { size, channels, maxPixels }: Pick<Decoding, "size" | "channels" | "maxPixels">,
): Promise<DecodedFile | UnreadFile> {
  let bitmap: ImageBitmap | null = null;
  try {
    await checkExtent(file, maxPixels);
    bitmap = await createImageBitmap(file);
    return { path, pixels: planes(drawn(bitmap, size), channels) };
  } catch (error) {
    return { path, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    bitmap?.close();
  }
}

/** Reads what the file says of its size, and nothing else. */
async function checkExtent(file: Blob, maxPixels: number): Promise<void> {
  const extent = extentOf(new Uint8Array(await file.slice(0, HEADER_BYTE_LENGTH).arrayBuffer()));
  if (!extent || extent.width * extent.height <= maxPixels) return;
  const { width, height } = extent;
  throw new ValueError(`an image must have at most ${maxPixels} pixels, got ${width} by ${height}. Scale it down.`);
}

/** RGBA `[size, size, 4]` of the middle. */
function drawn(bitmap: ImageBitmap, size: number): Uint8ClampedArray {
  const context = contextOf(size);
  if (!context)
    throw new ValueError(`the browser must give a canvas of ${size} by ${size}, got none. Decode fewer at once.`);
  context.imageSmoothingQuality = "high";
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  context.drawImage(bitmap, left, top, side, side, 0, 0, size, size);
  return context.getImageData(0, 0, size, size).data;
}

/** To draw on black; null where the browser has none. */
const contextOf = (size: number): OffscreenCanvasRenderingContext2D | null =>
  new OffscreenCanvas(size, size).getContext("2d", { alpha: false, willReadFrequently: true });

/** Draws the last pixel once: of a size that is too large browsers make no canvas, or one that stays empty. */
function checkDrawable(op: string, size: number): void {
  let got = "one without a canvas";
  try {
    const context = contextOf(size);
    if (context) {
      context.fillStyle = "#fff";
      context.fillRect(size - 1, size - 1, 1, 1);
      if (context.getImageData(size - 1, size - 1, 1, 1).data[0] === 255) return;
      got = "one whose canvas stays empty";
    }
  } catch (error) {
    got = String(error);
  }
  throw new ValueError(
    `${op}: size must be one that the browser draws, got ${size}: ${got}. Take a smaller one, 224 say.`,
  );
}

/** Planes of colours, or one of grey by ITU-R 601, as Pillow rounds it. */
function planes(rgba: Uint8ClampedArray, channels: number): Uint8Array<ArrayBuffer> {
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

function checkOptions(op: string, { size, channels, parallel, maxPixels }: Omit<Decoding, "onProgress">): void {
  checkCounts(op, { size, parallel, maxPixels });
  if (channels !== 1 && channels !== 3)
    throw new ValueError(`${op}: channels must be 1 or 3, got ${describe(channels)}. Pass one of them.`);
  if (typeof createImageBitmap !== "function" || typeof OffscreenCanvas !== "function") {
    throw new ValueError(
      `${op}: images must be decoded by a browser, got none here. In Node read safetensors: readImages(bytes).`,
    );
  }
  checkDrawable(op, size);
}
