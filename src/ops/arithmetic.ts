/** Arithmetic: sums, products, quotients, order, choice and rounding. Every rule's derivative is written above it. */

import { isFloat, toFloatDType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { zerosLike } from "./broadcast";
import { broadcast, cast, commonDType, type Operand, toFloat, together } from "./cast";
import { checkDType, checkSameDType, checkSameShape } from "./check";
import { eq, ge, gt, le, lt } from "./logic";
import { apply, defineOp } from "./op";
import { binary, FLOAT, type NoAttrs, NUMERIC, type PointwiseOp, unary } from "./pointwise";
import { call, lit, zeroLit } from "./wgsl";

const multiplyIntegers = { i32: Math.imul, u32: Math.imul };

const joined =
  (op: PointwiseOp) =>
  (a: Operand, b: Operand): Node =>
    apply(op, together(op.name, [a, b]), {});

// --- sums and products -----------------------------------------------------------------------------------------------

export const addOp = binary({
  name: "add",
  dtypes: NUMERIC,
  js: (a, b) => a + b,
  wgsl: (a, b) => `(${a} + ${b})`,
  vjp: (gradOut) => [gradOut, gradOut],
});

export const subOp = binary({
  name: "sub",
  dtypes: NUMERIC,
  js: (a, b) => a - b,
  wgsl: (a, b) => `(${a} - ${b})`,
  vjp: (gradOut, { needs }) => [gradOut, needs[1] ? neg(gradOut) : null],
});

// d(a * b) = da * b + a * db
export const mulOp = binary({
  name: "mul",
  dtypes: NUMERIC,
  js: (a, b) => a * b,
  jsInteger: multiplyIntegers,
  wgsl: (a, b) => `(${a} * ${b})`,
  vjp: (gradOut, { inputs: [a, b], needs }) => [needs[0] ? mul(gradOut, b!) : null, needs[1] ? mul(a!, gradOut) : null],
});

// d(a / b) = da / b - (a / b) / b * db
export const divOp = binary({
  name: "div",
  dtypes: FLOAT,
  js: (a, b) => a / b,
  wgsl: (a, b) => `(${a} / ${b})`,
  vjp: (gradOut, { inputs: [, b], output, needs }) => [
    needs[0] ? div(gradOut, b!) : null,
    needs[1] ? neg(mul(gradOut, div(output, b!))) : null,
  ],
});

export const negOp = unary({
  name: "neg",
  dtypes: NUMERIC,
  js: (x) => -x,
  wgsl: (x, { output, lanes }) => (output === "u32" ? `(${zeroLit("u32", lanes)} - ${x})` : `(-${x})`),
  vjp: (gradOut) => [neg(gradOut)],
});

// d(x^2) = 2 x dx
export const squareOp = unary({
  name: "square",
  dtypes: NUMERIC,
  js: (x) => x * x,
  jsInteger: (x) => Math.imul(x, x),
  wgsl: (x) => `(${x} * ${x})`,
  vjp: (gradOut, { inputs: [x] }) => [mul(gradOut, mul(x!, 2))],
});

// d(1 / x) = -(1 / x)^2 dx
export const reciprocalOp = unary({
  name: "reciprocal",
  dtypes: FLOAT,
  js: (x) => 1 / x,
  wgsl: (x, { lanes }) => `(${lit("1.0", "f32", lanes)} / ${x})`,
  vjp: (gradOut, { output }) => [neg(mul(gradOut, square(output)))],
});

/** `a + b`. */
export const add = joined(addOp);
/** `a - b`. */
export const sub = joined(subOp);
/** `a * b`; integers wrap. */
export const mul = joined(mulOp);
/** `a / b`; integers become f32, as in PyTorch. */
export const div = (a: Operand, b: Operand): Node =>
  apply(divOp, together("div", [a, b], toFloatDType(commonDType([a, b]))), {});
export const neg = (x: Node): Node => apply(negOp, [x], {});
export const square = (x: Node): Node => apply(squareOp, [x], {});
/** `1 / x`. */
export const reciprocal = (x: Node): Node => apply(reciprocalOp, [toFloat(x)], {});

// --- choice ----------------------------------------------------------------------------------------------------------

export const whereOp = defineOp<NoAttrs>({
  name: "where",
  infer([condition, a, b]) {
    checkDType("where", [condition!], ["bool"]);
    checkSameDType("where", [a!, b!]);
    checkSameShape("where", [condition!, a!, b!]);
    return { shape: a!.shape, dtype: a!.dtype };
  },
  evaluate([condition, a, b], { data }) {
    for (let i = 0; i < data.length; i++) data[i] = condition!.data[i] ? a!.data[i]! : b!.data[i]!;
  },
  vjp: (gradOut, { inputs: [condition], needs }) => [
    null,
    needs[1] ? where(condition!, gradOut, 0) : null,
    needs[2] ? where(condition!, 0, gradOut) : null,
  ],
  lowering: { kind: "pointwise", wgsl: ([condition, a, b]) => `select(${b}, ${a}, ${condition})` },
});

/** `a` where the condition is true, `b` elsewhere; NaN in the value that is not chosen stays out. */
export function where(condition: Node, a: Operand, b: Operand): Node {
  const dtype = commonDType([a, b]);
  const [chosen, other] = together("where", [a, b], dtype);
  return apply(whereOp, broadcast("where", [cast(condition, "bool"), chosen!, other!]), {});
}

// --- order -----------------------------------------------------------------------------------------------------------

/** The gradient of the operand that loses where `loses`; ties share it. */
const shareOfWinner = (gradOut: Node, loses: Node, ties: Node): Node =>
  where(loses, 0, where(ties, mul(gradOut, 0.5), gradOut));

export const maximumOp = binary({
  name: "maximum",
  dtypes: NUMERIC,
  js: Math.max,
  wgsl: (a, b, { output, lanes }) => (output === "f32" ? call("maximum", [a, b], lanes) : `max(${a}, ${b})`),
  vjp: (gradOut, { inputs: [a, b], needs }) => [
    needs[0] ? shareOfWinner(gradOut, lt(a!, b!), eq(a!, b!)) : null,
    needs[1] ? shareOfWinner(gradOut, lt(b!, a!), eq(a!, b!)) : null,
  ],
});

export const minimumOp = binary({
  name: "minimum",
  dtypes: NUMERIC,
  js: Math.min,
  wgsl: (a, b, { output, lanes }) => (output === "f32" ? call("minimum", [a, b], lanes) : `min(${a}, ${b})`),
  vjp: (gradOut, { inputs: [a, b], needs }) => [
    needs[0] ? shareOfWinner(gradOut, gt(a!, b!), eq(a!, b!)) : null,
    needs[1] ? shareOfWinner(gradOut, gt(b!, a!), eq(a!, b!)) : null,
  ],
});

// d|x| = sign(x) dx, 0 at 0
export const absOp = unary({
  name: "abs",
  dtypes: NUMERIC,
  js: Math.abs,
  wgsl: (x) => `abs(${x})`,
  vjp: (gradOut, { inputs: [x] }) => [mul(gradOut, sign(x!))],
});

// 0 at 0; NaN passes the gradient, as in PyTorch
export const reluOp = unary({
  name: "relu",
  dtypes: ["f32", "f64", "i32"],
  js: (x) => (x <= 0 ? 0 : x),
  wgsl: (x, { output, lanes }) => (output === "f32" ? call("relu", [x], lanes) : `max(${x}, ${zeroLit("i32", lanes)})`),
  vjp: (gradOut, { output }) => [where(le(output, 0), 0, gradOut)],
});

/** The larger of both; NaN where either is NaN. The gradient of a tie is halved between them. */
export const maximum = joined(maximumOp);
/** The smaller of both; NaN where either is NaN. The gradient of a tie is halved between them. */
export const minimum = joined(minimumOp);
export const abs = (x: Node): Node => apply(absOp, [x], {});
/** `max(x, 0)`; NaN stays NaN. */
export const relu = (x: Node): Node => apply(reluOp, [x], {});

/** `x` where it is on the right side of a bound, the bound where it is not; NaN, which passes no gradient, where either is. */
function bounded(x: Node, bound: Operand, isInside: typeof ge, isBeyond: typeof lt): Node {
  const [value, limit] = together("clamp", [x, bound]);
  if (!isFloat(value!.dtype)) return where(isBeyond(value!, limit!), limit!, value!);
  return where(isInside(value!, limit!), value!, where(isBeyond(value!, limit!), limit!, NaN));
}

/**
 * `min(max(x, low), high)`; NaN where one of them is. The gradient passes at the bounds, unlike that of `maximum`.
 * @param low, high null for no bound; where `low > high` the result is `high`
 */
export function clamp(x: Node, low: Operand | null = null, high: Operand | null = null): Node {
  const raised = low === null ? x : bounded(x, low, ge, lt);
  return high === null ? raised : bounded(raised, high, le, gt);
}

/** `a + weight * (b - a)`, from the nearer end, so that weight 1 gives `b` exactly. */
export function lerp(a: Node, b: Node, weight: Operand): Node {
  const step = sub(b, a);
  const fromStart = add(a, mul(weight, step));
  const fromEnd = sub(b, mul(step, sub(1, weight)));
  if (typeof weight === "number") return Math.abs(weight) < 0.5 ? fromStart : fromEnd;
  return where(lt(abs(weight), 0.5), fromStart, fromEnd);
}

// --- rounding: flat almost everywhere, so the gradient is 0 ------------------------------------------------------------

/** NaN has sign 0, as in PyTorch. */
export const signOp = unary({
  name: "sign",
  dtypes: NUMERIC,
  js: (x) => (x > 0 ? 1 : x < 0 ? -1 : 0),
  wgsl: (x, { output, lanes }) =>
    output === "f32"
      ? call("sign_of", [x], lanes)
      : output === "i32"
        ? `sign(${x})`
        : `min(${x}, ${lit("1u", "u32", lanes)})`,
  vjp: (gradOut) => [zerosLike(gradOut)],
});

const rounding = (name: string, js: (x: number) => number): PointwiseOp =>
  unary({ name, dtypes: FLOAT, js, wgsl: (x) => `${name}(${x})`, vjp: (gradOut) => [zerosLike(gradOut)] });

const roundHalfToEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

export const floorOp = rounding("floor", Math.floor);
export const ceilOp = rounding("ceil", Math.ceil);
export const roundOp = rounding("round", roundHalfToEven);
export const truncOp = rounding("trunc", Math.trunc);

const rounded =
  (op: PointwiseOp) =>
  (x: Node): Node =>
    x.dtype === "i32" || x.dtype === "u32" ? x : apply(op, [x], {});

export const sign = (x: Node): Node => apply(signOp, [x], {});
export const floor = rounded(floorOp);
export const ceil = rounded(ceilOp);
/** To the nearest integer; halves to the even one. */
export const round = rounded(roundOp);
/** Towards zero. */
export const trunc = rounded(truncOp);

// --- division with Python's signs ------------------------------------------------------------------------------------

/** `a - b * floor(a / b)`, exact: the sign is that of `b`. */
function remainderFloat(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** Python's `//`, in PyTorch's order of operations. */
function floorDivideFloat(a: number, b: number): number {
  if (b === 0) return a / b;
  const rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && rest < 0 !== b < 0) quotient -= 1;
  if (quotient === 0) return Object.is(a / b, -0) || a / b < 0 ? -0 : 0;
  const floored = Math.floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

// d(a mod b) = da - floor(a / b) db
export const remainderOp = binary({
  name: "remainder",
  dtypes: NUMERIC,
  js: remainderFloat,
  jsInteger: {
    i32: (a, b) => (b === 0 ? a : remainderFloat(a, b)),
    u32: (a, b) => (b === 0 ? a : a % b),
  },
  wgsl: (a, b, { output, lanes }) => call("remainder", [a, b], lanes, output),
  vjp: (gradOut, { inputs: [a, b], needs }) => [gradOut, needs[1] ? neg(mul(gradOut, floorDivide(a!, b!))) : null],
});

export const floorDivideOp = binary({
  name: "floorDivide",
  dtypes: NUMERIC,
  js: floorDivideFloat,
  jsInteger: {
    i32: (a, b) => (b === 0 ? -1 : Math.floor(a / b)),
    u32: (a, b) => (b === 0 ? -1 : Math.floor(a / b)),
  },
  wgsl: (a, b, { output, lanes }) => call("floor_divide", [a, b], lanes, output),
  vjp: (gradOut) => [zerosLike(gradOut), zerosLike(gradOut)], // flat almost everywhere
});

/** The rest of `floorDivide`: its sign is that of `b`. Of an integer by 0: `a`. */
export const remainder = joined(remainderOp);
/** `floor(a / b)`. Of an integer by 0: all bits set. */
export const floorDivide = joined(floorDivideOp);
