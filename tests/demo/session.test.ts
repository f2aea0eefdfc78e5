/** A session: what becomes of a run that there is, while a save is checked and after. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEFAULT_OPTIONS } from "../../demo/options";
import type { Command, TrainingEvent } from "../../demo/protocol";
import { Session } from "../../demo/session";

/** Keeps what it is sent, and tells what a test has it tell. */
class FakeWorker {
  static readonly all: FakeWorker[] = [];
  onmessage!: (event: { data: TrainingEvent }) => void;
  onerror!: (event: { preventDefault: () => void; message: string }) => void;
  readonly sent: Command[] = [];
  isOver = false;

  constructor() {
    FakeWorker.all.push(this);
  }

  postMessage(command: Command): void {
    this.sent.push(command);
  }

  terminate(): void {
    this.isOver = true;
  }

  tell(event: TrainingEvent): void {
    this.onmessage({ data: event });
  }
}

const images = { kind: "fashionMnist", dataUrl: "data" } as const;
const save = new Blob(["a save"]);
const adapter: TrainingEvent = { type: "adapter", adapter: "a", device: "cpu" };
const loaded: TrainingEvent = { type: "loaded", options: DEFAULT_OPTIONS, step: 2 };
const done = { type: "done", result: {} } as TrainingEvent;
const damaged: TrainingEvent = { type: "error", name: "FormatError", message: "It is damaged.", isUsage: true };
const map = { type: "map", step: 3 } as TrainingEvent;

let session: Session;
/** Types of events, and states. */
let heard: string[];

/** A session whose run is over, and which checks a save. */
function checking(): { run: FakeWorker; candidate: FakeWorker } {
  session.start(DEFAULT_OPTIONS, { images });
  const [run] = FakeWorker.all;
  run!.tell(done);
  heard.length = 0;
  session.goOn(DEFAULT_OPTIONS, save, { images });
  expect(session.state).toBe("checking");
  return { run: run!, candidate: FakeWorker.all[1]! };
}

beforeEach(() => {
  FakeWorker.all.length = 0;
  vi.stubGlobal("Worker", FakeWorker);
  session = new Session();
  heard = [];
  session.subscribe((event) => heard.push(event.type === "state" ? event.state : event.type));
});
afterEach(() => vi.unstubAllGlobals());

test("a save that is not right leaves the run that there is", () => {
  const { run, candidate } = checking();
  candidate.tell(adapter);
  run.tell(map); // it still answers
  candidate.tell(damaged);
  expect(heard).toEqual(["checking", "map", "done", "error"]);
  expect([run.isOver, candidate.isOver]).toEqual([false, true]);
  session.ask("map");
  expect(run.sent.at(-1)).toEqual({ type: "ask", what: "map" });
});

test("a save that is right takes its place, and all is told that was held back", () => {
  const { run, candidate } = checking();
  expect(candidate.sent).toMatchObject([{ type: "start", resume: save }]);
  candidate.tell(adapter);
  candidate.tell({ type: "piece", piece: "fetching", share: 0.5, secondsLeft: null });
  expect([run.isOver, ...heard]).toEqual([false, "checking", "piece"]);
  candidate.tell(loaded);
  expect([run.isOver, candidate.isOver]).toEqual([true, false]);
  expect(heard.slice(2)).toEqual(["loaded", "running", "adapter"]);
  candidate.tell(damaged); // as any run
  expect(session.state).toBe("failed");
  expect(candidate.isOver).toBe(true);
});

test("where memory is short for two runs, it is said how to get it back", () => {
  const messages: string[] = [];
  session.subscribe((event) => {
    if (event.type === "error") messages.push(event.message);
  });
  const short: TrainingEvent = { ...damaged, name: "OutOfMemoryError", message: "Too much.", isUsage: false };
  checking().candidate.tell(short);
  session.reset();
  session.goOn(DEFAULT_OPTIONS, save, { images });
  FakeWorker.all[2]!.tell(short); // with nothing to give back
  expect(messages).toEqual([
    expect.stringMatching(/^Too much\. Reset gives back .* open the save again then\.$/),
    "Too much.",
  ]);
});

test("a worker that does not even start is told as any other reason", () => {
  const { run, candidate } = checking();
  candidate.onerror({ preventDefault: () => undefined, message: "" });
  expect(heard).toEqual(["checking", "done", "error"]);
  expect(run.isOver).toBe(false);
});

test("a check is given up for another run, and by a reset, which leaves the run that there is", () => {
  const { run, candidate } = checking();
  session.reset();
  expect([session.state, run.isOver, candidate.isOver]).toEqual(["done", false, true]);
  session.goOn(DEFAULT_OPTIONS, save, { images });
  session.start(DEFAULT_OPTIONS, { images });
  expect(FakeWorker.all.map(({ isOver }) => isOver)).toEqual([true, true, true, false]);
  session.goOn(DEFAULT_OPTIONS, save, { images });
  expect(FakeWorker.all, "not while it runs").toHaveLength(4);
});

test("a run that breaks while a save is checked has failed if the save is not right", () => {
  const { run, candidate } = checking();
  run.tell(damaged);
  expect(session.state).toBe("checking");
  candidate.tell(damaged);
  expect(heard).toEqual(["checking", "error", "failed", "error"]);
});
