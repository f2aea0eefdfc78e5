/**
 * Functions of tensors without state of their own, as in `torch.nn.functional`: activations, layers, losses. Each composes
 * nodes and wraps the result once.
 */

import { ShapeError, ValueError } from "./errors";
import type { Node } from "./graph/node";
import { type Shape, showShape } from "./graph/shape";
import * as ops from "./ops";
import * as composed from "./ops/composed";
import type { Reduction } from "./ops/composed";
import { checkOptionNames } from "./options";
import type { Buffer } from "./parameter";
import { rand, type RandomOptions } from "./random";
import { build, operandsOf, type Tensor, wrap } from "./tensor";

export type { Reduction } from "./ops/composed";

/** One size for both directions, or `[height, width]`. */
export type Size2d = number | ops.Pair;

const unary = (x: Tensor, make: (node: Node) => Node): Tensor => wrap(make(x.node), x.device);

// --- activations -----------------------------------------------------------------------------------------------------

/** `max(x, 0)`. @see torch.nn.functional.relu */
export const relu = (x: Tensor): Tensor => x.relu();

/** `1 / (1 + e ^ -x)`. @see torch.nn.functional.sigmoid */
export const sigmoid = (x: Tensor): Tensor => x.sigmoid();

/** Hyperbolic tangent. @see torch.nn.functional.tanh */
export const tanh = (x: Tensor): Tensor => x.tanh();

/** `x * sigmoid(x)`. @see torch.nn.functional.silu */
export const silu = (x: Tensor): Tensor => unary(x, ops.silu);

/** `x * Phi(x)`, Phi being the normal distribution's cumulative function, or an approximation by tanh. @see torch.nn.functional.gelu */
export const gelu = (x: Tensor, options: { approximate?: "none" | "tanh" } = {}): Tensor =>
  unary(x, (node) => ops.gelu(node, options));

/** `log(1 + e ^ (beta x)) / beta`. @see torch.nn.functional.softplus */
export const softplus = (x: Tensor, options: { beta?: number } = {}): Tensor =>
  unary(x, (node) => ops.softplus(node, options));

/** `log(sigmoid(x))`, without overflow. @see torch.nn.functional.logsigmoid */
export const logsigmoid = (x: Tensor): Tensor => unary(x, ops.logsigmoid);

/** `x * tanh(softplus(x))`. @see torch.nn.functional.mish */
export const mish = (x: Tensor): Tensor => unary(x, ops.mish);

/** `x / (1 + |x|)`. @see torch.nn.functional.softsign */
export const softsign = (x: Tensor): Tensor => unary(x, ops.softsign);

/** `x`, times `negativeSlope` below 0. @see torch.nn.functional.leaky_relu */
export const leakyRelu = (x: Tensor, negativeSlope = 0.01): Tensor =>
  unary(x, (node) => ops.leakyRelu(node, negativeSlope));

/** `x` above 0, else `alpha * (e ^ x - 1)`. @see torch.nn.functional.elu */
export const elu = (x: Tensor, alpha = 1): Tensor => unary(x, (node) => ops.elu(node, alpha));

/** `x` above 0, else `alpha * (e ^ (x / alpha) - 1)`. @throws ValueError if `alpha` is 0. @see torch.nn.functional.celu */
export const celu = (x: Tensor, alpha = 1): Tensor => unary(x, (node) => ops.celu(node, alpha));

/** ELU with the constants of self-normalising networks. @see torch.nn.functional.selu; Klambauer et al. 2017 (arXiv:1706.02515) */
export const selu = (x: Tensor): Tensor => unary(x, ops.selu);

/** `x` between `minVal` and `maxVal`. @throws ValueError unless `minVal < maxVal`. @see torch.nn.functional.hardtanh */
export const hardtanh = (x: Tensor, minVal = -1, maxVal = 1): Tensor =>
  unary(x, (node) => ops.hardtanh(node, minVal, maxVal));

/** `min(max(x, 0), 6)`. @see torch.nn.functional.relu6 */
export const relu6 = (x: Tensor): Tensor => unary(x, ops.relu6);

/** `relu6(x + 3) / 6`. @see torch.nn.functional.hardsigmoid */
export const hardsigmoid = (x: Tensor): Tensor => unary(x, ops.hardsigmoid);

/** `x * relu6(x + 3) / 6`. @see torch.nn.functional.hardswish */
export const hardswish = (x: Tensor): Tensor => unary(x, ops.hardswish);

