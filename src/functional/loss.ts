/** Losses. */

import { naming, ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { sameShape, showShape } from "../graph/shape";
import * as ops from "../ops";
import type { Reduction } from "../ops";
import { checkOptionNames } from "../options";
import { build, buildWithNone, checkOptionalTensors, checkTensors, operandsOf, type Tensor, wrap } from "../tensor";

export type { Reduction } from "../ops";

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
  checkTensors("crossEntropy", input, target);
  const { weight = null } = options;
  checkOptionalTensors("crossEntropy", weight);
  checkIgnoreIndex("crossEntropy", options);
  const [x, y, w] = operandsOf("crossEntropy", [input, target, weight]);
  return wrap(
    naming("crossEntropy", () => ops.crossEntropy(x, y, { ...options, weight: w })),
    input.device,
  );
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
  checkTensors("nllLoss", input, target);
  const { weight = null } = options;
  checkOptionalTensors("nllLoss", weight);
  checkIgnoreIndex("nllLoss", options);
  const [x, y, w] = operandsOf("nllLoss", [input, target, weight]);
  return wrap(
    naming("nllLoss", () => ops.nllLoss(x, y, { ...options, weight: w })),
    input.device,
  );
}

function checkIgnoreIndex(op: string, { ignoreIndex = -100 }: NllLossOptions): void {
  if (Number.isInteger(ignoreIndex)) return;
  throw new ValueError(`${op}: ignoreIndex must be an integer, got ${ignoreIndex}. Pass the target that is none.`);
}

/** The option that all losses have. */
export interface ReductionOption {
  /** `"mean"` (default), `"sum"`, or `"none"`: a loss per element. */
  readonly reduction?: Reduction;
}

function reductionOf(op: string, options: ReductionOption): Reduction {
  checkOptionNames(op, options, ["reduction"]);
  return options.reduction ?? "mean";
}

/** `(input - target)^2`. @throws ShapeError if shapes differ. @see torch.nn.functional.mse_loss */
export const mseLoss = (input: Tensor, target: Tensor, options: ReductionOption = {}): Tensor =>
  elementwiseLoss("mseLoss", input, target, reductionOf("mseLoss", options), (x, y) => ops.square(ops.sub(x, y)));

/** `|input - target|`. @throws ShapeError if shapes differ. @see torch.nn.functional.l1_loss */
export const l1Loss = (input: Tensor, target: Tensor, options: ReductionOption = {}): Tensor =>
  elementwiseLoss("l1Loss", input, target, reductionOf("l1Loss", options), (x, y) => ops.abs(ops.sub(x, y)));

/**
 * `(input - target)^2 / (2 beta)` where the two are closer than `beta`, else `|input - target| - beta / 2`.
 *
 * @param options.beta default 1; 0 gives `l1Loss`
 * @throws ShapeError if shapes differ, ValueError if `beta` is negative
 * @see torch.nn.functional.smooth_l1_loss
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options: ReductionOption & { beta?: number } = {}): Tensor {
  checkOptionNames("smoothL1Loss", options, ["beta", "reduction"]);
  const { beta = 1, reduction = "mean" } = options;
  if (!(beta >= 0)) throw new ValueError(`smoothL1Loss: beta must not be negative, got ${beta}. Pass 0 or more.`);
  if (beta === 0) return naming("smoothL1Loss", () => l1Loss(input, target, { reduction }));
  return elementwiseLoss("smoothL1Loss", input, target, reduction, (x, y) =>
    ops.div(ops.huber(ops.sub(x, y), beta), beta),
  );
}

/**
 * `(input - target)^2 / 2` where the two are closer than `delta`, else `delta * (|input - target| - delta / 2)`.
 *
 * @param options.delta default 1
 * @throws ShapeError if shapes differ, ValueError if `delta` is not positive
 * @see torch.nn.functional.huber_loss
 */
export function huberLoss(input: Tensor, target: Tensor, options: ReductionOption & { delta?: number } = {}): Tensor {
  checkOptionNames("huberLoss", options, ["delta", "reduction"]);
  const { delta = 1, reduction = "mean" } = options;
  if (!(delta > 0)) throw new ValueError(`huberLoss: delta must be positive, got ${delta}. Use l1Loss for 0.`);
  return elementwiseLoss("huberLoss", input, target, reduction, (x, y) => ops.huber(ops.sub(x, y), delta));
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
  options: { logTarget?: boolean; reduction?: Reduction | "batchmean" } = {},
): Tensor {
  checkOptionNames("klDiv", options, ["logTarget", "reduction"]);
  const { logTarget = false, reduction = "mean" } = options;
  const isBatchMean = reduction === "batchmean";
  const loss = elementwiseLoss("klDiv", input, target, isBatchMean ? "sum" : reduction, (x, y) =>
    logTarget ? ops.mul(ops.exp(y), ops.sub(y, x)) : ops.divergence(x, y),
  );
  return isBatchMean ? loss.div(input.size(0)) : loss;
}

