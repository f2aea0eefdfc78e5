/** Activations. */

import type { DType } from "../graph/dtype";
import { naming } from "../errors";
import type { Node } from "../graph/node";
import * as ops from "../ops";
import { checkDType } from "../ops/check";
import { FLOAT, NUMBER } from "../ops/pointwise";
import { checkChoice, checkNumber, checkOptionNames } from "../options";
import { type RandomOptions, uniform } from "../random";
import { build, checkTensors, type Tensor } from "../tensor";

/** Applies a builder to a tensor of some dtypes. */
const ofDTypes =
  (dtypes: readonly DType[]) =>
  (op: string, x: Tensor, make: (node: Node) => Node): Tensor =>
    build(op, [x], (node) => {
      checkDType(op, [node], dtypes);
      return make(node);
    });

/** Most activations are of floats only, as in PyTorch. */
const ofFloats = ofDTypes(FLOAT);
const ofNumbers = ofDTypes(NUMBER);

// --- kinked at 0 -----------------------------------------------------------------------------------------------------

/** `max(x, 0)`. @see torch.nn.functional.relu */
export const relu = (x: Tensor): Tensor => build("relu", [x], ops.relu);

/** `min(max(x, 0), 6)`. @see torch.nn.functional.relu6 */
export const relu6 = (x: Tensor): Tensor => ofNumbers("relu6", x, ops.relu6);

/** `x`, times `negativeSlope` below 0. @see torch.nn.functional.leaky_relu */
export const leakyRelu = (x: Tensor, negativeSlope = 0.01): Tensor =>
  ofFloats("leakyRelu", x, (node) => ops.leakyRelu(node, negativeSlope));

/**
 * `x`, times a weight below 0.
 *
 * @shape x `[n, c, ...]`, weight `[1]` or one a channel `[c]`
 * @throws ShapeError if `weight` has another shape
 * @see torch.nn.functional.prelu
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  checkTensors("prelu", x, weight);
  return build("prelu", [x, weight], ops.prelu);
}

/** Options of `rrelu`. */
export interface RreluOptions extends Pick<RandomOptions, "generator"> {
  /** Whether each element draws a slope of its own; default false: the mean of `lower` and `upper`. */
  readonly training?: boolean;
}

/** `x`, times a slope between `lower` and `upper` below 0. @see torch.nn.functional.rrelu */
export function rrelu(x: Tensor, lower = 1 / 8, upper = 1 / 3, options: RreluOptions = {}): Tensor {
  checkOptionNames("rrelu", options, ["training", "generator"]);
  checkTensors("rrelu", x);
  checkNumber("rrelu", "lower", lower);
  checkNumber("rrelu", "upper", upper);
  const { training = false, ...drawing } = options;
  if (!training) return ofFloats("rrelu", x, (node) => ops.leakyRelu(node, (lower + upper) / 2));
  const slopes = uniform(x.shape, { low: lower, high: upper, dtype: x.dtype, device: x.device, ...drawing });
  return build("rrelu", [x, slopes], (node, slope) => ops.where(ops.gt(node, 0), node, ops.mul(node, slope)));
}

/** `x` above 0, else `alpha * (e ^ x - 1)`. @see torch.nn.functional.elu */
export const elu = (x: Tensor, alpha = 1): Tensor => ofFloats("elu", x, (node) => ops.elu(node, alpha));

/** `x` above 0, else `alpha * (e ^ (x / alpha) - 1)`. @throws ValueError if `alpha` is 0. @see torch.nn.functional.celu */
export const celu = (x: Tensor, alpha = 1): Tensor => ofFloats("celu", x, (node) => ops.celu(node, alpha));

/** ELU with the constants of self-normalising networks. @see torch.nn.functional.selu; Klambauer et al. 2017 (arXiv:1706.02515) */
export const selu = (x: Tensor): Tensor => ofFloats("selu", x, ops.selu);

/** `x` above `threshold`, else `value`. @see torch.nn.functional.threshold */
export const threshold = (x: Tensor, threshold: number, value: number): Tensor =>
  ofNumbers("threshold", x, (node) => ops.threshold(node, threshold, value));

// --- smooth ----------------------------------------------------------------------------------------------------------

/** `x * sigmoid(x)`. @see torch.nn.functional.silu */
export const silu = (x: Tensor): Tensor => ofFloats("silu", x, ops.silu);

