/**
 * The page: options, buttons, numbers, curves and pictures around a Session. It computes nothing; the training runs in
 * a worker (worker.ts), so that the page never waits for it.
 *
 * The address may name options (`?steps=100&encoder=tinyGap`), start at once (`autostart`) and tell where to report
 * to (`report`, used by `npm start`). `window.flywheelDemo` is for scripts that drive the page.
 */

import { BANK_SIZE, neighbourWords } from "./bank";
import { Chart } from "./charts";
import { keepCheckpoint, lastCheckpoint, runOf } from "./checkpoints";
import { DataChoice } from "./dataChoice";
import { Curves } from "./exports/curves";
import { ExportPanel } from "./exports/panel";
import { showNeighbours, showQueue, showViews } from "./images";
import { TimesPanel } from "./kernelTimes";
import { MapPanel } from "./map/panel";
import { cpuAddress, showMissingGpu } from "./missingGpu";
import { duration, threeDigits, timeLeft } from "./numbers";
import { BATCH_NORM_SPLITS, chanceLoss, keysPerStep, optionsFromSearch, problemOf } from "./options";

import type {
  CheckpointEvent,
  DeviceEvent,
  NeighboursEvent,
  Phase,
  Piece,
  PieceEvent,
  Request,
  TrainingEvent,
} from "./protocol";
import { presetFor, RECIPE_FOR, recipeLine, VIEW_WORDS } from "./recipes";
import { type FeaturesFormat, reportTo } from "./report";
import { imagesProblem } from "./savedImages";
import { Session, type SessionEvent, type SessionState } from "./session";
import type { TrainingOptions } from "./training";
import type { Tuning } from "./tuning";

declare global {
  interface Window {
    /** For scripts: the session, and what was told of the run: how many losses, and steps with theirs. */
    flywheelDemo: {
      session: Session;
      start: () => void;
      lossPoints: () => number;
      losses: () => [step: number, loss: number][];
    };
  }
}

const byId = (id: string): HTMLElement => document.getElementById(id)!;

const startButton = byId("start") as HTMLButtonElement;
const resetButton = byId("reset") as HTMLButtonElement;
const stepButton = byId("step") as HTMLButtonElement;
/** Each asks the run for what its `data-ask` names. */
const askButtons = [...document.querySelectorAll<HTMLButtonElement>("[data-ask]")];
const curvesButton = byId("curves") as HTMLButtonElement;
const resumeButton = byId("resume") as HTMLButtonElement;
const openField = byId("open") as HTMLInputElement;
const recipeField = byId("recipe") as HTMLSelectElement;
const encoderField = byId("encoder") as HTMLSelectElement;
const form = byId("options") as HTMLFormElement;
const search = new URLSearchParams(location.search);
const report = search.get("report");
/** Whether somebody may look at this page. */
const isWatched = search.get("watch") !== "false";
const featuresFormat = search.get("features") as FeaturesFormat | null;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

// ---- charts ----

const LOSS = { loss: 0, chance: 1 };
const lossChart = new Chart(byId("loss-chart"), {
  series: [
    { label: "loss", color: "--loss" },
    { label: "chance", color: "--text-soft", dashed: true },
  ],
  format: (value) => value.toFixed(2),
  formatTick: String,
});

const ACCURACY = { contrast: 0, knn: 1 };
const accuracyChart = new Chart(byId("accuracy-chart"), {
  series: [
    { label: "contrast", color: "--contrast" },
    { label: "kNN", color: "--knn", sparse: true },
  ],
  format: percent,
  formatTick: (value) => `${(100 * value).toFixed(0)} %`,
  range: [0, 1],
});

const RATES = { lr: 0, step: 1 };
const ratesChart = new Chart(byId("rates-chart"), {
  series: [
    { label: "learning rate, thousandths", color: "--contrast" },
    { label: "ms a step", color: "--knn", side: "right" },
  ],
  format: threeDigits,
  formatTick: String,
});

