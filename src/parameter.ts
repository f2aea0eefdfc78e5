/**
 * State with names: parameters, buffers and counters. What `nn` and `optim` build on, the latter with `parameterArena`. Every
 * write makes a new version that runs with the next step or read; graphs keep the version they were built on.
 */

import { defaultDevice, type Device } from "./device";
import { DTypeError, ShapeError } from "./errors";
import { noteChange } from "./graph/configuration";
import { type DType, isFloat } from "./graph/dtype";
import { withGradMode } from "./graph/gradMode";
import type { Node } from "./graph/node";
import { sameShape, type Shape, showShape, sizeOf } from "./graph/shape";
import * as ops from "./ops";
import { checkOptionNames } from "./options";
import { cannotReplay, hostAction, hostCheck, hostScalar, recording } from "./runtime/recorder";
import type { Variable } from "./runtime/variable";
import { checkPlace, checkTensors, operandsOf, ownGradient, read as readAll, Tensor } from "./tensor";

/** A tensor whose value can be written. Using it reads the latest version. */
export abstract class State extends Tensor {
  private state: Variable;
  private home: Device;

  constructor(variable: Variable, device: Device) {
    super(variable.node, device);
    this.state = variable;
    this.home = device;
  }

  override get device(): Device {
    return this.home;
  }

  /** The state itself: what all versions belong to. */
  get variable(): Variable {
    return this.state;
  }

  override get node(): Node {
    return this.variable.node;
  }

  override get shape(): Shape {
    return this.variable.shape;
  }

  override get dtype(): DType {
    return this.variable.dtype;
  }

  /**
   * Gives the state another dtype for good, with the value that it has.
   *
   * @throws DTypeError for f64 on a device other than the CPU, or once an optimizer has it
   */
  convert(dtype: DType): void {
    if (dtype === this.dtype) return;
    if (this.variable.home) {
      throw new DTypeError(
        `to: state must be converted before an optimizer is made, got ${this.toString()} in one. Make the optimizer afterwards.`,
      );
    }
    checkPlace("to", dtype, this.device);
    this.renew(
      withGradMode(false, () => ops.cast(this.node, dtype)),
      this.device,
    );
  }

  /** Makes other state of this: what was built on it before does not see that. */
  protected renew(value: Node, device: Device): void {
    noteChange();
    const { name, requiresGrad } = this.variable;
    this.state = device.engine.createVariable(name, value);
    this.state.requiresGrad = requiresGrad;
    this.home = device;
  }

  /** Continues on another device, with a value that was read here. */
  moveTo(device: Device, value: Node): void {
    this.renew(value, device);
  }

  /**
   * Overwrites the value. Graphs that were built before still see the old one.
   *
   * @shape that of the tensor
   * @throws ShapeError, DTypeError if `value` has another shape or dtype
   */
  assign(value: Tensor): void {
    checkValue("assign", value, this.shape, this);
    this.device.engine.assign(this.variable, value.node);
  }

  /** State is freed with the module that holds it. */
  override dispose(): void {
    // A parameter may share its memory with others.
  }
}

/** Runs what is pending of some state, first values above all, so that the steps that follow are alike. */
export function settleState(states: readonly (Parameter | Buffer)[]): void {
  for (const device of new Set(states.map((state) => state.device))) {
    device.engine.realize(states.filter((state) => state.device === device).map(({ variable }) => variable.ownNode));
  }
}

/**
 * Moves state to another device, in place: values and gradients are read, and state anew made of them. Who kept the memory of
 * the old one, an optimizer, has to be made anew.
 *
 * @throws DTypeError for f64 and a device other than the CPU; nothing is moved then
 */
export async function moveStates(states: readonly (Parameter | Buffer)[], device: Device): Promise<void> {
  const moving = states.filter((state) => state.device !== device);
  for (const { dtype } of moving) checkPlace("to", dtype, device);
  const gradients = moving.map((state) => (state instanceof Parameter ? state.grad : null));
  const read = [...moving, ...gradients.filter((gradient) => gradient !== null)];
  const values = (await readAll(read)).map((data, index) => ops.fromHost(data, read[index]!.shape, read[index]!.dtype));
  device.check("to");
  moving.forEach((state, index) => {
    state.moveTo(device, values[index]!);
  });
  let next = moving.length;
  moving.forEach((state, index) => {
    if (gradients[index]) state.grad = new Tensor(values[next++]!, device);
  });
}

/** Options of a parameter. */
export interface ParameterOptions {
  /** Whether it is trained; default true. */
  readonly requiresGrad?: boolean;
  /** For error messages; modules give their parameters names. */
  readonly name?: string;
}

