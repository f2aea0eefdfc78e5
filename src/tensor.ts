/**
 * Tensor: an immutable value on a device, and PyTorch's methods on it. Each method calls a node builder of `ops`:
 * shapes are checked at once, nothing runs before someone reads. State that changes is in `parameter`.
 */

import { backward } from "./autograd/backward";
import { type Device } from "./device";
import { AutogradError, DeviceError, DTypeError, IndexError, ShapeError, StaleTensorError, ValueError } from "./errors";
import type { DType, TypedArray } from "./graph/dtype";
import { withGradMode } from "./graph/gradMode";
import { Node, type VariableRef } from "./graph/node";
import { normalizeDim, sameShape, type Shape, showShape, sizeOf } from "./graph/shape";
import { topologicalOrder } from "./graph/walk";
import * as ops from "./ops";
import { apply } from "./ops/op";
import { checkOptionNames } from "./options";

/** Numbers in nested lists, as `toArray` gives and `tensor` takes them; booleans count as 1 and 0. */
export type NestedArray = number | boolean | readonly NestedArray[];

/** What operators take beside a tensor. Numbers take the tensor's dtype where they fit it. */
export type TensorLike = Tensor | number;

/** Dims to reduce: one, several, or all when absent. */
export type Dims = number | readonly number[];

/** Sizes or dims as PyTorch takes them: a list, or one by one. */
type Listed = readonly number[] | [readonly number[]];
const listed = (args: Listed): readonly number[] => (Array.isArray(args[0]) ? args[0] : (args as readonly number[]));

/** Where a slice starts or ends, per leading dimension; null for Python's default. */
export type Bounds = readonly (number | null)[];

/** What `backward` adds a gradient to. */
export interface GradientOwner {
  accumulateGrad(gradient: Node): void;
}

/** Owners of gradients by what graphs read: a leaf node, or a variable whatever its version. */
const owners = new WeakMap<Node | VariableRef, GradientOwner>();

/** Makes `owner` receive the gradients of `leaf`. For parameters and tensors that require gradients. */
export function ownGradient(leaf: Node | VariableRef, owner: GradientOwner): void {
  owners.set(leaf, owner);
}

export class Tensor implements GradientOwner {
  private value: Node;
  private gradient: Tensor | null = null;
  private disposed = false;

  /** Use `tensor`, `zeros` and the other functions that make tensors. */
  constructor(
    node: Node,
    /** Where the value lies, or will. */
    readonly device: Device,
  ) {
    this.value = node;
  }

  /** The graph that computes the value. */
  get node(): Node {
    if (this.disposed) {
      throw new StaleTensorError(
        `tensor: a tensor that is used must not be disposed of, got ${this.toString()}. Dispose of it later.`,
      );
    }
    return this.value;
  }

  // --- what it is ----------------------------------------------------------------------------------------------------

