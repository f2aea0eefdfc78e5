/** The error function and its kin, and functions that care for 0, 1 and infinity: logit, xlogy, sinc, logaddexp. */

import { ValueError } from "../errors";
import { isFloat, toFloatDType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { checkNumber } from "../options";
import { abs, add, clamp, div, maximum, minimum, mul, neg, reciprocal, square, sub, where } from "./arithmetic";
import { commonDType, type Operand, toFloat, together } from "./cast";
import { checkDType } from "./check";
import { customVjp } from "./custom";
import { eq, ge, gt, isfinite, isnan, le, logicalAnd, logicalNot, logicalOr, lt } from "./logic";
import { exp, exp2, log, log1p, mathOp, onFloats, sigmoid } from "./math";
import { apply } from "./op";
import { binary, FLOAT } from "./pointwise";
import { hasHalf, inF32 } from "./precision";
import { cos, sin } from "./trigonometry";
import { callEach } from "./wgsl";

// --- error function --------------------------------------------------------------------------------------------------

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

/** Error function in double precision: a series of positive terms, exact to a few ULP wherever it is not 1. */
function erfOf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return TWO_OVER_ROOT_PI * Math.exp(-x * x) * total;
}

/** `1 - erf(x)`; where that cancels, a continued fraction from its end. */
function erfcOf(x: number): number {
  if (!(x > 1.5)) return 1 - erfOf(x);
  let rest = x;
  for (let n = 150; n > 0; n--) rest = x + n / (2 * rest);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * rest);
}

/** The inverse of erf by Halley's method, from a start that is within 1 %. */
function erfinvOf(y: number): number {
  const size = Math.abs(y);
  if (!(size < 1)) return size === 1 ? y * Infinity : NaN;
  const log = Math.log((1 - size) * (1 + size));
  const half = 4.33 + log / 2;
  let x = Math.sqrt(Math.sqrt(half * half - log / 0.147) - half);
  for (let i = 0; i < 4; i++) {
    const error = size < 0.5 ? erfOf(x) - size : 1 - size - erfcOf(x);
    const step = (error * Math.exp(x * x)) / TWO_OVER_ROOT_PI;
    x -= step / (1 + x * step);
  }
  return y < 0 ? -x : x;
}

// d erf(x) = 2 / sqrt(pi) exp(-x^2) dx
const erfOp = mathOp("erf", {
  js: erfOf,
  wgsl: "erf",
  derivative: (x) => mul(exp(neg(square(x))), TWO_OVER_ROOT_PI),
});
const erfcOp = mathOp("erfc", {
  js: erfcOf,
  wgsl: "erfc",
  derivative: (x) => mul(exp(neg(square(x))), -TWO_OVER_ROOT_PI),
});
const erfinvOp = mathOp("erfinv", {
  js: erfinvOf,
  wgsl: "erfinv",
  derivative: (_x, output) => mul(exp(square(output)), 1 / TWO_OVER_ROOT_PI),
});

export const erf = onFloats(erfOp);
/** `1 - erf(x)`, exact for large `x`. */
export const erfc = onFloats(erfcOp);
/** The inverse of erf; infinite at -1 and 1, NaN beyond. */
export const erfinv = onFloats(erfinvOp);

// --- of 0, 1 and infinity --------------------------------------------------------------------------------------------

/** `log(x / (1 - x))` of `x` cut to `[eps, 1 - eps]`, where there is no gradient outside. */
export function logit(input: Node, eps: number | null = null): Node {
  if (eps !== null) checkNumber("logit", "eps", eps);
  if (hasHalf(input)) return inF32([input], (wide) => logit(wide, eps));
  const x = toFloat(input);
  const inside = eps === null ? x : clamp(x, eps, 1 - eps);
  const value = log(div(inside, sub(1, inside)));
  return customVjp(value, [x], (gradOut, [at]) => {
    const slope = reciprocal(mul(at!, sub(1, at!)));
    const isOutside = logicalOr(lt(at!, eps ?? 0), gt(at!, 1 - (eps ?? 0)));
    return [where(isOutside, eps === null ? NaN : 0, mul(gradOut, slope))];
  });
}

/** `sin(pi x) / (pi x)`, and 1 at 0. */
export function sinc(input: Node): Node {
  const x = toFloat(input);
  const angle = mul(x, Math.PI);
  const value = where(eq(x, 0), 1, div(sin(angle), angle));
  return customVjp(value, [x], (gradOut, [at]) => [mul(gradOut, sincSlope(at!))]);
}

/** `(cos(pi x) - sinc(x)) / x`; near 0, where that cancels, its series. */
function sincSlope(x: Node): Node {
  const isNear = lt(abs(x), 0.2);
  const u = square(mul(where(isNear, x, 0), Math.PI));
  const series = add(mul(add(mul(add(mul(u, -1 / 15120), 1 / 280), u), -1 / 10), u), 1);
  const far = where(isNear, 1, x);
  return where(isNear, mul(mul(x, -(Math.PI ** 2) / 3), series), div(sub(cos(mul(far, Math.PI)), sinc(far)), far));
}

/** `x * log(y)`, and 0 where `x` is 0. */
export function xlogy(a: Operand, b: Operand): Node {
  const [x, y] = together("xlogy", [a, b], toFloatDType(commonDType([a, b])));
  if (hasHalf(x!)) return inF32([x!, y!], xlogy);
  const isZero = logicalAnd(eq(x!, 0), logicalNot(isnan(y!)));
  const value = where(isZero, 0, mul(x!, log(y!)));
  return customVjp(value, [x!, y!], (gradOut, [factor, of]) => [
    where(logicalAnd(eq(factor!, 0), le(of!, 0)), 0, xlogy(gradOut, of!)),
    mul(gradOut, div(factor!, of!)),
  ]);
}

