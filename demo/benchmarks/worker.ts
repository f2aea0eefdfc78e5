/** The worker: opens a device, tells of it, and measures what the page asks for, once. The page ends it, to stop it too. */

import { defaultDevice, type Device, ValueError } from "flywheel";
import { measure, type Measurement, type Row } from "../../bench/harness";
import { copyRows, flatSgdRows, multiplyAddRow, PEAK } from "../../bench/limits";
import type { Library } from "../../bench/peers/library";
import { open } from "../../bench/peers/libraries/flywheel";
import { makeReport } from "../../bench/report";
import { measuredBy } from "../../bench/rows";
import { adapterName } from "../adapterName";
import { BENCHMARK_IDS } from "./catalogue";
import type { BenchEvent, Command } from "./protocol";
import { mainRows, measuresOf } from "./result";
import { rowsOf } from "./rows";

const MEMORY = "limit: memory";
/** What warming up is taken to be of a run: kernels compile and results are checked meanwhile. */
const WARM_UP = 0.4;
/** Shortest time between two results that are told, but for the last one. */
const TELL_MS = 100;

// Structured by hand: TypeScript's library for pages does not know a worker's scope.
const scope = self as unknown as {
  onmessage: (event: MessageEvent<Command>) => void;
  postMessage: (event: BenchEvent) => void;
};

const emit = (event: BenchEvent): void => scope.postMessage(event);

const opening = open();
opening.then(tellAdapter, (error: unknown) => fail(error, true));

scope.onmessage = ({ data: command }) => {
  opening.then(
    (library) => run(command, library).catch((error: unknown) => fail(error)),
    () => undefined, // told already
  );
};

function tellAdapter({ version }: Library): void {
  const info = defaultDevice().adapterInfo();
  emit({
    type: "adapter",
    adapter: adapterName(info),
    isSoftware: info.isSoftware,
    version: version.replace(/^flywheel /, ""),
  });
}

async function run({ ids, rounds }: Command, library: Library): Promise<void> {
  const device = defaultDevice();
  const warmingUp = (text: string, share: number): void =>
    emit({ type: "progress", text, share: WARM_UP * share, leftMs: null });
  warmingUp("Preparing", 0);
  const rows = await limitRows(device);
  const limits = rows.length;
  for (const id of ids) rows.push(...(await rowsOf(id, { device, library })));

  let [warmUps, round] = [0, ""];
  let [startMs, toldMs] = [0, 0];
  const measured = await measure(rows, measuredBy(device), {
    rounds,
    onProgress(text) {
      if (warmUps < rows.length) {
        warmingUp(capitalized(text), warmUps++ / rows.length);
      } else {
        if (startMs === 0) startMs = performance.now();
        round = capitalized(text);
      }
    },
    onSample(soFar, leftMs) {
      const nowMs = performance.now();
      if (nowMs - toldMs < TELL_MS) return;
      toldMs = nowMs;
      const spentMs = nowMs - startMs;
      const share = WARM_UP + ((1 - WARM_UP) * spentMs) / (spentMs + leftMs);
      emit({ type: "progress", text: round, share, leftMs });
      if (soFar.length > limits) tell(soFar, rounds);
    },
    onFailure(error) {
      if (rows.indexOf(error.row) < limits) throw error;
      emit({ type: "refusal", message: error.message });
    },
  });
  if (!tell(measured, rounds)) throw new ValueError("Nothing that was chosen could be measured here. Choose another.");
  emit({ type: "done" });
}

/** Memory's limit is what the faster of two plain kernels reaches: which one that is differs by adapter. */
async function limitRows(device: Device): Promise<Row[]> {
  const streaming = [...(await copyRows(device)), ...(await flatSgdRows(device))];
  return [await multiplyAddRow(device), ...streaming.map((row) => ({ ...row, work: MEMORY, way: row.work }))];
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Tells what is measured; the limits are. @returns whether there is anything beside them */
function tell(measurements: readonly Measurement[], rounds: number): boolean {
  const report = makeReport(measurements, {
    ...{ adapter: "", userAgent: "", cores: 0, date: "", rounds, guards: [] }, // the page knows better
    ...{ peak: PEAK, streaming: MEMORY },
  });
  const measures = measuresOf(report);
  const samples = BENCHMARK_IDS.map((id) => [id, mainRows(report.rows, id)?.[0].samplesMs] as const);
  emit({ type: "measures", ...measures, samplesMs: Object.fromEntries(samples) });
  return measures.rows.length > 0;
}

function fail(error: unknown, isMissing = false): void {
  emit({ type: "error", message: error instanceof Error ? error.message : String(error), isMissing });
}
