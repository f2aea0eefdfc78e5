/**
 * MoCo on small images, from bytes to features: the demo's training, written only on flywheel's public API. It chooses encoder, recipe
 * and where images lie, and judges what was learnt; the steps are `MoCoTrainer`'s, the loop around them is in loop.ts. Knows nothing of
 * the page.
 */

import { adapterInfo, F, FormatError, Generator, manualSeed, Tensor, tensor, ValueError } from "flywheel";
import { type ImageSource, type Labels, normalize, selectImages } from "flywheel/data";
import { savedTuning, useTuning } from "flywheel/dev";
import { openSafetensors } from "flywheel/io";
import {
  type Augment,
  AUGMENTS,
  featuresOf,
  knnAccuracy,
  type LabeledSource,
  linearProbe,
  type MoCoRecipe,
  type MoCoStep,
  MoCoTrainer,
  RECIPES,
} from "flywheel/moco";
import { BANK_SIZE, neighbourCount } from "./bank";
import { fingerprintOf, spreadRows, type TrainingData, type TrainingPart } from "./dataset";
import { encodersFor } from "./encoders";
import { exportedFiles } from "./exports/files";
import { BATCH_NORM_SPLITS, keysPerStep } from "./options";
import type {
  ExportedFile,
  ExportKind,
  ImageSize,
  LabeledImage,
  MapEvent,
  NeighboursEvent,
  QueueEvent,
  ViewsEvent,
} from "./protocol";
import type { EncoderName, RecipeName } from "./recipePresets.mjs";
import { epochsOf } from "./recipes";
import type { OnProgress } from "./progress";
import { imagesProblem, readSavedImages, type SavedImages, savedImages } from "./savedImages";

export interface TrainingOptions {
  /** Augmentation, head and how the learning rate falls; the numbers are those below. */
  readonly recipe: RecipeName;
  readonly encoder: EncoderName;
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
  /** At the start. */
  readonly lr: number;
  readonly weightDecay: number;
  /** Whether keys are encoded in another order than queries. */
  readonly shuffle: "on" | "off";
  /** Whether each view is a query once and a key once; the loss is the sum of both. */
  readonly symmetric: "off" | "on";
  /** Of all randomness. */
  readonly seed: number;
  /** Whether to evaluate at all. */
  readonly evaluate: boolean;
  /** Steps between evaluations; null: only before and after training. */
  readonly evalEvery: number | null;
  /** Whether the first step's kernels are tuned, or taken as an earlier run found them fastest; see tuning.ts. */
  readonly tune: "off" | "on";
}

/** Features of some images, each of length 1, and their classes. */
export interface Embeddings {
  readonly count: number;
  readonly dim: number;
  /** `[count, dim]` */
  readonly features: Float32Array<ArrayBuffer>;
  readonly labels: Labels;
}

/** Most bytes of a part's images that lie on the device, where its bindings are as large. More of them are read a batch at a time. */
const MOST_HELD_BYTE_LENGTH = 2 ** 29;
/** Of linear probes: shorter than the official one, and standardised, which features of small images want. */
const PROBE = { epochs: 30, standardize: true, lr: 0.01, weightDecay: 1e-3 } as const;
/** Most keys and numbers of a key in the picture of the queue. */
const [QUEUE_ROWS, QUEUE_COLUMNS] = [512, 64];
/** Most test images of a map. */
const MAP_IMAGES = 1000;
/** Images that are encoded at once when evaluating. */
const EVAL_BATCH = 500;

/** The recipe of that name with a run's own numbers. */
function recipeOf(options: TrainingOptions, trainCount: number): MoCoRecipe {
  const { recipe, encoder, steps, batchSize, queueSize, dim, temperature, momentum, lr, weightDecay } = options;
  const original = RECIPES[recipe];
  return {
    ...original,
    ...epochsOf(original, { steps, batchesPerEpoch: Math.floor(trainCount / batchSize) }),
    ...{ arch: encoder, splits: BATCH_NORM_SPLITS, dim, queueSize, keyMomentum: momentum, temperature },
    ...{ batchSize, lr, weightDecay, shuffle: options.shuffle === "on", symmetric: options.symmetric === "on" },
  };
}

/** What of a run's options a checkpoint keeps, so that they need not be given again. */
const KEPT = [
  ...[
    "recipe",
    "encoder",
    "steps",
    "batchSize",
    "queueSize",
    "dim",
    "temperature",
    "momentum",
    "lr",
    "weightDecay",
    "shuffle",
    "symmetric",
    "seed",
  ],
] as readonly (keyof TrainingOptions)[];

/** Images on the device, or where they are read when they are needed. */
type Images = Tensor | ImageSource;

