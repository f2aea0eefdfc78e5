/**
 * Tuning of a run: which variants of its kernels are fastest on this adapter. Tries those of the first step within a bounded time, or
 * takes what an earlier run has left. Asked for with `tune`, since a run then depends on what others measured.
 */

import { type Device, ValueError } from "flywheel";
import { printTuning, savedTuning, tune, useTuning } from "flywheel/dev";
import type { OnProgress } from "./progress";
import type { TuningStore } from "./tuningStore";

/** What became of a run's tuning: for the terminal, the page and the JSON line. */
export interface Tuning {
  /** Choices for this adapter that an earlier run had left. */
  readonly known: number;
  /** Uses of kernels that were tried in this run. */
  readonly tried: number;
  /** Uses for which no time or memory was left: they stay as they are, until a later run. */
  readonly left: number;
  /** How often each variant is taken, among all choices that are known now. */
  readonly chosen: Readonly<Record<string, number>>;
  /** Uses for which another variant is taken than by default: kernel, sizes, variants. */
  readonly changed: readonly string[];
  /** Variants that did not compile or gave other numbers than the reference: never taken. */
  readonly rejected: readonly string[];
  /** Why it was not kept for later runs; null where it was. */
  readonly notKept: string | null;
  /** Why nothing was tried, in a sentence; null where tuning went its way. */
  readonly notTried: string | null;
}

/** What trying may take, ms. */
const BUDGET_MS = 10_000;

/** How often each variant is taken. */
function countsOf(choices: Readonly<Record<string, string>>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const variant of Object.values(choices)) counts[variant] = (counts[variant] ?? 0) + 1;
  return counts;
}

const choicesIn = (saved: string): Record<string, string> =>
  (JSON.parse(saved) as { readonly chosen: Record<string, string> }).chosen;

/**
 * Takes what an earlier run has left for this adapter.
 *
 * @returns how many choices that is
 */
export async function loadTuning(device: Device, store: TuningStore): Promise<number> {
  const saved = await store.load().catch(() => null);
  try {
    return saved !== null && useTuning(saved, device) ? Object.keys(choicesIn(saved)).length : 0;
  } catch (error) {
    if (error instanceof ValueError) return 0; // a file of something else: it will be replaced
    throw error;
  }
}

/**
 * Runs a first step, tries what its kernels could be, and keeps what was found.
 *
 * @param known from `loadTuning`
 * @param onProgress hears the part of the work, or of the time for it, that is over
 */
export async function tuneFirstStep(
  device: Device,
  store: TuningStore,
  { known, step, onProgress }: { known: number; step: () => Promise<void>; onProgress: OnProgress },
): Promise<Tuning> {
  let startMs: number | null = null;
  const follow = (done: number, count: number): void => {
    startMs ??= performance.now();
    const ofTime = Math.min((performance.now() - startMs) / BUDGET_MS, 1); // what is left then is not tried
    onProgress(Math.max(count === 0 ? 1 : done / count, ofTime), 1);
  };
  const { uses, left } = await tune(step, { device, budgetMs: BUDGET_MS, onProgress: follow });
  const saved = savedTuning(device);
  const notKept = await store.save(saved).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return {
    ...{ known, tried: uses.length, left, chosen: countsOf(choicesIn(saved)) },
    changed: uses
      .filter((use) => use.chosen !== use.byDefault)
      .map((use) => printTuning({ uses: [use], left: 0, rates: null }).split("\n")[0]!),
    rejected: uses.flatMap(({ kernel, tried }) =>
      tried.flatMap(({ variant, rejected }) => (rejected === null ? [] : [`${variant} of ${kernel}: ${rejected}`])),
    ),
    notKept,
    notTried: null,
  };
}

/**
 * What becomes of tuning in a run that goes on from a checkpoint: nothing is tried or taken from elsewhere, as its bits are the kernels'.
 *
 * @param isTuned whether the checkpoint names its kernels
 */
export function resumedTuning(device: Device, isTuned: boolean): Tuning {
  const choices = isTuned ? choicesIn(savedTuning(device)) : {};
  return {
    ...{ known: Object.keys(choices).length, tried: 0, left: 0, chosen: countsOf(choices) },
    ...{ changed: [], rejected: [], notKept: null },
    notTried: `A run that goes on keeps its kernels, to the bit: ${isTuned ? "those that its save names" : "the usual ones, as it was not tuned"}.`,
  };
}
