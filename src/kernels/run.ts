/** How many neighbours an invocation takes at a turn of its loop. */

import type { KernelLimits } from "./kernel";

/** Characters of WGSL that a turn may have: more compile too slowly. */
const MAX_WRITTEN = 6000;
/** Vec4s below which a loop written out is not worth the time that it takes to compile. */
const LEAST = 1 << 14;

/**
 * Software adapters go through loops faster where a turn is four steps, written out, over what lies in a row. On hardware neighbours
 * are for the neighbouring lanes.
 * @param length what a run must divide
 * @param total vec4s in all
 * @param written characters of a step, with what it calls
 */
export function runOf(
  length: number,
  { total, written = 0 }: { total: number; written?: number },
  { adapterClass }: KernelLimits,
): 1 | 2 | 4 {
  if (adapterClass !== "software" || total < LEAST) return 1;
  if (length % 4 === 0 && 4 * written <= MAX_WRITTEN) return 4;
  return length % 2 === 0 && 2 * written <= MAX_WRITTEN ? 2 : 1;
}