/** Options of losses that weigh each element. */
export interface WeightedLossOptions {
  /** A factor per element, in a shape that broadcasts to the input; default none. */
  readonly weight?: Tensor | null;
  readonly reduction?: Reduction;
}

/**
 * `-(target * log(sigmoid(input)) + (1 - target) * log(1 - sigmoid(input)))`, without overflow.
 *
 * @param options.weight a factor per element
 * @param options.posWeight a factor for the positive part, one per class (the last dimension)
 * @throws ShapeError if shapes differ
 * @see torch.nn.functional.binary_cross_entropy_with_logits
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: WeightedLossOptions & { posWeight?: Tensor | null } = {},
): Tensor {
  checkOptionNames("binaryCrossEntropyWithLogits", options, ["weight", "posWeight", "reduction"]);
  const { weight = null, posWeight = null, reduction = "mean" } = options;
  checkSame("binaryCrossEntropyWithLogits", input, target);
  checkOptionalTensors("binaryCrossEntropyWithLogits", weight, posWeight);
  return buildWithNone("binaryCrossEntropyWithLogits", [input, target, weight, posWeight], (x, y, w, p) =>
    weighted("binaryCrossEntropyWithLogits", ops.binaryCrossEntropyWithLogits(x, y, p), w, reduction),
  );
}

/**
 * `-(target * log(input) + (1 - target) * log(1 - input))`, of probabilities. Logs are at least -100.
 *
 * @param input in [0, 1]; anything else gives NaN
 * @throws ShapeError if shapes differ
 * @see torch.nn.functional.binary_cross_entropy
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor {
  checkOptionNames("binaryCrossEntropy", options, ["weight", "reduction"]);
  const { weight = null, reduction = "mean" } = options;
  checkSame("binaryCrossEntropy", input, target);
  checkOptionalTensors("binaryCrossEntropy", weight);
  return buildWithNone("binaryCrossEntropy", [input, target, weight], (x, y, w) =>
    weighted("binaryCrossEntropy", ops.binaryCrossEntropy(x, y), w, reduction),
  );
}

const weighted = (op: string, losses: Node, weight: Node | null, reduction: Reduction): Node =>
  ops.reduceLoss(op, weight ? ops.mul(losses, weight) : losses, reduction);

/**
 * `(log(variance) + (input - target)^2 / variance) / 2`: how unlikely a target is under a normal distribution.
 *
 * @shape variance: that of the input, or with size 1 (or nothing) in place of the last dimension
 * @param options.full whether `log(2 pi) / 2` is added; default false
 * @param options.eps least variance; default 1e-6
 * @throws ShapeError if shapes differ
 * @see torch.nn.functional.gaussian_nll_loss
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor,
  options: { full?: boolean; eps?: number; reduction?: Reduction } = {},
): Tensor {
  checkOptionNames("gaussianNllLoss", options, ["full", "eps", "reduction"]);
  checkTensors("gaussianNllLoss", variance);
  const { full = false, eps = 1e-6, reduction = "mean" } = options;
  checkSame("gaussianNllLoss", input, target);
  const spread = spreadOf(input, variance);
  const loss = (x: Node, y: Node, v: Node): Node => {
    const least = ops.customVjp(ops.clamp(v, eps), [v], (gradOut) => [gradOut]); // as PyTorch: the clamp passes all gradients
    const losses = ops.mul(ops.add(ops.log(least), ops.div(ops.square(ops.sub(x, y)), least)), 0.5);
    return ops.reduceLoss("gaussianNllLoss", full ? ops.add(losses, 0.5 * Math.log(2 * Math.PI)) : losses, reduction);
  };
  return build("gaussianNllLoss", [input, target, spread], (x, y, v) => ops.inF32ForAutocast([x, y, v], loss));
}

/** The variance as it broadcasts to the input. */
function spreadOf({ shape }: Tensor, variance: Tensor): Tensor {
  const rows = shape.slice(0, -1);
  if (sameShape(variance.shape, rows) && shape.length > 0) return variance.unsqueeze(-1);
  if (sameShape(variance.shape, shape) || sameShape(variance.shape, [...rows, 1])) return variance;
  throw new ShapeError(
    `gaussianNllLoss: variance must have the input's shape, or one value for its last dimension, got ${showShape(variance.shape)} for ${showShape(shape)}. Reshape it.`,
  );
}

