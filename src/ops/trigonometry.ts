/** Trigonometry: circular and hyperbolic functions and their inverses. Every rule's derivative is written as graph. */

import type { Node } from "../graph/node";
import { add, mul, neg, reciprocal, square, sub } from "./arithmetic";
import { mathOp, onFloats, rsqrt } from "./math";
import { toFloat } from "./cast";

/** `1 - x^2`, exact near 1. */
const oneMinusSquare = (x: Node): Node => mul(sub(1, x), add(x, 1));

// --- circular --------------------------------------------------------------------------------------------------------

const sinOp = mathOp("sin", { js: Math.sin, wgsl: "ieee_sin", derivative: (x) => cos(x) });
const cosOp = mathOp("cos", { js: Math.cos, wgsl: "ieee_cos", derivative: (x) => neg(sin(x)) });
const tanOp = mathOp("tan", {
  js: Math.tan,
  wgsl: "ieee_tan",
  derivative: (_x, output) => add(square(output), 1),
});
const asinOp = mathOp("asin", {
  js: Math.asin,
  wgsl: "ieee_asin",
  derivative: (x) => rsqrt(oneMinusSquare(x)),
});
const acosOp = mathOp("acos", {
  js: Math.acos,
  wgsl: "ieee_acos",
  derivative: (x) => neg(rsqrt(oneMinusSquare(x))),
});
const atanOp = mathOp("atan", {
  js: Math.atan,
  wgsl: "ieee_atan",
  derivative: (x) => reciprocal(add(square(x), 1)),
});

export const sin = onFloats(sinOp);
export const cos = onFloats(cosOp);
export const tan = onFloats(tanOp);
/** The angle in `[-pi / 2, pi / 2]` of a sine; NaN outside of `[-1, 1]`. */
export const asin = onFloats(asinOp);
/** The angle in `[0, pi]` of a cosine; NaN outside of `[-1, 1]`. */
export const acos = onFloats(acosOp);
/** The angle in `[-pi / 2, pi / 2]` of a tangent. */
export const atan = onFloats(atanOp);

// --- hyperbolic ------------------------------------------------------------------------------------------------------

const sinhOp = mathOp("sinh", { js: Math.sinh, wgsl: "ieee_sinh", derivative: (x) => cosh(x) });
const coshOp = mathOp("cosh", { js: Math.cosh, wgsl: "ieee_cosh", derivative: (x) => sinh(x) });
const tanhOp = mathOp("tanh", {
  js: Math.tanh,
  wgsl: "ieee_tanh",
  derivative: (_x, output) => sub(1, square(output)),
});
const asinhOp = mathOp("asinh", {
  js: Math.asinh,
  wgsl: "ieee_asinh",
  derivative: (x) => rsqrt(add(square(x), 1)),
});
const acoshOp = mathOp("acosh", {
  js: Math.acosh,
  wgsl: "ieee_acosh",
  derivative: (x) => rsqrt(mul(sub(x, 1), add(x, 1))),
});
const atanhOp = mathOp("atanh", {
  js: Math.atanh,
  wgsl: "ieee_atanh",
  derivative: (x) => reciprocal(oneMinusSquare(x)),
});

export const sinh = onFloats(sinhOp);
export const cosh = onFloats(coshOp);
export const tanh = onFloats(tanhOp);
export const asinh = onFloats(asinhOp);
/** The positive inverse of cosh; NaN below 1. */
export const acosh = onFloats(acoshOp);
/** NaN outside of `[-1, 1]`. */
export const atanh = onFloats(atanhOp);

// --- angles ----------------------------------------------------------------------------------------------------------

export const deg2rad = (x: Node): Node => mul(toFloat(x), Math.PI / 180);
export const rad2deg = (x: Node): Node => mul(toFloat(x), 180 / Math.PI);
