import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DTypeError, FormatError, ShapeError, ValueError } from "../../src/errors";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors";
import type { FileArray } from "../../src/io/fileArray";
import { anyFileArray, mutated } from "../helpers/fileArrays";

/** A file of this header and as many zero bytes of values; `length` is written in place of the true header length. */
function safetensors(header: string | Uint8Array, valueBytes = 8, length?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + valueBytes);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

const info = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

/** A tensor that takes the 8 bytes of values. */
const WHOLE = info("F32", "[2]", "[0,8]");

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const texts = fc.dictionary(text, text, { maxKeys: 3 });

describe("writeSafetensors", () => {
  test("writes what the reference implementation writes", () => {
    const file = writeSafetensors(
      {
        b: { shape: [], dtype: "f32", data: Float32Array.of(1) },
        c: { shape: [2], dtype: "bool", data: Uint8Array.of(1, 0) },
        a: { shape: [1], dtype: "f32", data: Float32Array.of(-2) },
        d: { shape: [1, 1], dtype: "i64", data: BigInt64Array.of(-1n) },
      },
      { made: "by hand" },
    );
    // safetensors 0.8.0, serialize: widest dtype first, then by name; padded to 8 bytes with spaces.
    const header =
      `{"__metadata__":{"made":"by hand"},"d":${info("I64", "[1,1]", "[0,8]")},"a":${info("F32", "[1]", "[8,12]")},` +
      `"b":${info("F32", "[]", "[12,16]")},"c":${info("BOOL", "[2]", "[16,18]")}}`;
    const expected = safetensors(header.padEnd(8 * Math.ceil(header.length / 8)), 18);
    expected.set([255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 192, 0, 0, 128, 63, 1, 0], expected.length - 18);
    expect(file).toEqual(expected);
  });

  test("rejects what the format cannot hold", () => {
    const one: FileArray = { shape: [1], dtype: "u8", data: Uint8Array.of(1) };
    expect(() => writeSafetensors({ __metadata__: one })).toThrow(ValueError);
    expect(() => writeSafetensors({ "\ud800": one })).toThrow(ValueError);
    expect(() => writeSafetensors({ a: one }, { key: "\udfff" })).toThrow(ValueError);
    expect(() => writeSafetensors({ a: one }, { key: 3 as unknown as string })).toThrow(ValueError);
    expect(() => writeSafetensors({ a: { ...one, shape: [2] } })).toThrow(ShapeError);
    expect(() => writeSafetensors({ a: { ...one, dtype: "f32" } })).toThrow(DTypeError);
    expect(() => writeSafetensors({ a: { ...one, dtype: "f8" as "u8" } })).toThrow(DTypeError);
    expect(() => writeSafetensors({ a: { ...one, dtype: "bool", data: Uint8Array.of(2) } })).toThrow(
      'writeSafetensors: tensor "a" of dtype bool must hold only 0 and 1, got 2 at 0',
    );
  });
});

