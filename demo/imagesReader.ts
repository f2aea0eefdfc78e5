/** A worker that reads images from files, so that the page waits for none: one reading, then the page ends it. */

import { packImageFolder, type UnreadFile } from "flywheel/data";
import { nameOf, parallelFor, type Reading } from "./chosenFiles";
import { cifar10Images, ownImages, packed } from "./dataset";
import { type HowFar, Progress } from "./progress";
import type { PackedImages } from "./protocol";

/** Reader to page. */
export type ReaderEvent =
  | ({ readonly type: "progress" } & HowFar)
  | { readonly type: "read"; readonly images: PackedImages; readonly unread: readonly UnreadFile[] }
  /** A sentence for the user. */
  | { readonly type: "problem"; readonly message: string };

// Structured by hand: TypeScript's library for pages does not know a worker's scope.
const scope = self as unknown as {
  onmessage: (event: MessageEvent<Reading>) => void;
  postMessage: (event: ReaderEvent) => void;
};

const progress = new Progress((howFar) => scope.postMessage({ type: "progress", ...howFar }));
const tellProgress = (done: number, count: number): void => progress.at(done, count);

scope.onmessage = ({ data: reading }) => {
  (reading.kind === "cifar10" ? readCifar10(reading) : readFolder(reading)).catch((error: unknown) => {
    scope.postMessage({ type: "problem", message: error instanceof Error ? error.message : String(error) });
  });
};

async function readCifar10({ files, parts }: Extract<Reading, { kind: "cifar10" }>): Promise<void> {
  let done = 0;
  const read = async (name: string): Promise<Uint8Array> => {
    const bytes = new Uint8Array(await files.find((placed) => nameOf(placed) === name)!.file.arrayBuffer());
    tellProgress(++done, files.length);
    return bytes;
  };
  scope.postMessage({ type: "read", images: packed(await cifar10Images(read, parts)), unread: [] });
}

async function readFolder({ files, size }: Extract<Reading, { kind: "own" }>): Promise<void> {
  const options = { size, parallel: parallelFor(files), onProgress: tellProgress };
  const { file, unread } = await packImageFolder(files, options);
  scope.postMessage({ type: "read", images: await ownImages(file), unread });
}
