/** What follows from the measurements: medians, where we stand, what was promised and whether it holds. Pure functions. */

import { median, pairedRatio } from "../statistics";
import type { LibraryResult, RowResult } from "./conduct";
import { EARLIER, EARLIER_PEAK, type Goal, GOALS, OTHERS_CORES, SETTLED, TIE } from "./goals";
import { PEERS } from "./names";

/** What is written as JSON. */
export interface PeerReport {
  readonly date: string;
  readonly browser: string;
  readonly processor: string;
  /** Cores that the browser was held to; null: all. */
  readonly cores: number | null;
  readonly rounds: number;
  readonly rows: readonly RowResult[];
}

const OURS = "flywheel";

export const titleOf = (library: string): string => PEERS[library]?.title ?? library;

const samplesOf = ({ samplesMs }: LibraryResult): number[] => samplesMs.filter((sample) => sample !== null);

/** Median of the samples; null if there are none. */
export const medianMs = (result: LibraryResult): number | null =>
  result.status === "measured" ? median(samplesOf(result)) : null;

const resultIn = ({ libraries }: RowResult, library: string): LibraryResult | undefined =>
  libraries.find((result) => result.library === library && result.status === "measured");

/** Ours and the best rival in a row. */
export interface Standing {
  readonly best: string;
  /** Its time over ours, median over the rounds that both ran in. */
  readonly factor: number;
}

export function standingOf(row: RowResult): Standing | null {
  const ours = resultIn(row, OURS);
  const rivals = row.libraries.filter(({ library, status }) => PEERS[library]?.isRival && status === "measured");
  if (!ours || rivals.length === 0) return null;
  const standings = rivals.map((rival) => ({
    best: rival.library,
    factor: pairedRatio(rival.samplesMs, ours.samplesMs),
  }));
  return standings.reduce((a, b) => (b.factor < a.factor ? b : a));
}

/** Whether other processes stayed out of the way; null if nobody looked. */
export const isQuiet = ({ othersCores }: RowResult): boolean | null =>
  othersCores === null ? null : othersCores <= OTHERS_CORES;

/** A rival's time over what it took before, both relative to the multiply-add peak of their runs. */
export interface Fairness {
  readonly library: string;
  readonly ratio: number;
}

/** Of all rivals in a row that were measured before; empty without a peak. */
export function fairnessOf(row: RowResult): Fairness[] {
  if (row.peakGflops.length === 0) return [];
  const peak = median(row.peakGflops);
  return Object.entries(EARLIER[row.name] ?? {}).flatMap(([library, earlierMs]) => {
    const result = resultIn(row, library);
    return result ? [{ library, ratio: (medianMs(result)! * peak) / (earlierMs * EARLIER_PEAK) }] : [];
  });
}

// ---- promises ----

/** One thing that was promised of a row. */
export interface Verdict {
  readonly row: string;
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
  readonly holds: boolean;
}

export const verdictsOf = ({ rows }: PeerReport): Verdict[] =>
  rows.flatMap((row) => {
    const goal = GOALS[row.name];
    return goal && resultIn(row, OURS) ? rowVerdicts(row, goal) : [];
  });

function rowVerdicts(row: RowResult, goal: Goal): Verdict[] {
  const ours = resultIn(row, OURS)!;
  const verdict = (what: string, wanted: string, got: string, holds: boolean): Verdict => ({
    ...{ row: row.title, what, wanted, got, holds },
  });
  const verdicts: Verdict[] = [];
  const standing = standingOf(row);
  if (standing) {
    const { factor, best } = standing;
    const got = `${factor.toFixed(2)}x ${titleOf(best)}`;
    verdicts.push(verdict("faster than the best rival", `${goal.factor}x`, got, factor >= goal.factor * (1 - TIE)));
  }
  const { counts } = ours;
  if (goal.dispatches !== undefined && counts) {
    const { dispatches } = counts;
    verdicts.push(
      verdict("dispatches", `<= ${goal.dispatches}`, shownCount(dispatches), dispatches <= goal.dispatches),
    );
    for (const [name, most] of Object.entries(SETTLED)) {
      const got = counts[name as keyof typeof SETTLED];
      verdicts.push(verdict(COUNT_WORDS[name as keyof typeof SETTLED], `<= ${most}`, shownCount(got), got <= most));
    }
  }
  if (goal.jsMs !== undefined && ours.jsMs !== null) {
    verdicts.push(verdict("JavaScript", `< ${goal.jsMs} ms`, `${digits(ours.jsMs)} ms`, ours.jsMs < goal.jsMs));
  }
  const jax = resultIn(row, "jax-webgpu-jit");
  if (goal.ofJaxFirst !== undefined && jax) {
    const share = ours.firstMs! / jax.firstMs!;
    const wanted = `< ${goal.ofJaxFirst.toFixed(2)} of jax-js's`;
    verdicts.push(verdict("first call", wanted, share.toFixed(2), share < goal.ofJaxFirst));
  }
  const others = row.libraries.filter(
    ({ library, counts: theirs }) => library !== OURS && (theirs?.peakBytes ?? 0) > 0,
  );
  if (goal.isSmallest && counts && others.length > 0) {
    const least = Math.min(...others.map(({ counts: theirs }) => theirs!.peakBytes));
    const wanted = `< ${megabytes(least)}`;
    verdicts.push(verdict("peak bytes on the GPU", wanted, megabytes(counts.peakBytes), counts.peakBytes < least));
  }
  return verdicts;
}

const COUNT_WORDS: Readonly<Record<keyof typeof SETTLED, string>> = {
  submits: "submits",
  buffersCreated: "buffers created",
  bindGroupsCreated: "bind groups created",
  pipelinesCreated: "pipelines created",
};

// ---- numbers as text ----

/** Three digits, so that noise does not look like knowledge. */
export const digits = (value: number): string => (value >= 999.5 ? String(Math.round(value)) : value.toPrecision(3));
export const shownCount = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(1));
const megabytes = (byteLength: number): string => `${digits(byteLength / 1e6)} MB`;
