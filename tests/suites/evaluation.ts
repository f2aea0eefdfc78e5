/** Linear classification of frozen features: against PyTorch's minimum, against the recipe written out, and what may not move. */

import { describe, expect, test } from "vitest";
import { eye, tensor } from "../../src/creation";
import { EpochSampler, imageSource } from "../../src/data";
import { defaultDevice } from "../../src/device";
import { DTypeError, FrozenStateError, IndexError, ShapeError, ValueError } from "../../src/errors";
import * as F from "../../src/functional";
import {
  type EpochReport,
  featuresOf,
  fewLabels,
  fineTune,
  type FineTuneOptions,
  type LabeledTensors,
  linearProbe,
  type LinearProbeOptions,
  MoCoTrainer,
  RECIPES,
} from "../../src/moco";
import { accuraciesOf } from "../../src/moco/labeled";
import { tinyGap } from "../../src/models";
import * as nn from "../../src/nn";
import { SGD } from "../../src/optim";
import { defaultGenerator, Generator, rand, randn } from "../../src/random";
import { realize, type Tensor } from "../../src/tensor";
import goldens from "../goldens/evaluation.json";
import { goldenTensor, goldenValues } from "./golden";

/** A backbone that is nothing: images are features. */
class Bare extends nn.Module {
  features(x: Tensor): Tensor {
    return x;
  }
}

/** A backbone with parameters, buffers of both kinds and a counter. */
class Backbone extends nn.Module {
  readonly layer = new nn.Linear(3, 8);
  readonly norm = new nn.BatchNorm1d(8);
  readonly hidden = new nn.Buffer(tensor([1, 2]), { persistent: false });
  readonly head = new nn.Linear(8, 2);

  features(x: Tensor): Tensor {
    return this.norm.forward(this.layer.forward(x)).relu();
  }
}

const { probe } = goldens;
const points: { train: LabeledTensors; test: LabeledTensors } = {
  train: { images: goldenTensor(probe.features), labels: goldenTensor(probe.labels) },
  test: { images: goldenTensor(probe.testFeatures), labels: goldenTensor(probe.testLabels) },
};

const ENOUGH = new Error("enough");

/** Two classes that a line tells apart, with noise. */
function blobs(count: number, seed: number): LabeledTensors {
  const generator = new Generator(seed);
  const labels = rand([count], { generator }).gt(0.5).int();
  const images = randn([count, 3], { generator }).add(labels.float().mul(2).unsqueeze(1));
  return { images, labels };
}

const small = <E extends nn.Module>(
  encoder: E,
  options: Partial<LinearProbeOptions<E>> = {},
): LinearProbeOptions<E> => ({
  encoder,
  train: blobs(22, 1),
  test: blobs(16, 2),
  numClasses: 2,
  epochs: 5,
  lr: 0.5,
  batchSize: 8,
  ...options,
});

/** Accuracies of scores as they are: a layer of the identity. */
async function accuraciesOfScores(scores: number[][], labels: number[]): Promise<number[]> {
  const classes = scores[0]!.length;
  const layer = new nn.Linear(classes, classes, { bias: false });
  layer.weight.assign(eye(classes));
  const { top1, top5 } = await accuraciesOf(layer, tensor(scores), tensor(labels, { dtype: "i32" }), 2);
  return [top1, top5];
}

