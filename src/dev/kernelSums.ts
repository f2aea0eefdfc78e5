/** Measured launches, summed by kernel. */

import type { Profile } from "./measure";

/** All launches of one kernel. */
export interface KernelSum {
  /** Its file's name below `shaders/`. */
  readonly kernel: string;
  readonly launches: number;
  readonly timeMs: number;
  readonly flops: number;
  /** Least bytes that they must read and write. */
  readonly bytes: number;
}

/**
 * A profile by kernel, the slowest first.
 *
 * @example
 * for (const { kernel, launches, timeMs } of sumByKernel(await profile(step))) console.log(kernel, launches, timeMs);
 */
export function sumByKernel({ launches }: Profile): KernelSum[] {
  const sums = new Map<string, KernelSum>();
  for (const { kernel, timeMs, flops, bytes } of launches) {
    const sum = sums.get(kernel);
    sums.set(kernel, {
      kernel,
      launches: (sum?.launches ?? 0) + 1,
      timeMs: (sum?.timeMs ?? 0) + timeMs,
      flops: (sum?.flops ?? 0) + flops,
      bytes: (sum?.bytes ?? 0) + bytes,
    });
  }
  return [...sums.values()].sort((a, b) => b.timeMs - a.timeMs);
}
