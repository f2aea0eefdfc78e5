/** Normalisation: by a batch's statistics, by length. */

import { naming, ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { sameShape, type Shape, showShape } from "../graph/shape";
import * as ops from "../ops";
import { checkNumber, checkOptionNames } from "../options";
import type { Buffer } from "../parameter";
import { hostScalar } from "../runtime/recorder";
import {
  buildWithNone,
  checkOneDevice,
  checkOptionalTensors,
  checkTensors,
  operandsOf,
  type Tensor,
  wrap,
} from "../tensor";
import { unary } from "./unary";

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** `[c]`; default: no scale. */
  readonly weight?: Tensor | null;
  /** `[c]`; default: no shift. */
  readonly bias?: Tensor | null;
  /** Whether the batch's own statistics are used, and the running ones moved; default false. */
  readonly training?: boolean;
  /** Part of the batch's statistics in the new running ones; default 0.1. */
  readonly momentum?: number;
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Training: sample `n` is normalised among those of its group, `n % groups`; default 1. */
  readonly groups?: number;
}

/**
 * Normalises each channel, in training by the batch's mean and variance, else by the running ones. In training it writes
 * the running statistics: `running = (1 - momentum) * running + momentum * batch`, with the unbiased variance. With
 * groups they move by the mean over groups.
 *
 * @shape x `[n, c, ...]`, runningMean, runningVar `[c]` -> that of `x`
 * @throws ShapeError if a parameter is not `[c]`, or there is only one value per channel in training
 * @throws ValueError if there are no running statistics outside of training
 * @see torch.nn.functional.batch_norm; Ioffe & Szegedy 2015 (arXiv:1502.03167)
 */
export function batchNorm(
  x: Tensor,
  runningMean: Buffer | null,
  runningVar: Buffer | null,
  options: BatchNormOptions = {},
): Tensor {
  checkOptionNames("batchNorm", options, ["weight", "bias", "training", "momentum", "eps", "groups"]);
  const { momentum = 0.1, ...others } = options;
  checkNumber("batchNorm", "momentum", momentum);
  return batchNormWith(x, runningMean, runningVar, { ...others, momentum });
}

/** `batchNorm` whose momentum may be another one at every call. */
export function batchNormWith(
  x: Tensor,
  runningMean: Buffer | null,
  runningVar: Buffer | null,
  options: Omit<BatchNormOptions, "momentum"> & { readonly momentum: number | (() => number) },
): Tensor {
  const { weight = null, bias = null, training = false, momentum, eps = 1e-5, groups = 1 } = options;
  checkTensors("batchNorm", x);
  checkOptionalTensors("batchNorm", weight, bias, runningMean, runningVar);
  checkPerChannel(x, { weight, bias, runningMean, runningVar });
  checkOneDevice("batchNorm", [x, runningMean, runningVar]);
  const [input, w, b] = operandsOf("batchNorm", [x, weight, bias]);
  if (training) {
    checkGroups(x.shape, groups);
    const normed = ops.batchNormTraining(input, w, b, eps, groups);
    if (runningMean && runningVar) moveStatistics({ runningMean, runningVar }, normed, momentum);
    return wrap(normed.output, x.device);
  }
  if (!runningMean || !runningVar) {
    throw new ValueError(
      "batchNorm: outside of training there must be running statistics, got none. Pass them, or { training: true }.",
    );
  }
  const [mean, variance] = operandsOf("batchNorm", [runningMean, runningVar]);
  return wrap(ops.batchNormEval(input, { mean, variance }, w, b, eps), x.device);
}

function checkPerChannel(x: Tensor, tensors: Record<string, Tensor | null>): void {
  if (x.ndim < 2) {
    throw new ShapeError(`batchNorm: the input must be [n, c, ...], got ${showShape(x.shape)}. Unsqueeze it.`);
  }
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!tensor || (tensor.ndim === 1 && tensor.shape[0] === x.shape[1])) continue;
    throw new ShapeError(
      `batchNorm: ${name} must be [${x.shape[1]}], got ${showShape(tensor.shape)} for an input ${showShape(x.shape)}. Check the layer's numFeatures.`,
    );
  }
}

