/** Exponentials, logarithms, roots and powers. */

import { ValueError } from "../errors";
import { autocastEnabled } from "../graph/autocastMode";
import { isFloat } from "../graph/dtype";
import type { Node } from "../graph/node";
import { add, div, mul, reciprocal, square, sub, where } from "./arithmetic";
import { cast, commonDType, type Operand, toFloat, together } from "./cast";
import { eq, ge, logicalAnd } from "./logic";
import { apply } from "./op";
import { binary, FLOAT, NUMBER, type PointwiseOp, unary } from "./pointwise";
import { callEach } from "./wgsl";

interface MathSpec {
  readonly js: (x: number) => number;
  /** Function of shaders/lib/math.wgsl that follows IEEE where WGSL's own need not. */
  readonly wgsl: string;
  /** The derivative, from the input and the output. */
  readonly derivative: (x: Node, output: Node) => Node;
}

/** A function of one float: its gradient is its derivative times that of the output. */
export const mathOp = (name: string, { js, wgsl, derivative }: MathSpec): PointwiseOp =>
  unary({
    name,
    dtypes: FLOAT,
    dear: true,
    js,
    wgsl: (x, { lanes }) => callEach(wgsl, [x], lanes),
    vjp: (gradOut, { inputs: [x], output }) => [mul(gradOut, derivative(x!, output))],
  });

export const onFloats =
  (op: PointwiseOp) =>
  (x: Node): Node =>
    apply(op, [toFloat(x)], {});

// --- exponentials and logarithms -------------------------------------------------------------------------------------

const expOp = mathOp("exp", { js: Math.exp, wgsl: "ieee_exp", derivative: (_x, output) => output });
const expm1Op = mathOp("expm1", { js: Math.expm1, wgsl: "expm1", derivative: (_x, output) => add(output, 1) });
const exp2Op = mathOp("exp2", {
  js: (x) => 2 ** x,
  wgsl: "ieee_exp2",
  derivative: (_x, output) => mul(output, Math.LN2),
});
const logOp = mathOp("log", { js: Math.log, wgsl: "ieee_log", derivative: (x) => reciprocal(x) });
const log1pOp = mathOp("log1p", { js: Math.log1p, wgsl: "log1p", derivative: (x) => reciprocal(add(x, 1)) });
const log2Op = mathOp("log2", {
  js: Math.log2,
  wgsl: "ieee_log2",
  derivative: (x) => reciprocal(mul(x, Math.LN2)),
});
const log10Op = mathOp("log10", {
  js: Math.log10,
  wgsl: "ieee_log10",
  derivative: (x) => reciprocal(mul(x, Math.LN10)),
});

export const exp = onFloats(expOp);
export const exp2 = onFloats(exp2Op);
/** `exp(x) - 1`, accurate near 0. */
export const expm1 = onFloats(expm1Op);
export const log = onFloats(logOp);
/** `log(1 + x)`, accurate near 0. */
export const log1p = onFloats(log1pOp);
export const log2 = onFloats(log2Op);
export const log10 = onFloats(log10Op);

// --- roots -----------------------------------------------------------------------------------------------------------

// d sqrt(x) = dx / (2 sqrt(x)), infinite at 0
const sqrtOp = unary({
  name: "sqrt",
  dtypes: FLOAT,
  js: Math.sqrt,
  wgsl: (x, { lanes }) => callEach("ieee_sqrt", [x], lanes),
  vjp: (gradOut, { output }) => [div(gradOut, mul(output, 2))],
});

const rsqrtOp = mathOp("rsqrt", {
  js: (x) => 1 / Math.sqrt(x),
  wgsl: "rsqrt",
  derivative: (_x, output) => mul(mul(square(output), output), -0.5),
});

export const sqrt = onFloats(sqrtOp);
/** `1 / sqrt(x)`. */
export const rsqrt = onFloats(rsqrtOp);

const sigmoidOp = mathOp("sigmoid", {
  js: (x) => 1 / (1 + Math.exp(-x)),
  wgsl: "sigmoid",
  derivative: (_x, output) => mul(output, sub(1, output)),
});

/** `1 / (1 + exp(-x))`. */
export const sigmoid = onFloats(sigmoidOp);

// --- powers ----------------------------------------------------------------------------------------------------------

/** C's pow: 1 to any power is 1, and so is -1 to an infinite one; JavaScript says NaN. */
const powFloat = (a: number, b: number): number => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);

/** Integer power that wraps; negative exponents give the integer part of the fraction. */
function powInteger(a: number, b: number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
  let result = 1;
  for (let base = a, rest = b; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}

// d(a^b) = b a^(b-1) da + a^b log(a) db; 0 for da where b = 0, and for db where a = 0 and b >= 0
const powOp = binary({
  name: "pow",
  dtypes: NUMBER,
  dear: true,
  js: powFloat,
  jsInteger: { i32: powInteger, u32: powInteger },
  wgsl: (a, b, { output, lanes }) => callEach("power", [a, b], lanes, output),
  vjp: (gradOut, { inputs: [a, b], output, needs }) => [
    needs[0] ? where(eq(b!, 0), 0, mul(gradOut, mul(b!, pow(a!, sub(b!, 1))))) : null,
    needs[1] ? mul(gradOut, where(logicalAnd(eq(a!, 0), ge(b!, 0)), 0, mul(output, log(a!)))) : null,
  ],
});

/** Powers that have a cheaper and more accurate op. */
function simplePower(x: Node, exponent: number): Node | null {
  if (exponent === 2) return square(x);
  if (exponent === 3) return mul(square(x), x);
  if (!isFloat(x.dtype)) return null;
  switch (exponent) {
    case 1:
      return x;
    case -1:
      return reciprocal(x);
    case 0.5:
      return sqrt(x);
    case -0.5:
      return rsqrt(x);
    default:
      return null;
  }
}

/** `a` to the power `b`. */
export function pow(a: Operand, b: Operand): Node {
  if (typeof b === "number" && b < 0 && Number.isInteger(b) && !isFloat(commonDType([a, b]))) {
    throw new ValueError(`pow: integers must not have a negative exponent, got ${b}. Cast the base to f32.`);
  }
  if (autocastEnabled() && typeof a !== "number" && a.dtype === "f16") return pow(cast(a, "f32"), b);
  const simple = typeof a !== "number" && typeof b === "number" ? simplePower(a, b) : null;
  return simple ?? apply(powOp, together("pow", [a, b]), {});
}