/** `x * Phi(x)`, Phi being the normal distribution's cumulative function, or an approximation by tanh. @see torch.nn.functional.gelu */
export function gelu(x: Tensor, options: { approximate?: "none" | "tanh" } = {}): Tensor {
  checkOptionNames("gelu", options, ["approximate"]);
  const { approximate = "none" } = options;
  checkChoice("gelu", "approximate", approximate, ["none", "tanh"]);
  return ofFloats("gelu", x, (node) => ops.gelu(node, options));
}

/**
 * `log(1 + e ^ (beta x)) / beta`.
 *
 * @param options.beta default 1
 * @param options.threshold where `beta x` is above it, the result is `x`; default 20
 * @see torch.nn.functional.softplus
 */
export function softplus(x: Tensor, options: { beta?: number; threshold?: number } = {}): Tensor {
  checkOptionNames("softplus", options, ["beta", "threshold"]);
  return ofFloats("softplus", x, (node) => ops.softplus(node, options));
}

/** `x * tanh(softplus(x))`. @see torch.nn.functional.mish */
export const mish = (x: Tensor): Tensor => ofFloats("mish", x, ops.mish);

/** `1 / (1 + e ^ -x)`. @see torch.nn.functional.sigmoid */
export const sigmoid = (x: Tensor): Tensor => build("sigmoid", [x], ops.sigmoid);

/** `log(sigmoid(x))`, without overflow. @see torch.nn.functional.logsigmoid */
export const logsigmoid = (x: Tensor): Tensor => ofFloats("logsigmoid", x, ops.logsigmoid);

/** Hyperbolic tangent. @see torch.nn.functional.tanh */
export const tanh = (x: Tensor): Tensor => build("tanh", [x], ops.tanh);

/** `x - tanh(x)`. @see torch.nn.functional.tanhshrink */
export const tanhshrink = (x: Tensor): Tensor => ofNumbers("tanhshrink", x, ops.tanhshrink);

/** `x / (1 + |x|)`. @see torch.nn.functional.softsign */
export const softsign = (x: Tensor): Tensor => ofNumbers("softsign", x, ops.softsign);

// --- made of straight lines ------------------------------------------------------------------------------------------

/** `x` between `minVal` and `maxVal`. @throws ValueError unless `minVal < maxVal`. @see torch.nn.functional.hardtanh */
export const hardtanh = (x: Tensor, minVal = -1, maxVal = 1): Tensor =>
  ofNumbers("hardtanh", x, (node) => ops.hardtanh(node, minVal, maxVal));

/** `relu6(x + 3) / 6`. @see torch.nn.functional.hardsigmoid */
export const hardsigmoid = (x: Tensor): Tensor => ofFloats("hardsigmoid", x, ops.hardsigmoid);

/** `x * relu6(x + 3) / 6`. @see torch.nn.functional.hardswish */
export const hardswish = (x: Tensor): Tensor => ofFloats("hardswish", x, ops.hardswish);

/** `x` where it is farther than `lambd` from 0, else 0. @see torch.nn.functional.hardshrink */
export const hardshrink = (x: Tensor, lambd = 0.5): Tensor =>
  ofFloats("hardshrink", x, (node) => ops.hardshrink(node, lambd));

/** `x` moved by `lambd` towards 0, where it stops. @throws ValueError if `lambd` is negative. @see torch.nn.functional.softshrink */
export const softshrink = (x: Tensor, lambd = 0.5): Tensor =>
  ofFloats("softshrink", x, (node) => ops.softshrink(node, lambd));

// --- along a dimension -----------------------------------------------------------------------------------------------

/** `e ^ x / sum(e ^ x)` along `dim`. @see torch.nn.functional.softmax */
export function softmax(x: Tensor, dim: number): Tensor {
  checkTensors("softmax", x);
  return x.softmax(dim);
}

/** `softmax(-x)` along `dim`. @see torch.nn.functional.softmin */
export function softmin(x: Tensor, dim: number): Tensor {
  checkTensors("softmin", x);
  return naming("softmin", () => x.neg().softmax(dim));
}

/** `log(softmax(x))` along `dim`. @see torch.nn.functional.log_softmax */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  checkTensors("logSoftmax", x);
  return x.logSoftmax(dim);
}

/** The first half along `dim`, times the sigmoid of the second. @throws ShapeError if the size is odd. @see torch.nn.functional.glu */
export const glu = (x: Tensor, dim = -1): Tensor => ofFloats("glu", x, (node) => ops.glu(node, dim));