export function linearClassification(): void {
  describe("accuracies", () => {
    test("of equal scores the first class wins", async () => {
      const none = new Array<number>(7).fill(0);
      expect(await accuraciesOfScores([none, none, none, none], [0, 1, 4, 5])).toEqual([25, 75]);
      expect(await accuraciesOfScores([[1, 2, 2], [1, 2, 2], [3, 2, 3]], [1, 2, 0])).toEqual([200 / 3, 100]); // prettier-ignore
    });

    test("scores that are no numbers are wrong, however few classes there are", async () => {
      const wrong = [NaN, NaN];
      expect(await accuraciesOfScores([wrong, wrong, [1, 0], [0, 1]], [0, 1, 0, 1])).toEqual([50, 50]);
      expect(await accuraciesOfScores([[Infinity, 0], [0, 1]], [0, 1])).toEqual([50, 50]); // prettier-ignore
    });
  });

  describe("linearProbe", () => {
    test.each([false, true])("finds PyTorch's minimum, augment %s", async (isAugmented) => {
      // full batches: the gradient has no noise, and weight decay makes the minimum one
      const { top1, top5, classifier, losses } = await linearProbe({
        encoder: new Bare(),
        ...points,
        numClasses: probe.numClasses,
        weightDecay: probe.weightDecay,
        lr: 0.3,
        epochs: 300,
        milestones: [],
        ...(isAugmented && { augment: (x: Tensor) => x }),
      });
      expect(losses).toHaveLength(300);
      const [weight, bias] = [await classifier.weight.data(), await classifier.bias!.data()];
      // f32: near the minimum the gradient is what its own rounding leaves, 1e-6, by a curvature of at least 0.05
      goldenValues(probe.weight).forEach((value, i) => expect(weight[i], `weight ${i}`).toBeCloseTo(value, 4));
      goldenValues(probe.bias).forEach((value, i) => expect(bias[i], `bias ${i}`).toBeCloseTo(value, 4));
      expect(top1).toBeCloseTo(probe.top1, 10);
      expect(top5).toBeCloseTo(probe.top5, 10);
    });

    test("is the official recipe: normal weights, SGD, a tenth of the rate at the milestones", async () => {
      const encoder = new Backbone();
      const reports: EpochReport[] = [];
      const options = small(encoder, {
        epochs: 5,
        milestones: [2, 4],
        seed: 3,
        onEpoch: (report) => reports.push(report),
      });
      const { classifier, losses, top1 } = await linearProbe(options);

      encoder.eval();
      const { images, labels } = options.train as LabeledTensors;
      const own = new nn.Linear(8, 2);
      nn.init.normal_(own.weight, 0, 0.01, { generator: new Generator(3) });
      nn.init.zeros_(own.bias!);
      const optimizer = new SGD(own.parameters(), { lr: 0.5, momentum: 0.9 });
      const sampler = new EpochSampler(22, { batchSize: 8, dropLast: false, seed: 3 });
      const expected: number[] = [];
      for (const lr of [0.5, 0.5, 0.05, 0.05, 0.005]) {
        optimizer.paramGroups[0]!.lr = lr;
        let total = 0;
        for (const rows of sampler) {
          const index = tensor(rows);
          const features = encoder.features(images.indexSelect(0, index)).detach();
          const loss = F.crossEntropy(own.forward(features), labels.indexSelect(0, index));
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
          total += await loss.item();
        }
        expected.push(total / 3);
      }
      // other kernels where features are read from memory, not computed on the way: rounding only
      expected.forEach((loss, epoch) => expect(losses[epoch], `epoch ${epoch}`).toBeCloseTo(loss, 5));
      const [got, want] = [await classifier.weight.data(), await own.weight.data()];
      want.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 5));
      expect(reports.map(({ epoch, epochs }) => [epoch, epochs])).toEqual([1, 2, 3, 4, 5].map((epoch) => [epoch, 5]));
      [0.5, 0.5, 0.05, 0.05, 0.005].forEach((lr, epoch) => expect(reports[epoch]!.lr).toBeCloseTo(lr, 10));
      expect(reports.map(({ loss }) => loss)).toEqual(losses);
      const scores = own.forward(encoder.features(options.test.images as Tensor));
      const right = scores.argmax(1).eq(options.test.labels).float().mean().mul(100);
      expect(top1).toBeCloseTo(await right.item(), 4);
    });

    test("reads images when they are needed: the same features, and the same layer", async () => {
      const bytes = Uint8Array.from({ length: 22 * 3 }, (_, i) => (i * 83 + 7 * (i % 3)) % 256);
      const labels = tensor(Uint8Array.from({ length: 22 }, (_, i) => i % 2)).int();
      const source = imageSource({
        images: bytes,
        labels: new Uint8Array(22),
        count: 22,
        channels: 3,
        height: 1,
        width: 1,
      });
      const images = tensor(bytes, { shape: [22, 3, 1, 1] });
      const prepare = (x: Tensor): Tensor => x.float().div(255).flatten(1);
      const encoder = new Backbone();
      const features = (each: Backbone, x: Tensor): Tensor => each.features(x);
      const layer = new nn.Linear(3, 4);
      const heard: [number, number][] = [];
      const onProgress = (...progress: [number, number]): void => void heard.push(progress);
      const held = await featuresOf(layer, images, { prepare, batchSize: 8, onProgress });
      const read = await featuresOf(layer, source, { prepare, batchSize: 8, onProgress });
      expect(await read.toArray()).toEqual(await held.toArray());
      expect(heard).toEqual([8, 16, 22, 8, 16, 22].map((done) => [done, 22]));

      heard.length = 0;
      const probes = [images, source].map((from) => {
        const part = { images: from, labels };
        const options = { features, prepare, train: part, test: part, encodeBatchSize: 8, onProgress };
        return linearProbe(small(encoder, options));
      });
      const [heldProbe, readProbe] = [await probes[0]!, await probes[1]!];
      expect(heard.filter(([, count]) => count === 44)).toHaveLength(12); // training and test images, twice
      expect(heard.at(-1)).toEqual([44, 44]);
      expect(readProbe.losses).toEqual(heldProbe.losses);
      expect(readProbe.top1).toBe(heldProbe.top1);
      const part = { images: source, labels };
      const augmented = small(encoder, { features, prepare, train: part, augment: prepare });
      await expect(linearProbe(augmented)).rejects.toThrow(/train\.images must be a tensor/);
      await expect(fineTune({ ...small(encoder, { features, prepare }), train: part as never })).rejects.toThrow(
        DTypeError,
      );
      const short = { images: source, labels: labels.narrow(0, 0, 3) };
      await expect(linearProbe(small(encoder, { train: short }))).rejects.toThrow(/got \[22, 3, 1, 1\] and \[3\]/);
    });

    test("standardize is a layer on standardised features, in the weights of one on the features themselves", async () => {
      const scale = tensor([10, 0.3, 0]);
      const seen = ({ images, labels }: LabeledTensors): LabeledTensors => ({
        images: images.mul(scale).add(tensor([-50, 3, 7])),
        labels,
      });
      const train = blobs(40, 1);
      const test = blobs(30, 2);
      const options = small(new Bare(), { standardize: true, epochs: 8 });
      const found = await linearProbe({ ...options, train: seen(train), test: seen(test) });

      const change = (x: Tensor): Tensor => x.sub(train.images.mean(0)).div(train.images.std(0, { unbiased: false }));
      const moved = ({ images, labels }: LabeledTensors): LabeledTensors => ({
        images: change(images).mul(tensor([1, 1, 0])), // the third says nothing
        labels,
      });
      const same = await linearProbe({ ...options, standardize: false, train: moved(train), test: moved(test) });
      // 1e-5 of the mean variance is added to each: 0.4 % of the second's
      found.losses.forEach((loss, epoch) => expect(loss, `epoch ${epoch}`).toBeCloseTo(same.losses[epoch]!, 2));
      const scores = await found.classifier.forward(seen(test).images).data();
      const expected = await same.classifier.forward(moved(test).images).data();
      expected.forEach((score, i) => expect(scores[i], `score ${i}`).toBeCloseTo(score, 1));
      expect(found.top1).toBe(same.top1);
    });

    test("leaves the encoder, its mode and others' random numbers as they are", async () => {
      const encoder = new Backbone();
      encoder.norm.eval();
      const before = await nn.readState(encoder.stateDict());
      const { offset } = defaultGenerator().getState();
      for (const augment of [undefined, (x: Tensor) => x.mul(1)]) {
        await linearProbe(small(encoder, augment && { augment }));
        expect(await nn.readState(encoder.stateDict())).toEqual(before);
        expect([encoder.training, encoder.layer.training, encoder.norm.training]).toEqual([true, true, false]);
        expect(encoder.parameters().every(({ grad }) => grad === null)).toBe(true);
        expect(defaultGenerator().getState().offset).toBe(offset);
      }
    });

    test("an encoder that moved is an error that names what", async () => {
      const moves: [string, (encoder: Backbone) => void][] = [
        ["norm.running_mean", (encoder) => encoder.norm.train()],
        ["norm.num_batches_tracked", (encoder) => encoder.norm.train()],
        ["head.bias", ({ head }) => head.bias!.assign(head.bias!.add(1))],
        ["hidden", ({ hidden }) => hidden.assign(hidden.add(1))],
      ];
      for (const [name, move] of moves) {
        const run = linearProbe(
          small(new Backbone(), {
            features: (encoder, x) => {
              move(encoder);
              return encoder.features(x);
            },
          }),
        );
        await expect(run).rejects.toThrow(FrozenStateError);
        await expect(run).rejects.toThrow(name);
      }
    });

    test("images are augmented anew at every step, and the test images never", async () => {
      const encoder = tinyGap();
      const labels = tensor([0, 1, 0, 1, 1], { dtype: "i32" });
      const images = rand([5, 1, 28, 28]).mul(255).to("u8");
      const prepare = (x: Tensor): Tensor => x.float().div(255);
      const options = { encoder, train: { images, labels }, test: { images, labels }, numClasses: 2, prepare };
      const common = { ...options, epochs: 3, lr: 0.1, batchSize: 4, milestones: [] };
      const generator = new Generator(5);
      const augmented = await linearProbe({
        ...common,
        augment: (x) => prepare(x).add(rand([x.size(0), 1, 1, 1], { generator })),
      });
      expect(generator.getState().offset).toBe(6); // a block of four words for 4 and for 1 image, three times
      const plain = await linearProbe({ ...common, augment: prepare });
      const cached = await linearProbe(common);
      plain.losses.forEach((loss, epoch) => expect(loss).toBeCloseTo(cached.losses[epoch]!, 4));
      expect(Math.abs(augmented.losses[2]! - cached.losses[2]!)).toBeGreaterThan(1e-4);
      const features = encoder.eval().features(prepare(images));
      const top1 = augmented.classifier.forward(features).argmax(1).eq(labels).float().mean().mul(100);
      expect(augmented.top1).toBeCloseTo(await top1.item(), 4);
    });

    test("a rate that is too high is an error, not a good result", async () => {
      await expect(linearProbe(small(new Bare(), { lr: 1e38, epochs: 9 }))).rejects.toThrow(
        /the loss must stay finite, got (NaN|Infinity) in epoch \d at a rate of 1e\+38. Use a smaller rate/,
      );
    });

    test("says what does not fit", async () => {
      const fails = async (options: object, error: unknown, message: string): Promise<void> => {
        const run = linearProbe({ ...small(new Bare()), ...options } as never);
        await expect(run).rejects.toThrow(error);
        await expect(run).rejects.toThrow(message);
      };
      const train = blobs(4, 0);
      await fails({ encoder: new nn.Linear(3, 2) }, DTypeError, "the encoder must have a method features(x)");
      await fails({ features: 3 }, ValueError, "features must be a function");
      await fails(
        { features: (_: unknown, x: Tensor) => x.unsqueeze(1) },
        ShapeError,
        "features must be [n, dim], got [22, 1, 3]",
      );
      await fails(
        { train: { ...train, labels: tensor([0, 1, 2, 0]).int() } },
        IndexError,
        "train.labels must be integers in 0..1, got 2",
      );
      await fails({ test: { ...train, labels: tensor([0, 1]).int() } }, ShapeError, "got [4, 3] and [2]");
      await fails({ test: { images: [1] } }, DTypeError, "test.images must be a tensor, got an array");
      await fails({ epochs: 0 }, ValueError, "epochs must be a positive integer, got 0");
      await fails({ learningRate: 3 }, ValueError, "options must have names of encoder");
    });

    if (defaultDevice().kind !== "webgpu") return;
    test("frees features, though somebody threw", async () => {
      const device = defaultDevice();
      const [train, heldOut] = [blobs(5000, 1), blobs(5000, 2)];
      for (const { images, labels } of [train, heldOut]) await realize(images, labels);
      const bytesHeld = (): number => {
        device.flush(); // a step that was to follow may have read them
        const computed = device.memory().byName.filter(({ name }) => name === "features" || name === "tensor");
        return computed.reduce((total, { byteLength }) => total + byteLength, 0);
      };
      const bytesKept = async (options: Partial<LinearProbeOptions<Bare>>): Promise<number> => {
        const before = bytesHeld(); // images, labels, and what others left to the collector
        const all = small(new Bare(), { train, test: heldOut, epochs: 1, batchSize: 1000, ...options });
        await linearProbe(all).catch((error: unknown) => {
          if (error !== ENOUGH) throw error;
        });
        return bytesHeld() - before;
      };
      const onEpoch = (): void => {
        throw ENOUGH;
      };
      for (const options of [{}, { onEpoch }, { encodeBatchSize: 1000 }, { standardize: true, onEpoch }]) {
        // Features and labels of 5000 images are 60 kB and 20 kB; weights of 3 by 3 and the like are the collector's.
        expect(await bytesKept(options), Object.keys(options).join()).toBeLessThan(5000);
      }
    });

    test.each([false, true])("replays its step on the GPU, augment %s", async (isAugmented) => {
      let calls = 0;
      const encoder = new Backbone();
      await linearProbe(
        small(encoder, {
          train: blobs(80, 1),
          epochs: 6,
          features: (each, x) => {
            calls++;
            return each.features(x);
          },
          ...(isAugmented && { augment: (x: Tensor) => x.mul(2) }),
        }),
      );
      // 60 steps; what is encoded for the test images is one batch
      expect(calls).toBeLessThan(isAugmented ? 8 : 3);
    });
  });
}

