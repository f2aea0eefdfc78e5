/** Element types: what a number is on the host and in a buffer. */

/**
 * - `f64`: 8 bytes; on the CPU device only, where `gradcheck` needs it. WebGPU has no such type.
 * - `f32`, `i32`, `u32`: 4 bytes an element.
 * - `bool`: true or false; 4 bytes in a GPU buffer (0 or 1), 1 byte on the host.
 * - `u8`: storage for images; 1 byte everywhere. Ops read it through a cast.
 */
export type DType = "f64" | "f32" | "i32" | "u32" | "bool" | "u8";

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
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint8Array,
  u8: Uint8Array,
} as const;

/** All dtypes by name. */
export const DTYPES = Object.keys(HOST_ARRAY) as readonly DType[];

/** Zeroed host memory for `count` elements; f32 in double precision where `keepF64`. */
export function allocateHost(dtype: DType, count: number, keepF64 = false): TypedArray {
  return keepF64 && dtype === "f32" ? new Float64Array(count) : new HOST_ARRAY[dtype](count);
}

/** Bytes that `count` elements take in a GPU buffer, before padding. */
export const byteLengthOf = (dtype: DType, count: number): number => (dtype === "u8" ? count : 4 * count);

/** dtypes that have gradients. */
export const isFloat = (dtype: DType): boolean => dtype === "f32" || dtype === "f64";
/** The dtype of what has no meaning on integers: floats keep theirs. */
export const toFloatDType = (dtype: DType): DType => (isFloat(dtype) ? dtype : "f32");
export const isInteger = (dtype: DType): boolean => dtype === "i32" || dtype === "u32" || dtype === "u8";

const PROMOTION: readonly DType[] = ["bool", "u8", "u32", "i32", "f32", "f64"];

/** The dtype that two operands meet in: bool < u8 < u32 < i32 < f32 < f64. */
export const promote = (a: DType, b: DType): DType => (PROMOTION.indexOf(a) > PROMOTION.indexOf(b) ? a : b);
