/** Arbitrary file arrays and broken files, for the tests of file formats. */

import fc from "fast-check";
import type { FileArray, FileData, FileDType } from "../../src/io/fileArray";

const integers = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

const make = <V>(
  values: fc.Arbitrary<V>,
  from: (values: V[]) => FileData,
): ((count: number) => fc.Arbitrary<FileData>) => {
  return (count) => fc.array(values, { minLength: count, maxLength: count }).map(from);
};

/** Values of each dtype, extremes, NaN and infinities included. */
const DATA: Readonly<Record<FileDType, (count: number) => fc.Arbitrary<FileData>>> = {
  bool: make(integers(0, 1), (v) => Uint8Array.from(v)),
  u8: make(integers(0, 255), (v) => Uint8Array.from(v)),
  i8: make(integers(-128, 127), (v) => Int8Array.from(v)),
  u16: make(integers(0, 65535), (v) => Uint16Array.from(v)),
  i16: make(integers(-32768, 32767), (v) => Int16Array.from(v)),
  f16: make(integers(0, 65535), (v) => Uint16Array.from(v)),
  bf16: make(integers(0, 65535), (v) => Uint16Array.from(v)),
  u32: make(integers(0, 2 ** 32 - 1), (v) => Uint32Array.from(v)),
  i32: make(integers(-(2 ** 31), 2 ** 31 - 1), (v) => Int32Array.from(v)),
  f32: make(fc.float(), (v) => Float32Array.from(v)),
  u64: make(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (v) => BigUint64Array.from(v)),
  i64: make(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (v) => BigInt64Array.from(v)),
  f64: make(fc.double(), (v) => Float64Array.from(v)),
};

/** Any array of up to 4 dimensions of 0 to 3. */
export function anyFileArray({ without = [] }: { without?: readonly FileDType[] } = {}): fc.Arbitrary<FileArray> {
  const dtypes = (Object.keys(DATA) as FileDType[]).filter((dtype) => !without.includes(dtype));
  return fc
    .tuple(fc.constantFrom(...dtypes), fc.array(fc.nat(3), { maxLength: 4 }))
    .chain(([dtype, shape]) =>
      DATA[dtype](shape.reduce((product, size) => product * size, 1)).map((data) => ({ shape, dtype, data })),
    );
}

/** What turns a header into a nearly right one. */
const TELLING = new TextEncoder().encode("0123456789{}[]()\"':,.-+eEL \n\\<>|");

/** The file with one to four bytes replaced, removed or inserted, most within the first `head` bytes, or cut short. */
export function mutated(file: Uint8Array, head: number): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    how: fc.constantFrom("replace", "replace", "remove", "insert", "cut"),
    at: fc.oneof({ weight: 4, arbitrary: fc.nat(head - 1) }, { weight: 1, arbitrary: fc.nat(file.length) }),
    byte: fc.oneof(fc.constantFrom(...TELLING), fc.nat(255)),
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
    const bytes = [...file];
    for (const { how, at, byte } of edits) {
      if (how === "cut") bytes.length = Math.min(bytes.length, at);
      else bytes.splice(at, how === "insert" ? 0 : 1, ...(how === "remove" ? [] : [byte]));
    }
    return Uint8Array.from(bytes);
  });
}
