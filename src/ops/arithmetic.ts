/** Arithmetic: sums, products, quotients, order, choice and signs. Every rule's derivative is written above it. */

import { DTypeError, ValueError } from "../errors";
import { isFloat, promote, toFloatDType } from "../graph/dtype";
import { Node } from "../graph/node";
import { zerosLike } from "./broadcast";
import { broadcast, cast, commonDType, type Operand, toFloat, together } from "./cast";
import { checkDType, checkSameDType, checkSameShape } from "./check";
import { customVjp, detach } from "./custom";
import { scalar } from "./leaf";
import { eq, ge, gt, le, logicalAndOp, logicalOrOp, lt } from "./logic";
import { apply, defineOp } from "./op";
import { binary, FLOAT, type NoAttrs, NUMBER, type PointwiseOp, unary } from "./pointwise";
import { call, lit, vec, zeroLit } from "./wgsl";

const multiplyIntegers = { i32: Math.imul, u32: Math.imul };

/** A builder of an op of two numbers, and of what it is of two bools, where it is something. */
const joined =
  (op: PointwiseOp, ofBools = op) =>
  (a: Operand, b: Operand): Node => {
    const nodes = together(op.name, [a, b]);
    return apply(nodes[0]!.dtype === "bool" ? ofBools : op, nodes, {});
  };

// --- sums and products -----------------------------------------------------------------------------------------------

const addOp = binary({
  name: "add",
  dtypes: NUMBER,
  js: (a, b) => a + b,
  wgsl: (a, b) => `(${a} + ${b})`,
  vjp: (gradOut) => [gradOut, gradOut],
});

const subOp = binary({
  name: "sub",
  dtypes: NUMBER,
  js: (a, b) => a - b,
  wgsl: (a, b) => `(${a} - ${b})`,
  vjp: (gradOut, { needs }) => [gradOut, needs[1] ? neg(gradOut) : null],
});

// d(a * b) = da * b + a * db
const mulOp = binary({
  name: "mul",
  dtypes: NUMBER,
  js: (a, b) => a * b,
  jsInteger: multiplyIntegers,
  wgsl: (a, b) => `(${a} * ${b})`,
  vjp: (gradOut, { inputs: [a, b], needs }) => [needs[0] ? mul(gradOut, b!) : null, needs[1] ? mul(a!, gradOut) : null],
});

// d(a / b) = da / b - (a / b) / b * db
const divOp = binary({
  name: "div",
  dtypes: FLOAT,
  js: (a, b) => a / b,
  wgsl: (a, b) => `(${a} / ${b})`,
  vjp: (gradOut, { inputs: [, b], output, needs }) => [
    needs[0] ? div(gradOut, b!) : null,
    needs[1] ? neg(mul(gradOut, div(output, b!))) : null,
  ],
});

const negOp = unary({
  name: "neg",
  dtypes: NUMBER,
  js: (x) => -x,
  wgsl: (x, { output, lanes }) => (output === "u32" ? `(${zeroLit("u32", lanes)} - ${x})` : `(-${x})`),
  vjp: (gradOut) => [neg(gradOut)],
});

// d(x^2) = 2 x dx
const squareOp = unary({
  name: "square",
  dtypes: NUMBER,
  js: (x) => x * x,
  jsInteger: (x) => Math.imul(x, x),
  wgsl: (x) => `(${x} * ${x})`,
  vjp: (gradOut, { inputs: [x] }) => [mul(gradOut, mul(x!, 2))],
});

// d(1 / x) = -(1 / x)^2 dx
const reciprocalOp = unary({
  name: "reciprocal",
  dtypes: FLOAT,
  js: (x) => 1 / x,
  wgsl: (x, { lanes }) => `(${lit("1.0", "f32", lanes)} / ${x})`,
  vjp: (gradOut, { output }) => [neg(mul(gradOut, square(output)))],
});

/** `a + b`; integers wrap, and bools are or-ed. */
export const add = joined(addOp, logicalOrOp);
/** `a - b`; of bools it would not be clear what it is. */
export function sub(a: Operand, b: Operand): Node {
  checkNoBool([a, b]);
  return apply(subOp, together("sub", [a, b]), {});
}
function checkNoBool(operands: readonly Operand[]): void {
  if (!operands.some((operand) => operand instanceof Node && operand.dtype === "bool")) return;
  throw new DTypeError('sub: operands must not be bool, got bool. Use logicalXor, or cast it with .to("i32").');
}
/** `a * b`; integers wrap, and bools are and-ed. */
export const mul = joined(mulOp, logicalAndOp);
/** `a / b`; integers become f32, as in PyTorch. */
export const div = (a: Operand, b: Operand): Node =>
  apply(divOp, together("div", [a, b], toFloatDType(commonDType([a, b]))), {});