export function fineTuning(): void {
  const few = <E extends nn.Module>(encoder: E, options: Partial<FineTuneOptions<E>> = {}): FineTuneOptions<E> => ({
    encoder,
    train: blobs(22, 1),
    test: blobs(40, 2),
    numClasses: 2,
    epochs: 4,
    batchSize: 8,
    ...options,
  });

  describe("fineTune", () => {
    test("trains encoder and head at rates of their own, along a cosine, as the loop written out does", async () => {
      const encoder = new Backbone();
      const options = few(encoder, { lr: 0.05, headLr: 0.4, seed: 3 });
      const own = new Backbone();
      own.loadStateDict(encoder.stateDict());
      const found = await fineTune(options);

      const { images, labels } = options.train;
      const head = new nn.Linear(8, 2);
      nn.init.normal_(head.weight, 0, 0.01, { generator: new Generator(3) });
      nn.init.zeros_(head.bias!);
      const optimizer = new SGD([{ params: own.parameters() }, { params: head.parameters() }], {
        lr: 0,
        momentum: 0.9,
        weightDecay: 1e-4,
      });
      const sampler = new EpochSampler(22, { batchSize: 8, seed: 3 });
      for (let step = 0; step < 8; step++) {
        const factor = (1 + Math.cos((Math.PI * step) / 8)) / 2;
        optimizer.paramGroups[0]!.lr = 0.05 * factor;
        optimizer.paramGroups[1]!.lr = 0.4 * factor;
        const index = tensor(sampler.next());
        const scores = head.forward(own.features(images.indexSelect(0, index)));
        const loss = F.crossEntropy(scores, labels.indexSelect(0, index));
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
      }
      // one plan reads state that the other one made elsewhere: rounding only, over eight steps
      const expected = await nn.readState({ ...own.stateDict(), ...head.stateDict() });
      const got = await nn.readState({ ...found.encoder.stateDict(), ...found.classifier.stateDict() });
      for (const [name, { data }] of Object.entries(expected)) {
        data.forEach((value, i) => expect(got[name]!.data[i], `${name} ${i}`).toBeCloseTo(value, 4));
      }
      const scores = head.forward(own.eval().features(options.test.images as Tensor));
      const right = scores.argmax(1).eq(options.test.labels).float().mean().mul(100);
      expect(found.top1).toBeCloseTo(await right.item(), 4);
      expect(found.losses).toHaveLength(4);
      expect(found.losses[3]).toBeLessThan(found.losses[0]!);
    });

    test("leaves the encoder as it is, though it is frozen", async () => {
      const encoder = new Backbone().requiresGrad_(false).eval();
      const before = await nn.readState(encoder.stateDict());
      const { encoder: trained } = await fineTune(few(encoder));
      expect(await nn.readState(encoder.stateDict())).toEqual(before);
      expect(encoder.parameters().some(({ requiresGrad }) => requiresGrad)).toBe(false);
      expect(trained.training).toBe(false);
      const after = await nn.readState(trained.stateDict());
      for (const name of ["layer.weight", "norm.weight", "norm.running_mean"]) {
        expect(after[name]!.data, name).not.toEqual(before[name]!.data);
      }
      expect(after["head.weight"]).toEqual(before["head.weight"]); // the old head is not asked
    });

    test("takes a trainer's own encoder, whose BatchNorm has groups, with batches of any size", async () => {
      const images = rand([16, 1, 28, 28]).mul(255).to("u8");
      const recipe = { ...RECIPES.fashionMnist, queueSize: 16, batchSize: 16 };
      const encoder = new MoCoTrainer(images, tinyGap, recipe, { steps: 1 }).model.encoderQ;
      const labels = tensor(Int32Array.from({ length: 16 }, (_, row) => row % 2));
      const part = { images, labels };
      const options = { train: part, test: part, epochs: 1, batchSize: 5, prepare: (x: Tensor) => x.float().div(255) };
      const splitsOf = (module: nn.Module): number[] =>
        [...module.modules()].flatMap((each) => (each instanceof nn.SplitBatchNorm2d ? [each.numSplits] : []));
      const found = await fineTune(few(encoder, options));
      expect(splitsOf(found.encoder)).toEqual([1, 1, 1]);
      expect(splitsOf(encoder)).toEqual([8, 8, 8]);
    });

    test("views of training images are augmented, those of the test prepared", async () => {
      const seen: string[] = [];
      const batch = (name: string, x: Tensor): Tensor => {
        seen.push(`${name} ${x.size(0)}`);
        return x;
      };
      const options = few(new Backbone(), {
        epochs: 1,
        prepare: (x) => batch("prepare", x),
        augment: (x) => batch("augment", x),
      });
      await fineTune(options);
      expect(seen).toEqual(["prepare 1", "augment 8", "augment 8", "prepare 40"]);
    });

    test("says what does not fit", async () => {
      await expect(fineTune(few(new Backbone(), { lr: -1 }))).rejects.toThrow(ValueError);
      await expect(fineTune(few(new Backbone(), { epochs: 1.5 }))).rejects.toThrow("epochs must be a positive integer");
      await expect(fineTune(few(new nn.Linear(3, 2) as never))).rejects.toThrow(DTypeError);
      await expect(fineTune(few(new Backbone(), { numClasses: 1 }))).rejects.toThrow(IndexError);
    });
  });
}