/**
 * A tensor that an optimizer trains.
 *
 * @param data first value, f32; or f64, on the CPU
 * @throws DTypeError if `data` holds no floats
 * @see torch.nn.Parameter
 *
 * @example
 * const scale = new Parameter(ones([64]));
 */
export class Parameter extends State {
  private gradVariable: Variable | null = null;
  private hasGrad = false;
  /** The gradient as a function of what it was computed from, where it can be differentiated again. */
  private gradGraph: Node | null = null;

  constructor(data: Tensor, options: ParameterOptions = {}) {
    checkOptionNames("Parameter", options, ["requiresGrad", "name"]);
    checkTensors("Parameter", data);
    const { requiresGrad = true, name = "" } = options;
    if (!isFloat(data.dtype)) {
      throw new DTypeError(
        `Parameter: the value must be of floats, got ${data.dtype}. Cast it with .to("f32"), or use a Buffer.`,
      );
    }
    super(data.device.engine.createVariable(name, data.node), data.device);
    this.variable.requiresGrad = requiresGrad;
    ownGradient(this.variable, this);
  }

  override get requiresGrad(): boolean {
    return this.variable.requiresGrad;
  }

  override set requiresGrad(value: boolean) {
    this.requiresGrad_(value);
  }

  override get isLeaf(): boolean {
    return true;
  }

  override convert(dtype: DType): void {
    if (dtype === this.dtype) return;
    const gradient = this.grad;
    super.convert(dtype);
    if (gradient) this.grad = gradient.to(dtype);
  }

  protected override renew(value: Node, device: Device): void {
    super.renew(value, device);
    ownGradient(this.variable, this);
    this.gradVariable = null;
    this.hasGrad = false;
    this.gradGraph = null;
  }

  /** Freezes the parameter, or trains it again. */
  override requiresGrad_(value = true): this {
    if (value !== this.requiresGrad) noteChange();
    this.variable.requiresGrad = value;
    return this;
  }

  /** The sum of all gradients since `zeroGrad`; null if there was none. */
  override get grad(): Tensor | null {
    if (!this.hasGradient) return null;
    if (this.gradGraph) return new Tensor(this.gradGraph, this.device);
    return new Tensor(this.gradState().node, this.device);
  }

  /** Whether there was a gradient since `zeroGrad`. */
  get hasGradient(): boolean {
    const { hasGrad } = this;
    recording()?.guardFirst(this, () => this.hasGrad === hasGrad);
    return hasGrad;
  }

  private setHasGrad(value: boolean): void {
    recording()?.settle(this);
    hostAction(() => {
      this.hasGrad = value;
      this.gradGraph = null;
    });
  }

  override set grad(gradient: Tensor | null) {
    if (gradient) {
      checkValue("grad", gradient, this.shape, this);
      this.writeGrad(gradient.node);
    } else {
      this.zeroGrad();
    }
  }

  override accumulateGrad(gradient: Node): void {
    const before = this.gradGraph ?? this.gradState().ownNode;
    this.writeGrad(this.hasGradient ? withGradMode(true, () => ops.add(before, gradient)) : gradient);
  }

  /**
   * Clears the gradient.
   *
   * @param options.setToNone default true: `grad` is null and the optimizer skips the parameter; false writes zeros
   * @see torch.optim.Optimizer.zero_grad
   */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    checkOptionNames("zeroGrad", options, ["setToNone"]);
    const { setToNone = true } = options;
    if (!this.hasGradient) return;
    // A gradient that nobody can have read need not be computed.
    this.device.engine.forget(this.gradState());
    if (setToNone) this.setHasGrad(false);
    else this.writeGrad(ops.zeros(this.shape, this.dtype));
  }

  /** The gradient as state: it lies in an arena beside the parameter's. */
  gradState(): Variable {
    this.gradVariable ??= this.device.engine.createZeros(`${this.variable.name}.grad`, this.shape, this.dtype);
    return this.gradVariable;
  }

  private writeGrad(gradient: Node): void {
    this.device.engine.assign(this.gradState(), gradient);
    this.setHasGrad(true);
    if (!gradient.requiresGrad) return;
    cannotReplay("keeps gradients that can be differentiated again");
    this.gradGraph = gradient;
    this.device.engine.keep(gradient); // after a step it cannot be computed any more
  }
}

/** Notes which parameters have gradients: a compiled function is replayed for calls that find the same. */
export function noteGradients(parameters: readonly Parameter[]): void {
  if (recording()) parameters.forEach((parameter) => parameter.hasGradient);
}

/** Options of a buffer. */
export interface BufferOptions {
  /** For error messages. */
  readonly name?: string;
  /** Whether state dicts have it; default true. */
  readonly persistent?: boolean;
}

