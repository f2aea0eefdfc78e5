/** The comparison as text: tables, for the terminal and for bench/RESULTS.md. Pure functions. */

import { median } from "../statistics";
import { GOALS, OTHERS_CORES, TIE, UNFAIR } from "./goals";
import {
  digits,
  fairnessOf,
  isQuiet,
  medianMs,
  type PeerReport,
  shownCount,
  standingOf,
  titleOf,
  type Verdict,
  verdictsOf,
} from "./judge";

export type Table = readonly (readonly string[])[];

/** Milliseconds of all libraries, row by row, and where we stand; the first line is the head. */
export function timesTable({ rows }: PeerReport): Table {
  const libraries = [...new Set(rows.flatMap((row) => row.libraries.map(({ library }) => library)))];
  const head = ["work", ...libraries.map(titleOf), "best rival", "factor", "goal", ""];
  const lines = rows.map((row) => {
    const cells = libraries.map((library) => {
      const result = row.libraries.find((each) => each.library === library);
      const timeMs = result ? medianMs(result) : null;
      return timeMs === null ? (result?.status ?? "") : digits(timeMs);
    });
    const standing = standingOf(row);
    const goal = GOALS[row.name]?.factor;
    const isReached = standing && goal ? standing.factor >= goal * (1 - TIE) : null;
    return [
      row.title,
      ...cells,
      standing ? titleOf(standing.best) : "",
      standing ? `${standing.factor.toFixed(2)}x` : "",
      goal === undefined ? "" : `${goal}x`,
      [isReached === null ? "" : isReached ? "ok" : "short", isQuiet(row) === false ? "disturbed" : ""]
        .filter(Boolean)
        .join(", "),
    ];
  });
  return [head, ...lines];
}

/** What each library asks of the device in one run. */
export function countsTable({ rows }: PeerReport): Table {
  const head = ["work", "library", "dispatches", "submits", "buffers", "bind groups", "pipelines"];
  const lines = rows.flatMap((row) =>
    row.libraries.flatMap(({ library, counts, jsMs, firstMs }) => {
      if (!counts) return [];
      const isOnGpu = counts.peakBytes > 0;
      const { dispatches, submits, buffersCreated, bindGroupsCreated, pipelinesCreated } = counts;
      const gpu = [dispatches, submits, buffersCreated, bindGroupsCreated, pipelinesCreated].map(shownCount);
      const bytes = [counts.bytesUploaded, counts.bytesRead].map((value) => String(Math.round(value)));
      return [
        [
          ...[row.title, titleOf(library), ...(isOnGpu ? [...gpu, ...bytes] : Array.from({ length: 7 }, () => ""))],
          ...[
            isOnGpu ? digits(counts.peakBytes / 1e6) : "",
            jsMs === null ? "" : digits(jsMs),
            firstMs === null ? "" : digits(firstMs),
          ],
        ],
      ];
    }),
  );
  return [[...head, "bytes up", "bytes read", "peak MB", "JS ms", "first ms"], ...lines];
}

/** Why a library has no time in a row. */
export const reasonsOf = ({ rows }: PeerReport): string[] =>
  rows.flatMap(({ title, libraries }) =>
    libraries
      .filter(({ status }) => status !== "measured")
      .map(({ library, status, reason }) => `${title}, ${titleOf(library)}: ${status} (${reason})`),
  );

/** Who took part. */
export const versionsOf = ({ rows }: PeerReport): string[] => [
  ...new Set(rows.flatMap(({ libraries }) => libraries.map(({ version }) => version)).filter(Boolean)),
];