/** `x`, if it is a number. */
export function positive(x: Node): Node {
  checkDType("positive", [x], NUMBER);
  return x;
}

export const neg = (x: Node): Node => apply(negOp, [x], {});
export const square = (x: Node): Node => apply(squareOp, [x.dtype === "bool" ? cast(x, "i32") : x], {});
/** `1 / x`. */
export const reciprocal = (x: Node): Node => apply(reciprocalOp, [toFloat(x)], {});

/** `b * factor`, in the dtype that `operands` meet in. */
function scaled(op: string, name: string, b: Operand, factor: number, operands: readonly Operand[]): Operand {
  if (factor === 1) return b;
  const dtype = commonDType(operands);
  if (!isFloat(dtype) && !Number.isInteger(factor)) {
    throw new ValueError(`${op}: ${name} must be an integer for ${dtype}, got ${factor}. Cast a tensor to f32.`);
  }
  return typeof b === "number" ? b * factor : mul(cast(b, dtype), scalar(factor, dtype, op));
}

/** `a + alpha * b`. */
export const addScaled = (a: Operand, b: Operand, alpha: number): Node =>
  add(a, scaled("add", "alpha", b, alpha, [a, b]));
/** `a - alpha * b`. */
export function subScaled(a: Operand, b: Operand, alpha: number): Node {
  checkNoBool([a, b]);
  return sub(a, scaled("sub", "alpha", b, alpha, [a, b]));
}
/** `x + value * a * b`, all in the dtype that the three meet in. */
export function addcmul(x: Node, a: Node, b: Node, value = 1): Node {
  const dtype = commonDType([x, a, b]);
  checkDType("addcmul", dtype === "bool" ? [x] : [], NUMBER);
  return add(x, scaled("addcmul", "value", mul(cast(a, dtype), cast(b, dtype)), value, [x, a, b]));
}

/** `x + value * a / b`, all in the dtype that the three meet in. */
export function addcdiv(x: Node, a: Node, b: Node, value = 1): Node {
  if (!isFloat(promote(a.dtype, b.dtype))) {
    throw new DTypeError(
      `addcdiv: a quotient of integers must be a float, got ${a.dtype} and ${b.dtype}. Cast one to f32.`,
    );
  }
  const dtype = commonDType([x, a, b]);
  return add(x, scaled("addcdiv", "value", div(cast(a, dtype), cast(b, dtype)), value, [x, a, b]));
}

// --- choice ----------------------------------------------------------------------------------------------------------

const whereOp = defineOp<NoAttrs>({
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
  checkDType("where", [condition], ["bool", "u8"]);
  const [chosen, other] = together("where", [a, b]);
  return apply(whereOp, broadcast("where", [cast(condition, "bool"), chosen!, other!]), {});
}

// --- order -----------------------------------------------------------------------------------------------------------

/** The gradient of the operand that loses where `loses`; ties share it. */
const shareOfWinner = (gradOut: Node, loses: Node, ties: Node): Node =>
  where(loses, 0, where(ties, mul(gradOut, 0.5), gradOut));

const maximumOp = binary({
  name: "maximum",
  dtypes: NUMBER,
  js: (a, b) => Math.max(a, b),
  wgsl: (a, b, { output, lanes }) => (output === "f32" ? call("maximum", [a, b], lanes) : `max(${a}, ${b})`),
  vjp: (gradOut, { inputs: [a, b], needs }) => [
    needs[0] ? shareOfWinner(gradOut, lt(a!, b!), eq(a!, b!)) : null,
    needs[1] ? shareOfWinner(gradOut, lt(b!, a!), eq(a!, b!)) : null,
  ],
});

const minimumOp = binary({
  name: "minimum",
  dtypes: NUMBER,
  js: (a, b) => Math.min(a, b),
  wgsl: (a, b, { output, lanes }) => (output === "f32" ? call("minimum", [a, b], lanes) : `min(${a}, ${b})`),
  vjp: (gradOut, { inputs: [a, b], needs }) => [
    needs[0] ? shareOfWinner(gradOut, gt(a!, b!), eq(a!, b!)) : null,
    needs[1] ? shareOfWinner(gradOut, gt(b!, a!), eq(a!, b!)) : null,
  ],
});

// d|x| = sign(x) dx, 0 at 0
const absOp = unary({
  name: "abs",
  dtypes: NUMBER,
  js: Math.abs,
  wgsl: (x) => `abs(${x})`,
  vjp: (gradOut, { inputs: [x] }) => [mul(gradOut, sign(x!))],
});

// 0 at 0; NaN passes the gradient, as in PyTorch
const reluOp = unary({
  name: "relu",
  dtypes: [...FLOAT, "i32"],
  js: (x) => (x <= 0 ? 0 : x),
  wgsl: (x, { output, lanes }) => (output === "f32" ? call("relu", [x], lanes) : `max(${x}, ${zeroLit("i32", lanes)})`),
  vjp: (gradOut, { output }) => [where(le(output, 0), 0, gradOut)],
});

/** The larger of both; NaN where either is NaN. The gradient of a tie is halved between them. */
export const maximum = joined(maximumOp, logicalOrOp);
/** The smaller of both; NaN where either is NaN. The gradient of a tie is halved between them. */
export const minimum = joined(minimumOp, logicalAndOp);
export const abs = (x: Node): Node => apply(absOp, [x], {});
/** `max(x, 0)`; NaN stays NaN. */
export const relu = (x: Node): Node => (x.dtype === "u32" || x.dtype === "u8" ? x : apply(reluOp, [x], {}));

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
  const bounds = [low, high].filter((bound) => bound !== null);
  checkDType("clamp", commonDType([x, ...bounds]) === "bool" ? [x] : [], NUMBER);
  const raised = low === null ? x : bounded(x, high === null ? low : gradBelow(low, high), ge, lt);
  return high === null ? raised : bounded(raised, high, le, gt);
}

