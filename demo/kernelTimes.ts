/** What the kernels of a step took, as a table with bars. Takes an event, makes elements. */

import type { Request, TimesEvent } from "./protocol";

/** Kernels that are shown one by one; the others share a row. */
const SHOWN = 10;

/** The card's times: hears of them, and says what becomes of those that are asked for. */
export class TimesPanel {
  private readonly says: HTMLElement;
  private readonly table: HTMLElement;

  constructor(card: HTMLElement) {
    this.says = card.querySelector<HTMLElement>(".says")!;
    this.table = card.querySelector<HTMLElement>("#times")!;
  }

  /** Times were asked for. */
  asked(what: Request): void {
    if (what === "times") this.says.textContent = "Timed with the next step.";
  }

  /** Shows the slowest kernels, their share of the step and how fast they went. */
  show(event: TimesEvent): void {
    this.says.textContent = timesText(event); // the table beside it is not read aloud by itself
    this.table.replaceChildren(tableOf(event));
  }

  /** What was asked for does not come. @returns whether it were times */
  refuse(what: Request, message: string): boolean {
    if (what === "times") this.says.textContent = `No kernels were timed: ${message}`;
    return what === "times";
  }

  clear(): void {
    this.says.textContent = "";
    this.table.replaceChildren();
  }
}

/** What a step took, in a sentence. */
export const timesText = ({ step, timeMs, kernels }: TimesEvent): string =>
  `Step ${step}: ${short(timeMs)} ms in ${count(kernels)} launches of ${kernels.length} kernels.`;

function tableOf({ timeMs, kernels }: TimesEvent): HTMLTableElement {
  const table = document.createElement("table");
  table.ariaLabel = "Time of each kernel";
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
  return table;
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
