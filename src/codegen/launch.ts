/**
 * One launch, composed: a kernel's pass with its holes filled, and what goes to its bindings and parameters. Takes a pass and
 * what the hooks of its unit read; gives WGSL text and data.
 */

import { InternalError } from "../errors";
import type { Node, VariableRef } from "../graph/node";
import type { KernelLimits, Operand, Pass } from "../kernels/kernel";
import { LIBRARIES } from "../kernels/libraries";
import type { SweepSize } from "../kernels/sweep";
import type { KernelCall } from "../ops/op";
import type { FoldLayout } from "./fold";
import { KernelInputs } from "./inputs";
import type { OutputWindows } from "./outputWindows";
import { bindingsOf, type ExtraBinding, type Field, type Holes, holesOf, specialize } from "./specialize";
import type { Window } from "./windows";

/** One fused unit of work. */
export interface UnitSpec {
  /** The value that is stored. */
  readonly root: Node;
  /** The reduction or kernel that `root` is an epilogue of; null for a plain expression. */
  readonly main: Node | null;
  /** For kernels: what to call, with operand strides looked through. */
  readonly call: KernelCall | null;
  /** For kernels: the nodes whose memory the operands are. */
  readonly operands: readonly Node[];
  /** Store to a part of something: from this row on (a scalar). */
  readonly rows: RowsSpec | null;
  /** For sweeps over rows: what is computed. */
  readonly sweep: SweepSpec | null;
}

/** Folds along rows, what is computed from them, and what is stored of all that. */
export interface SweepSpec {
  readonly layout: FoldLayout;
  readonly shape: readonly number[];
  readonly size: SweepSize;
  readonly members: ReadonlyMap<Node, { readonly kind: "element" | "row"; readonly level: number }>;
  readonly folds: readonly (readonly Node[])[];
  readonly outputs: readonly Node[];
  /** Of each output the variable that it is written to; null for memory of the plan. */
  readonly variables: readonly (VariableRef | null)[];
}

/** Rows of a variable, `rowSize` elements each. */
export interface RowsSpec {
  readonly start: Node;
  readonly rowSize: number;
  /** Whether the variable is too large for one binding: then what is bound moves with the rows. */
  readonly isLarge: boolean;
}

/** What the scheduler knows that composing needs. */
export interface Surroundings {
  readonly limits: KernelLimits;
  /** Whether a node is loaded from memory in this unit. */
  isLoaded(node: Node): boolean;
  /** Whether a node's value is a scalar that goes to Params. */
  isUniform(node: Node): boolean;
  /** The node in whose memory `node` lies: itself, or what it reshapes. */
  memoryOf(node: Node): Node;
  isOutput(node: Node): boolean;
  sharesOutputBuffer(node: Node): boolean;
}

/** What one launch binds. */
export type Bound = { readonly node: Node } | { readonly scratch: number } | { readonly output: number } | "output";

/** A whole number at each run: the value of a scalar node, times `scale`, plus `add`. */
export interface RunValue {
  readonly node: Node;
  readonly scale: number;
  readonly add: number;
}

/** A 4-byte field of Params: fixed, the value of a scalar node, or a whole number less multiples of `modulo`. */
export type ParamValue =
  { readonly value: number } | { readonly scalar: Node } | (RunValue & { readonly modulo: number });

/** A window that starts where a run says, or before it where a binding may start. */
export interface MovingWindow {
  readonly from: RunValue;
  readonly byteLength: number;
}

export interface ComposedBinding {
  readonly binding: number;
  readonly bound: Bound;
  /** What is bound of it; null for all. */
  readonly window: Window | null;
  /** What is bound of it in place of `window`, where only a run can tell. */
  readonly moving?: MovingWindow;
}

export interface ComposedLaunch {
  /** Shader file stem. */
  readonly label: string;
  readonly wgsl: string;
  readonly grid: readonly [number, number, number];
  readonly bindings: readonly ComposedBinding[];
  readonly paramsBinding: number;
  readonly params: readonly { readonly field: Field; readonly value: ParamValue }[];
  readonly flops: number;
  readonly bytes: number;
}

export interface Composed {
  readonly launches: readonly ComposedLaunch[];
  /** byteLength of each scratch buffer. */
  readonly scratch: readonly number[];
}

/** Collects what one launch reads. */
export const inputsFor = (around: Surroundings, output: OutputWindows): KernelInputs =>
  new KernelInputs(around, around.limits, (node) => around.isUniform(node), output);

/** WGSL type of the elements of a pass's binding. */
export function elementTypeOf(pass: Pass, name: string): string {
  const type = bindingsOf(pass.shader.source).find((binding) => binding.name === name)?.type ?? "array<f32>";
  const element = /^array<(.+?)(?:, *\w+)?>$/.exec(type)?.[1] ?? "f32";
  return pass.aliases?.[element] ?? element.replace(/^(Value|Output)$/, "f32");
}

/** Fills the shader and says what goes where. */
export function finish(
  pass: Pass,
  inputs: KernelInputs,
  holes: Holes,
  operands: readonly Node[],
  outputs: readonly ExtraBinding[] = [],
): ComposedLaunch {
  const own = holesOf(pass);
  const { wgsl, bindings, params } = specialize(pass.shader, LIBRARIES, {
    ...own,
    ...holes,
    hooks: { ...own.hooks, ...holes.hooks },
    extraBindings: [...outputs, ...inputs.extraBindings],
    extraParams: [...(holes.extraParams ?? []), ...inputs.extraParams],
  });
  const numberOf = (name: string): number => {
    const number = bindings.get(name);
    if (number === undefined)
      throw new InternalError(`compose: ${pass.shader.name}.wgsl must declare a binding ${name}.`);
    return number;
  };
  const bound = Object.entries(pass.bindings).map(([name, operand]) => ({
    binding: numberOf(name),
    bound: boundOf(operand, operands),
    window: null,
  }));
  const made = outputs.map(({ name }, output) => ({ binding: numberOf(name), bound: { output }, window: null }));
  const fused = inputs.bound.map(({ name, node, window }) => ({ binding: numberOf(name), bound: { node }, window }));
  const scalars = new Map(inputs.uniform.map(({ name, node }) => [name, node]));
  return {
    label: pass.shader.name,
    wgsl,
    grid: pass.grid,
    bindings: [...bound, ...made, ...fused],
    paramsBinding: numberOf("params"),
    params: params.map((field) => ({ field, value: paramValue(pass, field, scalars) })),
    flops: pass.flops,
    bytes: pass.bytes,
  };
}

function boundOf(operand: Operand, operands: readonly Node[]): Bound {
  if (operand === "output") return "output";
  if (operand === "output1") return { output: 1 };
  const index = Number(operand.replace(/\D+/, ""));
  return operand.startsWith("scratch") ? { scratch: index } : { node: operands[index]! };
}

function paramValue(pass: Pass, field: Field, scalars: ReadonlyMap<string, Node>): ParamValue {
  const node = scalars.get(field.name);
  if (node) return { scalar: node };
  const value = pass.params[field.name];
  if (value === undefined)
    throw new InternalError(`compose: ${pass.shader.name}.wgsl must be given its parameter ${field.name}.`);
  return { value };
}
