/**
 * Arguments and results of compiled functions: trees of lists and plain objects with tensors in them. What is no tensor belongs
 * to the structure: calls with other values of it are other calls.
 */

import { CompileError, DTypeError } from "./errors";
import type { Node } from "./graph/node";
import { placeholder } from "./ops";
import { describe } from "./options";
import { State, StateView } from "./parameter";
import type { Recording } from "./runtime/recording";
import type { ResultPlace } from "./runtime/replay";
import type { Variable } from "./runtime/variable";
import { Tensor } from "./tensor";

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

const ids = new WeakMap<object, number>();
let nextId = 0;

/** A number for an object of which only the identity counts. */
function idOf(object: object): number {
  let id = ids.get(object);
  if (id === undefined) ids.set(object, (id = nextId++));
  return id;
}

/** The arguments of one call. */
export class Arguments {
  /** Tensors that every call may have others of. */
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];
  /** Equal for calls that differ in the values of tensors only. */
  readonly key: string;
  /** Why the call cannot be recorded; completes "fn ...". */
  reason: string | null = null;

  constructor(private readonly values: readonly unknown[]) {
    this.key = values.map((value) => this.keyOf(value)).join();
  }

  private keyOf(value: unknown): string {
    if (typeof value === "string") return JSON.stringify(value);
    if (value === null || typeof value === "boolean" || value === undefined) return `${value}`;
    if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
    if (typeof value === "bigint" || typeof value === "symbol") return value.toString();
    if (typeof value === "function") return `#${idOf(value)}`;
    if (value instanceof Tensor) return this.keyOfTensor(value);
    if (Array.isArray(value)) return `[${value.map((item: unknown) => this.keyOf(item)).join()}]`;
    if (ArrayBuffer.isView(value)) {
      throw new DTypeError(
        `compile: arguments with values that change must be tensors, got ${describe(value)}. Pass tensor(values).`,
      );
    }
    if (!isPlain(value)) return `#${idOf(value)}`;
    const entries = Object.entries(value) as [string, unknown][];
    return `{${entries.map(([name, item]) => `${name}:${this.keyOf(item)}`).join()}}`;
  }

  private keyOfTensor(tensor: Tensor): string {
    if (tensor instanceof State) return `#${idOf(tensor)}`;
    const { node } = tensor;
    const variable = node.variable as Variable | null;
    if (variable) {
      if (node.version !== variable.version) this.reason = "is given a value of state that was overwritten since";
      return `v${variable.id}`;
    }
    if (tensor.requiresGrad) this.reason = "is given tensors that require gradients: detach() them";
    const known = this.nodes.indexOf(node);
    if (known >= 0) return `=${known}`;
    this.tensors.push(tensor);
    this.nodes.push(node);
    return `${node.dtype}[${node.shape.join()}]${tensor.device.name}`;
  }

  /** The same arguments with other tensors in the place of those of this call. */
  with(tensors: readonly Tensor[]): unknown[] {
    return this.values.map((value) => this.replaced(value, tensors));
  }

  private replaced(value: unknown, tensors: readonly Tensor[]): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Tensor) {
      const index = value instanceof State ? -1 : this.nodes.indexOf(value.node);
      return index < 0 ? value : tensors[index];
    }
    if (Array.isArray(value)) return value.map((item: unknown) => this.replaced(item, tensors));
    if (!isPlain(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.replaced(item, tensors)]));
  }
}

/** An argument as the function sees it while it is recorded: the caller's value, in a tensor that ends with the call. */
export class StandIn extends Tensor {
  constructor(private readonly original: Tensor) {
    const { node, device } = original;
    const own = placeholder(node.shape, node.dtype);
    // Values that the host knows are hidden where a device has them, or checks and shapes made of them would be for this call only.
    if (device.kind === "cpu" || node.storage === null) own.hostData = node.hostData;
    own.storage = node.storage;
    super(own, device);
  }

  override dispose(): void {
    // the caller's
  }

  /** Ends the call: what was left of it that nobody computed is lost. */
  end(): Tensor {
    const { value } = this;
    value.hostData = null;
    value.storage = null;
    value.released = true;
    return this.original;
  }
}

