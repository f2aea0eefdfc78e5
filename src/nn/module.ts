/**
 * Module: a tree of layers. Fields that hold parameters, buffers, counters or modules are found by themselves, in the
 * order in which they were assigned. State dicts use PyTorch's names: the field `runningMean` is `running_mean`.
 */

import { tensor } from "../creation";
import { checkedDevice, type Device } from "../device";
import { DTypeError, ShapeError, StateDictError, ValueError } from "../errors";
import { misfit, placed, type StateArray } from "../loadable";
import { type DType, isFloat, type TypedArray } from "../graph/dtype";
import type { Shape } from "../graph/shape";
import { checkNoDeviceName, checkOptionNames, describe, isCount } from "../options";
import { Buffer, Counter, moveStates, Parameter, StateView } from "../parameter";
import { checkTensors, read, Tensor } from "../tensor";
import { fieldsOf, watch } from "../hostState";
import { membersOf, type State } from "./fields";

/** State by PyTorch's names. The tensors read what the state is when they are read. */
export type StateDict = Record<string, Tensor>;

/** What `loadStateDict` takes: tensors, or values read from a file. */
export type LoadableStateDict = Readonly<Record<string, Tensor | StateArray>>;

/** What did not match, by name. */
export interface IncompatibleKeys {
  /** In the module, not in the dict. */
  readonly missingKeys: readonly string[];
  /** In the dict, not in the module. */
  readonly unexpectedKeys: readonly string[];
}

/** One entry of a module's own state: how it is shown and how it is written. */
export interface StateEntry {
  readonly name: string;
  read(): Tensor;
  /** Why a value cannot be written; null if it can. */
  misfit(value: Tensor | StateArray): string | null;
  write(value: Tensor | StateArray): void;
}

/** A module that takes one tensor and gives one. */
export type Layer = Module & { forward(x: Tensor): Tensor };

type Member = State | Module;

const join = (prefix: string, name: string): string => (prefix === "" ? name : `${prefix}.${name}`);

/**
 * Base of all layers and models. Subclasses assign fields in the constructor and have a `forward`.
 *
 * Parameters, buffers, counters and modules are found where they are fields, or elements of arrays that are fields. Those in
 * plain objects, maps, sets and lists of lists are an error: use `ModuleDict`, `ModuleList` and `ParameterList`. Private
 * `#fields` cannot be seen: what they hold is no part of the module, neither trained nor saved (TypeScript's `private` can).
 * State is written with `assign`; a field that held some must not be set to a plain tensor.
 *
 * @see torch.nn.Module
 *
 * @example
 * class Head extends nn.Module {
 *   readonly fc = new nn.Linear(512, 128);
 *   forward(x: Tensor): Tensor {
 *     return F.normalize(this.fc.forward(x));
 *   }
 * }
 */
export abstract class Module {
  /** Whether layers such as BatchNorm and Dropout behave as in training; see `train` and `eval`. */
  training = true;

  constructor() {
    watchModule(this);
  }

  /** Fields that are part of the tree. @throws DTypeError, ValueError for state and modules that nobody would find */
  protected members(): Iterable<readonly [string, Member]> {
    return membersOf<Module>(this, Module);
  }

  /** This module and all below it, by name, shared ones under each of their names. */
  private *tree(prefix = ""): Generator<[string, Module]> {
    yield [prefix, this];
    for (const [name, child] of this.childFields()) yield* child.tree(join(prefix, name));
  }

  private *childFields(): Generator<[string, Module]> {
    for (const [name, member] of this.members()) if (member instanceof Module) yield [name, member];
  }

  /** All state of a kind, by name, shared ones under each of their names. */
  private *state<T extends Parameter | Buffer>(kind: abstract new (...args: never[]) => T): Generator<[string, T]> {
    for (const [prefix, module] of this.tree()) {
      for (const [name, member] of module.members()) if (member instanceof kind) yield [join(prefix, name), member];
    }
  }

  /** Modules that are fields of this one, each once, by its first name. @see torch.nn.Module.named_children */
  *namedChildren(): Generator<[string, Module]> {
    yield* once(this.childFields());
  }

  /** Modules that are fields of this one, each once. @see torch.nn.Module.children */
  children(): Module[] {
    return [...this.namedChildren()].map(([, child]) => child);
  }

  /** This module and all below it, each once, by its first name; this one's name is "". @see torch.nn.Module.named_modules */
  *namedModules(prefix = ""): Generator<[string, Module]> {
    yield* once(this.tree(prefix));
  }

  /** This module and all below it, each once. @see torch.nn.Module.modules */
  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** All parameters by name, each once, in the order of their fields. @see torch.nn.Module.named_parameters */
  *namedParameters(): Generator<[string, Parameter]> {
    for (const [path, parameter] of once(this.state(Parameter))) {
      if (parameter.variable.name === "") parameter.variable.name = path; // for error messages
      yield [path, parameter];
    }
  }