/** The model, the data, one step of training, and how to judge it. */
export class Training {
  private readonly trainer: MoCoTrainer<Images>;
  private readonly bankImages: Images; // the first of the training images
  private readonly augment: Augment;
  /** Whether its kernels are those that tuning found, in this run or in the one that is gone on with. */
  private tuned: boolean;

  /** @param images u8 `[count, channels, height, width]` of each part */
  private constructor(
    private readonly data: TrainingData,
    private readonly options: TrainingOptions,
    private readonly images: { readonly train: Images; readonly test: Images },
  ) {
    const { encoder, steps, seed, tune } = options;
    const { train, summary } = data;
    this.tuned = tune === "on";
    manualSeed(seed);
    this.bankImages = firstOf(images.train, Math.min(BANK_SIZE, train.count));
    const recipe = recipeOf(options, train.count);
    const { statistics } = summary;
    this.augment = (images, rows, drawn) => AUGMENTS[recipe.augmentation](images, rows, { ...drawn, statistics });
    const given = { steps, seed, augment: this.augment };
    this.trainer = new MoCoTrainer(images.train, encodersFor(summary)[encoder], recipe, given);
  }

  /** @param heldByteLength bytes of a part that are brought to the device; one that has more is read when it is needed */
  static async make(
    data: TrainingData,
    options: TrainingOptions,
    heldByteLength = Math.min(MOST_HELD_BYTE_LENGTH, adapterInfo().maxStorageBufferBindingSize),
  ): Promise<Training> {
    const images = async (part: TrainingPart): Promise<Images> =>
      part.count * byteLengthOf(part) <= heldByteLength ? await tensorOf(part, firstRows(part.count)) : part;
    return new Training(data, options, { train: await images(data.train), test: await images(data.test) });
  }

  /** Whether images have classes to be judged by. */
  get hasClasses(): boolean {
    return this.data.summary.classNames.length > 0;
  }

  /** Whether its kernels are those that tuning found. */
  get isTuned(): boolean {
    return this.tuned;
  }

  /** Steps that were done, those before a checkpoint included. */
  get stepsDone(): number {
    return this.trainer.stepsDone;
  }

  /** The learning rate of the next step. */
  get lr(): number {
    return this.trainer.schedule.getLastLr()[0]!;
  }

  /** What the queue holds now. */
  async queuePicture(): Promise<QueueEvent> {
    const { queue, queuePtr, queueSize, dim } = this.trainer.model;
    const [rowStep, columnStep] = [Math.ceil(queueSize / QUEUE_ROWS), Math.ceil(dim / QUEUE_COLUMNS)];
    const some = queue.detach().index(`::${rowStep}`, `::${columnStep}`); // numbers of about 1 / sqrt(dim)
    const bytes = some
      .mul(48 * Math.sqrt(dim))
      .add(128)
      .clamp(0, 255)
      .to("u8");
    const [height = 0, width = 0] = bytes.shape;
    const keys = this.stepsDone * keysPerStep(this.options);
    return {
      type: "queue",
      ...{ height, width, pixels: (await bytes.data()) as Uint8Array },
      pointer: queuePtr.value / queueSize,
      filled: Math.min(1, keys / queueSize),
    };
  }

  /** Waits for the images of the next step. */
  ready(): Promise<void> {
    return this.trainer.ready();
  }

  /** One step of Algorithm 1, once `ready` has waited. What it gives can be read later: it does not wait for the device. */
  step(): Step {
    return this.trainer.step();
  }

  /**
   * All that the next steps depend on, as a file.
   *
   * @param notes of the run, which `load` gives back
   */
  async save(notes: Readonly<Record<string, string>>): Promise<Uint8Array> {
    const options = JSON.stringify(Object.fromEntries(KEPT.map((name) => [name, this.options[name]])));
    const all: Record<string, string> = { ...notes, options, images: savedImages(await this.printedImages()) };
    if (this.tuned) all["tuning"] = savedTuning(); // other kernels, other last bits
    return this.trainer.save(all);
  }

  /**
   * Goes on from a file that `save` made, with the kernels of that run; the options must be those of it, but for `tune`: other kernels
   * would give other last bits.
   *
   * @throws ValueError if its images are others; FormatError if its kernels are another adapter's, or as `MoCoTrainer.load`
   */
  async load(file: Blob): Promise<Record<string, string>> {
    const { metadata } = await openSafetensors(file);
    const problem = imagesProblem(readSavedImages(metadata["images"]), await this.printedImages());
    if (problem !== null) throw new ValueError(problem);
    const { tuning, ...notes } = await this.trainer.load(await file.arrayBuffer());
    const isTuned = tuning !== undefined && this.options.device === "webgpu"; // the CPU has no variants
    if (isTuned && !useTuning(tuning)) {
      throw new FormatError(
        "The checkpoint was made with kernels tuned for another adapter, browser or version. Resume it where it was saved, or start anew.",
      );
    }
    this.tuned = isTuned;
    return notes;
  }