  get shape(): Shape {
    return this.value.shape;
  }

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
    return dim === undefined ? this.shape : this.shape[checkedDim("size", dim, this.shape)]!;
  }

  toString(): string {
    return `${this.constructor.name}(shape=${showShape(this.shape)}, dtype=${this.dtype}, device=${this.device.name})`;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  // --- reading -------------------------------------------------------------------------------------------------------

  /**
   * Computes the value and copies it to the host.
   *
   * @returns row-major values: Float32Array, Int32Array, Uint32Array, or Uint8Array for `u8` and `bool`
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

  /** The value in another dtype. Floats are cut towards zero, saturating; everything but 0 is true. */
  to(dtype: DType): Tensor;
  /**
   * The value on another device: read here, copied there. No gradient flows back: the copy of a leaf that requires
   * gradients is a leaf with a `grad` of its own, that of a computed tensor is detached.
   */
  to(device: Device): Promise<Tensor>;
  to(target: DType | Device): Tensor | Promise<Tensor> {
    return typeof target === "string" ? unary(this, (x) => ops.cast(x, target)) : this.copyTo(target);
  }

  private async copyTo(device: Device): Promise<Tensor> {
    if (device === this.device) return this;
    const values = await this.data();
    const copy = new Tensor(ops.fromHost(values, this.shape, this.dtype), device.check("to"));
    return copy.requiresGrad_(this.requiresGrad && this.isLeaf);
  }

  /** The value as f32. */
  float(): Tensor {
    return this.to("f32");
  }

  /** The value as i32. */
  int(): Tensor {
    return this.to("i32");
  }

  /** Whether each element is not 0. */
  bool(): Tensor {
    return this.to("bool");
  }

  // --- gradients -----------------------------------------------------------------------------------------------------

  /** Whether gradients flow to or through it. */
  get requiresGrad(): boolean {
    return this.value.requiresGrad;
  }

  set requiresGrad(value: boolean) {
    this.requiresGrad_(value);
  }

  /** Whether it was given, not computed from something that requires gradients. */
  get isLeaf(): boolean {
    return isGradientLeaf(this.value);
  }

  /** The sum of all gradients that `backward` brought since they were last cleared; null if none did. */
  get grad(): Tensor | null {
    return this.gradient;
  }

  set grad(gradient: Tensor | null) {
    if (gradient) checkGradient("grad", gradient, this);
    this.gradient = gradient;
  }

  /**
   * Makes a leaf require gradients, or stop to.
   *
   * @returns this
   * @throws AutogradError if the tensor was computed from something that requires gradients
   * @throws DTypeError if it is not f32
   * @see torch.Tensor.requires_grad_
   */
  requiresGrad_(value = true): this {
    if (value === this.requiresGrad) return this;
    if (!this.isLeaf) {
      throw new AutogradError(
        "requiresGrad: it can only be set on leaves, got a computed tensor. Use detach() to stop gradients.",
      );
    }
    if (value && this.dtype !== "f32") {
      throw new DTypeError(
        `requiresGrad: only f32 tensors can require gradients, got ${this.dtype}. Cast it with .to("f32").`,
      );
    }
    this.value = leafOf(this.node, value);
    if (value) ownGradient(this.value, this);
    return this;
  }

  /**
   * Adds the gradient of this tensor to `grad` of every parameter and leaf it depends on. Nothing runs yet: the
   * gradients are computed with the next step or read. Two calls add up; `zeroGrad` clears.
   *
   * @param gradient the gradient of this tensor, of its shape; 1 where this is a scalar
   * @throws AutogradError if nothing below requires gradients, the history is gone, or a non-scalar has no `gradient`
   * @see torch.Tensor.backward
   *
   * @example
   * F.crossEntropy(model.forward(x), y).backward();
   * optimizer.step();
   */
  backward(gradient?: Tensor): void {
    const seed = gradientSeed("backward", this, gradient);
    const leaves = gradientLeaves([this.node]);
    const gradients = withGradMode(false, () => backward([this.node], [seed], leaves));
    leaves.forEach((leaf, index) => {
      const owner = owners.get(leaf.variable ?? leaf) ?? owners.get(leaf);
      const found = gradients[index];
      if (found) owner?.accumulateGrad(found);
    });
  }

  /** Used by `backward`. */
  accumulateGrad(gradient: Node): void {
    const total = this.gradient ? ops.add(this.gradient.node, gradient) : gradient;
    this.gradient = new Tensor(total, this.device);
    this.device.engine.keep(total); // so that it can be read after a step, as in PyTorch
  }

  /** The same value; gradients do not flow through it. */
  detach(): Tensor {
    return unary(this, ops.detach);
  }

  /** The same value in memory of its own; gradients flow through. Of a parameter: what it is now. */
  clone(): Tensor {
    return unary(this, (x) => apply(ops.reshapeOp, [x], { shape: x.shape }));
  }
  // --- arithmetic ----------------------------------------------------------------------------------------------------

  /** `this + other`. @see torch.add */
  add(other: TensorLike): Tensor {
    return binary("add", ops.add, this, other);
  }

  /** `this - other`. @see torch.sub */
  sub(other: TensorLike): Tensor {
    return binary("sub", ops.sub, this, other);
  }

  /** `this * other`. @see torch.mul */
  mul(other: TensorLike): Tensor {
    return binary("mul", ops.mul, this, other);
  }

  /** `this / other`, as f32. @see torch.div */
  div(other: TensorLike): Tensor {
    return binary("div", ops.div, this, other);
  }

  /** `this ^ exponent`. @see torch.pow */
  pow(exponent: TensorLike): Tensor {
    return binary("pow", ops.pow, this, exponent);
  }

  /** `this - other * floor(this / other)`: the sign of `other`. @see torch.remainder */
  remainder(other: TensorLike): Tensor {
    return binary("remainder", ops.remainder, this, other);
  }

  /** `floor(this / other)`. @see torch.floor_divide */
  floorDivide(other: TensorLike): Tensor {
    return binary("floorDivide", ops.floorDivide, this, other);
  }

  /** The larger of each pair; NaN if one is. @see torch.maximum */
  maximum(other: TensorLike): Tensor {
    return binary("maximum", ops.maximum, this, other);
  }

  /** The smaller of each pair; NaN if one is. @see torch.minimum */
  minimum(other: TensorLike): Tensor {
    return binary("minimum", ops.minimum, this, other);
  }

  /** `this + weight * (end - this)`. @see torch.lerp */
  lerp(end: Tensor, weight: TensorLike): Tensor {
    return build("lerp", [this, end, weight], (a, b, w) => ops.lerp(a as Node, b as Node, w));
  }

  /** Values cut off below `min` and above `max`; null leaves a side open. @see torch.clamp */
  clamp(min: TensorLike | null = null, max: TensorLike | null = null): Tensor {
    const [x, low, high] = operandsOf("clamp", [this, min, max]);
    return wrap(ops.clamp(x as Node, low, high), this.device);
  }

  /** `-this`. @see torch.neg */
  neg(): Tensor {
    return unary(this, ops.neg);
  }

  /** `|this|`. @see torch.abs */
  abs(): Tensor {
    return unary(this, ops.abs);
  }

  /** `this * this`. @see torch.square */
  square(): Tensor {
    return unary(this, ops.square);
  }

  /** `1 / this`. @see torch.reciprocal */
  reciprocal(): Tensor {
    return unary(this, ops.reciprocal);
  }

  /** -1, 0 or 1. @see torch.sign */
  sign(): Tensor {
    return unary(this, ops.sign);
  }

  /** The largest integer not above. @see torch.floor */
  floor(): Tensor {
    return unary(this, ops.floor);
  }

  /** The smallest integer not below. @see torch.ceil */
  ceil(): Tensor {
    return unary(this, ops.ceil);
  }

  /** The nearest integer; halves go to the even one. @see torch.round */
  round(): Tensor {
    return unary(this, ops.round);
  }

  /** The integer part. @see torch.trunc */
  trunc(): Tensor {
    return unary(this, ops.trunc);
  }

  // --- functions -----------------------------------------------------------------------------------------------------

  /** `e ^ this`. @see torch.exp */
  exp(): Tensor {
    return unary(this, ops.exp);
  }

  /** `e ^ this - 1`, exact near 0. @see torch.expm1 */
  expm1(): Tensor {
    return unary(this, ops.expm1);
  }

  /** Natural logarithm. @see torch.log */
  log(): Tensor {
    return unary(this, ops.log);
  }

  /** `log(1 + this)`, exact near 0. @see torch.log1p */
  log1p(): Tensor {
    return unary(this, ops.log1p);
  }

  /** Square root. @see torch.sqrt */
  sqrt(): Tensor {
    return unary(this, ops.sqrt);
  }

  /** `1 / sqrt(this)`. @see torch.rsqrt */
  rsqrt(): Tensor {
    return unary(this, ops.rsqrt);
  }

  /** Sine of radians. @see torch.sin */
  sin(): Tensor {
    return unary(this, ops.sin);
  }

  /** Cosine of radians. @see torch.cos */
  cos(): Tensor {
    return unary(this, ops.cos);
  }

  /** Hyperbolic tangent. @see torch.tanh */
  tanh(): Tensor {
    return unary(this, ops.tanh);
  }

  /** `1 / (1 + e ^ -this)`. @see torch.sigmoid */
  sigmoid(): Tensor {
    return unary(this, ops.sigmoid);
  }

  /** Error function. @see torch.erf */
  erf(): Tensor {
    return unary(this, ops.erf);
  }

  /** `max(this, 0)`. @see torch.relu */
  relu(): Tensor {
    return unary(this, ops.relu);
  }

  /** `exp(this) / sum(exp(this))` over `dim`. @see torch.softmax */
  softmax(dim: number): Tensor {
    checkDim("softmax", dim);
    return unary(this, (x) => ops.softmax(x, dim));
  }

  /** `log(softmax(this))` over `dim`. @see torch.log_softmax */
  logSoftmax(dim: number): Tensor {
    checkDim("logSoftmax", dim);
    return unary(this, (x) => ops.logSoftmax(x, dim));
  }

  // --- comparison and logic; all give bool ---------------------------------------------------------------------------

  /** `this == other`. @see torch.eq */
  eq(other: TensorLike): Tensor {
    return binary("eq", ops.eq, this, other);
  }

  /** `this != other`. @see torch.ne */
  ne(other: TensorLike): Tensor {
    return binary("ne", ops.ne, this, other);
  }

  /** `this < other`. @see torch.lt */
  lt(other: TensorLike): Tensor {
    return binary("lt", ops.lt, this, other);
  }

  /** `this <= other`. @see torch.le */
  le(other: TensorLike): Tensor {
    return binary("le", ops.le, this, other);
  }

  /** `this > other`. @see torch.gt */
  gt(other: TensorLike): Tensor {
    return binary("gt", ops.gt, this, other);
  }

  /** `this >= other`. @see torch.ge */
  ge(other: TensorLike): Tensor {
    return binary("ge", ops.ge, this, other);
  }

  /** Whether each element is NaN. @see torch.isnan */
  isnan(): Tensor {
    return unary(this, ops.isnan);
  }

  /** Whether each element is infinite. @see torch.isinf */
  isinf(): Tensor {
    return unary(this, ops.isinf);
  }

  /** Whether each element is neither infinite nor NaN. @see torch.isfinite */
  isfinite(): Tensor {
    return unary(this, ops.isfinite);
  }

  /** Whether each element is 0. @see torch.logical_not */
  logicalNot(): Tensor {
    return unary(this, ops.logicalNot);
  }

  /** Whether both are not 0. @see torch.logical_and */
  logicalAnd(other: TensorLike): Tensor {
    return binary("logicalAnd", ops.logicalAnd, this, other);
  }

  /** Whether one is not 0. @see torch.logical_or */
  logicalOr(other: TensorLike): Tensor {
    return binary("logicalOr", ops.logicalOr, this, other);
  }

  /** Whether exactly one is not 0. @see torch.logical_xor */
  logicalXor(other: TensorLike): Tensor {
    return binary("logicalXor", ops.logicalXor, this, other);
  }

  // --- bits of i32, u32 and bool -------------------------------------------------------------------------------------

  /** `~this`. @see torch.bitwise_not */
  bitwiseNot(): Tensor {
    return unary(this, ops.bitwiseNot);
  }

  /** `this & other`. @see torch.bitwise_and */
  bitwiseAnd(other: TensorLike): Tensor {
    return binary("bitwiseAnd", ops.bitwiseAnd, this, other);
  }

  /** `this | other`. @see torch.bitwise_or */
  bitwiseOr(other: TensorLike): Tensor {
    return binary("bitwiseOr", ops.bitwiseOr, this, other);
  }

  /** `this ^ other`, exclusive or. @see torch.bitwise_xor */
  bitwiseXor(other: TensorLike): Tensor {
    return binary("bitwiseXor", ops.bitwiseXor, this, other);
  }

  /** `this << other`. @see torch.bitwise_left_shift */
  bitwiseLeftShift(other: TensorLike): Tensor {
    return binary("bitwiseLeftShift", ops.bitwiseLeftShift, this, other);
  }

  /** `this >> other`; keeps the sign of i32. @see torch.bitwise_right_shift */
  bitwiseRightShift(other: TensorLike): Tensor {
    return binary("bitwiseRightShift", ops.bitwiseRightShift, this, other);
  }

  /** The upper 32 bits of the 64-bit product of two u32: an exact `floor(this * other / 2^32)`. */
  mulHigh(other: TensorLike): Tensor {
    return binary("mulHigh", ops.mulHigh, this, other);
  }

  // --- reductions ----------------------------------------------------------------------------------------------------

  /** Sum over `dim`, or of all. @see torch.sum */
  sum(dim?: Dims, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.sum(x, dim, keepDimOf("sum", options)));
  }

  /** Mean over `dim`, or of all. @see torch.mean */
  mean(dim?: Dims, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.mean(x, dim, keepDimOf("mean", options)));
  }

  /** Product over `dim`, or of all. @see torch.prod */
  prod(dim?: Dims, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.prod(x, dim, keepDimOf("prod", options)));
  }

  /** Variance over `dim`, or of all; divides by `n - correction`. @see torch.var */
  var(dim?: Dims, options: KeepDim & { correction?: number } = {}): Tensor {
    checkOptionNames("var", options, ["correction", "keepDim"]);
    const { correction = 1, keepDim = false } = options;
    return unary(this, (x) => ops.variance(x, dim, { correction, keepDim }));
  }

  /** Standard deviation over `dim`, or of all; divides by `n - correction`. @see torch.std */
  std(dim?: Dims, options: KeepDim & { correction?: number } = {}): Tensor {
    checkOptionNames("std", options, ["correction", "keepDim"]);
    const { correction = 1, keepDim = false } = options;
    return unary(this, (x) => ops.std(x, dim, { correction, keepDim }));
  }

  /** `(sum |this|^p)^(1/p)` over `dim`, or of all; p may be Infinity. @see torch.linalg.vector_norm */
  norm(p = 2, dim?: Dims, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.norm(x, p, dim, keepDimOf("norm", options)));
  }

  /** `log(sum(exp(this)))` over `dim`, or of all. @see torch.logsumexp */
  logsumexp(dim?: Dims, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.logsumexp(x, dim, keepDimOf("logsumexp", options)));
  }

  /** Largest over `dim`, or of all; ties share the gradient. @see torch.amax */
  amax(dim?: Dims, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.amax(x, dim, keepDimOf("amax", options)));
  }

  /** Smallest over `dim`, or of all; ties share the gradient. @see torch.amin */
  amin(dim?: Dims, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.amin(x, dim, keepDimOf("amin", options)));
  }

  /** Largest of all; or along `dim`, with its index, the first of equals. @see torch.max */
  max(): Tensor;
  max(dim: number, options?: KeepDim): ValuesAndIndices;
  max(dim?: number, options: KeepDim = {}): Tensor | ValuesAndIndices {
    return dim === undefined ? this.amax() : this.extreme(dim, this.argmax(dim, { keepDim: true }), options);
  }

  /** Smallest of all; or along `dim`, with its index, the first of equals. @see torch.min */
  min(): Tensor;
  min(dim: number, options?: KeepDim): ValuesAndIndices;
  min(dim?: number, options: KeepDim = {}): Tensor | ValuesAndIndices {
    return dim === undefined ? this.amin() : this.extreme(dim, this.argmin(dim, { keepDim: true }), options);
  }

  /** The elements at one index per place of `dim`. Their gradient goes to that index alone. */
  private extreme(dim: number, index: Tensor, options: KeepDim): ValuesAndIndices {
    const keepDim = keepDimOf("max", options);
    const values = this.gather(dim, index);
    return keepDim ? { values, indices: index } : { values: values.squeeze(dim), indices: index.squeeze(dim) };
  }

  /** Index of the largest along `dim`, or in all; the first of equals. @see torch.argmax */
  argmax(dim: number | null = null, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.argmax(x, dim, keepDimOf("argmax", options)));
  }

  /** Index of the smallest along `dim`, or in all; the first of equals. @see torch.argmin */
  argmin(dim: number | null = null, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.argmin(x, dim, keepDimOf("argmin", options)));
  }

  /** Whether any element is not 0, over `dim` or of all. @see torch.any */
  any(dim?: Dims, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.any(x, dim, keepDimOf("any", options)));
  }

  /** Whether all elements are not 0, over `dim` or of all. @see torch.all */
  all(dim?: Dims, options?: KeepDim): Tensor {
    return unary(this, (x) => ops.all(x, dim, keepDimOf("all", options)));
  }

  /** Sums of all elements up to each one, along `dim`. @see torch.cumsum */
  cumsum(dim: number): Tensor {
    return unary(this, (x) => ops.cumsum(x, dim));
  }

  // --- shape: no elements are moved ----------------------------------------------------------------------------------

  /** The same elements under another shape; one size may be -1. @see torch.reshape */
  reshape(...shape: Listed): Tensor {
    return unary(this, (x) => ops.reshape(x, listed(shape)));
  }

  /** As `reshape`. @see torch.Tensor.view */
  view(...shape: Listed): Tensor {
    return this.reshape(...shape);
  }

  /** Dimensions `startDim` to `endDim` joined to one. @see torch.flatten */
  flatten(startDim = 0, endDim = -1): Tensor {
    return unary(this, (x) => ops.flatten(x, startDim, endDim));
  }

  /** Dimensions of size 1 removed: all, or those of `dim`. @see torch.squeeze */
  squeeze(dim?: Dims): Tensor {
    return unary(this, (x) => ops.squeeze(x, dim));
  }

  /** A dimension of size 1 inserted at `dim`. @see torch.unsqueeze */
  unsqueeze(dim: number): Tensor {
    return unary(this, (x) => ops.unsqueeze(x, dim));
  }

  /** Dimensions in another order. @see torch.permute */
  permute(...dims: Listed): Tensor {
    return unary(this, (x) => ops.permute(x, listed(dims)));
  }

  /** Two dimensions swapped. @see torch.transpose */
  transpose(dim0: number, dim1: number): Tensor {
    return unary(this, (x) => ops.transpose(x, dim0, dim1));
  }

  /** A matrix with rows and columns swapped; vectors and scalars as they are. @see torch.t */
  t(): Tensor {
    if (this.ndim > 2) {
      throw new ShapeError(`t: there must be at most 2 dimensions, got ${showShape(this.shape)}. Use transpose.`);
    }
    return this.ndim < 2 ? this : this.transpose(0, 1);
  }

  /** Dimensions of size 1 repeated, and new ones in front; -1 keeps a size. @see torch.Tensor.expand */
  expand(...shape: Listed): Tensor {
    return unary(this, (x) => ops.expand(x, listed(shape)));
  }

  /** As `expand`, to the shape of `other`. @see torch.Tensor.expand_as */
  expandAs(other: Tensor): Tensor {
    return this.expand(other.shape);
  }

  /** Elements in reverse order along `dims`. @see torch.flip */
  flip(...dims: Listed): Tensor {
    return unary(this, (x) => ops.flip(x, listed(dims)));
  }

  /**
   * `this[starts[0]:ends[0]:steps[0], ...]` as in Python: one entry a dimension, missing ones whole, null for the
   * default; negative starts and ends count from the back, negative steps walk backwards.
   *
   * @example
   * x.slice([0, 1], [2, -1]); // x[0:2, 1:-1]
   */
  slice(starts: Bounds, ends: Bounds = [], steps: readonly number[] = []): Tensor {
    return unary(this, (x) => ops.slice(x, starts, ends, steps));
  }

  /** `length` elements of `dim` from `start` on. @see torch.narrow */
  narrow(dim: number, start: number, length: number): Tensor {
    return unary(this, (x) => ops.narrow(x, dim, start, length));
  }

  /** The elements at `index` of `dim`, which is removed. @see torch.select */
  select(dim: number, index: number): Tensor {
    const size = this.size(dim);
    if (!Number.isInteger(index) || index < -size || index >= size) {
      throw new IndexError(`select: index must be in ${-size}..${size - 1}, got ${index}. Check dim ${dim}.`);
    }
    return this.narrow(dim, index < 0 ? index + size : index, 1).squeeze(dim);
  }

  /** Pieces of `splitSize` along `dim`; the last may be smaller. @see torch.split */
  split(splitSize: number, dim = 0): Tensor[] {
    const size = this.size(dim);
    if (!(Number.isInteger(splitSize) && splitSize > 0)) {
      throw new ShapeError(
        `split: splitSize must be a positive integer, got ${splitSize}. Pass the size of one piece.`,
      );
    }
    const count = Math.max(1, Math.ceil(size / splitSize));
    return Array.from({ length: count }, (_, piece) =>
      this.narrow(dim, piece * splitSize, Math.min(splitSize, size - piece * splitSize)),
    );
  }

  /** At most `chunks` pieces of one size along `dim`; the last may be smaller. @see torch.chunk */
  chunk(chunks: number, dim = 0): Tensor[] {
    if (!(Number.isInteger(chunks) && chunks > 0)) {
      throw new ShapeError(`chunk: chunks must be a positive integer, got ${chunks}. Pass the number of pieces.`);
    }
    return this.split(Math.max(1, Math.ceil(this.size(dim) / chunks)), dim);
  }

  /** What lies on and below a diagonal; 0 elsewhere. @see torch.tril */
  tril(diagonal = 0): Tensor {
    return unary(this, (x) => ops.tril(x, diagonal));
  }

  /** What lies on and above a diagonal; 0 elsewhere. @see torch.triu */
  triu(diagonal = 0): Tensor {
    return unary(this, (x) => ops.triu(x, diagonal));
  }

  // --- indexing and order --------------------------------------------------------------------------------------------

  /** `out[i][j] = this[index[i][j]][j]` for `dim` 0, and so on. @see torch.gather */
  gather(dim: number, index: Tensor): Tensor {
    return build("gather", [this, index], (x, i) => ops.gather(x as Node, dim, i as Node));
  }

  /** `this`, with `out[index[i][j]][j] += src[i][j]` for `dim` 0, and so on; in a fixed order. @see torch.scatter_add */
  scatterAdd(dim: number, index: Tensor, src: Tensor): Tensor {
    return build("scatterAdd", [this, index, src], (x, i, s) => ops.scatterAdd(x as Node, dim, i as Node, s as Node));
  }

  /** Entries of `dim` by a list of indices. @see torch.index_select */
  indexSelect(dim: number, index: Tensor): Tensor {
    return build("indexSelect", [this, index], (x, i) => ops.indexSelect(x as Node, dim, i as Node));
  }

  /** The `k` largest of `dim`, best first; ties by lower index. @see torch.topk */
  topk(k: number, options: { dim?: number; largest?: boolean } = {}): ValuesAndIndices {
    checkOptionNames("topk", options, ["dim", "largest"]);
    const { dim = -1, largest = true } = options;
    return pair(this, ops.topk(this.node, k, { dim, largest }));
  }

  /** Elements of `dim` in order; equal ones stay in theirs. @see torch.sort (stable) */
  sort(options: { dim?: number; descending?: boolean } = {}): ValuesAndIndices {
    checkOptionNames("sort", options, ["dim", "descending"]);
    const { dim = -1, descending = false } = options;
    return pair(this, ops.sort(this.node, { dim, descending }));
  }

  /** The indices that sort `dim`. @see torch.argsort (stable) */
  argsort(options: { dim?: number; descending?: boolean } = {}): Tensor {
    return this.sort(options).indices;
  }

  // --- products ------------------------------------------------------------------------------------------------------

  /**
   * Matrix product; batch dimensions broadcast, vectors are rows on the left and columns on the right.
   *
   * @shape `[..., m, k] @ [..., k, n] -> [..., m, n]`
   * @throws ShapeError if the inner dimensions differ
   * @see torch.matmul
   */
  matmul(other: Tensor): Tensor {
    return build("matmul", [this, other], (a, b) => ops.matmul(a as Node, b as Node));
  }
}

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

