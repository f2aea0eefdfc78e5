/** Values of checkpoints: what callers get and give, and the way there from what a pickle holds. */

import { countOf, elementByteLength, type FileArray, type FileData } from "../fileArray";
import { valueOfGlobal } from "./globals";
import { malformed } from "./malformed";
import { PyDict, PyGlobal, PyList, type PyStorage, PyTensor, PyTuple } from "./python";

/** What keys of dicts can be. */
export type TorchKey = string | number | bigint | boolean | null;

/**
 * What a checkpoint can hold. Tensors are FileArrays: `{ shape, dtype, data }`.
 *
 * Lists, tuples and sizes are arrays. A dict whose keys are strings, none a whole number, is a plain object; any other,
 * such as an optimizer's `state`, is a Map. dtypes and devices are strings: `"torch.float32"`, `"cuda:0"`.
 */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | FileArray
  | readonly TorchValue[]
  | ReadonlyMap<TorchKey, TorchValue>
  | { readonly [key: string]: TorchValue };

/**
 * Whether a value of a checkpoint is a tensor.
 *
 * @example
 * const names = Object.entries(state).flatMap(([name, value]) => (isTorchTensor(value) ? [name] : []));
 */
export const isTorchTensor = (value: TorchValue | undefined): value is FileArray =>
  typeof value === "object" && value !== null && "data" in value && ArrayBuffer.isView(value.data);

/** Whether a value of a checkpoint is a plain object. */
export const isTorchObject = (value: TorchValue | undefined): value is { readonly [key: string]: TorchValue } =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Map) &&
  !isTorchTensor(value);

/** Containers in containers; Python's own pickler gives up not far above. */
export const MAX_DEPTH = 256;

/** Values of a checkpoint, each counted wherever it is used: sharing must not make a small file endless. */
const MAX_VALUES = 1 << 22;

/** A converted container: how many values it holds in all, and how deep. */
interface Converted {
  readonly value: TorchValue;
  readonly count: number;
  readonly depth: number;
}

/** Where tensors' values come from, and how many bytes may be copied out of order. */
export interface Memory {
  valuesOf(storage: PyStorage): FileData;
  bytesLeft: number;
}

/**
 * Converts what a pickle holds. What is shared there is shared here.
 *
 * @throws FormatError for what is no plain data, contains itself, is nested too deep or is too much
 */
export function convert(root: unknown, memory: Memory): TorchValue {
  return new Converter(memory).convert(root, 1).value;
}

class Converter {
  private readonly done = new Map<object, Converted>();
  /** Containers whose items are being converted. */
  private readonly open = new Set<object>();
  private readonly tensors = new Map<PyTensor, FileArray>();

  constructor(private readonly memory: Memory) {}

  convert(value: unknown, level: number): Converted {
    if (value instanceof PyTuple || value instanceof PyList || value instanceof PyDict)
      return this.container(value, level);
    return { value: this.leaf(value), count: 1, depth: 0 };
  }

  private leaf(value: unknown): TorchValue {
    if (value instanceof PyTensor) return this.tensor(value);
    if (value instanceof PyGlobal) return valueOfGlobal(value);
    if (value === null || ["boolean", "number", "bigint", "string"].includes(typeof value)) return value as TorchValue;
    throw malformed("a checkpoint must hold tensors and plain data", "a storage", "Save tensors instead.");
  }

  private container(container: PyTuple | PyList | PyDict, level: number): Converted {
    const known = this.done.get(container);
    if (this.open.has(container))
      throw malformed("a list or dict must not contain itself", "one that does", "Save it without the cycle.");
    if (level + (known?.depth ?? 0) > MAX_DEPTH)
      throw malformed(`values must be nested at most ${MAX_DEPTH} deep`, "deeper ones", "Save a flatter dict.");
    if (known) return known;
    this.open.add(container);
    const items = container.items.map((item) => this.convert(item, level + 1));
    this.open.delete(container);
    const count = items.reduce((sum, item) => sum + item.count, 1);
    if (count > MAX_VALUES) {
      throw malformed(
        `a checkpoint must hold at most ${MAX_VALUES} values`,
        "more, some of them shared",
        "Save lists of numbers as tensors.",
      );
    }
    const depth = items.reduce((deepest, item) => Math.max(deepest, item.depth), 0) + 1;
    const values = items.map(({ value }) => value);
    const converted = { value: container instanceof PyDict ? dictOf(values) : values, count, depth };
    this.done.set(container, converted);
    return converted;
  }

