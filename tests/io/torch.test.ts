import { describe, expect, test } from "vitest";
import { DTypeError, FormatError, ShapeError, ValueError } from "../../src/errors";
import type { FileArray } from "../../src/io";
import { isTorchObject, isTorchTensor, readTorch, type TorchValue, writeTorch } from "../../src/io";
import { checkpoint, checkpoints } from "../helpers/checkpoints";

const tensorsOf = (value: TorchValue): Record<string, FileArray> => value as Record<string, FileArray>;

const f32 = (...values: number[]): FileArray => ({
  dtype: "f32",
  shape: [values.length],
  data: Float32Array.from(values),
});

describe("readTorch", () => {
  test.each(checkpoints)("reads what PyTorch saved: $name", ({ zip, legacy, value }) => {
    expect(readTorch(zip)).toStrictEqual(value);
    expect(readTorch(legacy)).toStrictEqual(value);
  });

  test("keeps the order of names", () => {
    const { zip, value } = checkpoint("many");
    expect(Object.keys(readTorch(zip) as object)).toEqual(Object.keys(value as object));
  });

  test.each(["zip", "legacy"] as const)("lets tensors share memory where they did, %s", (form) => {
    const { whole, row, again, other } = tensorsOf(readTorch(checkpoint("shared")[form]));
    whole!.data[12] = 100;
    expect([row!.data[0], again!.data[12], other!.data[12]]).toEqual([100, 100, 12]);
    expect(row!.data.length).toBe(12);
  });

  test.each(["zip", "legacy"] as const)("copies, so that the file may be overwritten, %s", (form) => {
    const { value, [form]: file } = checkpoint("dtypes");
    const inside = new Uint8Array(file.length + 5);
    inside.set(file, 3); // nothing is aligned any more
    const read = readTorch(inside.subarray(3, -2));
    inside.fill(0);
    expect(read).toStrictEqual(value);
    expect(readTorch(file.slice().buffer)).toStrictEqual(value);
  });

  test("gives keys that objects have anyway as they are", () => {
    const read = readTorch(checkpoint("keys").zip) as Record<string, unknown>;
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.hasOwn(read, "__proto__")).toBe(true);
    expect("toString" in read && Object.hasOwn(read, "toString")).toBe(false); // it is in what __proto__ holds
  });

  test("copies no more out of order than it may", () => {
    const { zip } = checkpoint("views");
    expect(() => readTorch(zip, { maxByteLength: 100 })).toThrow("must not take more memory than maxByteLength");
    expect(() => readTorch(zip, { maxByteLength: 1000 })).not.toThrow();
    expect(() => readTorch(zip, { maxByteLength: -1 })).toThrow(ValueError);
    expect(() => readTorch(zip, { maxBytes: 3 } as object)).toThrow("options must have names of maxByteLength");
  });

  test("says what is no checkpoint", () => {
    expect(() => readTorch(new Uint8Array(0))).toThrow("must begin as torch.save writes it");
    expect(() => readTorch(new TextEncoder().encode("hello"))).toThrow(FormatError);
    expect(() => readTorch(Promise.resolve() as never)).toThrow("Write await in front of it");
  });
});

