/** What a checkpoint says of the images of its run, and whether those that are chosen now will do. Knows nothing of the page. */

import { FormatError } from "flywheel";
import type { ImagesKind, ImagesSummary } from "./protocol";

/** A run goes on with images of the same kind, count and size. */
const NAMES = ["kind", "trainCount", "testCount", "channels", "height", "width"] as const;

export interface SavedImages extends Pick<ImagesSummary, (typeof NAMES)[number]> {
  /** Of those to train on, by `fingerprintOf`: images of which it differs are others. Older checkpoints have none. */
  readonly fingerprint?: number;
}

/** Names of images by kind. */
export const KIND_NAMES: Readonly<Record<ImagesKind, string>> = {
  fashionMnist: "Fashion-MNIST",
  cifar10: "CIFAR-10",
  own: "your own images",
};

/** As a checkpoint keeps it. */
export const savedImages = (images: Required<SavedImages>): string =>
  JSON.stringify(Object.fromEntries([...NAMES, "fingerprint" as const].map((name) => [name, images[name]])));

/**
 * What `savedImages` wrote. Without any, as in checkpoints of before there was a choice, it was Fashion-MNIST: null.
 *
 * @throws FormatError for other text
 */
export function readSavedImages(text: string | undefined): SavedImages | null {
  if (text === undefined) return null;
  const saved = parsed(text);
  const isKnown = Object.hasOwn(KIND_NAMES, String(saved["kind"]));
  const isWhole = NAMES.slice(1).every((name) => Number.isInteger(saved[name]));
  const hasPrint = saved["fingerprint"] === undefined || Number.isInteger(saved["fingerprint"]);
  if (isKnown && isWhole && hasPrint) return saved as unknown as SavedImages;
  throw new FormatError(
    "The file must say which images its run had, got something else. Choose one that was saved here.",
  );
}

function parsed(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/**
 * Why a run cannot go on with other images, in a sentence; null if it can.
 *
 * @param saved of the checkpoint; null: Fashion-MNIST, nobody knows how many
 * @param there those that there are; null: Fashion-MNIST, which is read when a run starts
 */
export function imagesProblem(saved: SavedImages | null, there: SavedImages | null): string | null {
  const kind = saved?.kind ?? "fashionMnist";
  if (kind === (there?.kind ?? "fashionMnist") && (saved === null || there === null)) return null;
  const [wanted, got] = [wordsOf(saved), wordsOf(there)];
  const wayOut = kind === there?.kind ? WAYS_OUT[kind] : "choose the same images first.";
  if (wanted !== got) return `This save is of a run on ${wanted}, but the page has ${got}: ${wayOut}`;
  const fingerprints = new Set([saved, there].flatMap((images) => images?.fingerprint ?? []));
  return fingerprints.size < 2
    ? null
    : `This save is of a run on other images than the page has, though both are ${got}: ${wayOut}`;
}

/** Where there are images of the kind, but others. */
const WAYS_OUT: Readonly<Record<ImagesKind, string>> = {
  fashionMnist: "run npm start with the same --data FOLDER, or without where there was none.",
  cifar10: "choose the same files first.",
  own: "choose the same images first, in the browser of that run, as each draws them in its own way.",
};

function wordsOf(images: SavedImages | null): string {
  if (images === null) return KIND_NAMES.fashionMnist;
  const { kind, trainCount, testCount, channels, height, width } = images;
  return `${KIND_NAMES[kind]} (${trainCount} to train on and ${testCount} others, ${height} by ${width}, ${channels === 1 ? "grey" : "colour"})`;
}