  /** What a file says of the images. */
  private async printedImages(): Promise<Required<SavedImages>> {
    return { ...this.data.summary, fingerprint: await fingerprintOf(this.data.train) };
  }

  /** Features of bank and test images by the query encoder as it is now; and what they are worth. */
  async evaluate(onProgress?: OnProgress): Promise<Evaluation> {
    const [bankCount, testCount] = [this.bankImages, this.images.test].map(countOf) as [number, number];
    const from =
      (start: number): OnProgress =>
      (done) =>
        onProgress?.(start + done, bankCount + testCount);
    const bank = await this.directionsOf(this.bankImages, from(0)); // [m, dim]
    const test = await this.directionsOf(this.images.test, from(bankCount)); // [n, dim]
    return new Evaluation(bank, test, this.data);
  }

  /** Features by the query encoder as it is now, each of length 1, as the loss compares them. */
  private async directionsOf(images: Images, onProgress?: OnProgress): Promise<Tensor> {
    const options = { batchSize: EVAL_BATCH, prepare: this.prepare, ...(onProgress && { onProgress }) };
    using features = await featuresOf(this.trainer.model.encoderQ, images, options);
    return await F.normalize(features, { dim: 1 }).realize();
  }

  /** Some test images, evenly many from the first to the last, and their features. */
  async mapped(onProgress?: OnProgress): Promise<Omit<MapEvent, "type" | "step">> {
    const { test } = this.data;
    const rows = spreadRows(test.count, MAP_IMAGES);
    using images = await tensorOf(test, rows);
    using features = await this.directionsOf(images, onProgress);
    return {
      ...{ ...sizeOf(test), rows, pixels: (await images.data()) as Uint8Array },
      ...{ labels: this.hasClasses ? labelsOf(test, rows) : null, classes: this.data.summary.classNames },
      dim: features.size(1),
      features: (await features.data()) as Float32Array,
    };
  }

  /**
   * The run as it is, as files for other programs.
   * @param onProgress hears how many images are encoded, if any must be
   */
  async exported(what: ExportKind, onProgress?: OnProgress): Promise<ExportedFile[]> {
    const { model, optimizer, sampler } = this.trainer;
    const labels = this.hasClasses ? this.data.test.labels : null;
    return exportedFiles(what, {
      ...{ model, optimizer, labels, classes: this.data.summary.classNames },
      ...{ step: this.stepsDone, epoch: sampler.epoch, arch: this.options.encoder },
      testFeatures: () => this.directionsOf(this.images.test, onProgress),
    });
  }

  /**
   * Share of the test images that a linear classifier on the features tells right; the encoder stays as it is.
   * @param labels whose labels it is trained on: the bank's, or those of all training images
   * @param heard hear how many images are encoded, and how many epochs are done
   */
  async linearProbe(
    labels: "bank" | "all",
    heard: { readonly onProgress?: OnProgress; readonly onEpoch?: OnProgress } = {},
  ): Promise<number> {
    if (!this.hasClasses)
      throw new ValueError(
        "Images must have classes to be told apart, got none. Choose a folder with a folder for each.",
      );
    const labeled = (images: Images, { labels }: TrainingPart): LabeledSource => ({
      images,
      labels: tensor(Int32Array.from(labels.subarray(0, countOf(images)))),
    });
    const { top1 } = await linearProbe({
      encoder: this.trainer.model.encoderQ,
      train: labeled(labels === "all" ? this.images.train : this.bankImages, this.data.train),
      test: labeled(this.images.test, this.data.test),
      numClasses: this.data.summary.classNames.length,
      prepare: this.prepare,
      encodeBatchSize: EVAL_BATCH,
      ...(heard.onProgress && { onProgress: heard.onProgress }),
      onEpoch: ({ epoch, epochs }) => heard.onEpoch?.(epoch, epochs),
      ...PROBE,
    });
    return top1 / 100;
  }

  /** Bytes as encoders take them, without augmentation. */
  private readonly prepare = (bytes: Tensor): Tensor => {
    const { mean, std } = this.data.summary.statistics;
    return normalize(bytes.float().div(255), mean, std);
  };

