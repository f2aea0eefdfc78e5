/** Tensors from host values and from constants. */

import { checkedDevice, defaultDevice, type Device } from "./device";
import { DTypeError, ShapeError, ValueError } from "./errors";
import { allocateHost, type DType, isInteger, type TypedArray } from "./graph/dtype";
import { roundAllToHalf } from "./graph/half";
import type { Node } from "./graph/node";
import { checkShape, sameShape, type Shape, showShape } from "./graph/shape";
import * as ops from "./ops";
import { checkOptionNames, describe, operandError } from "./options";
import type { Tensor } from "./tensor";
import { checkTensors, type NestedArray, wrap } from "./tensor";

/** What every function that makes a tensor takes. */
export interface CreationOptions {
  /** Default `"f32"`, or what the values are. */
  readonly dtype?: DType;
  /** Default: the device that `init` opened. */
  readonly device?: Device;
  /** Whether gradients are collected in `grad`; default false. */
  readonly requiresGrad?: boolean;
}

/** Names of CreationOptions. */
export const CREATION_OPTIONS: readonly string[] = ["dtype", "device", "requiresGrad"];

/** Sizes as PyTorch takes them: in a list, or one by one; then options. */
export type Sizes<Options> =
  readonly [shape: Shape, options?: Options] | readonly [...sizes: number[], options: Options] | readonly number[];

/**
 * What a caller means by sizes, in a list or one by one, and options.
 *
 * @throws ShapeError if sizes are not integers from 0 up
 * @throws ValueError if options have names that are not known
 */
export function sizesAndOptions<Options extends object>(
  op: string,
  args: Sizes<Options>,
  names: readonly string[] = CREATION_OPTIONS,
): { shape: Shape; options: Options } {
  const isList = Array.isArray(args[0]);
  const last: unknown = args.at(-1);
  const isLastOptions = typeof last === "object" && last !== null && !Array.isArray(last);
  const options = isList ? args[1] : isLastOptions ? last : undefined;
  checkOptionNames(op, options, names);
  const sizes = (isList ? args[0] : isLastOptions ? args.slice(0, -1) : args) as readonly unknown[];
  if ((isList && args.length > 2) || sizes.some((size) => typeof size !== "number")) {
    throw new ShapeError(
      `${op}: sizes must be integers, in a list or one by one, got ${args.map(describe).join(", ")}. Write ${op}([2, 3]) or ${op}(2, 3).`,
    );
  }
  checkShape(op, sizes as Shape);
  return { shape: sizes as Shape, options: (options ?? {}) as Options };
}

/** Host values: a number, nested lists of them, or a typed array. */
export type TensorData = NestedArray | TypedArray | Uint8ClampedArray;

/**
 * A tensor of host values, which are copied.
 *
 * @param data a number, nested lists, or a typed array. Numbers are f32, booleans bool, typed arrays keep their dtype
 *   (Float64Array becomes f32, unless `dtype` is `"f64"`)
 * @param options.shape for flat data; default: as nested, `[length]` for typed arrays
 * @param options.dtype, device, requiresGrad
 * @throws ShapeError if nested lists are ragged, or `shape` has another number of elements
 * @throws DeviceError before `await init()`
 * @see torch.tensor
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * const images = tensor(bytes, { shape: [64, 1, 28, 28] }); // u8
 */
export function tensor(data: TensorData, creation: CreationOptions & { shape?: Shape } = {}): Tensor {
  checkOptionNames("tensor", creation, ["shape", ...CREATION_OPTIONS]);
  const { shape, ...options } = creation;
  if (options.dtype !== undefined) ops.checkDTypeName("tensor", options.dtype);
  const { values, shape: found, dtype } = isTypedArray(data) ? fromTyped(data) : fromNested(data);
  const target = options.dtype ?? dtype;
  return finish(ops.fromHost(toHost(values, target), shape ?? found, target), options);
}

type Values = ArrayLike<number>;
interface Found {
  readonly values: Values;
  readonly shape: Shape;
  readonly dtype: DType;
}

const isTypedArray = (data: TensorData): data is TypedArray | Uint8ClampedArray => ArrayBuffer.isView(data);

