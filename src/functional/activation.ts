/** Activations. */

import * as ops from "../ops";
import type { Tensor } from "../tensor";
import { unary } from "./unary";

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