/** The result of a node builder as a tensor. Scalars that must be computed are noted: the end of a step realizes them. */
export function wrap(node: Node, device: Device): Tensor {
  if (node.shape.length === 0 && node.inputs.length > 0) device.engine.noteScalar(node);
  return new Tensor(node, device);
}

type Operand = Node | number;

/** The nodes of an op's operands, all of one device. */
export function operandsOf<T extends TensorLike | null>(
  op: string,
  operands: readonly T[],
): (T extends Tensor ? Node : T extends number ? number : null)[] {
  deviceOf(op, operands);
  type Result = T extends Tensor ? Node : T extends number ? number : null;
  return operands.map((operand) => (operand instanceof Tensor ? operand.node : operand) as Result);
}

/** The device that all tensors among `operands` are on. */
function deviceOf(op: string, operands: readonly (TensorLike | null)[]): Device {
  const tensors = operands.filter((operand) => operand instanceof Tensor);
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

/** Applies a node builder to tensors and numbers, at least one of them a tensor. */
export function build(op: string, operands: readonly TensorLike[], make: (...nodes: Operand[]) => Node): Tensor {
  const device = deviceOf(op, operands);
  return wrap(make(...operands.map((operand) => (operand instanceof Tensor ? operand.node : operand))), device);
}

const unary = (x: Tensor, make: (node: Node) => Node): Tensor => wrap(make(x.node), x.device);

const binary = (op: string, make: (a: Operand, b: Operand) => Node, a: TensorLike, b: TensorLike): Tensor =>
  build(op, [a, b], make);

const pair = ({ device }: Tensor, { values, indices }: { values: Node; indices: Node }): ValuesAndIndices => ({
  values: wrap(values, device),
  indices: wrap(indices, device),
});

function checkedDim(op: string, dim: number, shape: Shape): number {
  if (shape.length === 0)
    throw new ShapeError(`${op}: a scalar has no dimensions, got dim ${dim}. Unsqueeze it first.`);
  return normalizeDim(op, dim, shape.length);
}

/** The values of several tensors, computed together: one submit. */
export async function read(tensors: readonly Tensor[]): Promise<TypedArray[]> {
  const values: TypedArray[] = new Array<TypedArray>(tensors.length);
  for (const device of new Set(tensors.map((tensor) => tensor.device))) {
    const places = tensors.flatMap((tensor, place) => (tensor.device === device ? [place] : []));
    const found = await device.check("data").engine.read(places.map((place) => tensors[place]!.node));
    places.forEach((place, index) => (values[place] = found[index]!.slice()));
  }
  return values;
}

/**
 * Computes several tensors together and leaves them on their devices: one submit.
 *
 * @throws StaleTensorError as `Tensor.data`
 *
 * @example
 * await realize(q, keys);
 */
export async function realize(...tensors: readonly Tensor[]): Promise<void> {
  for (const device of new Set(tensors.map((tensor) => tensor.device))) {
    device
      .check("realize")
      .engine.realize(tensors.filter((tensor) => tensor.device === device).map((tensor) => tensor.node));
  }
}

/**
 * Makes the end of the step, `optimizer.step()`, compute a tensor and hold its value, so that it can be read afterwards.
 * Scalars need no keeping.
 *
 * @returns the tensor
 *
 * @example
 * const features = keep(encoder.forward(images));
 */
export function keep<T extends Tensor>(tensor: T): T {
  tensor.device.check("keep").engine.keep(tensor.node);
  return tensor;
}

/** A tensor's integers where the host knows them without asking a device, so that they can be checked on the user's line. */
export const knownIntegers = (tensor: Tensor): TypedArray | null => ops.hostIntegers(tensor.node);

/** Callers without types may leave it out, and would get a distribution over all elements. */
function checkDim(op: string, dim: unknown): void {
  if (typeof dim === "number") return;
  throw new ValueError(`${op}: dim must be a number, got ${String(dim)}. Pass the dimension of the classes, 1 say.`);
}

function keepDimOf(op: string, options?: KeepDim): boolean {
  checkOptionNames(op, options, ["keepDim"]);
  return options?.keepDim ?? false;
}

function nest(values: TypedArray, shape: Shape, start = 0): NestedArray {
  const [size, ...inner] = shape;
  if (size === undefined) return values[start]!;
  const step = sizeOf(inner);
  return Array.from({ length: size }, (_, index) => nest(values, inner, start + index * step));
}

// --- gradients -----------------------------------------------------------------------------------------------------------

/** A node that gradients stop at: it requires them, and nothing it was computed from does. */
const isGradientLeaf = (node: Node): boolean => !node.historyLost && !node.inputs.some((input) => input.requiresGrad);

/** Leaves below `roots` that require gradients. */
export function gradientLeaves(roots: readonly Node[]): Node[] {
  const reached = topologicalOrder(roots, (node) => !node.requiresGrad).filter((node) => node.requiresGrad);
  return reached.filter(isGradientLeaf);
}

/** The same value as a leaf. */
function leafOf(node: Node, requiresGrad: boolean): Node {
  return requiresGrad ? new Node(ops.detachOp, [node], {}, node.shape, node.dtype, true) : ops.detach(node);
}

/** The gradient that a backward pass starts with. */
export function gradientSeed(op: string, output: Tensor, gradient: Tensor | undefined | null): Node {
  if (!output.requiresGrad) {
    throw new AutogradError(
      `${op}: the tensor must depend on something that requires gradients, got ${output.toString()}. ` +
        "Use parameters or requiresGrad_(), outside of noGrad.",
    );
  }
  if (gradient) {
    checkGradient(op, gradient, output);
    return gradient.node;
  }
  if (output.numel() !== 1) {
    throw new AutogradError(
      `${op}: without a gradient the tensor must have 1 element, got ${showShape(output.shape)}. Reduce it, or pass its gradient.`,
    );
  }
  return ops.onesLike(output.node);
}

function checkGradient(op: string, gradient: Tensor, of: Tensor): void {
  if (!sameShape(gradient.shape, of.shape)) {
    throw new ShapeError(
      `${op}: the gradient must have the tensor's shape ${showShape(of.shape)}, got ${showShape(gradient.shape)}. Expand or reduce it.`,
    );
  }
  if (gradient.dtype !== of.dtype) {
    throw new DTypeError(
      `${op}: the gradient must have the tensor's dtype ${of.dtype}, got ${gradient.dtype}. Cast it with .to("${of.dtype}").`,
    );
  }
  deviceOf(op, [of, gradient]);
}
