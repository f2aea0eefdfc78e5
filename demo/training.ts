/**
 * MoCo on Fashion-MNIST, from images to features: the demo's training, written only on flywheel's public API. Read
 * `Training` for the recipe; the loop around it is in loop.ts. Knows nothing of the page.
 */

import { compile, F, Generator, manualSeed, randperm, type Tensor, tensor, ValueError } from "flywheel";
import { FASHION_MNIST_STATISTICS, type LabeledImages, mocoAugment, normalize } from "flywheel/data";
import { featuresOf, knnAccuracy, MoCo } from "flywheel/moco";
import { type Norm, resnet18, resnet8, tinyFlat, tinyGap } from "flywheel/models";
import { SplitBatchNorm2d } from "flywheel/nn";
import { CosineAnnealingLR, SGD } from "flywheel/optim";
import { BATCH_NORM_SPLITS } from "./options";
import type { LabeledImage, NeighboursEvent, ViewsEvent } from "./protocol";

export interface TrainingOptions {
  readonly encoder: "tinyFlat" | "tinyGap" | "resnet8" | "resnet18";
  readonly device: "webgpu" | "cpu";
  readonly steps: number;
  /** A multiple of BATCH_NORM_SPLITS. */
  readonly batchSize: number;
  /** At least the batch size. */
  readonly queueSize: number;
  /** Length of a feature vector. */
  readonly dim: number;
  readonly temperature: number;
  /** Of the key encoder's moving average. */
  readonly momentum: number;
  /** At the start; a half cosine takes it to 0. */
  readonly lr: number;
  readonly weightDecay: number;
  /** Of all randomness. */
  readonly seed: number;
  /** Whether to evaluate at all. */
  readonly evaluate: boolean;
  /** Steps between evaluations; null: only before and after training. */
  readonly evalEvery: number | null;
  /** Whether the first step's kernels are tuned, or taken as an earlier run found them fastest; see tuning.ts. */
  readonly tune: "off" | "on";
}

export interface TrainingData {
  readonly train: LabeledImages;
  readonly test: LabeledImages;
}

/** Features of some images, each of length 1, and their classes. */
export interface Embeddings {
  readonly count: number;
  readonly dim: number;
  /** `[count, dim]` */
  readonly features: Float32Array<ArrayBuffer>;
  readonly labels: Uint8Array<ArrayBuffer>;
}

/** Labelled images that kNN asks: the first of the training images. */
const BANK_SIZE = 10_000;
const NEIGHBOURS = 200;
const NUM_CLASSES = 10;
/** Images that are encoded at once when evaluating. */
const EVAL_BATCH = 500;

const ENCODERS = {
  tinyFlat: (numClasses: number, norm: Norm) => tinyFlat({ numClasses, norm }),
  tinyGap: (numClasses: number, norm: Norm) => tinyGap({ numClasses, norm }),
  resnet8: (numClasses: number, norm: Norm) => resnet8({ numClasses, norm }),
  resnet18: (numClasses: number, norm: Norm) => resnet18({ numClasses, norm, inChannels: 1, cifarStem: true }),
};

/** The model, the data on the device, one step of training, and how to judge it. */
export class Training {
  private readonly model: MoCo;
  private readonly optimizer: SGD;
  private readonly schedule: CosineAnnealingLR;
  private readonly trainImages: Tensor; // u8 [count, 1, 28, 28]
  private readonly testImages: Tensor; // u8 [count, 1, 28, 28]
  private readonly bankImages: Tensor; // the first of the training images
  private readonly batches: AsyncIterator<Int32Array, never>;

  /** Recorded twice, then replayed: no graph is built. Rows are i32 `[n]`. */
  private readonly trainOn = compile((rows: Tensor): Step => {
    const [imQ, imK] = [mocoAugment(this.trainImages, rows), mocoAugment(this.trainImages, rows)];
    const { loss, top1 } = this.model.forward(imQ, imK);
    this.optimizer.zeroGrad();
    loss.backward();
    this.optimizer.step();
    this.schedule.step();
    return { loss, top1 };
  });

  constructor(
    private readonly data: TrainingData,
    { encoder, steps, batchSize, queueSize, dim, temperature, momentum, lr, weightDecay, seed }: TrainingOptions,
  ) {
    const { train, test } = data;
    if (batchSize > train.count) {
      throw new ValueError(
        `The batch size must be at most the number of training images, got ${batchSize} and ${train.count}.`,
      );
    }
    manualSeed(seed);
    this.trainImages = tensor(train.images, { shape: [train.count, 1, train.height, train.width] });
    this.testImages = tensor(test.images, { shape: [test.count, 1, test.height, test.width] });
    this.bankImages = this.trainImages.narrow(0, 0, Math.min(BANK_SIZE, train.count));
    this.batches = batchesOf(train.count, batchSize);

    const norm: Norm = (channels) => new SplitBatchNorm2d(channels, BATCH_NORM_SPLITS);
    this.model = new MoCo(({ numClasses }) => ENCODERS[encoder](numClasses, norm), {
      dim,
      queueSize,
      momentum,
      temperature,
    });
    this.optimizer = new SGD(this.model.encoderQ.parameters(), { lr, momentum: 0.9, weightDecay });
    this.schedule = new CosineAnnealingLR(this.optimizer, steps);
  }