/**
 * `e^input - target * input`: how unlikely counts are under a Poisson distribution whose mean's logarithm is `input`.
 *
 * @param options.logInput default true; false: `input` is the mean, and the loss `input - target * log(input + eps)`
 * @param options.full whether Stirling's term for `log(target!)` is added where the target is above 1; default false
 * @param options.eps default 1e-8
 * @throws ShapeError if shapes differ
 * @see torch.nn.functional.poisson_nll_loss
 */
export function poissonNllLoss(
  input: Tensor,
  target: Tensor,
  options: { logInput?: boolean; full?: boolean; eps?: number; reduction?: Reduction } = {},
): Tensor {
  checkOptionNames("poissonNllLoss", options, ["logInput", "full", "eps", "reduction"]);
  const { logInput = true, full = false, eps = 1e-8, reduction = "mean" } = options;
  return elementwiseLoss("poissonNllLoss", input, target, reduction, (x, y) => {
    const losses = logInput ? ops.sub(ops.exp(x), ops.mul(y, x)) : ops.sub(x, ops.mul(y, ops.log(ops.add(x, eps))));
    return full ? ops.add(losses, stirling(y)) : losses;
  });
}

/** Stirling's approximation of `log(y!)` where `y` is above 1, else 0. */
function stirling(y: Node): Node {
  const isMany = ops.gt(y, 1);
  const many = ops.where(isMany, y, 1);
  const value = ops.add(ops.sub(ops.mul(many, ops.log(many)), many), ops.mul(ops.log(ops.mul(many, 2 * Math.PI)), 0.5));
  return ops.where(isMany, value, 0);
}

/** `log(1 + e^(-target * input))`, targets being 1 or -1. @throws ShapeError if shapes differ. @see torch.nn.functional.soft_margin_loss */
export function softMarginLoss(input: Tensor, target: Tensor, options: ReductionOption = {}): Tensor {
  const reduction = reductionOf("softMarginLoss", options);
  return elementwiseLoss("softMarginLoss", input, target, reduction, (x, y) => ops.softplus(ops.neg(ops.mul(x, y))));
}

/**
 * Binary cross-entropy of each class, the mean over classes (the last dimension) of each sample.
 *
 * @param options.weight one factor per class
 * @throws ShapeError if shapes differ
 * @see torch.nn.functional.multilabel_soft_margin_loss
 */
export function multilabelSoftMarginLoss(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor {
  checkOptionNames("multilabelSoftMarginLoss", options, ["weight", "reduction"]);
  const { weight = null, reduction = "mean" } = options;
  checkSame("multilabelSoftMarginLoss", input, target);
  checkOptionalTensors("multilabelSoftMarginLoss", weight);
  return buildWithNone("multilabelSoftMarginLoss", [input, target, weight], (x, y, w) => {
    // term by term, as PyTorch has it: an infinite score of a class that is wrong costs infinity, not NaN
    const own = ops.mul(y, ops.logsigmoid(x));
    const losses = ops.neg(ops.add(own, ops.mul(ops.sub(1, y), ops.logsigmoid(ops.neg(x)))));
    const perSample = ops.mean(w ? ops.mul(losses, w) : losses, -1);
    return ops.reduceLoss("multilabelSoftMarginLoss", perSample, reduction);
  });
}

function checkSame(op: string, input: Tensor, target: Tensor): void {
  checkTensors(op, input, target);
  if (sameShape(input.shape, target.shape)) return;
  throw new ShapeError(
    `${op}: input and target must have one shape, got ${showShape(input.shape)} and ${showShape(target.shape)}. Reshape one.`,
  );
}

function elementwiseLoss(
  op: string,
  input: Tensor,
  target: Tensor,
  reduction: Reduction,
  loss: (x: Node, y: Node) => Node,
): Tensor {
  checkSame(op, input, target);
  return build(op, [input, target], (x, y) =>
    ops.inF32ForAutocast([x, y], (a, b) => ops.reduceLoss(op, loss(a, b), reduction)),
  );
}
