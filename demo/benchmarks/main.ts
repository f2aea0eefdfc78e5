/**
 * The page "Benchmarks": what flywheel does a second on this machine, and a result to share. The work runs in a worker. An address may
 * hold somebody else's result (`#result=1...`), which then stands beside one's own.
 */

import { copyFrom } from "../clipboard";
import { showMissingGpu } from "../missingGpu";
import { browserName } from "./browser";
import { benchmarkOf } from "./catalogue";
import { element } from "./elements";
import { fragmentOf, LinkError, resultFrom } from "./link";
import type { AdapterEvent, BenchEvent, MeasuresEvent } from "./protocol";
import { type BenchResult, doubtsOf, resultJson, type SamplesMs } from "./result";
import { type RunState, Session } from "./session";
import { ResultTable } from "./table";
import { durationText, factsOf, markdownOf } from "./words";

const ROUNDS = { quick: 5, thorough: 25 };

const byId = (id: string): HTMLElement => document.getElementById(id)!;

const startButton = byId("start") as HTMLButtonElement;
const stopButton = byId("stop") as HTMLButtonElement;
const progress = byId("progress") as HTMLProgressElement;
const form = byId("options") as HTMLFormElement;
const table = new ResultTable(byId("results") as HTMLTableElement);

let adapter: AdapterEvent | null = null;
/** False once the browser has given none. */
let hasGpu = true;
let own: BenchResult | null = null;
let samplesMs: SamplesMs = {};
let shared: BenchResult | null = null;
let refusals: string[] = [];
/** Of the run that is under way, or was last. */
let wasHidden = false;
/** Whether the boxes are as the user wants them. */
let hasChosen = false;

// ---- the run ----

const session = new Session(hear, enter);

function start(): void {
  const ids = table.chosen;
  if (ids.length === 0) {
    say("Choose something to measure.");
    return;
  }
  [own, samplesMs, refusals, wasHidden] = [null, {}, [], document.hidden];
  show();
  say("Measuring.");
  sayShared("");
  showByHand(null);
  progress.value = 0;
  const effort = new FormData(form).get("effort") as keyof typeof ROUNDS;
  session.start({ ids, rounds: ROUNDS[effort] });
}

function stop(): void {
  session.stop();
  say(own ? "Stopped. What was measured until then stays." : "Stopped before anything was measured.");
}

function hear(event: BenchEvent): void {
  switch (event.type) {
    case "adapter":
      meet(event);
      break;
    case "progress":
      progress.value = event.share;
      // Beside the status, which is read aloud.
      byId("stage").textContent =
        event.leftMs === null ? event.text : `${event.text}, about ${durationText(event.leftMs)} left`;
      break;
    case "measures":
      take(event);
      break;
    case "refusal":
      refusals.push(event.message);
      show();
      break;
    case "done":
      progress.value = 1;
      say("Done.");
      break;
    case "error":
      if (event.isMissing) void lack(event.message);
      else say(`That failed: ${event.message}`);
      break;
  }
}

/** There is no GPU; where not even the page sees why, its message says what there is to say. */
async function lack(message: string): Promise<void> {
  hasGpu = false;
  byId("adapter").textContent = "no GPU";
  await showMissingGpu(byId("missing"));
  say(byId("missing").hidden ? message : "There is nothing to measure here.");
}

/** Benchmarks that are too much for a software adapter are not chosen on one. */
function meet(event: AdapterEvent): void {
  adapter = event;
  byId("adapter").textContent = event.adapter;
  if (!hasChosen) table.choose((id) => !(event.isSoftware && benchmarkOf(id).isHeavy));
  showButtons(session.state);
  show();
}

function take({ rounds, peak, memory, rows, samplesMs: samples }: MeasuresEvent): void {
  const { adapter: name, isSoftware, version } = adapter!;
  const date = new Date();
  date.setSeconds(0, 0);
  const machine = { browser: browserName(navigator.userAgent), cores: navigator.hardwareConcurrency };
  const run = { version, date: date.toISOString(), adapter: name, isSoftware, wasHidden };
  own = rows.length > 0 ? { ...run, ...machine, rounds, peak, memory, rows } : null;
  samplesMs = samples;
  show();
}

function enter(state: RunState): void {
  document.body.dataset["state"] = state;
  const isRunning = state === "running";
  showButtons(state);
  if (!isRunning) byId("stage").textContent = "";
  table.isOpen = !isRunning;
  for (const field of form.elements) (field as HTMLInputElement).disabled = isRunning;
  byId("share").hidden = isRunning || !own;
}

