/** The result of a run: what was measured, on what, and what makes it doubtful. Pure functions. */

import type { Limit, Report, ReportRow } from "../../bench/report";
import { BENCHMARK_IDS, type BenchmarkId, benchmarkOf, rateOf } from "./catalogue";

/** Quartiles further apart than this share of the median make a figure doubtful. */
const WIDE = 0.15;

/** Rounds from which quartiles say something. */
const FEW = 3;

/** What a result was measured on. */
export interface Machine {
  readonly adapter: string;
  /** Whether the adapter runs on the processor. */
  readonly isSoftware: boolean;
  /** `Chrome 141 on Linux`. */
  readonly browser: string;
  /** Of the processor. */
  readonly cores: number;
}

/** One benchmark; times are milliseconds of one run. */
export interface ResultRow {
  readonly id: BenchmarkId;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  /** Of the machine's own limit: of memory where the unit is GB/s, else of multiply-adds. */
  readonly share: number | null;
  /** Time of what it is compared with over its own; null where there is nothing. */
  readonly gain: number | null;
  /** What one run asks of the device. */
  readonly dispatches: number;
  readonly submits: number;
  readonly buffers: number;
}

/** What the worker measures. */
export interface Measures {
  /** That all of the rows have been through. */
  readonly rounds: number;
  /** Multiply-adds in registers, GFLOP/s. */
  readonly peak: number;
  /** Through memory, GB/s. */
  readonly memory: number;
  readonly rows: readonly ResultRow[];
}

export interface BenchResult extends Machine, Measures {
  /** Of flywheel. */
  readonly version: string;
  /** ISO 8601, to the minute. */
  readonly date: string;
  /** Whether the page was in the background meanwhile. */
  readonly wasHidden: boolean;
}

/** The way of the rows that are benchmarks; those of other ways are what they are compared with. */
export const MAIN_WAY = "default";

/** The row that is a benchmark, and what it is compared with; the latter alone says nothing. */
export function mainRows(rows: readonly ReportRow[], id: BenchmarkId): readonly [ReportRow, ReportRow?] | null {
  const [row, other] = rows.filter(({ work }) => work === benchmarkOf(id).title);
  return row?.way === MAIN_WAY ? [row, other] : null;
}

/** The measures in a report of the bench, whose works are titles. */
export function measuresOf({ limits, rows }: Pick<Report, "limits" | "rows">): Measures {
  const rate = ({ rate }: Limit): number => rate;
  const found = BENCHMARK_IDS.flatMap((id) => {
    const pair = mainRows(rows, id);
    return pair ? [resultRow(id, ...pair)] : [];
  });
  const rounds = Math.min(...rows.map(({ samplesMs }) => samplesMs.length));
  return { rounds, peak: rate(limits.multiplyAdd), memory: rate(limits.streaming), rows: found };
}

function resultRow(id: BenchmarkId, { timeMs, ofPeak, ofStreaming, counts }: ReportRow, other?: ReportRow): ResultRow {
  const { q1, median, q3 } = timeMs;
  return {
    ...{ id, q1, median, q3 },
    share: benchmarkOf(id).unit === "GB/s" ? ofStreaming : ofPeak,
    gain: other?.ratio ?? null,
    dispatches: counts["dispatches"] ?? 0,
    submits: counts["submits"] ?? 0,
    buffers: counts["buffersCreated"] ?? 0,
  };
}

/** How many times as fast a benchmark is in one result as in another; null where one of them lacks it. */
export function speedRatio(of: BenchResult, over: BenchResult, id: BenchmarkId): number | null {
  const [row, other] = [of, over].map(({ rows }) => rows.find((each) => each.id === id));
  return row && other ? other.median / row.median : null;
}

/** Distance of the quartiles, as a share of the median. */
export const spreadOf = ({ q1, median, q3 }: ResultRow): number => (q3 - q1) / median;

export const isWide = (row: ResultRow): boolean => spreadOf(row) > WIDE;

/** What makes a result doubtful, a sentence each. */
export function doubtsOf(result: BenchResult): string[] {
  const { isSoftware, wasHidden, rounds, rows } = result;
  const wide = rows.filter(isWide).map(({ id }) => benchmarkOf(id).title);
  return [
    ...(isSoftware ? ["The adapter is a software one: this is the speed of the processor, not of a GPU."] : []),
    ...(wasHidden ? ["The page was in the background for a part of the run, where browsers may slow it down."] : []),
    ...(rounds < FEW ? ["There were fewer than three rounds, too few to tell how far the figures spread."] : []),
    ...(wide.length > 0
      ? [`Quartiles lie more than 15 % of the median apart, so other work may have disturbed: ${wide.join("; ")}.`]
      : []),
  ];
}

/** A result for programs: everything by name, rates too, and each sample. */
export function resultJson(result: BenchResult, samplesMs: SamplesMs): string {
  const rows = result.rows.map(({ id, ...row }) => {
    const { title, unit } = benchmarkOf(id);
    return { id, title, unit, rate: rateOf(id, row.median), ...row, samplesMs: samplesMs[id] };
  });
  const { peak, memory, ...rest } = result;
  const all = { ...rest, timing: "wall clock", peakGflops: peak, memoryGbPerSecond: memory, rows };
  return `${JSON.stringify(all, null, 2)}\n`;
}

/** Milliseconds of one run by round, by benchmark; null where it sat out. */
export type SamplesMs = Readonly<Partial<Record<BenchmarkId, readonly (number | null)[]>>>;
