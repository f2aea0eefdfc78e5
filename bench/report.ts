/** Measurements as people and programs read them: a table, and JSON. Pure functions. */

import type { Counters, Measurement } from "./harness";
import { drift, pairedRatio, type Summary, summarize } from "./statistics";

/** One row of a report. */
export interface ReportRow {
  readonly work: string;
  readonly way: string;
  /** Of one run, ms. */
  readonly timeMs: Summary;
  /** By round; null where the row sat out. */
  readonly samplesMs: readonly (number | null)[];
  /** Runs in a sample. */
  readonly times: number;
  readonly firstMs: number;
  readonly hostMs: number;
  /** Time of this way over that of the work's first way, median over rounds. */
  readonly ratio: number;
  readonly gflops: number | null;
  readonly gbPerSecond: number | null;
  /** Shares of the limits, medians over the rounds of both. */
  readonly ofPeak: number | null;
  readonly ofStreaming: number | null;
  /** Of one run. */
  readonly counts: Counters;
}

/** A limit of the adapter. */
export interface Limit {
  /** Median over rounds, GFLOP/s or GB/s. */
  readonly rate: number;
  readonly best: number;
  /** (max - min) / median over rounds: how far other work on the machine disturbed. */
  readonly drift: number;
}

export interface Report {
  readonly adapter: string;
  readonly userAgent: string;
  /** Of the processor. */
  readonly cores: number;
  readonly date: string;
  readonly rounds: number;
  readonly limits: { readonly multiplyAdd: Limit; readonly streaming: Limit };
  /** Broken kernels that the checks rejected. */
  readonly guards: readonly string[];
  readonly rows: readonly ReportRow[];
}

/** What `makeReport` is told beside the measurements. */
export interface Circumstances extends Pick<Report, "adapter" | "userAgent" | "cores" | "date" | "rounds" | "guards"> {
  /** Works that are limits. */
  readonly peak: string;
  readonly streaming: string;
}

export function makeReport(
  measurements: readonly Measurement[],
  { peak, streaming, ...circumstances }: Circumstances,
): Report {
  const limit = (work: string, amount: "flops" | "bytes"): MeasuredLimit => {
    const found = measurements.filter(({ row }) => row.work === work).map((one) => limitOf(one, amount));
    return found.reduce((best, other) => (other.limit.rate > best.limit.rate ? other : best));
  };
  const limits = { multiplyAdd: limit(peak, "flops"), streaming: limit(streaming, "bytes") };
  const rows = measurements.map((measurement) => {
    const base = measurements.find(({ row }) => row.work === measurement.row.work)!;
    return reportRow(measurement, base, limits);
  });
  const { multiplyAdd, streaming: copy } = limits;
  return { ...circumstances, limits: { multiplyAdd: multiplyAdd.limit, streaming: copy.limit }, rows };
}

/** A limit and where it comes from. */
interface MeasuredLimit {
  readonly limit: Limit;
  readonly measurement: Measurement;
  readonly amount: "flops" | "bytes";
}

const samplesOf = ({ samples }: Measurement): number[] => samples.filter((sample) => sample !== null);

function limitOf(measurement: Measurement, amount: "flops" | "bytes"): MeasuredLimit {
  const rates = samplesOf(measurement).map((timeMs) => measurement.row[amount] / timeMs / 1e6);
  const { median, max } = summarize(rates);
  return { limit: { rate: median, best: max, drift: drift(rates) }, measurement, amount };
}

/** A row's rate as a share of a limit's, round by round; null where the row tells no amount. */
function shareOf(measurement: Measurement, { measurement: limit, amount }: MeasuredLimit): number | null {
  const work = measurement.row[amount] / limit.row[amount];
  return work > 0 ? work * pairedRatio(limit.samples, measurement.samples) : null;
}

function reportRow(
  measurement: Measurement,
  base: Measurement,
  limits: { readonly multiplyAdd: MeasuredLimit; readonly streaming: MeasuredLimit },
): ReportRow {
  const { row, samples, times, firstMs, hostMs, counts } = measurement;
  const timeMs = summarize(samplesOf(measurement));
  const rate = (amount: number): number | null => (amount > 0 ? amount / timeMs.median / 1e6 : null);
  return {
    ...{ work: row.work, way: row.way, timeMs, samplesMs: samples, times, firstMs, hostMs },
    ratio: pairedRatio(samples, base.samples),
    gflops: rate(row.flops),
    gbPerSecond: rate(row.bytes),
    ofPeak: shareOf(measurement, limits.multiplyAdd),
    ofStreaming: shareOf(measurement, limits.streaming),
    counts,
  };
}