  private tensor(tensor: PyTensor): FileArray {
    let array = this.tensors.get(tensor);
    if (!array) this.tensors.set(tensor, (array = arrayOf(tensor, this.memory)));
    return array;
  }
}

/** `{ "0": ... }` would come first in an object, wherever it is in the dict. */
const isWholeNumber = (key: string): boolean => /^(0|[1-9]\d*)$/.test(key);

function dictOf(items: readonly TorchValue[]): TorchValue {
  const dict = new Map<TorchKey, TorchValue>(); // of equal keys the last one counts, as in Python
  for (let at = 0; at < items.length; at += 2) dict.set(keyOf(items[at]), items[at + 1]!);
  const isObject = [...dict.keys()].every((key) => typeof key === "string" && !isWholeNumber(key));
  // defines properties, so that a key __proto__ is a key like any other
  return isObject ? (Object.fromEntries(dict) as { readonly [key: string]: TorchValue }) : dict;
}

function keyOf(key: TorchValue | undefined): TorchKey {
  if (typeof key === "object" && key !== null) {
    throw malformed("keys of dicts must be strings, numbers, booleans or None", "another one", "Save other keys.");
  }
  return key!;
}

/** A tensor's values in row-major order: the storage's own memory where they lie so, otherwise a copy. */
function arrayOf({ storage, offset, shape, strides }: PyTensor, memory: Memory): FileArray {
  const values = memory.valuesOf(storage);
  const { dtype } = storage;
  const count = countOf(shape)!;
  if (isRowMajor(shape, strides)) return { shape, dtype, data: values.subarray(offset, offset + count) };
  memory.bytesLeft -= count * elementByteLength(dtype);
  if (memory.bytesLeft < 0) {
    throw malformed(
      "tensors must not take more memory than maxByteLength",
      `${count} elements of a storage of ${storage.count}, and others`,
      "Save x.contiguous(), or pass { maxByteLength: ... } if you trust the file.",
    );
  }
  return { shape, dtype, data: gathered(values, offset, shape, strides, count) };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    if (shape[dim] !== 1 && strides[dim] !== step) return shape.includes(0);
    step *= shape[dim]!;
  }
  return true;
}

/** One dimension of a view. */
interface Dimension {
  readonly size: number;
  readonly stride: number;
}

/** The same elements in the same order in as few dimensions as can be, all of size 2 up: a walk must not visit those of size 1. */
function merged(shape: readonly number[], strides: readonly number[]): Dimension[] {
  const dimensions: Dimension[] = [];
  for (const [dim, size] of shape.entries()) {
    if (size === 1) continue;
    const stride = strides[dim]!;
    const outer = dimensions.at(-1);
    if (outer?.stride === size * stride) dimensions[dimensions.length - 1] = { size: outer.size * size, stride };
    else dimensions.push({ size, stride });
  }
  return dimensions;
}

function gathered(
  values: FileData,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  count: number,
): FileData {
  const data = new (values.constructor as new (length: number) => FileData)(count);
  const outer = merged(shape, strides);
  const inner = outer.pop()!; // without one, the values would lie in row-major order
  const index = outer.map(() => 0);
  let from = offset;
  for (let at = 0; at < count; at += inner.size) {
    copyRun(data, at, values, from, inner);
    for (let dim = outer.length - 1; dim >= 0; dim--) {
      const { size, stride } = outer[dim]!;
      from += stride;
      if (++index[dim]! < size) break;
      from -= stride * size;
      index[dim] = 0;
    }
  }
  return data;
}

/** From here on, a call costs less than a loop. */
const LONG_RUN = 32;

/** Copies one row of the innermost dimension. */
function copyRun(data: FileData, at: number, values: FileData, from: number, { size, stride }: Dimension): void {
  if (size >= LONG_RUN && stride === 0) (data as Float32Array).fill(values[from] as number, at, at + size);
  else if (size >= LONG_RUN && stride === 1)
    (data as Float32Array).set(values.subarray(from, from + size) as Float32Array, at);
  else for (let step = 0; step < size; step++) data[at + step] = values[from + step * stride]!;
}
