/**
 * f16 on the host: numbers that half precision holds, in a Float32Array, and their 16 bits, as buffers and files have them.
 * Rounds to the nearest, ties to even; what is too large becomes infinity, and subnormals are kept.
 */

import type { TypedArray } from "./dtype";

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Bits from which a float is infinity in f16: those of 65520, half a step beyond the largest value. */
const OVERFLOW = 0x477ff000;
/** Bits of 2^-14, below which f16 is subnormal: multiples of 2^-24. */
const LEAST_NORMAL = 0x38800000;

/** A whole number nearest to one that is not negative, ties to even. */
function nearestEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** The 16 bits of the f16 nearest to a number. As in PyTorch the number is rounded to f32 on its way. */
export function halfBits(value: number): number {
  float[0] = value;
  const sign = (word[0]! >>> 16) & 0x8000;
  const bits = word[0]! & 0x7fffffff;
  if (bits > 0x7f800000) return sign | 0x7e00; // NaN
  if (bits >= OVERFLOW) return sign | 0x7c00;
  if (bits < LEAST_NORMAL) return sign | nearestEven(Math.abs(float[0]) * 2 ** 24);
  return sign | ((bits + 0xfff + ((bits >>> 13) & 1) - 0x38000000) >>> 13);
}

/** The number that 16 bits stand for. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

let values: Float32Array | null = null;

/** The numbers of all bits, made when first needed. */
const allValues = (): Float32Array => (values ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfValue(bits)));

/** The f16 nearest to a number. */
export const roundToHalf = (value: number): number => allValues()[halfBits(value)]!;

/** Rounds values to f16, in place. */
export function roundAllToHalf(data: TypedArray): void {
  const table = allValues();
  for (let i = 0; i < data.length; i++) data[i] = table[halfBits(data[i]!)]!;
}

/** Values as a buffer or a file holds them: 2 bytes each. */
export const toHalfBits = (data: ArrayLike<number>): Uint16Array<ArrayBuffer> => Uint16Array.from(data, halfBits);

/** Values of what a buffer or a file holds. */
export function fromHalfBits(bits: Uint16Array): Float32Array {
  const table = allValues();
  return Float32Array.from(bits, (each) => table[each]!);
}
