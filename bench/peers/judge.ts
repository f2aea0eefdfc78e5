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
  const parts = [
    factorVerdict(row, goal),
    ...countVerdicts(ours, goal),
    scriptVerdict(ours, goal),
    firstVerdict(ours, row, goal),
    memoryVerdict(ours, row, goal),
  ];
  return parts.flatMap((part) => (part ? [{ row: row.title, ...part }] : []));
}

type Part = Omit<Verdict, "row">;

function factorVerdict(row: RowResult, { factor: wanted }: Goal): Part | null {
  const standing = standingOf(row);
  if (!standing || wanted === undefined) return null;
  const { factor, best } = standing;
  return {
    ...{ what: "faster than the best rival", wanted: `${wanted}x`, got: `${factor.toFixed(2)}x ${titleOf(best)}` },
    holds: factor >= wanted * (1 - TIE),
  };
}

function countVerdicts({ counts }: LibraryResult, { dispatches, isSettled }: Goal): Part[] {
  const wanted = { ...(dispatches !== undefined && { dispatches }), ...(isSettled && SETTLED) };
  return Object.entries(wanted).flatMap(([name, most]) => {
    const got = counts?.[name as keyof typeof COUNT_WORDS];
    if (got === undefined) return [];
    const what = COUNT_WORDS[name as keyof typeof COUNT_WORDS];
    return [{ what, wanted: `<= ${most}`, got: shownCount(got), holds: got <= most }];
  });
}

function scriptVerdict({ jsMs }: LibraryResult, { jsMs: wanted }: Goal): Part | null {
  if (wanted === undefined || jsMs === null) return null;
  return { what: "JavaScript", wanted: `< ${wanted} ms`, got: `${digits(jsMs)} ms`, holds: jsMs < wanted };
}

function firstVerdict({ firstMs }: LibraryResult, row: RowResult, { ofJaxFirst }: Goal): Part | null {
  const jaxMs = resultIn(row, "jax-webgpu-jit")?.firstMs;
  if (ofJaxFirst === undefined || !jaxMs || firstMs === null) return null;
  const share = firstMs / jaxMs;
  const wanted = `< ${ofJaxFirst.toFixed(2)} of jax-js's`;
  return { what: "first call", wanted, got: share.toFixed(2), holds: share < ofJaxFirst };
}

/** Peak bytes, against the peer with the fewest; those that are not on the GPU have none. */
function memoryVerdict({ counts }: LibraryResult, { libraries }: RowResult, { isSmallest }: Goal): Part | null {
  const others = libraries.flatMap((peer) => (peer.library === OURS ? [] : (peer.counts?.peakBytes ?? [])));
  const onGpu = others.filter((byteLength) => byteLength > 0);
  if (!isSmallest || !counts || onGpu.length === 0) return null;
  const least = Math.min(...onGpu);
  const [wanted, got] = [`< ${megabytes(least)}`, megabytes(counts.peakBytes)];
  return { what: "peak bytes on the GPU", wanted, got, holds: counts.peakBytes < least };
}

const COUNT_WORDS = {
  dispatches: "dispatches",
  submits: "submits",
  buffersCreated: "buffers created",
  bindGroupsCreated: "bind groups created",
  pipelinesCreated: "pipelines created",
} as const;

// ---- numbers as text ----

/** Three digits, so that noise does not look like knowledge. */
export const digits = (value: number): string => (value >= 999.5 ? String(Math.round(value)) : value.toPrecision(3));
export const shownCount = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(1));
const megabytes = (byteLength: number): string => `${digits(byteLength / 1e6)} MB`;
