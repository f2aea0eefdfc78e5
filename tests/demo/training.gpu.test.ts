/** The demo's training: images that lie on the device, and images that are read when they are needed. */

import { init } from "flywheel";
import { describe, expect, test, vi } from "vitest";
import { trainingData } from "../../demo/dataset";
import { Training, type TrainingOptions } from "../../demo/training";
import { withAskedLimits } from "../helpers/gpuDevices";

const OPTIONS: TrainingOptions = {
  ...{ recipe: "fashionMnist", encoder: "tinyGap", device: "webgpu", steps: 6, batchSize: 16, queueSize: 32, dim: 16 },
  ...{ temperature: 0.1, momentum: 0.99, lr: 0.06, weightDecay: 5e-4, shuffle: "on", symmetric: "off", seed: 1 },
  ...{ evaluate: true, evalEvery: null, tune: "off" },
};

/** Images of 8 by 8 in two classes: the brighter half is above or below. */
function data(): Parameters<typeof Training.make>[0] {
  const part = (count: number) => ({
    images: Uint8Array.from({ length: count * 64 }, (_, i) => {
      const isUpper = i % 64 < 32;
      return (isUpper === (Math.floor(i / 64) % 2 === 0) ? 130 : 10) + ((i * i * 7) % 97);
    }),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
    ...{ count, channels: 1, height: 8, width: 8 },
  });
  const [train, held] = [part(60), part(30)];
  return trainingData({
    ...{ train, test: held },
    summary: {
      ...{ kind: "own", trainCount: 60, testCount: 30, channels: 1, height: 8, width: 8 },
      ...{ classNames: ["up", "down"], statistics: { mean: 0.4, std: 0.25 } },
    },
  });
}

/** All that a run tells. */
async function told(heldByteLength?: number): Promise<unknown> {
  const training = await Training.make(data(), OPTIONS, heldByteLength);
  const losses: number[] = [];
  for (let step = 0; step < OPTIONS.steps; step++) {
    await training.ready();
    losses.push(await training.step().loss.item());
  }
  const evaluation = await training.evaluate();
  const result = {
    losses,
    views: await training.views(4),
    knn: await evaluation.knnAccuracy(),
    neighbours: await evaluation.neighbours(6),
    probes: [await training.linearProbe("bank"), await training.linearProbe("all")],
    map: await training.mapped(),
    arrays: await training.exported("arrays"),
    saved: await training.save({}),
  };
  evaluation.dispose();
  return result;
}

describe("a training of the demo", () => {
  test("tells the same of images that it reads when it needs them", { timeout: 300_000 }, async () => {
    await init({ device: "webgpu" });
    const held = await told();
    expect(await told(0)).toEqual(held); // to the bit
    expect(held).toMatchObject({ map: { rows: Int32Array.from({ length: 30 }, (_, row) => row) } });
  });

  test("brings to the device what one of its bindings holds", { timeout: 300_000 }, async () => {
    const all = data();
    const count = 2 ** 21 + 1; // of 64 bytes: more than 128 MiB
    const read = vi.fn((rows: Int32Array) => Promise.resolve(new Uint8Array(64 * rows.length)));
    const large = { ...all, train: { ...all.train, count, read } };
    const reads = async (limits: "default" | "adapter"): Promise<number[]> => {
      read.mockClear();
      const device = await withAskedLimits(() => init({ device: "webgpu", limits }));
      await Training.make(large, OPTIONS);
      device.destroy();
      return read.mock.calls.map(([rows]) => rows.length);
    };
    expect(await reads("default")).toEqual([]);
    expect(await reads("adapter")).toEqual([count]);
  });

  test("shows images with their own labels", { timeout: 300_000 }, async () => {
    await init({ device: "webgpu" });
    const all = data();
    const training = await Training.make(all, OPTIONS, 0);
    const evaluation = await training.evaluate();
    const { queries } = await evaluation.neighbours(0);
    const bytes = await all.train.read(Int32Array.from({ length: 60 }, (_, row) => row));
    const texts = Array.from({ length: 60 }, (_, row) => String(bytes.subarray(64 * row, 64 * (row + 1))));
    for (const { pixels, label } of queries.flatMap(({ nearest }) => nearest))
      expect(all.train.labels[texts.indexOf(String(pixels))]).toBe(label);
    expect(queries.map(({ image }) => image.label)).toEqual([0, 1, 0, 1, 0, 1]);
    evaluation.dispose();
    const { pixels, labels } = await training.mapped();
    expect(pixels).toEqual(await all.test.read(Int32Array.from({ length: 30 }, (_, row) => row)));
    expect([...labels!]).toEqual([...all.test.labels]);
  });
});
