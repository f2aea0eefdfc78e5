/**
 * PyTorch's functions of `torch` that compute each element by itself, as functions; those of `Tensor` with the same names
 * do the same. Of two operands one may be a number.
 */

import type { Closeness } from "./ops";
import * as ops from "./ops";
import { type AlphaOptions, checkBounds, summing, type ValueOptions, valueOf } from "./methods/arithmetic";
import { type DivOptions, dividing, rounding, type RoundOptions } from "./methods/division";
import { closing } from "./methods/logic";
import { build, buildWithNone, checkTensors, type Tensor, type TensorLike } from "./tensor";

// --- arithmetic ------------------------------------------------------------------------------------------------------

/** `a + alpha * b`. @see torch.add */
export const add = (a: TensorLike, b: TensorLike, options?: AlphaOptions): Tensor =>
  build("add", [a, b], summing("add", options));

/** `a - alpha * b`. @see torch.sub */
export const sub = (a: TensorLike, b: TensorLike, options?: AlphaOptions): Tensor =>
  build("sub", [a, b], summing("sub", options));

/** `a * b`. @see torch.mul */
export const mul = (a: TensorLike, b: TensorLike): Tensor => build("mul", [a, b], ops.mul);

/** `a / b`; see `Tensor.div`. @see torch.div */
export const div = (a: TensorLike, b: TensorLike, options?: DivOptions): Tensor =>
  build("div", [a, b], dividing(options));

/** `a / b`. @see torch.true_divide */
export const trueDivide = (a: TensorLike, b: TensorLike): Tensor => build("trueDivide", [a, b], ops.div);

/** `floor(a / b)`. @see torch.floor_divide */
export const floorDivide = (a: TensorLike, b: TensorLike): Tensor => build("floorDivide", [a, b], ops.floorDivide);

/** `a - b * floor(a / b)`: the sign of `b`. @see torch.remainder */
export const remainder = (a: TensorLike, b: TensorLike): Tensor => build("remainder", [a, b], ops.remainder);

/** `a - b * trunc(a / b)`: the sign of `a`. @see torch.fmod */
export const fmod = (a: TensorLike, b: TensorLike): Tensor => build("fmod", [a, b], ops.fmod);

/**
 * `a ^ b`.
 *
 * @see torch.pow
 *
 * @example
 * pow(2, x); // powers of two
 */
export const pow = (a: TensorLike, b: TensorLike): Tensor => build("pow", [a, b], ops.pow);

/** `x * x`. @see torch.square */
export const square = (x: Tensor): Tensor => build("square", [x], ops.square);

/** `1 / x`. @see torch.reciprocal */
export const reciprocal = (x: Tensor): Tensor => build("reciprocal", [x], ops.reciprocal);

/** `-x`. @see torch.neg */
export const neg = (x: Tensor): Tensor => build("neg", [x], ops.neg);

/** `x`, if it is no bool. @see torch.positive */
export const positive = (x: Tensor): Tensor => build("positive", [x], ops.positive);

/** `|x|`. @see torch.abs */
export const abs = (x: Tensor): Tensor => build("abs", [x], ops.abs);

/** -1, 0 or 1. @see torch.sign */
export const sign = (x: Tensor): Tensor => build("sign", [x], ops.sign);

/** -1, 0 or 1: `sign`. @see torch.sgn */
export const sgn = (x: Tensor): Tensor => build("sgn", [x], ops.sign);

/** Whether the sign is minus, which 0 may have too. @see torch.signbit */
export const signbit = (x: Tensor): Tensor => build("signbit", [x], ops.signbit);

/** The magnitude of `a` with the sign of `b`. @see torch.copysign */
export const copysign = (a: TensorLike, b: TensorLike): Tensor => build("copysign", [a, b], ops.copysign);

/** `sqrt(a^2 + b^2)`, without overflow. @see torch.hypot */
export const hypot = (a: TensorLike, b: TensorLike): Tensor => build("hypot", [a, b], ops.hypot);

/** `start + weight * (end - start)`. @see torch.lerp */
export function lerp(start: Tensor, end: Tensor, weight: TensorLike): Tensor {
  checkTensors("lerp", start, end);
  return build("lerp", [start, end, weight], ops.lerp);
}

