/** Images of a file on disk. */

import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from "node:fs";
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
