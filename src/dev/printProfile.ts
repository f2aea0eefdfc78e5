/** Measured launches as a table. */

import type { Profile, ProfiledLaunch } from "./measure";

const HEADER = ["#", "kernel", "output", "ms", "%", "GFLOP/s", "GB/s", "fused"] as const;

/** A profile as a table: one aligned line a launch, or, with `byKernel`, one a kernel, the slowest first. */
export function printProfile(
  { launches, timeMs: total }: Profile,
  { byKernel = false }: { readonly byKernel?: boolean } = {},
): string {
  const lines = byKernel ? sumsByKernel(launches) : launches.map((launch) => ({ ...launch, count: 1 }));
  const rate = (amount: number, timeMs: number): string => (timeMs > 0 ? (amount / timeMs / 1e6).toPrecision(3) : "-");
  const rows = lines.map(({ kernel, timeMs, output, fused, flops, bytes, count }, index) => [
    String(byKernel ? count : index),
    kernel,
    byKernel ? "" : `[${output.join()}]`,
    timeMs.toFixed(3),
    ((100 * timeMs) / (total || 1)).toFixed(1),
    rate(flops, timeMs),
    rate(bytes, timeMs),
    byKernel ? "" : fused.slice(0, 8).join("+"),
  ]);
  const table = [[...HEADER], ...rows, ["", "all", "", total.toFixed(3), "", "", "", ""]];
  const widths = HEADER.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const isText = (column: number): boolean => ["kernel", "output", "fused"].includes(HEADER[column]!);
  const show = (row: readonly string[]): string =>
    row.map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return table.map((row) => show(row).trimEnd()).join("\n");
}

function sumsByKernel(launches: readonly ProfiledLaunch[]): (ProfiledLaunch & { count: number })[] {
  const sums = new Map<string, ProfiledLaunch & { count: number }>();
  for (const launch of launches) {
    const { timeMs = 0, flops = 0, bytes = 0, count = 0 } = sums.get(launch.kernel) ?? {};
    sums.set(launch.kernel, {
      ...launch,
      timeMs: timeMs + launch.timeMs,
      flops: flops + launch.flops,
      bytes: bytes + launch.bytes,
      count: count + 1,
    });
  }
  return [...sums.values()].sort((a, b) => b.timeMs - a.timeMs);
}
