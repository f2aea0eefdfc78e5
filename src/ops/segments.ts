/**
 * What all updates of whole arenas share: which parameter an element belongs to, and whether it has a gradient.
 *
 * An arena is an f32 array whose length is a multiple of 64. `blocks[i]` is the segment (the parameter) that elements
 * 64i .. 64i+63 belong to, `segments[s]` is `group << 2 | state`, and `groups` holds a fixed number of hyper-parameters a group.
 */

import type { DType, HostArray, TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { checkDType, checkSameDType, checkSameShape } from "./check";
import { FLOAT } from "./pointwise";

/** Elements that share an entry of `blocks`: 256 bytes, the alignment of WebGPU's bindings. */
export const BLOCK = 64;

/** What the optimizer knows of a parameter. */
export const SegmentState = {
  /** It has no gradient: skipped, without decay or momentum. */
  none: 0,
  /** Its first gradient: the momentum starts from it. */
  first: 1,
  /** It has momentum. */
  live: 2,
} as const;

/** The tables that say what becomes of each element. */
export interface SegmentTables {
  readonly blocks: HostArray;
  readonly segments: HostArray;
}

/** Calls `visit` for every block of an arena whose parameter has a gradient. */
export function visitBlocks(
  count: number,
  { blocks, segments }: SegmentTables,
  visit: (begin: number, end: number, at: { segment: number; group: number; state: number }) => void,
): void {
  for (let block = 0; block * BLOCK < count; block++) {
    const segment = blocks.data[block]!;
    const word = segments.data[segment]!;
    const state = word & 3;
    if (state === SegmentState.none) continue;
    visit(block * BLOCK, Math.min((block + 1) * BLOCK, count), { segment, group: word >>> 2, state });
  }
}

/** The `size` numbers of a group. */
export const groupRow = (groups: HostArray, group: number, size: number): TypedArray =>
  groups.data.subarray(group * size, (group + 1) * size);

/** The gradient with its sign for descent, and weight decay added. */
export function effectiveGrad(
  { maximize, weightDecay }: { readonly maximize: boolean; readonly weightDecay: number },
  grad: number,
  p: number,
): number {
  const g = maximize ? -grad : grad;
  return weightDecay === 0 ? g : g + weightDecay * p;
}

const EMPTY: { shape: readonly number[]; dtype: DType } = { shape: [0], dtype: "f32" };

/** An update's output is empty: what it does is write its operands. Arenas have one layout. */
export function inferUpdate(op: string, arenas: readonly Node[]): typeof EMPTY {
  checkDType(op, arenas, FLOAT);
  checkSameDType(op, arenas);
  checkSameShape(op, arenas);
  return EMPTY;
}

/** Elements of the arenas that an update works on. */
export const arenaCount = (node: Node): number => sizeOf(node.inputs[0]!.shape);
