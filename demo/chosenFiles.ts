/** Files that were opened or dropped: which images they are, what is wrong with them, and what is said of what was read. */

import { CIFAR10_FILES, type PlacedFile, type UnreadFile } from "flywheel/data";
import type { Cifar10Files } from "./dataset";
import type { ImagesSummary } from "./protocol";
import { KIND_NAMES } from "./savedImages";

/** What a worker is to read. */
export type Reading =
  | { readonly kind: "cifar10"; readonly files: readonly PlacedFile[]; readonly parts: Cifar10Files }
  | { readonly kind: "own"; readonly files: readonly PlacedFile[]; readonly size: number };

/** The file with the names of CIFAR-10's classes. */
const CIFAR10_NAMES = "batches.meta.txt";

/** Most bytes of CIFAR-10's files, which are read whole: the published ones have 184 MB. */
const MOST_BYTES = 2 ** 28;

/** Most bytes of one's own images: browsers keep them on disk, up to a part of it. */
const MOST_OWN_BYTES = 2 ** 32;

/** Most bytes of one file of one's own images: decoded it is many times as large. */
const MOST_FILE_BYTES = 2 ** 26;

const WANTED =
  "Wanted are images (PNG, JPEG or WebP), or CIFAR-10's binary files, unpacked: data_batch_1.bin to data_batch_5.bin and test_batch.bin.";

/** Bytes of a file from which on few are decoded at once: a photo of 48 megapixels takes 200 MB by then. */
const LARGE_FILE_BYTES = 2 ** 20;

/** How many of these are to be decoded at once. */
export const parallelFor = (files: readonly PlacedFile[]): number =>
  files.some(({ file }) => file.size > LARGE_FILE_BYTES) ? 2 : 8;

export const nameOf = ({ path }: PlacedFile): string => path.slice(path.lastIndexOf("/") + 1);

/**
 * What files are, by their names and types.
 *
 * @param size height and width that own images are to have
 * @returns what is to be read, or a sentence that says why that cannot be
 */
export function readingOf(files: readonly PlacedFile[], size: number): Reading | string {
  const names = files.map(nameOf);
  const train = CIFAR10_FILES.train.filter((name) => names.includes(name));
  const test = CIFAR10_FILES.test.filter((name) => names.includes(name));
  if (train.length + test.length > 0) return cifar10(files, { train, test, names: names.find(isNames) ?? null });
  const images = files.filter((placed) => placed.file.type.startsWith("image/") && !nameOf(placed).startsWith("."));
  if (images.length === 0) return `${WANTED} Got ${someOf(names)}.`;
  const large = images.filter(({ file }) => file.size > MOST_FILE_BYTES).map(({ path }) => path);
  if (large.length > 0) return `An image may be a file of at most 64 MiB, which these are not: ${someOf(large)}.`;
  const most = Math.floor(MOST_OWN_BYTES / (3 * size * size));
  if (images.length > most) {
    return `At ${size} by ${size} there may be at most ${grouped(most)} images, got ${grouped(images.length)}: choose a smaller size, or fewer of them.`;
  }
  return { kind: "own", files: images, size };
}

const isNames = (name: string): boolean => name === CIFAR10_NAMES;

function cifar10(files: readonly PlacedFile[], parts: Cifar10Files): Reading | string {
  const { train, test, names } = parts;
  const known = [...train, ...test, ...(names === null ? [] : [names])];
  const taken = files.filter((placed) => known.includes(nameOf(placed)));
  if (train.length === 0 || test.length === 0)
    return `CIFAR-10 takes one or more of data_batch_1.bin to data_batch_5.bin, and test_batch.bin, together; got ${someOf(known)}.`;
  if (taken.length > known.length)
    return `CIFAR-10's files must be there once each, got ${someOf(taken.map(({ path }) => path))}.`;
  const byteLength = taken.reduce((sum, { file }) => sum + file.size, 0);
  if (byteLength > MOST_BYTES)
    return `CIFAR-10's files may be of at most ${grouped(MOST_BYTES)} bytes together, got ${grouped(byteLength)}: open the published ones.`;
  return { kind: "cifar10", files: taken, parts };
}

/** The first names of many. */
function someOf(names: readonly string[], most = 3): string {
  if (names.length === 0) return "no file";
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(", ")} and ${grouped(more)} more` : names.join(", ");
}

const grouped = (count: number): string => count.toLocaleString("en");

/**
 * What is said to those who followed an address that names images: the page cannot open them by itself.
 *
 * @param kind as the address has it
 */
export function missingText(kind: string): string {
  if (kind === "cifar10" || kind === "own")
    return `The address asks for ${KIND_NAMES[kind]}: open or drop them, or take those of the page.`;
  return `The address must ask for one of ${Object.keys(KIND_NAMES).join(", ")} as data, got ${JSON.stringify(kind)}: open images, or take those of the page.`;
}

/** What is chosen: `CIFAR-10: 60,000 images, 32 by 32, colour, 10 classes; ...`. */
export function summaryText(summary: ImagesSummary): string {
  const { kind, trainCount, testCount, channels, height, width, classNames } = summary;
  const name = kind === "own" ? "Your own" : KIND_NAMES[kind];
  const classes = classNames.length > 0 ? `${classNames.length} classes` : "no classes";
  const size = `${height} by ${width}, ${channels === 1 ? "grey" : "colour"}`;
  const parts = `${grouped(trainCount)} to train on, ${grouped(testCount)} to test with`;
  return `${name}: ${grouped(trainCount + testCount)} images, ${size}, ${classes}; ${parts}.`;
}

/** What else is worth knowing of what was read. */
export function summaryNotes({ kind, classNames, statistics }: ImagesSummary, unread: readonly UnreadFile[]): string {
  const shown = (values: number | readonly number[]): string =>
    [values]
      .flat()
      .map((value) => value.toFixed(2))
      .join(", ");
  return [
    ...(classNames.length === 0
      ? ["Without classes (a folder for each) there is no kNN accuracy and no linear probe; training needs none."]
      : []),
    ...(kind === "own"
      ? [
          `They are normalised by their own mean (${shown(statistics.mean)}) and standard deviation (${shown(statistics.std)}).`,
        ]
      : []),
    ...(unread.length > 0
      ? [`Left out, as this browser cannot draw them: ${someOf(unread.map(({ path }) => path))}.`]
      : []),
  ].join(" ");
}
