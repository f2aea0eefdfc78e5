/** The loop around a training: what becomes of it where something beside the steps fails. */

import { beforeEach, describe, expect, test, vi } from "vitest";
import { type TrainingData, trainingData } from "../../demo/dataset";
import { runOf } from "../../demo/checkpoints";
import { Gate } from "../../demo/gate";
import { Loop, type Measurements, Requests } from "../../demo/loop";
import { DEFAULT_OPTIONS } from "../../demo/options";
import type { ExportKind, Request, TrainingEvent } from "../../demo/protocol";
import { Training } from "../../demo/training";
import { init } from "../../src";
import { profile } from "../../src/dev";
import { FASHION_MNIST_STATISTICS } from "../../src/data";
import { writeSafetensors } from "../../src/io";

vi.mock("flywheel/dev", async (original) => ({ ...(await original<object>()), profile: vi.fn() }));

const STEPS = 3;
const OPTIONS = { ...DEFAULT_OPTIONS, encoder: "tinyGap", device: "cpu", steps: STEPS, evaluate: false } as const;

/** Images of 8 by 8 whose labels are of two classes, or of none; another seed gives others. */
function imagesOf(classNames: readonly string[], count: number, seed = 37): TrainingData {
  const size = { channels: 1, height: 8, width: 8 };
  const images = Uint8Array.from({ length: 64 * count }, (_, i) => (seed * i) % 256);
  const labels = Uint8Array.from({ length: count }, (_, i) => (classNames.length > 0 ? i % classNames.length : 0));
  const part = { images, labels, count, ...size };
  const counts = { trainCount: count, testCount: count };
  const summary = { kind: "own", ...counts, ...size, classNames, statistics: FASHION_MNIST_STATISTICS } as const;
  return trainingData({ train: part, test: part, summary });
}

interface Run {
  readonly result: Promise<Measurements>;
  readonly events: TrainingEvent[];
}

/** A run of a few steps on the CPU. */
async function run({
  classNames = ["a", "b"],
  wantsProbe = false,
  asks = [],
  symmetric = "off",
  images = imagesOf(classNames, 16),
  resume = null,
}: {
  readonly classNames?: readonly string[];
  readonly wantsProbe?: boolean;
  readonly asks?: readonly Request[];
  readonly symmetric?: "off" | "on";
  readonly images?: TrainingData;
  readonly resume?: Blob | null;
}): Promise<Run> {
  const events: TrainingEvent[] = [];
  const requests = new Requests();
  const options = { ...OPTIONS, symmetric, batchSize: 16, queueSize: 32, dim: 8 };
  const device = await init({ device: "cpu" });
  const training = await Training.make(images, options);
  const loop = new Loop({
    ...{ device, training, trainCount: 16, options },
    ...{ wantsFeatures: false, wantsProbe, gate: new Gate(), requests, resume, checkpoints: false },
    ...{ watch: false, store: null, emit: (event: TrainingEvent) => events.push(event) },
  });
  for (const what of asks) requests.ask(what);
  return { result: loop.run(), events };
}

const told = (events: readonly TrainingEvent[], type: TrainingEvent["type"]): TrainingEvent[] =>
  events.filter((event) => event.type === type);

/** The first one that was asked for. */
function saveIn(events: readonly TrainingEvent[]): Blob {
  const [bytes] = events.flatMap((event) => (event.type === "checkpoint" ? [event.bytes] : []));
  return new Blob([bytes as Uint8Array<ArrayBuffer>]);
}

beforeEach(() => {
  vi.restoreAllMocks();
});

describe("a probe at the end", () => {
  test("is refused before the training where images have no classes", async () => {
    const { result, events } = await run({ classNames: [], wantsProbe: true });
    await expect(result).rejects.toThrow("must have classes for a linear probe at the end, got none.");
    expect(told(events, "step")).toEqual([]);
  });

  test("that fails is told, and the run is done all the same", async () => {
    vi.spyOn(Training.prototype, "linearProbe").mockRejectedValue(new Error("out of luck"));
    const { result, events } = await run({ wantsProbe: true });
    expect(await result).toMatchObject({ steps: STEPS, linearProbe: null });
    expect(told(events, "refusal")).toEqual([{ type: "refusal", what: "probe", message: "out of luck" }]);
  });

  test("is measured", async () => {
    vi.spyOn(Training.prototype, "linearProbe").mockResolvedValue(0.75);
    const { result, events } = await run({ wantsProbe: true });
    expect(await result).toMatchObject({ linearProbe: 0.75 });
    expect(told(events, "probe")).toEqual([{ type: "probe", step: STEPS, accuracy: 0.75 }]);
  });
});

