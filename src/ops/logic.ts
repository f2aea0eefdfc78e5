/** Comparisons, logic and bits. None has a gradient. */

import { isFloat } from "../graph/dtype";
import { Node } from "../graph/node";
import { full } from "./broadcast";
import { cast, commonDType, type Operand, together } from "./cast";
import { storedScalar } from "./leaf";
import { apply } from "./op";
import { ANY, binary, BITS, FLOAT, INTEGER, type IntegerFunctions, NUMBER, type PointwiseOp, unary } from "./pointwise";
import { call, callEach, lit, vec } from "./wgsl";

// --- comparisons -----------------------------------------------------------------------------------------------------

/** NaN is unequal to everything, also where a shader compiler assumes there is none: floats go through functions. */
const comparison = (name: string, symbol: string, js: (a: number, b: number) => boolean): PointwiseOp =>
  binary({
    name,
    dtypes: symbol === "==" || symbol === "!=" ? ANY : NUMBER,
    result: "bool",
    js: (a, b) => Number(js(a, b)),
    wgsl: (a, b, { inputs, lanes }) =>
      inputs[0] === "f32" ? call(`is_${name}`, [a, b], lanes) : `(${a} ${symbol} ${b})`,
    vjp: null,
  });

const eqOp = comparison("eq", "==", (a, b) => a === b);
const neOp = comparison("ne", "!=", (a, b) => a !== b);
const ltOp = comparison("lt", "<", (a, b) => a < b);
const leOp = comparison("le", "<=", (a, b) => a <= b);
const gtOp = comparison("gt", ">", (a, b) => a > b);
const geOp = comparison("ge", ">=", (a, b) => a >= b);

const paired =
  (op: PointwiseOp) =>
  (a: Operand, b: Operand): Node =>
    apply(op, together(op.name, [a, b]), {});

/** Operands in one dtype. A number that halves are compared with is rounded to f16, where one that they meet in arithmetic is not. */
function compared(op: string, operands: readonly Operand[]): Node[] {
  const nodes = operands.filter((each) => each instanceof Node);
  const isHalf = nodes.length > 0 && commonDType(nodes) === "f16";
  return together(
    op,
    isHalf ? operands.map((each) => (each instanceof Node ? each : storedScalar(each, "f16", op))) : operands,
  );
}

const equality =
  (op: PointwiseOp) =>
  (a: Operand, b: Operand): Node =>
    apply(op, compared(op.name, [a, b]), {});

/** Bools compare as 0 and 1. */
const compare =
  (op: PointwiseOp) =>
  (a: Operand, b: Operand): Node => {
    const nodes = compared(op.name, [a, b]);
    return apply(op, nodes[0]!.dtype === "bool" ? nodes.map((node) => cast(node, "u32")) : nodes, {});
  };

/** `a == b`; false where either is NaN. */
export const eq = equality(eqOp);
/** `a != b`; true where either is NaN. */
export const ne = equality(neOp);
export const lt = compare(ltOp);
export const le = compare(leOp);
export const gt = compare(gtOp);
export const ge = compare(geOp);

// --- logic -----------------------------------------------------------------------------------------------------------

const logicalNotOp = unary({
  name: "logicalNot",
  dtypes: ["bool"],
  js: (x) => Number(x === 0),
  wgsl: (x) => `(!${x})`,
  vjp: null,
});

const logical = (name: string, symbol: string, js: (a: number, b: number) => number): PointwiseOp =>
  binary({ name, dtypes: ["bool"], js, wgsl: (a, b) => `(${a} ${symbol} ${b})`, vjp: null });

export const logicalAndOp = logical("logicalAnd", "&", (a, b) => a & b);
export const logicalOrOp = logical("logicalOr", "|", (a, b) => a | b);
const logicalXorOp = logical("logicalXor", "!=", (a, b) => a ^ b);

const combine =
  (op: PointwiseOp) =>
  (a: Operand, b: Operand): Node =>
    apply(op, together(op.name, [a, b], "bool"), {});

/** True where `x` is 0. */
export const logicalNot = (x: Node): Node => apply(logicalNotOp, [cast(x, "bool")], {});
export const logicalAnd = combine(logicalAndOp);
export const logicalOr = combine(logicalOrOp);
export const logicalXor = combine(logicalXorOp);

