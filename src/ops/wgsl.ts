/** Pieces of WGSL text that fit one lane and four. */

import { type DType, inRegister } from "../graph/dtype";
import type { Lanes } from "./op";

// tensors of f64 are never on a GPU: WGSL has no such type
const SCALAR: Readonly<Record<DType, string>> = {
  f64: "f64",
  f32: "f32",
  f16: "f32",
  i32: "i32",
  u32: "u32",
  bool: "bool",
  u8: "u32",
};

/** The WGSL type of a value: `f32` or `vec4<f32>`. */
export const vec = (dtype: DType, lanes: Lanes): string => (lanes === 4 ? `vec4<${SCALAR[dtype]}>` : SCALAR[dtype]);

/** A constant in the width of `lanes`; the text must be of the type, as in `lit("1.0", "f32", lanes)`. */
export const lit = (text: string, dtype: DType, lanes: Lanes): string =>
  lanes === 4 ? `${vec(dtype, 4)}(${text})` : text;

const ZERO: Readonly<Record<DType, string>> = {
  f64: "0.0",
  f32: "0.0",
  f16: "0.0",
  i32: "0i",
  u32: "0u",
  bool: "false",
  u8: "0u",
};

/** Zero of any dtype. */
export const zeroLit = (dtype: DType, lanes: Lanes): string => lit(ZERO[dtype], dtype, lanes);

/** Calls a function of `shaders/lib`: `name` for one lane, `name4` for four; `i32_name` and `u32_name` for integers. */
export const call = (name: string, args: readonly string[], lanes: Lanes, dtype: DType = "f32"): string =>
  `${inRegister(dtype) === "f32" ? "" : `${SCALAR[dtype]}_`}${name}${lanes === 4 ? "4" : ""}(${args.join(", ")})`;

/** As `call`, of a function that takes one lane only: what is dear gains nothing from vectors. Arguments are names. */
export function callEach(name: string, args: readonly string[], lanes: Lanes, dtype: DType = "f32"): string {
  if (lanes === 1) return call(name, args, 1, dtype);
  const ofLane = (lane: string): string[] => args.map((arg) => `${arg}.${lane}`);
  return `${vec(dtype, 4)}(${["x", "y", "z", "w"].map((lane) => call(name, ofLane(lane), 1, dtype)).join(", ")})`;
}
