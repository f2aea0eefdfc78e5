/**
 * Measures what a backend submits, submit by submit: each launch by timestamps in place of the submit, or, where the GPU has none,
 * the submit as a whole by the clock. Knows no tensors and no default device, so that a device can load it when it opens.
 */

import type { Command, Timings } from "../gpu/gpu";
import type { WebGpuBackend } from "../runtime/webgpuBackend";
import type { PlannedLaunch } from "../schedule/plan";
import { intercept } from "./intercept";

/** One dispatch and the time it took. */
export interface ProfiledLaunch {
  /** Kernel name: its file's below `shaders/`. */
  readonly kernel: string;
  readonly timeMs: number;
  /** When it may have begun, on the clock of `performance.now()`: its submit, and how long after that one's first launch. */
  readonly startMs: number;
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

/** Calls one function after another, the last one first. */
const inReverse =
  (undo: readonly (() => void)[]): (() => void) =>
  () => {
    for (const each of undo.toReversed()) each();
  };

export const hasTimestamps = ({ gpu }: WebGpuBackend): boolean => gpu.info.features.includes("timestamp-query");

/** The sum of a list of launches beside it. */
export const profileOf = (launches: readonly ProfiledLaunch[]): Profile => ({
  launches,
  timeMs: launches.reduce((sum, { timeMs }) => sum + timeMs, 0),
});

/**
 * Watches what a backend submits.
 *
 * @param watch is given the commands of each submit, what was planned of them (nothing for commands that no program made), and the
 *   submit itself; to run the commands otherwise, it submits none
 * @returns ends it
 */
function watchSubmits(
  backend: WebGpuBackend,
  watch: <T>(
    commands: readonly Command[],
    planned: readonly PlannedLaunch[],
    submit: (commands: readonly Command[]) => T,
  ) => T,
): () => void {
  const { gpu } = backend;
  let isProgram = false;
  const planned = (): readonly PlannedLaunch[] => (isProgram ? backend.latestLaunches : []);
  const inProgram = <T>(run: () => T): T => {
    isProgram = true;
    try {
      return run();
    } finally {
      isProgram = false;
    }
  };
  return inReverse([
    intercept(backend, "run", (run) => (program) => inProgram(() => run(program))),
    intercept(backend, "rerun", (rerun) => (key, program, leaves) => {
      inProgram(() => {
        rerun(key, program, leaves);
      });
    }),
    intercept(
      gpu,
      "submit",
      (submit) =>
        ((commands: readonly Command[], options = {}) =>
          watch(commands, planned(), (left) =>
            left.length > 0 || "stage" in options ? submit(left, options) : null,
          )) as typeof submit,
    ),
    intercept(
      gpu,
      "submitForRead",
      (submitForRead) => (commands, ranges) => watch(commands, planned(), (left) => submitForRead(left, ranges)),
    ),
  ]);
}

/**
 * Measures each launch by timestamps. It changes what it measures a little: each launch gets a pass of its own.
 *
 * @param take is given the launches of each submit, once they are measured
 * @param skip is told of a submit with more than can be measured: what it has too many of; it runs as it is unless this throws
 * @returns ends it
 */
export function measureLaunches(
  backend: WebGpuBackend,
  take: (launches: Promise<ProfiledLaunch[]>) => void,
  skip: (problem: string) => void,
): () => void {
  return watchSubmits(backend, (commands, planned, submit) => {
    if (commands.length > MAX_LAUNCHES) {
      skip(`one submit must have at most ${MAX_LAUNCHES} commands, got ${commands.length}`);
      return submit(commands);
    }
    const submittedMs = performance.now();
    if (commands.length > 0)
      take(backend.gpu.time(commands).then((timings) => withTimes(planned, timings, submittedMs)));
    return submit([]);
  });
}

/**
 * Measures each submit by the clock, from the submit to the news that it is done; what was queued before counts too.
 *
 * @param take is given the number of dispatches of each submit that has some, and its time
 * @returns ends it
 */
export function clockSubmits(
  backend: WebGpuBackend,
  take: (submit: { readonly dispatches: number; readonly timeMs: number }) => void,
): () => void {
  return watchSubmits(backend, (commands, _planned, submit) => {
    const dispatches = commands.filter(({ kind }) => kind === "dispatch").length;
    const startMs = performance.now();
    const result = submit(commands);
    if (dispatches > 0) {
      backend.gpu.workDone().then(
        () => {
          take({ dispatches, timeMs: performance.now() - startMs });
        },
        () => undefined, // the next read says what went wrong
      );
    }
    return result;
  });
}

function withTimes(planned: readonly PlannedLaunch[], { dispatches }: Timings, submittedMs: number): ProfiledLaunch[] {
  return dispatches.map(({ label, timeMs, startMs: sinceFirstMs }, index) => {
    const { output = [], fused = [], flops = 0, bytes = 0, wgsl = "" } = planned[index] ?? {};
    return { kernel: label, timeMs, startMs: submittedMs + sinceFirstMs, output, fused, flops, bytes, wgsl };
  });
}
