/** Plans as people read them: one aligned line a launch. */

import type { PlannedLaunch } from "./plan";

const HEADER = ["#", "kernel", "output", "fused", "cut because", "MFLOP", "MB"];

/** A table of launches: kernel, output shape, fused ops, why it ends there, work, least traffic. */
export function printLaunches(launches: readonly PlannedLaunch[]): string {
  const rows = launches.map((launch, index) => [
    String(index),
    launch.part ? `${launch.label} ${launch.part.index + 1}/${launch.part.count}` : launch.label,
    `[${launch.output.join(",")}]`,
    fusedText(launch.fused),
    launch.cut,
    (launch.flops / 1e6).toFixed(2),
    (launch.bytes / 1e6).toFixed(2),
  ]);
  const table = [HEADER, ...rows];
  const widths = HEADER.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const isNumber = (column: number): boolean => column === 0 || column >= 5;
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("  ");
  return table.map(line).join("\n");
}

/** `mul+add+relu`, without views, which cost nothing; long chains are cut short. */
function fusedText(names: readonly string[]): string {
  const free = new Set(["reshape", "expand", "permute", "transpose", "slice", "flip", "detach", "customVjp"]);
  const shown = names.filter((name) => !free.has(name));
  return shown.length > 8 ? `${shown.slice(0, 8).join("+")}+${shown.length - 8} more` : shown.join("+");
}