describe("times of kernels", () => {
  test("that fail once the step is done are refused, and the run goes on with that step", async () => {
    vi.mocked(profile).mockImplementation(async (body) => {
      await body();
      throw new Error("too many launches");
    });
    const steps = vi.spyOn(Training.prototype, "step");
    const { result, events } = await run({ asks: ["times"] });
    await result;
    expect(told(events, "refusal")).toEqual([{ type: "refusal", what: "times", message: "too many launches" }]);
    expect(told(events, "step")).toHaveLength(STEPS);
    expect(steps, "none twice").toHaveBeenCalledTimes(STEPS);
  });

  test("that cannot be measured at all are refused, too", async () => {
    vi.mocked(profile).mockRejectedValue(new Error("no timestamps"));
    const { result, events } = await run({ asks: ["times"] });
    await result;
    expect(told(events, "refusal")).toMatchObject([{ message: "no timestamps" }]);
    expect(told(events, "step")).toHaveLength(STEPS);
  });

  test("do not hide a step that breaks", async () => {
    const steps = vi.spyOn(Training.prototype, "step");
    vi.mocked(profile).mockImplementation(async (body) => {
      steps.mockImplementationOnce(() => {
        throw new Error("the step broke");
      });
      await body();
      throw new Error("never reached");
    });
    const { result, events } = await run({ asks: ["times"] });
    await expect(result).rejects.toThrow("the step broke");
    expect(told(events, "refusal")).toEqual([]);
  });
});

test("an evaluation and a probe tell how far they are, to the end", async () => {
  const options = { ...OPTIONS, evaluate: true, batchSize: 16, queueSize: 16, dim: 8 };
  const device = await init({ device: "cpu" });
  const events: TrainingEvent[] = [];
  const training = await Training.make(imagesOf(["a", "b"], 16), options);
  await new Loop({
    ...{ device, training, trainCount: 16, options, wantsFeatures: false, wantsProbe: true, gate: new Gate() },
    ...{ requests: new Requests(), resume: null, checkpoints: false, watch: false, store: null },
    emit: (event) => events.push(event),
  }).run();
  const ends = events.flatMap((event) => (event.type === "piece" && event.share === 1 ? [event.piece] : []));
  const evaluation = ["encoding", "comparing"];
  expect(ends).toEqual([...evaluation, ...evaluation, "encoding", "classifying"]); // before and after; the probe
});

test.each<["map" | ExportKind, number]>([
  ["map", 1],
  ["features", 1],
  ["arrays", 1],
  ["encoder", 0],
  ["pytorch", 0],
])("of what is asked for, %s tells of %d parts how far they are, to the end", async (what, parts) => {
  const { result, events } = await run({ asks: [what] });
  await result;
  expect(told(events, "refusal")).toEqual([]);
  expect(told(events, what === "map" ? "map" : "export")).toHaveLength(1);
  const ends = told(events, "piece").filter((event) => "share" in event && event.share === 1);
  expect(ends).toMatchObject(Array.from({ length: parts }, () => ({ piece: "encoding" })));
  expect(events.indexOf(ends[0]!)).toBeLessThan(events.findIndex(({ type }) => type === "map" || type === "export"));
});

test("the symmetric loss is the sum of both directions, and stands in the options of a save", async () => {
  const firstLoss = async (symmetric: "off" | "on"): Promise<number> => {
    const { result, events } = await run({ symmetric, asks: ["save"] });
    await result;
    expect((await runOf(saveIn(events))).options.symmetric).toBe(symmetric);
    return events.flatMap((event) => (event.type === "step" ? [event.loss] : []))[0]!;
  };
  const [one, both] = [await firstLoss("off"), await firstLoss("on")];
  expect(both / one).toBeGreaterThan(1.5);
  expect(both / one).toBeLessThan(2.5);
});

test("a save of before there was a symmetric loss is of a run without", async () => {
  const bytes = writeSafetensors({}, { options: '{"steps":50}', states: '{"schedule":{"last_epoch":2}}' });
  expect(await runOf(new Blob([bytes as Uint8Array<ArrayBuffer>]))).toMatchObject({
    stepsDone: 2,
    options: { steps: 50, symmetric: "off" },
  });
});

describe("a save", () => {
  const saved = async (): Promise<Blob> => {
    const { result, events } = await run({ asks: ["save"] }); // after a step
    await result;
    return saveIn(events);
  };

  test("goes on with the same images", async () => {
    const { result, events } = await run({ resume: await saved() });
    await result;
    expect(told(events, "loaded")).toMatchObject([{ step: 1, options: { steps: STEPS, batchSize: 16 } }]);
    expect(told(events, "step")).toHaveLength(STEPS - 1);
  });

  test.each([
    ["others", imagesOf(["a", "b"], 16, 41), /is of a run on other images than the page has, though both are your own/],
    [
      "more",
      imagesOf(["a", "b"], 24),
      /is of a run on your own images \(16 to .*, but the page has .* \(24 to train on/,
    ],
  ])("does not go on with %s", async (_, images, reason) => {
    const { result, events } = await run({ images, resume: await saved() });
    await expect(result).rejects.toThrow(reason);
    expect([...told(events, "loaded"), ...told(events, "step")]).toEqual([]);
  });

  test("with one other bit is not gone on from", async () => {
    const bytes = new Uint8Array(await (await saved()).arrayBuffer());
    bytes[bytes.length - 1]! ^= 1; // of a tensor
    const { result, events } = await run({ resume: new Blob([bytes]) });
    await expect(result).rejects.toThrow("the file must have its checksum");
    expect([...told(events, "loaded"), ...told(events, "step")]).toEqual([]);
  });
});
