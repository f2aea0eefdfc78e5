/** MoCo beyond its trajectory: shuffling, the queue, checkpoints, refusals; and judging features by neighbours. */

import { describe, expect, test } from "vitest";
import { compile } from "../../src/compile";
import { ones, tensor, zeros } from "../../src/creation";
import { ShapeError, ValueError } from "../../src/errors";
import { contrastAccuracy, CosineMomentum, featuresOf, knnAccuracy, knnPredict, MoCo } from "../../src/moco";
import { tinyGap } from "../../src/models";
import * as nn from "../../src/nn";
import { SGD } from "../../src/optim";
import { Generator, manualSeed, rand, randn } from "../../src/random";
import type { Tensor } from "../../src/tensor";

const small = (options: ConstructorParameters<typeof MoCo>[1] = {}): MoCo =>
  new MoCo(
    () => new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 8), new nn.BatchNorm1d(8), new nn.Linear(8, 4)),
    {
      dim: 4,
      queueSize: 16,
      momentum: 0.9,
      temperature: 0.2,
      ...options,
    },
  );

const views = (step = 0): [Tensor, Tensor] => {
  const generator = new Generator(step);
  return [rand([8, 1, 4, 4], { generator }), rand([8, 1, 4, 4], { generator })];
};

const trainStep = (model: MoCo, optimizer: SGD, step: number): Tensor => {
  const { loss } = model.forward(...views(step));
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return loss;
};

