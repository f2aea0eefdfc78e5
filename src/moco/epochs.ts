/** The loop of evaluations that train: epochs of shuffled batches, one compiled step each. */

import { compile } from "../compile";
import { tensor } from "../creation";
import { EpochSampler } from "../data/sampler";
import type { Device } from "../device";
import { ValueError } from "../errors";
import type { Module } from "../nn";
import type { Tensor } from "../tensor";
import type { FeatureFunction } from "./features";
import type { LabeledSource } from "./labeled";

/** What is known after each epoch. */
export interface EpochReport {
  /** Epochs that are over, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Mean over the batches. */
  readonly loss: number;
  /** Rate of the epoch: the head's. */
  readonly lr: number;
}

/** What evaluations that train have in common. */
export interface SupervisedOptions<E extends Module> {
  /** What is judged. It stays as it is. */
  readonly encoder: E;
  /** What the new layer sees; default `encoder.features(x)`, what comes before the head. Gives `[n, dim]`. */
  readonly features?: FeatureFunction<E>;
  /** What augments each batch of a step must be given tensors here. */
  readonly train: LabeledSource;
  readonly test: LabeledSource;
  readonly numClasses: number;
  /** What becomes of a batch before it is encoded: bytes to normalised f32, say. Default: nothing. */
  readonly prepare?: (batch: Tensor) => Tensor;
  /** Default 0.9. */
  readonly momentum?: number;
  /** Images that are encoded at once where nothing is trained; default 256. */
  readonly encodeBatchSize?: number;
  /** Of the layer's first weights and the order of images; default 0. */
  readonly seed?: number;
  /** Hears of each epoch's end. What it throws ends the training. */
  readonly onEpoch?: (report: EpochReport) => void;
  /** Hears how many images are encoded, of those that are encoded once: training images before the first epoch, test images before or after. */
  readonly onProgress?: (done: number, count: number) => void;
}

/** Names of what both evaluations take. */
export const SUPERVISED_OPTIONS = [
  ...["encoder", "features", "train", "test", "numClasses", "prepare", "augment", "epochs", "lr", "momentum"],
  ...["weightDecay", "batchSize", "encodeBatchSize", "seed", "onEpoch", "onProgress"],
];

export interface EpochsOptions {
  readonly op: string;
  readonly device: Device;
  /** Rows to train on. */
  readonly count: number;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly epochs: number;
  readonly seed: number;
  /** One step on some rows, i32 `[n]`; gives the loss, `[]`. It is compiled. */
  readonly step: (rows: Tensor) => Tensor;
  /** The head's rate. */
  readonly lr: () => number;
  /** Hears of each epoch's end. */
  readonly onEpoch: (report: EpochReport) => void;
}

/** Losses that are not read yet: the device has work, and a page time to breathe. */
const AHEAD = 4;

/**
 * Trains.
 *
 * @returns the mean loss of each epoch
 * @throws ValueError once a loss is not finite
 */
export async function trainEpochs(options: EpochsOptions): Promise<number[]> {
  const { op, device, count, batchSize, dropLast, epochs, seed, lr, onEpoch } = options;
  const sampler = new EpochSampler(count, { batchSize: Math.min(batchSize, count), dropLast, seed });
  const step = compile(options.step);
  const losses: number[] = [];
  try {
    while (sampler.epoch < epochs) {
      const rate = lr();
      const epoch = sampler.epoch + 1;
      const unread: Tensor[] = [];
      let total = 0;
      const read = async (): Promise<void> => {
        total += await unread.shift()!.item();
      };
      for (const rows of sampler) {
        unread.push(step(tensor(rows, { device })));
        if (unread.length > AHEAD) await read();
      }
      while (unread.length > 0) await read();
      const loss = total / sampler.batchesPerEpoch;
      if (!Number.isFinite(loss)) {
        throw new ValueError(
          `${op}: the loss must stay finite, got ${loss} in epoch ${epoch} at a rate of ${rate}. Use a smaller rate.`,
        );
      }
      losses.push(loss);
      onEpoch({ epoch, epochs, loss, lr: rate });
    }
  } finally {
    step.reset(); // what it recorded holds memory
  }
  return losses;
}