/** `e ^ x / sum(e ^ x)` along `dim`. @see torch.nn.functional.softmax */
export const softmax = (x: Tensor, dim: number): Tensor => x.softmax(dim);

/** `log(softmax(x))` along `dim`. @see torch.nn.functional.log_softmax */
export const logSoftmax = (x: Tensor, dim: number): Tensor => x.logSoftmax(dim);

// --- layers ----------------------------------------------------------------------------------------------------------

/**
 * `x @ weight.T + bias`
 *
 * @shape x `[..., inFeatures]`, weight `[outFeatures, inFeatures]`, bias `[outFeatures]` -> `[..., outFeatures]`
 * @throws ShapeError if the last dimension of `x` is not `inFeatures`
 * @see torch.nn.functional.linear
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const [input, w, b] = operandsOf("linear", [x, weight, bias]) as [Node, Node, Node | null];
  return wrap(composed.linear(input, w, b), x.device);
}

/** Options of `conv2d`, PyTorch's names. */
export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: Size2d;
  /** Zeros on each side; default 0. */
  readonly padding?: Size2d;
  /** Distance of the kernel's elements; default 1. */
  readonly dilation?: Size2d;
  /** Groups of channels that are convolved by themselves; default 1. */
  readonly groups?: number;
}

/**
 * 2-d convolution (cross-correlation, as everywhere in deep learning).
 *
 * @shape x `[n, c, h, w]`, weight `[o, c / groups, kh, kw]`, bias `[o]` -> `[n, o, oh, ow]`
 * @throws ShapeError if channels do not fit, or the kernel is larger than the padded image
 * @see torch.nn.functional.conv2d
 *
 * @example
 * const y = F.conv2d(x, weight, null, { stride: 2, padding: 1 });
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv2dOptions = {}): Tensor {
  checkOptionNames("conv2d", options, ["stride", "padding", "dilation", "groups"]);
  const [input, w, b] = operandsOf("conv2d", [x, weight, bias]) as [Node, Node, Node | null];
  return wrap(ops.conv2d(input, w, b, options), x.device);
}

/** Options of pooling. */
export interface Pool2dOptions {
  /** Distance of windows; default `kernelSize`. */
  readonly stride?: Size2d;
  /** Default 0. */
  readonly padding?: Size2d;
}

/**
 * Largest element of each window.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`
 * @see torch.nn.functional.max_pool2d
 */
export function maxPool2d(x: Tensor, kernelSize: Size2d, options: Pool2dOptions = {}): Tensor {
  checkOptionNames("maxPool2d", options, ["stride", "padding"]);
  return unary(x, (node) => ops.maxPool2d(node, kernelSize, options));
}

/**
 * Mean of each window.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`
 * @param options.countIncludePad whether zeros of the padding count as elements; default true
 * @see torch.nn.functional.avg_pool2d
 */
export function avgPool2d(
  x: Tensor,
  kernelSize: Size2d,
  options: Pool2dOptions & { countIncludePad?: boolean } = {},
): Tensor {
  checkOptionNames("avgPool2d", options, ["stride", "padding", "countIncludePad"]);
  return unary(x, (node) => ops.avgPool2d(node, kernelSize, options));
}

/**
 * Mean of windows chosen so that the output has `outputSize`.
 *
 * @shape `[n, c, h, w] -> [n, c, ...outputSize]`
 * @see torch.nn.functional.adaptive_avg_pool2d
 */
export const adaptiveAvgPool2d = (x: Tensor, outputSize: Size2d): Tensor =>
  unary(x, (node) => ops.adaptiveAvgPool2d(node, outputSize));

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
  const [input, w, b] = operandsOf("batchNorm", [x, weight, bias]) as [Node, Node | null, Node | null];
  if (training) {
    checkGroups(x.shape, groups);
    const normed = composed.batchNormTraining(input, w, b, eps, groups);
    if (runningMean && runningVar) moveStatistics({ runningMean, runningVar }, normed, momentum);
    return wrap(normed.output, x.device);
  }
  if (!runningMean || !runningVar) {
    throw new ValueError(
      "batchNorm: outside of training there must be running statistics, got none. Pass them, or { training: true }.",
    );
  }
  const [mean, variance] = operandsOf("batchNorm", [runningMean, runningVar]) as [Node, Node];
  return wrap(composed.batchNormEval(input, { mean, variance }, w, b, eps), x.device);
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
  { mean, variance, count }: composed.BatchNormed,
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
 * Zeroes elements with probability `p` and scales the others by `1 / (1 - p)`.
 *
 * @param options.p default 0.5
 * @param options.training default true; else `x` itself is returned
 * @throws ValueError if `p` is not in [0, 1]
 * @see torch.nn.functional.dropout
 */
