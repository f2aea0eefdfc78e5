/**
 * Tensors larger than one binding may be. They are read through several windows of their buffer, bound side by side, and
 * written through one, by a launch for each window. Takes sizes and limits, gives byte ranges; most tensors have one window.
 */

import { byteLengthOf, type DType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import type { KernelLimits } from "../kernels/kernel";

/** A part of a value's memory. */
export interface Window {
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** How much one binding holds. */
export type BindingLimit = Pick<KernelLimits, "maxStorageBufferBindingSize">;

/** Bytes: a binding starts at a multiple. */
export const ALIGNMENT = 256;

/** Bytes of a value in memory: whole vec4s, since kernels read and write four elements at a time. */
export const paddedByteLength = ({ dtype, shape }: Pick<Node, "dtype" | "shape">): number =>
  Math.max(16, Math.ceil(byteLengthOf(dtype, sizeOf(shape)) / 16) * 16);

/** The windows that make up some memory, in order: one where it can be bound whole, else all of one size but the last. */
export function windowsOf(byteLength: number, { maxStorageBufferBindingSize: most }: BindingLimit): Window[] {
  if (byteLength <= most) return [{ byteOffset: 0, byteLength }];
  const size = Math.max(1, Math.floor(most / ALIGNMENT)) * ALIGNMENT;
  return Array.from({ length: Math.ceil(byteLength / size) }, (_, index) => ({
    byteOffset: index * size,
    byteLength: Math.min(size, byteLength - index * size),
  }));
}

/** Bindings that reading a value takes. */
export const windowCount = (node: Node, limits: BindingLimit): number =>
  windowsOf(paddedByteLength(node), limits).length;

/** Elements of each window but the last. */
export const windowElements = (windows: readonly Window[], dtype: DType): number =>
  windows[0]!.byteLength / byteLengthOf(dtype, 1);
