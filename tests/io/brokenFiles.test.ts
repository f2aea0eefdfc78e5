/** Checkpoints that were cut short or damaged on their way: each is a FormatError, or what it was. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import {
  type FileArray,
  isTorchTensor,
  readSafetensors,
  readTorch,
  type TorchValue,
  writeSafetensors,
} from "../../src/io";
import { readZip } from "../../src/io/torch/readZip";
import { writeZip } from "../../src/io/torch/writeZip";
import { checkpoint } from "../helpers/checkpoints";
import { mutated } from "../helpers/fileArrays";

/** Lehmer's generator, so that the same bytes are flipped every time for a seed from 1. */
function seeded(seed: number): () => number {
  const modulus = 2 ** 31 - 1;
  let state = seed;
  return () => {
    state = (48_271 * state) % modulus; // exact: the product is below 2^53
    return (state - 1) / (modulus - 1);
  };
}

/** Lengths to cut a file to: many spread over it, and each of the last 100. */
const cuts = ({ length }: Uint8Array): number[] => [
  ...Array.from({ length: 200 }, (_, part) => Math.floor((part / 200) * (length - 100))),
  ...Array.from({ length: 100 }, (_, byte) => length - 1 - byte),
];

/** The file with a bit of one byte flipped. */
function flipped(file: Uint8Array, at: number, bit: number): Uint8Array {
  const damaged = file.slice();
  damaged[at]! ^= 1 << bit;
  return damaged;
}

/** What reading gives: a value, or the FormatError's message. Anything else that is thrown fails the test. */
function outcome<T>(read: () => T): { value: T } | { refused: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { refused: error.message };
  }
}

/** Whether each tensor has as many values as its shape says. */
function isConsistent(value: TorchValue): boolean {
  if (isTorchTensor(value)) return value.data.length === value.shape.reduce((product, size) => product * size, 1);
  if (value instanceof Map) return [...value.values()].every(isConsistent);
  return typeof value !== "object" || value === null || Object.values(value).every(isConsistent);
}

const { zip, legacy, value } = checkpoint("optimizer");

describe("readTorch", () => {
  test.each(["zip", "legacy"] as const)("refuses a file that is cut short, wherever, %s", (form) => {
    for (const name of ["optimizer", "dtypes"]) {
      const { [form]: file } = checkpoint(name);
      for (const length of cuts(file))
        expect(() => readTorch(file.subarray(0, length)), `${length}`).toThrow(FormatError);
    }
  });

  test("refuses every damaged byte of a zip file that matters", () => {
    const entries = [...readZip(zip).values()];
    const random = seeded(1);
    let [refused, harmless] = [0, 0];
    for (let at = 0; at < zip.length; at++) {
      const result = outcome(() => readTorch(flipped(zip, at, Math.floor(8 * random()))));
      const place = zip.byteOffset + at;
      const isChecked = entries.some((entry) => place >= entry.byteOffset && place < entry.byteOffset + entry.length);
      // padding, dates, versions and attributes have no checksum and no meaning
      if ("value" in result) expect(result.value).toStrictEqual(value);
      if (isChecked)
        expect(result).toMatchObject({ refused: expect.stringContaining("must have their checksum") as string });
      if ("value" in result) harmless++;
      else refused++;
    }
    expect(refused).toBeGreaterThan(900);
    expect(harmless).toBeGreaterThan(100);
  });

  test("refuses a damaged legacy file, or gives other values of the same kind: it has no checksums", () => {
    const random = seeded(2);
    let refused = 0;
    for (let at = 0; at < legacy.length; at++) {
      const result = outcome(() => readTorch(flipped(legacy, at, Math.floor(8 * random()))));
      if ("value" in result) expect(isConsistent(result.value)).toBe(true);
      else refused++;
    }
    expect(refused).toBeGreaterThan(0.5 * legacy.length);
  });

  test("refuses pickles edited anywhere, checksums mended, or gives whole values", () => {
    const entries = [...readZip(zip)].map(([name, bytes]) => ({ name, bytes }));
    const pickle = entries[0]!.bytes;
    fc.assert(
      fc.property(mutated(pickle, pickle.length), (bytes) => {
        const result = outcome(() => readTorch(writeZip([{ name: "archive/data.pkl", bytes }, ...entries.slice(1)])));
        return "refused" in result || isConsistent(result.value);
      }),
      { numRuns: 3000, seed: 3 },
    );
  });
});

describe("readSafetensors", () => {
  const array: FileArray = { shape: [2, 3], dtype: "f32", data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const file = writeSafetensors(
    { a: array, "b.c": { shape: [2], dtype: "bool", data: Uint8Array.of(0, 1) } },
    { k: "v" },
  );

  test("refuses a file that is cut short, wherever", () => {
    for (let length = 0; length < file.length; length++)
      expect(() => readSafetensors(file.subarray(0, length)), `${length}`).toThrow(FormatError);
  });

  test("refuses a damaged header, or gives other names; damaged values are other values", () => {
    const random = seeded(4);
    for (let at = 0; at < file.length; at++) {
      const result = outcome(() => readSafetensors(flipped(file, at, Math.floor(8 * random()))));
      if ("value" in result) expect(isConsistent(result.value.tensors)).toBe(true);
      if (at < 8) expect(result).toHaveProperty("refused");
    }
  });
});