/** `log(e^a + e^b)`, without overflow; `rest(d)` is what the smaller one, `d` below, adds to the larger one. */
function logSum(op: string, rate: number, rest: (d: Node) => Node, a: Operand, b: Operand): Node {
  const [x, y] = together(op, [a, b]) as [Node, Node];
  checkDType(op, [x], FLOAT);
  if (hasHalf(x)) return inF32([x, y], (p, q) => logSum(op, rate, rest, p, q));
  const top = maximum(x, y);
  const value = where(isfinite(top), add(top, rest(sub(minimum(x, y), top))), top);
  return customVjp(value, [x, y], (gradOut, [p, q]) => {
    const lead = mul(sub(p!, q!), rate);
    return [mul(gradOut, sigmoid(lead)), mul(gradOut, sigmoid(neg(lead)))];
  });
}

/** `log(e^a + e^b)`, without overflow. */
export const logaddexp = (a: Operand, b: Operand): Node => logSum("logaddexp", 1, (d) => log1p(exp(d)), a, b);

/** `log2(2^a + 2^b)`, without overflow. */
export const logaddexp2 = (a: Operand, b: Operand): Node =>
  logSum("logaddexp2", Math.LN2, (d) => mul(log1p(exp2(d)), Math.LOG2E), a, b);

/** `x * 2^exponent`, a float. */
export const ldexp = (x: Operand, exponent: Operand): Node =>
  typeof exponent === "number" ? mul(typeof x === "number" ? x : toFloat(x), 2 ** exponent) : mul(x, exp2(exponent));

// --- of two coordinates ----------------------------------------------------------------------------------------------

// d = (x dy - y dx) / (x^2 + y^2)
const atan2Op = binary({
  name: "atan2",
  dtypes: FLOAT,
  dear: true,
  js: (y, x) => Math.atan2(y, x),
  wgsl: (y, x, { lanes }) => callEach("atan2_of", [y, x], lanes),
  vjp(gradOut, { inputs: [y, x] }) {
    const scaled = mul(gradOut, reciprocal(add(square(x!), square(y!))));
    return [mul(scaled, x!), neg(mul(scaled, y!))];
  },
});

// d = (a da + b db) / sqrt(a^2 + b^2)
const hypotOp = binary({
  name: "hypot",
  dtypes: FLOAT,
  dear: true,
  js: (a, b) => Math.hypot(a, b),
  wgsl: (a, b, { lanes }) => callEach("hypot", [a, b], lanes),
  vjp: (gradOut, { inputs: [a, b], output }) => [mul(gradOut, div(a!, output)), mul(gradOut, div(b!, output))],
});

/** The angle of the point `(x, y)`, in `[-pi, pi]`. */
export const atan2 = (y: Operand, x: Operand): Node =>
  apply(atan2Op, together("atan2", [y, x], toFloatDType(commonDType([y, x]))), {});

/** `sqrt(a^2 + b^2)`, without overflow. */
export const hypot = (a: Operand, b: Operand): Node => apply(hypotOp, together("hypot", [a, b]), {});

// --- of NaN ----------------------------------------------------------------------------------------------------------

/** The larger of both; of a number and NaN the number. The gradient of a tie goes to `a`. */
export const fmax = (a: Operand, b: Operand): Node => numberAmong("fmax", ge, a, b);

/** The smaller of both; of a number and NaN the number. The gradient of a tie goes to `a`. */
export const fmin = (a: Operand, b: Operand): Node => numberAmong("fmin", le, a, b);

function numberAmong(op: string, wins: typeof ge, a: Operand, b: Operand): Node {
  const [x, y] = together(op, [a, b]) as [Node, Node];
  return where(logicalOr(wins(x, y), isnan(y)), x, y);
}

/** The largest finite number of a float dtype. */
const LARGEST = { f16: 65504, f32: (2 - 2 ** -23) * 2 ** 127, f64: Number.MAX_VALUE } as const;

/** `x` with numbers in place of NaN and the infinities; null for the largest and smallest there are. */
export function nanToNum(x: Node, nan = 0, posinf: number | null = null, neginf: number | null = null): Node {
  if (!isFloat(x.dtype)) return x;
  const largest = LARGEST[x.dtype as keyof typeof LARGEST];
  const bounded = where(eq(x, Infinity), posinf ?? largest, where(eq(x, -Infinity), neginf ?? -largest, x));
  return where(isnan(x), nan, bounded);
}

/** Tolerances of `isclose`. */
export interface Closeness {
  /** Relative to `b`; default 1e-5. */
  readonly rtol?: number;
  /** Default 1e-8. */
  readonly atol?: number;
  /** Whether NaN is close to NaN; default false. */
  readonly equalNan?: boolean;
}

/** `|a - b| <= atol + rtol * |b|`; infinities are close to themselves only. */
export function isclose(a: Operand, b: Operand, { rtol = 1e-5, atol = 1e-8, equalNan = false }: Closeness = {}): Node {
  if (!(rtol >= 0 && atol >= 0)) {
    throw new ValueError(`isclose: rtol and atol must not be negative, got ${rtol} and ${atol}. Pass 0 or more.`);
  }
  const [x, y] = together("isclose", [a, b]) as [Node, Node];
  const same = equalNan ? logicalOr(eq(x, y), logicalAnd(isnan(x), isnan(y))) : eq(x, y);
  const [p, q] = [toFloat(x), toFloat(y)];
  const distance = abs(sub(p, q));
  return logicalOr(same, logicalAnd(isfinite(distance), le(distance, add(mul(abs(q), rtol), atol))));
}
