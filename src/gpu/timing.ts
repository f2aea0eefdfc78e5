/** How long each dispatch takes: by timestamp queries where the device has them, else by the clock. */

import { admit, type Command, encode, submit } from "./encode";
import type { GpuContext } from "./memory";
import type { Pipeline } from "./pipeline";

export interface DispatchTime {
  /** Kernel name. */
  readonly label: string;
  readonly timeMs: number;
  /** From the start of the first one to its own. */
  readonly startMs: number;
}

export interface Timings {
  /** "clock" includes a submit and a wait for each dispatch, about 0.2 ms; browsers may round "timestamp" to 0.1 ms. */
  readonly source: "timestamp" | "clock";
  /** One for each dispatch, in order; copies are run but not timed. */
  readonly dispatches: readonly DispatchTime[];
}

/** A query set holds 4096 timestamps. */
const MAX_DISPATCHES = 2048;

/** Runs the commands once, each dispatch in a pass of its own. */
export async function timeCommands(context: GpuContext, commands: readonly Command[]): Promise<Timings> {
  if (!context.device.features.has("timestamp-query")) {
    return { source: "clock", dispatches: await timeByClock(context, commands) };
  }
  const dispatches: DispatchTime[] = [];
  for (const chunk of split(commands, MAX_DISPATCHES)) dispatches.push(...(await timeByTimestamps(context, chunk)));
  return { source: "timestamp", dispatches };
}

async function timeByTimestamps(context: GpuContext, commands: readonly Command[]): Promise<DispatchTime[]> {
  const { device, faults, sequence, counters } = context;
  const labels = labelsOf(commands);
  const byteLength = 16 * Math.max(1, labels.length);
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 * Math.max(1, labels.length) });
  const resolved = device.createBuffer({
    size: byteLength,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({ size: byteLength, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  counters.buffersCreated += 2;
  try {
    const timestamps = (dispatch: number): GPUComputePassTimestampWrites => ({
      querySet,
      beginningOfPassWriteIndex: 2 * dispatch,
      endOfPassWriteIndex: 2 * dispatch + 1,
    });
    submit(context, admit(context, commands), (encoder) => {
      encode(encoder, commands, { timestamps });
      encoder.resolveQuerySet(querySet, 0, 2 * labels.length, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, byteLength);
    });
    const ticket = faults.ticket();
    await faults.finish(
      sequence.run(() => staging.mapAsync(GPUMapMode.READ)),
      ticket,
    );
    await faults.settle(ticket);
    const ns = new BigUint64Array(staging.getMappedRange());
    // Clocks may step back between passes: never negative.
    const between = (from: number, to: number): number => Math.max(0, Number(ns[to]! - ns[from]!) / 1e6);
    return labels.map((label, i) => ({ label, timeMs: between(2 * i, 2 * i + 1), startMs: between(0, 2 * i) }));
  } finally {
    querySet.destroy();
    resolved.destroy();
    staging.destroy();
  }
}

async function timeByClock(context: GpuContext, commands: readonly Command[]): Promise<DispatchTime[]> {
  const { device, faults, sequence } = context;
  const wait = (pipelines: readonly Pipeline[] = []): Promise<unknown> =>
    faults.finish(
      sequence.run(() => device.queue.onSubmittedWorkDone(), pipelines),
      faults.ticket(),
    );
  const times: DispatchTime[] = [];
  let firstMs: number | null = null;
  for (const command of commands) {
    const pipelines = admit(context, [command]);
    await wait(pipelines);
    const start = performance.now();
    firstMs ??= start;
    submit(context, pipelines, (encoder) => {
      encode(encoder, [command]);
    });
    await wait();
    if (command.kind !== "dispatch") continue;
    times.push({ label: command.pipeline.label, timeMs: performance.now() - start, startMs: start - firstMs });
  }
  await faults.settle(faults.ticket());
  return times;
}

const labelsOf = (commands: readonly Command[]): string[] =>
  commands.flatMap((command) => (command.kind === "dispatch" ? [command.pipeline.label] : []));

function split<T>(list: readonly T[], length: number): T[][] {
  const chunks: T[][] = [];
  for (let i = 0; i < list.length; i += length) chunks.push(list.slice(i, i + length));
  return chunks;
}