function fromTyped(data: TypedArray | Uint8ClampedArray): Found {
  const dtype =
    data instanceof Int32Array
      ? "i32"
      : data instanceof Uint32Array
        ? "u32"
        : data.BYTES_PER_ELEMENT === 1
          ? "u8"
          : "f32";
  const known = [Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array, Uint8ClampedArray];
  if (!known.some((type) => data instanceof type)) {
    throw new DTypeError(
      `tensor: typed arrays must be Float32, Float64, Int32, Uint32 or Uint8, got ${Object.prototype.toString.call(data)}. Convert it with Float32Array.from.`,
    );
  }
  return { values: data, shape: [data.length], dtype };
}

function fromNested(data: NestedArray): Found {
  const shape: number[] = [];
  for (let level = data; Array.isArray(level); level = (level as readonly NestedArray[])[0] ?? 0)
    shape.push(level.length);
  const values: number[] = [];
  let booleans = 0;
  const visit = (level: NestedArray, depth: number): void => {
    if (Array.isArray(level)) {
      if (level.length !== shape[depth]) throw ragged(shape, depth, level.length);
      for (const inner of level as readonly NestedArray[]) visit(inner, depth + 1);
      return;
    }
    if (depth !== shape.length) throw ragged(shape, depth, "a number");
    if (typeof level === "boolean") booleans++;
    else if (typeof level !== "number") {
      throw new DTypeError(`tensor: values must be numbers or booleans, got ${describe(level)}. Convert them first.`);
    }
    values.push(Number(level));
  };
  visit(data, 0);
  return { values, shape, dtype: booleans > 0 && booleans === values.length ? "bool" : "f32" };
}

const ragged = (shape: Shape, depth: number, got: number | string): ShapeError =>
  new ShapeError(
    `tensor: lists of one depth must have one length, got ${showShape(shape)} by the first ones and ${got} at depth ${depth}. Pad the shorter ones.`,
  );

function toHost(values: Values, dtype: DType): TypedArray {
  const data = allocateHost(dtype, values.length);
  if (isInteger(dtype) && values.constructor !== data.constructor) checkRange(values, dtype);
  for (let i = 0; i < data.length; i++) data[i] = dtype === "bool" ? Number(values[i] !== 0) : values[i]!;
  if (dtype === "f16") roundAllToHalf(data);
  return data;
}

/** Fractions are cut, as in PyTorch; what is out of range would come out as another number. */
function checkRange(values: Values, dtype: DType): void {
  for (let i = 0; i < values.length; i++) ops.checkInteger("tensor", Math.trunc(values[i]!), dtype);
}

/** A node as a tensor on the device asked for. */
function finish(
  node: Node,
  { device = defaultDevice(), requiresGrad = false }: CreationOptions,
  op = "tensor",
): Tensor {
  const made = wrap(node, checkedDevice(op, device));
  return requiresGrad ? made.requiresGrad_() : made;
}

/**
 * One number everywhere, or one boolean.
 *
 * @param options.dtype default f32, of a boolean bool
 * @throws DTypeError, ValueError if an integer dtype does not hold the number
 * @see torch.full
 *
 * @example
 * const mask = full([4, 4], -Infinity);
 */
export function full(shape: Shape, value: number | boolean, options: CreationOptions = {}): Tensor {
  if (!Array.isArray(shape))
    throw new ShapeError(`full: the size must be a list, got ${describe(shape)}. Write full([2, 3], value).`);
  return filled("full", sizesAndOptions("full", [shape, options]), value);
}

function filled(
  op: string,
  { shape, options }: { shape: Shape; options: CreationOptions },
  value: number | boolean,
): Tensor {
  const { dtype = typeof value === "boolean" ? "bool" : "f32" } = options;
  const number = typeof value === "boolean" ? Number(value) : value;
  ops.checkDTypeName(op, dtype);
  if (typeof number !== "number") throw operandError(op, number);
  ops.checkInteger(op, number, dtype);
  return finish(ops.full([...shape], number, dtype), options, op);
}