  /** All parameters, each once. @see torch.nn.Module.parameters */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** All buffers by name, each once. @see torch.nn.Module.named_buffers */
  *namedBuffers(): Generator<[string, Buffer]> {
    yield* once(this.state(Buffer));
  }

  /** All buffers. @see torch.nn.Module.buffers */
  buffers(): Buffer[] {
    return [...this.namedBuffers()].map(([, buffer]) => buffer);
  }

  /**
   * The module, parameter or buffer of a path in PyTorch's names: `layer1.0.conv1`.
   *
   * @throws StateDictError if there is none
   * @see torch.nn.Module.get_submodule, get_parameter, get_buffer
   */
  getSubmodule(path: string): Module {
    return found("getSubmodule", path, this.tree());
  }

  /** As `getSubmodule`. */
  getParameter(path: string): Parameter {
    return found("getParameter", path, this.state(Parameter));
  }

  /** As `getSubmodule`. */
  getBuffer(path: string): Buffer {
    return found("getBuffer", path, this.state(Buffer));
  }

  /**
   * Gives the module a buffer under a name, as assigning `new Buffer(value)` to a field does.
   *
   * @param name of the field, in camelCase: `runningMean` is saved as `running_mean`
   * @param options.persistent whether state dicts have it; default true
   * @throws ValueError if there is such a field already
   * @see torch.nn.Module.register_buffer
   */
  registerBuffer(name: string, value: Tensor, options: { persistent?: boolean } = {}): Buffer {
    checkOptionNames("registerBuffer", options, ["persistent"]);
    checkKind("registerBuffer", "value", value, Tensor);
    const buffer = new Buffer(value, options);
    register("registerBuffer", this, name, buffer);
    return buffer;
  }

  /** Gives the module a parameter under a name, as assigning it to a field does. @see torch.nn.Module.register_parameter */
  registerParameter(name: string, parameter: Parameter): Parameter {
    checkKind("registerParameter", "parameter", parameter, Parameter);
    register("registerParameter", this, name, parameter);
    return parameter;
  }

  /** Gives the module a child under a name, as assigning it to a field does. @see torch.nn.Module.add_module */
  addModule<T extends Module>(name: string, module: T): T {
    checkKind("addModule", "module", module, Module);
    register("addModule", this, name, module);
    return module;
  }

  /** What `toString` shows of the layer's own sizes and options. @see torch.nn.Module.extra_repr */
  extraRepr(): string {
    return "";
  }

  /** The tree of layers, as PyTorch prints it. */
  toString(): string {
    const children = [...this.childFields()].map(([name, child]) => `  (${name}): ${indented(child.toString())}`);
    const own = this.extraRepr();
    const lines = own === "" ? children : [`  ${own}`, ...children];
    const inner = children.length === 0 ? own : `\n${lines.join("\n")}\n`;
    return `${this.constructor.name}(${inner})`;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Sets training mode on this module and all below it. @see torch.nn.Module.train */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Sets evaluation mode. @see torch.nn.Module.eval */
  eval(): this {
    return this.train(false);
  }

  /** Freezes all parameters, or trains them again. @see torch.nn.Module.requires_grad_ */
  requiresGrad_(value = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(value);
    return this;
  }

  /**
   * Gives all parameters and buffers of floats another dtype, for good. Optimizers are made afterwards.
   *
   * @param dtype `"f32"`, `"f16"` where the device has it, or `"f64"` on the CPU
   * @throws DTypeError for a dtype without gradients, for f64 on another device, or once an optimizer has a parameter
   * @see torch.nn.Module.to
   */
  to(dtype: DType): this;
  /**
   * Moves all parameters with their gradients, buffers and counters to another device, in place. Await it before the module
   * is used again. Optimizers, averages and the like are made afterwards: those that were made before throw when they step.
   *
   * @param device what `init` or `openDevice` gave
   * @throws DeviceError for what is no open device, DTypeError for f64 and a device other than the CPU; nothing is moved then
   *
   * @example
   * await model.to(await openDevice("cpu"));
   */
  to(device: Device): Promise<this>;
  to(target: DType | Device): this | Promise<this> {
    return typeof target === "string" ? this.converted(target) : this.moved(target);
  }

  private async moved(target: unknown): Promise<this> {
    const device = checkedDevice("to", target);
    await moveStates([...this.parameters(), ...this.buffers()], device);
    for (const module of this.modules())
      for (const [, member] of module.members()) if (member instanceof Counter) member.device = device;
    return this;
  }

  private converted(dtype: DType): this {
    checkNoDeviceName("to", dtype);
    if (!isFloat(dtype)) {
      throw new DTypeError(`to: a module must be of floats, got ${dtype}. Use "f32", "f16", or "f64" on the CPU.`);
    }
    for (const state of [...this.parameters(), ...this.buffers()]) if (isFloat(state.dtype)) state.convert(dtype);
    return this;
  }

  /** `to("f64")`, as `gradcheck` needs it; on the CPU. @see torch.nn.Module.double */
  double(): this {
    return this.to("f64");
  }

  /**
   * `to("f16")`, for use without training: optimizers want f32, see `autocast`. Experimental.
   *
   * @see torch.nn.Module.half
   */
  half(): this {
    return this.to("f16");
  }

  /** `to("f32")`. @see torch.nn.Module.float */
  float(): this {
    return this.to("f32");
  }

  /** Clears the gradients of all parameters. @see torch.nn.Module.zero_grad */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    checkOptionNames("zeroGrad", options, ["setToNone"]);
    for (const parameter of this.parameters()) parameter.zeroGrad(options);
  }

