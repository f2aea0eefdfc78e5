/**
 * Checkpoints on the page: the last one is kept in the origin's private file system, written whole or not at all, and any can be
 * taken out and in as a file.
 */

import { FormatError } from "flywheel";
import { readSafetensors } from "flywheel/io";
import { optionsFromSearch } from "./options";
import type { TrainingOptions } from "./training";

const NAME = "moco.safetensors";

/** The last checkpoint that was kept here; null if there is none, or the browser keeps no files. */
export async function lastCheckpoint(): Promise<File | null> {
  try {
    const folder = await navigator.storage.getDirectory();
    return await (await folder.getFileHandle(NAME)).getFile();
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
 * The options of the run that a checkpoint is of.
 *
 * @throws FormatError if it is none of this page's
 */
export function optionsOf(bytes: Uint8Array): TrainingOptions {
  const { options } = readSafetensors(bytes).metadata;
  if (options === undefined)
    throw new FormatError("The file must be a checkpoint of this page, got another. Choose one that was saved here.");
  const saved = JSON.parse(options) as Record<string, unknown>;
  const words = Object.entries(saved).map(([name, value]) => [name, String(value)]);
  return optionsFromSearch(new URLSearchParams(words));
}