/**
 * Zeros.
 *
 * @param sizes in a list, or one by one
 * @see torch.zeros
 *
 * @example
 * zeros(2, 3);
 * zeros([2, 3], { dtype: "i32" });
 */
export const zeros = (...sizes: Sizes<CreationOptions>): Tensor => filled("zeros", sizesAndOptions("zeros", sizes), 0);

/**
 * Ones.
 *
 * @param sizes in a list, or one by one
 * @see torch.ones
 */
export const ones = (...sizes: Sizes<CreationOptions>): Tensor => filled("ones", sizesAndOptions("ones", sizes), 1);

/** As `full`, with the shape, dtype and device of `x`. @see torch.full_like */
export const fullLike = (x: Tensor, value: number | boolean, options: CreationOptions = {}): Tensor =>
  filledLike("fullLike", x, value, options);

function filledLike(op: string, x: Tensor, value: number | boolean, options: CreationOptions): Tensor {
  checkTensors(op, x);
  return filled(op, sizesAndOptions(op, [x.shape, { dtype: x.dtype, device: x.device, ...options }]), value);
}

/** Zeros of the shape, dtype and device of `x`. @see torch.zeros_like */
export const zerosLike = (x: Tensor, options: CreationOptions = {}): Tensor => filledLike("zerosLike", x, 0, options);

/** Ones of the shape, dtype and device of `x`. @see torch.ones_like */
export const onesLike = (x: Tensor, options: CreationOptions = {}): Tensor => filledLike("onesLike", x, 1, options);

/**
 * `start, start + step, ...` up to but without `end`; i32 where all three are integers. With one number: `0 ... end - 1`.
 *
 * @throws ValueError if `step` does not lead from `start` to `end`
 * @see torch.arange
 *
 * @example
 * arange(4); // [0, 1, 2, 3]
 * arange(1, 2, 0.25);
 */
export function arange(end: number, options?: CreationOptions): Tensor;
export function arange(start: number, end: number, options?: CreationOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: CreationOptions): Tensor;
export function arange(...args: (number | CreationOptions | undefined)[]): Tensor {
  const numbers = args.filter((arg) => typeof arg === "number");
  const options = args.find((arg) => typeof arg === "object") ?? {};
  checkOptionNames("arange", options, CREATION_OPTIONS);
  if (options.dtype !== undefined) ops.checkDTypeName("arange", options.dtype);
  if (numbers.length === 0) throw new ValueError("arange: there must be an end, got none. Write arange(10).");
  const [start, end, step] = numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1];
  return finish(ops.arange(start, end, step, options.dtype), options);
}

/**
 * `steps` numbers from `start` to `end`, both included, f32.
 *
 * @see torch.linspace
 */
export function linspace(start: number, end: number, steps: number, options: CreationOptions = {}): Tensor {
  checkOptionNames("linspace", options, CREATION_OPTIONS);
  checkShape("linspace", [steps]);
  const wrong = [start, end].find((each: unknown) => typeof each !== "number");
  if (wrong !== undefined) throw operandError("linspace", wrong);
  const data = Float64Array.from({ length: steps }, (_, i) =>
    steps === 1 ? start : start + ((end - start) * i) / (steps - 1),
  );
  return tensor(data, options);
}

/** The identity matrix, `[n, m]`. @see torch.eye */
export function eye(n: number, m = n, options: CreationOptions = {}): Tensor {
  checkOptionNames("eye", options, CREATION_OPTIONS);
  checkShape("eye", [n, m]);
  const { dtype = "f32" } = options;
  ops.checkDTypeName("eye", dtype);
  const diagonal = ops.eq(ops.unsqueeze(ops.arange(0, n), 1), ops.arange(0, m));
  return finish(ops.cast(diagonal, dtype), options, "eye");
}

/** Whether both have the same shape and dtype and all values agree; NaN differs from everything. @see torch.equal */
export async function equal(a: Tensor, b: Tensor): Promise<boolean> {
  checkTensors("equal", a, b);
  if (!sameShape(a.shape, b.shape) || a.dtype !== b.dtype) return false;
  return (await a.eq(b).all().item()) === 1;
}