function checkGroups([batch = 0, , ...inner]: Shape, groups: number): void {
  if (!(Number.isInteger(groups) && groups > 0 && batch % groups === 0)) {
    throw new ShapeError(
      `batchNorm: groups must divide the batch, got ${groups} for ${batch} samples. Change the batch size.`,
    );
  }
  const perChannel = inner.reduce((product, size) => product * size, batch / groups);
  if (perChannel === 1) {
    throw new ShapeError(
      `batchNorm: training must have more than 1 value per channel, got 1 from ${batch} samples in ${groups} groups. Use a larger batch, or eval().`,
    );
  }
}

/** `running = (1 - momentum) * running + momentum * batch`, the batch's variance unbiased, averaged over groups. */
function moveStatistics(
  { runningMean, runningVar }: { runningMean: Buffer; runningVar: Buffer },
  { mean, variance, count }: ops.BatchNormed,
  momentum: number | (() => number),
): void {
  if (count === 0) return; // an empty batch has no statistics
  const move = (running: Buffer, batch: Node, factor: number): void => {
    const times = (x: Node, coefficient: (momentum: number) => number): Node => {
      if (typeof momentum === "number") return ops.mul(x, coefficient(momentum));
      return ops.mul(
        x,
        hostScalar(() => coefficient(momentum()), x.dtype),
      );
    };
    const overall = batch.shape[0] === 1 ? ops.reshape(batch, running.shape) : ops.mean(batch, 0);
    const step = times(ops.cast(ops.detach(overall), running.dtype), (m) => m * factor);
    running.update((current) => {
      const kept = times(current, (m) => 1 - m);
      return ops.add(kept, step);
    });
  };
  move(runningMean, mean, 1);
  move(runningVar, variance, count / (count - 1));
}

/**
 * `x / max(norm(x), eps)` along a dimension.
 *
 * @param options.p which norm; default 2
 * @param options.dim default 1
 * @param options.eps default 1e-12
 * @see torch.nn.functional.normalize
 *
 * @example
 * const q = F.normalize(encoder.forward(x), { dim: 1 });
 */
export function normalize(x: Tensor, options: { p?: number; dim?: number; eps?: number } = {}): Tensor {
  checkOptionNames("normalize", options, ["p", "dim", "eps"]);
  const { p = 2, dim = 1, eps = 1e-12 } = options;
  return unary("normalize", x, (node) => ops.normalize(node, p, dim, eps));
}

/** Options of `layerNorm` and `groupNorm`. */
export interface AffineNormOptions {
  /** Default: no scale. */
  readonly weight?: Tensor | null;
  /** Default: no shift. */
  readonly bias?: Tensor | null;
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
}

const AFFINE_NORM_OPTIONS = ["weight", "bias", "eps"];

