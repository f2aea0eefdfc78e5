/** Files that are read piece by piece: what they give is what reading all at once gives. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DTypeError, FormatError, IndexError, ShapeError, ValueError } from "../../src/errors";
import { openSafetensors, readSafetensors, writeSafetensors } from "../../src/io";
import { anyFileArray, mutated } from "../helpers/fileArrays";

/** Counts what is read of it. */
class CountedBlob extends Blob {
  readonly slices: [begin: number, end: number][] = [];

  override slice(begin = 0, end = this.size): Blob {
    this.slices.push([begin, end]);
    return super.slice(begin, end);
  }
}

const blobOf = (bytes: Uint8Array): CountedBlob => new CountedBlob([bytes as Uint8Array<ArrayBuffer>]);

const values = Float32Array.from({ length: 20 }, (_, i) => i);
const file = (): Uint8Array =>
  writeSafetensors(
    {
      rows: { shape: [10, 2], dtype: "f32", data: values },
      scalar: { shape: [], dtype: "i32", data: Int32Array.of(7) },
      none: { shape: [0, 3], dtype: "u8", data: new Uint8Array(0) },
      wide: { shape: [3, 0], dtype: "u8", data: new Uint8Array(0) },
    },
    { note: "x" },
  );

describe("openSafetensors", () => {
  test("gives the arrays, texts and order of readSafetensors", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .dictionary(fc.string({ maxLength: 5 }), anyFileArray(), { maxKeys: 4 })
          .filter((all) => !("__metadata__" in all)),
        async (arrays) => {
          const bytes = writeSafetensors(arrays, { made: "here" });
          const whole = readSafetensors(bytes);
          const opened = await openSafetensors(blobOf(bytes));
          expect(opened.metadata).toEqual(whole.metadata);
          expect(Object.keys(opened.tensors)).toEqual(Object.keys(whole.tensors));
          for (const [name, { shape, dtype, data }] of Object.entries(whole.tensors)) {
            expect(opened.tensors[name]).toEqual({ shape, dtype });
            expect(await opened.read(name)).toEqual({ shape, dtype, data });
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test("refuses what readSafetensors refuses, with the same words", async () => {
    const bytes = file();
    await fc.assert(
      fc.asyncProperty(mutated(bytes, 200), async (damaged) => {
        const expected = refusalOf(() => readSafetensors(damaged));
        const got = await openSafetensors(blobOf(damaged)).then(
          () => null,
          (error: unknown) => {
            expect(error).toBeInstanceOf(FormatError);
            return (error as Error).message.replaceAll("openSafetensors", "readSafetensors");
          },
        );
        expect(got).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  test("reads the header alone, and rows that lie near each other in one go", async () => {
    const blob = blobOf(file());
    const opened = await openSafetensors(blob);
    const start = blob.size - values.byteLength - 4;
    expect(Math.max(...blob.slices.map(([, end]) => end))).toBeLessThanOrEqual(start);

    blob.slices.length = 0;
    const rows = [7, 2, 3, 9, 2];
    const found = await opened.readRows("rows", rows);
    expect(found.shape).toEqual([5, 2]);
    expect([...found.data]).toEqual(rows.flatMap((row) => [2 * row, 2 * row + 1]));
    expect(blob.slices.map(([begin, end]) => end - begin)).toEqual([8 * 8]); // rows 2 to 9
  });

  test("reads neither large holes nor all at once", async () => {
    const [count, length] = [300, 100_000];
    const data = Uint8Array.from({ length: count * length }, (_, i) => Math.floor(i / length) % 256);
    let [under, most] = [0, 0];
    const reads: number[] = [];
    const bytes = writeSafetensors({ x: { shape: [count, length], dtype: "u8", data } });
    const opened = await openSafetensors({
      size: bytes.length,
      read: async (begin, end) => {
        reads.push(end - begin);
        most = Math.max(most, ++under);
        await Promise.resolve();
        under--;
        return bytes.subarray(begin, end);
      },
    });
    reads.length = 0;
    const apart = Array.from({ length: 100 }, (_, i) => 2 * i); // a row between two is a hole that is too large
    const found = await opened.readRows("x", apart);
    apart.forEach((row, i) => expect(found.data[i * length], `${row}`).toBe(row % 256));
    expect(reads).toEqual(apart.map(() => length));
    expect(most).toBe(16);
    reads.length = 0;
    await opened.readRows(
      "x",
      Array.from({ length: 200 }, (_, i) => i),
    );
    expect(reads).toEqual([83, 83, 34].map((rows) => rows * length)); // of 8 MiB at most
  });

  test("refuses a reader that gives something else", async () => {
    const bytes = file();
    for (const given of [undefined, new Uint8Array(3), "text"]) {
      const read = (): Promise<never> => Promise.resolve(given as never);
      await expect(openSafetensors({ size: bytes.length, read })).rejects.toThrow(/bytes 0 to 8 of the file must be/);
    }
    await expect(openSafetensors({ size: 8 } as never)).rejects.toThrow(/must be a Blob or have size and read/);
  });

  test("gives no rows, and rows of nothing", async () => {
    const opened = await openSafetensors(blobOf(file()));
    expect(await opened.readRows("rows", [])).toEqual({ shape: [0, 2], dtype: "f32", data: new Float32Array(0) });
    expect(await opened.readRows("none", [])).toEqual({ shape: [0, 3], dtype: "u8", data: new Uint8Array(0) });
    expect(await opened.readRows("wide", [2, 0])).toEqual({ shape: [2, 0], dtype: "u8", data: new Uint8Array(0) });
  });

  test("refuses rows and names that are not there, and what is no file", async () => {
    const opened = await openSafetensors(blobOf(file()));
    await expect(opened.read("row")).rejects.toThrow(/must be one of the file's.*It has rows, scalar, none, wide/);
    for (const row of [-1, 10, 1.5, NaN])
      await expect(opened.readRows("rows", [0, row])).rejects.toThrow(new RegExp(`rows in 0\\.\\.9, got ${row}`));
    await expect(opened.readRows("rows", [10])).rejects.toThrow(IndexError);
    await expect(opened.readRows("scalar", [0])).rejects.toThrow(ShapeError);
    await expect(openSafetensors(file() as never)).rejects.toThrow(DTypeError);
    await expect(openSafetensors(Promise.resolve(blobOf(file())) as never)).rejects.toThrow(/Write await in front/);
  });

  test("says when the file is gone, or shorter than it was", async () => {
    const blob = blobOf(file());
    const opened = await openSafetensors(blob);
    blob.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) as Blob;
    await expect(opened.readRows("rows", [1])).rejects.toThrow(/^readRows: .*must be readable, got Error: gone/);
    blob.slice = () => new Blob([]);
    await expect(opened.read("rows")).rejects.toThrow(ValueError);
  });
});

/** What reading says of a file that it refuses; null for one that it takes. */
function refusalOf(read: () => void): string | null {
  try {
    read();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