describe("writeTorch", () => {
  test.each(checkpoints)("writes what it reads: $name", ({ value }) => {
    expect(readTorch(writeTorch(value))).toStrictEqual(value);
  });

  test("aligns storages to 64 bytes and writes the same file for the same value", () => {
    const { value } = checkpoint("dtypes");
    const file = writeTorch(value);
    expect(writeTorch(value)).toEqual(file);
    const view = new DataView(file.buffer);
    let entries = 0;
    for (let at = 0; view.getUint32(at, true) === 0x04034b50; entries++) {
      const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
      expect(start % 64).toBe(0);
      at = start + view.getUint32(at + 18, true);
    }
    expect(entries).toBe(12); // ten dtypes, the pickle and the version
  });

  test("writes memory that tensors share once", () => {
    const whole = new Float32Array(1000).fill(1);
    const alone = writeTorch({ a: { dtype: "f32", shape: [1000], data: whole } });
    const value = {
      a: { dtype: "f32", shape: [10, 100], data: whole },
      tied: { dtype: "f32", shape: [1000], data: whole },
      middle: { dtype: "f32", shape: [500], data: whole.subarray(250, 750) },
    } as const;
    const file = writeTorch(value);
    expect(file.length - alone.length).toBeLessThan(300);
    const read = tensorsOf(readTorch(file));
    expect(read).toStrictEqual(value);
    expect(read.middle!.data.byteOffset - read.a!.data.byteOffset).toBe(1000);
    expect(read.middle!.data.buffer).toBe(read.tied!.data.buffer);
  });

  test("writes only the part of a larger buffer that tensors take, each dtype on its own", () => {
    const memory = new ArrayBuffer(1 << 20);
    const value = {
      a: { dtype: "f32", shape: [2], data: new Float32Array(memory, 400, 2).fill(3) },
      b: { dtype: "f32", shape: [2], data: new Float32Array(memory, 408, 2).fill(4) }, // touches a
      same: { dtype: "i32", shape: [2], data: new Int32Array(memory, 400, 2) },
    } as const;
    const file = writeTorch(value);
    expect(file.length).toBeLessThan(2000);
    expect(readTorch(file)).toStrictEqual(value);
  });

  test("takes f16 as bits and as values of a tensor", () => {
    const bits = Uint16Array.of(0x3c00, 0xc000);
    const expected = { a: { dtype: "f16", shape: [2], data: bits } } as const;
    expect(readTorch(writeTorch({ a: { dtype: "f16", shape: [2], data: Float32Array.of(1, -2) } }))).toStrictEqual(
      expected,
    );
    expect(readTorch(writeTorch(expected))).toStrictEqual(expected);
  });

  test("writes a shared list twice, as values", () => {
    const list = [1, f32(2)];
    expect(readTorch(writeTorch({ a: list, b: list }))).toStrictEqual({ a: list, b: list });
  });

  const ring: TorchValue[] = [];
  ring.push(ring);
  test.each<[string, unknown, new (message: string) => Error, string]>([
    ["undefined", { a: undefined }, DTypeError, "got undefined at value.a"],
    ["a function", [() => 1], DTypeError, "got a function at value.0"],
    ["a promise", { a: Promise.resolve(1) }, DTypeError, "Write await"],
    ["an object of a class", { a: new Date(0) }, DTypeError, "got a Date at value.a"],
    ["a list in itself", ring, ValueError, "one that contains itself"],
    ["half a surrogate pair", "\ud800", ValueError, "valid Unicode"],
    ["half a surrogate pair as a key", { "\udc00": 1 }, ValueError, "valid Unicode"],
    ["an endless integer", 1n << 2048n, ValueError, "fit 255 bytes"],
    [
      "a dtype that PyTorch lacks",
      { shape: [1], dtype: "u32", data: Uint32Array.of(1) },
      DTypeError,
      "got u32 at value",
    ],
    [
      "too few values",
      { a: { shape: [3], dtype: "f32", data: Float32Array.of(1) } },
      ShapeError,
      "the tensor at value.a",
    ],
    [
      "other values",
      { a: { shape: [1], dtype: "f32", data: Int8Array.of(1) } },
      DTypeError,
      "must hold a Float32Array",
    ],
    ["bools of 2", { a: { shape: [1], dtype: "bool", data: Uint8Array.of(2) } }, ValueError, "only 0 and 1"],
  ])("rejects %s", (_, value, kind, message) => {
    const write = (): unknown => writeTorch(value as TorchValue);
    expect(write).toThrow(kind);
    expect(write).toThrow(message);
  });
});

test("isTorchTensor and isTorchObject tell values apart", () => {
  const values: TorchValue[] = [null, 1, "a", [], new Map(), f32(1), {}, { data: 1 }];
  expect(values.map((value) => isTorchTensor(value))).toEqual([false, false, false, false, false, true, false, false]);
  expect(values.map((value) => isTorchObject(value))).toEqual([false, false, false, false, false, false, true, true]);
});
