/** Element types: what a number is on the host and in a buffer. */

import { OutOfMemoryError } from "../errors";

/**
 * - `f64`: 8 bytes; on the CPU device only, where `gradcheck` needs it. WebGPU has no such type.
 * - `f32`, `i32`, `u32`: 4 bytes an element.
 * - `f16`: 2 bytes in a GPU buffer; on the host a Float32Array of numbers that f16 holds. It is how values are stored: arithmetic is f32.
 * - `bool`: true or false; 4 bytes in a GPU buffer (0 or 1), 1 byte on the host.
 * - `u8`: bytes, as images have them; 1 byte everywhere. Its arithmetic wraps at 256.
 */
export type DType = "f64" | "f32" | "f16" | "i32" | "u32" | "bool" | "u8";

/** Host memory of any dtype; Float64Array for `f64`, and where the reference keeps f32 in double precision. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** Values on the host, row-major and contiguous. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: TypedArray;
}

const HOST_ARRAY = {
  f64: Float64Array,
  f32: Float32Array,
  f16: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint8Array,
  u8: Uint8Array,
} as const;

/** All dtypes by name. */
export const DTYPES = Object.keys(HOST_ARRAY) as readonly DType[];

/**
 * Zeroed host memory for `count` elements; f32 in double precision where `keepF64`.
 *
 * @throws OutOfMemoryError if the host has none
 */
export function allocateHost(dtype: DType, count: number, keepF64 = false): TypedArray {
  const HostArray = keepF64 && dtype === "f32" ? Float64Array : HOST_ARRAY[dtype];
  try {
    return new HostArray(count);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const bytes = count * HostArray.BYTES_PER_ELEMENT;
    throw new OutOfMemoryError(
      `host: the host must have memory for a tensor, got none for ${bytes} bytes, ${count} elements of ${dtype}. ` +
        "Use a smaller batch, or fewer elements.",
      bytes,
      0,
    );
  }
}

/** Bytes that `count` elements take in a GPU buffer, before padding. */
export const byteLengthOf = (dtype: DType, count: number): number =>
  dtype === "u8" ? count : dtype === "f16" ? 2 * count : 4 * count;

/** What a value of a dtype is while it is computed with, on a GPU: bytes are words, halves are floats. */
export const inRegister = (dtype: DType): DType => (dtype === "u8" ? "u32" : dtype === "f16" ? "f32" : dtype);

/** dtypes that have gradients. */
export const isFloat = (dtype: DType): boolean => dtype === "f32" || dtype === "f64" || dtype === "f16";
/** The dtype of what has no meaning on integers: floats keep theirs. */
export const toFloatDType = (dtype: DType): DType => (isFloat(dtype) ? dtype : "f32");
export const isInteger = (dtype: DType): boolean => dtype === "i32" || dtype === "u32" || dtype === "u8";

/** The values that an integer dtype holds. */
export const INTEGER_RANGE = { i32: [-0x80000000, 0x7fffffff], u32: [0, 0xffffffff], u8: [0, 0xff] } as const;

/**
 * The dtype that two tensors meet in, as in PyTorch, whose int64 is our i32. It has no u32, which comes between u8 and i32;
 * values from 2^31 on wrap where they meet i32. The same table is in docs/DTYPES.md.
 */
export const PROMOTION: Readonly<Record<DType, Readonly<Record<DType, DType>>>> = {
  bool: { bool: "bool", u8: "u8", u32: "u32", i32: "i32", f16: "f16", f32: "f32", f64: "f64" },
  u8: { bool: "u8", u8: "u8", u32: "u32", i32: "i32", f16: "f16", f32: "f32", f64: "f64" },
  u32: { bool: "u32", u8: "u32", u32: "u32", i32: "i32", f16: "f16", f32: "f32", f64: "f64" },
  i32: { bool: "i32", u8: "i32", u32: "i32", i32: "i32", f16: "f16", f32: "f32", f64: "f64" },
  f16: { bool: "f16", u8: "f16", u32: "f16", i32: "f16", f16: "f16", f32: "f32", f64: "f64" },
  f32: { bool: "f32", u8: "f32", u32: "f32", i32: "f32", f16: "f32", f32: "f32", f64: "f64" },
  f64: { bool: "f64", u8: "f64", u32: "f64", i32: "f64", f16: "f64", f32: "f64", f64: "f64" },
};

export const promote = (a: DType, b: DType): DType => PROMOTION[a][b];

/** Booleans, integers, floats. */
const categoryOf = (dtype: DType): number => (dtype === "bool" ? 0 : isInteger(dtype) ? 1 : 2);

/**
 * The dtype of operands that count more, met by that of operands that count less: scalars among tensors, numbers among
 * scalars. Those have a say only where theirs is the higher category.
 */
export const combine = (higher: DType | null, lower: DType | null): DType | null =>
  higher === null ? lower : lower !== null && categoryOf(lower) > categoryOf(higher) ? promote(higher, lower) : higher;