/**
 * State of a module that is not trained: running statistics, MoCo's queue.
 *
 * @param data first value, of any dtype
 * @see torch.nn.Module.register_buffer
 *
 * @example
 * const runningMean = new Buffer(zeros([64]));
 * runningMean.assign(runningMean.lerp(mean, 0.1));
 */
export class Buffer extends State {
  /** Whether state dicts have it. */
  readonly persistent: boolean;

  constructor(data: Tensor, options: BufferOptions = {}) {
    checkOptionNames("Buffer", options, ["name", "persistent"]);
    checkTensors("Buffer", data);
    const { name = "", persistent = true } = options;
    super(data.device.engine.createVariable(name, data.node), data.device);
    this.persistent = persistent;
  }

  /** Overwrites the value with a function of itself, in its own dtype. */
  update(next: (current: Node) => Node): void {
    this.device.engine.assign(this.variable, ops.cast(next(this.variable.ownNode), this.dtype));
  }

  /**
   * Overwrites rows, entries of dimension 0, from `start` on.
   *
   * @shape `[rows, ...shape[1:]]`
   * @param start first row, an integer, or a counter of rows; which one it is does not change the plan
   * @throws ShapeError if the rows do not fit
   *
   * @example
   * queue.assignRows(pointer, keys);
   */
  assignRows(start: number | Counter, value: Tensor): void {
    checkTensors("assignRows", value);
    const [rows = 0, ...inner] = value.shape;
    const [size = 0, ...own] = this.shape;
    const checked = (row: number): number => {
      const fits = Number.isInteger(row) && row >= 0 && row + rows <= size;
      if (fits && value.ndim === this.ndim && sameShape(inner, own)) return row;
      throw new ShapeError(
        `assignRows: rows must fit into ${showShape(this.shape)}, got ${showShape(value.shape)} at row ${row}. Write fewer rows, or further up.`,
      );
    };
    const current = (): number => checked(start instanceof Counter ? start.value : start);
    hostCheck(current);
    const first = current();
    checkValue("assignRows", value, value.shape, this);
    if (this.dtype === "u8" && sizeOf(own) % 4 !== 0) {
      // rows that start between two words: GPUs store whole ones, so all of it is written anew
      this.update((current) =>
        ops.cat([
          ops.narrow(current, 0, 0, first),
          value.node,
          ops.narrow(current, 0, first + rows, size - first - rows),
        ]),
      );
      return;
    }
    const row = start instanceof Counter ? hostScalar(current, "u32") : ops.scalar(first, "u32");
    this.device.engine.assign(this.variable, value.node, row);
  }
}

/**
 * An integer that a module counts on the host: batches seen, a queue pointer. State dicts show it as a tensor.
 *
 * @example
 * const numBatchesTracked = new Counter();
 * numBatchesTracked.update((count) => count + 1);
 */
export class Counter {
  private count: number;

  constructor(
    value = 0,
    /** Shape that state dicts show: `[]`, or `[1]` for MoCo's queue pointer. */
    readonly shape: readonly [] | readonly [1] = [],
    /** Where state dicts show it; see `Module.to`. */
    public device: Device = defaultDevice(),
  ) {
    this.count = value;
  }

  get value(): number {
    return this.count;
  }

  set value(value: number) {
    cannotReplay("sets the value of a Counter: call its update((value) => ...) instead");
    this.count = value;
  }

  /** Makes the value a function of what it is; a compiled function repeats that at every call. */
  update(next: (value: number) => number): void {
    hostAction(() => {
      this.count = next(this.count);
    });
  }
}

/** Some state as state dicts show it: using it reads the value of that moment. */
export class StateView extends Tensor {
  constructor(private readonly current: () => Tensor) {
    const now = current();
    super(now.node, now.device);
  }

  override get node(): Node {
    return this.current().node;
  }

  override get device(): Device {
    return this.current().device;
  }

  override dispose(): void {
    // the state belongs to its module or optimizer
  }
}

function checkValue(op: string, value: Tensor, shape: Shape, state: Tensor): void {
  checkTensors(op, value);
  if (!sameShape(value.shape, shape)) {
    throw new ShapeError(
      `${op}: the value must have shape ${showShape(shape)}, got ${showShape(value.shape)}. Reshape it.`,
    );
  }
  if (value.dtype !== state.dtype) {
    throw new DTypeError(
      `${op}: the value must have dtype ${state.dtype}, got ${value.dtype}. Cast it with .to("${state.dtype}").`,
    );
  }
  operandsOf(op, [state, value]); // one device
}