// --- bits ------------------------------------------------------------------------------------------------------------

const bitwiseNotOp = unary({
  name: "bitwiseNot",
  dtypes: INTEGER,
  js: (x) => ~x,
  wgsl: (x) => `(~${x})`,
  vjp: null,
});

const bitwise = (name: string, symbol: string, js: (a: number, b: number) => number): PointwiseOp =>
  binary({
    name,
    dtypes: BITS,
    js,
    wgsl: (a, b, { output }) => `(${a} ${output === "bool" && symbol === "^" ? "!=" : symbol} ${b})`,
    vjp: null,
  });

const bitwiseAndOp = bitwise("bitwiseAnd", "&", (a, b) => a & b);
const bitwiseOrOp = bitwise("bitwiseOr", "|", (a, b) => a | b);
const bitwiseXorOp = bitwise("bitwiseXor", "^", (a, b) => a ^ b);

/** Shift distances count modulo 32, in JavaScript as in WGSL. */
const shift = (name: string, symbol: string, js: IntegerFunctions): PointwiseOp =>
  binary({
    name,
    dtypes: INTEGER,
    js: js.i32,
    jsInteger: js,
    wgsl: (a, b, { lanes }) => `(${a} ${symbol} (${vec("u32", lanes)}(${b}) & ${lit("31u", "u32", lanes)}))`,
    vjp: null,
  });

const leftShift = (a: number, b: number): number => a << b;

const bitwiseLeftShiftOp = shift("bitwiseLeftShift", "<<", { i32: leftShift, u32: leftShift });
const bitwiseRightShiftOp = shift("bitwiseRightShift", ">>", { i32: (a, b) => a >> b, u32: (a, b) => a >>> b });

/** High word of the 64-bit product of two u32, from 16-bit halves. */
export function mulHighU32(a: number, b: number): number {
  const aLow = a & 0xffff;
  const bLow = b & 0xffff;
  const aHigh = a >>> 16;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // below 2^32
  const carry = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
}

const mulHighOp = binary({
  name: "mulHigh",
  dtypes: ["u32"],
  js: mulHighU32,
  wgsl: (a, b, { lanes }) => callEach("mul_high", [a, b], lanes, "u32"),
  vjp: null,
});

/** Bits inverted; of bools, the opposite. */
export const bitwiseNot = (x: Node): Node => (x.dtype === "bool" ? logicalNot(x) : apply(bitwiseNotOp, [x], {}));
export const bitwiseAnd = paired(bitwiseAndOp);
export const bitwiseOr = paired(bitwiseOrOp);
export const bitwiseXor = paired(bitwiseXorOp);
/** `a << (b mod 32)`. */
export const bitwiseLeftShift = paired(bitwiseLeftShiftOp);
/** `a >> (b mod 32)`: i32 keeps its sign, u32 fills with zeros. */
export const bitwiseRightShift = paired(bitwiseRightShiftOp);
/** High word of the 64-bit product of two u32: `floor(a * b / 2^32)`. Draws integers below `b` from random bits `a`. */
export const mulHigh = paired(mulHighOp);

// --- kinds of floats -------------------------------------------------------------------------------------------------

const floatTest = (name: string, wgslName: string, js: (x: number) => boolean): PointwiseOp =>
  unary({
    name,
    dtypes: FLOAT,
    result: "bool",
    js: (x) => Number(js(x)),
    wgsl: (x, { lanes }) => call(wgslName, [x], lanes),
    vjp: null,
  });

const isnanOp = floatTest("isnan", "is_nan", Number.isNaN);
const isinfOp = floatTest("isinf", "is_inf", (x) => x === Infinity || x === -Infinity);
const isfiniteOp = floatTest("isfinite", "is_finite", Number.isFinite);

export const isnan = (x: Node): Node => (isFloat(x.dtype) ? apply(isnanOp, [x], {}) : full(x.shape, 0, "bool"));
export const isinf = (x: Node): Node => (isFloat(x.dtype) ? apply(isinfOp, [x], {}) : full(x.shape, 0, "bool"));
export const isfinite = (x: Node): Node => (isFloat(x.dtype) ? apply(isfiniteOp, [x], {}) : full(x.shape, 1, "bool"));