const CHARTS = [lossChart, accuracyChart, ratesChart];

// ---- options ----

const fields = (): (HTMLInputElement | HTMLSelectElement)[] =>
  [...form.elements].filter((field) => field instanceof HTMLInputElement || field instanceof HTMLSelectElement);

/** What has no field on the page: whether to evaluate. */
const evaluate = optionsFromSearch(search).evaluate;

function writeForm(options: TrainingOptions): void {
  for (const field of fields()) field.value = String(options[field.name as keyof TrainingOptions] ?? 0);
}

function readForm(): TrainingOptions {
  const entries = fields().map((field) => [field.name, field.value] as const);
  return optionsFromSearch(new URLSearchParams([...entries, ["evaluate", String(evaluate)]] as [string, string][]));
}

/** Words and numbers that follow the options. */
function explain(wanted: TrainingOptions): void {
  const { recipe, queueSize, symmetric } = wanted;
  byId("recipe-line").textContent = recipeLine(recipe);
  byId("views-hint").textContent = VIEW_WORDS[recipe];
  byId("encoder-line").textContent = encoderField.selectedOptions[0]!.title;
  byId("explain-queue").textContent = String(queueSize);
  byId("explain-fill").textContent = String(Math.ceil(queueSize / keysPerStep(wanted)));
  byId("explain-rule").textContent = symmetric === "on" ? "2 ln(K + 1)" : "ln(K + 1)";
  byId("explain-chance").textContent = chanceLoss(wanted).toFixed(2);
}

/** Words that follow the images to train on. */
function explainImages(trainCount: number): void {
  byId("explain-neighbours").textContent = neighbourWords(trainCount);
  byId("knn-title").title = `Test images classified by their ${neighbourWords(trainCount)}`;
}

// ---- images and recipe ----

/** Names of the options that the address or the user gave: other images leave them as they are. */
const theUsers = new Set(search.keys());

const images = new DataChoice(() => {
  if (!theUsers.has("recipe")) {
    recipeField.value = RECIPE_FOR[images.chosen?.kind ?? "fashionMnist"];
    fillIn();
  }
  explainImages(images.chosen?.summary.trainCount ?? BANK_SIZE); // those of the page are as many
  formChanged();
}, missingImages());

/** Which images the address asks for beside those of the page; null for none. */
function missingImages(): string | null {
  const kind = search.get("data");
  return kind === "fashionMnist" ? null : kind;
}

/** The recipe's numbers, as they go with the images, but for those that are the user's. */
function fillIn(): void {
  const given = readForm();
  const trainCount = images.chosen?.summary.trainCount ?? null;
  const numbers = Object.entries(presetFor(given.recipe, trainCount, BATCH_NORM_SPLITS));
  writeForm({ ...given, ...Object.fromEntries(numbers.filter(([name]) => !theUsers.has(name))) });
}

function formChanged(): void {
  const wanted = readForm();
  say(startProblem(wanted) ?? "Ready.");
  if (problemOf(wanted) === null) explain(wanted); // whatever the images
}

/** Why a run cannot start, in a sentence; null if it can. */
const startProblem = (wanted: TrainingOptions): string | null => problemOf(wanted) ?? images.problemOf(wanted);

// ---- the run ----

const session = new Session();
let options = optionsFromSearch(search);
let firstNeighbours: NeighboursEvent | null = null;
/** Of the images that the run trains on. */
let classNames: readonly string[] = [];
/** What was asked for, and is not answered yet. */
const waiting = new Set<Request>();
let keeping = Promise.resolve();
const curves = new Curves();
const mapPanel = new MapPanel(byId("map"));
const exportPanel = new ExportPanel(byId("export"));
const timesPanel = new TimesPanel(byId("device"));
const panels = [mapPanel, exportPanel, timesPanel];

