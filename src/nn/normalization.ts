/** Normalisation without a batch: LayerNorm, GroupNorm, InstanceNorm. */

import { ones, zeros } from "../creation";
import { ShapeError } from "../errors";
import * as F from "../functional";
import { type Shape, showShape, sizeOf } from "../graph/shape";
import { checkOptionNames } from "../options";
import { Parameter } from "../parameter";
import { checkTensors, type Tensor } from "../tensor";
import { BatchNorm, type BatchNormLayerOptions } from "./batchNorm";
import { checkSizes, Module } from "./module";

/** Options of `LayerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Whether there are a weight and a bias; default true. */
  readonly elementwiseAffine?: boolean;
}

/**
 * Normalises over the last dimensions.
 *
 * @shape `[..., ...normalizedShape]`, unchanged
 * @throws ShapeError if the input does not end in `normalizedShape`
 * @see torch.nn.LayerNorm; Ba et al. 2016 (arXiv:1607.06450)
 *
 * @example
 * const norm = new nn.LayerNorm(512);
 */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly weight: Parameter | null; // normalizedShape
  readonly bias: Parameter | null; // normalizedShape
  readonly eps: number;

  constructor(normalizedShape: number | Shape, options: LayerNormOptions = {}) {
    super();
    checkOptionNames("LayerNorm", options, ["eps", "elementwiseAffine"]);
    const { eps = 1e-5, elementwiseAffine = true } = options;
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    if (shape.length === 0)
      throw new ShapeError("LayerNorm: normalizedShape must have a dimension, got []. Pass a size.");
    checkSizes("LayerNorm", { "the least of normalizedShape": Math.min(...shape), "their product": sizeOf(shape) });
    this.normalizedShape = shape;
    this.weight = elementwiseAffine ? new Parameter(ones(shape)) : null;
    this.bias = elementwiseAffine ? new Parameter(zeros(shape)) : null;
    this.eps = eps;
  }

  override extraRepr(): string {
    return `${showShape(this.normalizedShape)}, eps=${this.eps}, elementwiseAffine=${this.weight !== null}`;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return F.layerNorm(x, this.normalizedShape, { weight, bias, eps });
  }
}

/** Options of `GroupNorm`. */
export interface GroupNormOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Whether there are a weight and a bias; default true. */
  readonly affine?: boolean;
}

/**
 * Normalises each sample's channels in groups of neighbours.
 *
 * @shape `[n, numChannels, ...]`, unchanged
 * @throws ShapeError if `numGroups` does not divide `numChannels`
 * @see torch.nn.GroupNorm; Wu & He 2018 (arXiv:1803.08494)
 *
 * @example
 * const norm = new nn.GroupNorm(8, 64);
 */
export class GroupNorm extends Module {
  readonly weight: Parameter | null; // [numChannels]
  readonly bias: Parameter | null; // [numChannels]
  readonly eps: number;

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    options: GroupNormOptions = {},
  ) {
    super();
    checkOptionNames("GroupNorm", options, ["eps", "affine"]);
    const { eps = 1e-5, affine = true } = options;
    checkSizes("GroupNorm", { numGroups, numChannels });
    if (numChannels % numGroups !== 0) {
      throw new ShapeError(
        `GroupNorm: numGroups must divide numChannels, got ${numGroups} and ${numChannels}. Change one of them.`,
      );
    }
    this.weight = affine ? new Parameter(ones([numChannels])) : null;
    this.bias = affine ? new Parameter(zeros([numChannels])) : null;
    this.eps = eps;
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${this.eps}, affine=${this.weight !== null}`;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    checkTensors("GroupNorm", x);
    if (x.ndim < 2 || x.shape[1] !== this.numChannels) {
      throw new ShapeError(
        `GroupNorm: the input must be [n, ${this.numChannels}, ...], got ${showShape(x.shape)}. Check the layer's numChannels.`,
      );
    }
    return F.groupNorm(x, this.numGroups, { weight, bias, eps });
  }
}

/** What instance norms share: off by default are the affine map and running statistics. */
abstract class InstanceNorm extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super(numFeatures, { affine: false, trackRunningStats: false, ...options });
  }

  /** Ranks are those of a batch and of one sample. */
  override forward(x: Tensor): Tensor {
    checkTensors(this.constructor.name, x);
    const [sample] = this.ranks.allowed;
    return x.ndim === sample ? super.forward(x.unsqueeze(0)).squeeze(0) : super.forward(x);
  }

  protected override normalize(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, eps } = this;
    const useInputStats = this.training || !runningMean;
    const moved = this.training ? { runningMean, runningVar } : {};
    if (!useInputStats) return F.batchNorm(x, runningMean, runningVar, { weight, bias, eps });
    return F.instanceNorm(x, { weight, bias, eps, momentum: this.momentum ?? 0, ...moved });
  }
}

/**
 * Normalises each channel of each sample by itself.
 *
 * @shape `[n, numFeatures, length]`, unchanged; also without the batch
 * @throws ShapeError for other ranks, or one value per channel
 * @see torch.nn.InstanceNorm1d; Ulyanov et al. 2016 (arXiv:1607.08022)
 */
export class InstanceNorm1d extends InstanceNorm {
  protected override get ranks(): BatchNorm["ranks"] {
    return { allowed: [2, 3], shown: "[n, c, length] or [c, length]" };
  }
}

/**
 * Normalises each channel of each image by itself.
 *
 * @shape `[n, numFeatures, h, w]`, unchanged; also without the batch
 * @throws ShapeError for other ranks, or one value per channel
 * @see torch.nn.InstanceNorm2d; Ulyanov et al. 2016 (arXiv:1607.08022)
 */
export class InstanceNorm2d extends InstanceNorm {
  protected override get ranks(): BatchNorm["ranks"] {
    return { allowed: [3, 4], shown: "[n, c, h, w] or [c, h, w]" };
  }
}
