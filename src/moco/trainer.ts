/**
 * A training of MoCo by a recipe: model, optimizer, learning rate, batches and views, one compiled step after the other, and a
 * checkpoint at any moment.
 */

import { compile } from "../compile";
import { arange, tensor } from "../creation";
import {
  cifarAugment,
  EpochSampler,
  ImageLoader,
  mocoAugment,
  mocoV1Augment,
  mocoV2Augment,
  type Statistics,
} from "../data";
import { checkSource, type ImageSource } from "../data/imageSource";
import { defaultDevice, type Device } from "../device";
import { StateDictError, ValueError } from "../errors";
import { hostAction } from "../hostState";
import { batchNorm2d, type Norm } from "../models";
import { type Layer, SplitBatchNorm2d } from "../nn";
import { AdamW, LambdaLR, type Optimizer, SGD } from "../optim";
import { checkCounts, checkOptionNames, describe } from "../options";
import { defaultGenerator, Generator } from "../random";
import { Tensor } from "../tensor";
import { type CheckpointParts, readCheckpoint, writeCheckpoint } from "./checkpoint";
import { checkMomentum } from "./checks";
import { MoCo } from "./moco";
import { CosineMomentum } from "./momentumSchedule";
import { type AugmentationName, checkedRecipe, lrFactor, type MoCoRecipe } from "./recipes";

/** Makes an encoder with the head and the normalisation that it is given, as the functions of `models` do. */
export type TrainerEncoder = (options: { numClasses: number; head: "linear" | "mlp"; norm: Norm }) => Layer;

/**
 * One random view of each of some images. Draw from the generator, and a checkpoint goes on with the same views. Rows say which of the images,
 * which may be all of them or, where they are read when they are needed, those of the batch alone.
 */
export type Augment = (images: Tensor, rows: Tensor, options: { readonly generator: Generator }) => Tensor;

/** Options of MoCoTrainer. */
export interface MoCoTrainerOptions {
  /** Steps in all; default: the recipe's epochs. A cosine per step reaches 0 there. */
  readonly steps?: number;
  /** Integer, 0 to 2^53: of the batches, views, permutations and the first queue; default 0. `manualSeed` is for the encoders' weights. */
  readonly seed?: number;
  /** Default: the recipe's chain of `AUGMENTS`, with the images' own size. */
  readonly augment?: Augment;
  /**
   * Parts that a batch is encoded in, one after the other, for want of memory: gradients add up. Each is a batch of its own to the
   * queue, so the keys of one are negatives of the next. Default 1.
   */
  readonly accumulationSteps?: number;
  /** See `MoCo`. */
  readonly streaming?: boolean;
  /** Of images that are read when they are needed: see `ImageLoader`. */
  readonly prefetchFactor?: number;
}

/** What a checkpoint says of the trainer itself. */
export interface TrainerState {
  readonly recipe: MoCoRecipe;
  readonly steps: number;
  readonly accumulationSteps: number;
  /** See `MoCo`; null: by size. Other kernels add up in another order. Files of before it was kept do not have it. */
  readonly streaming?: boolean | null;
  /** m as it was set last. */
  readonly keyMomentum: number;
}

/** What a step gives, still on the device. */
export interface MoCoStep {
  /** `[]` */
  readonly loss: Tensor;
  /** Percent of the queries that are nearest to their own key, `[]`. */
  readonly top1: Tensor;
}

const OPTION_NAMES = ["steps", "seed", "augment", "accumulationSteps", "streaming", "prefetchFactor"];

/** Where the words of views and permutations begin: far from those of weights, which `manualSeed` of the same seed draws. */
const FIRST_BLOCK = 2 ** 51;

/** What the chains of recipes may be given: where to draw from, and the images' statistics. */
export interface RecipeAugmentOptions {
  readonly generator?: Generator;
  /** Default: those of the chain's own data set, of as many channels as its images have. */
  readonly statistics?: Statistics;
}

/**
 * The chains by the names that recipes have: one random view of each of some images.
 *
 * @example
 * const statistics = channelStatistics(train);
 * const augment: Augment = (images, rows, options) => AUGMENTS[recipe.augmentation](images, rows, { ...options, statistics });
 * const trainer = new MoCoTrainer(images, encoder, recipe, { augment });
 */
export const AUGMENTS: Readonly<
  Record<AugmentationName, (images: Tensor, rows: Tensor, options?: RecipeAugmentOptions) => Tensor>
> = {
  v1: mocoV1Augment,
  v2: mocoV2Augment,
  cifar: cifarAugment,
  fashionMnist: mocoAugment,
};