  /** Two views of some training images, drawn for show: training does not notice. */
  async views(count: number): Promise<ViewsEvent> {
    const { train, summary } = this.data;
    const { mean, std } = summary.statistics;
    const perChannel = (values: number | readonly number[]): number | Tensor =>
      typeof values === "number" ? values : tensor(values, { shape: [values.length, 1, 1] });
    const generator = new Generator(2 ** 32);
    const rows = firstRows(count);
    using images = await tensorOf(train, rows);
    const draw = async (): Promise<Uint8Array> => {
      const view = this.augment(images, tensor(rows), { generator }).mul(perChannel(std)).add(perChannel(mean));
      return (await view.mul(255).round().to("u8").data()) as Uint8Array;
    };
    const [first, second] = [await draw(), await draw()];
    return { type: "views", ...sizeOf(train), originals: (await images.data()) as Uint8Array, first, second };
  }
}

/** What one step gives, still on the device. */
export type Step = MoCoStep;

/** Features of the bank and of the test images, each of length 1. They lie on the device until `dispose`. */
export class Evaluation {
  constructor(
    private readonly bank: Tensor, // [m, dim]
    private readonly test: Tensor, // [n, dim]
    private readonly data: TrainingData,
  ) {}

  /** Share of the test images that their nearest bank images classify right. */
  async knnAccuracy(onProgress?: OnProgress): Promise<number> {
    const labels = (of: TrainingPart, features: Tensor): Tensor =>
      tensor(Int32Array.from(of.labels.subarray(0, features.size(0))));
    const percent = await knnAccuracy({
      bank: this.bank,
      bankLabels: labels(this.data.train, this.bank),
      features: this.test,
      labels: labels(this.data.test, this.test),
      k: neighbourCount(this.bank.size(0)),
      temperature: 0.1,
      numClasses: this.data.summary.classNames.length,
      chunkSize: EVAL_BATCH,
      ...(onProgress && { onProgress }),
    });
    return percent / 100;
  }

  /** The nearest bank images of some test images. */
  async neighbours(step: number, { queryCount = 6, nearestCount = 6 } = {}): Promise<NeighboursEvent> {
    const { train, test } = this.data;
    const rows = queryRows(test.labels, queryCount);
    const count = Math.min(nearestCount, this.bank.size(0));
    const queries = this.test.indexSelect(0, tensor(Int32Array.from(rows)));
    const nearest = await queries.matmul(this.bank.transpose(0, 1)).topk(count).indices.data(); // [queries, count]
    const found = rows.map((_, i) => Array.from(nearest.subarray(i * count, (i + 1) * count)));
    const images = await imagesOf(test, rows);
    const neighbours = await imagesOf(train, found.flat());
    return {
      type: "neighbours",
      step,
      ...sizeOf(test),
      queries: images.map((image, i) => ({ image, nearest: neighbours.slice(i * count, (i + 1) * count) })),
    };
  }

  /** Everything on the host. */
  async embeddings(): Promise<{ bank: Embeddings; test: Embeddings }> {
    const toHost = async (features: Tensor, { labels }: TrainingPart): Promise<Embeddings> => {
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

/** Rows 0, 1, ... */
const firstRows = (count: number): Int32Array => Int32Array.from({ length: count }, (_, row) => row);

const countOf = (images: Images): number => (images instanceof Tensor ? images.size(0) : images.count);

const firstOf = (images: Images, count: number): Images =>
  images instanceof Tensor ? images.narrow(0, 0, count) : selectImages(images, firstRows(count));

/** Some images, on the device. */
async function tensorOf(part: TrainingPart, rows: Int32Array): Promise<Tensor> {
  const { channels, height, width } = part;
  return tensor(await part.read(rows), { shape: [rows.length, channels, height, width] });
}

const labelsOf = ({ labels }: TrainingPart, rows: Int32Array): Int32Array =>
  Int32Array.from(rows, (row) => labels[row]!);

const sizeOf = ({ channels, height, width }: TrainingPart): ImageSize => ({ channels, height, width });

/** Of one image. */
const byteLengthOf = ({ channels, height, width }: ImageSize): number => channels * height * width;

/** The first row of each class, then the second of each, until there are enough. */
function queryRows(labels: Labels, count: number): number[] {
  const seen = new Map<number, number>();
  const places = Array.from(labels, (label, row) => {
    const earlier = seen.get(label) ?? 0;
    seen.set(label, earlier + 1);
    return { row, label, earlier };
  });
  places.sort((a, b) => a.earlier - b.earlier || a.label - b.label);
  return places.slice(0, count).map(({ row }) => row);
}

/** Some images, each on its own. */
async function imagesOf(part: TrainingPart, rows: readonly number[]): Promise<LabeledImage[]> {
  const byteLength = byteLengthOf(part);
  const bytes = await part.read(Int32Array.from(rows));
  return rows.map((row, i) => ({
    pixels: bytes.slice(i * byteLength, (i + 1) * byteLength),
    label: part.labels[row]!,
  }));
}
