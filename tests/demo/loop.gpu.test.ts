/** The loop around a training on a GPU: a run that goes on keeps its kernels, whatever tuning is switched to. */

import { init } from "flywheel";
import { describe, expect, test } from "vitest";
import { trainingData } from "../../demo/dataset";
import { Gate } from "../../demo/gate";
import { Loop, Requests } from "../../demo/loop";
import { DEFAULT_OPTIONS } from "../../demo/options";
import type { TrainingEvent } from "../../demo/protocol";
import { Training, type TrainingOptions } from "../../demo/training";
import type { Tuning } from "../../demo/tuning";
import type { TuningStore } from "../../demo/tuningStore";

const STEPS = 4;
const OPTIONS: TrainingOptions = {
  ...DEFAULT_OPTIONS,
  ...{ encoder: "tinyGap", steps: STEPS, batchSize: 16, queueSize: 32, dim: 16, evaluate: false, evalEvery: STEPS / 2 },
};

/** Images of 8 by 8 without classes. */
function data(): ReturnType<typeof trainingData> {
  const size = { channels: 1, height: 8, width: 8 };
  const images = Uint8Array.from({ length: 64 * 32 }, (_, i) => (i * i * 7) % 256);
  const part = { images, labels: new Uint8Array(32), count: 32, ...size };
  const summary = { kind: "own", trainCount: 32, testCount: 32, ...size, classNames: [] } as const;
  return trainingData({ train: part, test: part, summary: { ...summary, statistics: { mean: 0.5, std: 0.3 } } });
}

interface Run {
  /** By the number of steps done. */
  readonly checkpoints: ReadonlyMap<number, Uint8Array>;
  /** What was told of it. */
  readonly tunings: readonly Tuning[];
  /** What the result says of it. */
  readonly tuning: Tuning | null;
}

async function run(tune: "on" | "off", store: TuningStore | null, save: Uint8Array | null = null): Promise<Run> {
  const device = await init({ device: "webgpu" });
  const events: TrainingEvent[] = [];
  const options = { ...OPTIONS, tune };
  const training = await Training.make(data(), options);
  const resume = save && new Blob([save as Uint8Array<ArrayBuffer>]);
  const { tuning } = await new Loop({
    ...{ device, training, trainCount: 32, options, wantsFeatures: false, wantsProbe: false, gate: new Gate() },
    ...{ requests: new Requests(), resume, checkpoints: true, watch: false, store },
    emit: (event) => events.push(event),
  }).run();
  return {
    checkpoints: new Map(events.flatMap((event) => (event.type === "checkpoint" ? [[event.step, event.bytes]] : []))),
    tunings: events.flatMap((event) => (event.type === "tuning" ? [event.tuning] : [])),
    tuning,
  };
}

/** Keeps it in memory, and what it is asked for. */
function memory(): TuningStore & { readonly asked: string[] } {
  const asked: string[] = [];
  let kept: string | null = null;
  return {
    asked,
    load() {
      asked.push("load");
      return Promise.resolve(kept);
    },
    save(text) {
      asked.push("save");
      kept = text;
      return Promise.resolve();
    },
  };
}

test(
  "a save with another adapter's kernels is told before the run counts as loaded",
  { timeout: 300_000 },
  async () => {
    const device = await init({ device: "webgpu" });
    const training = await Training.make(data(), OPTIONS);
    const tuning = JSON.stringify({ adapter: "another", chosen: {}, mostWork: null });
    const events: TrainingEvent[] = [];
    const loop = new Loop({
      ...{ device, training, trainCount: 32, options: OPTIONS, wantsFeatures: false, wantsProbe: false },
      ...{ gate: new Gate(), requests: new Requests(), checkpoints: false, watch: false, store: null },
      resume: new Blob([(await training.save({ tuning })) as Uint8Array<ArrayBuffer>]),
      emit: (event) => events.push(event),
    });
    await expect(loop.run()).rejects.toThrow("kernels tuned for another adapter");
    expect(events.map(({ type }) => type)).toEqual(["views"]);
  },
);

describe("a run that goes on with tuning switched on", () => {
  test("keeps the usual kernels of a run that was not tuned, and says so", { timeout: 300_000 }, async () => {
    const whole = await run("off", null);
    expect(whole.tuning).toBeNull();
    const store = memory();
    const rest = await run("on", store, whole.checkpoints.get(2));
    expect(rest.checkpoints.get(STEPS), "to the bit").toEqual(whole.checkpoints.get(STEPS));
    expect(rest.tunings).toEqual([rest.tuning]);
    expect(rest.tuning).toMatchObject({
      ...{ known: 0, tried: 0, chosen: {}, notKept: null },
      notTried: "A run that goes on keeps its kernels, to the bit: the usual ones, as it was not tuned.",
    });
    expect(store.asked).toEqual([]);
  });

  test("keeps the kernels that its save names, and tries no others", { timeout: 300_000 }, async () => {
    const whole = await run("on", memory());
    expect(whole.tuning).toMatchObject({ known: 0, notTried: null });
    expect(whole.tuning!.tried).toBeGreaterThan(1);
    const store = memory();
    const rest = await run("on", store, whole.checkpoints.get(2));
    expect(rest.checkpoints.get(STEPS), "to the bit").toEqual(whole.checkpoints.get(STEPS));
    expect(rest.tuning).toMatchObject({
      ...{ known: whole.tuning!.tried, tried: 0, chosen: whole.tuning!.chosen },
      notTried: "A run that goes on keeps its kernels, to the bit: those that its save names.",
    });
    expect(store.asked).toEqual([]);
  });
});
