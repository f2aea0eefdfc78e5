/**
 * Measured launches in the Performance panel of Chrome's developer tools, as a track of their own below the page's: what the GPU did
 * beside what the host did. Elsewhere they are entries of the performance timeline, as other tools read it.
 *
 * @see https://developer.chrome.com/docs/devtools/performance/extension
 */

import type { ProfiledLaunch } from "./measure";

const GROUP = "flywheel";
const TRACK = "GPU";

/**
 * Adds an entry for each launch. When the GPU began is not known on the page's clock: a submit's launches begin with the submit, or when
 * those of the one before it have ended.
 *
 * @param submits launches of each submit, in order
 */
export function addTrack(submits: readonly (readonly ProfiledLaunch[])[]): void {
  let freeMs = 0;
  for (const launches of submits) {
    const delayMs = Math.max(0, freeMs - (launches[0]?.startMs ?? 0));
    for (const launch of launches) {
      const start = launch.startMs + delayMs;
      const end = start + launch.timeMs;
      performance.measure(launch.kernel, { start, end, detail: { devtools: entryOf(launch) } });
      freeMs = Math.max(freeMs, end);
    }
  }
}

/** What the panel shows of an entry; it knows strings only. */
function entryOf({ kernel, timeMs, output, fused, flops, bytes }: ProfiledLaunch): object {
  const rate = (amount: number): string => (timeMs > 0 ? (amount / timeMs / 1e6).toPrecision(3) : "-");
  return {
    dataType: "track-entry",
    track: TRACK,
    trackGroup: GROUP,
    color: "primary",
    tooltipText: `${kernel} [${output.join()}]`,
    properties: [
      ["output", `[${output.join()}]`],
      ["fused", fused.join("+")],
      ["GFLOP/s", rate(flops)],
      ["GB/s", rate(bytes)],
    ],
  };
}
