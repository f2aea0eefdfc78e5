/** Activations, composed of other ops so that the graph fuses them. At their kinks gradients are PyTorch's. */

import { ValueError } from "../errors";
import type { Node } from "../graph/node";
import { abs, add, clamp, div, maximum, mul, neg, square, where } from "./arithmetic";
import { customVjp, detach } from "./custom";
import { ge, gt, le, logicalAnd, lt } from "./logic";
import { erf, exp, expm1, log1p, sigmoid, tanh } from "./math";

/** `x * sigmoid(x)`. */
export const silu = (x: Node): Node => mul(x, sigmoid(x));

/** `x * Phi(x)`, where Phi is the normal distribution's cumulative function; or its approximation by tanh. */
export function gelu(x: Node, { approximate = "none" }: { approximate?: "none" | "tanh" } = {}): Node {
  if (approximate === "none") return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
  const inner = mul(mul(x, add(mul(square(x), 0.044715), 1)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}

/** `log(1 + exp(beta x)) / beta`, without overflow. */
export function softplus(x: Node, { beta = 1 }: { beta?: number } = {}): Node {
  const scaled = beta === 1 ? x : mul(x, beta);
  const result = add(maximum(scaled, 0), log1p(exp(neg(abs(scaled)))));
  return beta === 1 ? result : div(result, beta);
}

/** `log(sigmoid(x))`, without overflow. */
export const logsigmoid = (x: Node): Node => neg(softplus(neg(x)));

/** `x * tanh(softplus(x))`. */
export const mish = (x: Node): Node => mul(x, tanh(softplus(x)));

/** `x / (1 + |x|)`. */
export const softsign = (x: Node): Node => div(x, add(abs(x), 1));

/** `x`, times `negativeSlope` below 0. */
export const leakyRelu = (x: Node, negativeSlope = 0.01): Node => where(gt(x, 0), x, mul(x, negativeSlope));

/** `x` above 0, else `scale * (exp(x / rate) - 1)`. The exponential never sees what is above 0, where it might overflow. */
function exponentialBelow(x: Node, scale: number, rate = 1): Node {
  const isBelow = le(x, 0);
  const below = where(isBelow, x, 0);
  return where(isBelow, mul(expm1(rate === 1 ? below : div(below, rate)), scale), x);
}

/** `x` above 0, else `alpha * (exp(x) - 1)`. */
export const elu = (x: Node, alpha = 1): Node => exponentialBelow(x, alpha);

/** `x` above 0, else `alpha * (exp(x / alpha) - 1)`. */
export function celu(x: Node, alpha = 1): Node {
  if (alpha === 0) throw new ValueError("celu: alpha must not be 0, got 0. Use relu.");
  return exponentialBelow(x, alpha, alpha);
}

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** ELU with the constants that keep mean 0 and variance 1 from layer to layer. */
export const selu = (x: Node): Node => mul(elu(x, SELU_ALPHA), SELU_SCALE);

/** `x` between two values; no gradient outside, nor at them. */
export function hardtanh(x: Node, min = -1, max = 1): Node {
  if (!(min < max)) throw new ValueError(`hardtanh: minVal must be below maxVal, got ${min} and ${max}. Swap them.`);
  return where(le(x, min), min, where(ge(x, max), max, x));
}

/** `min(max(x, 0), 6)`. */
export const relu6 = (x: Node): Node => hardtanh(x, 0, 6);

/** `relu6(x + 3) / 6`. A NaN gets no gradient. */
export function hardsigmoid(x: Node): Node {
  const shifted = add(x, 3);
  const isInside = logicalAnd(gt(x, -3), lt(x, 3));
  return div(where(isInside, shifted, detach(clamp(shifted, 0, 6))), 6);
}

/** `x * relu6(x + 3) / 6`. */
export function hardswish(x: Node): Node {
  const value = mul(x, div(relu6(add(x, 3)), 6));
  return customVjp(value, [x], (gradOut, [input]) => {
    const between = mul(gradOut, add(div(input!, 3), 0.5));
    return [where(lt(input!, -3), 0, where(le(input!, 3), between, gradOut))];
  });
}