/**
 * Trains MoCo.
 *
 * Images are a tensor, or are read when they are needed: a batch is uploaded for each step, and those to come are read meanwhile. Either
 * way the same seed gives the same bits, and the checkpoints of one go on in the other.
 *
 * @param images u8 `[count, c, h, w]`, which stay on the device; or an ImageSource, of a file say, larger than its memory
 * @param encoder called twice
 * @param recipe one of `RECIPES`, or of one's own
 * @param options see MoCoTrainerOptions
 * @throws ValueError if numbers do not fit together
 *
 * @example
 * const trainer = new MoCoTrainer(images, tinyFlat, RECIPES.fashionMnist, { steps: 300, seed: 0 });
 * for (let step = 0; step < 300; step++) {
 *   const { loss } = trainer.step();
 *   if (step % 50 === 0) console.log(await loss.item());
 * }
 * const checkpoint = await trainer.save();
 *
 * @example
 * const trainer = new MoCoTrainer(await openImages(file), resnet18, RECIPES.v2);
 * while (trainer.stepsDone < trainer.steps) {
 *   await trainer.ready(); // the next batch has been read
 *   trainer.step();
 * }
 */
export class MoCoTrainer<Images extends Tensor | ImageSource = Tensor> {
  readonly model: MoCo;
  readonly optimizer: Optimizer;
  readonly schedule: LambdaLR;
  /** Of m; null where it stays as it is. */
  readonly momentumSchedule: CosineMomentum | null;
  readonly sampler: EpochSampler;
  /** Steps in all. */
  readonly steps: number;
  /** Where views, permutations and the first queue come from. */
  readonly generator: Generator;
  private readonly device: Device;
  private readonly augment: Augment;
  private readonly accumulationSteps: number;
  /** Of images that are no tensor. */
  private readonly loader: ImageLoader | null;

  /** Of images that are no tensor, the rows of a batch, all in order, i32 `[batchSize]`: they go to the device once. */
  private readonly allRows: Tensor;

  /** Whether keys of the step that is under way are in the queue. */
  private hasEnqueued = false;
  /** Of its own, so that a recorded step keeps none of what its maker saw. */
  private readonly noteEnqueued = (): void => void (this.hasEnqueued = true);

  /** Recorded twice, then replayed: no graph is built. Given rows, i32 `[batchSize]`, of a batch of images, or of those that are held. */
  private readonly trainOn = compile(
    ({ batch, rows }: { readonly batch?: Tensor; readonly rows: Tensor }): MoCoStep => {
      const images = batch ?? (this.images as Tensor);
      const parts = rows.reshape([this.accumulationSteps, -1]);
      this.optimizer.zeroGrad();
      const outputs = Array.from({ length: this.accumulationSteps }, (_, part) =>
        this.forward(images, parts.select(0, part), part),
      );
      this.optimizer.step();
      this.schedule.step();
      this.momentumSchedule?.step();
      const mean = (values: Tensor[]): Tensor => values.reduce((a, b) => a.add(b)).div(values.length);
      return outputs.length === 1
        ? outputs[0]!
        : { loss: mean(outputs.map(({ loss }) => loss)), top1: mean(outputs.map(({ top1 }) => top1)) };
    },
  );

