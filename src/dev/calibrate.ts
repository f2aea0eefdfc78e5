/**
 * How fast an adapter is, by flywheel's own kernels: a product of matrices for arithmetic, an update of parameters for memory. Plans cut
 * launches by it that would take too long.
 */

import { defaultDevice, type Device } from "../device";
import { choicesOf } from "../kernels/choices";
import { MOST_SECONDS } from "../kernels/heuristics";
import { backendOf } from "./device";
import { bindKernel } from "./kernels";
import { type BoundLaunches, DeviceArray } from "./launches";

/** What an adapter reached. */
export interface Rates {
  /** Of a product of square matrices. */
  readonly flopsPerSecond: number;
  /** Read and written by a moving average of parameters. */
  readonly bytesPerSecond: number;
}

/** A kernel that reaches no more than one part in four of these rates still takes no longer than it should. */
const SLACK = 4;
/** Sizes grow until a run takes this long, ms: beside it, what a dispatch costs by itself does not count. */
const LONG_ENOUGH_MS = 3;
const RUNS = 5;
/** Rows and columns of the products, elements of the updates: 64 MiB at most. */
const SIDES = [256, 512, 1024, 2048, 4096];
const COUNTS = [1 << 18, 1 << 20, 1 << 22, 1 << 24];

/**
 * Measures how fast an adapter computes and moves data, in some tens of milliseconds, and plans by it from now on: launches that would
 * take more than 50 ms are cut into several. Without, an adapter counts as a slow one, and launches are cut sooner than they need to be.
 * `tune` does this too; `savedTuning` keeps it, `forgetTuning` forgets it.
 *
 * @param device default: the default device
 * @returns what it reached; null for software adapters, whose launches are never cut
 * @throws DeviceError for the CPU
 *
 * @example
 * await calibrate();
 */
export async function calibrate(device: Device = defaultDevice()): Promise<Rates | null> {
  const backend = backendOf("calibrate", device);
  const { limits } = backend.gpu;
  if (limits.adapterClass === "software") return null;
  const flopsPerSecond = await rateOf(SIDES, "flops", (side) => product(device, side));
  const bytesPerSecond = await rateOf(COUNTS, "bytes", (count) => update(device, count));
  choicesOf(limits).mostWork = {
    flops: (flopsPerSecond * MOST_SECONDS) / SLACK,
    bytes: (bytesPerSecond * MOST_SECONDS) / SLACK,
  };
  backend.forgetPlans();
  return { flopsPerSecond, bytesPerSecond };
}

/** Work a second, at the first size that takes long enough. */
async function rateOf(
  sizes: readonly number[],
  unit: "flops" | "bytes",
  bind: (size: number) => Promise<{ launches: BoundLaunches; arrays: readonly DeviceArray[] }>,
): Promise<number> {
  let best = 0;
  for (const size of sizes) {
    const { launches, arrays } = await bind(size);
    try {
      const work = launches.launches.reduce((sum, launch) => sum + launch[unit], 0);
      const timeMs = await quickest(launches);
      best = Math.max(best, (1000 * work) / timeMs);
      if (timeMs >= LONG_ENOUGH_MS) break;
    } finally {
      launches.dispose();
      for (const array of arrays) array.dispose();
    }
  }
  return best;
}

/** Of some runs, ms. Clocks of browsers are coarse: a run that seems to take no time takes a tenth of a millisecond. */
async function quickest(launches: BoundLaunches): Promise<number> {
  const timesMs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { dispatches } = await launches.time();
    timesMs.push(dispatches.reduce((sum, { timeMs }) => sum + timeMs, 0));
  }
  return Math.max(0.1, Math.min(...timesMs));
}

async function product(device: Device, side: number): ReturnType<Parameters<typeof rateOf>[2]> {
  const [a, b, output] = [1, 2, 3].map(() => DeviceArray.from(device, new Float32Array(side * side).fill(0.5)));
  const strides = { offset: 0, batch: side * side, row: side, col: 1 };
  const info = { batch: 1, m: side, n: side, k: side, a: strides, b: strides };
  const arrays = [a!, b!, output!];
  return { launches: await bindKernel(device, "matmul", info, { inputs: [a!, b!], output: output! }), arrays };
}

async function update(device: Device, count: number): ReturnType<Parameters<typeof rateOf>[2]> {
  const arrays = [count, count, 4].map((length) => DeviceArray.from(device, new Float32Array(length).fill(0.5)));
  return { launches: await bindKernel(device, "ema", { count }, { inputs: arrays }), arrays };
}