export function contrast(): void {
  describe("MoCo", () => {
    test("starts with equal encoders, normalised keys and a pointer at 0", async () => {
      const model = small();
      const state = await nn.readState(model.stateDict());
      expect(Object.keys(state).slice(0, 2)).toEqual(["queue", "queue_ptr"]);
      expect(state["queue"]!.shape).toEqual([4, 16]);
      expect(state["queue_ptr"]).toEqual({ shape: [1], dtype: "i32", data: Int32Array.of(0) });
      for (const name of Object.keys(state).filter((key) => key.startsWith("encoder_q"))) {
        expect(state[name.replace("encoder_q", "encoder_k")]!.data).toEqual(state[name]!.data);
      }
      for (const length of await model.queue.norm(2, 1).data()) expect(length).toBeCloseTo(1, 5);
      expect(model.encoderK.parameters().some(({ requiresGrad }) => requiresGrad)).toBe(false);
    });

    test("enqueues a batch after its logits, and goes round", async () => {
      const model = small({ shuffle: false });
      const before = await model.queue.data();
      const { logits, keys } = model.forward(...views());
      const negatives = await logits.narrow(1, 1, 16).data();
      expect(model.queuePtr.value).toBe(8);
      const after = await model.queue.data();
      expect(after.subarray(32)).toEqual(before.subarray(32));
      expect([...after.subarray(0, 32)]).toEqual([...(await keys.data())]);
      expect(negatives).toHaveLength(8 * 16);
      model.forward(...views(1));
      model.forward(...views(2));
      expect(model.queuePtr.value).toBe(8);
    });

    test("shuffling changes nothing where samples do not see each other", async () => {
      const build = (shuffle: boolean): MoCo => {
        manualSeed(4);
        const encoder = (): nn.Layer => new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 4));
        return new MoCo(encoder, { dim: 4, queueSize: 16, shuffle });
      };
      const [shuffled, plain] = [build(true).forward(...views()), build(false).forward(...views())];
      const [a, b] = [await shuffled.keys.data(), await plain.keys.data()];
      a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 6));
      expect(await shuffled.loss.item()).toBeCloseTo(await plain.loss.item(), 5);
    });

    test("shuffling tells keys' statistics of other images than queries'", async () => {
      const groups = 2;
      const encoder = (): nn.Layer => new nn.Sequential(new nn.SplitBatchNorm2d(2, groups), new nn.Flatten());
      const generator = new Generator(3);
      const [imQ, imK] = [rand([8, 2, 1, 2], { generator }), rand([8, 2, 1, 2], { generator })];
      const keysOf = async (images: Tensor, permutation?: number[]): Promise<number[][]> => {
        const model = new MoCo(encoder, { dim: 4, queueSize: 16, shuffle: permutation !== undefined });
        const options = permutation ? { permutation } : {};
        return (await model.forward(imQ, images, options).keys.toArray()) as number[][];
      };
      /** Images whose keys move when image `row` does: those that BatchNorm sees with it. */
      const matesOf = async (row: number, permutation?: number[]): Promise<number[]> => {
        const change = tensor(Array.from({ length: 32 }, (_, i) => (i === 4 * row ? 1 : 0))).reshape([8, 2, 1, 2]);
        const [before, after] = [await keysOf(imK, permutation), await keysOf(imK.add(change), permutation)];
        const moved = (i: number): boolean => before[i]!.some((value, at) => Math.abs(value - after[i]![at]!) > 1e-4);
        return before.map((_, i) => i).filter(moved);
      };
      const sameGroup = (places: readonly number[], row: number): number[] =>
        places.filter((_, place) => place % groups === places.indexOf(row) % groups).sort((a, b) => a - b);
      const inOrder = [0, 1, 2, 3, 4, 5, 6, 7];
      const order = [0, 1, 3, 2, 4, 5, 7, 6];
      for (const row of inOrder) {
        expect(await matesOf(row), "those of its query, which gives it away").toEqual(sameGroup(inOrder, row));
        expect(await matesOf(row, order)).toEqual(sameGroup(order, row));
      }
      expect(sameGroup(order, 0)).toEqual([0, 3, 4, 7]); // and not 0, 2, 4, 6
    });

    test("moves the key encoder by m, the same with and without a pending step", async () => {
      const run = async (flush: boolean): Promise<Float32Array> => {
        manualSeed(5);
        const model = small({ generator: new Generator(1) });
        const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 0.01 });
        for (let step = 0; step < 3; step++) {
          trainStep(model, optimizer, step);
          if (flush) optimizer.device.flush(); // the update runs alone, and so does the average that follows
        }
        model.updateKeyEncoder();
        return (await model.encoderK.parameters()[0]!.data()) as Float32Array;
      };
      expect(await run(true)).toEqual(await run(false));
    });

    test("rounds m and 1 - m once each, from f64", async () => {
      const momentum = 0.999; // 1 - fround(m) is 0.001 and 5e-5 of it
      const encoders = {
        encoderQ: new nn.Linear(1, 4, { bias: false }),
        encoderK: new nn.Linear(1, 4, { bias: false }),
      };
      const model = new MoCo(encoders, { dim: 4, queueSize: 8, momentum });
      encoders.encoderQ.weight.assign(ones([4, 1]));
      encoders.encoderK.weight.assign(zeros([4, 1]));
      model.updateKeyEncoder();
      const expected = [1, 2].map((step) => 1 - momentum ** step);
      expect((await encoders.encoderK.weight.data())[0]! / expected[0]!).toBeCloseTo(1, 6);
      model.updateKeyEncoder();
      expect((await encoders.encoderK.weight.data())[0]! / expected[1]!).toBeCloseTo(1, 6);
    });

    test("gives keys no gradient, whatever the key encoder and its images ask for", async () => {
      const model = small();
      model.encoderK.requiresGrad_(true);
      const [imQ, imK] = views();
      imK.requiresGrad_();
      const { loss, keys } = model.forward(imQ, imK);
      expect(keys.requiresGrad).toBe(false);
      loss.backward();
      expect(imK.grad).toBeNull();
      expect(model.encoderK.parameters().map(({ grad }) => grad)).toEqual(model.encoderK.parameters().map(() => null));
      expect(await model.encoderQ.parameters()[0]!.grad!.abs().sum().item()).toBeGreaterThan(0);
    });

    test("moves parameters that lie in somebody else's arena one by one", async () => {
      manualSeed(6);
      const [encoderQ, encoderK] = [new nn.Linear(2, 4), new nn.Linear(2, 4)];
      const other = new nn.Linear(4, 4);
      new SGD([...encoderQ.parameters(), ...other.parameters()], { lr: 1 });
      const model = new MoCo({ encoderQ, encoderK }, { dim: 4, queueSize: 8, momentum: 0.75 });
      encoderQ.weight.assign(encoderQ.weight.add(1));
      model.updateKeyEncoder();
      const [q, k] = [await encoderQ.weight.data(), await encoderK.weight.data()];
      q.forEach((value, i) => expect(k[i]).toBeCloseTo(value - 0.75, 6));
    });

    test("a checkpoint between two steps continues to the bit", async () => {
      const start = (): { model: MoCo; optimizer: SGD } => {
        const model = small({ shuffle: false });
        return { model, optimizer: new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 0.01 }) };
      };
      manualSeed(8);
      const first = start();
      for (let step = 0; step < 3; step++) trainStep(first.model, first.optimizer, step);
      const saved = await nn.readState(first.model.stateDict());
      const second = start();
      second.model.loadStateDict(saved);
      second.optimizer.loadStateDict(first.optimizer.stateDict());
      const losses: number[][] = [];
      for (const { model, optimizer } of [first, second]) {
        const values: number[] = [];
        for (let step = 3; step < 6; step++) values.push(await trainStep(model, optimizer, step).item());
        losses.push(values);
      }
      expect(losses[1]).toEqual(losses[0]);
      expect(await nn.readState(second.model.stateDict())).toEqual(await nn.readState(first.model.stateDict()));
    });

    test("the loss may be read before backward", async () => {
      const run = async (early: boolean): Promise<number[]> => {
        manualSeed(9);
        const model = small({ shuffle: false });
        const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
        const values: number[] = [];
        for (let step = 0; step < 3; step++) {
          const output = model.forward(...views(step));
          if (early) values.push(await output.loss.item(), await output.top1.item());
          const top1 = output.top1;
          optimizer.zeroGrad();
          output.loss.backward();
          optimizer.step();
          if (!early) values.push(await output.loss.item(), await top1.item());
        }
        return values;
      };
      expect(await run(true)).toEqual(await run(false));
    });

    test("goes round a queue that is no multiple of the batch, compiled or not", async () => {
      const run = async (isCompiled: boolean): Promise<unknown[]> => {
        manualSeed(3);
        const model = small({ queueSize: 11 });
        const optimizer = new SGD(model.encoderQ.parameters(), { lr: 0.1, momentum: 0.9 });
        const train = (imQ: Tensor, imK: Tensor): Tensor => {
          const { loss } = model.forward(imQ, imK);
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
          return loss;
        };
        const step = isCompiled ? compile(train) : train;
        const losses: number[] = [];
        for (let i = 0; i < 6; i++) losses.push(await step(...views(i)).item());
        expect(model.queuePtr.value).toBe((6 * 8) % 11);
        return [...losses, await model.queue.data()];
      };
      expect(await run(true)).toEqual(await run(false));
    });

    test("keys of a batch that comes in parts follow the encoder once", async () => {
      const model = small({ shuffle: false });
      const optimizer = new SGD(model.encoderQ.parameters(), { lr: 0.5, momentum: 0.9 });
      trainStep(model, optimizer, 0);
      const weight = (): Promise<unknown> => model.encoderK.parameters()[0]!.data();
      model.forward(...views(1));
      const first = await weight();
      model.forward(...views(2), { updateKeyEncoder: false });
      expect(await weight()).toEqual(first);
      model.forward(...views(2));
      expect(await weight()).not.toEqual(first);
    });

    test("momentum rises to 1 by half a cosine, and goes on where it was", () => {
      const model = { momentum: 0.9 };
      const schedule = new CosineMomentum(model, 4);
      const seen = Array.from({ length: 6 }, () => {
        schedule.step();
        return model.momentum;
      });
      const expected = [1, 2, 3, 4, 4, 4].map((step) => 1 - 0.1 * 0.5 * (1 + Math.cos((Math.PI * step) / 4)));
      expect(seen).toEqual(expected);
      const other = { momentum: 0.5 };
      const resumed = new CosineMomentum(other, 4);
      resumed.loadStateDict({ ...schedule.stateDict(), last_epoch: 2 });
      expect(other.momentum).toBe(expected[1]);
      expect(() => new CosineMomentum(model, 0)).toThrow(ValueError);
      expect(() => resumed.loadStateDict({ last_epoch: -1, base: 0.9 })).toThrow(ValueError);
    });

    test("refuses what cannot be", () => {
      expect(() => small({ queueSize: 7 }).forward(...views())).toThrow(/queue must hold a batch's keys, got 8 keys/);
      expect(() => small({ queueSize: 15, symmetric: true }).forward(...views())).toThrow(
        /got 16 keys and queueSize 15/,
      );
      expect(() => small({ momentum: 2 })).toThrow(ValueError);
      expect(() => small({ temperature: 0 })).toThrow(ValueError);
      expect(() => small({ dim: 0 })).toThrow(ValueError);
      expect(() => small().forward(views()[0], views()[1].narrow(0, 0, 4))).toThrow(ShapeError);
      for (const permutation of [[0], [0, 0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6, 8], [0.5, 1, 2, 3, 4, 5, 6, 7]]) {
        expect(() => small().forward(...views(), { permutation })).toThrow(/permutation must hold each of 0\.\.7 once/);
      }
      const long = Array.from({ length: 300 }, () => 1);
      expect(() => small().forward(...views(), { permutation: long })).toThrow(
        "got [1, 1, 1, 1, 1, 1, 1, 1, ... of 300].",
      );
      expect(() => small().forward(views()[0], undefined as never)).toThrow(
        "MoCo: it takes a tensor, got undefined. Make one: tensor(values).",
      );
      expect(() => small({ momentum: "0.9" as never })).toThrow('momentum must be in [0, 1], got the string "0.9".');
      expect(() => small({ temperature: Infinity })).toThrow("temperature must be positive and finite, got Infinity.");
      const model = small();
      model.momentum = 7;
      expect(() => model.forward(...views())).toThrow(ValueError);
      for (const encoderK of [new nn.Linear(2, 4, { bias: false }), new nn.Linear(2, 3)]) {
        expect(() => new MoCo({ encoderQ: new nn.Linear(2, 4), encoderK })).toThrow(ValueError);
      }
      const encoderQ = new nn.Linear(2, 4);
      expect(() => new MoCo({ encoderQ, encoderK: encoderQ })).toThrow(/parameters of their own, got weight in both/);
      expect(() => new MoCo(() => encoderQ)).toThrow(ValueError);
      expect(encoderQ.weight.requiresGrad).toBe(true);
      expect(() => new MoCo({ encoderQ, encoderK: new nn.Linear(2, 4) }, { mlp: true })).toThrow(
        "MoCo: mlp is for a function that makes encoders, got both encoders. Give them the head, or pass a function.",
      );
    });

    test("accuracy counts how many negatives beat the positive", async () => {
      const logits = tensor([[5, 1, 2, 3], [1, 5, 2, 3], [2, 5, 1, 1]]); // prettier-ignore
      expect(await contrastAccuracy(logits, 1).item()).toBeCloseTo(100 / 3, 4);
      expect(await contrastAccuracy(logits, 2).item()).toBeCloseTo(200 / 3, 4);
    });

    test("no sample with a logit that is NaN counts as right", async () => {
      const logits = tensor([[NaN, 1, 2], [5, NaN, 2], [NaN, NaN, NaN], [5, 1, 2]]); // prettier-ignore
      for (const k of [1, 2, 5]) expect(await contrastAccuracy(logits, k).item()).toBe(25);
    });

    test("a model that gives NaN has an accuracy of 0", async () => {
      const model = small();
      const [imQ, imK] = views();
      const good = model.forward(imQ, imK);
      expect(await good.top5.item()).toBeGreaterThan(0);
      const { loss, top1, top5 } = model.forward(imQ.mul(NaN), imK);
      expect([await loss.item(), await top1.item(), await top5.item()]).toEqual([NaN, 0, 0]);
    });
  });

  describe("neighbours", () => {
    test("vote by similarity", async () => {
      const bank = tensor([[1, 0], [0.9, 0.1], [0, 1], [0.1, 1], [-1, 0]]); // prettier-ignore
      const bankLabels = tensor([0, 0, 1, 1, 2], { dtype: "i32" });
      const features = tensor([[3, 0.1], [0.2, 5], [-2, 0.3], [1, 0.9]]); // prettier-ignore
      const heard: number[][] = [];
      const onProgress = (...progress: number[]): void => void heard.push(progress);
      const predict = async (k: number, chunkSize: number): Promise<number[]> => [
        ...(await (await knnPredict({ bank, bankLabels, features, k, numClasses: 3, chunkSize, onProgress })).data()),
      ];
      expect(await predict(1, 256)).toEqual([0, 1, 2, 0]);
      expect(await predict(3, 3)).toEqual([0, 1, 2, 0]);
      expect(heard).toEqual([
        [4, 4],
        [3, 4],
        [4, 4],
      ]);
      const labels = tensor([0, 1, 0, 0], { dtype: "i32" });
      expect(await knnAccuracy({ bank, bankLabels, features, labels, k: 2, numClasses: 3 })).toBe(75);
      await expect(knnPredict({ bank, bankLabels, features, k: 6, numClasses: 3 })).rejects.toThrow(
        /k must be in 1..5/,
      );
      await expect(knnPredict({ bank, bankLabels, features: features.narrow(1, 0, 1), numClasses: 3 })).rejects.toThrow(
        ShapeError,
      );
    });

    test("weigh a vote by its temperature", async () => {
      const bank = tensor([[1, 0], [0.8, 0.6], [0.8, -0.6]]); // prettier-ignore
      const bankLabels = tensor([0, 1, 1], { dtype: "i32" });
      const predict = async (temperature: number): Promise<number> =>
        (await knnPredict({ bank, bankLabels, features: tensor([[2, 0]]), k: 3, temperature, numClasses: 2 })).item();
      // e ^ (1 / T) against 2 e ^ (0.8 / T): the one is ahead below 0.2 / ln 2
      expect(await predict(0.28)).toBe(0);
      expect(await predict(0.3)).toBe(1);
      expect(await predict(0.001)).toBe(0); // e ^ 1000 is more than f32 holds
      await expect(predict(0)).rejects.toThrow(ValueError);
      await expect(knnPredict({ bank, bankLabels, features: bank, k: 1, numClasses: 1 })).rejects.toThrow(
        /bankLabels must be in 0\.\.0, got 1/,
      );
    });

    test("features are of images, some at a time", async () => {
      const images = randn([2, 1, 28, 28]);
      await expect(featuresOf(tinyGap(), images, { batchSize: 0 })).rejects.toThrow(
        "featuresOf: batchSize must be a positive integer, got 0.",
      );
      await expect(featuresOf(tinyGap(), images.narrow(0, 0, 0))).rejects.toThrow("featuresOf: there must be images");
    });

    test("features come from the encoder in evaluation mode, batch by batch", async () => {
      const encoder = tinyGap();
      encoder.bn2.eval();
      const images = randn([5, 1, 28, 28]);
      const inBatches = await featuresOf(encoder, images, { batchSize: 2, prepare: (batch) => batch.mul(2) });
      expect([encoder.training, encoder.bn1.training, encoder.bn2.training]).toEqual([true, true, false]);
      expect(inBatches.requiresGrad).toBe(false);
      const atOnce = await featuresOf(encoder, images.mul(2));
      const [a, b] = [await inBatches.data(), await atOnce.data()];
      a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 5));
    });
  });
}
