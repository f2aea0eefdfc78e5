/** Exponentials, roots, trigonometry and powers; and activations composed of them. */

import { isFloat } from "../graph/dtype";
import type { Node } from "../graph/node";
import { add, div, mul, neg, reciprocal, square, sub, where } from "./arithmetic";
import { type Operand, toFloat, together } from "./cast";
import { eq, ge, logicalAnd } from "./logic";
import { apply } from "./op";
import { binary, FLOAT, NUMERIC, type PointwiseOp, unary } from "./pointwise";
import { call } from "./wgsl";

interface MathSpec {
  readonly js: (x: number) => number;
  /** Function of shaders/lib/math.wgsl that follows IEEE where WGSL's own need not. */
  readonly wgsl: string;
  /** The derivative, from the input and the output. */
  readonly derivative: (x: Node, output: Node) => Node;
}

/** A function of one float: its gradient is its derivative times that of the output. */
const mathOp = (name: string, { js, wgsl, derivative }: MathSpec): PointwiseOp =>
  unary({
    name,
    dtypes: FLOAT,
    dear: true,
    js,
    wgsl: (x, { lanes }) => call(wgsl, [x], lanes),
    vjp: (gradOut, { inputs: [x], output }) => [mul(gradOut, derivative(x!, output))],
  });

const onFloats =
  (op: PointwiseOp) =>
  (x: Node): Node =>
    apply(op, [toFloat(x)], {});

// --- exponentials and logarithms -------------------------------------------------------------------------------------

export const expOp = mathOp("exp", { js: Math.exp, wgsl: "ieee_exp", derivative: (_x, output) => output });
export const expm1Op = mathOp("expm1", { js: Math.expm1, wgsl: "expm1", derivative: (_x, output) => add(output, 1) });
export const logOp = mathOp("log", { js: Math.log, wgsl: "ieee_log", derivative: (x) => reciprocal(x) });
export const log1pOp = mathOp("log1p", { js: Math.log1p, wgsl: "log1p", derivative: (x) => reciprocal(add(x, 1)) });

export const exp = onFloats(expOp);
/** `exp(x) - 1`, accurate near 0. */
export const expm1 = onFloats(expm1Op);
export const log = onFloats(logOp);
/** `log(1 + x)`, accurate near 0. */
export const log1p = onFloats(log1pOp);

// --- roots -----------------------------------------------------------------------------------------------------------

// d sqrt(x) = dx / (2 sqrt(x)), infinite at 0
export const sqrtOp = unary({
  name: "sqrt",
  dtypes: FLOAT,
  js: Math.sqrt,
  wgsl: (x, { lanes }) => call("ieee_sqrt", [x], lanes),
  vjp: (gradOut, { output }) => [div(gradOut, mul(output, 2))],
});

export const rsqrtOp = mathOp("rsqrt", {
  js: (x) => 1 / Math.sqrt(x),
  wgsl: "rsqrt",
  derivative: (_x, output) => mul(mul(square(output), output), -0.5),
});

export const sqrt = onFloats(sqrtOp);
/** `1 / sqrt(x)`. */
export const rsqrt = onFloats(rsqrtOp);

// --- trigonometry and sigmoids ---------------------------------------------------------------------------------------

export const sinOp = mathOp("sin", { js: Math.sin, wgsl: "ieee_sin", derivative: (x) => cos(x) });
export const cosOp = mathOp("cos", { js: Math.cos, wgsl: "ieee_cos", derivative: (x) => neg(sin(x)) });
export const tanhOp = mathOp("tanh", {
  js: Math.tanh,
  wgsl: "ieee_tanh",
  derivative: (_x, output) => sub(1, square(output)),
});

export const sigmoidOp = mathOp("sigmoid", {
  js: (x) => 1 / (1 + Math.exp(-x)),
  wgsl: "sigmoid",
  derivative: (_x, output) => mul(output, sub(1, output)),
});

/** Error function in double precision: a series of positive terms, exact to a few ULP wherever it is not 1. */
function erfOf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

// d erf(x) = 2 / sqrt(pi) exp(-x^2) dx
export const erfOp = mathOp("erf", {
  js: erfOf,
  wgsl: "erf",
  derivative: (x) => mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)),
});

export const sin = onFloats(sinOp);
export const cos = onFloats(cosOp);
export const tanh = onFloats(tanhOp);
/** `1 / (1 + exp(-x))`. */
export const sigmoid = onFloats(sigmoidOp);
export const erf = onFloats(erfOp);

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
export const powOp = binary({
  name: "pow",
  dtypes: NUMERIC,
  dear: true,
  js: powFloat,
  jsInteger: { i32: powInteger, u32: powInteger },
  wgsl: (a, b, { output, lanes }) => call("power", [a, b], lanes, output),
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
  const simple = typeof a !== "number" && typeof b === "number" ? simplePower(a, b) : null;
  return simple ?? apply(powOp, together("pow", [a, b]), {});
}
