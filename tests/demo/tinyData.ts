/** Data that is so small that evaluating takes no time. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { FASHION_MNIST_FILES } from "../../src/data/fashionMnist";

const EMBEDDED = join(import.meta.dirname, "../../demo/public/data/fashion-mnist");

/** A file of CIFAR-10's binary version with these labels; each image is of a colour that its label and place give. */
export function cifarFile(labels: readonly number[]): Uint8Array {
  const planes = (label: number, place: number): number[] =>
    [25 * label, 255 - 25 * label, (37 * place) % 256].flatMap((value) =>
      Array.from({ length: 1024 }, (_, i) => (value + (i % 32)) % 256),
    );
  return Uint8Array.from(labels.flatMap((label, place) => [label, ...planes(label, place)]));
}

/** Writes the first images of the embedded files to `folder`, which it makes. */
export function writeTinyData(folder: string, { train, test }: { train: number; test: number }): void {
  mkdirSync(folder, { recursive: true });
  for (const [key, name] of Object.entries(FASHION_MNIST_FILES)) {
    const file = gunzipSync(readFileSync(join(EMBEDDED, name)));
    const count = key.startsWith("train") ? train : test;
    const isImages = key.endsWith("Images");
    const cut = Buffer.from(file.subarray(0, isImages ? 16 + 784 * count : 8 + count));
    cut.writeUInt32BE(count, 4);
    writeFileSync(join(folder, name.replace(".gz", "")), cut);
  }
}
