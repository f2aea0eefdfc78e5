import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DTypeError, FormatError, ShapeError, ValueError } from "../../src/errors";
import { readNpy, writeNpy } from "../../src/io/npy";
import { anyFileArray, mutated } from "../helpers/fileArrays";

/** A file of version 1.0 with this header. */
function npy(header: string, values: readonly number[] = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  return Uint8Array.of(0x93, 78, 85, 77, 80, 89, 1, 0, text.length & 255, text.length >> 8, ...text, ...values);
}

describe("writeNpy", () => {
  test("writes what numpy.save writes", () => {
    // numpy.save of numpy.array([1, -2], '<f4'), byte for byte.
    const dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    const file = writeNpy({ shape: [2], dtype: "f32", data: Float32Array.of(1, -2) });
    expect(file).toEqual(npy(dict.padEnd(117) + "\n", [0, 0, 128, 63, 0, 0, 0, 192]));
  });

  test("takes a part of a larger buffer", () => {
    const data = Int32Array.of(1, 2, 3, 4).subarray(1, 3);
    expect(readNpy(writeNpy({ shape: [2], dtype: "i32", data })).data).toEqual(Int32Array.of(2, 3));
  });

  test("rejects arrays that contradict themselves", () => {
    const data = Float32Array.of(1, 2);
    expect(() => writeNpy({ shape: [3], dtype: "f32", data })).toThrow(ShapeError);
    expect(() => writeNpy({ shape: [-2], dtype: "f32", data })).toThrow(ShapeError);
    expect(() => writeNpy({ shape: [2.5], dtype: "f32", data })).toThrow(ShapeError);
    expect(() => writeNpy({ shape: [2], dtype: "i32", data })).toThrow(DTypeError);
    expect(() => writeNpy({ shape: [2], dtype: "float" as "f32", data })).toThrow(
      "must be of a known dtype, got float",
    );
    expect(() => writeNpy({ shape: [1], dtype: "bf16", data: Uint16Array.of(1) })).toThrow(
      "must be one of NumPy's, got bf16",
    );
    expect(() => writeNpy({ shape: [1], dtype: "bool", data: Uint8Array.of(2) })).toThrow(ValueError);
    const deep = new Array<number>(4000).fill(1);
    expect(() => writeNpy({ shape: deep, dtype: "u8", data: Uint8Array.of(1) })).toThrow("got 4000 dimensions");
  });
});

describe("readNpy", () => {
  test("round trips every dtype and shape", () => {
    fc.assert(
      fc.property(anyFileArray({ without: ["bf16"] }), (array) => {
        expect(readNpy(writeNpy(array))).toEqual(array);
      }),
    );
  });

  test("reads what other writers may write", () => {
    const three = [1, 0, 2, 0, 3, 0];
    const expected = { shape: [3], dtype: "i16", data: Int16Array.of(1, 2, 3) };
    expect(readNpy(npy("{'descr': '<i2', 'fortran_order': False, 'shape': (3,)}", three))).toEqual(expected);
    expect(readNpy(npy('{"shape":(3L,),"fortran_order":False,"descr":"<i2"}\n', three))).toEqual(expected);
    expect(readNpy(npy("{'descr': '>i2', 'fortran_order': True, 'shape': (3,), }", [0, 1, 0, 2, 0, 3]))).toEqual(
      expected,
    );
    const second = npy("{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }", three);
    const version2 = Uint8Array.of(...second.subarray(0, 6), 2, 0, second[8]!, 0, 0, 0, ...second.subarray(10));
    expect(readNpy(version2)).toEqual(expected);
  });

  test("gives column-major files in row-major order", () => {
    // numpy.arange(24, dtype='u1').reshape(2, 3, 4, order='F') holds 0, 1, 2 ... in memory.
    const values = Array.from({ length: 24 }, (_, i) => i);
    const { data } = readNpy(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", values));
    const rowMajor = [0, 1].flatMap((i) => [0, 1, 2].flatMap((j) => [0, 1, 2, 3].map((k) => i + 2 * j + 6 * k)));
    expect([...data]).toEqual(rowMajor);
  });

  const header = (fields: string): Uint8Array => npy(`{${fields}}`, [1, 2]);
  test.each([
    ["nothing", new Uint8Array(0), "must start with \\x93NUMPY, got 0 bytes"],
    ["a zip", Uint8Array.of(80, 75, 3, 4, 0, 0, 0, 0, 0, 0), "a .npz is a zip of them"],
    ["version 4", npy("{}").with(6, 4), "must be 1.0, 2.0 or 3.0, got 4.0"],
    ["a header beyond the file", npy("{}").with(8, 200), "must lie in the file"],
    ["a header of 60,000 bytes", npy(" ".repeat(60_000)), "at most 10000 bytes long, got 60000"],
    ["version 2 without its length", npy("").with(6, 2), "truncated"],
    ["no dict", npy("[]"), "must be a dict"],
    ["a missing key", header("'descr': '|u1', 'shape': (2,)"), "must be a dict"],
    ["a key twice", header("'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,)"), "must be a dict"],
    ["an unknown key", header("'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'x': True"), "must be a dict"],
    [
      "something after the dict",
      npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)} x", [1, 2]),
      "must be a dict",
    ],
    ["records", header("'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)"), "must be a dict"],
    ["descr as a bool", header("'descr': True, 'fortran_order': False, 'shape': (2,)"), "must be a dict"],
    ["order as a string", header("'descr': '|u1', 'fortran_order': 'True', 'shape': (2,)"), "must be a dict"],
    ["shape as a number", header("'descr': '|u1', 'fortran_order': False, 'shape': (2)"), "must be a dict"],
    ["a negative size", header("'descr': '|u1', 'fortran_order': False, 'shape': (-2,)"), "must be a dict"],
    ["two commas", header("'descr': '|u1', 'fortran_order': False, 'shape': (2,,)"), "must be a dict"],
    [
      "objects",
      header("'descr': '|O', 'fortran_order': False, 'shape': (2,)"),
      "descr must be a byte order and one of",
    ],
    ["complex numbers", header("'descr': '<c8', 'fortran_order': False, 'shape': (2,)"), "got '<c8'"],
    ["no byte order", header("'descr': '|f4', 'fortran_order': False, 'shape': (2,)"), "got '|f4'"],
    [
      "too few values",
      header("'descr': '|u1', 'fortran_order': False, 'shape': (3,)"),
      "must have 3 bytes of values, got 2",
    ],
    [
      "too many values",
      header("'descr': '|u1', 'fortran_order': False, 'shape': ()"),
      "must have 1 bytes of values, got 2",
    ],
    ["a size beyond 2^53", header("'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)"), "got 2"],
    [
      "bools of 2",
      header("'descr': '|b1', 'fortran_order': False, 'shape': (2,)"),
      "must hold only 0 and 1, got 2 at 1",
    ],
  ])("rejects %s", (_, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(FormatError);
    expect(() => readNpy(bytes)).toThrow(message);
  });

  test("returns a consistent array or throws FormatError, whatever the bytes", () => {
    const file = writeNpy({ shape: [2, 3], dtype: "i16", data: Int16Array.of(1, 2, 3, 4, 5, 6) });
    fc.assert(
      fc.property(mutated(file, 80), (bytes) => {
        try {
          const { shape, data } = readNpy(bytes);
          return data.length === shape.reduce((product, size) => product * size, 1);
        } catch (error) {
          return error instanceof FormatError;
        }
      }),
      { numRuns: 3000 },
    );
  });
});