/** A lower bound, which has a gradient only where it is below the upper one. */
const gradBelow = (low: Operand, high: Operand): Operand =>
  typeof low !== "number" && low.requiresGrad ? where(lt(low, high), low, detach(low)) : low;

/** `a + weight * (b - a)`, from the nearer end, so that weight 1 gives `b` exactly. */
export function lerp(a: Node, b: Node, weight: Operand): Node {
  checkDType("lerp", [a, b], FLOAT);
  const [start, end, part] = together("lerp", [a, b, weight]);
  const step = sub(end!, start!);
  const isNear = lt(abs(part!), 0.5);
  const value = where(isNear, add(start!, mul(part!, step)), sub(end!, mul(step, sub(1, part!))));
  return customVjp(value, [start!, end!, part!], (gradOut, [from, to, at]) => [
    mul(gradOut, sub(1, at!)),
    mul(gradOut, at!),
    mul(gradOut, sub(to!, from!)),
  ]);
}

// --- signs -----------------------------------------------------------------------------------------------------------

/** NaN has sign 0, as in PyTorch. */
const signOp = unary({
  name: "sign",
  dtypes: NUMBER,
  js: (x) => (x > 0 ? 1 : x < 0 ? -1 : 0),
  wgsl: (x, { output, lanes }) =>
    output === "f32"
      ? call("sign_of", [x], lanes)
      : output === "i32"
        ? `sign(${x})`
        : `min(${x}, ${lit("1u", "u32", lanes)})`,
  vjp: (gradOut) => [zerosLike(gradOut)],
});

const isBelowZero = (x: number): boolean => x < 0 || Object.is(x, -0);

const signbitOp = unary({
  name: "signbit",
  dtypes: FLOAT,
  result: "bool",
  js: (x) => Number(isBelowZero(x)),
  wgsl: (x, { lanes }) =>
    `((bitcast<${vec("u32", lanes)}>(${x}) >> ${lit("31u", "u32", lanes)}) != ${zeroLit("u32", lanes)})`,
  vjp: null,
});

// d = the sign that it gets, and 0 at 0
const copysignOp = binary({
  name: "copysign",
  dtypes: FLOAT,
  js: (a, b) => (isBelowZero(b) ? -Math.abs(a) : Math.abs(a)),
  wgsl: (a, b, { lanes }) => call("with_sign", [a, b], lanes),
  vjp: (gradOut, { inputs: [a], output }) => [where(eq(a!, 0), 0, mul(gradOut, div(output, a!))), zerosLike(gradOut)],
});

export const sign = (x: Node): Node => (x.dtype === "bool" ? x : apply(signOp, [x], {}));
/** Whether the sign is minus, which 0 may have too. */
export const signbit = (x: Node): Node => (isFloat(x.dtype) ? apply(signbitOp, [x], {}) : lt(x, 0));
/** The magnitude of `a` with the sign of `b`. */
export const copysign = (a: Operand, b: Operand): Node =>
  apply(copysignOp, together("copysign", [a, b], toFloatDType(commonDType([a, b]))), {});
