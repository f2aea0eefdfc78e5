/**
 * Debug channels: what the library plans, holds and takes, in text, while a program runs. Opened by `debug`, and, without a change to a
 * program, by the switch FLYWHEEL_DEBUG: then a device loads this file when it opens, and no other program does.
 */

import { DeviceLostError, ValueError } from "../errors";
import type { MemoryUse } from "../gpu/gpu";
import { showBytes } from "../gpu/memory";
import { SHADERS } from "../kernels/shaders";
import type { WebGpuBackend } from "../runtime/webgpuBackend";
import { printLaunches } from "../schedule/print";
import { intercept } from "./intercept";
import { clockSubmits, hasTimestamps, measureLaunches, type ProfiledLaunch, profileOf } from "./measure";
import { printProfile } from "./printProfile";

/**
 * Of each new plan: `"schedule"`, the table of its launches; `"wgsl"`, their shaders; `"kernels:NAME"`, those of one kernel; `"memory"`,
 * what the device holds then. Of each program that runs: `"time"`, what its kernels take.
 */
export type DebugChannel = "schedule" | "wgsl" | "memory" | "time" | `kernels:${string}`;

type Print = (text: string) => void;

/** What is shown of a plan that was just made. */
const OF_PLANS: Readonly<Record<string, (backend: WebGpuBackend) => string>> = {
  schedule: ({ latestLaunches }) => printLaunches(latestLaunches),
  wgsl: (backend) => shadersOf(backend),
  memory: (backend) => printMemory(backend.memory()),
};

const KERNEL = "kernels:";

/** A list of channels with commas between them, checked. */
export const channelsOf = (what: string, text: string): DebugChannel[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .map((word) => checkedChannel(what, word));

/** @throws ValueError for what is no channel, or no kernel */
export function checkedChannel(what: string, channel: string): DebugChannel {
  if (Object.hasOwn(OF_PLANS, channel) || channel === "time") return channel as DebugChannel;
  if (!channel.startsWith(KERNEL)) {
    throw new ValueError(
      `${what}: the channel must be schedule, wgsl, memory, time or kernels:NAME, got ${JSON.stringify(channel)}. Pass one of them.`,
    );
  }
  const name = channel.slice(KERNEL.length);
  if (!SHADERS.has(name)) {
    const names = [...SHADERS.keys()].sort().join(", ");
    throw new ValueError(
      `${what}: the kernel must be one of ${names}, got ${JSON.stringify(name)}. Pass kernels: and one of them.`,
    );
  }
  return channel as DebugChannel;
}

/** Opens a channel on a backend; returns what closes it. */
export function openChannel(backend: WebGpuBackend, channel: DebugChannel, print: Print): () => void {
  if (channel === "time") return openTime(backend, print);
  const show = OF_PLANS[channel] ?? ((shown) => shadersOf(shown, channel.slice(KERNEL.length)));
  const plansMade = (): number => backend.counters()["plansMade"] ?? 0;
  return intercept(backend, "run", (run) => (program) => {
    const before = plansMade();
    const values = run(program);
    const text = plansMade() > before ? show(backend) : "";
    if (text !== "") print(text);
    return values;
  });
}

/** The shaders of the latest plan, each once. */
function shadersOf({ latestLaunches }: WebGpuBackend, name?: string): string {
  const wanted = latestLaunches.filter(({ label }) => name === undefined || label === name);
  return [...new Set(wanted.map(({ label, wgsl }) => `// ${label}.wgsl, specialised\n${wgsl}`))].join("\n");
}

function openTime(backend: WebGpuBackend, print: Print): () => void {
  if (!hasTimestamps(backend)) {
    return clockSubmits(backend, ({ dispatches, timeMs }) => {
      print(`time: ${dispatches} launches in ${timeMs.toFixed(3)} ms, by the clock`);
    });
  }
  const show = (launches: readonly ProfiledLaunch[]): void => {
    if (launches.length > 0) print(`time by kernel\n${printProfile(profileOf(launches), { byKernel: true })}`);
  };
  const take = (launches: Promise<ProfiledLaunch[]>): void => {
    launches.then(show, (error: unknown) => {
      // what it wrote is spoiled: reading that throws the error too
      if (!(error instanceof DeviceLostError)) print(`time: ${String(error)}`);
    });
  };
  return measureLaunches(backend, take, (problem) => {
    print(`time: not measured: ${problem}`);
  });
}

/** One line: what is held, and by whom. */
export function printMemory({ liveByteLength, pooledByteLength, peakByteLength, byName }: MemoryUse): string {
  const names = byName.map(({ name, byteLength, count }) => `${name} ${showBytes(byteLength)} in ${count}`);
  const sums = `${showBytes(liveByteLength)} live, ${showBytes(pooledByteLength)} of it pooled, ${showBytes(peakByteLength)} at the peak`;
  return `memory: ${sums}: ${names.join(", ")}`;
}