  constructor(
    readonly images: Images,
    encoder: TrainerEncoder,
    readonly recipe: MoCoRecipe,
    options: MoCoTrainerOptions = {},
  ) {
    checkOptionNames("MoCoTrainer", options, OPTION_NAMES);
    checkedRecipe(recipe);
    const { seed = 0, accumulationSteps = 1, augment = AUGMENTS[recipe.augmentation] } = options;
    const { streaming, prefetchFactor } = options;
    const { dim, queueSize, keyMomentum, temperature, mlp, symmetric, shuffle, splits, batchSize, epochs } = recipe;
    checkCounts("MoCoTrainer", { accumulationSteps });
    if (batchSize % (accumulationSteps * splits) !== 0) {
      throw new ValueError(
        `MoCoTrainer: parts of a batch must be of one size that BatchNorm's groups divide, got ${accumulationSteps} parts and ${splits} groups of ${batchSize}. Change one of them.`,
      );
    }
    const keyCount = (batchSize / accumulationSteps) * (symmetric ? 2 : 1);
    if (keyCount > queueSize) {
      throw new ValueError(
        `MoCoTrainer: queueSize must be at least the keys of ${accumulationSteps === 1 ? "a batch" : "a part of a batch"}, got ${queueSize} for ${keyCount} keys${symmetric ? ", two of each image" : ""}. Change queueSize, or batchSize.`,
      );
    }
    this.augment = augment;
    this.accumulationSteps = accumulationSteps;
    this.generator = new Generator(seed).setState({ seed, offset: FIRST_BLOCK });
    if (images instanceof Tensor) {
      if (prefetchFactor !== undefined) {
        throw new ValueError(
          `MoCoTrainer: prefetchFactor must be left out where images are a tensor, got ${describe(prefetchFactor)}. Nothing is read ahead there.`,
        );
      }
      this.device = images.device;
      this.sampler = new EpochSampler(images.size(0), { batchSize, seed });
      this.loader = null;
    } else {
      checkSource("MoCoTrainer", images);
      this.device = defaultDevice();
      this.sampler = new EpochSampler(images.count, { batchSize, seed });
      this.loader = new ImageLoader(images, this.sampler, { ...(prefetchFactor !== undefined && { prefetchFactor }) });
    }
    this.allRows = arange(batchSize, { device: this.device });
    this.steps = options.steps ?? epochs * this.sampler.batchesPerEpoch;
    checkCounts("MoCoTrainer", { steps: this.steps });

    const norm: Norm = splits === 1 ? batchNorm2d : (channels) => new SplitBatchNorm2d(channels, splits);
    this.model = new MoCo((head) => encoder({ ...head, norm }), {
      ...{ dim, queueSize, momentum: keyMomentum, temperature, mlp, symmetric, shuffle, generator: this.generator },
      ...(streaming !== undefined && { streaming }),
    });
    this.optimizer = optimizerOf(recipe, this.model);
    this.schedule = new LambdaLR(this.optimizer, lrFactor(recipe, this.sampler.batchesPerEpoch, this.steps));
    this.momentumSchedule = recipe.keyMomentumRule === "cosine" ? new CosineMomentum(this.model, this.steps) : null;
  }

  /** Steps that were done. */
  get stepsDone(): number {
    return this.schedule.lastEpoch;
  }

  /**
   * Waits until the next batch is here and can be trained on. A tensor's always is.
   *
   * @throws what the source of the images throws. Nothing has changed then, and the next call reads the batch anew
   */
  async ready(): Promise<void> {
    await this.loader?.ready();
  }

  /**
   * One step of Algorithm 1. What it gives can be read later: it does not wait for the device. Where something throws, `augment` say, the
   * next step is on the same batch; or on the next one where keys of a part are in the queue, as they are no negatives of their own images.
   *
   * @throws ValueError if the images are read when they are needed, and `ready` has not waited for them
   */
  step(): MoCoStep {
    const place = this.sampler.stateDict();
    const words = this.generator.getState();
    const done = this.stepsDone;
    try {
      return this.nextStep();
    } catch (error) {
      if (this.stepsDone === done && !this.hasEnqueued) {
        this.sampler.loadStateDict(place);
        this.generator.setState(words);
      }
      throw error;
    }
  }

  private nextStep(): MoCoStep {
    const { loader, device } = this;
    this.hasEnqueued = false;
    if (!loader) return this.trainOn({ rows: tensor(this.sampler.next(), { device }) });
    if (!loader.isReady) {
      throw new ValueError(
        "MoCoTrainer: the next batch must be here, got images that are still to be read. Write await trainer.ready() in front of each step().",
      );
    }
    const { channels, height, width } = loader.images;
    const { images, rows } = loader.next();
    using batch = tensor(images, { shape: [rows.length, channels, height, width], device });
    return this.trainOn({ batch, rows: this.allRows });
  }

  /** Forward and backward of one part of a batch. */
  private forward(images: Tensor, rows: Tensor, part: number): MoCoStep {
    const view = (): Tensor => this.augment(images, rows, { generator: this.generator });
    const { loss, top1 } = this.model.forward(view(), view(), { updateKeyEncoder: part === 0 });
    hostAction(this.noteEnqueued);
    (this.accumulationSteps === 1 ? loss : loss.div(this.accumulationSteps)).backward();
    return { loss, top1 };
  }

  /**
   * A checkpoint: everything that the next steps depend on.
   *
   * @param metadata free text by key, which `load` gives back
   * @throws FormatError if one of its keys is the checkpoint's own, such as `version`
   *
   * @example
   * await writeFile("moco.part", await trainer.save());
   * await rename("moco.part", "moco.safetensors"); // an earlier one stays until this one is whole
   */
  save(metadata: Readonly<Record<string, string>> = {}): Promise<Uint8Array> {
    return writeCheckpoint(this.parts(), metadata);
  }

