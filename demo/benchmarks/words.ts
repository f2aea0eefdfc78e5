/** Results in words: for the table, and as Markdown. Pure functions. */

import { digits, percent } from "../../bench/report";
import { type BenchmarkId, benchmarkOf, rateOf } from "./catalogue";
import { type BenchResult, doubtsOf, type ResultRow } from "./result";

/** `31.2 GFLOP/s`. */
export const rateText = (id: BenchmarkId, timeMs: number): string =>
  `${digits(rateOf(id, timeMs))} ${benchmarkOf(id).unit}`;

/** `8.60 ms, quartiles 8.41 to 8.92`. */
export const timeText = ({ q1, median, q3 }: ResultRow): string =>
  `${digits(median)} ms, quartiles ${digits(q1)} to ${digits(q3)}`;

/** `27 % of multiply-adds`; empty where it is not known. */
export function shareText({ id, share }: ResultRow): string {
  if (share === null) return "";
  return `${percent(share)} of ${benchmarkOf(id).unit === "GB/s" ? "memory speed" : "multiply-adds"}`;
}

/** What it gains over what it is compared with; empty where that is nothing. */
export const gainText = ({ gain }: ResultRow): string =>
  gain === null ? "" : `${digits(gain)} times as fast as two dispatches`;

/** `1 dispatch`, `1 submit`, `0 buffers`. */
export const countTexts = ({ dispatches, submits, buffers }: ResultRow): string[] => [
  counted(dispatches, "dispatch", "dispatches"),
  counted(submits, "submit"),
  counted(buffers, "buffer"),
];

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${Number.isInteger(count) ? count : count.toFixed(1)} ${count === 1 ? one : many}`;

/** `2.31×`. */
export const ratioText = (ratio: number): string => `${digits(ratio)}×`;

/** `1 min 20 s`. */
export function durationText(timeMs: number): string {
  const seconds = Math.max(1, Math.round(timeMs / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `2026-01-31 09:05 UTC`. */
export const dateText = (date: string): string => `${date.slice(0, 10)} ${date.slice(11, 16)} UTC`;

/** What was measured on, name and value. */
export const factsOf = (result: BenchResult): readonly (readonly [name: string, value: string])[] => [
  ["Adapter", result.adapter],
  ["Kind", result.isSoftware ? "software, on the processor" : "hardware"],
  ["Browser", result.browser],
  ["Processor", counted(result.cores, "core")],
  ["flywheel", result.version],
  ["Limit: multiply-adds", `${digits(result.peak)} GFLOP/s`],
  ["Limit: memory", `${digits(result.memory)} GB/s`],
  ["Medians of", counted(result.rounds, "round")],
  ["Date", dateText(result.date)],
];

/** A result to paste elsewhere. */
export function markdownOf(result: BenchResult, link: string): string {
  const { adapter, browser, cores, version, rounds, date, peak, memory, rows } = result;
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(" | ")} |`;
  return [
    `**flywheel ${escaped(version)} on ${escaped(adapter)}**`,
    "",
    line(["benchmark", "speed", "ms (quartiles)", "of the limit", "one run asks for"]),
    "| --- | ---: | ---: | ---: | --- |",
    ...rows.map((row) =>
      line([
        benchmarkOf(row.id).title,
        rateText(row.id, row.median),
        `${digits(row.median)} (${digits(row.q1)} to ${digits(row.q3)})`,
        shareText(row),
        [...countTexts(row), gainText(row)].filter(Boolean).join(", "),
      ]),
    ),
    "",
    `${escaped(browser)}, ${counted(cores, "core")}, ${dateText(date)}; medians of ${counted(rounds, "interleaved round")}, by the clock. ` +
      `Limits measured beside: multiply-adds ${digits(peak)} GFLOP/s, memory ${digits(memory)} GB/s.`,
    ...doubtsOf(result).map((doubt) => `\nNote: ${doubt}`),
    "",
    `[The result, to compare with yours](${link})`,
    "",
  ].join("\n");
}

/** Texts of a browser or a driver, without what Markdown takes for its own. */
const escaped = (text: string): string => text.replace(/[\\`*_[\]<>|]/g, "\\$&");
