/** Measured launches as a table. */

import { type KernelSum, sumByKernel } from "./kernelSums";
import type { Profile } from "./measure";

const HEADER = ["#", "kernel", "output", "ms", "%", "GFLOP/s", "GB/s", "fused"] as const;

/** A profile as a table: one aligned line a launch, or, with `byKernel`, one a kernel, the slowest first. */
export function printProfile(result: Profile, { byKernel = false }: { readonly byKernel?: boolean } = {}): string {
  const total = result.timeMs;
  const rate = (amount: number, timeMs: number): string => (timeMs > 0 ? (amount / timeMs / 1e6).toPrecision(3) : "-");
  const numbers = ({ timeMs, flops, bytes }: Pick<KernelSum, "timeMs" | "flops" | "bytes">): string[] => [
    timeMs.toFixed(3),
    ((100 * timeMs) / (total || 1)).toFixed(1),
    rate(flops, timeMs),
    rate(bytes, timeMs),
  ];
  const rows = byKernel
    ? sumByKernel(result).map((sum) => [String(sum.launches), sum.kernel, "", ...numbers(sum), ""])
    : result.launches.map((launch, index) => [
        String(index),
        launch.kernel,
        `[${launch.output.join()}]`,
        ...numbers(launch),
        launch.fused.slice(0, 8).join("+"),
      ]);
  const table = [[...HEADER], ...rows, ["", "all", "", total.toFixed(3), "", "", "", ""]];
  const widths = HEADER.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const isText = (column: number): boolean => ["kernel", "output", "fused"].includes(HEADER[column]!);
  const show = (row: readonly string[]): string =>
    row.map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return table.map((row) => show(row).trimEnd()).join("\n");
}
