/** What a replayed call asks of the GPU, and what it holds. */

import { beforeEach, describe, expect, it } from "vitest";
import {
  compile,
  type Device,
  DeviceLostError,
  F,
  init,
  manualSeed,
  nn,
  noGrad,
  optim,
  rand,
  tensor,
  type Tensor,
} from "flywheel";
import { mocoAugment } from "flywheel/data";
import { MoCo } from "flywheel/moco";
import { resnet8, tinyFlat } from "flywheel/models";
import { gpuCallsOf } from "../helpers/gpuCalls";

let device: Device;
beforeEach(async () => {
  device = await init({ device: "webgpu" });
  manualSeed(1);
});

const NOTHING_NEW = { buffers: 0, bindGroups: 0, pipelines: 0, modules: 0 };

const views = async (shape: readonly number[]): Promise<[Tensor, Tensor]> => [
  await rand(shape).realize(),
  await rand(shape).realize(),
];

describe("a replayed MoCo step", () => {
  const recipes = {
    tinyFlat: () => {
      const norm = (channels: number): nn.SplitBatchNorm2d => new nn.SplitBatchNorm2d(channels, 4);
      return new MoCo(({ numClasses }) => tinyFlat({ numClasses, norm }), { dim: 32, queueSize: 64 });
    },
    resnet8: () => new MoCo(({ numClasses }) => resnet8({ numClasses }), { dim: 32, queueSize: 64 }),
  };

  it.for(["tinyFlat", "resnet8"] as const)("of %s is one submit and creates nothing", async (recipe) => {
    const model = recipes[recipe]();
    const optimizer = new optim.SGD(model.encoderQ.parameters(), { lr: 0.06, momentum: 0.9 });
    const run = (imQ: Tensor, imK: Tensor): { loss: Tensor; top1: Tensor } => {
      const { loss, top1 } = model.forward(imQ, imK);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return { loss, top1 };
    };
    const step = compile(run);
    const [imQ, imK] = await views([8, 1, 28, 28]);
    for (let index = 0; index < 12; index++) await step(imQ, imK).loss.item();
    const plansBefore = device.counters()["plansMade"];
    const replayedBefore = step.status.replayed;
    const calls = await gpuCallsOf(async () => {
      for (let index = 0; index < 3; index++) {
        const { loss, top1 } = step(imQ, imK);
        expect(await loss.item()).toBeGreaterThan(0);
        expect(await top1.item()).toBeGreaterThanOrEqual(0);
      }
    });
    expect(step.status.replayed).toBe(replayedBefore + 3);
    expect(calls).toMatchObject({ ...NOTHING_NEW, submits: 3 });
    expect(device.counters()["plansMade"]).toBe(plansBefore);
    const uncompiled = await gpuCallsOf(async () => {
      await run(imQ, imK).loss.item();
    });
    expect(calls.kernels.length).toBe(3 * uncompiled.kernels.length);
    expect(calls.kernels.slice(0, uncompiled.kernels.length)).toEqual(uncompiled.kernels);
  });

  it("whose views are drawn on the way, of rows that are new host arrays", async () => {
    const model = recipes.tinyFlat();
    const optimizer = new optim.SGD(model.encoderQ.parameters(), { lr: 0.06, momentum: 0.9 });
    const images = tensor(
      Uint8Array.from({ length: 32 * 784 }, (_, i) => i % 256),
      { shape: [32, 1, 28, 28] },
    );
    const step = compile((rows: Tensor) => {
      const { loss } = model.forward(mocoAugment(images, rows), mocoAugment(images, rows));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    const call = (index: number): Promise<number> =>
      step(tensor(Int32Array.from({ length: 8 }, (_, i) => (i + index) % 32))).item();
    for (let index = 0; index < 12; index++) await call(index);
    const calls = await gpuCallsOf(async () => {
      for (let index = 12; index < 16; index++) await call(index);
    });
    expect(calls).toMatchObject({ ...NOTHING_NEW, submits: 4 });
  });
});

describe("replays", () => {
  it("create no bind groups for arguments that take turns", async () => {
    const model = new nn.Linear(4, 3);
    const infer = compile((x: Tensor) => noGrad(() => model.forward(x)));
    const inputs = await Promise.all([1, 2, 3].map(() => rand([5, 4]).realize()));
    const call = async (index: number): Promise<void> => {
      using y = infer(inputs[index % 3]!);
      await y.data();
    };
    for (let index = 0; index < 12; index++) await call(index);
    const calls = await gpuCallsOf(async () => {
      for (let index = 0; index < 9; index++) await call(index);
    });
    expect(calls).toMatchObject({ ...NOTHING_NEW, submits: 18 }); // half of them read
  });

  it("hold memory flat to the byte, whether results are read or not", async () => {
    const model = new nn.Sequential(new nn.Linear(4, 8), new nn.Dropout(0.1), new nn.ReLU(), new nn.Linear(8, 3));
    const optimizer = new optim.Adam(model.parameters());
    const step = compile((x: Tensor, y: Tensor) => {
      const scores = model.forward(x);
      const loss = F.crossEntropy(scores, y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return { loss, accuracy: scores.argmax(1).eq(y).float().mean() };
    });
    const call = (seed: number): { loss: Tensor; accuracy: Tensor } =>
      step(
        tensor(
          Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * seed)),
          { shape: [6, 4] },
        ),
        tensor(Int32Array.from({ length: 6 }, (_, i) => (i + seed) % 3)),
      );
    for (let index = 0; index < 50; index++) call(index);
    await call(50).loss.item();
    const before = device.memory().liveByteLength;
    for (let index = 0; index < 1000; index++) {
      const { loss } = call(index);
      if (index % 7 === 0) await loss.item();
    }
    await call(51).loss.item();
    expect(device.memory().liveByteLength).toBe(before);
  });

  it("free what nobody gets, though the function keeps it", async () => {
    const weight = new nn.Parameter(rand([64, 64]));
    const optimizer = new optim.SGD([weight], { lr: 0.01 });
    const { keep } = await import("flywheel");
    const step = compile((x: Tensor) => {
      const product = keep(x.matmul(weight));
      const loss = product.square().mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    const x = await rand([64, 64]).realize();
    for (let index = 0; index < 10; index++) step(x);
    await step(x).item();
    const before = device.memory().liveByteLength;
    for (let index = 0; index < 100; index++) step(x);
    await step(x).item();
    expect(device.memory().liveByteLength).toBe(before);
  });

  it("go on after their plan was forgotten", async () => {
    const weight = new nn.Parameter(rand([3]));
    const fn = compile((x: Tensor) => x.mul(weight.detach()));
    const x = tensor([1, 2, 3]);
    const expected = [...(await fn(x).data())];
    for (let index = 0; index < 3; index++) fn(x);
    // as many other plans as are remembered
    for (let size = 1; size <= 300; size++) await rand([size]).add(size).realize();
    for (let index = 0; index < 6; index++) expect([...(await fn(x).data())]).toEqual(expected);
    expect(fn.status.state).toBe("replaying");
  });

  it("throw DeviceLostError once the device is gone", async () => {
    const weight = new nn.Parameter(rand([3]));
    const optimizer = new optim.SGD([weight], { lr: 0.1 });
    const step = compile((x: Tensor) => {
      const loss = x.mul(weight).sum();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    const x = tensor([1, 2, 3]);
    for (let index = 0; index < 5; index++) step(x);
    expect(step.status.state).toBe("replaying");
    const { gpu } = device.engine.backend as unknown as { gpu: { device: GPUDevice; lost: Promise<string> } };
    gpu.device.destroy();
    await gpu.lost;
    for (let index = 0; index < 3; index++) expect(() => step(x)).toThrow(DeviceLostError);
  });

  it("leave devices that check indices, and those who look for NaN, to the function itself", async () => {
    const debugged = await init({ device: "webgpu", debug: true });
    const table = new nn.Parameter(rand([4, 2]));
    const pick = compile((index: Tensor) => table.detach().indexSelect(0, index));
    for (let call = 0; call < 5; call++) expect((await pick(tensor(Int32Array.of(1))).data()).length).toBe(2);
    expect(pick.status).toMatchObject({ state: "eager", replayed: 0 });
    debugged.destroy();
  });
});