function start(): void {
  const wanted = readForm();
  const problem = startProblem(wanted);
  if (problem) {
    say(problem);
    return;
  }
  begin(wanted);
  session.start(wanted, givenToRun());
}

/** What a run is given beside its options. */
const givenToRun = (): Parameters<Session["start"]>[1] => ({
  ...(images.chosen && { images: images.chosen }),
  features: featuresFormat !== null,
  linearProbe: search.has("linearProbe"),
  report,
  checkpoints: search.has("checkpoint"),
  watch: isWatched,
});

/** Nothing of the run before is shown any more. */
function begin(wanted: TrainingOptions): void {
  options = wanted;
  firstNeighbours = null;
  classNames = [];
  for (const each of [curves, ...panels]) each.clear();
  curvesButton.disabled = true;
  for (const stat of STATS) show(stat, "–");
  byId("queue").hidden = true;
  byId("queue-text").textContent = "Shown when training starts.";
  waiting.clear();
  byId("neighbours").replaceChildren();
  byId("neighbours").closest("table")!.hidden = true;
  byId("views").replaceChildren();
  for (const chart of CHARTS) chart.clear(options.steps);
  explain(options);
  (byId("progress") as HTMLProgressElement).value = 0;
  byId("tuning").textContent = "";
  byId("probed").textContent = "";
}

/** Goes on from a checkpoint. One that cannot be gone on from is told, and changes nothing. */
async function resume(given: Blob | Promise<Blob>): Promise<void> {
  try {
    const file = await given;
    const { options: saved, stepsDone, images: savedImages } = await runOf(file);
    if (STATES[session.state].busy) return; // another run was started meanwhile
    const { device, tune, evaluate, evalEvery } = readForm();
    const wanted = { ...saved, device, tune, evaluate, evalEvery };
    const problem =
      stepsDone >= saved.steps
        ? `This save is of a run that is over, at step ${stepsDone}: start anew.`
        : (imagesProblem(savedImages, images.chosen?.summary ?? null) ?? startProblem(wanted));
    if (problem) say(problem);
    else session.goOn(wanted, file, givenToRun());
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
  }
}

/** The bytes of a file that something else may be written into. */
const copyOf = async (file: Blob): Promise<Blob> => new Blob([await file.arrayBuffer()]);

/** Keeps checkpoints in the browser, one after the other, and offers the last one as a file. */
async function keep({ step, bytes }: CheckpointEvent): Promise<void> {
  const place = byId("saved");
  const old = place.querySelector("a")?.href;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  link.download = `moco-${step}.safetensors`;
  link.textContent = `moco-${step}.safetensors`;
  const kept = await keepCheckpoint(bytes).then(
    () => "kept in this browser",
    (error: unknown) => `not kept in this browser (${String(error)})`,
  );
  place.replaceChildren(`Step ${step} is ${kept}; as a file: `, link);
  if (old) URL.revokeObjectURL(old);
  resumeButton.hidden = (await lastCheckpoint()) === null;
}

/** Numbers of the run and of the device. */
const STATS = [
  ...["step", "loss", "contrast", "knn", "probe", "rate", "left"],
  ...["adapter", "memory", "peak", "dispatches", "submits", "buffers"],
];

function show(stat: string, text: string): void {
  byId(`stat-${stat}`).textContent = text;
}

function say(text: string): void {
  if (byId("status").textContent !== text) byId("status").textContent = text;
}

/** What a state lets the user do. */
interface Allowed {
  /** What the button does. */
  readonly button: string;
  /** Whether what a run starts with is locked. */
  readonly busy: boolean;
  /** Whether something may be asked for. */
  readonly answers: boolean;
}

const STATES: Record<SessionState, Allowed> = {
  idle: { button: "Start", busy: false, answers: false },
  checking: { button: "Start", busy: true, answers: false },
  running: { button: "Pause", busy: true, answers: true },
  paused: { button: "Resume", busy: true, answers: true },
  done: { button: "Start again", busy: false, answers: true },
  failed: { button: "Try again", busy: false, answers: false },
};

