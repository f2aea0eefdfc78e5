/** Files of a drop, those in its folders included. */

import type { PlacedFile } from "flywheel/data";

/**
 * All files, with their paths. To be called at once in the event: later the browser has forgotten them.
 *
 * @throws DOMException for what cannot be read
 */
export async function droppedFiles({ items }: DataTransfer): Promise<PlacedFile[]> {
  const dropped = [...items].filter(({ kind }) => kind === "file");
  const found = dropped.map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return (await Promise.all(found.map(filesIn))).flat();
}

async function filesIn(found: FileSystemEntry | File | null): Promise<PlacedFile[]> {
  if (found === null) return [];
  if (found instanceof File) return [{ file: found, path: found.name }];
  if (found.isFile) return [{ file: await fileOf(found as FileSystemFileEntry), path: found.fullPath.slice(1) }];
  const files: PlacedFile[] = [];
  for (const inside of await entriesOf(found as FileSystemDirectoryEntry)) files.push(...(await filesIn(inside)));
  return files;
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

/** A folder gives some of its entries at a time, and none at their end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return entries;
    entries.push(...some);
  }
}
