/** Casts between dtypes, and how operands of a builder are brought together: promotion, then broadcasting. */

import { DTypeError } from "../errors";
import {
  combine,
  type DType,
  inRegister,
  INTEGER_RANGE,
  isFloat,
  isInteger,
  promote,
  toFloatDType,
} from "../graph/dtype";
import { Node } from "../graph/node";
import { broadcastShapes } from "../graph/shape";
import { operandError } from "../options";
import { expand } from "./broadcast";
import { checkDTypeName } from "./check";
import { scalar, storedScalar } from "./leaf";
import { apply, defineOp, type PointwiseContext } from "./op";
import { call, lit, vec, zeroLit } from "./wgsl";

/** How a value of one dtype becomes one of another. Floats saturate, NaN becomes 0; integers wrap. */
function converter(from: DType, to: DType): (value: number) => number {
  if (to === "bool") return (value) => Number(value !== 0);
  if (isFloat(to) || !isFloat(from)) return (value) => value; // the store wraps
  const [low, high] = INTEGER_RANGE[to as keyof typeof INTEGER_RANGE];
  return (value) => (Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), high));
}

function castWgsl([x]: readonly string[], { inputs, output, lanes }: PointwiseContext): string {
  const from = inRegister(inputs[0]!);
  const to = output === "f16" ? "f32" : output; // whoever computes an f16 rounds it
  if (to === "bool") return from === "f32" ? call("is_nonzero", [x!], lanes) : `(${x} != ${zeroLit(from, lanes)})`;
  if (from === "f32") return to === "f32" ? x! : call(`to_${to}`, [x!], lanes);
  const converted = `${vec(to, lanes)}(${x})`;
  return to === "u8" && from !== "bool" ? `(${converted} & ${lit("255u", "u32", lanes)})` : converted;
}

export const castOp = defineOp<{ readonly dtype: DType }>({
  name: "cast",
  infer: ([input], { dtype }) => ({ shape: input!.shape, dtype }),
  evaluate([input], output) {
    const convert = converter(input!.dtype, output.dtype);
    const { data } = input!;
    for (let i = 0; i < data.length; i++) output.data[i] = convert(data[i]!);
  },
  vjp: (gradOut, { inputs: [x] }) => [cast(gradOut, x!.dtype)],
  lowering: { kind: "pointwise", wgsl: castWgsl },
});

/** The values in another dtype: floats are cut towards zero, saturating; everything but 0 is true. */
export const cast = (x: Node, dtype: DType): Node => (x.dtype === dtype ? x : apply(castOp, [x], { dtype }));

/** A tensor in the dtype that a caller asks for, if any: by `to`, or the option `dtype` of sums and the like. */
export function typed(op: string, x: Node, dtype: DType | undefined): Node {
  if (dtype === undefined) return x;
  checkDTypeName(op, dtype);
  return cast(x, dtype);
}

/** What is added up or put in order: bools and bytes as i32, all else as it is. */
export const counted = (x: Node): Node => (x.dtype === "bool" || x.dtype === "u8" ? cast(x, "i32") : x);

/** For functions that have no meaning on integers. */
export const toFloat = (x: Node): Node => cast(x, toFloatDType(x.dtype));

/** What builders take where PyTorch takes a tensor or a number. */
export type Operand = Node | number;

/** What a number is among tensors: a whole one as Python's int, any other as its float. */
const numberDType = (value: number): DType => (Number.isInteger(value) ? "i32" : "f32");

const promoteAll = (dtypes: readonly DType[]): DType | null => (dtypes.length > 0 ? dtypes.reduce(promote) : null);

/**
 * The dtype that all operands meet in, as in PyTorch: that of the tensors with dimensions, unless those without, or else the
 * numbers, are of a higher category. Numbers alone are f32.
 */
export function commonDType(operands: readonly Operand[]): DType {
  const nodes = operands.filter((operand) => typeof operand !== "number");
  if (nodes.length === 0) return "f32";
  const numbers = operands.filter((operand) => typeof operand === "number").map(numberDType);
  const dtypesOf = (isScalar: boolean): DType | null =>
    promoteAll(nodes.filter((node) => (node.shape.length === 0) === isScalar).map((node) => node.dtype));
  return combine(dtypesOf(false), combine(dtypesOf(true), promoteAll(numbers)))!;
}

/** Operands as nodes of one dtype and one shape. */
export function together(op: string, operands: readonly Operand[], dtype?: DType): Node[] {
  for (const operand of operands as readonly unknown[]) {
    if (!(operand instanceof Node) && typeof operand !== "number") throw operandError(op, operand);
  }
  const common = dtype ?? commonDType(operands);
  const nodes = operands.map((operand) =>
    typeof operand === "number" ? scalar(operand, common, op) : cast(operand, common),
  );
  return broadcast(op, nodes);
}

/**
 * A value that is to be stored in a tensor of `dtype`, which it must fit without loss of kind: fractions fit no integers.
 * bool takes the numbers 0 and 1.
 */
export function fitted(op: string, value: Operand, dtype: DType): Node {
  const isNumber = typeof value === "number";
  if (!isNumber && !((value as unknown) instanceof Node)) throw operandError(op, value);
  if (isNumber && (dtype !== "bool" || value === 0 || value === 1)) return storedScalar(value, dtype, op);
  if (!isNumber && (value.shape.length === 0 ? combine(dtype, value.dtype) : promote(dtype, value.dtype)) === dtype)
    return cast(value, dtype);
  throw new DTypeError(
    `${op}: a value must fit the tensor's dtype ${dtype}, got ${isNumber ? value : value.dtype}. ` +
      `Cast the tensor or the value with .to().`,
  );
}

/** Nodes expanded to the shape they broadcast to. */
export function broadcast(op: string, nodes: readonly Node[]): Node[] {
  const shape = nodes.map((node) => node.shape).reduce((a, b) => broadcastShapes(op, a, b));
  return nodes.map((node) => expand(node, shape));
}

/** Index tensors: integers, as i32. */
export function toIndex(op: string, index: Node): Node {
  if (!isInteger(index.dtype)) {
    throw new DTypeError(`${op}: index must be an integer tensor, got ${index.dtype}. Cast it with .to("i32").`);
  }
  return cast(index, "i32");
}