/**
 * Normalises over the last dimensions, those of `normalizedShape`, each by its own mean and variance.
 *
 * @shape x `[..., ...normalizedShape]`, weight and bias `normalizedShape` -> that of `x`
 * @throws ShapeError if `x` does not end in `normalizedShape`, or a parameter has another shape
 * @see torch.nn.functional.layer_norm; Ba et al. 2016 (arXiv:1607.06450)
 *
 * @example
 * const y = F.layerNorm(x, [512], { weight, bias });
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | readonly number[],
  options: AffineNormOptions = {},
): Tensor {
  checkOptionNames("layerNorm", options, AFFINE_NORM_OPTIONS);
  checkTensors("layerNorm", x);
  const { weight = null, bias = null, eps = 1e-5 } = options;
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  const isList: boolean = Array.isArray(shape); // callers without types may leave it out
  if (!isList || shape.length === 0 || !sameShape(x.shape.slice(-shape.length), shape)) {
    throw new ShapeError(
      `layerNorm: the input must end in normalizedShape ${showShape(shape)}, got ${showShape(x.shape)}. Check the layer's sizes.`,
    );
  }
  checkOptionalTensors("layerNorm", weight, bias);
  checkParameterShapes("layerNorm", { weight, bias }, shape);
  return buildWithNone("layerNorm", [x, weight, bias], (input, w, b) => ops.layerNorm(input, shape.length, w, b, eps));
}

/**
 * Normalises each sample's channels in `numGroups` groups of neighbours.
 *
 * @shape x `[n, c, ...]`, weight and bias `[c]` -> that of `x`
 * @throws ShapeError if `numGroups` does not divide the channels, or a parameter is not `[c]`
 * @see torch.nn.functional.group_norm; Wu & He 2018 (arXiv:1803.08494)
 *
 * @example
 * const y = F.groupNorm(x, 8);
 */
export function groupNorm(x: Tensor, numGroups: number, options: AffineNormOptions = {}): Tensor {
  checkOptionNames("groupNorm", options, AFFINE_NORM_OPTIONS);
  checkTensors("groupNorm", x);
  const { weight = null, bias = null, eps = 1e-5 } = options;
  const channels = x.shape[1];
  if (channels === undefined) {
    throw new ShapeError(`groupNorm: the input must be [n, c, ...], got ${showShape(x.shape)}. Unsqueeze it.`);
  }
  if (!(Number.isInteger(numGroups) && numGroups > 0 && channels % numGroups === 0)) {
    throw new ShapeError(
      `groupNorm: numGroups must divide the channels, got ${numGroups} for ${showShape(x.shape)}. Change one of them.`,
    );
  }
  checkOptionalTensors("groupNorm", weight, bias);
  checkParameterShapes("groupNorm", { weight, bias }, [channels]);
  return buildWithNone("groupNorm", [x, weight, bias], (input, w, b) => ops.groupNorm(input, numGroups, w, b, eps));
}

function checkParameterShapes(op: string, tensors: Record<string, Tensor | null>, shape: Shape): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!tensor || sameShape(tensor.shape, shape)) continue;
    throw new ShapeError(
      `${op}: ${name} must be ${showShape(shape)}, got ${showShape(tensor.shape)}. Check the layer's sizes.`,
    );
  }
}

/** Options of `instanceNorm`. */
export interface InstanceNormOptions extends AffineNormOptions {
  readonly runningMean?: Buffer | null;
  readonly runningVar?: Buffer | null;
  /** Whether each image's own statistics are used, and the running ones moved; default true. */
  readonly useInputStats?: boolean;
  /** Part of the batch's statistics in the new running ones; default 0.1. */
  readonly momentum?: number;
}

/**
 * Normalises each channel of each sample by itself.
 *
 * @shape x `[n, c, ...]`, weight and bias `[c]` -> that of `x`
 * @throws ShapeError if there is one value per channel, or a parameter is not `[c]`
 * @throws ValueError if there are no running statistics although `useInputStats` is false
 * @see torch.nn.functional.instance_norm
 */
export function instanceNorm(x: Tensor, options: InstanceNormOptions = {}): Tensor {
  const names = [...AFFINE_NORM_OPTIONS, "runningMean", "runningVar", "useInputStats", "momentum"];
  checkOptionNames("instanceNorm", options, names);
  checkTensors("instanceNorm", x);
  const { runningMean = null, runningVar = null, useInputStats = true, ...rest } = options;
  // each sample is a group: no sample shares its statistics
  const own = useInputStats ? { training: true, groups: Math.max(1, x.shape[0] ?? 1) } : {};
  return naming("instanceNorm", () => batchNorm(x, runningMean, runningVar, { ...rest, ...own }));
}
