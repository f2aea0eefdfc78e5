/**
 * Arenas: one buffer that holds many variables, each at a 256-byte offset, so that one dispatch updates a whole model.
 * Arenas of one layout (parameters, gradients, momentum, key encoder) agree element by element.
 */

import type { Node } from "../graph/node";
import { fromHost } from "../ops/leaf";
import { BLOCK } from "../ops/segments";
import { ceilDiv } from "../kernels/kernel";
import { Variable } from "./variable";

/** Largest arena in elements: one binding of WebGPU's default limits (128 MiB). */
const MAX_ARENA_ELEMENTS = 2 ** 25;

/** Where each of a list of float variables lies in an arena. */
export class ArenaLayout {
  /** First element of each segment. */
  readonly offsets: readonly number[];
  /** Elements in all, padding included. */
  readonly count: number;
  /** u32 `[count / BLOCK]`: which segment each block belongs to. */
  readonly blocks: Node;
  /** u32 `[2 * segments]`: first element of each segment, and the one after its last, which padding follows. */
  readonly ranges: Node;

  constructor(readonly sizes: readonly number[]) {
    const offsets: number[] = [];
    let count = 0;
    for (const size of sizes) {
      offsets.push(count);
      count += BLOCK * ceilDiv(size, BLOCK);
    }
    this.offsets = offsets;
    this.count = count;
    const blocks = new Uint32Array(count / BLOCK);
    offsets.forEach((offset, segment) => blocks.fill(segment, offset / BLOCK, (offsets[segment + 1] ?? count) / BLOCK));
    this.blocks = fromHost(blocks, [blocks.length], "u32");
    const ranges = Uint32Array.from(sizes.flatMap((size, segment) => [offsets[segment]!, offsets[segment]! + size]));
    this.ranges = fromHost(ranges, [ranges.length], "u32");
  }

  /** Splits a list of sizes into runs that fit one arena each. */
  static split(sizes: readonly number[], maxElements = MAX_ARENA_ELEMENTS): number[][] {
    const runs: number[][] = [];
    let used = Infinity;
    sizes.forEach((size, index) => {
      const padded = BLOCK * ceilDiv(size, BLOCK);
      if (used + padded > maxElements) {
        runs.push([]);
        used = 0;
      }
      runs[runs.length - 1]!.push(index);
      used += padded;
    });
    return runs;
  }
}

/** One buffer, and the variables of one dtype that live in it. As a variable, it is all of them at once. */
export class Arena extends Variable {
  constructor(
    name: string,
    readonly layout: ArenaLayout,
    readonly members: readonly Variable[],
  ) {
    super(name, [layout.count], members[0]!.dtype);
  }
}
