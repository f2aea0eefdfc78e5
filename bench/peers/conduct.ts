/**
 * Measures one row of all libraries: opens each, checks what its first runs give, warms it up, then visits all of them in
 * rounds, with the adapter's limit between, so that whatever slows the machine down hits all alike. Knows neither browsers nor
 * libraries: those are sessions.
 */

import { median } from "../statistics";
import type { GpuCounts } from "./gpuCounts";

/** What one run takes, and asks of the device: means over those that were timed together. */
export interface Timed {
  /** Until the device was done. */
  readonly timeMs: number;
  /** JavaScript, until the calls returned: the median; null where there is none. */
  readonly jsMs: number | null;
  readonly counts: GpuCounts;
}

/** One row of one library. Whatever fails rejects. */
export interface Session {
  readonly library: string;
  /** Until the inputs are on the device. `unsupported` says why the library has no such row. */
  open(): Promise<{ version: string; adapter: string; unsupported: string | null }>;
  /** The first call until its result is on the host, ms, the last of those that are checked, and what is wrong with them. */
  first(): Promise<{ timeMs: number; lastMs: number; wrong: string | null }>;
  /** Runs, and waits for the device. */
  sample(times: number): Promise<Timed>;
  /** Counts of some runs after another one: what a step leaves to the next one counts as that one's. */
  count(times: number): Promise<Timed>;
  /** JavaScript of some runs, ms, each after the device was done with the one before; null where there is none. */
  script(times: number): Promise<number | null>;
  /** What is wrong after all samples. */
  verify(): Promise<string | null>;
  /** Also in the middle of something. */
  close(): Promise<void>;
}

/** The adapter's limit. */
export interface LimitSession {
  /** Multiply-adds of registers, GFLOP/s. */
  sample(): Promise<number>;
  close(): Promise<void>;
}

export interface ConductOptions {
  readonly rounds: number;
  /** A library that has had this long in a row, ms, sits out the other rounds. */
  readonly budgetMs: number;
  /** One call that takes longer is given up. */
  readonly timeoutMs: number;
  /** For steps whose JavaScript matters: run on after the rounds, until an engine has compiled all of it, for this long at most, ms. */
  readonly scriptMs?: number;
  /** Short runs are repeated until a sample takes this long, ms. */
  readonly sampleMs: number;
  /** Hears what is under way. */
  readonly onProgress?: (text: string) => void;
  /** Starts to watch other processes; what it gives tells how many cores they have used since. Undefined: it cannot. */
  readonly watchOthers?: () => (() => number) | undefined;
}

/** What became of a library in a row. */
export type Status = "measured" | "no kernel" | "times out" | "wrong" | "failed";

/** A row of one library. */
export interface LibraryResult {
  readonly library: string;
  readonly version: string;
  readonly status: Status;
  /** Why it was not measured. */
  readonly reason: string;
  /** The first call until its result is on the host. */
  readonly firstMs: number | null;
  /** Of one run, by round; null where it sat out. */
  readonly samplesMs: readonly (number | null)[];
  readonly jsMs: number | null;
  /** Of one run in the middle of others; `peakBytes` of all. */
  readonly counts: GpuCounts | null;
}

/** One row. */
export interface RowResult {
  readonly name: string;
  readonly title: string;
  readonly flops: number;
  readonly adapter: string;
  /** The adapter's limit by round, GFLOP/s. */
  readonly peakGflops: readonly number[];
  /** Cores that other processes used meanwhile; null if that is not known. */
  readonly othersCores: number | null;
  readonly libraries: readonly LibraryResult[];
}

/** Each of two runs. */
const MAX_WARM_UPS = 6;
/** What a warm run does not do any more; some libraries never stop. */
const SETTLING = ["pipelinesCreated", "buffersCreated", "bindGroupsCreated"] as const;
const MAX_TIMES = 200;
/** Steps that are counted at once, and how often that is done: their JavaScript is timed too. */
const COUNTED = 5;
const COUNT_PASSES = 3;

/** A library's way through a row. */
interface State {
  readonly session: Session;
  version: string;
  adapter: string;
  status: Status;
  reason: string;
  firstMs: number | null;
  times: number;
  /** Since the first run. */
  spentMs: number;
  readonly samples: (number | null)[];
  readonly jsMs: (number | null)[];
  /** Whether it was warmed up, and counted then. */
  isWarm: boolean;
  counts: GpuCounts | null;
}

/**
 * Measures a row. Libraries that fail in it are reported, and do not stop the others.
 *
 * @param work what the sessions are opened for
 * @param limit measured once a round, if given
 */
export async function conductRow(
  work: Pick<RowResult, "name" | "title" | "flops">,
  sessions: readonly Session[],
  limit: LimitSession | null,
  options: ConductOptions,
): Promise<RowResult> {
  const { onProgress = () => undefined } = options;
  const states = sessions.map(newState);
  const peakGflops: number[] = [];
  let othersCores: number | null = null;
  try {
    for (const state of states) {
      onProgress(`${work.name}: ${state.session.library}`);
      await guarded(state, options, () => prepare(state, options));
      if (state.status !== "measured")
        onProgress(`${work.name}: ${state.session.library} ${state.status}: ${state.reason}`);
    }
    const usedByOthers = options.watchOthers?.();
    for (let round = 0; round < options.rounds; round++) {
      if (limit) peakGflops.push(await limit.sample());
      for (const state of states) await visit(state, options);
    }
    othersCores = usedByOthers?.() ?? null;
    for (const state of states) await guarded(state, options, () => timeScript(state, options));
    for (const state of states) await guarded(state, options, () => verify(state, options));
  } finally {
    for (const { session } of states) await session.close();
  }
  const adapter = states.find((state) => state.adapter !== "")?.adapter ?? "unknown";
  return { ...work, adapter, peakGflops, othersCores, libraries: states.map(resultOf) };
}

