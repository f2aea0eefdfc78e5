/** How many neighbours an invocation takes at a turn of its loop. */

import type { KernelLimits } from "./kernel";

/** Characters of WGSL that a turn may have: more compile too slowly. The larger the data, the more compiling is worth. */
const MAX_WRITTEN = { least: 1500, most: 24_000, aVec4: 1 / 16 } as const;
/** Vec4s below which a loop written out is not worth the time that it takes to compile. */
const LEAST = 1 << 14;

/**
 * Software adapters go through loops faster where a turn is several steps, written out, over what lies in a row. On hardware neighbours
 * are for the neighbouring lanes.
 * @param length what a run must divide
 * @param total vec4s in all
 * @param written characters of a step, with what it calls
 * @param most steps of a turn: where there is nothing to store, eight are faster still
 */
export function runOf(
  length: number,
  { total, written = 0, most = 4 }: { total: number; written?: number; most?: number },
  { adapterClass }: KernelLimits,
): number {
  if (adapterClass !== "software" || total < LEAST) return 1;
  const room = Math.min(MAX_WRITTEN.most, Math.max(MAX_WRITTEN.least, total * MAX_WRITTEN.aVec4));
  const isFit = (run: number): boolean => run <= most && length % run === 0 && run * written <= room;
  return [8, 4, 2].find(isFit) ?? 1;
}
