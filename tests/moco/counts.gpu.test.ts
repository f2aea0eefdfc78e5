/** What a MoCo step costs, in counts: they are exact on every machine. */

import { beforeAll, describe, expect, it } from "vitest";
import { type Device, F, init, manualSeed, type Parameter, rand, type Tensor, tensor } from "flywheel";
import type { ImageSource } from "flywheel/data";
import { MoCo, MoCoTrainer, RECIPES } from "flywheel/moco";
import { resnet18, tinyFlat, tinyGap } from "flywheel/models";
import { Conv2d, Linear, Module, Sequential, ReLU, SplitBatchNorm2d } from "flywheel/nn";
import { SGD } from "flywheel/optim";
import { gpuCallsOf } from "../helpers/gpuCalls";

let device: Device;
beforeAll(async () => {
  device = await init({ device: "webgpu" });
});

const values = async (tensors: readonly Tensor[]): Promise<Float32Array[]> =>
  Promise.all(tensors.map(async (tensor) => (await tensor.data()) as Float32Array));

describe("the update of a ResNet-18 pair", () => {
  it(
    "is one dispatch for all 62 tensors in a training step, copies nothing, and is exact",
    { timeout: 300_000 },
    async () => {
      manualSeed(0);
      const [lr, mu, decay, m] = [0.05, 0.9, 1e-4, 0.99];
      const model = new MoCo(({ numClasses }) => resnet18({ numClasses, cifarStem: true }), {
        dim: 128,
        queueSize: 16,
        momentum: m,
      });
      const [queryParameters, keyParameters] = [model.encoderQ.parameters(), model.encoderK.parameters()];
      expect(queryParameters).toHaveLength(62);
      const optimizer = new SGD(queryParameters, { lr, momentum: mu, weightDecay: decay });
      const picks = [0, 1, 30, 59, 61];
      const picked = (parameters: readonly Parameter[]): Parameter[] => picks.map((index) => parameters[index]!);
      // PyTorch's rule, in f64, on gradients as they are read
      const expected = (await values(picked(queryParameters))).map((data) => new SgdEma(data, lr, mu, decay, m));

      const updates = /^(momentumSgd.*|ema)$/;
      for (let step = 0; step < 3; step++) {
        const calls = await gpuCallsOf(async () => {
          const { loss } = model.forward(rand([4, 3, 16, 16]), rand([4, 3, 16, 16]));
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
          expect(await loss.item()).toBeGreaterThan(0);
        });
        // the first forward finds nothing to update but the keys
        expect(calls.kernels.filter((kernel) => updates.test(kernel))).toEqual([
          step === 0 ? "ema" : "momentumSgdUniform",
        ]);
        // the loss, to the scalars and to the host
        expect(calls).toMatchObject({ copies: 2, submits: 1 });
        const grads = await values(picked(queryParameters).map(({ grad }) => grad!));
        expected.forEach((rule, index) => {
          rule.step(grads[index]!);
        });
      }

      const calls = await gpuCallsOf(() => {
        model.updateKeyEncoder();
        device.flush();
      });
      expect(calls).toMatchObject({ dispatches: 1, kernels: ["momentumSgdUniform"], copies: 0, submits: 1 });

      const [query, key] = [await values(picked(queryParameters)), await values(picked(keyParameters))];
      expected.forEach((rule, index) => {
        expectClose(`parameter ${picks[index]}`, query[index]!, rule.param);
        expectClose(`key ${picks[index]}`, key[index]!, rule.key);
      });
    },
  );
});

/** Momentum SGD as PyTorch has it, and the moving average that follows, in f64. */
class SgdEma {
  readonly param: Float64Array;
  readonly key: Float64Array;
  private readonly velocity: Float64Array;
  private isFirst = true;

  constructor(
    initial: Float32Array,
    private readonly lr: number,
    private readonly mu: number,
    private readonly decay: number,
    private readonly m: number,
  ) {
    this.param = Float64Array.from(initial);
    this.key = Float64Array.from(initial);
    this.velocity = new Float64Array(initial.length);
  }

  step(grad: Float32Array): void {
    const { param, key, velocity } = this;
    grad.forEach((g, i) => {
      const decayed = g + this.decay * param[i]!;
      velocity[i] = this.isFirst ? decayed : this.mu * velocity[i]! + decayed;
      param[i]! -= this.lr * velocity[i];
      key[i] = key[i]! * this.m + param[i]! * (1 - this.m);
    });
    this.isFirst = false;
  }
}

