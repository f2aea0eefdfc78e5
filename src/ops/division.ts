/** Rounding, and division that rounds: quotients and their rests, with Python's signs or C's. */

import { ValueError } from "../errors";
import { isInteger } from "../graph/dtype";
import type { Node } from "../graph/node";
import { div, mul, neg, sub } from "./arithmetic";
import { zerosLike } from "./broadcast";
import { type Operand, together } from "./cast";
import { checkDType } from "./check";
import { hostIntegers } from "./leaf";
import { apply } from "./op";
import { binary, FLOAT, NUMBER, type PointwiseOp, unary } from "./pointwise";
import { callEach } from "./wgsl";

// --- rounding: flat almost everywhere, so the gradient is 0 ------------------------------------------------------------

const rounding = (name: string, js: (x: number) => number): PointwiseOp =>
  unary({ name, dtypes: FLOAT, js, wgsl: (x) => `${name}(${x})`, vjp: (gradOut) => [zerosLike(gradOut)] });

const roundHalfToEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

const floorOp = rounding("floor", Math.floor);
const ceilOp = rounding("ceil", Math.ceil);
const roundOp = rounding("round", roundHalfToEven);
const truncOp = rounding("trunc", Math.trunc);

const rounded =
  (op: PointwiseOp) =>
  (x: Node): Node =>
    isInteger(x.dtype) ? x : apply(op, [x], {});

export const floor = rounded(floorOp);
export const ceil = rounded(ceilOp);
/** To the nearest integer; halves to the even one. */
export const round = rounded(roundOp);
/** Towards zero. */
export const trunc = rounded(truncOp);

/** To so many decimals; negative ones count digits before the point. */
export function roundDecimals(x: Node, decimals: number): Node {
  if (decimals === 0) return round(x);
  checkDType("round", [x], FLOAT);
  if (!Number.isInteger(decimals)) {
    throw new ValueError(`round: decimals must be an integer, got ${decimals}. Pass the number of digits.`);
  }
  const scale = 10 ** Math.abs(decimals);
  return decimals > 0 ? div(round(mul(x, scale)), scale) : mul(round(div(x, scale)), scale);
}

/** What `trunc` takes away: the sign is that of `x`. */
export function frac(x: Node): Node {
  checkDType("frac", [x], FLOAT);
  return sub(x, trunc(x));
}

// --- quotients, and what they leave ------------------------------------------------------------------------------------

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
const remainderOp = binary({
  name: "remainder",
  dtypes: NUMBER,
  dear: true,
  js: remainderFloat,
  jsInteger: {
    i32: (a, b) => (b === 0 ? a : remainderFloat(a, b)),
    u32: (a, b) => (b === 0 ? a : a % b),
  },
  wgsl: (a, b, { output, lanes }) => callEach("remainder", [a, b], lanes, output),
  vjp: (gradOut, { inputs: [a, b], needs }) => [gradOut, needs[1] ? neg(mul(gradOut, floorDivide(a!, b!))) : null],
});

// d(a fmod b) = da - trunc(a / b) db
const fmodOp = binary({
  name: "fmod",
  dtypes: NUMBER,
  dear: true,
  js: (a, b) => a % b,
  jsInteger: { i32: (a, b) => (b === 0 ? a : a % b), u32: (a, b) => (b === 0 ? a : a % b) },
  wgsl: (a, b, { output, lanes }) => callEach("fmod", [a, b], lanes, output),
  vjp: (gradOut, { inputs: [a, b], needs }) => [gradOut, needs[1] ? neg(mul(gradOut, truncDivide(a!, b!))) : null],
});

const flat: PointwiseOp["vjp"] = (gradOut) => [zerosLike(gradOut), zerosLike(gradOut)];

const floorDivideOp = binary({
  name: "floorDivide",
  dtypes: NUMBER,
  dear: true,
  js: floorDivideFloat,
  jsInteger: {
    i32: (a, b) => (b === 0 ? -1 : Math.floor(a / b)),
    u32: (a, b) => (b === 0 ? -1 : Math.floor(a / b)),
  },
  wgsl: (a, b, { output, lanes }) => callEach("floor_divide", [a, b], lanes, output),
  vjp: flat,
});

/** The quotient is rounded before it is cut, as in PyTorch. */
const truncDivideOp = binary({
  name: "truncDivide",
  dtypes: NUMBER,
  dear: true,
  js: (a, b, round) => Math.trunc(round(a / b)),
  jsInteger: {
    i32: (a, b) => (b === 0 ? -1 : Math.trunc(a / b)),
    u32: (a, b) => (b === 0 ? -1 : Math.floor(a / b)),
  },
  wgsl: (a, b, { output, lanes }) => callEach("trunc_divide", [a, b], lanes, output),
  vjp: flat,
});

/** A builder that tells a divisor of 0 where the host knows it: integers have no infinity. */
const dividing =
  (op: PointwiseOp) =>
  (a: Operand, b: Operand): Node => {
    const nodes = together(op.name, [a, b]);
    if (isInteger(nodes[0]!.dtype)) checkDivisor(op.name, b);
    return apply(op, nodes, {});
  };

function checkDivisor(op: string, b: Operand): void {
  const known: ArrayLike<number> | null = typeof b === "number" ? [b] : hostIntegers(b);
  if (!known || !Array.prototype.includes.call(known, 0)) return;
  throw new ValueError(
    `${op}: integers must not be divided by 0, got a divisor with 0. Replace the zeros, or cast to f32.`,
  );
}

/** The rest of `floorDivide`: its sign is that of `b`. Of an integer by 0: `a`. */
export const remainder = dividing(remainderOp);
/** The rest of `truncDivide`: its sign is that of `a`. Of an integer by 0: `a`. */
export const fmod = dividing(fmodOp);
/** `floor(a / b)`. Of an integer by 0: all bits set. */
export const floorDivide = dividing(floorDivideOp);
/** `trunc(a / b)`. Of an integer by 0: all bits set. */
export const truncDivide = dividing(truncDivideOp);

/** How `div` rounds: not at all, towards zero, down. */
export type RoundingMode = "trunc" | "floor" | null;

/** `a / b`, rounded or not. Integers stay integers where it rounds. */
export function divide(a: Operand, b: Operand, roundingMode: RoundingMode = null): Node {
  switch (roundingMode) {
    case null:
      return div(a, b);
    case "trunc":
      return truncDivide(a, b);
    case "floor":
      return floorDivide(a, b);
    default:
      throw new ValueError(
        `div: roundingMode must be null, "trunc" or "floor", got ${String(roundingMode)}. Leave it out for none.`,
      );
  }
}