const PHASES: Record<Phase, string> = {
  loading: "Loading the data and preparing the device.",
  evaluating: "Evaluating: features of the bank and of all test images.",
  probing: "Probing: training a linear classifier on the features.",
  tuning: "Tuning: trying which kernels are fastest here, for ten seconds at most.",
  training: "Training.",
  paused: "Paused.",
};

const PIECES: Record<Piece, string> = {
  fetching: "Files of images",
  trying: "Kernels on this GPU",
  encoding: "Features of images",
  comparing: "Nearest neighbours",
  classifying: "Epochs of the classifier",
};

function showState(state: SessionState): void {
  if (state !== "running" && state !== "paused") showPiece(null);
  document.body.dataset["state"] = state;
  startButton.textContent = STATES[state].button;
  startButton.disabled = state === "checking";
  resetButton.disabled = state === "idle";
  stepButton.disabled = state !== "paused";
  if (state === "idle" || state === "failed") giveUpWaiting();
  showRequests();
  resumeButton.disabled = openField.disabled = STATES[state].busy;
  for (const field of fields()) field.disabled = STATES[state].busy;
  images.lock(STATES[state].busy);
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".pages a")) openBeside(link, STATES[state].busy);
  if (state === "idle") say("Ready.");
  if (state === "checking") say("Checking the save: nothing changes before it is found right.");
}

/** Whether a link opens beside this page: a training would end with the page. */
function openBeside(link: HTMLAnchorElement, isBeside: boolean): void {
  link.target = isBeside ? "_blank" : "";
  link.title = isBeside ? "Opens beside this page, where the training goes on" : "";
}

/** The button that was pressed and cannot be until there is an answer: it then has the focus again. */
let focusLeft: HTMLButtonElement | null = null;

/** What may be asked for now. */
function showRequests(): void {
  const canAnswer = STATES[session.state].answers;
  const focused = document.activeElement;
  for (const button of askButtons) {
    const what = requestOf(button);
    button.disabled = !canAnswer || waiting.has(what) || (what === "probe" && classNames.length === 0);
    if (button.disabled && button === focused) focusLeft = button;
  }
  if (!canAnswer) focusLeft = null;
  if (!focusLeft || focusLeft.disabled) return;
  if (focused === document.body || focused === focusLeft) focusLeft.focus(); // nothing else has it
  focusLeft = null;
}

const requestOf = (button: HTMLButtonElement): Request => button.dataset["ask"] as Request;

function ask(what: Request): void {
  waiting.add(what);
  showRequests();
  for (const panel of panels) panel.asked(what);
  session.ask(what);
}

/** Nobody is left to answer. */
function giveUpWaiting(): void {
  for (const what of waiting) refuse(what, "the run ended before.");
  waiting.clear();
}

/** Says so where nothing writes over it: the status soon tells of the next phase. */
function refuse(what: Request, message: string): void {
  if (what === "save")
    byId("saved").replaceChildren(`The save failed: ${message} `, ...byId("saved").querySelectorAll("a"));
  else if (what === "probe") byId("probed").textContent = `The linear probe failed: ${message}`;
  else for (const panel of panels) panel.refuse(what, message);
}

/** How far something within a phase is; null: nothing to tell. */
function showPiece(event: PieceEvent | null): void {
  const place = byId("piece");
  place.hidden = event === null || event.share === 1;
  if (!event) return;
  place.querySelector("span")!.textContent = PIECES[event.piece] + timeLeft(event.secondsLeft);
  place.querySelector("progress")!.value = event.share;
}

function answered(what: Request): boolean {
  const wasAsked = waiting.delete(what);
  showRequests();
  return wasAsked;
}

