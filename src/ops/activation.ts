/** Activations, composed of other ops so that the graph fuses them. At their kinks gradients are PyTorch's. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { normalizeDim, showShape, sizeOf } from "../graph/shape";
import { checkNumber } from "../options";
import { abs, add, clamp, div, maximum, mul, neg, square, sub, where } from "./arithmetic";
import { customVjp, detach } from "./custom";
import { ge, gt, le, logicalAnd, lt } from "./logic";
import { exp, expm1, log1p, sigmoid } from "./math";
import { forProduct, hasHalf, inF32, inF32ForAutocast } from "./precision";
import { narrow } from "./slice";
import { erfc } from "./special";
import { tanh } from "./trigonometry";
import { reshape } from "./views";

/** `x * sigmoid(x)`. */
export const silu = (x: Node): Node => inF32([x], (wide) => mul(wide, sigmoid(wide)));

/** `x * Phi(x)`, where Phi is the normal distribution's cumulative function; or its approximation by tanh. */
export function gelu(x: Node, { approximate = "none" }: { approximate?: "none" | "tanh" } = {}): Node {
  if (hasHalf(x)) return inF32([x], (wide) => gelu(wide, { approximate }));
  if (approximate === "none") return mul(mul(x, 0.5), erfc(mul(x, -Math.SQRT1_2)));
  const inner = mul(mul(x, add(mul(square(x), 0.044715), 1)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}

/** From here on the linear part of softplus is all that f32 sees of it. */
const LINEAR = 20;

/**
 * `log(1 + exp(beta x)) / beta`, without overflow; `x` where `beta x` is above the threshold. Its own terms would have no second
 * gradient at 0.
 */
export function softplus(x: Node, { beta = 1, threshold = LINEAR }: { beta?: number; threshold?: number } = {}): Node {
  if (hasHalf(x)) return inF32ForAutocast([x], (wide) => softplus(wide, { beta, threshold }));
  const scaledOf = (of: Node): Node => (beta === 1 ? of : mul(of, beta));
  const scaled = scaledOf(x);
  const sum = add(maximum(scaled, 0), log1p(exp(neg(abs(scaled)))));
  const result = customVjp(beta === 1 ? sum : div(sum, beta), [x], (gradOut, [of]) => [
    mul(gradOut, sigmoid(scaledOf(of!))),
  ]);
  return threshold < LINEAR ? where(gt(scaled, threshold), x, result) : result;
}

/** `log(sigmoid(x))`, without overflow. */
export const logsigmoid = (x: Node): Node => inF32([x], (wide) => neg(softplus(neg(wide))));

/** `x * tanh(softplus(x))`. */
export const mish = (x: Node): Node => inF32([x], (wide) => mul(wide, tanh(softplus(wide))));

/** `x / (1 + |x|)`. */
export const softsign = (x: Node): Node => div(x, add(abs(x), 1));

/** `x`, times `negativeSlope` below 0. */
export const leakyRelu = (x: Node, negativeSlope = 0.01): Node => where(gt(x, 0), x, mul(x, negativeSlope));

/** `x` above 0, else `scale * (exp(x / rate) - 1)`. The exponential never sees what is above 0, where it might overflow. */
function exponentialBelow(x: Node, scale: number, rate = 1): Node {
  if (hasHalf(x)) return inF32([x], (wide) => exponentialBelow(wide, scale, rate));
  const isBelow = le(x, 0);
  const below = where(isBelow, x, 0);
  return where(isBelow, mul(expm1(rate === 1 ? below : div(below, rate)), scale), x);
}

/** `x` above 0, else `alpha * (exp(x) - 1)`. */
export const elu = (x: Node, alpha = 1): Node => exponentialBelow(x, alpha);

/** `x` above 0, else `alpha * (exp(x / alpha) - 1)`. */
export function celu(x: Node, alpha = 1): Node {
  checkNumber("celu", "alpha", alpha);
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

/** `x` where it is farther than `lambd` from 0, else 0. */
export const hardshrink = (x: Node, lambd = 0.5): Node => where(logicalAnd(ge(x, -lambd), le(x, lambd)), 0, x);

/** `x`, moved by `lambd` towards 0; what is nearer becomes 0, and so does NaN. */
export function softshrink(x: Node, lambd = 0.5): Node {
  if (!(lambd >= 0)) throw new ValueError(`softshrink: lambd must not be negative, got ${lambd}. Pass 0 or more.`);
  return where(gt(x, lambd), sub(x, lambd), where(lt(x, -lambd), add(x, lambd), 0));
}

/** `x - tanh(x)`. */
export const tanhshrink = (x: Node): Node => sub(x, tanh(x));

/** `x` above the threshold, else `value`. */
export const threshold = (x: Node, bound: number, value: number): Node => where(le(x, bound), value, x);

/** `x` above 0, else `weight * x`; one weight, or one a channel, `[c]` of `x [n, c, ...]`. */
export function prelu(x: Node, weight: Node): Node {
  const channels = x.shape.length > 1 ? x.shape[1]! : 1;
  const count = sizeOf(weight.shape);
  if (weight.shape.length > 1 || (count !== 1 && count !== channels)) {
    throw new ShapeError(
      `prelu: weight must be one number or one a channel, got ${showShape(weight.shape)} for ${showShape(x.shape)}. Pass [1] or [${channels}].`,
    );
  }
  const perChannel = x.shape.map((_, d) => (d === 1 ? count : 1));
  const [input, w] = forProduct([x, weight]);
  return where(gt(input, 0), input, mul(reshape(w, count === 1 ? [] : perChannel), input));
}

/** The first half along `dim`, times the sigmoid of the second. */
export function glu(x: Node, dim = -1): Node {
  const at = normalizeDim("glu", dim, x.shape.length);
  const size = x.shape[at] ?? 1;
  if (size % 2 !== 0 || x.shape.length === 0) {
    throw new ShapeError(
      `glu: the size of dim ${dim} must be even, got ${showShape(x.shape)}. Pad it, or pick another dim.`,
    );
  }
  return mul(narrow(x, at, 0, size / 2), sigmoid(narrow(x, at, size / 2, size / 2)));
}

/** `x * relu6(x + 3) / 6`. */
export function hardswish(x: Node): Node {
  const value = mul(x, div(relu6(add(x, 3)), 6));
  return customVjp(value, [x], (gradOut, [input]) => {
    const between = mul(gradOut, add(div(input!, 3), 0.5));
    return [where(lt(input!, -3), 0, where(le(input!, 3), between, gradOut))];
  });
}
