/**
 * Measures rows: warms each up, checks what it computes, then runs all of them round-robin, so that whatever slows the
 * machine down hits all alike. Takes rows, a device and a clock; gives samples, and counts of what one run asks of the
 * device. Knows nothing of kernels.
 */

import { median } from "./statistics";

/** One line of the report: some work, done one way. */
export interface Row {
  /** What is computed; rows of the same work compete. */
  readonly work: string;
  /** How; the first row of some work is what the others are compared with. */
  readonly way: string;
  /** Floating-point operations of one run, and the bytes that it must read and write at least. 0: not told. */
  readonly flops: number;
  readonly bytes: number;
  /** Queues the work, `times` over. The harness waits for the device. */
  queue(times: number): void | Promise<void>;
  /** Poisons the output, runs once and compares all of it with what it should be. Rejects if it is wrong. */
  check(): Promise<void>;
}

export type Counters = Readonly<Record<string, number>>;

/** What the harness needs of a device. */
export interface Measured {
  counters(): Counters;
  /** Waits for all queued work; rejects if some of it failed. */
  synchronize(): Promise<void>;
  /** Milliseconds. */
  now(): number;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** Short runs are repeated until a sample takes this long, ms. Default 10. */
  readonly sampleMs?: number;
  /** A row that has had this long, ms, and MIN_SAMPLES samples sits out the other rounds. Default 6000. */
  readonly budgetMs?: number;
  /** Hears what is under way. */
  readonly onProgress?: (text: string) => void;
  /** Hears after each sample: what is measured by then, and about how long the rest will take, ms. */
  readonly onSample?: (soFar: readonly Measurement[], leftMs: number) => void;
  /** Hears of a row that fails, which is left out then. Default: it ends the measurement. */
  readonly onFailure?: (error: RowError) => void;
}

/** What was measured of a row. */
export interface Measurement {
  readonly row: Row;
  /** Milliseconds of one run, by round; null where the row sat out. */
  readonly samples: readonly (number | null)[];
  /** Milliseconds of the very first run: compiling and planning are in it. */
  readonly firstMs: number;
  /** Milliseconds of JavaScript of one run, median. */
  readonly hostMs: number;
  /** Runs in a sample. */
  readonly times: number;
  /** What one run asked of the device, median over rounds: dispatches, submits, buffers created ... */
  readonly counts: Counters;
}

const MIN_SAMPLES = 3;
/** Runs after which a row must be as it will be: all kernels compiled, all memory there. */
const MAX_WARM_UPS = 8;
/** What a warm run does not do any more. */
const SETTLING = ["pipelinesCreated", "plansMade", "buffersCreated", "bindGroupsCreated"];
const MAX_TIMES = 1000;

/** A row that failed; the message names it. */
export class RowError extends Error {
  override name = "RowError";