  /** One step of Algorithm 1. What it gives can be read later: it does not wait for the device. */
  async step(): Promise<Step> {
    return this.trainOn(tensor((await this.batches.next()).value));
  }

  /** Features of bank and test images by the query encoder as it is now; and what they are worth. */
  async evaluate(): Promise<Evaluation> {
    const directions = async (images: Tensor): Promise<Tensor> => {
      const options = { batchSize: EVAL_BATCH, prepare: withoutAugmentation };
      using features = await featuresOf(this.model.encoderQ, images, options);
      return await F.normalize(features, { dim: 1 }).realize(); // as the loss compares them
    };
    const bank = await directions(this.bankImages); // [m, dim]
    const test = await directions(this.testImages); // [n, dim]
    return new Evaluation(bank, test, this.data);
  }

  /** Two views of some training images, drawn for show: training does not notice. */
  async views(count: number): Promise<ViewsEvent> {
    const { height, width, images } = this.data.train;
    const generator = new Generator(2 ** 32);
    const rows = tensor(Int32Array.from({ length: count }, (_, i) => i));
    const draw = async (): Promise<Uint8Array> => {
      const { mean, std } = FASHION_MNIST_STATISTICS;
      const view = mocoAugment(this.trainImages, rows, { generator }).mul(std).add(mean);
      return (await view.mul(255).round().to("u8").data()) as Uint8Array;
    };
    const [first, second] = [await draw(), await draw()];
    return { type: "views", height, width, originals: images.slice(0, count * height * width), first, second };
  }
}

/** What one step gives, still on the device. */
export interface Step {
  readonly loss: Tensor; // []
  readonly top1: Tensor; // [], percent
}

/** Rows of `count` images, a batch at a time: in a new random order each epoch; what does not fill a batch is dropped. */
async function* batchesOf(count: number, batchSize: number): AsyncGenerator<Int32Array, never> {
  for (;;) {
    const order = (await randperm(count).data()) as Int32Array;
    for (let start = 0; start + batchSize <= count; start += batchSize) yield order.slice(start, start + batchSize);
  }
}

/** Bytes as encoders take them. */
function withoutAugmentation(bytes: Tensor): Tensor {
  const { mean, std } = FASHION_MNIST_STATISTICS;
  return normalize(bytes.float().div(255), mean, std);
}

/** Features of the bank and of the test images, each of length 1. They lie on the device until `dispose`. */
export class Evaluation {
  constructor(
    private readonly bank: Tensor, // [m, dim]
    private readonly test: Tensor, // [n, dim]
    private readonly data: TrainingData,
  ) {}

  /** Share of the test images that their 200 nearest bank images classify right. */
  async knnAccuracy(): Promise<number> {
    const labels = (of: LabeledImages, features: Tensor): Tensor =>
      tensor(Int32Array.from(of.labels.subarray(0, features.size(0))));
    const percent = await knnAccuracy({
      bank: this.bank,
      bankLabels: labels(this.data.train, this.bank),
      features: this.test,
      labels: labels(this.data.test, this.test),
      k: Math.min(NEIGHBOURS, this.bank.size(0)),
      temperature: 0.1,
      numClasses: NUM_CLASSES,
      chunkSize: EVAL_BATCH,
    });
    return percent / 100;
  }

  /** The nearest bank images of the first test image of each of some classes. */
  async neighbours(step: number, { queryCount = 6, count = 6 } = {}): Promise<NeighboursEvent> {
    const { train, test } = this.data;
    const rows = Array.from({ length: NUM_CLASSES }, (_, label) => test.labels.indexOf(label))
      .filter((row) => row >= 0)
      .slice(0, queryCount);
    const queries = this.test.indexSelect(0, tensor(Int32Array.from(rows)));
    const nearest = await queries.matmul(this.bank.transpose(0, 1)).topk(count).indices.data(); // [queries, count]
    return {
      type: "neighbours",
      step,
      height: test.height,
      width: test.width,
      queries: rows.map((row, i) => ({
        image: imageOf(test, row),
        nearest: Array.from(nearest.subarray(i * count, (i + 1) * count), (found) => imageOf(train, found)),
      })),
    };
  }

  /** Everything on the host. */
  async embeddings(): Promise<{ bank: Embeddings; test: Embeddings }> {
    const toHost = async (features: Tensor, { labels }: LabeledImages): Promise<Embeddings> => {
      const [count = 0, dim = 0] = features.shape;
      return {
        count,
        dim,
        features: (await features.data()) as Float32Array<ArrayBuffer>,
        labels: labels.slice(0, count),
      };
    };
    return { bank: await toHost(this.bank, this.data.train), test: await toHost(this.test, this.data.test) };
  }

  dispose(): void {
    this.bank.dispose();
    this.test.dispose();
  }
}

function imageOf({ images, labels, height, width }: LabeledImages, row: number): LabeledImage {
  const area = height * width;
  return { pixels: images.slice(row * area, (row + 1) * area), label: labels[row]! };
}
