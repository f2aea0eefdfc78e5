/** Casts between dtypes, and how operands of a builder are brought together: promotion, then broadcasting. */

import { DTypeError } from "../errors";
import { type DType, isFloat, isInteger, promote, toFloatDType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { broadcastShapes } from "../graph/shape";
import { expand } from "./broadcast";
import { checkDTypeName } from "./check";
import { scalar } from "./leaf";
import { apply, defineOp, type PointwiseContext } from "./op";
import { call, lit, vec, zeroLit } from "./wgsl";

const RANGE = { i32: [-0x80000000, 0x7fffffff], u32: [0, 0xffffffff], u8: [0, 0xff] } as const;

/** How a value of one dtype becomes one of another. Floats saturate, NaN becomes 0; integers wrap. */
function converter(from: DType, to: DType): (value: number) => number {
  if (to === "bool") return (value) => Number(value !== 0);
  if (isFloat(to) || !isFloat(from)) return (value) => value; // the store wraps
  const [low, high] = RANGE[to as keyof typeof RANGE];
  return (value) => (Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), high));
}

function castWgsl([x]: readonly string[], { inputs, output: to, lanes }: PointwiseContext): string {
  const from = inputs[0]!;
  if (to === "bool") return from === "f32" ? call("is_nonzero", [x!], lanes) : `(${x} != ${zeroLit(from, lanes)})`;
  if (from === "f32") return call(`to_${to}`, [x!], lanes);
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

/** A tensor in the dtype that a caller asks for, if any: the option `dtype` of sums and the like. */
export function typed(op: string, x: Node, dtype: DType | undefined): Node {
  if (dtype === undefined) return x;
  checkDTypeName(op, dtype);
  return cast(x, dtype);
}

/** For functions that have no meaning on integers. */
export const toFloat = (x: Node): Node => cast(x, toFloatDType(x.dtype));

/** What builders take where PyTorch takes a tensor or a number. */
export type Operand = Node | number;

/** The dtype in which a number meets a tensor: integers keep the tensor's dtype, fractions make it f32. */
function numberDType(value: number, other: DType): DType {
  if (isFloat(other)) return other;
  if (!Number.isInteger(value)) return "f32";
  return other === "bool" ? "i32" : other;
}

const dtypeOf = (x: Operand, others: readonly Operand[]): DType => {
  if (typeof x !== "number") return x.dtype;
  const tensors = others.filter((other) => typeof other !== "number");
  if (tensors.length === 0) return "f32";
  return numberDType(x, tensors.map((node) => node.dtype).reduce(promote));
};

/** The dtype that all operands meet in. */
export const commonDType = (operands: readonly Operand[]): DType =>
  operands.map((operand) => dtypeOf(operand, operands)).reduce(promote);

/** Operands as nodes of one dtype and one shape. */
export function together(op: string, operands: readonly Operand[], dtype = commonDType(operands)): Node[] {
  const nodes = operands.map((operand) =>
    typeof operand === "number" ? scalar(operand, dtype) : cast(operand, dtype),
  );
  return broadcast(op, nodes);
}

/**
 * A value that is to be stored in a tensor of `dtype`, which it must fit without loss of kind: fractions fit no integers.
 * bool takes the numbers 0 and 1.
 */
export function fitted(op: string, value: Operand, dtype: DType): Node {
  const isNumber = typeof value === "number";
  const isTruth = dtype === "bool" && (value === 0 || value === 1);
  const met = isNumber ? numberDType(value, dtype) : promote(value.dtype, dtype);
  if (met !== dtype && !isTruth) {
    throw new DTypeError(
      `${op}: a value must fit the tensor's dtype ${dtype}, got ${isNumber ? value : value.dtype}. ` +
        `Cast the tensor or the value with .to().`,
    );
  }
  return isNumber ? scalar(value, dtype) : cast(value, dtype);
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
