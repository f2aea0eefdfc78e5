/** Losses. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { showShape } from "../graph/shape";
import * as ops from "../ops";
import type { Reduction } from "../ops";
import { checkOptionNames } from "../options";
import { build, operandsOf, type Tensor, wrap } from "../tensor";

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
  const { weight = null } = options;
  const [x, y, w] = operandsOf("crossEntropy", [input, target, weight]);
  return wrap(ops.crossEntropy(x, y, { ...options, weight: w }), input.device);
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
  const [x, y, w] = operandsOf("nllLoss", [input, target, weight]);
  return wrap(ops.nllLoss(x, y, { ...options, weight: w }), input.device);
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
export function huberLoss(
  input: Tensor,
  target: Tensor,
  { delta = 1, reduction = "mean" }: { delta?: number; reduction?: Reduction } = {},
): Tensor {
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
  { logTarget = false, reduction = "mean" }: { logTarget?: boolean; reduction?: Reduction | "batchmean" } = {},
): Tensor {
  const isBatchMean = reduction === "batchmean";
  const loss = elementwiseLoss("klDiv", input, target, isBatchMean ? "sum" : reduction, (x, y) =>
    logTarget ? ops.mul(ops.exp(y), ops.sub(y, x)) : ops.divergence(x, y),
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
  elementwiseLoss("binaryCrossEntropyWithLogits", input, target, reduction, ops.binaryCrossEntropyWithLogits);

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
  return build(op, [input, target], (x, y) => ops.reduceLoss(op, loss(x, y), reduction));
}