// ---- the table ----

interface Column {
  readonly name: string;
  readonly isText?: boolean;
  readonly show: (row: ReportRow) => string;
}

/** Three digits, so that noise does not look like knowledge. */
export const digits = (value: number | null): string => {
  if (value === null || !Number.isFinite(value)) return "";
  return value >= 999.5 ? String(Math.round(value)) : value.toPrecision(3);
};
export const percent = (share: number | null): string =>
  share === null ? "" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const count = (value = 0): string => (Number.isInteger(value) ? String(value) : value.toFixed(1));
const bytes = (value = 0): string => (value < 10_000 ? count(value) : `${digits(value / 1e6)} M`);

const COLUMNS: readonly Column[] = [
  { name: "work", isText: true, show: ({ work }) => work },
  { name: "way", isText: true, show: ({ way }) => way },
  { name: "ms", show: ({ timeMs }) => digits(timeMs.median) },
  { name: "min", show: ({ timeMs }) => digits(timeMs.min) },
  { name: "quartiles", show: ({ timeMs }) => `${digits(timeMs.q1)}-${digits(timeMs.q3)}` },
  { name: "ratio", show: ({ ratio }) => ratio.toFixed(2) },
  { name: "GFLOP/s", show: ({ gflops }) => digits(gflops) },
  { name: "of peak", show: ({ ofPeak }) => percent(ofPeak) },
  { name: "GB/s", show: ({ gbPerSecond }) => digits(gbPerSecond) },
  { name: "of SGD", show: ({ ofStreaming }) => percent(ofStreaming) },
  { name: "disp", show: ({ counts }) => count(counts["dispatches"]) },
  { name: "subm", show: ({ counts }) => count(counts["submits"]) },
  { name: "bufs", show: ({ counts }) => count(counts["buffersCreated"]) },
  { name: "binds", show: ({ counts }) => count(counts["bindGroupsCreated"]) },
  { name: "B up", show: ({ counts }) => bytes(counts["bytesUploaded"]) },
  { name: "B read", show: ({ counts }) => bytes(counts["bytesRead"]) },
  { name: "js ms", show: ({ hostMs }) => digits(hostMs) },
  { name: "first ms", show: ({ firstMs }) => digits(firstMs) },
];

/** A report as lines of text and a table. */
export interface ReportTable {
  readonly head: readonly string[];
  readonly columns: readonly { readonly name: string; readonly isText?: boolean }[];
  readonly cells: readonly (readonly string[])[];
}

/** Everything on one screen: the adapter first, then its limits, then a line a row. */
export function printReport(report: Report): string {
  const { head, columns, cells } = reportTable(report);
  const table = [columns.map(({ name }) => name), ...cells];
  const widths = columns.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  const pad = (text: string, column: number): string =>
    columns[column]!.isText ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
  return [...head, "", ...table.map((line) => line.map(pad).join("  ").trimEnd())].join("\n");
}

/** What `printReport` prints, cell by cell. */
export function reportTable({ adapter, limits, guards, rounds, rows }: Report): ReportTable {
  const showLimit = (name: string, unit: string, { rate, best, drift: moved }: Limit): string =>
    `limit: ${name} ${digits(rate)} ${unit} (best ${digits(best)}, drift between rounds ${percent(moved)})`;
  const head = [
    `adapter: ${adapter}`,
    showLimit("multiply-add", "GFLOP/s", limits.multiplyAdd),
    showLimit("streaming", "GB/s", limits.streaming),
    `guards: ${guards.length} broken kernels rejected (${guards.join(", ")}); every row's output checked`,
    `medians of ${rounds} interleaved rounds; ratio: time over that of the work's first way, below 0.95 or above 1.05 counts`,
  ];
  const seen = new Set<string>();
  const cells = rows.map((row) => {
    const repeated = seen.has(row.work);
    seen.add(row.work);
    return COLUMNS.map(({ name, show }) => (name === "work" && repeated ? "" : show(row)));
  });
  return { head, columns: COLUMNS, cells };
}