/** `x + value * a * b`. @see torch.addcmul */
export function addcmul(x: Tensor, a: Tensor, b: Tensor, options?: ValueOptions): Tensor {
  checkTensors("addcmul", x, a, b);
  const value = valueOf("addcmul", options);
  return build("addcmul", [x, a, b], (...nodes) => ops.addcmul(...nodes, value));
}

/** `x + value * a / b`. @see torch.addcdiv */
export function addcdiv(x: Tensor, a: Tensor, b: Tensor, options?: ValueOptions): Tensor {
  checkTensors("addcdiv", x, a, b);
  const value = valueOf("addcdiv", options);
  return build("addcdiv", [x, a, b], (...nodes) => ops.addcdiv(...nodes, value));
}

// --- order and choice ------------------------------------------------------------------------------------------------

/** The larger of each pair; NaN if one is. @see torch.maximum */
export const maximum = (a: TensorLike, b: TensorLike): Tensor => build("maximum", [a, b], ops.maximum);

/** The smaller of each pair; NaN if one is. @see torch.minimum */
export const minimum = (a: TensorLike, b: TensorLike): Tensor => build("minimum", [a, b], ops.minimum);

/** The larger of each pair; of a number and NaN the number. @see torch.fmax */
export const fmax = (a: TensorLike, b: TensorLike): Tensor => build("fmax", [a, b], ops.fmax);

/** The smaller of each pair; of a number and NaN the number. @see torch.fmin */
export const fmin = (a: TensorLike, b: TensorLike): Tensor => build("fmin", [a, b], ops.fmin);

/** `x` cut off below `min` and above `max`; null leaves a side open. @see torch.clamp */
export function clamp(x: Tensor, min: TensorLike | null = null, max: TensorLike | null = null): Tensor {
  checkBounds(min, max);
  checkTensors("clamp", x);
  return buildWithNone("clamp", [x, min, max], ops.clamp);
}

/**
 * `a` where the condition holds, `b` elsewhere; all three broadcast. Two numbers make f32.
 *
 * @param condition bool, or u8
 * @see torch.where
 *
 * @example
 * const leaky = where(x.gt(0), x, x.mul(0.01));
 */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  checkTensors("where", condition);
  return build("where", [condition, a, b], ops.where);
}

/** Numbers in place of NaN and the infinities; see `Tensor.nanToNum`. @see torch.nan_to_num */
export const nanToNum = (x: Tensor, nan = 0, posinf: number | null = null, neginf: number | null = null): Tensor =>
  build("nanToNum", [x], (node) => ops.nanToNum(node, nan, posinf, neginf));

// --- rounding --------------------------------------------------------------------------------------------------------

/** The largest integer not above. @see torch.floor */
export const floor = (x: Tensor): Tensor => build("floor", [x], ops.floor);

/** The smallest integer not below. @see torch.ceil */
export const ceil = (x: Tensor): Tensor => build("ceil", [x], ops.ceil);

/** The nearest integer, or the nearest number of so many decimals; halves go to the even one. @see torch.round */
export const round = (x: Tensor, options?: RoundOptions): Tensor => build("round", [x], rounding(options));

/** The integer part. @see torch.trunc */
export const trunc = (x: Tensor): Tensor => build("trunc", [x], ops.trunc);

/** What `trunc` takes away. @see torch.frac */
export const frac = (x: Tensor): Tensor => build("frac", [x], ops.frac);

// --- exponentials, logarithms, roots ---------------------------------------------------------------------------------

/** `e ^ x`. @see torch.exp */
export const exp = (x: Tensor): Tensor => build("exp", [x], ops.exp);

/** `2 ^ x`. @see torch.exp2 */
export const exp2 = (x: Tensor): Tensor => build("exp2", [x], ops.exp2);

/** `e ^ x - 1`, exact near 0. @see torch.expm1 */
export const expm1 = (x: Tensor): Tensor => build("expm1", [x], ops.expm1);

/** Natural logarithm. @see torch.log */
export const log = (x: Tensor): Tensor => build("log", [x], ops.log);

/** Logarithm of base 2. @see torch.log2 */
export const log2 = (x: Tensor): Tensor => build("log2", [x], ops.log2);

/** Logarithm of base 10. @see torch.log10 */
export const log10 = (x: Tensor): Tensor => build("log10", [x], ops.log10);

/** `log(1 + x)`, exact near 0. @see torch.log1p */
export const log1p = (x: Tensor): Tensor => build("log1p", [x], ops.log1p);