describe("readSafetensors", () => {
  test("round trips every dtype, name and text", () => {
    const tensors = fc.dictionary(text, anyFileArray(), { maxKeys: 5 }).filter((byName) => !("__metadata__" in byName));
    fc.assert(
      fc.property(tensors, texts, (byName, metadata) => {
        const read = readSafetensors(writeSafetensors(byName, metadata));
        expect(Object.entries(read.tensors).sort()).toEqual(Object.entries(byName).sort());
        expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
      }),
    );
  });

  test("keeps a tensor named like a property of every object", () => {
    const array: FileArray = { shape: [1], dtype: "u8", data: Uint8Array.of(1) };
    const byName = Object.fromEntries(["__proto__", "constructor", "toString"].map((name) => [name, array]));
    expect(Object.keys(readSafetensors(writeSafetensors(byName)).tensors)).toEqual(Object.keys(byName));
  });

  test("copies, so that the file may be overwritten, and reads bytes inside a larger buffer", () => {
    const file = writeSafetensors({ a: { shape: [2], dtype: "f32", data: Float32Array.of(1, 2) } });
    const padded = new Uint8Array(file.length + 5);
    padded.set(file, 3);
    const { tensors } = readSafetensors(padded.subarray(3, -2));
    padded.fill(0);
    expect(tensors.a?.data).toEqual(Float32Array.of(1, 2));
  });

  test.each([
    ["no tensors", "{}", 0, {}],
    [
      "any order of entries and fields",
      `{"b":{"data_offsets":[4,8],"shape":[],"dtype":"F32"},"a":${info("F32", "[1]", "[0,4]")}}`,
      8,
      { a: [1], b: [] },
    ],
    [
      "empty tensors between others",
      `{"a":${info("F32", "[0,5]", "[0,0]")},"b":${WHOLE},"c":${info("U8", "[0]", "[8,8]")}}`,
      8,
      { a: [0, 5], b: [2], c: [0] },
    ],
    ["spaces within and after", `{ "a" :\n${WHOLE} , "__metadata__":\t{} }   `, 8, { a: [2] }],
    ["escaped names", `{"\\u0061\\n\\ud83d\\ude00":${WHOLE}}`, 8, { "a\n😀": [2] }],
  ])("takes %s", (_, header, valueBytes, shapes) => {
    const { tensors } = readSafetensors(safetensors(header, valueBytes));
    expect(Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))).toEqual(shapes);
  });

  const entry = (dtype: string, shape: string, offsets: string): string => `{"a":${info(dtype, shape, offsets)}}`;
  test.each([
    ["nothing", new Uint8Array(0), "must start with 8 bytes"],
    ["7 bytes", new Uint8Array(7), "must start with 8 bytes"],
    ["a header beyond the file", safetensors("{}", 0, 3n), "must lie in the file"],
    ["a header over 100 MB", safetensors("{}", 0, 100_000_001n), "at most 100000000 bytes long, got 100000001"],
    ["a header of 2^64 - 1 bytes", safetensors("{}", 0, 2n ** 64n - 1n), "got 18446744073709551615"],
    ["an empty header", safetensors("", 0), "must start with {"],
    ["a space first", safetensors(` {"a":${WHOLE}}`), "must start with {"],
    ["a byte order mark", safetensors(`\ufeff{"a":${WHOLE}}`), "must start with {"],
    ["an array", safetensors("[]", 0), "must start with {"],
    ["null", safetensors("null", 0), "must start with {"],
    ["invalid UTF-8", safetensors(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 0), "must be UTF-8"],
    ["half an object", safetensors(`{"a":${WHOLE}`), "must be a JSON object"],
    ["a comma too many", safetensors(`{"a":${WHOLE},}`), "must be a JSON object"],
    ["single quotes", safetensors(`{'a':${WHOLE}}`), "must be a JSON object"],
    ["a line break in a name", safetensors(`{"a\nb":${WHOLE}}`), "must have strings that are valid JSON"],
    [
      "half a surrogate pair",
      safetensors(`{"\\ud800":${WHOLE}}`),
      "must have strings that are valid JSON and valid Unicode",
    ],
    ["a name without an end", safetensors('{"a\\', 0), "must have strings"],
    ["zero bytes after the object", safetensors(`{"a":${WHOLE}}\0\0`), "nothing but spaces"],
    ["a line break after the object", safetensors(`{"a":${WHOLE}}\n`), "nothing but spaces"],
    ["two objects", safetensors(`{"a":${WHOLE}}{}`), "nothing but spaces"],
    ["a name twice", safetensors(`{"a":${WHOLE},"a":${WHOLE}}`), 'every key once, not "a" twice'],
    ["a name twice, once escaped", safetensors(`{"a":${WHOLE},"\\u0061":${WHOLE}}`), 'every key once, not "a" twice'],
    ["a field twice", safetensors(`{"a":{"dtype":"F32",${WHOLE.slice(1)}}`), 'every key once, not "dtype" twice'],
    ["metadata twice", safetensors(`{"__metadata__":{},"__metadata__":{},"a":${WHOLE}}`), "every key once"],
    ["a metadata key twice", safetensors(`{"__metadata__":{"x":"1","x":"1"},"a":${WHOLE}}`), "every key once"],
    ["a number as metadata", safetensors(`{"__metadata__":{"x":1},"a":${WHOLE}}`), "must be a JSON object"],
    ["metadata null", safetensors(`{"__metadata__":null,"a":${WHOLE}}`), "must be a JSON object"],
    ["nested metadata", safetensors(`{"__metadata__":{"x":{"y":"z"}},"a":${WHOLE}}`), "must be a JSON object"],
    ["a tensor that is no object", safetensors('{"a":[1]}', 0), "must be a JSON object"],
    ["an unknown field", safetensors(`{"a":{"x":1,${WHOLE.slice(1)}}`), 'not by "x"'],
    ["a missing field", safetensors('{"a":{"dtype":"F32","shape":[2]}}'), "a dtype, a shape and two data_offsets"],
    ["three offsets", safetensors(entry("F32", "[2]", "[0,8,8]")), "two data_offsets"],
    ["an unknown dtype", safetensors(entry("F33", "[2]", "[0,8]")), 'got "F33"'],
    ["a dtype in small letters", safetensors(entry("f32", "[2]", "[0,8]")), 'got "f32"'],
    ["a dtype named like a property", safetensors(entry("constructor", "[2]", "[0,8]")), 'got "constructor"'],
    [
      "a dtype that is no string",
      safetensors('{"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}'),
      "must be a JSON object",
    ],
    ["a shape that is no list", safetensors(entry("F32", "2", "[0,8]")), "must be a JSON object"],
    ["a negative size", safetensors(entry("F32", "[-2]", "[0,8]")), "integers from 0 to 2^53 - 1"],
    ["two negative sizes", safetensors(entry("F32", "[-1,-2]", "[0,8]")), "integers from 0 to 2^53 - 1"],
    ["minus zero", safetensors(entry("F32", "[-0]", "[0,0]"), 0), "integers from 0 to 2^53 - 1"],
    ["a size of 2.0", safetensors(entry("F32", "[2.0]", "[0,8]")), "integers from 0 to 2^53 - 1"],
    ["a size of 2e0", safetensors(entry("F32", "[2e0]", "[0,8]")), "integers from 0 to 2^53 - 1"],
    ["a leading zero", safetensors(entry("F32", "[02]", "[0,8]")), "integers from 0 to 2^53 - 1"],
    ["a size as a string", safetensors(entry("F32", '["2"]', "[0,8]")), "integers from 0 to 2^53 - 1"],
    ["a size of 2^53", safetensors(entry("F32", "[9007199254740992]", "[0,8]")), "integers from 0 to 2^53 - 1"],
    ["a product beyond 2^64", safetensors(entry("F32", "[4294967296,4294967296,2]", "[0,8]")), "must take fewer bytes"],
    [
      "a product that overflows before a 0",
      safetensors(entry("U8", "[4294967296,4294967296,0]", "[0,0]"), 0),
      "must take fewer",
    ],
    ["a shape too large", safetensors(entry("F32", "[3]", "[0,8]")), "must take 12 bytes, got data_offsets [0, 8]"],
    ["a shape too small", safetensors(entry("F32", "[1]", "[0,8]")), "must take 4 bytes"],
    ["offsets that run backwards", safetensors(entry("F32", "[2]", "[8,0]")), "leave a hole"],
    ["a hole before the first", safetensors(entry("F32", "[1]", "[4,8]")), "leave a hole"],
    [
      "a hole between two",
      safetensors(`{"a":${info("U8", "[2]", "[0,2]")},"b":${info("U8", "[4]", "[4,8]")}}`),
      "leave a hole",
    ],
    ["an overlap", safetensors(`{"a":${info("U8", "[5]", "[0,5]")},"b":${info("U8", "[4]", "[4,8]")}}`), "overlap"],
    ["one range twice", safetensors(`{"a":${WHOLE},"b":${WHOLE}}`), "overlap"],
    ["values cut short", safetensors(`{"a":${WHOLE}}`, 7), "must take all bytes after the header, got 8 of 7"],
    ["bytes after the values", safetensors(`{"a":${WHOLE}}`, 9), "got 8 of 9"],
    ["values without a tensor", safetensors("{}", 1), "got 0 of 1"],
    ["bools of 2", safetensors(entry("BOOL", "[8]", "[0,8]")).with(-1, 2), "must hold only 0 and 1, got 2 at 7"],
  ])("rejects %s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(FormatError);
    expect(() => readSafetensors(bytes)).toThrow(message);
  });

  test("does not run out of stack on deep nesting or a long name", () => {
    expect(() => readSafetensors(safetensors(`{"a":${"[".repeat(1_000_000)}`, 0))).toThrow(FormatError);
    const name = "\\n".repeat(1_000_000);
    expect(readSafetensors(safetensors(`{"${name}":${WHOLE}}`)).tensors).toHaveProperty(["\n".repeat(1_000_000)]);
  });

  test("returns consistent arrays or throws FormatError, whatever the bytes", () => {
    const file = writeSafetensors(
      {
        weight: { shape: [2, 3], dtype: "i16", data: Int16Array.of(1, 2, 3, 4, 5, 6) },
        done: { shape: [2], dtype: "bool", data: Uint8Array.of(0, 1) },
      },
      { k: "v" },
    );
    fc.assert(
      fc.property(mutated(file, file.length - 14), fc.boolean(), (bytes, mendLength) => {
        // Most edits change the header's length; with it mended, the checks behind that one are reached.
        if (mendLength && bytes.length >= 22)
          new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 22), true);
        try {
          const arrays = Object.values(readSafetensors(bytes).tensors);
          return arrays.every(({ shape, data }) => data.length === shape.reduce((product, size) => product * size, 1));
        } catch (error) {
          return error instanceof FormatError;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
