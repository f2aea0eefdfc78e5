/**
 * Leaves: values that are given, not computed. `data` comes from a host array, `scalar` from one number, `table` from what an op
 * computes on the host, `variable` is state that lives on a device and is written between steps.
 */

import { DTypeError, InternalError, ShapeError, ValueError } from "../errors";
import { allocateHost, type DType, INTEGER_RANGE, isFloat, isInteger, type TypedArray } from "../graph/dtype";
import { roundToHalf } from "../graph/half";
import { Node, type VariableRef } from "../graph/node";
import { checkShape, type Shape, showShape, sizeOf } from "../graph/shape";
import { operandError } from "../options";
import { defineOp, type Op } from "./op";

type LeafAttrs = { readonly shape: Shape; readonly dtype: DType };

const leafOp = (name: string): Op<LeafAttrs> =>
  defineOp<LeafAttrs>({
    name,
    infer: (_inputs, { shape, dtype }) => ({ shape, dtype }),
    evaluate: () => {
      throw new InternalError(`${name}: leaves have values from the start, got a leaf without one. Please report it.`);
    },
    vjp: null,
    lowering: { kind: "leaf" },
  });

const dataOp = leafOp("data");
const scalarOp = leafOp("scalar");
const tableOp = leafOp("table");
export const variableOp = leafOp("variable");

const makeLeaf = (op: Op<LeafAttrs>, shape: Shape, dtype: DType, requiresGrad = false): Node =>
  new Node(op, [], { shape, dtype }, shape, dtype, requiresGrad);

/**
 * A node for values that lie on the host. The memory is taken over, not copied.
 * @param data row-major, of the dtype's array type (Float64Array only for gradient checks)
 */
export function fromHost(data: TypedArray, shape: Shape, dtype: DType = "f32", requiresGrad = false): Node {
  checkShape("fromHost", shape);
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(
      `fromHost: the number of values must be that of the shape, got ${data.length} values for ${showShape(shape)} ` +
        `(${sizeOf(shape)}). Check the shape.`,
    );
  }
  if (requiresGrad && !isFloat(dtype)) {
    throw new DTypeError(`fromHost: only floats can need gradients, got ${dtype}. Cast it to f32 first.`);
  }
  const node = makeLeaf(dataOp, [...shape], dtype, requiresGrad);
  node.hostData = data;
  return node;
}

/** A node whose value somebody else gives. */
export const placeholder = (shape: Shape, dtype: DType): Node => makeLeaf(dataOp, [...shape], dtype);

/** A node for numbers that an op has computed on the host; `data` may be rounded to the dtype, which values of a user never are. */
export function table(data: TypedArray, shape: Shape, dtype: DType): Node {
  const node = makeLeaf(tableOp, [...shape], dtype);
  node.hostData = data;
  return node;
}

/** A number of an integer dtype must be one of its values. */
export function checkInteger(op: string, value: number, dtype: DType): void {
  if (!isInteger(dtype)) return;
  if (!Number.isInteger(value)) {
    throw new DTypeError(`${op}: a number for ${dtype} must be an integer, got ${value}. Use dtype f32 or round it.`);
  }
  const [low, high] = INTEGER_RANGE[dtype as keyof typeof INTEGER_RANGE];
  if (value >= low && value <= high) return;
  throw new ValueError(
    `${op}: a number for ${dtype} must be in ${low}..${high}, got ${value}. Use dtype f32, or cast to it first.`,
  );
}

/**
 * A node of rank 0 that holds one number. The number is data, not part of the graph's structure,
 * so plans are shared among all values.
 */
export function scalar(value: number, dtype: DType = "f32", op = "scalar"): Node {
  if (typeof value !== "number") throw operandError(op, value);
  checkInteger(op, value, dtype);
  const node = makeLeaf(scalarOp, [], dtype);
  const data = allocateHost(dtype, 1);
  data[0] = dtype === "bool" ? Number(value !== 0) : value;
  node.hostData = data;
  return node;
}

/** As `scalar`, of a number that is to be a tensor's value: among tensors of f16 a number counts as f32, as in PyTorch. */
export const storedScalar = (value: number, dtype: DType, op?: string): Node =>
  scalar(dtype === "f16" && typeof value === "number" ? roundToHalf(value) : value, dtype, op);

/** A node that reads a variable as it is at `version`. */
export function variable(ref: VariableRef, version: number, requiresGrad = false): Node {
  const node = makeLeaf(variableOp, ref.shape, ref.dtype, requiresGrad);
  node.variable = ref;
  node.version = version;
  return node;
}

/** The integers that a tensor is made of, where the host knows them: views and casts of host data. */
export function hostIntegers(node: Node): TypedArray | null {
  if (node.hostData) return node.hostData;
  const [input] = node.inputs;
  if (!input || !isInteger(node.dtype) || !isInteger(input.dtype)) return null;
  if (!["cast", "reshape", "expand", "permute"].includes(node.op.name)) return null;
  const known = hostIntegers(input);
  return known && node.op.name === "cast" ? wrapped(known, node.dtype) : known;
}

/** Integers of one dtype as those of another, which wrap. */
function wrapped(values: TypedArray, dtype: DType): TypedArray {
  const data = allocateHost(dtype, values.length);
  data.set(values);
  return data;
}