  /** Calls `visit` for every module, children first. @see torch.nn.Module.apply */
  apply(visit: (module: Module) => void): this {
    for (const [, child] of this.namedChildren()) child.apply(visit);
    visit(this);
    return this;
  }

  /** The module's own state, children's excluded. Modules whose files look different from their fields override it. */
  protected ownState(): StateEntry[] {
    const members = [...this.members()];
    const parameters = members.filter(([, member]) => member instanceof Parameter);
    const others = members.filter(
      ([, member]) => (member instanceof Buffer && member.persistent) || member instanceof Counter,
    );
    return [...parameters, ...others].map(([name, member]) => entryOf(name, member as Parameter | Buffer | Counter));
  }

  /** All state: own entries first, then each child's. */
  private *allState(prefix = ""): Generator<[string, StateEntry]> {
    for (const entry of this.ownState()) yield [join(prefix, entry.name), entry];
    for (const [name, child] of this.childFields()) yield* child.allState(join(prefix, name));
  }

  /**
   * All parameters and buffers by PyTorch's names, in PyTorch's order. The tensors are views of the state: reading one
   * later gives the value of that moment. `readState` brings a whole dict to the host.
   *
   * @see torch.nn.Module.state_dict
   *
   * @example
   * const file = io.writeSafetensors(await readState(model.stateDict()));
   */
  stateDict(): StateDict {
    return Object.fromEntries([...this.allState()].map(([name, entry]) => [name, entry.read()]));
  }

  /**
   * Writes parameters and buffers. Everything is checked before anything is written.
   *
   * @param state tensors, or arrays read from a file, by name
   * @param options.strict default true: all names must match
   * @returns the names that did not match; empty if strict
   * @throws StateDictError if names, shapes, dtypes, devices or counts of values do not match
   * @see torch.nn.Module.load_state_dict
   *
   * @example
   * model.loadStateDict(io.readSafetensors(bytes).tensors);
   */
  loadStateDict(state: LoadableStateDict, options: { strict?: boolean } = {}): IncompatibleKeys {
    checkOptionNames("loadStateDict", options, ["strict"]);
    if (typeof state !== "object" || (state as unknown) === null) {
      throw new StateDictError(
        `loadStateDict: the dict must be an object, got ${describe(state)}. Pass tensors by name.`,
      );
    }
    const { strict = true } = options;
    const entries = new Map(this.allState());
    const missingKeys = [...entries.keys()].filter((name) => !Object.hasOwn(state, name));
    const unexpectedKeys = Object.keys(state).filter((name) => !entries.has(name));
    const matched = [...entries].filter(([name]) => Object.hasOwn(state, name));
    const problems = matched.flatMap(([name, entry]) => {
      const problem = entry.misfit(state[name]!);
      return problem === null ? [] : [`${name} of ${problem}`];
    });
    if (strict && missingKeys.length > 0) problems.unshift(`missing: ${missingKeys.join(", ")}`);
    if (strict && unexpectedKeys.length > 0) problems.unshift(`unexpected: ${unexpectedKeys.join(", ")}`);
    if (problems.length > 0) {
      throw new StateDictError(
        `loadStateDict: the dict must fit ${this.constructor.name}, got ${problems.join("; ")}. ` +
          "Build the model as it was saved, or pass { strict: false } to leave out names.",
      );
    }
    for (const [name, entry] of matched) entry.write(state[name]!);
    return { missingKeys, unexpectedKeys };
  }
}

/** Fields of modules that may change from step to step without a compiled function being recorded anew. */
const freeFields = new WeakMap<object, ReadonlySet<string>>();

/** Says that what a module does at every call reads some fields anew, even in a compiled function. */
export function freeField(module: Module, ...names: readonly string[]): void {
  freeFields.set(module, new Set(names));
}

/** Modules that were not made by their constructor need it. */
export function watchModule(module: Module): void {
  watch(module, {
    fixed: (each) => fieldsOf(each, freeFields.get(each)),
    free: (each) => [...(freeFields.get(each) ?? [])].map((name) => (each as unknown as Record<string, unknown>)[name]),
  });
}