export function dropout(
  x: Tensor,
  options: { p?: number; training?: boolean } & Pick<RandomOptions, "generator"> = {},
): Tensor {
  checkOptionNames("dropout", options, ["p", "training", "generator"]);
  const { p = 0.5, training = true, ...drawing } = options;
  if (!(p >= 0 && p <= 1))
    throw new ValueError(`dropout: p must be in [0, 1], got ${p}. It is the probability of zeroing.`);
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  const drawn = rand(x.shape, { device: x.device, ...drawing });
  return build("dropout", [x, drawn], (value, random) =>
    ops.mul(value, ops.mul(ops.cast(ops.ge(random, p), "f32"), 1 / (1 - p))),
  );
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
  return unary(x, (node) => composed.normalize(node, p, dim, eps));
}

/** `x . y / max(|x| |y|, eps)` along `dim` (default 1), each length at least `eps`. @see torch.nn.functional.cosine_similarity */
export function cosineSimilarity(x: Tensor, y: Tensor, options: { dim?: number; eps?: number } = {}): Tensor {
  checkOptionNames("cosineSimilarity", options, ["dim", "eps"]);
  const { dim = 1, eps = 1e-8 } = options;
  return build("cosineSimilarity", [x, y], (a, b) => composed.cosineSimilarity(a as Node, b as Node, dim, eps));
}

/**
 * 1 at the index, 0 elsewhere, in a new last dimension; i32.
 *
 * @throws DTypeError if `index` holds no integers
 * @see torch.nn.functional.one_hot
 */
export const oneHot = (index: Tensor, numClasses: number): Tensor =>
  unary(index, (node) => ops.oneHot(node, numClasses));

/**
 * `value` around a tensor; negative padding cuts.
 *
 * @param padding last dimension first: `[left, right, top, bottom]`
 * @see torch.nn.functional.pad
 */
export const pad = (x: Tensor, padding: readonly number[], { value = 0 }: { value?: number } = {}): Tensor =>
  unary(x, (node) => ops.pad(node, padding, value));

// --- losses ----------------------------------------------------------------------------------------------------------

/** Options of `nllLoss`. */
export interface NllLossOptions {
  /** One factor per class, `[classes]`. */
  readonly weight?: Tensor | null;
  /** Targets of this value count for nothing; default -100. */
  readonly ignoreIndex?: number;
  /** Default `"mean"`: over weights of the targets that count. */
  readonly reduction?: Reduction;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends NllLossOptions {
  /** The part of the target that is spread over all classes, 0 to 1; default 0. */
  readonly labelSmoothing?: number;
}

/**
 * `-log(softmax(input))[target]`
 *
 * @shape input `[n, classes, ...]`, target i32 `[n, ...]` or f32 probabilities `[n, classes, ...]` -> `[]`, or `[n, ...]` without reduction
 * @throws ShapeError, DTypeError, ValueError if an argument does not fit
 * @throws IndexError if a target lies on the host and is no class
 * @see torch.nn.functional.cross_entropy
 *
 * @example
 * const loss = F.crossEntropy(model.forward(images), labels);
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkOptionNames("crossEntropy", options, ["weight", "ignoreIndex", "labelSmoothing", "reduction"]);
  const { weight = null } = options;
  const [x, y, w] = operandsOf("crossEntropy", [input, target, weight]) as [Node, Node, Node | null];
  return wrap(composed.crossEntropy(x, y, { ...options, weight: w }), input.device);
}

/**
 * `-input[target]`, of log probabilities
 *
 * @shape input `[n, classes, ...]`, target i32 `[n, ...]` -> `[]`, or `[n, ...]` without reduction
 * @throws as `crossEntropy`
 * @see torch.nn.functional.nll_loss
 */
export function nllLoss(input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  checkOptionNames("nllLoss", options, ["weight", "ignoreIndex", "reduction"]);
  const { weight = null } = options;
  const [x, y, w] = operandsOf("nllLoss", [input, target, weight]) as [Node, Node, Node | null];
  return wrap(composed.nllLoss(x, y, { ...options, weight: w }), input.device);
}

/** `(input - target)^2`. @throws ShapeError if shapes differ. @see torch.nn.functional.mse_loss */
export const mseLoss = (
  input: Tensor,
  target: Tensor,
  { reduction = "mean" }: { reduction?: Reduction } = {},
): Tensor => elementwiseLoss("mseLoss", input, target, reduction, (x, y) => ops.square(ops.sub(x, y)));

/** `|input - target|`. @throws ShapeError if shapes differ. @see torch.nn.functional.l1_loss */
export const l1Loss = (input: Tensor, target: Tensor, { reduction = "mean" }: { reduction?: Reduction } = {}): Tensor =>
  elementwiseLoss("l1Loss", input, target, reduction, (x, y) => ops.abs(ops.sub(x, y)));

/**
 * `(input - target)^2 / (2 beta)` where the two are closer than `beta`, else `|input - target| - beta / 2`.
 *
 * @param options.beta default 1; 0 gives `l1Loss`
 * @throws ShapeError if shapes differ, ValueError if `beta` is negative
 * @see torch.nn.functional.smooth_l1_loss
 */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  { beta = 1, reduction = "mean" }: { beta?: number; reduction?: Reduction } = {},
): Tensor {
  if (!(beta >= 0)) throw new ValueError(`smoothL1Loss: beta must not be negative, got ${beta}. Pass 0 or more.`);
  if (beta === 0) return l1Loss(input, target, { reduction });
  return elementwiseLoss("smoothL1Loss", input, target, reduction, (x, y) =>
    ops.div(composed.huber(ops.sub(x, y), beta), beta),
  );
}

