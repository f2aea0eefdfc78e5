/** A folder of the four data files, cut to few images, so that evaluating takes no time. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { FASHION_MNIST_FILES } from "../../src/data/fashionMnist";

const EMBEDDED = join(import.meta.dirname, "../../demo/public/data/fashion-mnist");

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
