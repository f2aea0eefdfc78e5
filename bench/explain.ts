/**
 * `npm run explain`: the schedule of a case, the WGSL of its kernels, and what each kernel costs: work, traffic and, if asked for,
 * time, beside what the adapter can do at most. Runs in Node; gives text.
 */

import { type Device, init, manualSeed } from "flywheel";
import { type PlannedLaunch, printLaunches, profile, programsIn, synchronize } from "flywheel/dev";
import { CASES } from "./explainCases";
import { limitRows } from "./limits";
import { median } from "./statistics";

export { CASES } from "./explainCases";

export interface ExplainOptions {
  /** Whether the shaders are shown. */
  readonly wgsl: boolean;
  /** Whether launches are measured. */
  readonly time: boolean;
}

/** Runs until plans are made, updates pending and data where it stays. */
const WARM_UPS = 4;
const TIMED_RUNS = 9;
const LIMIT_RUNS = 5;

/** All there is to say of a case, on a device of its own. */
export async function explainCase(name: string, { wgsl, time }: ExplainOptions): Promise<string> {
  const device = await init({ device: "webgpu" });
  try {
    manualSeed(0);
    const { what, make } = CASES[name]!;
    const run = make();
    for (let i = 0; i < WARM_UPS; i++) await run();
    const programs = await programsIn(run);
    const launches = programs.flat();
    const measured = time ? await measure(device, run, launches.length) : null;
    const parts = [
      `${name}: ${what}\nadapter: ${adapterOf(device)}`,
      ...programs.map((each, index) => `${titleOf(index, programs.length, each.length)}\n${printLaunches(each)}`),
      ...(wgsl ? shadersOf(launches) : []),
      printCosts(launches, measured),
    ];
    return parts.join("\n\n");
  } finally {
    device.destroy();
  }
}

function adapterOf(device: Device): string {
  const { vendor, architecture, device: chip, description } = device.adapterInfo();
  return [vendor, architecture, chip, description].filter(Boolean).join(" / ") || "unknown";
}

const titleOf = (index: number, programs: number, launches: number): string =>
  `schedule${programs > 1 ? ` of program ${index + 1} of ${programs}` : ""}: ${launches} ${launches === 1 ? "launch" : "launches"}`;

const shadersOf = (launches: readonly PlannedLaunch[]): string[] => [
  ...new Set(launches.map(({ label, wgsl }) => `// ${label}.wgsl, specialised\n${wgsl.trim()}`)),
];

// ---- time ----

interface Measured {
  /** Of each launch, ms, median of several runs. */
  readonly timesMs: readonly number[];
  /** What the adapter can do at most. */
  readonly gflops: number;
  readonly gbPerSecond: number;
}

async function measure(device: Device, run: () => Promise<unknown>, count: number): Promise<Measured> {
  const runs: number[][] = [];
  for (let i = 0; i < TIMED_RUNS; i++) {
    const { launches } = await profile(run, { device });
    // every run must be the one that was shown
    if (launches.length !== count) throw new Error(`each run must have ${count} launches, got ${launches.length}.`);
    runs.push(launches.map(({ timeMs }) => timeMs));
  }
  const timesMs = runs[0]!.map((_, launch) => median(runs.map((times) => times[launch]!)));
  return { timesMs, ...(await limitsOf(device)) };
}

/** The best of several runs: what other work on the machine takes is no limit. */
async function limitsOf(device: Device): Promise<Pick<Measured, "gflops" | "gbPerSecond">> {
  const limits = { gflops: 0, gbPerSecond: 0 };
  for (const row of await limitRows(device)) {
    await row.queue(1);
    await synchronize(device);
    for (let i = 0; i < LIMIT_RUNS; i++) {
      const { timeMs } = await profile(() => row.queue(1), { device });
      limits.gflops = Math.max(limits.gflops, row.flops / timeMs / 1e6);
      limits.gbPerSecond = Math.max(limits.gbPerSecond, row.bytes / timeMs / 1e6);
    }
  }
  return limits;
}

