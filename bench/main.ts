/**
 * The page that runs the bench: opens a device, lets the guards prove themselves, gathers the rows of the wanted families,
 * measures them and tells scripts/bench.mjs. In a browser of one's own it writes to the page instead.
 */

import { type Device, init } from "flywheel";
import { printProfile, profile, synchronize } from "flywheel/dev";
import { checkGuards } from "./guards";
import { type Measured, measure, type Row } from "./harness";
import { limitRows, PEAK, STREAM } from "./limits";
import { makeReport, printReport, type Report } from "./report";

/** What the page tells. */
export type BenchEvent =
  | { readonly type: "progress"; readonly text: string }
  | { readonly type: "done"; readonly report: Report; readonly table: string; readonly profiles: readonly string[] }
  | { readonly type: "error"; readonly message: string };

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

function tell(event: BenchEvent): void {
  globalThis.benchEvent?.(event);
  if (globalThis.benchEvent) return;
  const text = event.type === "done" ? event.table : event.type === "error" ? event.message : event.text;
  document.body.append(Object.assign(document.createElement("pre"), { textContent: text }));
}

const progress = (text: string): void => {
  tell({ type: "progress", text });
};

async function run(options: URLSearchParams): Promise<void> {
  const only = options.getAll("only");
  const rounds = Number(options.get("rounds") ?? 7);
  const device = await init({ device: "webgpu" });
  const { vendor, architecture, device: name, description } = device.adapterInfo();
  const adapter = [vendor, architecture, name, description].filter(Boolean).join(" / ") || "unknown";
  progress(`adapter: ${adapter}`);
  const guards = await checkGuards(device);

  const rows = await limitRows(device);
  for (const [path, load] of Object.entries(FAMILIES)) {
    const family = path.replace(/^\.\/|\.bench\.ts$/g, "");
    if (only.length > 0 && !only.includes(family)) continue;
    progress(`preparing ${family}`);
    rows.push(...(await (await load()).rows(device)));
  }
  const measured: Measured = {
    counters: () => device.counters(),
    synchronize: () => synchronize(device),
    now: () => performance.now(),
  };
  const measurements = await measure(rows, measured, { rounds, onProgress: progress });
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
  const profiles = options.has("profile") ? await profilesOf(rows, device) : [];
  tell({ type: "done", report, table: printReport(report), profiles });
}

/** Where the time of each row goes, kernel by kernel. */
async function profilesOf(rows: readonly Row[], device: Device): Promise<string[]> {
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

run(new URLSearchParams(location.search)).catch((error: unknown) => {
  tell({ type: "error", message: error instanceof Error ? error.message : String(error) });
});