/** `log(e ^ a + e ^ b)`, without overflow. @see torch.logaddexp */
export const logaddexp = (a: TensorLike, b: TensorLike): Tensor => build("logaddexp", [a, b], ops.logaddexp);

/** `log2(2 ^ a + 2 ^ b)`, without overflow. @see torch.logaddexp2 */
export const logaddexp2 = (a: TensorLike, b: TensorLike): Tensor => build("logaddexp2", [a, b], ops.logaddexp2);

/** `a * log(b)`, and 0 where `a` is 0. @see torch.xlogy */
export const xlogy = (a: TensorLike, b: TensorLike): Tensor => build("xlogy", [a, b], ops.xlogy);

/** `a * 2 ^ b`. @see torch.ldexp */
export const ldexp = (a: TensorLike, b: TensorLike): Tensor => build("ldexp", [a, b], ops.ldexp);

/** Square root. @see torch.sqrt */
export const sqrt = (x: Tensor): Tensor => build("sqrt", [x], ops.sqrt);

/** `1 / sqrt(x)`. @see torch.rsqrt */
export const rsqrt = (x: Tensor): Tensor => build("rsqrt", [x], ops.rsqrt);

// --- trigonometry ----------------------------------------------------------------------------------------------------

/** Sine of radians. @see torch.sin */
export const sin = (x: Tensor): Tensor => build("sin", [x], ops.sin);

/** Cosine of radians. @see torch.cos */
export const cos = (x: Tensor): Tensor => build("cos", [x], ops.cos);

/** Tangent of radians. @see torch.tan */
export const tan = (x: Tensor): Tensor => build("tan", [x], ops.tan);

/** The angle of a sine. @see torch.asin */
export const asin = (x: Tensor): Tensor => build("asin", [x], ops.asin);

/** The angle of a cosine. @see torch.acos */
export const acos = (x: Tensor): Tensor => build("acos", [x], ops.acos);

/** The angle of a tangent. @see torch.atan */
export const atan = (x: Tensor): Tensor => build("atan", [x], ops.atan);

/** The angle of the point `(x, y)`, in `[-pi, pi]`. @see torch.atan2 */
export const atan2 = (y: TensorLike, x: TensorLike): Tensor => build("atan2", [y, x], ops.atan2);

/** Hyperbolic sine. @see torch.sinh */
export const sinh = (x: Tensor): Tensor => build("sinh", [x], ops.sinh);

/** Hyperbolic cosine. @see torch.cosh */
export const cosh = (x: Tensor): Tensor => build("cosh", [x], ops.cosh);

/** Hyperbolic tangent. @see torch.tanh */
export const tanh = (x: Tensor): Tensor => build("tanh", [x], ops.tanh);

/** Inverse hyperbolic sine. @see torch.asinh */
export const asinh = (x: Tensor): Tensor => build("asinh", [x], ops.asinh);

/** Inverse hyperbolic cosine. @see torch.acosh */
export const acosh = (x: Tensor): Tensor => build("acosh", [x], ops.acosh);

/** Inverse hyperbolic tangent. @see torch.atanh */
export const atanh = (x: Tensor): Tensor => build("atanh", [x], ops.atanh);

/** `sin(pi x) / (pi x)`, and 1 at 0. @see torch.sinc */
export const sinc = (x: Tensor): Tensor => build("sinc", [x], ops.sinc);

/** Degrees as radians. @see torch.deg2rad */
export const deg2rad = (x: Tensor): Tensor => build("deg2rad", [x], ops.deg2rad);

/** Radians as degrees. @see torch.rad2deg */
export const rad2deg = (x: Tensor): Tensor => build("rad2deg", [x], ops.rad2deg);

// --- error function, activations -------------------------------------------------------------------------------------

/** Error function. @see torch.erf */
export const erf = (x: Tensor): Tensor => build("erf", [x], ops.erf);

/** `1 - erf(x)`, exact for large values. @see torch.erfc */
export const erfc = (x: Tensor): Tensor => build("erfc", [x], ops.erfc);

/** Inverse error function. @see torch.erfinv */
export const erfinv = (x: Tensor): Tensor => build("erfinv", [x], ops.erfinv);

/** `1 / (1 + e ^ -x)`. @see torch.sigmoid */
export const sigmoid = (x: Tensor): Tensor => build("sigmoid", [x], ops.sigmoid);