function showEvent(event: TrainingEvent): void {
  switch (event.type) {
    case "phase":
      say(PHASES[event.phase]);
      showPiece(null);
      break;
    case "piece":
      showPiece(event);
      break;
    case "adapter":
      byId("adapter").textContent = event.adapter;
      show("adapter", event.adapter);
      break;
    case "images":
      images.show(event.images);
      explainImages(event.images.trainCount);
      classNames = event.images.classNames;
      showRequests();
      break;
    case "loaded":
      giveUpWaiting();
      begin(event.options);
      writeForm(event.options);
      theUsers.add("recipe");
      break;
    case "tuning":
      byId("tuning").textContent = tuningText(event.tuning);
      break;
    case "step":
      lossChart.add(event.step, LOSS.loss, event.loss);
      lossChart.add(event.step, LOSS.chance, chanceLoss(options));
      accuracyChart.add(event.step, ACCURACY.contrast, event.contrastAccuracy);
      ratesChart.add(event.step, RATES.lr, 1000 * event.lr);
      if (event.stepsPerSecond !== null) ratesChart.add(event.step, RATES.step, 1000 / event.stepsPerSecond);
      (byId("progress") as HTMLProgressElement).value = event.step / options.steps;
      show("step", `${event.step} / ${options.steps}`);
      show("loss", event.loss.toFixed(3));
      show("contrast", percent(event.contrastAccuracy));
      show("rate", event.stepsPerSecond === null ? "–" : threeDigits(event.stepsPerSecond));
      show("left", event.secondsLeft === null ? "–" : duration(event.secondsLeft));
      break;
    case "knn":
      accuracyChart.add(event.step, ACCURACY.knn, event.accuracy);
      show("knn", percent(event.accuracy));
      break;
    case "probe":
      answered("probe");
      byId("probed").textContent = "";
      show("probe", percent(event.accuracy));
      say(`The linear probe of step ${event.step} classifies ${percent(event.accuracy)} of the test images.`);
      break;
    case "times":
      answered("times");
      timesPanel.show(event);
      break;
    case "queue":
      showQueue(byId("queue") as HTMLCanvasElement, event);
      byId("queue-text").textContent = `${percent(event.filled)} of the keys are real ones.`;
      break;
    case "device":
      showDevice(event);
      break;
    case "views":
      showViews(byId("views"), event);
      break;
    case "neighbours":
      firstNeighbours ??= event;
      byId("neighbours").closest("table")!.hidden = false;
      byId("neighbours-before").textContent =
        firstNeighbours.step === 0 ? "before training" : `after ${firstNeighbours.step} steps`;
      byId("neighbours-now").textContent = event.step === 0 ? "now" : `after ${event.step} steps`;
      showNeighbours(byId("neighbours"), firstNeighbours, event, classNames);
      break;
    case "done":
      show("rate", threeDigits(event.result.stepsPerSecond));
      show("left", "0 s");
      say(summary(event.result));
      break;
    case "error":
      say(event.message);
      break;
    case "checkpoint":
      if (answered("save")) keeping = keeping.then(() => keep(event)); // others are the terminal's
      break;
    case "map":
      answered("map");
      mapPanel.show(event);
      break;
    case "export":
      answered(event.what);
      exportPanel.offer(event.what, event.files);
      break;
    case "refusal":
      showPiece(null);
      answered(event.what);
      refuse(event.what, event.message);
      if (event.what === "probe") say(byId("probed").textContent); // in place of its phase; read aloud, too
      break;
    case "features":
      break;
  }
}

/** What the run asks of the device; the CPU counts nothing. */
function showDevice(event: DeviceEvent): void {
  const megabytes = (byteLength: number | null): string =>
    byteLength === null ? "–" : `${(byteLength / 1e6).toFixed(1)} MB`;
  const count = (value: number | null): string => (value === null || Number.isNaN(value) ? "–" : value.toFixed(1));
  show("memory", megabytes(event.liveByteLength));
  show("peak", megabytes(event.peakByteLength));
  show("dispatches", count(event.dispatchesPerStep));
  show("submits", count(event.submitsPerStep));
  show("buffers", count(event.buffersCreatedPerStep));
}