// ---- the table of costs ----

interface Cost {
  readonly kernel: string;
  readonly count: number;
  readonly flops: number;
  readonly bytes: number;
  readonly timeMs: number;
  /** The least time that the adapter's limits allow, launch by launch. */
  readonly leastMs: number;
}

/** Launches added up by kernel, the most expensive first. */
export function costsByKernel(launches: readonly PlannedLaunch[], measured: Measured | null): Cost[] {
  const costs = new Map<string, Cost>();
  launches.forEach(({ label: kernel, flops, bytes }, index) => {
    const cost: Cost = {
      ...{ kernel, flops, bytes, count: 1 },
      timeMs: measured?.timesMs[index] ?? 0,
      leastMs: measured ? Math.max(flops / measured.gflops, bytes / measured.gbPerSecond) / 1e6 : 0,
    };
    const known = costs.get(kernel);
    costs.set(kernel, known ? sum(kernel, [known, cost]) : cost);
  });
  return [...costs.values()].sort((a, b) => b.timeMs - a.timeMs || b.flops - a.flops || b.bytes - a.bytes);
}

const sum = (kernel: string, costs: readonly Cost[]): Cost =>
  costs.reduce(
    (total, cost) => ({
      kernel,
      count: total.count + cost.count,
      flops: total.flops + cost.flops,
      bytes: total.bytes + cost.bytes,
      timeMs: total.timeMs + cost.timeMs,
      leastMs: total.leastMs + cost.leastMs,
    }),
    { kernel, count: 0, flops: 0, bytes: 0, timeMs: 0, leastMs: 0 },
  );

type Column = readonly [name: string, show: (cost: Cost, all: Cost) => string];

const percent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "");
const rate = (amount: number, timeMs: number): string =>
  amount > 0 && timeMs > 0 ? (amount / timeMs / 1e6).toPrecision(3) : "";

const COLUMNS: readonly Column[] = [
  ["kernel", ({ kernel }) => kernel],
  ["launches", ({ count }) => String(count)],
  ["MFLOP", ({ flops }) => (flops / 1e6).toFixed(2)],
  ["MB", ({ bytes }) => (bytes / 1e6).toFixed(2)],
];
const TIME_COLUMNS: readonly Column[] = [
  ["ms", ({ timeMs }) => timeMs.toFixed(3)],
  ["share", ({ timeMs }, all) => percent(timeMs / all.timeMs)],
  ["GFLOP/s", ({ flops, timeMs }) => rate(flops, timeMs)],
  ["GB/s", ({ bytes, timeMs }) => rate(bytes, timeMs)],
  ["of limit", ({ leastMs, timeMs }) => percent(leastMs / timeMs)],
];

function printCosts(launches: readonly PlannedLaunch[], measured: Measured | null): string {
  const costs = costsByKernel(launches, measured);
  const all = sum("all", costs);
  const columns = measured ? [...COLUMNS, ...TIME_COLUMNS] : COLUMNS;
  const table = [
    columns.map(([name]) => name),
    ...[...costs, all].map((cost) => columns.map(([, show]) => show(cost, all))),
  ];
  const widths = columns.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  const lines = table.map((row) => row.map(pad).join("  ").trimEnd());
  return ["cost by kernel", ...lines, ...(measured ? ["", limitsText(measured)] : [])].join("\n");
}

const limitsText = ({ gflops, gbPerSecond }: Measured): string =>
  `limits of this adapter: ${gflops.toPrecision(3)} GFLOP/s multiply-add in registers, ${gbPerSecond.toPrecision(3)} GB/s copy; ` +
  "of limit: the least time\nthat they allow over the time taken, above 100 % where a cache helps. " +
  `Times: medians of ${TIMED_RUNS} runs, each launch in a pass of its own.`;
