/**
 * What every tensor is, whatever can be computed with it: a node on a device, and reading it; and how methods
 * make nodes. The other files of this folder add PyTorch's methods, a page of its documentation each; `tensor` ends the chain.
 */

import type { Device } from "../device";
import { DeviceError, DTypeError, naming, ShapeError, StaleTensorError, ValueError } from "../errors";
import type { DType, TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { noteRole } from "../graph/origin";
import { normalizeDim, type Shape, showShape, sizeOf } from "../graph/shape";
import * as ops from "../ops";
import { apply } from "../ops/op";
import { checkOptionNames, describe, isPromise, operandError } from "../options";
import type { Tensor } from "../tensor";
import { showValues } from "./print";

/** Numbers in nested lists, as `toArray` gives and `tensor` takes them; booleans count as 1 and 0. */
export type NestedArray = number | boolean | readonly NestedArray[];

/** What operators take beside a tensor. Numbers take the tensor's dtype where they fit it. */
export type TensorLike = Tensor | number | boolean;

/** Dims to reduce: one, several, or all when absent. */
export type Dims = number | readonly number[];

export abstract class TensorCore {
  protected value: Node;
  private disposed = false;

  /** Use `tensor`, `zeros` and the other functions that make tensors. */
  constructor(
    node: Node,
    private readonly place: Device,
  ) {
    checkPlace("tensor", node.dtype, place);
    noteRole(node, { kind: "result" });
    this.value = node;
  }

  /** The graph that computes the value. */
  get node(): Node {
    if (this.disposed) {
      throw new StaleTensorError(
        `tensor: a tensor that is used must not be disposed of, got ${summaryOf(this)}. Dispose of it later.`,
      );
    }
    return this.value;
  }

  /** Where the value lies, or will. */
  get device(): Device {
    return this.place;
  }

  // --- what it is ----------------------------------------------------------------------------------------------------

  /** Sizes of the dimensions. @see torch.Tensor.shape */
  get shape(): Shape {
    return this.value.shape;
  }

  /** What the elements are; see docs/DTYPES.md. @see torch.Tensor.dtype */
  get dtype(): DType {
    return this.value.dtype;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of dimensions. @see torch.Tensor.dim */
  dim(): number {
    return this.shape.length;
  }

  /** Number of elements. @see torch.Tensor.numel */
  numel(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /**
   * The shape, or one of its sizes.
   *
   * @throws ShapeError if there is no dimension `dim`
   * @example
   * x.size(0); // batch size
   */
  size(): Shape;
  size(dim: number): number;
  size(dim?: number): Shape | number {
    return dim === undefined ? this.shape : this.sizeAt("size", dim);
  }

  /** The size of a dimension that an op's caller names. */
  protected sizeAt(op: string, dim: number): number {
    return this.shape[checkedDim(op, dim, this.shape)]!;
  }

  /** The values, where the host has them without asking a device, and what it is. */
  toString(): string {
    const values = this.value.hostData;
    if (!values || values.length === 0) return summaryOf(this);
    const name = this.constructor.name;
    const shown = showValues(values, this.shape, this.dtype, name.length + 1);
    return `${name}(${shown}, dtype=${this.dtype}, device=${this.device.name})`;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** A tensor is no number: `x + 1` and `x > 0` would mean nothing. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new ValueError(
      `tensor: JavaScript's operators must not be given a tensor, got ${summaryOf(this)}. Write x.add(y), x.gt(0), or read it: await x.item().`,
    );
  }

  /** Values are read first: `JSON.stringify(await x.tolist())`. */
  toJSON(): never {
    throw new ValueError(`toJSON: values must be read first, got ${summaryOf(this)}. Write await x.tolist().`);
  }

  // --- reading -------------------------------------------------------------------------------------------------------

  /**
   * Computes the value and copies it to the host.
   *
   * @returns row-major values: Float32Array, Float64Array, Int32Array, Uint32Array, or Uint8Array for `u8` and `bool`
   * @throws StaleTensorError if the value depends on state that has been overwritten since
   */
  async data(): Promise<TypedArray> {
    return (await read([this]))[0]!;
  }

  /**
   * The value of a tensor with one element; `bool` as 1 and 0.
   *
   * @throws ShapeError if it has another number of elements
   * @throws StaleTensorError as `data`
   */
  async item(): Promise<number> {
    if (this.numel() !== 1) {
      throw new ShapeError(
        `item: the tensor must have 1 element, got ${showShape(this.shape)}. Use data() or toArray().`,
      );
    }
    return (await this.data())[0]!;
  }

  /**
   * The value as nested lists of numbers; a number where the rank is 0.
   *
   * @throws StaleTensorError as `data`
   */
  async toArray(): Promise<NestedArray> {
    return nest(await this.data(), this.shape);
  }

  /** As `toArray`. @see torch.Tensor.tolist */
  tolist(): Promise<NestedArray> {
    return this.toArray();
  }

  /**
   * Computes the value and leaves it on the device.
   *
   * @returns this
   * @throws StaleTensorError as `data`
   */
  async realize(): Promise<this> {
    this.device.check("realize").engine.realize([this.node]);
    return this;
  }

  /**
   * Frees the device's memory now instead of when the tensor is collected. `using x = ...` does it at the end of a block.
   * Tensors computed from it that have no value of their own yet may be lost: reading them then is a StaleTensorError.
   */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.device.engine.drop(this.value);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * The value in another dtype. Floats are cut towards zero, saturating; everything but 0 is true. Gradients flow from
   * floats to floats.
   *
   * @throws DTypeError for f64 on a device other than the CPU, f16 on a GPU without it, and for what is no dtype
   */
  to(dtype: DType): Tensor;
  /**
   * The value on another device: read here, copied there. No gradient flows back: the copy of a leaf that requires
   * gradients is a leaf with a `grad` of its own, that of a computed tensor is detached.
   *
   * @throws DTypeError for f64 and a device other than the CPU, and for what is no device; DeviceError for one that is not open
   */
  to(device: Device): Promise<Tensor>;
  to(target: DType | Device): Tensor | Promise<Tensor> {
    if (typeof target === "string") return this.unary((x) => ops.typed("to", x, target));
    checkTarget(target);
    return this.copyTo(target);
  }

  private async copyTo(device: Device): Promise<Tensor> {
    if (device === this.device) return this.self;
    checkPlace("to", this.dtype, device);
    const values = await this.data();
    const copy = this.create(ops.fromHost(values, this.shape, this.dtype), device.check("to"));
    return copy.requiresGrad_(this.self.requiresGrad && this.self.isLeaf);
  }

  /** The value as f32. */
  float(): Tensor {
    return this.to("f32");
  }

  /**
   * The value as f16: half the memory, arithmetic still in f32. Experimental; see docs/DTYPES.md.
   *
   * @throws DTypeError on a GPU without `shader-f16`
   * @see torch.Tensor.half
   */
  half(): Tensor {
    return this.to("f16");
  }

  /** The value as f64, which only the CPU has. @see torch.Tensor.double */
  double(): Tensor {
    return this.to("f64");
  }

  /** The value as i32. */
  int(): Tensor {
    return this.to("i32");
  }

  /** As `int()`: integers of 64 bits are i32 here. @see torch.Tensor.long */
  long(): Tensor {
    return this.to("i32");
  }

  /** Whether each element is not 0. */
  bool(): Tensor {
    return this.to("bool");
  }

  // --- copies ----------------------------------------------------------------------------------------------------------

  /** The same value; gradients do not flow through it. */
  detach(): Tensor {
    return this.unary(ops.detach);
  }

  /** The same value in memory of its own; gradients flow through. Of a parameter: what it is now. */
  clone(): Tensor {
    return this.unary((x) => apply(ops.reshapeOp, [x], { shape: x.shape }));
  }

  /** The tensor itself: how a value lies in memory is nobody's business here. @see torch.Tensor.contiguous */
  contiguous(): Tensor {
    return this.self;
  }

  // --- how methods make tensors --------------------------------------------------------------------------------------

  /** A tensor of a node. */
  protected abstract create(node: Node, device?: Device): Tensor;

  /** This, as the tensor that it is. */
  protected get self(): Tensor {
    return this as unknown as Tensor; // `tensor` has the only class that is not abstract
  }

  /** The result of a node builder as a tensor. Scalars that must be computed are noted: the end of a step realizes them. */
  protected wrap(node: Node): Tensor {
    if (node.shape.length === 0 && node.inputs.length > 0) this.device.engine.noteScalar(node);
    return this.create(node);
  }

  /** Applies a node builder to this. */
  protected unary(make: (x: Node) => Node): Tensor {
    return this.wrap(make(this.node));
  }

  /** Applies a node builder to this and a tensor or number. */
  protected binary(op: string, make: (a: Node, b: ops.Operand) => Node, other: TensorLike): Tensor {
    return this.combine(op, [other], make);
  }

  /** Applies a node builder to this and others, all on one device. */
  protected combine<const T extends readonly TensorLike[]>(
    op: string,
    others: T,
    make: (x: Node, ...others: NodesOf<T>) => Node,
  ): Tensor {
    checkPresent(op, others);
    const [x, ...nodes] = operandsOf(op, [this, ...others]) as [Node, ...NodesOf<T>];
    return this.wrap(naming(op, () => make(x, ...nodes)));
  }

  /** As `combine`, where numbers mean nothing. */
  protected combineTensors<const T extends readonly TensorCore[]>(
    op: string,
    others: T,
    make: (x: Node, ...others: NodesOf<T>) => Node,
  ): Tensor {
    checkTensors(op, ...others);
    return this.combine(op, others as unknown as readonly Tensor[], make as (x: Node, ...nodes: Node[]) => Node);
  }

  /** Values and indices as tensors. */
  protected pair({ values, indices }: { values: Node; indices: Node }): ValuesAndIndices {
    return { values: this.wrap(values), indices: this.wrap(indices) };
  }
}

/** What a tensor is, as errors show it. */
export const summaryOf = (x: TensorCore): string =>
  `${x.constructor.name}(shape=${showShape(x.shape)}, dtype=${x.dtype}, device=${x.device.name})`;

/** Options of reductions. */
export interface KeepDim {
  /** Leaves reduced dimensions as size 1. */
  readonly keepDim?: boolean;
}

/** What `topk` and `sort` give. */
export interface ValuesAndIndices {
  readonly values: Tensor;
  /** i32. */
  readonly indices: Tensor;
}

// --- from tensors to nodes and back --------------------------------------------------------------------------------------

/** What methods and functions take where PyTorch takes a tensor, a number or None. */
export type Argument = TensorCore | number | boolean | null;

type NodeOf<T> = T extends TensorCore | boolean ? Node : T extends number ? number : null;

/** A node for each tensor and boolean; numbers and null as they are. */
export type NodesOf<T extends readonly Argument[]> = { -readonly [I in keyof T]: NodeOf<T[I]> };

/** The nodes of an op's operands, all of one device. */
export function operandsOf<const T extends readonly Argument[]>(op: string, operands: T): NodesOf<T> {
  deviceOf(op, operands);
  return operands.map((operand) => nodeOf(op, operand)) as NodesOf<T>;
}

/** Callers without types may pass anything. */
function nodeOf(op: string, operand: unknown): Node | number | null {
  if (operand instanceof TensorCore) return operand.node;
  if (typeof operand === "boolean") return ops.scalar(Number(operand), "bool");
  if (typeof operand === "number" || operand === null) return operand;
  throw operandError(op, operand);
}

/** f64 is for gradient checks on the CPU: WebGPU has no such type, and not every GPU has f16. */
export function checkPlace(op: string, dtype: DType, device: Device): void {
  if (device.supports(dtype)) return;
  if (dtype === "f16") {
    throw new DTypeError(
      `${op}: f16 must be on a GPU with the feature shader-f16, got ${device.name}, whose adapter lacks it. ` +
        'Use f32: leave out autocast, or cast with .to("f32"). The device "cpu" has f16 too.',
    );
  }
  throw new DTypeError(
    `${op}: f64 must stay on the CPU, got one for ${device.name}. ` +
      'Cast it with .to("f32"), or make it with { device: await openDevice("cpu") }.',
  );
}

/** What takes a tensor must get one: callers without types may pass anything. */
export function checkTensor(op: string, operand: unknown): void {
  if (operand instanceof TensorCore) return;
  throw new DTypeError(
    `${op}: it takes a tensor, got ${describe(operand)}. ${isPromise(operand) ? "Write await in front of it." : "Make one: tensor(values)."}`,
  );
}

/** The same of several. */
export function checkTensors(op: string, ...operands: readonly unknown[]): void {
  for (const operand of operands) checkTensor(op, operand);
}

/** As `checkTensors`, where null is for none. */
export const checkOptionalTensors = (op: string, ...operands: readonly unknown[]): void =>
  checkTensors(op, ...operands.filter((operand) => operand !== null));

/** As `checkTensors`, of a list of them. */
export function checkTensorList(op: string, tensors: unknown): void {
  if (!Array.isArray(tensors)) {
    throw new DTypeError(`${op}: it takes a list of tensors, got ${describe(tensors)}. Write ${op}([a, b]).`);
  }
  checkTensors(op, ...(tensors as unknown[]));
}

/** Null means none only where something may be missing. */
export function checkPresent(op: string, operands: readonly unknown[]): void {
  if (operands.includes(null)) throw operandError(op, null);
}

/** The device that all tensors among `operands` are on. */
export function deviceOf(op: string, operands: readonly Argument[]): Device {
  const tensors = operands.filter((operand) => operand instanceof TensorCore);
  if (tensors.length === 0) {
    throw new DTypeError(
      `${op}: one of the operands must be a tensor, got ${operands.map(describe).join(" and ")}. Make one: tensor(values).`,
    );
  }
  const device = tensors[0]!.device;
  const other = tensors.find((tensor) => tensor.device !== device);
  if (other) {
    throw new DeviceError(
      `${op}: all tensors must be on one device, got ${device.name} and ${other.device.name}. ` +
        "Move one with `await x.to(device)`.",
    );
  }
  return device.check(op);
}

/** Callers without types may pass anything. */
function checkTarget(target: unknown): void {
  if (typeof target === "object" && target !== null && "engine" in target) return;
  throw new DTypeError(
    `to: it takes a dtype or a device, got ${describe(target)}. Write to("f32"), or await to(device).`,
  );
}

function checkedDim(op: string, dim: number, shape: Shape): number {
  if (shape.length === 0)
    throw new ShapeError(`${op}: a scalar has no dimensions, got dim ${dim}. Unsqueeze it first.`);
  return normalizeDim(op, dim, shape.length);
}

/** The values of several tensors, computed together: one submit. */
export async function read(tensors: readonly TensorCore[]): Promise<TypedArray[]> {
  const values: TypedArray[] = new Array<TypedArray>(tensors.length);
  for (const device of new Set(tensors.map((tensor) => tensor.device))) {
    const places = tensors.flatMap((tensor, place) => (tensor.device === device ? [place] : []));
    const found = await device.check("data").engine.read(places.map((place) => tensors[place]!.node));
    places.forEach((place, index) => (values[place] = found[index]!.slice()));
  }
  return values;
}

/** Callers without types may leave it out, and would get a distribution over all elements. */
export function checkDim(op: string, dim: unknown): void {
  if (typeof dim === "number") return;
  throw new ValueError(`${op}: dim must be a number, got ${describe(dim)}. Pass the dimension of the classes, 1 say.`);
}

export function keepDimOf(op: string, options?: KeepDim): boolean {
  checkOptionNames(op, options, ["keepDim"]);
  return options?.keepDim ?? false;
}

function nest(values: TypedArray, shape: Shape, start = 0): NestedArray {
  const [size, ...inner] = shape;
  if (size === undefined) return values[start]!;
  const step = sizeOf(inner);
  return Array.from({ length: size }, (_, index) => nest(values, inner, start + index * step));
}

// Set by whoever writes Python by habit, who would go on training.
Object.defineProperty(TensorCore.prototype, "requires_grad", {
  set(this: TensorCore) {
    throw new ValueError(`requires_grad: it goes by another name, set on ${summaryOf(this)}. Write requiresGrad.`);
  },
});