/** Three steps round lr, momentum, decay and results to f32, 6e-8 each; what is added up reaches 0.1. */
function expectClose(name: string, got: Float32Array, expected: Float64Array): void {
  expected.forEach((value, i) => {
    if (Math.abs(got[i]! - value) <= 2e-6 * (Math.abs(value) + 0.01)) return;
    expect.fail(`${name}[${i}]: got ${got[i]}, PyTorch ${value}`);
  });
}

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
    expect(calls.kernels.filter((kernel) => kernel === "momentumSgdUniform")).toHaveLength(3);
    expect(
      calls.kernels.filter((kernel) => kernel !== "momentumSgdUniform" && /^(momentumSgd|ema)/.test(kernel)),
    ).toHaveLength(0);
  });

  it("of a million images uploads a batch of them, and holds no more", async () => {
    const [batchSize, byteLength] = [16, 784];
    const recipe = { ...RECIPES.fashionMnist, batchSize, queueSize: 64, dim: 32 };
    const bytesOf = (rows: Int32Array): Uint8Array =>
      Uint8Array.from({ length: rows.length * byteLength }, (_, i) => rows[Math.floor(i / byteLength)]! * i);
    const million: ImageSource = {
      ...{ count: 1_000_000, channels: 1, height: 28, width: 28 },
      read: (rows) => Promise.resolve(bytesOf(rows)),
    };
    const held = tensor(bytesOf(Int32Array.from({ length: 20 }, (_, row) => row)), { shape: [20, 1, 28, 28] });
    /** Bytes uploaded in three steps, without the 256 of parameters that each dispatch has. */
    const uploadsOf = async (images: ImageSource | Tensor): Promise<number> => {
      manualSeed(2);
      const before = device.memory().liveByteLength;
      const trainer = new MoCoTrainer(images, tinyGap, recipe, { steps: 100 });
      const step = async (): Promise<void> => {
        await trainer.ready();
        expect(await trainer.step().loss.item()).toBeGreaterThan(0);
      };
      for (let index = 0; index < 12; index++) await step();
      const { liveByteLength } = device.memory();
      expect(liveByteLength - before).toBeLessThan(64 * 2 ** 20); // of 784 MB
      const { bytesUploaded } = device.counters();
      const calls = await gpuCallsOf(async () => {
        for (let index = 0; index < 3; index++) await step();
      });
      expect(calls).toMatchObject({ submits: 3, buffers: 0, bindGroups: 0, pipelines: 0 });
      expect(device.memory().liveByteLength).toBe(liveByteLength);
      return device.counters().bytesUploaded! - bytesUploaded! - 256 * calls.kernels.length;
    };
    const rowBytes = 4 * batchSize; // which of the images that are held
    const ofHeld = await uploadsOf(held);
    // no pixel: rows, their shuffled order and its inverse, and tables of the optimizer
    expect(ofHeld).toBeGreaterThanOrEqual(3 * 3 * rowBytes);
    expect(ofHeld).toBeLessThanOrEqual(3 * (3 * rowBytes + 1024));
    expect(await uploadsOf(million)).toBe(ofHeld + 3 * (batchSize * byteLength - rowBytes));
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

/** Convolutions with bias and ReLU, global average pooling, one linear layer. */
class SmallEncoder extends Module {
  readonly conv1 = new Conv2d(1, 16, 3, { stride: 2, padding: 1 });
  readonly conv2 = new Conv2d(16, 32, 3, { stride: 2, padding: 1 });
  readonly conv3 = new Conv2d(32, 64, 3, { stride: 2, padding: 1 });
  readonly fc = new Linear(64, 128);

  forward(x: Tensor): Tensor {
    const last = [this.conv1, this.conv2, this.conv3].reduce((value, conv) => conv.forward(value).relu(), x);
    return this.fc.forward(F.adaptiveAvgPool2d(last, 1).flatten(1));
  }
}

describe("a MoCo step of three convolutions", () => {
  it("takes at most 28 dispatches and one submit, and creates nothing", async () => {
    manualSeed(5);
    const model = new MoCo(() => new SmallEncoder(), { queueSize: 4096, temperature: 0.07, shuffle: false });
    const optimizer = new SGD(model.encoderQ.parameters(), { lr: 0.03, momentum: 0.9 });
    const [imQ, imK] = [await rand([64, 1, 28, 28]).realize(), await rand([64, 1, 28, 28]).realize()];
    const step = async (): Promise<void> => {
      const { loss } = model.forward(imQ, imK);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      expect(await loss.item()).toBeGreaterThan(0);
    };
    for (let index = 0; index < 12; index++) await step();
    const calls = await gpuCallsOf(step);
    expect(calls.dispatches).toBeLessThanOrEqual(28);
    expect(calls).toMatchObject({ submits: 1, buffers: 0, bindGroups: 0, pipelines: 0, modules: 0 });
  });
});

describe("the head of InfoNCE with its gradient", () => {
  it("takes at most six dispatches", async () => {
    const [query, own, queue] = [rand([64, 128]).sub(0.5), rand([64, 128]).sub(0.5), rand([4096, 128]).sub(0.5)];
    const leaf = (await query.realize()).requiresGrad_();
    for (const each of [own, queue]) await each.realize();
    const calls = await gpuCallsOf(async () => {
      F.infoNCE(leaf, own, queue).backward();
      await leaf.grad!.realize();
    });
    expect(calls.dispatches).toBeLessThanOrEqual(6);
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