/** Whether a tensor reads what some state is when it is read. */
const isState = (tensor: Tensor): boolean => tensor instanceof State || tensor instanceof StateView;

/** How a result is made of what a call computes. */
export type Template =
  | { readonly kind: "result"; readonly place: ResultPlace; readonly index: number }
  | { readonly kind: "argument"; readonly index: number }
  | { readonly kind: "state"; readonly variable: Variable }
  | { readonly kind: "same"; readonly value: unknown }
  | { readonly kind: "list"; readonly items: readonly Template[] }
  | { readonly kind: "object"; readonly names: readonly string[]; readonly items: readonly Template[] };

/** The tensors of a result that are to be computed. @throws CompileError for what is neither tensor nor list nor plain object */
export function tensorsIn(result: unknown): Tensor[] {
  if (result === null || result === undefined) return [];
  if (result instanceof Tensor) return isState(result) ? [] : [result];
  if (Array.isArray(result)) return result.flatMap(tensorsIn);
  if (typeof result === "object" && isPlain(result)) return Object.values(result).flatMap(tensorsIn);
  throw new CompileError(
    `compile: the function must return tensors, or lists and plain objects of them, got ${describe(result)}. ` +
      "Return the tensors that are needed: ({ loss, top1 }).",
  );
}

/** Finds where the tensors of a result come from. */
export class TemplateMaker {
  /** Results of programs, in the order of their `index`. */
  readonly places: ResultPlace[] = [];

  constructor(private readonly recording: Recording) {}

  of(result: unknown): Template {
    if (result instanceof Tensor) return this.ofTensor(result);
    if (Array.isArray(result)) return { kind: "list", items: result.map((item: unknown) => this.of(item)) };
    if (typeof result !== "object" || result === null) return { kind: "same", value: result };
    return {
      kind: "object",
      names: Object.keys(result),
      items: Object.values(result).map((item: unknown) => this.of(item)),
    };
  }

  private ofTensor(tensor: Tensor): Template {
    if (isState(tensor)) return { kind: "same", value: tensor };
    const { node } = tensor;
    const argument = this.recording.argumentAt(node);
    if (argument !== null) return { kind: "argument", index: argument };
    const place = this.recording.resultAt(node);
    if (place) return { kind: "result", place, index: this.places.push(place) - 1 };
    const variable = node.variable as Variable | null;
    if (!variable) return { kind: "same", value: tensor };
    if (variable.version !== node.version) this.recording.refuse("returns state as it was before it was overwritten");
    return { kind: "state", variable };
  }
}

/** Whether two results are made alike. */
export function sameTemplate(a: Template, b: Template): boolean {
  switch (a.kind) {
    case "result":
      return b.kind === "result" && a.place.program === b.place.program && a.place.output === b.place.output;
    case "argument":
      return b.kind === "argument" && a.index === b.index;
    case "state":
      return b.kind === "state" && a.variable === b.variable;
    case "same":
      return b.kind === "same" && a.value === b.value;
    case "list":
      return b.kind === "list" && sameItems(a.items, b.items);
    case "object":
      return b.kind === "object" && a.names.join() === b.names.join() && sameItems(a.items, b.items);
  }
}

const sameItems = (a: readonly Template[], b: readonly Template[]): boolean =>
  a.length === b.length && a.every((item, index) => sameTemplate(item, b[index]!));

/** What a template means of one call. */
export interface Values {
  readonly args: readonly Tensor[];
  result(index: number): Tensor;
  state(variable: Variable): Tensor;
}

/** The result of a call. */
export function resultOf(template: Template, values: Values): unknown {
  switch (template.kind) {
    case "result":
      return values.result(template.index);
    case "argument":
      return values.args[template.index];
    case "state":
      return values.state(template.variable);
    case "same":
      return template.value;
    case "list":
      return template.items.map((item) => resultOf(item, values));
    case "object":
      return Object.fromEntries(template.items.map((item, index) => [template.names[index]!, resultOf(item, values)]));
  }
}