  constructor(
    readonly row: Row,
    cause: unknown,
  ) {
    super(`${row.work}, ${row.way}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

interface State {
  readonly row: Row;
  readonly samples: (number | null)[];
  readonly hostMs: number[];
  firstMs: number;
  times: number;
  /** The last sample's, or what it is expected to be. */
  sampleMs: number;
  spentMs: number;
  readonly counts: Counters[];
  hasFailed: boolean;
}

/** Options with their defaults. */
type Settings = Required<MeasureOptions>;

/**
 * Measures all rows.
 *
 * @throws RowError if a row's work fails or is wrong, unless `onFailure` takes it
 */
export async function measure(rows: readonly Row[], device: Measured, options: MeasureOptions): Promise<Measurement[]> {
  const settings: Settings = {
    ...{ sampleMs: 10, budgetMs: 6000, onProgress: () => undefined, onSample: () => undefined, onFailure: raise },
    ...options,
  };
  const { rounds, onProgress, onSample } = settings;
  const states = rows.map(newState);
  for (const [index, state] of states.entries()) {
    const { work, way } = state.row;
    onProgress(`warming up ${index + 1}/${rows.length}: ${work}, ${way}`);
    await guarded(state, settings, () => warmUp(state, device, settings.sampleMs));
  }
  for (let round = 0; round < rounds; round++) {
    onProgress(`round ${round + 1}/${rounds}`);
    for (const state of states) {
      if (state.hasFailed) continue;
      if (sitsOut(state, settings)) {
        state.samples.push(null);
      } else {
        await guarded(state, settings, () => sample(state, device));
        onSample(measurementsOf(states), leftMs(states, settings));
      }
    }
  }
  return measurementsOf(states);
}

const newState = (row: Row): State => ({
  row,
  samples: [],
  hostMs: [],
  firstMs: 0,
  times: 1,
  sampleMs: 0,
  spentMs: 0,
  counts: [],
  hasFailed: false,
});

const sitsOut = ({ spentMs, samples }: State, { budgetMs }: Settings): boolean =>
  spentMs > budgetMs && samples.length >= MIN_SAMPLES;

/** What the rounds that are left will take, if each sample takes as long as its row's last one. */
const leftMs = (states: readonly State[], { rounds, budgetMs }: Settings): number =>
  states.reduce((sum, { samples, sampleMs, spentMs, hasFailed }) => {
    if (hasFailed) return sum;
    const affordable = Math.ceil((budgetMs - spentMs) / sampleMs);
    const needed = Math.max(0, affordable, MIN_SAMPLES - samples.length);
    return sum + sampleMs * Math.min(rounds - samples.length, needed);
  }, 0);

/** Of the rows that have samples. */
const measurementsOf = (states: readonly State[]): Measurement[] =>
  states
    .filter(({ samples, hasFailed }) => samples.length > 0 && !hasFailed)
    .map(({ row, samples, hostMs, firstMs, times, counts }) => ({
      row,
      samples: [...samples],
      firstMs,
      hostMs: median(hostMs),
      times,
      counts: medians(counts),
    }));

/** The first run, the check, runs until nothing new is made any more, and how often to run for one sample. */
async function warmUp(state: State, device: Measured, sampleMs: number): Promise<void> {
  const { row } = state;
  state.firstMs = (await run(row, 1, device)).timeMs;
  await row.check();
  let timeMs = 0;
  for (let runs = 0, isSettled = false; !isSettled && runs < MAX_WARM_UPS; runs++) {
    const before = device.counters();
    ({ timeMs } = await run(row, 1, device));
    const after = device.counters();
    isSettled = SETTLING.every((name) => after[name] === before[name]);
  }
  state.times = Math.max(1, Math.min(MAX_TIMES, Math.ceil(sampleMs / Math.max(timeMs, 1e-3))));
  if (state.times > 1) ({ timeMs } = await run(row, state.times, device));
  state.sampleMs = timeMs;
}

async function sample(state: State, device: Measured): Promise<void> {
  const { row, times } = state;
  const before = device.counters();
  const { timeMs, hostMs } = await run(row, times, device);
  const after = device.counters();
  state.samples.push(timeMs / times);
  state.hostMs.push(hostMs / times);
  state.sampleMs = timeMs;
  state.spentMs += timeMs;
  const perRun = Object.entries(after).map(([name, total]) => [name, (total - (before[name] ?? 0)) / times] as const);
  state.counts.push(Object.fromEntries(perRun));
}

/** The median of each counter. */
const medians = (counts: readonly Counters[]): Counters =>
  Object.fromEntries(Object.keys(counts[0] ?? {}).map((name) => [name, median(counts.map((each) => each[name] ?? 0))]));

async function run(row: Row, times: number, device: Measured): Promise<{ timeMs: number; hostMs: number }> {
  const startMs = device.now();
  await row.queue(times);
  const queuedMs = device.now();
  await device.synchronize();
  return { timeMs: device.now() - startMs, hostMs: queuedMs - startMs };
}

async function guarded(state: State, { onFailure }: Settings, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    state.hasFailed = true;
    onFailure(new RowError(state.row, error));
  }
}

function raise(error: Error): never {
  throw error;
}
