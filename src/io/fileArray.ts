/**
 * Arrays as files hold them: a shape, a dtype and little-endian bytes. The formats beside this file share it.
 *
 * Every host array of flywheel is a FileArray; files know more dtypes than tensors do. Typed arrays are used as they
 * lie in memory, which is little-endian wherever WebGPU runs.
 */

import { DTypeError, FormatError, ShapeError, ValueError } from "../errors";
import { toHalfBits } from "../graph/half";
import { describe as shown, isPromise } from "../options";

/** Host memory of any dtype; `f16` and `bf16` are kept as their raw bits in a Uint16Array, `bool` as 0 or 1. */
const TYPED_ARRAYS = {
  bool: Uint8Array,
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
} as const;

export type FileDType = keyof typeof TYPED_ARRAYS;

/** Whatever buffer they lie in. */
export type FileData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** Values in row-major order. */
export interface FileArray {
  readonly shape: readonly number[];
  readonly dtype: FileDType;
  readonly data: FileData;
}

/** Bytes of one element. */
export const elementByteLength = (dtype: FileDType): number => TYPED_ARRAYS[dtype].BYTES_PER_ELEMENT;

/** `f32 [2, 3]`, as errors show it. */
export const describe = (dtype: string, shape: readonly number[]): string => `${dtype} [${shape.join(", ")}]`;

/**
 * Number of elements of a shape that a file declares.
 *
 * @returns undefined if a size or the product is no safe integer: no file is that long
 */
export function countOf(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (!Number.isSafeInteger(size) || size < 0 || !Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/**
 * Checks an array that is about to be written and gives its bytes, without a copy.
 *
 * Values of tensors of f16, in a Float32Array, become their bits.
 *
 * @param what who asks and for which array, as errors begin: `writeNpy: the array`
 * @throws DTypeError if the dtype is unknown or `data` is not its typed array
 * @throws ShapeError if a size is no integer from 0 up, or `data` has another length than the shape
 * @throws ValueError if a `bool` is neither 0 nor 1
 */
export function toBytes(what: string, { shape, dtype, data }: FileArray): Uint8Array {
  if (!Object.hasOwn(TYPED_ARRAYS, dtype)) {
    throw new DTypeError(
      `${what} must be of a known dtype, got ${dtype}. Use one of ${Object.keys(TYPED_ARRAYS).join(", ")}.`,
    );
  }
  if (dtype === "f16" && data instanceof Float32Array) return toBytes(what, { shape, dtype, data: toHalfBits(data) });
  const wanted = TYPED_ARRAYS[dtype];
  if (!(data instanceof wanted)) {
    throw new DTypeError(
      `${what} of dtype ${dtype} must hold a ${wanted.name}, got ${nameOf(data)}. Convert it first.`,
    );
  }
  const count = countOf(shape);
  if (count !== data.length) {
    throw new ShapeError(
      `${what} must have as many values as its shape says, got ${data.length} values for [${shape.join(", ")}]. ` +
        "Pass the shape of the data.",
    );
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === "bool") checkBools(ValueError, what, bytes);
  return bytes;
}

/** A whole file's bytes. */
export function bytesOf(op: string, file: Uint8Array | ArrayBuffer): Uint8Array {
  if (file instanceof Uint8Array) return file;
  if (file instanceof ArrayBuffer) return new Uint8Array(file);
  throw new DTypeError(
    `${op}: a file must be a Uint8Array or an ArrayBuffer, got ${shown(file)}. ` +
      (isPromise(file) ? "Write await in front of it." : "Pass the whole file."),
  );
}

/**
 * Makes a typed array of little-endian bytes: a copy, since a file seldom aligns its values.
 *
 * @param what as in toBytes
 * @param bytes as many as the values take
 * @throws FormatError if a `bool` is neither 0 nor 1
 */
export function fromBytes(what: string, dtype: FileDType, bytes: Uint8Array): FileData {
  if (dtype === "bool") checkBools(FormatError, what, bytes);
  const copy = new Uint8Array(bytes); // subclasses such as Node's Buffer would share memory in slice()
  return new TYPED_ARRAYS[dtype](copy.buffer);
}

function checkBools(Failure: typeof ValueError | typeof FormatError, what: string, bytes: Uint8Array): void {
  const wrong = bytes.findIndex((byte) => byte > 1);
  if (wrong >= 0) {
    throw new Failure(
      `${what} of dtype bool must hold only 0 and 1, got ${bytes[wrong]} at ${wrong}. Use u8 for other values.`,
    );
  }
}

const nameOf = (data: unknown): string => Object.prototype.toString.call(data).slice(8, -1);
