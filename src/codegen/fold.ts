/** How a fold walks over its input, and how two of its values become one. */

import type { DType } from "../graph/dtype";
import { sizeOf } from "../graph/shape";
import type { ReduceInfo } from "../kernels/reduce";
import { along, type AxisMap } from "../ops/op";

/** How a fold walks over its input. */
export interface FoldLayout {
  readonly info: ReduceInfo;
  /** Loop variables of the load hook, and where each input dimension is among their dimensions. */
  readonly loops: { name: string; shape: number[]; laned: boolean; quarter?: string }[];
  readonly axes: readonly AxisMap[];
}

/** Which way to walk: along rows where the last dimension is folded, along columns where it is kept. */
export function layoutOf(shape: readonly number[], dims: readonly number[]): FoldLayout {
  const isFolded = shape.map((_, dim) => dims.includes(dim));
  const all = shape.map((_, dim) => dim);
  const kept = all.filter((dim) => !isFolded[dim]);
  const folded = all.filter((dim) => isFolded[dim]);
  const lastReal = all.filter((dim) => shape[dim] !== 1).at(-1);
  const isRows = kept.every((dim) => shape[dim] === 1) || lastReal === undefined || isFolded[lastReal]!;
  const sizes = (list: readonly number[]): number[] => list.map((dim) => shape[dim]!);
  const place = (order: readonly number[]): AxisMap[] => all.map((dim) => along(order.indexOf(dim)));
  if (!isRows) {
    const info: ReduceInfo = { layout: "columns", outputs: sizeOf(sizes(kept)), rows: sizeOf(sizes(folded)) };
    const loops = [
      { name: "row", shape: sizes(folded), laned: false },
      { name: "o", shape: sizes(kept), laned: true, quarter: "vec" },
    ];
    return { info, loops, axes: place([...folded, ...kept]) };
  }
  // the run of folded dimensions at the end is contiguous; size-1 dimensions do not break it
  let firstInner = shape.length;
  while (firstInner > 0 && (isFolded[firstInner - 1]! || shape[firstInner - 1] === 1)) firstInner--;
  const inner = folded.filter((dim) => dim >= firstInner);
  const outer = folded.filter((dim) => dim < firstInner);
  const info: ReduceInfo = {
    layout: "rows",
    outputs: sizeOf(sizes(kept)),
    outer: sizeOf(sizes(outer)),
    inner: sizeOf(sizes(inner)),
  };
  const loops = [
    { name: "o", shape: sizes(kept), laned: false },
    { name: "outer", shape: sizes(outer), laned: false },
    { name: "inner", shape: sizes(inner), laned: true, quarter: "vec" },
  ];
  return { info, loops, axes: place([...kept, ...outer, ...inner]) };
}

const FOLDS = {
  sum: { combine: (a: string, b: string) => `${a} + ${b}`, identity: { f32: "0.0", i32: "0", u32: "0u" } },
  prod: { combine: (a: string, b: string) => `${a} * ${b}`, identity: { f32: "1.0", i32: "1", u32: "1u" } },
  max: {
    combine: (a: string, b: string) => `max(${a}, ${b})`,
    identity: { f32: "0xff800000u", i32: "i32(-2147483647 - 1)", u32: "0u" },
  },
  min: {
    combine: (a: string, b: string) => `min(${a}, ${b})`,
    identity: { f32: "0x7f800000u", i32: "2147483647", u32: "4294967295u" },
  },
} as const;

export type Fold = keyof typeof FOLDS;

/** WGSL type of what is folded. */
export const valueType = (dtype: DType): "f32" | "i32" | "u32" =>
  dtype === "i32" || dtype === "u32" ? dtype : dtype === "bool" || dtype === "u8" ? "u32" : "f32";

/** Float extremes go through functions that let NaN pass. */
const passesNaN = (fold: Fold, dtype: DType): boolean =>
  valueType(dtype) === "f32" && (fold === "max" || fold === "min");

/** Statements that return what a fold starts with. */
export function identityText(fold: Fold, dtype: DType): string {
  const { identity } = FOLDS[fold];
  const value = identity[valueType(dtype)];
  return passesNaN(fold, dtype) ? `var bits = ${value}; return bitcast<f32>(bits);` : `return ${value};`;
}

/** Expression of `a` and `b` as one value, of one lane or four. */
export function combineText(fold: Fold, dtype: DType, lanes: 1 | 4): string {
  if (!passesNaN(fold, dtype)) return FOLDS[fold].combine("a", "b");
  return `${fold === "max" ? "maximum" : "minimum"}${lanes === 4 ? "4" : ""}(a, b)`;
}
