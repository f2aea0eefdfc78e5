/** What a checkpoint says of the images of its run, and whether those that are chosen now will do. Knows nothing of the page. */

import { FormatError } from "flywheel";
import type { ImagesKind, ImagesSummary } from "./protocol";

/** A run goes on with images of the same kind, count and size: that they are the same ones is up to the user. */
const NAMES = ["kind", "trainCount", "testCount", "channels", "height", "width"] as const;

export type SavedImages = Pick<ImagesSummary, (typeof NAMES)[number]>;

/** Names of images by kind. */
export const KIND_NAMES: Readonly<Record<ImagesKind, string>> = {
  fashionMnist: "Fashion-MNIST",
  cifar10: "CIFAR-10",
  own: "your own images",
};

/** As a checkpoint keeps it. */
export const savedImages = (summary: ImagesSummary): string =>
  JSON.stringify(Object.fromEntries(NAMES.map((name) => [name, summary[name]])));

/**
 * What `savedImages` wrote. Without any, as in checkpoints of before there was a choice, it was Fashion-MNIST: null.
 *
 * @throws FormatError for other text
 */
export function readSavedImages(text: string | undefined): SavedImages | null {
  if (text === undefined) return null;
  const saved = parsed(text);
  const isKnown = Object.hasOwn(KIND_NAMES, String(saved["kind"]));
  if (isKnown && NAMES.slice(1).every((name) => Number.isInteger(saved[name]))) return saved as unknown as SavedImages;
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
 * Why a run cannot go on with the images that are chosen, in a sentence; null if it can.
 *
 * @param saved of the checkpoint; null: Fashion-MNIST
 * @param chosen null: Fashion-MNIST, which is read when a run starts
 */
export function imagesProblem(saved: SavedImages | null, chosen: ImagesSummary | null): string | null {
  const [wanted, got] = [wordsOf(saved), wordsOf(chosen)];
  return wanted === got
    ? null
    : `This save is of a run on ${wanted}, but the page has ${got}: choose the same images first.`;
}

function wordsOf(images: SavedImages | null): string {
  if (images === null || images.kind === "fashionMnist") return KIND_NAMES.fashionMnist;
  const { kind, trainCount, testCount, channels, height, width } = images;
  return `${KIND_NAMES[kind]} (${trainCount} to train on and ${testCount} others, ${height} by ${width}, ${channels === 1 ? "grey" : "colour"})`;
}
