/**
 * The page for people: which families to measure and how thoroughly, what is under way, the results as a table, and as a file to
 * keep or to send.
 */

import type { BenchOptions } from "./main";
import { type Report, reportTable } from "./report";

/** What a run tells on its way. */
export type Progress = (text: string) => void;

/**
 * Builds the page.
 *
 * @param families names of what can be measured
 * @param run measures, and rejects with what went wrong
 */
export function showForm(
  families: readonly string[],
  run: (options: BenchOptions, progress: Progress) => Promise<Report>,
): void {
  const form = element("form");
  const boxes = families.map((name) => {
    const box = Object.assign(element("input"), { type: "checkbox", name: "only", value: name, checked: true });
    return labelled(box, name);
  });
  const rounds = Object.assign(element("input"), {
    type: "number",
    name: "rounds",
    min: "1",
    max: "99",
    value: "5",
    required: true,
  });
  const start = Object.assign(element("button"), { type: "submit", textContent: "Measure" });
  const status = element("p");
  status.setAttribute("role", "status");
  const results = element("section");
  form.append(
    element("h1", "flywheel bench"),
    element(
      "p",
      "Measures flywheel's kernels and training steps on the GPU of this browser, beside what it can do at most. Every result is checked " +
        "before it is timed. Leave the page in front, and the machine to itself: it takes a minute or two. Nothing leaves this page.",
    ),
    fieldset("What to measure", boxes),
    labelled(rounds, "rounds"),
    start,
  );
  document.body.append(form, status, results);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const only = data.getAll("only") as string[];
    if (only.length === 0) {
      status.textContent = "Choose something to measure.";
      return;
    }
    start.disabled = true;
    results.replaceChildren();
    void run({ only, rounds: Number(data.get("rounds")), profile: false }, (text) => {
      status.textContent = text;
    })
      .then((report) => {
        status.textContent = "Done.";
        results.replaceChildren(...resultsOf(report));
      })
      .catch((error: unknown) => {
        status.textContent = `That failed: ${error instanceof Error ? error.message : String(error)}`;
      })
      .finally(() => {
        start.disabled = false;
      });
  });
}

/** The table, and the report as a file. */
function resultsOf(report: Report): HTMLElement[] {
  const { head, columns, cells } = reportTable(report);
  const table = element("table");
  const line = (texts: readonly string[], cell: "th" | "td"): HTMLElement => {
    const row = element("tr");
    row.append(
      ...texts.map((text, column) =>
        Object.assign(element(cell, text), { className: columns[column]!.isText ? "text" : "" }),
      ),
    );
    return row;
  };
  table.append(
    line(
      columns.map(({ name }) => name),
      "th",
    ),
    ...cells.map((texts) => line(texts, "td")),
  );
  const scrolled = element("div");
  scrolled.className = "scrolled";
  scrolled.tabIndex = 0; // a keyboard scrolls what has the focus
  scrolled.append(table);
  const json = new Blob([`${JSON.stringify(report, null, 2)}\n`], { type: "application/json" });
  const name = `flywheel-bench-${report.adapter.replace(/[^\w]+/g, "-")}-${report.date.slice(0, 10)}.json`;
  const link = Object.assign(element("a", "Download the results"), { href: URL.createObjectURL(json), download: name });
  return [...head.map((text) => element("p", text)), link, scrolled];
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, text = ""): HTMLElementTagNameMap[Name] {
  return Object.assign(document.createElement(name), { textContent: text });
}

function labelled(input: HTMLInputElement, text: string): HTMLLabelElement {
  const label = element("label");
  label.append(input, ` ${text}`);
  return label;
}

function fieldset(title: string, content: readonly HTMLElement[]): HTMLFieldSetElement {
  const set = element("fieldset");
  set.append(element("legend", title), ...content);
  return set;
}
