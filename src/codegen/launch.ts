/**
 * One launch, composed: a kernel's pass with its holes filled, and what goes to its bindings and parameters. Takes a pass and
 * what the hooks of its unit read; gives WGSL text and data.
 */

import { InternalError } from "../errors";
import type { Node } from "../graph/node";
import type { KernelLimits, Operand, Pass } from "../kernels/kernel";
import { LIBRARIES } from "../kernels/libraries";
import type { KernelCall } from "../ops/op";
import { KernelInputs } from "./inputs";
import type { OutputWindows } from "./outputWindows";
import { bindingsOf, type Field, type Holes, holesOf, specialize } from "./specialize";
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
  /** Store from this row on (a scalar), rows of `rowSize` elements. */
  readonly start: { readonly node: Node; readonly rowSize: number } | null;
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
export type Bound = { readonly node: Node } | { readonly scratch: number } | "output";

/** A 4-byte field of Params: fixed, or the value of a scalar node (times `scale`) at each run. */
export type ParamValue = { readonly value: number } | { readonly node: Node; readonly scale: number };

export interface ComposedLaunch {
  /** Shader file stem. */
  readonly label: string;
  readonly wgsl: string;
  readonly grid: readonly [number, number, number];
  /** `window`: what is bound of it; null for all. */
  readonly bindings: readonly { readonly binding: number; readonly bound: Bound; readonly window: Window | null }[];
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
export function finish(pass: Pass, inputs: KernelInputs, holes: Holes, operands: readonly Node[]): ComposedLaunch {
  const own = holesOf(pass);
  const { wgsl, bindings, params } = specialize(pass.shader, LIBRARIES, {
    ...own,
    ...holes,
    hooks: { ...own.hooks, ...holes.hooks },
    extraBindings: inputs.extraBindings,
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
  const fused = inputs.bound.map(({ name, node, window }) => ({ binding: numberOf(name), bound: { node }, window }));
  const scalars = new Map(inputs.uniform.map(({ name, node }) => [name, node]));
  return {
    label: pass.shader.name,
    wgsl,
    grid: pass.grid,
    bindings: [...bound, ...fused],
    paramsBinding: numberOf("params"),
    params: params.map((field) => ({ field, value: paramValue(pass, field, scalars) })),
    flops: pass.flops,
    bytes: pass.bytes,
  };
}

function boundOf(operand: Operand, operands: readonly Node[]): Bound {
  if (operand === "output") return "output";
  const index = Number(operand.replace(/\D+/, ""));
  return operand.startsWith("scratch") ? { scratch: index } : { node: operands[index]! };
}

function paramValue(pass: Pass, field: Field, scalars: ReadonlyMap<string, Node>): ParamValue {
  const node = scalars.get(field.name);
  if (node) return { node, scale: 1 };
  const value = pass.params[field.name];
  if (value === undefined)
    throw new InternalError(`compose: ${pass.shader.name}.wgsl must be given its parameter ${field.name}.`);
  return { value };
}
