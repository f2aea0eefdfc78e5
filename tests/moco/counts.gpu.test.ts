/** What a MoCo step costs, in counts: they are exact on every machine. */

import { beforeAll, describe, expect, it } from "vitest";
import { type Device, F, init, manualSeed, type Parameter, rand, tensor } from "flywheel";
import { MoCo } from "flywheel/moco";
import { resnet18, tinyFlat } from "flywheel/models";
import { Linear, Sequential, ReLU, SplitBatchNorm2d } from "flywheel/nn";
import { SGD } from "flywheel/optim";
import { gpuCallsOf } from "../helpers/gpuCalls";

let device: Device;
beforeAll(async () => {
  device = await init({ device: "webgpu" });
});

const values = async (parameters: readonly Parameter[]): Promise<Float32Array[]> =>
  Promise.all(parameters.map(async (parameter) => (await parameter.data()) as Float32Array));

describe("the update of a ResNet-18 pair", () => {
  it("is one dispatch for all 62 tensors, and exact", { timeout: 180_000 }, async () => {
    manualSeed(0);
    const model = new MoCo(({ numClasses }) => resnet18({ numClasses, cifarStem: true }), {
      dim: 128,
      queueSize: 8,
      momentum: 0.99,
    });
    const [queryParameters, keyParameters] = [model.encoderQ.parameters(), model.encoderK.parameters()];
    expect(queryParameters).toHaveLength(62);
    const [lr, mu, decay, m] = [0.05, 0.9, 1e-4, 0.99];
    const optimizer = new SGD(queryParameters, { lr, momentum: mu, weightDecay: decay });
    const picks = [0, 1, 30, 59, 61];
    const picked = (parameters: readonly Parameter[]): Parameter[] => picks.map((index) => parameters[index]!);

    let velocity: Float64Array[] | null = null;
    for (let step = 0; step < 2; step++) {
      // a gradient for every parameter, without compiling the sixty convolutions that the update does not see
      const loss = queryParameters
        .map((parameter) => parameter.mul(rand(parameter.shape)).sum())
        .reduce((sum, part) => sum.add(part));
      optimizer.zeroGrad();
      loss.backward();
      const before = await values(picked(queryParameters));
      const keysBefore = await values(picked(keyParameters));
      const grads = await Promise.all(
        picked(queryParameters).map(async ({ grad }) => (await grad!.data()) as Float32Array),
      );
      optimizer.step();

      const calls = await gpuCallsOf(() => {
        model.updateKeyEncoder();
        device.flush();
      });
      expect(calls).toMatchObject({
        dispatches: 1,
        kernels: ["momentumSgdEma"],
        copies: 0,
        submits: 1,
        buffers: step === 0 ? calls.buffers : 0,
      });

      // PyTorch's rule, in f64
      velocity = grads.map((grad, i) =>
        Float64Array.from(grad, (g, j) => {
          const decayed = g + decay * before[i]![j]!;
          return velocity ? mu * velocity[i]![j]! + decayed : decayed;
        }),
      );
      const after = await values(picked(queryParameters));
      const keysAfter = await values(picked(keyParameters));
      picks.forEach((_, i) => {
        for (let j = 0; j < after[i]!.length; j++) {
          const p = before[i]![j]! - lr * velocity![i]![j]!;
          const k = keysBefore[i]![j]! * m + p * (1 - m);
          // lr, momentum, decay and the results are rounded to f32, 6e-8 each; what is added up reaches 0.1
          if (Math.abs(after[i]![j]! - p) > 1e-6 * (Math.abs(p) + 0.01))
            expect.fail(`parameter ${picks[i]}[${j}]: got ${after[i]![j]}, PyTorch ${p}`);
          if (Math.abs(keysAfter[i]![j]! - k) > 1e-6 * (Math.abs(k) + 0.01))
            expect.fail(`key ${picks[i]}[${j}]: got ${keysAfter[i]![j]}, PyTorch ${k}`);
        }
      });
    }
  });
});

describe("a MoCo training step", () => {
  it("creates nothing after warm-up, and submits once", async () => {
    manualSeed(1);
    const norm = (channels: number): SplitBatchNorm2d => new SplitBatchNorm2d(channels, 4);
    const model = new MoCo(({ numClasses }) => tinyFlat({ numClasses, norm }), {
      dim: 32,
      queueSize: 64,
      momentum: 0.99,
      temperature: 0.1,
    });
    const optimizer = new SGD(model.encoderQ.parameters(), { lr: 0.06, momentum: 0.9, weightDecay: 5e-4 });
    const step = async (index: number): Promise<void> => {
      const { loss, top1 } = model.forward(rand([16, 1, 28, 28]), rand([16, 1, 28, 28]));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.paramGroups[0]!.lr = 0.06 * Math.cos(index / 100); // a schedule compiles nothing anew
      optimizer.step();
      expect(await loss.item()).toBeGreaterThan(0);
      expect(await top1.item()).toBeGreaterThanOrEqual(0);
    };
    for (let index = 0; index < 12; index++) await step(index);
    const plansBefore = device.counters().plansMade;
    const calls = await gpuCallsOf(async () => {
      for (let index = 12; index < 15; index++) await step(index);
    });
    expect(calls).toMatchObject({ submits: 3, buffers: 0, bindGroups: 0, pipelines: 0, modules: 0 });
    expect(device.counters().plansMade).toBe(plansBefore);
    expect(calls.kernels.filter((kernel) => kernel === "momentumSgdEma")).toHaveLength(3);
    expect(calls.kernels.filter((kernel) => kernel === "momentumSgd" || kernel === "ema")).toHaveLength(0);
  });

  it("gives the same bits for the same seed, and others for another", async () => {
    const run = async (seed: number): Promise<number[]> => {
      manualSeed(seed);
      const model = new MoCo(({ numClasses }) => tinyFlat({ numClasses }), {
        dim: 16,
        queueSize: 32,
        temperature: 0.1,
      });
      const optimizer = new SGD(model.encoderQ.parameters(), { lr: 0.06, momentum: 0.9 });
      const losses: number[] = [];
      for (let index = 0; index < 5; index++) {
        const { loss } = model.forward(rand([8, 1, 28, 28]), rand([8, 1, 28, 28]));
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        losses.push(await loss.item());
      }
      return losses;
    };
    const [first, again, other] = [await run(3), await run(3), await run(4)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
});

describe("a long loop", () => {
  it("holds GPU memory flat to the byte without any disposing", async () => {
    manualSeed(2);
    const model = new Sequential(new Linear(12, 16), new ReLU(), new Linear(16, 4));
    const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
    let after100 = 0;
    let total = 0;
    for (let step = 1; step <= 2000; step++) {
      const x = tensor(
        Float32Array.from({ length: 96 }, (_, i) => Math.sin(i * step)),
        { shape: [8, 12] },
      );
      const y = tensor(Int32Array.from({ length: 8 }, (_, i) => (i + step) % 4));
      const logits = model.forward(x);
      const loss = F.crossEntropy(logits, y);
      const accuracy = logits.argmax(1).eq(y).float().mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      total += (await loss.item()) + (await accuracy.item());
      if (step === 100) after100 = device.memory().liveByteLength;
    }
    expect(device.memory().liveByteLength).toBe(after100);
    expect(total).toBeGreaterThan(0);
  }, 120_000);
});