/** `log(x / (1 - x))`; see `Tensor.logit`. @see torch.logit */
export const logit = (x: Tensor, eps: number | null = null): Tensor =>
  build("logit", [x], (node) => ops.logit(node, eps));

/** `max(x, 0)`. @see torch.relu */
export const relu = (x: Tensor): Tensor => build("relu", [x], ops.relu);

// --- comparisons, logic, bits ----------------------------------------------------------------------------------------

/** `a == b`. @see torch.eq */
export const eq = (a: TensorLike, b: TensorLike): Tensor => build("eq", [a, b], ops.eq);

/** `a != b`. @see torch.ne */
export const ne = (a: TensorLike, b: TensorLike): Tensor => build("ne", [a, b], ops.ne);

/** `a < b`. @see torch.lt */
export const lt = (a: TensorLike, b: TensorLike): Tensor => build("lt", [a, b], ops.lt);

/** `a <= b`. @see torch.le */
export const le = (a: TensorLike, b: TensorLike): Tensor => build("le", [a, b], ops.le);

/** `a > b`. @see torch.gt */
export const gt = (a: TensorLike, b: TensorLike): Tensor => build("gt", [a, b], ops.gt);

/** `a >= b`. @see torch.ge */
export const ge = (a: TensorLike, b: TensorLike): Tensor => build("ge", [a, b], ops.ge);

/** Whether both are close; see `Closeness`. @see torch.isclose */
export const isclose = (a: TensorLike, b: TensorLike, options?: Closeness): Tensor =>
  build("isclose", [a, b], closing("isclose", options));

/** Whether all elements are close. @see torch.allclose */
export async function allclose(a: Tensor, b: TensorLike, options?: Closeness): Promise<boolean> {
  checkTensors("allclose", a);
  return a.allclose(b, options);
}

/** Whether each element is NaN. @see torch.isnan */
export const isnan = (x: Tensor): Tensor => build("isnan", [x], ops.isnan);

/** Whether each element is infinite. @see torch.isinf */
export const isinf = (x: Tensor): Tensor => build("isinf", [x], ops.isinf);

/** Whether each element is neither infinite nor NaN. @see torch.isfinite */
export const isfinite = (x: Tensor): Tensor => build("isfinite", [x], ops.isfinite);

/** Whether each element is 0. @see torch.logical_not */
export const logicalNot = (x: Tensor): Tensor => build("logicalNot", [x], ops.logicalNot);

/** Whether both are not 0. @see torch.logical_and */
export const logicalAnd = (a: TensorLike, b: TensorLike): Tensor => build("logicalAnd", [a, b], ops.logicalAnd);

/** Whether one is not 0. @see torch.logical_or */
export const logicalOr = (a: TensorLike, b: TensorLike): Tensor => build("logicalOr", [a, b], ops.logicalOr);

/** Whether exactly one is not 0. @see torch.logical_xor */
export const logicalXor = (a: TensorLike, b: TensorLike): Tensor => build("logicalXor", [a, b], ops.logicalXor);

/** `~x`. @see torch.bitwise_not */
export const bitwiseNot = (x: Tensor): Tensor => build("bitwiseNot", [x], ops.bitwiseNot);

/** `a & b`. @see torch.bitwise_and */
export const bitwiseAnd = (a: TensorLike, b: TensorLike): Tensor => build("bitwiseAnd", [a, b], ops.bitwiseAnd);

/** `a | b`. @see torch.bitwise_or */
export const bitwiseOr = (a: TensorLike, b: TensorLike): Tensor => build("bitwiseOr", [a, b], ops.bitwiseOr);

/** `a ^ b`, exclusive or. @see torch.bitwise_xor */
export const bitwiseXor = (a: TensorLike, b: TensorLike): Tensor => build("bitwiseXor", [a, b], ops.bitwiseXor);

/** `a << b`. @see torch.bitwise_left_shift */
export const bitwiseLeftShift = (a: TensorLike, b: TensorLike): Tensor =>
  build("bitwiseLeftShift", [a, b], ops.bitwiseLeftShift);

/** `a >> b`; keeps the sign of i32. @see torch.bitwise_right_shift */
export const bitwiseRightShift = (a: TensorLike, b: TensorLike): Tensor =>
  build("bitwiseRightShift", [a, b], ops.bitwiseRightShift);
