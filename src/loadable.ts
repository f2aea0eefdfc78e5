/**
 * Values that state can be loaded from: tensors, or arrays as files hold them. Says whether one fits before anything is
 * written, since half a checkpoint is worse than none.
 */

import { tensor } from "./creation";
import type { Device } from "./device";
import { type DType, isFloat } from "./graph/dtype";
import { fromHalfBits } from "./graph/half";
import { sameShape, type Shape, showShape, sizeOf } from "./graph/shape";
import { describe } from "./options";
import { Tensor } from "./tensor";

/** Host values as files hold them. */
export interface StateArray {
  readonly shape: Shape;
  readonly dtype: string;
  readonly data: ArrayLike<number | bigint>;
}

/** What a value is loaded into. */
export interface Place {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly device: Device;
}

/** dtypes of files whose values a place takes as they are. */
const FITTING = { float: ["f16", "f32", "f64"], integer: ["i32", "u32", "u8", "i64", "bool"] };

/** Why a value cannot be written there, as what was got; null if it can. */
export function misfit(value: Tensor | StateArray, { shape, dtype, device }: Place): string | null {
  if (!isLoadable(value)) return `${describe(value)} instead of a tensor or { shape, dtype, data }`;
  if (!sameShape(value.shape, shape)) return `shape ${showShape(value.shape)} instead of ${showShape(shape)}`;
  if (value instanceof Tensor) {
    const isRounded = value.dtype === "f16" || dtype === "f16"; // to or from a model of halves, as PyTorch's copy_
    if (value.dtype !== dtype && !(isRounded && isFloat(value.dtype) && isFloat(dtype)))
      return `dtype ${value.dtype} instead of ${dtype}`;
    return value.device === device
      ? null
      : `a tensor of ${value.device.name} instead of ${device.name}, where values of the host may come from any (await readState(dict))`;
  }
  if (!FITTING[isFloat(dtype) ? "float" : "integer"].includes(value.dtype))
    return `dtype ${value.dtype} instead of ${dtype}`;
  return value.data.length === sizeOf(shape) ? null : `${value.data.length} values instead of ${sizeOf(shape)}`;
}

/** Callers without types may pass anything. */
const isLoadable = (value: unknown): boolean =>
  value instanceof Tensor || (typeof value === "object" && value !== null && "shape" in value && "data" in value);

/** The value as a tensor of its place. */
export function placed(value: Tensor | StateArray, { shape, dtype, device }: Place): Tensor {
  if (value instanceof Tensor) return value.detach().to(dtype);
  const { data: given } = value;
  const isBits = value.dtype === "f16" && given instanceof Uint16Array;
  const values = isBits ? fromHalfBits(given) : given;
  const data = Float64Array.from({ length: values.length }, (_, i) => Number(values[i]));
  return tensor(data, { shape, dtype, device });
}
