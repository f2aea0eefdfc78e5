/**
 * Makes demo/public/data/fashion-mnist, the data that the demo and `npm start` train on, out of Debian's package:
 *
 *   apt-get install -y --no-install-recommends dataset-fashion-mnist
 *   node scripts/makeData.mjs [FOLDER OF THE PACKAGE, default /usr/share/datasets/fashion-mnist]
 *
 * Training files are cut to their first 10,000 images, test files are copied as they are. The bytes written
 * depend on the package alone (no time stamps), so running it again changes nothing.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

const TRAIN_COUNT = 10_000;
const source = process.argv[2] ?? "/usr/share/datasets/fashion-mnist";
const target = fileURLToPath(new URL("../demo/public/data/fashion-mnist/", import.meta.url));

const LICENSE = `The MIT License (MIT)

Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`;

const README = `# Fashion-MNIST, first 10,000 training images

28x28 grey images of ten kinds of clothing, from https://github.com/zalandoresearch/fashion-mnist (Zalando SE, MIT
licence: see LICENSE). IDX files, gzipped.

| file | holds |
| --- | --- |
| train-images-idx3-ubyte.gz | the first 10,000 of the 60,000 training images |
| train-labels-idx1-ubyte.gz | their labels, 0 to 9 |
| t10k-images-idx3-ubyte.gz | all 10,000 test images |
| t10k-labels-idx1-ubyte.gz | their labels, 0 to 9 |

Made by \`node scripts/makeData.mjs\` from Debian's package dataset-fashion-mnist; do not edit by hand.
`;

/**
 * The first `count` items of an IDX file of bytes: its count (a big-endian u32 at byte 4) rewritten, the rest cut.
 *
 * @param {Buffer} idx
 * @param {number} count
 */
function firstItems(idx, count) {
  const rank = idx.readUInt8(3);
  const headerByteLength = 4 + 4 * rank;
  let itemByteLength = 1;
  for (let dim = 1; dim < rank; dim++) itemByteLength *= idx.readUInt32BE(4 + 4 * dim);
  const cut = Buffer.from(idx.subarray(0, headerByteLength + count * itemByteLength));
  cut.writeUInt32BE(count, 4);
  return cut;
}

/**
 * gzip at level 9 without a time stamp; "unknown" as the operating system, so that every system writes the same.
 *
 * @param {Buffer} bytes
 */
function gzip(bytes) {
  const zipped = gzipSync(bytes, { level: 9 });
  zipped[9] = 255;
  return zipped;
}

if (!existsSync(source)) {
  console.error(
    `makeData: ${source} must exist. Run: apt-get install -y --no-install-recommends dataset-fashion-mnist`,
  );
  process.exit(1);
}

mkdirSync(target, { recursive: true });
/** @type {Record<string, string | Buffer>} */
const files = {
  LICENSE,
  "README.md": README,
  "t10k-images-idx3-ubyte.gz": readFileSync(join(source, "t10k-images-idx3-ubyte.gz")),
  "t10k-labels-idx1-ubyte.gz": readFileSync(join(source, "t10k-labels-idx1-ubyte.gz")),
};
for (const name of ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]) {
  files[name] = gzip(firstItems(gunzipSync(readFileSync(join(source, name))), TRAIN_COUNT));
}
for (const [name, content] of Object.entries(files)) {
  writeFileSync(join(target, name), content);
  console.log(`${name.padEnd(28)} ${String(content.length).padStart(9)} bytes`);
}
