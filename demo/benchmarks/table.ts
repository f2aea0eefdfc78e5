/** The table: a line a benchmark, to choose it and to show what was measured here, and what a link brought beside it. */

import { BENCHMARK_IDS, type BenchmarkId, benchmarkOf } from "./catalogue";
import { element } from "./elements";
import { type BenchResult, type ResultRow, speedRatio } from "./result";
import { countTexts, gainText, rateText, ratioText, shareText, timeText } from "./words";

/** Cells of a line that change. */
interface Line {
  readonly row: HTMLTableRowElement;
  readonly box: HTMLInputElement;
  readonly own: HTMLTableCellElement;
  readonly shared: HTMLTableCellElement;
  readonly ratio: HTMLTableCellElement;
  readonly counts: HTMLTableCellElement;
}

/** Words over the columns; on a narrow screen they stand before each cell. */
const HEADS = { own: "Here", shared: "Shared", ratio: "Here : shared", counts: "One run asks for" };

export class ResultTable {
  private readonly lines = new Map<BenchmarkId, Line>();

  constructor(private readonly table: HTMLTableElement) {
    const head = element("tr");
    head.append(
      element("th", "Benchmark", { scope: "col" }),
      ...Object.entries(HEADS).map(([name, text]) => element("th", text, { scope: "col", className: name })),
    );
    table.createTHead().append(head);
    const body = table.createTBody();
    for (const id of BENCHMARK_IDS) {
      const line = makeLine(id);
      this.lines.set(id, line);
      body.append(line.row);
    }
  }

  /** What is chosen. */
  get chosen(): BenchmarkId[] {
    return BENCHMARK_IDS.filter((id) => this.lines.get(id)!.box.checked);
  }

  choose(isChosen: (id: BenchmarkId) => boolean): void {
    for (const [id, { box }] of this.lines) box.checked = isChosen(id);
  }

  /** Whether boxes can be changed. */
  set isOpen(isOpen: boolean) {
    for (const { box } of this.lines.values()) box.disabled = !isOpen;
  }

  /** Shows results; null: there is none. */
  show(own: BenchResult | null, shared: BenchResult | null): void {
    this.table.dataset["results"] = [own && "own", shared && "shared"].filter(Boolean).join(" ");
    for (const [id, line] of this.lines) {
      const [ownRow, sharedRow] = [own, shared].map((result) => result?.rows.find((row) => row.id === id));
      fill(line.own, ownRow ? figureOf(ownRow) : []);
      fill(line.shared, sharedRow ? figureOf(sharedRow) : []);
      const ratio = own && shared && speedRatio(own, shared, id);
      fill(line.ratio, ratio === null ? [] : [ratioText(ratio)]);
      const counted = ownRow ?? sharedRow;
      fill(line.counts, counted ? smallLines(countTexts(counted)) : []);
    }
  }
}

/** Shows a dash where there is nothing. */
function fill(cell: HTMLTableCellElement, content: readonly (Node | string)[]): void {
  cell.toggleAttribute("data-empty", content.length === 0);
  cell.replaceChildren(...(content.length > 0 ? content : ["–"]));
}

const smallLines = (texts: readonly string[]): HTMLElement[] => texts.map((text) => element("small", text));

function makeLine(id: BenchmarkId): Line {
  const { title, about } = benchmarkOf(id);
  const row = element("tr");
  row.dataset["id"] = id;
  const box = element("input", "", { type: "checkbox", id: `choose-${id}`, checked: true });
  const name = element("th", "", { scope: "row" });
  const label = element("label", "", { htmlFor: box.id });
  label.append(element("b", title), element("span", about));
  const choice = element("div", "", { className: "choice" });
  choice.append(box, label);
  name.append(choice);
  const cell = (kind: keyof typeof HEADS): HTMLTableCellElement => {
    const made = element("td", "", { className: kind });
    made.dataset["head"] = HEADS[kind];
    return made;
  };
  const line = { row, box, own: cell("own"), shared: cell("shared"), ratio: cell("ratio"), counts: cell("counts") };
  row.append(name, line.own, line.shared, line.ratio, line.counts);
  return line;
}

/** A rate, its share of the limit as a bar, and the time. */
function figureOf(row: ResultRow): HTMLElement[] {
  const bar = element("span", "", { className: "bar" });
  bar.style.setProperty("--share", String(Math.min(1, row.share ?? 0)));
  const details = [timeText(row), shareText(row), gainText(row)].filter(Boolean);
  return [element("b", rateText(row.id, row.median)), bar, ...smallLines(details)];
}