function summary({
  knnBefore,
  knnAfter,
  loss,
}: {
  knnBefore: number | null;
  knnAfter: number | null;
  loss: number;
}): string {
  if (knnBefore === null || knnAfter === null) return `Done: the loss of the last steps is ${loss.toFixed(2)}.`;
  return `Done: kNN accuracy went from ${percent(knnBefore)} to ${percent(knnAfter)}.`;
}

/** What became of tuning, in a sentence or two. */
function tuningText({ known, tried, left, changed, rejected, notKept, notTried }: Tuning): string {
  if (notTried !== null) return `Not tuned. ${notTried}`;
  return [
    `Tuning: ${known} known, ${tried} tried, ${changed.length} changed, ${left} left as they are.`,
    ...(rejected.length > 0 ? [`Never taken: ${rejected.join("; ")}.`] : []),
    ...(notKept === null ? [] : [`Not kept: ${notKept}`]),
  ].join(" ");
}

/** The table of all steps so far, as a file. */
function offerCurves(): void {
  const bytes = new TextEncoder().encode(curves.csv());
  exportPanel.offer("curves", [{ name: `moco-curves-${curves.lastStep}.csv`, bytes }]);
}

session.subscribe((event: SessionEvent) => {
  curves.hear(event);
  curvesButton.disabled = curves.isEmpty;
  if (event.type === "state") showState(event.state);
  else showEvent(event);
});

startButton.addEventListener("click", () => {
  if (session.state === "running") session.pause();
  else if (session.state === "paused") session.resume();
  else start();
});
resetButton.addEventListener("click", () => {
  const wasChecking = session.state === "checking";
  session.reset();
  if (wasChecking) say("The save was not taken: all is as it was.");
});
stepButton.addEventListener("click", () => session.step());
for (const button of askButtons) button.addEventListener("click", () => ask(requestOf(button)));
curvesButton.addEventListener("click", offerCurves);
resumeButton.addEventListener("click", () => {
  void lastCheckpoint().then((file) => (file ? resume(copyOf(file)) : say("The last save is not there any more.")));
});
openField.addEventListener("change", () => {
  const [file] = openField.files ?? [];
  openField.value = ""; // so that the same file can be opened again
  if (file) void resume(file);
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", ({ target }) => {
  if (target === recipeField) theUsers.clear(); // who takes a recipe wants its numbers
  theUsers.add((target as HTMLInputElement).name);
  if (target === recipeField) fillIn();
  formChanged();
});

writeForm(options);
if (problemOf(options) === null) explain(options);
form.querySelector("details")!.open = matchMedia("(min-width: 1081px)").matches; // where there is room
for (const chart of CHARTS) chart.clear(options.steps);
document.body.dataset["state"] = session.state;
window.flywheelDemo = { session, start, lossPoints: () => curves.losses().length, losses: () => curves.losses() };

(byId("train-on-cpu") as HTMLAnchorElement).href = cpuAddress(location.href);
if (options.device === "webgpu" && isWatched) void showMissingGpu(byId("missing")); // the terminal is told by the run

if (report)
  reportTo(session, report, { format: featuresFormat ?? "safetensors", checkpoints: search.has("checkpoint") });
void lastCheckpoint().then((file) => (resumeButton.hidden = file === null));
if (search.has("autostart")) void autostart();

/** What `npm start` asked for. */
async function autostart(): Promise<void> {
  if (!report || !search.has("resume")) {
    start();
    return;
  }
  const response = await fetch(`${report}/resume`);
  if (!response.ok) {
    say(`The checkpoint could not be read: ${response.status}.`);
    return;
  }
  session.goOn(readForm(), await response.blob(), givenToRun());
}