/**
 * `(input - target)^2 / 2` where the two are closer than `delta`, else `delta * (|input - target| - delta / 2)`.
 *
 * @param options.delta default 1
 * @throws ShapeError if shapes differ, ValueError if `delta` is not positive
 * @see torch.nn.functional.huber_loss
 */
export function huberLoss(
  input: Tensor,
  target: Tensor,
  { delta = 1, reduction = "mean" }: { delta?: number; reduction?: Reduction } = {},
): Tensor {
  if (!(delta > 0)) throw new ValueError(`huberLoss: delta must be positive, got ${delta}. Use l1Loss for 0.`);
  return elementwiseLoss("huberLoss", input, target, reduction, (x, y) => composed.huber(ops.sub(x, y), delta));
}

/**
 * `target * (log(target) - input)`, 0 where the target is: how far a distribution is from `input`, which holds log
 * probabilities.
 *
 * @param options.logTarget whether `target` holds log probabilities too; default false
 * @param options.reduction `"batchmean"`, the sum over the size of dimension 0, is the divergence; default `"mean"`
 * @throws ShapeError if shapes differ
 * @see torch.nn.functional.kl_div
 */
export function klDiv(
  input: Tensor,
  target: Tensor,
  { logTarget = false, reduction = "mean" }: { logTarget?: boolean; reduction?: Reduction | "batchmean" } = {},
): Tensor {
  const isBatchMean = reduction === "batchmean";
  const loss = elementwiseLoss("klDiv", input, target, isBatchMean ? "sum" : reduction, (x, y) =>
    logTarget ? ops.mul(ops.exp(y), ops.sub(y, x)) : composed.divergence(x, y),
  );
  return isBatchMean ? loss.div(input.size(0)) : loss;
}

/**
 * `-(target * log(sigmoid(input)) + (1 - target) * log(1 - sigmoid(input)))`, without overflow.
 *
 * @throws ShapeError if shapes differ
 * @see torch.nn.functional.binary_cross_entropy_with_logits
 */
export const binaryCrossEntropyWithLogits = (
  input: Tensor,
  target: Tensor,
  { reduction = "mean" }: { reduction?: Reduction } = {},
): Tensor =>
  elementwiseLoss("binaryCrossEntropyWithLogits", input, target, reduction, composed.binaryCrossEntropyWithLogits);

function elementwiseLoss(
  op: string,
  input: Tensor,
  target: Tensor,
  reduction: Reduction,
  loss: (x: Node, y: Node) => Node,
): Tensor {
  const same = input.ndim === target.ndim && input.shape.every((size, d) => size === target.shape[d]);
  if (!same) {
    throw new ShapeError(
      `${op}: input and target must have one shape, got ${showShape(input.shape)} and ${showShape(target.shape)}. Reshape one.`,
    );
  }
  return build(op, [input, target], (x, y) => composed.reduceLoss(op, loss(x as Node, y as Node), reduction));
}
