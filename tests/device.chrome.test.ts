/**
 * What only Chrome can show of devices. The GPU process dies under a page that trains: what users see of a driver reset, as
 * far as a headless machine can do it. And the garbage collector runs, on demand.
 */

import { type Device, DeviceLostError, init, memory, nn, ones, optim, realize, tensor, type Tensor } from "flywheel";
import { expect, test, vi } from "vitest";
import { collectGarbage } from "./helpers/collect";
import { crashGpuProcess } from "./helpers/crash";
import { Training } from "./helpers/training";

const MAX_MS = 2000;

async function outcomesOf(promises: Iterable<Promise<unknown>>): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(promises);
  return outcomes.map((outcome) => (outcome.status === "rejected" ? (outcome.reason as unknown) : outcome.value));
}

/** Trains and reads every loss until something throws; returns what was thrown, and when. */
async function trainForever(training: Training, losses: Tensor[]): Promise<{ error: unknown; timeMs: number }> {
  try {
    for (;;) {
      losses.push(training.step());
      await losses.at(-1)!.item();
    }
  } catch (error) {
    return { error, timeMs: performance.now() };
  }
}

test("training ends with DeviceLostError within 2 s, nothing gives data any more, and init() starts anew; twice", async () => {
  const devices: Device[] = [];
  for (let crash = 0; crash < 2; crash++) {
    devices.push(await init({ device: "webgpu" }));
    const resident = await tensor([1, 2, 3]).mul(2).realize();
    const runs = [new Training(), new Training()];
    const losses: Tensor[] = [];
    const loops = runs.map((training) => trainForever(training, losses));
    await vi.waitUntil(() => losses.length > 10, { timeout: 30_000 });

    const pending = [resident.add(1).data(), runs[0]!.model.parameters()[0]!.data()];
    const start = performance.now();
    crashGpuProcess();
    for (const { error, timeMs } of await Promise.all(loops)) {
      expect(error).toBeInstanceOf(DeviceLostError);
      expect(timeMs - start).toBeLessThan(MAX_MS);
    }
    await outcomesOf(pending); // they may have been in time

    const later = [resident, ...losses, ...runs.flatMap(({ model }) => model.parameters())].map((x) => x.data());
    const laterMs = performance.now();
    for (const outcome of await outcomesOf([...later, realize(resident)])) {
      expect(outcome).toBeInstanceOf(DeviceLostError);
    }
    expect(performance.now() - laterMs).toBeLessThan(MAX_MS);
    expect(() => runs[0]!.step()).toThrow(/lost.*init\(\).*checkpoint/);
  }

  const again = await init({ device: "webgpu" });
  expect(again.name).not.toBe(devices[0]!.name);
  const training = new Training();
  const first = await training.step().item();
  for (let step = 0; step < 10; step++) training.step();
  expect(await training.step().item()).toBeLessThan(first);
  expect(memory().liveByteLength).toBeGreaterThan(0);
  for (const device of [...devices, again]) device.destroy();
});

test("models that nobody holds any more give their memory back: parameters, gradients, momentum, buffers", async () => {
  const device = await init({ device: "webgpu" });
  const held: number[] = [];
  for (let run = 0; run < 6; run++) {
    await trainAndForget();
    await collectGarbage();
    held.push(memory().liveByteLength);
  }
  expect(held.at(-1)! - held[0]!).toBeLessThan(2 ** 16);
  device.destroy();
});

/** 3 MiB of state, used and dropped. */
async function trainAndForget(): Promise<void> {
  const model = new nn.Sequential(new nn.Linear(512, 512), new nn.BatchNorm1d(512));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const loss = model
    .forward(ones([4, 512]))
    .square()
    .mean();
  loss.backward();
  optimizer.step();
  expect(await loss.item()).toBeLessThan(1);
  await model.parameters()[0]!.data();
}