/** Which buttons can be pressed: Start once it is known what is measured, as some is too much for a software adapter. */
function showButtons(state: RunState): void {
  const focused = document.activeElement;
  const isRunning = state === "running";
  startButton.disabled = isRunning || !hasGpu || (adapter === null && state !== "failed");
  stopButton.disabled = !isRunning;
  // The one that was pressed goes, the other takes the focus.
  if (focused === startButton && startButton.disabled) stopButton.focus();
  if (focused === stopButton && stopButton.disabled) startButton.focus();
}

function say(text: string): void {
  const status = byId("status");
  if (status.textContent !== text) status.textContent = text;
}

// ---- what is shown ----

function show(): void {
  table.show(own, shared);
  const doubts = own ? doubtsOf(own) : adapter?.isSoftware ? [SOFTWARE] : [];
  showList(byId("doubts"), [...doubts, ...refusals]);
  showList(byId("shared-doubts"), shared ? doubtsOf(shared).map((doubt) => `Of the shared result: ${doubt}`) : []);
  byId("close").hidden = !shared;
  showMachines();
}

const SOFTWARE =
  "This browser runs WebGPU on the processor. You can measure, but figures say nothing of a GPU: see chrome://gpu for why it has none.";

function showList(list: HTMLElement, texts: readonly string[]): void {
  list.replaceChildren(...texts.map((text) => element("li", text)));
  list.hidden = texts.length === 0;
}

/** What results were measured on, beside each other. */
function showMachines(): void {
  const results = [own, shared].filter((result) => result !== null);
  byId("machines-card").hidden = results.length === 0;
  const machines = byId("machines") as HTMLTableElement;
  machines.replaceChildren();
  const head = element("tr");
  head.append(
    element("td"),
    ...(own ? [element("th", "Here", { scope: "col" })] : []),
    ...(shared ? [element("th", "Shared", { scope: "col" })] : []),
  );
  machines.createTHead().append(head);
  const body = machines.createTBody();
  const facts = results.map(factsOf);
  for (const [index, [name]] of (facts[0] ?? []).entries()) {
    const row = element("tr");
    row.append(element("th", name, { scope: "row" }), ...facts.map((fact) => element("td", fact[index]![1])));
    body.append(row);
  }
}

// ---- sharing ----

const linkOf = (result: BenchResult): string => new URL(fragmentOf(result), location.href).href;

/** Copies a text; where the browser does not let pages copy, shows it to be copied by hand. */
async function copy(id: string, label: string, text: (result: BenchResult) => string): Promise<void> {
  if (!own) return;
  const copied = text(own);
  const isCopied = await copyFrom(byId(id), label, copied);
  sayShared(isCopied ? "Copied." : "");
  showByHand(isCopied ? null : copied);
}

/** A text to be copied by hand; null: there is none any more. */
function showByHand(text: string | null): void {
  const field = byId("by-hand-text") as HTMLTextAreaElement;
  byId("by-hand").hidden = text === null;
  field.value = text ?? "";
  if (text === null) return;
  field.focus();
  field.select();
}

function sayShared(text: string): void {
  byId("share-status").textContent = text;
}

function download(): void {
  if (!own) return;
  const name = `flywheel-benchmarks-${own.adapter.replace(/[^\w]+/g, "-")}-${own.date.slice(0, 10)}.json`;
  const url = URL.createObjectURL(new Blob([resultJson(own, samplesMs)], { type: "application/json" }));
  element("a", "", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000); // once the browser has begun to read
}

/** Takes the result that the address holds, if any. */
function openLink(): void {
  const problem = byId("link-problem");
  problem.hidden = true;
  shared = null;
  try {
    shared = resultFrom(location.hash);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
  }
  show();
}

function closeShared(): void {
  history.replaceState(null, "", location.pathname + location.search);
  openLink();
  startButton.focus();
}

startButton.addEventListener("click", start);
stopButton.addEventListener("click", stop);
byId("close").addEventListener("click", closeShared);
byId("results").addEventListener("change", () => (hasChosen = true));
byId("copy-markdown").addEventListener(
  "click",
  () => void copy("copy-markdown", "Copy as Markdown", (result) => markdownOf(result, linkOf(result))),
);
byId("copy-link").addEventListener("click", () => void copy("copy-link", "Copy link", linkOf));
byId("download").addEventListener("click", download);
addEventListener("hashchange", openLink);
document.addEventListener("visibilitychange", () => {
  if (session.state !== "running" || !document.hidden) return;
  wasHidden = true;
  if (own) own = { ...own, wasHidden };
  show();
});
enter("idle");
openLink();
