/** Batch normalisation: BatchNorm1d, BatchNorm2d, and SplitBatchNorm2d, which normalises a batch in groups. */

import { ones, zeros } from "../creation";
import { ShapeError } from "../errors";
import * as F from "../functional";
import { batchNormWith } from "../functional/normalization";
import { checkOptionNames } from "../options";
import { showShape } from "../graph/shape";
import { Buffer, Counter, Parameter } from "../parameter";
import { checkTensors, type Tensor } from "../tensor";
import { checkSizes, Module } from "./module";
import { shown } from "./shown";

/** Options of batch normalisation, PyTorch's names. */
export interface BatchNormLayerOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Part of the batch in the running statistics; null for the mean of all batches. Default 0.1. */
  readonly momentum?: number | null;
  /** Whether there are a weight and a bias; default true. */
  readonly affine?: boolean;
  /** Whether there are running statistics; without, evaluation uses the batch's own. Default true. */
  readonly trackRunningStats?: boolean;
}

/** What the layers share: state, and which statistics are used when. */
export abstract class BatchNorm extends Module {
  readonly weight: Parameter | null; // [numFeatures]
  readonly bias: Parameter | null; // [numFeatures]
  readonly runningMean: Buffer | null; // [numFeatures]
  readonly runningVar: Buffer | null; // [numFeatures]
  /** Batches seen in training. */
  readonly numBatchesTracked: Counter | null;
  readonly eps: number;
  /** May be changed at any time. */
  momentum: number | null;

  constructor(
    readonly numFeatures: number,
    options: BatchNormLayerOptions = {},
  ) {
    super();
    checkOptionNames("BatchNorm", options, ["eps", "momentum", "affine", "trackRunningStats"]);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    checkSizes("BatchNorm", { numFeatures });
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? new Buffer(zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? new Buffer(ones([numFeatures])) : null;
    this.numBatchesTracked = trackRunningStats ? new Counter() : null;
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum } = this;
    const options = { eps, momentum, affine: this.weight !== null, trackRunningStats: this.runningMean !== null };
    return `${numFeatures}, ${shown(options)}`;
  }

  /** Ranks that the layer takes, and how it says so. */
  protected abstract readonly ranks: { readonly allowed: readonly number[]; readonly shown: string };

  forward(x: Tensor): Tensor {
    checkTensors(this.constructor.name, x);
    const { allowed, shown } = this.ranks;
    if (!allowed.includes(x.ndim)) {
      throw new ShapeError(
        `${this.constructor.name}: the input must be ${shown}, got ${showShape(x.shape)}. Reshape it.`,
      );
    }
    return this.normalize(x, 1);
  }

  protected normalize(x: Tensor, groups: number): Tensor {
    const { weight, bias, runningMean, runningVar, eps } = this;
    const training = this.training || !runningMean;
    if (!this.training) return F.batchNorm(x, runningMean, runningVar, { weight, bias, training, eps });
    this.countBatch();
    const momentum = this.momentum ?? (() => 1 / (this.numBatchesTracked?.value ?? 1));
    return batchNormWith(x, runningMean, runningVar, { weight, bias, training, momentum, eps, groups });
  }

  /** Running statistics as they were at first. @see torch.nn.BatchNorm2d.reset_running_stats */
  resetRunningStats(): void {
    const { runningMean, runningVar, numBatchesTracked } = this;
    const likeZeros = (x: Buffer): Tensor => zeros(x.shape, { dtype: x.dtype, device: x.device });
    runningMean?.assign(likeZeros(runningMean));
    runningVar?.assign(likeZeros(runningVar).add(1));
    if (numBatchesTracked) numBatchesTracked.value = 0;
  }

  protected countBatch(): void {
    this.numBatchesTracked?.update((count) => count + 1);
  }
}

/**
 * Normalises each feature over the batch.
 *
 * @shape `[n, numFeatures]` or `[n, numFeatures, length]`, unchanged
 * @throws ShapeError for other ranks, or in training with one value per feature
 * @see torch.nn.BatchNorm1d
 *
 * @example
 * const head = new nn.Sequential(new nn.Linear(64, 32), new nn.BatchNorm1d(32), new nn.ReLU());
 */
export class BatchNorm1d extends BatchNorm {
  protected override get ranks(): BatchNorm["ranks"] {
    return { allowed: [2, 3], shown: "[n, c] or [n, c, length]" };
  }
}

/**
 * Normalises each channel over batch and image.
 *
 * @shape `[n, numFeatures, h, w]`, unchanged
 * @throws ShapeError for other ranks, or in training with one value per channel
 * @see torch.nn.BatchNorm2d; Ioffe & Szegedy 2015 (arXiv:1502.03167)
 *
 * @example
 * const norm = new nn.BatchNorm2d(64);
 */
export class BatchNorm2d extends BatchNorm {
  protected override get ranks(): BatchNorm["ranks"] {
    return { allowed: [4], shown: "[n, c, h, w]" };
  }
}

/**
 * BatchNorm2d that normalises a batch in interleaved groups, as if each were on a GPU of its own: sample `n` is in group
 * `n % numSplits`. Running statistics move by the mean over groups; evaluation is plain BatchNorm2d.
 *
 * @shape `[n, numFeatures, h, w]`, unchanged; `numSplits` divides `n` in training
 * @throws ShapeError if it does not
 * @see MoCo's CIFAR notebook, SplitBatchNorm; He et al. 2020 (arXiv:1911.05722), section 3.3
 *
 * @example
 * const norm = new nn.SplitBatchNorm2d(64, 8);
 */
export class SplitBatchNorm2d extends BatchNorm2d {
  constructor(
    numFeatures: number,
    readonly numSplits: number,
    options: BatchNormLayerOptions = {},
  ) {
    super(numFeatures, options);
    checkSizes("SplitBatchNorm2d", { numSplits });
  }

  override extraRepr(): string {
    return `${super.extraRepr()}, numSplits=${this.numSplits}`;
  }

  protected override normalize(x: Tensor): Tensor {
    return super.normalize(x, this.numSplits); // evaluation has no groups
  }

  /** As in the authors' code, batches are not counted, unless the mean of all of them is wanted. */
  protected override countBatch(): void {
    if (this.momentum === null) super.countBatch();
  }
}
