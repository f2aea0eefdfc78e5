/**
 * The page that runs the bench: opens a device, lets the guards prove themselves, gathers the rows of the wanted families,
 * measures them and tells scripts/bench.mjs. In a browser of one's own it shows a form instead.
 */

import { type Device, init } from "flywheel";
import { printProfile, profile, synchronize } from "flywheel/dev";
import { checkGuards } from "./guards";
import { measure, type Row } from "./harness";
import { limitRows, PEAK, STREAM } from "./limits";
import { makeReport, printReport, type Report } from "./report";
import { measuredBy } from "./rows";
import { type Progress, showForm } from "./visitor";

/** What the page tells. */
export type BenchEvent =
  | { readonly type: "progress"; readonly text: string }
  | { readonly type: "done"; readonly report: Report; readonly table: string; readonly profiles: readonly string[] }
  | { readonly type: "error"; readonly message: string };

/** What to measure. */
export interface BenchOptions {
  /** Families; empty: all. */
  readonly only: readonly string[];
  readonly rounds: number;
  /** Whether to look, afterwards, which kernels the time of each row goes to. */
  readonly profile: boolean;
}

declare global {
  /** Given by scripts/bench.mjs. */
  var benchEvent: ((event: BenchEvent) => void) | undefined;
}

interface Family {
  rows(device: Device): Promise<Row[]>;
}

const FAMILIES = import.meta.glob<Family>("./*.bench.ts");

/** Runs in a profile. */
const PROFILED = 3;

const familyName = (path: string): string => path.replace(/^\.\/|\.bench\.ts$/g, "");

async function run(options: BenchOptions, progress: Progress): Promise<{ report: Report; profiles: string[] }> {
  const device = await init({ device: "webgpu" });
  try {
    return await runOn(device, options, progress);
  } finally {
    device.destroy(); // the next run has all memory again
  }
}

async function runOn(
  device: Device,
  { only, rounds, profile: isProfiled }: BenchOptions,
  progress: Progress,
): Promise<{ report: Report; profiles: string[] }> {
  const { vendor, architecture, device: name, description } = device.adapterInfo();
  const adapter = [vendor, architecture, name, description].filter(Boolean).join(" / ") || "unknown";
  progress(`adapter: ${adapter}`);
  const guards = await checkGuards(device);

  const rows = await limitRows(device);
  for (const [path, load] of Object.entries(FAMILIES)) {
    const family = familyName(path);
    if (only.length > 0 && !only.includes(family)) continue;
    progress(`preparing ${family}`);
    rows.push(...(await (await load()).rows(device)));
  }
  const measurements = await measure(rows, measuredBy(device), { rounds, onProgress: progress });
  const report = makeReport(measurements, {
    adapter,
    userAgent: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    rounds,
    guards,
    date: new Date().toISOString(),
    peak: PEAK,
    streaming: STREAM,
  });
  const profiles = isProfiled ? await profilesOf(rows, device, progress) : [];
  return { report, profiles };
}

/** Where the time of each row goes, kernel by kernel. */
async function profilesOf(rows: readonly Row[], device: Device, progress: Progress): Promise<string[]> {
  const tables: string[] = [];
  for (const row of rows) {
    progress(`profiling ${row.work}, ${row.way}`);
    await row.queue(1);
    await synchronize(device);
    const result = await profile(() => row.queue(PROFILED), { device });
    if (result.launches.every(({ wgsl }) => wgsl === "")) continue; // launches by themselves: the row says it all
    tables.push(`${row.work}, ${row.way}: ${PROFILED} runs\n${printProfile(result, { byKernel: true })}`);
  }
  return tables;
}

/** For scripts/bench.mjs, which says in the address what to measure. */
function runFor(tell: (event: BenchEvent) => void): void {
  const asked = new URLSearchParams(location.search);
  const options = {
    only: asked.getAll("only"),
    rounds: Number(asked.get("rounds") ?? 7),
    profile: asked.has("profile"),
  };
  run(options, (text) => {
    tell({ type: "progress", text });
  })
    .then(({ report, profiles }) => {
      tell({ type: "done", report, table: printReport(report), profiles });
    })
    .catch((error: unknown) => {
      tell({ type: "error", message: error instanceof Error ? error.message : String(error) });
    });
}

if (globalThis.benchEvent) runFor(globalThis.benchEvent);
else
  showForm(Object.keys(FAMILIES).map(familyName).sort(), async (options, progress) => {
    const { report } = await run(options, progress);
    return report;
  });
