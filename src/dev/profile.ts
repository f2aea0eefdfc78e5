/**
 * Profiler: what each launch of some code takes on the GPU, by timestamp queries. Takes a function, gives a list of launches
 * with times and a table of them. It changes what it measures a little: each launch gets a pass of its own.
 */

import { defaultDevice, type Device } from "../device";
import { DeviceError } from "../errors";
import type { Command, Timings } from "../gpu/gpu";
import type { PlannedLaunch } from "../schedule/plan";
import { backendOf } from "./device";
import { intercept } from "./intercept";

/** One dispatch and the time it took. */
export interface ProfiledLaunch {
  /** Kernel name: its file's below `shaders/`. */
  readonly kernel: string;
  readonly timeMs: number;
  /** Shape of the tensor that it is a part of computing. */
  readonly output: readonly number[];
  /** Names of the ops in it. */
  readonly fused: readonly string[];
  readonly flops: number;
  /** Least bytes that it must read and write. */
  readonly bytes: number;
  readonly wgsl: string;
}

/** What `profile` gives. */
export interface Profile {
  readonly launches: readonly ProfiledLaunch[];
  /** Sum over all launches. */
  readonly timeMs: number;
}

/** One query set holds the timestamps of this many. */
const MAX_LAUNCHES = 2048;

/**
 * Runs a function and measures each launch that the library makes meanwhile. Wait for the results inside: what is only
 * described and not computed has no launches. An optimizer's update runs with the step after it.
 *
 * @param body what to measure; run it once before, or kernels are compiled meanwhile
 * @param options.device default: the default device
 * @returns launches in the order in which they ran
 * @throws DeviceError for the CPU, or a GPU without timestamp queries
 *
 * @example
 * const result = await profile(() => trainStep(batch));
 * console.log(printProfile(result));
 */
export async function profile(
  body: () => unknown,
  { device = defaultDevice() }: { readonly device?: Device } = {},
): Promise<Profile> {
  const backend = backendOf("profile", device);
  const { gpu } = backend;
  if (!gpu.info.features.includes("timestamp-query")) {
    throw new DeviceError(
      "profile: the GPU must have timestamp queries, got one without. Use Chrome with --enable-unsafe-webgpu.",
    );
  }
  const measured: Promise<ProfiledLaunch[]>[] = [];
  /** Of the program that is being submitted; none for commands that come from elsewhere. */
  let planned: readonly PlannedLaunch[] = [];
  /** Runs commands, measured; the submits that follow them need not run them again. */
  const measure = (commands: readonly Command[]): void => {
    if (commands.length > MAX_LAUNCHES) {
      throw new DeviceError(
        `profile: one submit must have at most ${MAX_LAUNCHES} commands, got ${commands.length}. Profile less.`,
      );
    }
    const launches = planned;
    if (commands.length > 0) measured.push(gpu.time(commands).then((timings) => withTimes(launches, timings)));
  };
  const restore = [
    intercept(backend, "run", (run) => (program) => {
      planned = backend.launchesOf(program);
      const values = run(program);
      planned = [];
      return values;
    }),
    intercept(backend, "rerun", (rerun) => (key, program, leaves) => {
      planned = backend.launchesOfPlan(key);
      rerun(key, program, leaves);
      planned = [];
    }),
    intercept(
      gpu,
      "submit",
      (submit) =>
        ((commands: readonly Command[], options = {}) => {
          measure(commands);
          return "stage" in options ? submit([], options) : null;
        }) as typeof submit,
    ),
    intercept(gpu, "submitForRead", (submitForRead) => (commands, ranges) => {
      measure(commands);
      return submitForRead([], ranges);
    }),
  ];
  try {
    await body();
  } finally {
    for (const undo of restore) undo();
  }
  const launches = (await Promise.all(measured)).flat();
  return { launches, timeMs: launches.reduce((sum, { timeMs }) => sum + timeMs, 0) };
}

function withTimes(planned: readonly PlannedLaunch[], { dispatches }: Timings): ProfiledLaunch[] {
  return dispatches.map(({ label, timeMs }, index) => {
    const { output = [], fused = [], flops = 0, bytes = 0, wgsl = "" } = planned[index] ?? {};
    return { kernel: label, timeMs, output, fused, flops, bytes, wgsl };
  });
}

const HEADER = ["#", "kernel", "output", "ms", "%", "GFLOP/s", "GB/s", "fused"] as const;

/** A profile as a table: one aligned line a launch, or, with `byKernel`, one a kernel, the slowest first. */
export function printProfile(
  { launches, timeMs: total }: Profile,
  { byKernel = false }: { readonly byKernel?: boolean } = {},
): string {
  const lines = byKernel ? sumsByKernel(launches) : launches.map((launch) => ({ ...launch, count: 1 }));
  const rate = (amount: number, timeMs: number): string => (timeMs > 0 ? (amount / timeMs / 1e6).toPrecision(3) : "-");
  const rows = lines.map(({ kernel, timeMs, output, fused, flops, bytes, count }, index) => [
    String(byKernel ? count : index),
    kernel,
    byKernel ? "" : `[${output.join()}]`,
    timeMs.toFixed(3),
    ((100 * timeMs) / (total || 1)).toFixed(1),
    rate(flops, timeMs),
    rate(bytes, timeMs),
    byKernel ? "" : fused.slice(0, 8).join("+"),
  ]);
  const table = [[...HEADER], ...rows, ["", "all", "", total.toFixed(3), "", "", "", ""]];
  const widths = HEADER.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const isText = (column: number): boolean => ["kernel", "output", "fused"].includes(HEADER[column]!);
  const show = (row: readonly string[]): string =>
    row.map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return table.map((row) => show(row).trimEnd()).join("\n");
}

function sumsByKernel(launches: readonly ProfiledLaunch[]): (ProfiledLaunch & { count: number })[] {
  const sums = new Map<string, ProfiledLaunch & { count: number }>();
  for (const launch of launches) {
    const { timeMs = 0, flops = 0, bytes = 0, count = 0 } = sums.get(launch.kernel) ?? {};
    sums.set(launch.kernel, {
      ...launch,
      timeMs: timeMs + launch.timeMs,
      flops: flops + launch.flops,
      bytes: bytes + launch.bytes,
      count: count + 1,
    });
  }
  return [...sums.values()].sort((a, b) => b.timeMs - a.timeMs);
}
