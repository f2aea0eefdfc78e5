/** How many neighbours an invocation takes at a turn of its loop. */

import type { KernelLimits } from "./kernel";

/** Vec4s below which a loop written out is not worth the time that it takes to compile. */
const LEAST = 1 << 14;

/**
 * Software adapters go through loops faster where a turn is four steps, written out, over what lies in a row. On hardware neighbours
 * are for the neighbouring lanes.
 * @param length what a run must divide
 * @param total vec4s in all
 * @param most steps that a turn may have
 */
export function runOf(length: number, total: number, { adapterClass }: KernelLimits, most = 4): 1 | 2 | 4 {
  if (adapterClass !== "software" || total < LEAST) return 1;
  if (length % 4 === 0 && most >= 4) return 4;
  return length % 2 === 0 && most >= 2 ? 2 : 1;
}
