/** Images of a file on disk. */

import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openImages, writeImages } from "../../src/data";

test("a file on disk is read image by image", async () => {
  const folder = mkdtempSync(join(tmpdir(), "flywheel-test-"));
  try {
    const [count, length] = [500, 3 * 16 * 16];
    const images = Uint8Array.from({ length: count * length }, (_, i) => (i * i + (i >> 9)) % 256);
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 7);
    const path = join(folder, "images.safetensors");
    writeFileSync(path, writeImages({ images, labels, count, channels: 3, height: 16, width: 16 }));
    const opened = await openImages(await openAsBlob(path));
    expect(opened).toMatchObject({ count, channels: 3, height: 16, width: 16 });
    expect(opened.labels).toEqual(labels);
    const rows = Int32Array.from({ length: 256 }, (_, i) => (i * 197) % count);
    const bytes = await opened.read(rows);
    rows.forEach((row, i) => {
      expect(bytes.subarray(i * length, (i + 1) * length)).toEqual(images.subarray(row * length, (row + 1) * length));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a file of more than 4 GiB is read through a handle, where Node's Blobs count in 32 bits", async () => {
  const folder = mkdtempSync(join(tmpdir(), "flywheel-test-"));
  try {
    const path = join(folder, "large.safetensors");
    const [count, length] = [1_400_000, 3 * 32 * 32]; // 4.3 GB, of which the disk keeps two images
    const end = count * length;
    const header = JSON.stringify({
      images: { dtype: "U8", shape: [count, 3, 32, 32], data_offsets: [0, end] },
      labels: { dtype: "U8", shape: [count], data_offsets: [end, end + count] },
    });
    const head = Buffer.alloc(8 + header.length);
    head.writeBigUInt64LE(BigInt(header.length));
    head.write(header, 8);
    const handle = await open(path, "w+");
    try {
      await handle.write(head, 0, head.length, 0);
      await handle.write(Uint8Array.of(7), 0, 1, head.length + 5 * length); // the first byte of image 5
      await handle.write(Uint8Array.of(9), 0, 1, head.length + (count - 1) * length);
      await handle.truncate(head.length + end + count);
      const { size } = await handle.stat();
      const opened = await openImages({
        size,
        read: async (begin, last) =>
          (await handle.read({ buffer: new Uint8Array(last - begin), position: begin })).buffer,
      });
      expect(opened.count).toBe(count);
      const bytes = await opened.read(Int32Array.of(count - 1, 5, 6));
      expect([0, length, 2 * length].map((at) => bytes[at])).toEqual([9, 7, 0]);
    } finally {
      await handle.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