  /**
   * Goes on from a checkpoint, to the bit, on the same adapter and version, with the same kernels: who uses `tune` keeps `savedTuning()`
   * in the metadata. All is set, or, if something does not fit, nothing.
   *
   * @returns the metadata given to `save`, and the library's `version`
   * @throws FormatError for other files; StateDictError or ValueError if the trainer was made otherwise: another recipe or encoder,
   *   other steps, other parts of a batch, another `streaming`
   */
  load(bytes: Uint8Array | ArrayBuffer): Promise<Record<string, string>> {
    return readCheckpoint(this.parts(), bytes);
  }

  /**
   * Counts steps as done, once model and optimizer were loaded from elsewhere: batches, the key encoder's momentum and the rate, the
   * recipe's in place of the loaded one, are those that follow. Views and permutations go on as they are drawn.
   *
   * @param stepsDone a whole number, 0 to `steps`
   * @throws ValueError for another
   *
   * @example
   * const checkpoint = readOfficialCheckpoint(bytes); // of main_moco.py; train_moco.py counts a run as one epoch, however long it was
   * loadOfficialCheckpoint(checkpoint, { model: trainer.model, optimizer: trainer.optimizer });
   * trainer.skipTo(checkpoint.epoch! * trainer.sampler.batchesPerEpoch);
   */
  skipTo(stepsDone: number): void {
    const { sampler, momentumSchedule } = this;
    if (!(Number.isInteger(stepsDone) && stepsDone >= 0 && stepsDone <= this.steps)) {
      throw new ValueError(
        `MoCoTrainer.skipTo: stepsDone must be a whole number from 0 to ${this.steps}, got ${describe(stepsDone)}. Pass steps done, or make the trainer with more steps.`,
      );
    }
    const epoch = Math.floor(stepsDone / sampler.batchesPerEpoch);
    const position = (stepsDone % sampler.batchesPerEpoch) * sampler.batchSize;
    sampler.loadStateDict({ ...sampler.stateDict(), epoch, position });
    this.schedule.step(stepsDone);
    momentumSchedule?.loadStateDict({ ...momentumSchedule.stateDict(), last_epoch: stepsDone });
  }

  private parts(): CheckpointParts {
    const { model, optimizer, schedule, momentumSchedule, sampler, generator } = this;
    const momentum = momentumSchedule && { momentum: momentumSchedule };
    const device = defaultGenerator(this.device); // of dropout, and whatever else an encoder draws
    return {
      model,
      optimizer,
      states: { trainer: this, schedule, sampler, ...momentum },
      generators: { generator, device },
    };
  }

  /** What it was made of, and what may be changed. */
  stateDict(): TrainerState {
    const { recipe, steps, accumulationSteps, model } = this;
    return { recipe, steps, accumulationSteps, streaming: model.streaming ?? null, keyMomentum: model.momentum };
  }

  /** @throws StateDictError for the state of a trainer that was made otherwise */
  loadStateDict(state: TrainerState): void {
    const { recipe, steps, accumulationSteps, streaming } = this.stateDict();
    const constant = { keyMomentumRule: "constant" };
    const own: Record<string, unknown> = { ...constant, ...recipe, steps, accumulationSteps, streaming };
    const given: Record<string, unknown> = {
      ...constant,
      ...(Object(state.recipe) as object),
      ...{ steps: state.steps, accumulationSteps: state.accumulationSteps },
      streaming: state.streaming === undefined ? streaming : state.streaming, // older files do not say
    };
    for (const name of new Set([...Object.keys(own), ...Object.keys(given)])) {
      if (JSON.stringify(given[name]) === JSON.stringify(own[name])) continue;
      throw new StateDictError(
        `MoCoTrainer: ${name} must be the checkpoint's ${describe(given[name])}, got ${describe(own[name])}. Make the trainer as it was saved.`,
      );
    }
    checkMomentum("MoCoTrainer", state.keyMomentum);
    this.model.momentum = state.keyMomentum;
  }
}

/** Over the parameters that are trained: the key encoder follows. */
function optimizerOf({ optimizer, lr, momentum, weightDecay }: MoCoRecipe, { encoderQ }: MoCo): Optimizer {
  return optimizer === "sgd"
    ? new SGD(encoderQ.parameters(), { lr, momentum, weightDecay })
    : new AdamW(encoderQ.parameters(), { lr, weightDecay });
}