export function subsets(): void {
  describe("fewLabels", () => {
    const labels = Uint8Array.from({ length: 60 }, (_, row) => [2, 0, 0, 1, 0, 1][row % 6]!); // 30, 20, 10

    const counts = (rows: Int32Array): number[] =>
      [0, 1, 2].map((label) => rows.filter((row) => labels[row] === label).length);

    test("takes as many of each class, the same ones for a seed", () => {
      const rows = fewLabels(labels, { perClass: 4, seed: 1 });
      expect(counts(rows)).toEqual([4, 4, 4]);
      expect([...rows]).toEqual([...new Set(rows)].toSorted((a, b) => a - b));
      expect(fewLabels([...labels], { perClass: 4, seed: 1 })).toEqual(rows);
      expect(fewLabels(labels, { perClass: 4, seed: 2 })).not.toEqual(rows);
    });

    test("takes a part of each class, one at least", () => {
      expect(counts(fewLabels(labels, { fraction: 0.1 }))).toEqual([3, 2, 1]);
      expect(counts(fewLabels(labels, { fraction: 0.001 }))).toEqual([1, 1, 1]);
      expect(fewLabels(labels, { fraction: 1 })).toEqual(Int32Array.from({ length: 60 }, (_, row) => row));
    });

    test("says what cannot be", () => {
      expect(() => fewLabels(labels, { perClass: 11 })).toThrow("each class must have 11 rows, got 10 of class 2.");
      expect(() => fewLabels(labels, {})).toThrow(
        "either perClass or fraction must be given, got undefined and undefined.",
      );
      expect(() => fewLabels(labels, { perClass: 1, fraction: 0.5 })).toThrow(ValueError);
      expect(() => fewLabels(labels, { fraction: 0 })).toThrow("fraction must be above 0 and up to 1, got 0.");
      expect(() => fewLabels(labels, { perClass: 0 })).toThrow("perClass must be a positive integer, got 0.");
    });
  });
}
