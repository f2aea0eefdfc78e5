/** What the kernels of a step took, as a table with bars. Takes an event, makes elements. */

import type { TimesEvent } from "./protocol";

/** Kernels that are shown one by one; the others share a row. */
const SHOWN = 10;

/** Shows the slowest kernels, their share of the step and how fast they went. */
export function showTimes(place: HTMLElement, { step, timeMs, kernels }: TimesEvent): void {
  const table = document.createElement("table");
  const caption = table.createCaption();
  caption.textContent = `Step ${step}: ${short(timeMs)} ms in ${count(kernels)} launches of ${kernels.length} kernels`;
  const head = table.createTHead().insertRow();
  for (const title of ["kernel", "launches", "ms", "GFLOP/s", "GB/s"]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const sum of shownOf(kernels)) {
    const row = body.insertRow();
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = sum.kernel;
    row.append(name);
    row.style.setProperty("--share", `${(100 * sum.timeMs) / (timeMs || 1)}%`);
    const rates = [rate(sum.flops, sum.timeMs), rate(sum.bytes, sum.timeMs)];
    for (const text of [String(sum.launches), short(sum.timeMs), ...rates]) row.insertCell().textContent = text;
  }
  place.replaceChildren(table);
}

type Kernels = TimesEvent["kernels"];

const count = (kernels: Kernels): number => kernels.reduce((sum, { launches }) => sum + launches, 0);

/** The slowest kernels, and the sum of the others where there are any. */
export function shownOf(kernels: Kernels): Kernels {
  if (kernels.length <= SHOWN) return kernels;
  const others = kernels.slice(SHOWN - 1);
  const sum = (name: "timeMs" | "flops" | "bytes"): number => others.reduce((total, each) => total + each[name], 0);
  const rest = { launches: count(others), timeMs: sum("timeMs"), flops: sum("flops"), bytes: sum("bytes") };
  return [...kernels.slice(0, SHOWN - 1), { kernel: `${others.length} others`, ...rest }];
}

/** Billions a second; a dash where there are none, or a time below what the clock tells. */
const rate = (amount: number, timeMs: number): string =>
  amount > 0 && timeMs > 0 ? short(amount / timeMs / 1e6) : "–";

const short = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 3 });