/** Where, when and how it was measured. */
export function circumstances(report: PeerReport): string[] {
  const peaks = report.rows.flatMap(({ peakGflops }) => peakGflops);
  const others = report.rows.flatMap(({ othersCores }) => othersCores ?? []);
  const disturbed = report.rows.filter((row) => isQuiet(row) === false).length;
  return [
    `${report.date}, ${report.browser}, ${report.processor}, ${report.cores === null ? "all cores" : `held to ${report.cores} ${report.cores === 1 ? "core" : "cores"}`}`,
    `adapter: ${report.rows[0]?.adapter ?? "unknown"}`,
    `libraries: ${versionsOf(report).join(", ")}`,
    ...(peaks.length > 0
      ? [
          `multiply-add peak: median ${digits(median(peaks))} GFLOP/s, ${digits(Math.min(...peaks))} to ${digits(Math.max(...peaks))}`,
        ]
      : []),
    others.length === 0
      ? "other processes: not watched"
      : `other processes: up to ${Math.max(...others).toFixed(2)} cores; ` +
        (disturbed === 0
          ? `below ${OTHERS_CORES} in all rows`
          : `above ${OTHERS_CORES} in ${disturbed} of ${report.rows.length} rows, which do not count`),
    ...fairnessLines(report),
    `medians of at most ${report.rounds} interleaved rounds; every result was checked against float64 before it was timed`,
  ];
}

function fairnessLines({ rows }: PeerReport): string[] {
  const all = rows.flatMap((row) => fairnessOf(row).map((fairness) => ({ title: row.title, ...fairness })));
  if (all.length === 0) return [];
  const ratios = all.map(({ ratio }) => ratio);
  const unfair = all.filter(({ ratio }) => ratio > UNFAIR);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return [
    `rivals against what they took before, relative to the peak: median ${median(ratios).toFixed(2)}, ${range}` +
      (unfair.length === 0
        ? ""
        : `; unfair, more than ${UNFAIR}: ${unfair.map(({ title, library }) => `${titleOf(library)} (${title})`).join(", ")}`),
  ];
}

/** Columns side by side: the first ones as text, numbers to the right. */
export function aligned(table: Table, textColumns = 1): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  return table
    .map((line) =>
      line
        .map((cell, column) => (column < textColumns ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export const verdictTable = (verdicts: readonly Verdict[]): Table => [
  ["work", "promise", "wanted", "got", ""],
  ...verdicts.map(({ row, what, wanted, got, holds }) => [row, what, wanted, got, holds ? "ok" : "short"]),
];

/** For the terminal. */
export function printPeers(report: PeerReport): string {
  const reasons = reasonsOf(report);
  return [
    circumstances(report).join("\n"),
    aligned(timesTable(report)),
    aligned(countsTable(report), 2),
    aligned(verdictTable(verdictsOf(report)), 4),
    ...(reasons.length > 0 ? [reasons.join("\n")] : []),
  ].join("\n\n");
}

/** For bench/RESULTS.md. */
export function markdownOf(report: PeerReport): string {
  const reasons = reasonsOf(report);
  return [
    "# flywheel and its peers",
    "Written by `npm run peers -- --write-results`; the goals and their reasons are in `bench/peers/goals.ts`.",
    circumstances(report)
      .map((line) => `- ${line}`)
      .join("\n"),
    "## Milliseconds of one run",
    markdownTable(timesTable(report)),
    "## What one run asks of the device",
    markdownTable(countsTable(report), 2),
    "## Promises",
    markdownTable(verdictTable(verdictsOf(report)), 4),
    ...(reasons.length > 0 ? ["## Not measured", reasons.map((reason) => `- ${reason}`).join("\n")] : []),
  ]
    .join("\n\n")
    .concat("\n");
}

/** As prettier writes it. */
function markdownTable(table: Table, textColumns = 1): string {
  const cells = table.map((line) => line.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = cells[0]!.map((_, column) => Math.max(3, ...cells.map((line) => line[column]!.length)));
  const isText = (column: number): boolean => column < textColumns;
  const lines = cells.map((line) =>
    line.map((cell, column) => (isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))),
  );
  const rule = widths.map((width, column) => (isText(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [lines[0]!, rule, ...lines.slice(1)].map((line) => `| ${line.join(" | ")} |`).join("\n");
}