/** Each thing under its first name only. */
function* once<T>(named: Iterable<[string, T]>): Generator<[string, T]> {
  const seen = new Set<T>();
  for (const [name, thing] of named) {
    if (seen.has(thing)) continue;
    seen.add(thing);
    yield [name, thing];
  }
}

const indented = (text: string): string => text.replaceAll("\n", "\n  ");

function found<T>(op: string, path: string, named: Iterable<readonly [string, T]>): T {
  const names: string[] = [];
  for (const [name, value] of named) {
    if (name === path) return value;
    names.push(name);
  }
  throw new StateDictError(
    `${op}: the path must be one of ${names.filter((name) => name !== "").join(", ") || "none"}, got ${JSON.stringify(path)}. Check the spelling.`,
  );
}

/** A field that is declared only, `mean!: Buffer`, is there in ES2022, and undefined. */
function register(op: string, module: Module, name: string, member: Member): void {
  if (name in module && (module as unknown as Record<string, unknown>)[name] !== undefined) {
    throw new ValueError(
      `${op}: the name must be free, got ${JSON.stringify(name)} of ${module.constructor.name}. Take another one.`,
    );
  }
  Object.assign(module, { [name]: member });
}

/** A state entry of a parameter or buffer, shown through `view` and written back through `unview`. */
export function tensorEntry(
  name: string,
  state: Parameter | Buffer,
  view: (x: Tensor) => Tensor = (x) => x,
  unview: (x: Tensor) => Tensor = (x) => x,
): StateEntry {
  const shown = (): Tensor => view(state.detach());
  const { shape, dtype } = shown();
  const place = { shape, dtype, device: state.device };
  return {
    name,
    read: () => new StateView(shown),
    misfit: (value) => misfit(value, place),
    write: (value) => state.assign(unview(placed(value, place))),
  };
}

const entryOf = (name: string, member: Parameter | Buffer | Counter): StateEntry =>
  member instanceof Counter ? counterEntry(name, member) : tensorEntry(name, member);

/**
 * A state entry of a counter: an i32. Its value must be at hand: loading does not wait for a device.
 *
 * @param below what it never reaches: the length of a ring that it points into
 */
export function counterEntry(name: string, counter: Counter, below = 2 ** 31): StateEntry {
  const { shape, device } = counter;
  const dataOf = (value: Tensor | StateArray): ArrayLike<number | bigint> | null =>
    value instanceof Tensor ? value.node.hostData : value.data;
  return {
    name,
    read: () => new StateView(() => tensor(Int32Array.of(counter.value), { shape, device })),
    misfit(value) {
      const data = dataOf(value);
      if (!data) return "a computed tensor instead of what stateDict() gave, or a file";
      // a counter lies on no device
      const place = { shape, dtype: "i32" as const, device: value instanceof Tensor ? value.device : device };
      const count = Number(data[0]);
      const isCount = Number.isInteger(count) && count >= 0 && count < below;
      return misfit(value, place) ?? (isCount ? null : `${count} instead of a whole number from 0 to ${below - 1}`);
    },
    write(value) {
      counter.value = Number(dataOf(value)![0]);
    },
  };
}

/** A state dict's values on the host. */
export type HostStateDict = Record<string, { shape: Shape; dtype: DType; data: TypedArray }>;

/**
 * Brings a state dict to the host in one go, for saving: all values are of one moment.
 *
 * @returns arrays as `io.writeSafetensors` takes them
 *
 * @example
 * const bytes = writeSafetensors(await readState(model.stateDict()));
 */
export async function readState(state: StateDict): Promise<HostStateDict> {
  if (typeof state !== "object" || (state as unknown) === null) {
    throw new StateDictError(`readState: the dict must be an object, got ${describe(state)}. Pass model.stateDict().`);
  }
  const names = Object.keys(state);
  checkTensors("readState", ...Object.values(state));
  const values = await read(names.map((name) => state[name]!));
  return Object.fromEntries(
    names.map((name, index) => [name, { shape: state[name]!.shape, dtype: state[name]!.dtype, data: values[index]! }]),
  );
}

/** Checks what callers without types may get wrong, and would miss only later. */
export function checkKind(
  op: string,
  what: string,
  value: unknown,
  kind: abstract new (...args: never[]) => unknown,
): void {
  if (value instanceof kind) return;
  throw new DTypeError(`${op}: ${what} must be of class ${kind.name}, got ${describe(value)}. Pass a ${kind.name}.`);
}

/** Checks that a layer's sizes are positive integers. */
export function checkSizes(layer: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!isCount(size)) {
      throw new ShapeError(`${layer}: ${name} must be a positive integer, got ${size}. Pass a size.`);
    }
  }
}
