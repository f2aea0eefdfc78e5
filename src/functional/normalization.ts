/** Normalisation: by a batch's statistics, by length. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { type Shape, showShape } from "../graph/shape";
import * as ops from "../ops";
import { checkOptionNames } from "../options";
import type { Buffer } from "../parameter";
import { operandsOf, type Tensor, wrap } from "../tensor";
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
  const { weight = null, bias = null, training = false, momentum = 0.1, eps = 1e-5, groups = 1 } = options;
  checkPerChannel(x, { weight, bias, runningMean, runningVar });
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
  momentum: number,
): void {
  if (count === 0) return; // an empty batch has no statistics
  const move = (running: Buffer, batch: Node, factor: number): void => {
    const step = ops.mul(ops.detach(ops.mean(batch, 0)), momentum * factor);
    running.update((current) => ops.add(ops.mul(current, 1 - momentum), step));
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
  return unary(x, (node) => ops.normalize(node, p, dim, eps));
}
