/** Values of checkpoints whose conversion must take no longer than they are large. */

import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { type FileArray, readTorch } from "../../src/io";
import { PyDict, PyList, PyStorage, PyTensor, PyTuple } from "../../src/io/torch/python";
import { convert } from "../../src/io/torch/values";
import { bytes, pickle, storage, tensor, zipOf } from "../helpers/pickles";

const NO_TENSORS = {
  valuesOf: () => new Float32Array(),
  bytesLeft: 0,
};

/** A container, and how often its items were read. */
function watched<T extends PyList | PyDict>(container: T): { container: T; reads: () => number } {
  const { items } = container;
  let reads = 0;
  Object.defineProperty(container, "items", { get: () => (reads++, items) });
  return { container, reads: () => reads };
}

describe("containers", () => {
  test.each([
    ["a list that contains itself last", () => new PyList(), (self: unknown) => [null, null, self]],
    ["a list in a tuple in itself", () => new PyList(), (self: unknown) => [null, new PyTuple([null, self])]],
    ["a dict that contains itself last", () => new PyDict(false), (self: unknown) => ["a", null, "b", self]],
  ] as const)("are entered once: %s", (_, make, itemsOf) => {
    const list = make();
    list.items.push(...itemsOf(list));
    const { container, reads } = watched(list);
    expect(() => convert(container, NO_TENSORS)).toThrow(FormatError);
    expect(reads()).toBe(1);
  });

  test("may be shared, and are converted once", () => {
    const shared = new PyList();
    shared.items.push(1, 2);
    const { container, reads } = watched(shared);
    const [first, second, third] = convert(
      new PyTuple([container, container, new PyTuple([container])]),
      NO_TENSORS,
    ) as [unknown, unknown, [unknown]];
    expect(first).toEqual([1, 2]);
    expect([second, third[0]]).toEqual([first, first]);
    expect(second).toBe(first);
    expect(reads()).toBe(1);
  });
});

/** Sizes and strides, over a storage that counts from 0. */
const VIEWS: readonly [what: string, offset: number, shape: readonly number[], strides: readonly number[]][] = [
  ["a transpose", 3, [5, 7], [1, 5]],
  ["dimensions of size 1 between", 0, [1, 5, 1, 1, 7, 1], [9, 1, 4, 0, 5, 3]],
  ["rows that lie apart, long", 2, [4, 40], [50, 1]],
  ["rows that lie apart, short", 2, [40, 4], [5, 1]],
  ["rows that lie apart, in two dimensions", 1, [3, 8, 8], [70, 8, 1]],
  ["every other element", 1, [100], [2]],
  ["outer dimensions that merge", 0, [4, 5, 3], [25, 5, 1]],
  ["one element many times", 5, [8, 16], [0, 0]],
  ["each element many times", 5, [6, 40], [2, 0]],
  ["each row many times", 5, [40, 6], [0, 1]],
  ["windows that overlap", 0, [20, 33], [1, 1]],
  ["merged at the end only", 0, [2, 3, 4, 5], [120, 5, 30, 1]],
  ["a permutation of four", 0, [2, 3, 4, 5], [1, 2, 6, 24]],
  ["rows of one element", 0, [7, 1], [3, 1]],
];

describe("tensors", () => {
  test.each(VIEWS)("have the elements that strides say: %s", (_, offset, shape, strides) => {
    const values = Float32Array.from({ length: 300 }, (_, at) => at);
    const view = new PyTensor(new PyStorage("0", "f32", values.length), offset, shape, strides);
    const { data } = convert(view, { valuesOf: () => values, bytesLeft: 4 * values.length * 10 }) as FileArray;
    const places = shape.reduce<number[]>(
      (starts, size, dim) =>
        starts.flatMap((start) => Array.from({ length: size }, (_, at) => start + at * strides[dim]!)),
      [offset],
    );
    expect(Array.from(data as Float32Array)).toEqual(places);
  });

  test("have bigints where they are of i64", () => {
    const values = BigInt64Array.from({ length: 80 }, (_, at) => BigInt(at));
    for (const strides of [
      [1, 0],
      [0, 1],
      [1, 2],
    ]) {
      const view = new PyTensor(new PyStorage("0", "i64", values.length), 0, [2, 33], strides);
      const { data } = convert(view, { valuesOf: () => values, bytesLeft: 8 * 66 }) as FileArray;
      const places = Array.from({ length: 66 }, (_, at) => Math.floor(at / 33) * strides[0]! + (at % 33) * strides[1]!);
      expect(Array.from(data as BigInt64Array, Number)).toEqual(places);
    }
  });

  test("take no time for dimensions of size 1", () => {
    const ones = Array.from({ length: 63 }, () => 1);
    const zeros = Array.from({ length: 64 }, () => 0);
    const file = zipOf(bytes(pickle(tensor(15, [2 ** 26, ...ones], zeros, storage(16, "ByteStorage")))));
    const startMs = performance.now();
    const { shape, data } = readTorch(file) as FileArray;
    expect(performance.now() - startMs).toBeLessThan(5000); // 21 s for a walk over all of them
    expect(shape).toEqual([2 ** 26, ...ones]);
    expect(new Set([data[0], data[12_345], data.at(-1)])).toEqual(new Set([64])); // the last byte of 4 as f32
  });
});
