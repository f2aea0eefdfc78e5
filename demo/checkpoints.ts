/**
 * Checkpoints on the page: the last one is kept in the origin's private file system, written whole or not at all, and any can be
 * taken out and in as a file.
 */

import { FormatError } from "flywheel";
import { openSafetensors } from "flywheel/io";
import { optionsFromSearch } from "./options";
import { readSavedImages, type SavedImages } from "./savedImages";
import type { TrainingOptions } from "./training";

const NAME = "moco.safetensors";

/** The last checkpoint that was kept here; null if there is none, or the browser keeps no files. */
export async function lastCheckpoint(): Promise<File | null> {
  try {
    const folder = await navigator.storage.getDirectory();
    const file = await (await folder.getFileHandle(NAME)).getFile();
    return file.size > 0 ? file : null; // empty: the first one could not be written
  } catch {
    return null;
  }
}

/**
 * Keeps a checkpoint in place of the last one, which stays until all of this one is written.
 *
 * @throws DOMException where the browser keeps no files, or has no room
 */
export async function keepCheckpoint(bytes: Uint8Array): Promise<void> {
  const folder = await navigator.storage.getDirectory();
  const stream = await (await folder.getFileHandle(NAME, { create: true })).createWritable(); // a copy, until it is closed
  try {
    await stream.write(bytes as Uint8Array<ArrayBuffer>);
  } catch (error) {
    await stream.abort();
    throw error;
  }
  await stream.close();
}

/**
 * The options of the run that a checkpoint is of, the steps that were done, and its images: null for those of the page. Nothing else of
 * the file is read: whether it is whole shows when it is loaded.
 *
 * @throws FormatError if it is none of this page's; ValueError if it cannot be read
 */
export async function runOf(file: Blob): Promise<{
  options: TrainingOptions;
  stepsDone: number;
  images: SavedImages | null;
}> {
  const { options, states, images } = (await openSafetensors(file)).metadata;
  const saved = objectIn(options);
  const { last_epoch: stepsDone } = Object(objectIn(states)?.["schedule"]) as { last_epoch?: unknown };
  if (!saved || typeof stepsDone !== "number")
    throw new FormatError("The file must be a checkpoint of this page, got another. Choose one that was saved here.");
  const words = Object.entries(saved).map(([name, value]): [string, string] => [name, String(value)]);
  return { options: optionsFromSearch(new URLSearchParams(words)), stepsDone, images: readSavedImages(images) };
}

/** Null if it is no object in JSON. */
function objectIn(text: string | undefined): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