function newState(session: Session): State {
  return {
    session,
    ...{ version: "", adapter: "", status: "measured", reason: "", firstMs: null, times: 1, spentMs: 0 },
    ...{ samples: [], jsMs: [], isWarm: false, counts: null },
  };
}

/** The first runs and their check, and warming up. */
async function prepare(state: State, options: ConductOptions): Promise<void> {
  const { session } = state;
  const { version, adapter, unsupported } = await within(options.timeoutMs, session.open());
  Object.assign(state, { version, adapter });
  if (unsupported !== null) {
    giveUp(state, "no kernel", unsupported);
    return;
  }
  const { timeMs, lastMs, wrong } = await within(options.timeoutMs, session.first());
  state.firstMs = timeMs;
  if (wrong !== null) giveUp(state, "wrong", wrong);
  // A run that takes a good part of the budget has warmed up all there is.
  else if (lastMs < options.budgetMs / 3) await warmUp(state, options);
}

/** Runs until nothing new is made any more, counts, and finds how often to run for a sample. */
async function warmUp(state: State, options: ConductOptions): Promise<void> {
  const { session } = state;
  let timeMs = Infinity;
  for (let pass = 0; pass < MAX_WARM_UPS && state.spentMs < options.budgetMs / 3; pass++) {
    const timed = await spend(state, options, 2, session.count(1));
    timeMs = Math.min(timeMs, timed.timeMs);
    state.counts = timed.counts;
    if (pass > 0 && SETTLING.every((name) => timed.counts[name] === 0)) break;
  }
  const isShort = COUNT_PASSES * (COUNTED + 1) * timeMs < options.budgetMs / 3;
  for (let pass = 0; pass < (isShort ? COUNT_PASSES : 1); pass++) {
    const runs = isShort ? COUNTED : 1;
    const { counts, jsMs } = await spend(state, options, runs + 1, session.count(runs));
    state.counts = counts;
    state.jsMs.push(jsMs);
  }
  state.isWarm = true;
  state.times = Math.max(1, Math.min(MAX_TIMES, Math.round(options.sampleMs / Math.max(timeMs, 1e-3))));
}

/** One sample, unless the library has failed or had its time. */
async function visit(state: State, options: ConductOptions): Promise<void> {
  if (state.status !== "measured") return;
  if (state.samples.length > 0 && state.spentMs > options.budgetMs) {
    state.samples.push(null);
    return;
  }
  await guarded(state, options, async () => {
    const { times, session } = state;
    const { timeMs, jsMs, counts } = await spend(state, options, times, session.sample(times));
    state.samples.push(timeMs);
    if (!state.isWarm) state.jsMs.push(jsMs);
    state.counts = { ...(state.counts ?? counts), peakBytes: counts.peakBytes };
  });
}

/** Steps in a row: the JavaScript of the first ones, which is being compiled, is outnumbered. */
const SCRIPT_RUNS = 150;

async function timeScript(state: State, { scriptMs = 0, timeoutMs }: ConductOptions): Promise<void> {
  const known = state.samples.filter((sample) => sample !== null);
  if (state.status !== "measured" || scriptMs === 0 || known.length === 0) return;
  const runs = Math.min(SCRIPT_RUNS, Math.floor(Math.min(scriptMs, timeoutMs / 2) / median(known)));
  if (runs < 2) return;
  state.jsMs.splice(0, Infinity, await within(timeoutMs, state.session.script(runs)));
}

async function verify(state: State, options: ConductOptions): Promise<void> {
  if (state.status !== "measured") return;
  const wrong = await within(options.timeoutMs, state.session.verify());
  if (wrong !== null) giveUp(state, "wrong", wrong);
}

function giveUp(state: State, status: Status, reason: string): void {
  Object.assign(state, { status, reason });
}

const resultOf = ({ session, version, status, reason, firstMs, samples, jsMs, counts }: State): LibraryResult => {
  const isMeasured = status === "measured";
  return {
    ...{ library: session.library, version, status, reason, firstMs },
    samplesMs: isMeasured ? samples : [],
    jsMs: isMeasured && !jsMs.includes(null) ? median(jsMs as number[]) : null,
    counts: isMeasured ? counts : null,
  };
};

// ---- limits of time, and failures ----

class TimeoutError extends Error {}

async function spend(
  state: State,
  { timeoutMs }: ConductOptions,
  runs: number,
  running: Promise<Timed>,
): Promise<Timed> {
  const timed = await within(timeoutMs, running);
  state.spentMs += runs * timed.timeMs;
  return timed;
}

async function within<T>(timeoutMs: number, running: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new TimeoutError()), timeoutMs);
  });
  running.catch(() => undefined); // once given up, it may fail as it likes
  try {
    return await Promise.race([running, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the libraries say where they lack something. */
const NO_KERNEL = /not registered for backend|not (yet )?(implemented|supported)|unsupported/i;

/** Runs a part of a session; a failure ends that session alone. */
async function guarded(state: State, { timeoutMs }: ConductOptions, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
    if (error instanceof TimeoutError) giveUp(state, "times out", `more than ${timeoutMs / 1000} s`);
    else giveUp(state, NO_KERNEL.test(message) ? "no kernel" : "failed", message);
    await state.session.close();
  }
}
