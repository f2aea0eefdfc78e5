/**
 * Composes the launches of one fused unit: which shader, what its hooks compute, what its bindings and parameters are.
 * Takes a unit (an expression, a reduction or a kernel with what was fused around it); gives WGSL text and data.
 */

import { InternalError } from "../errors";
import type { DType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { elementwise, elementwiseGrid, elementwiseScalar } from "../kernels/elementwise";
import { ceilDiv, type Kernel, type KernelLimits, type KernelPlan, type Operand, type Pass } from "../kernels/kernel";
import { KERNELS } from "../kernels";
import { LIBRARIES } from "../kernels/libraries";
import { planReduce, type ReduceInfo, reduceRows } from "../kernels/reduce";
import { type AxisMap, type KernelCall, opOf } from "../ops/op";
import { Emitter, storedBits, wgslType } from "./emit";
import { KernelInputs } from "./inputs";
import { bindingsOf, type Field, hooksOf, type Holes, specialize } from "./specialize";

/** What one launch binds. */
export type Bound = { readonly node: Node } | { readonly scratch: number } | "output";

/** A 4-byte field of Params: fixed, or the value of a scalar node (times `scale`) at each run. */
export type ParamValue = { readonly value: number } | { readonly node: Node; readonly scale: number };

export interface ComposedLaunch {
  /** Shader file stem. */
  readonly label: string;
  readonly wgsl: string;
  readonly grid: readonly [number, number, number];
  readonly bindings: readonly { readonly binding: number; readonly bound: Bound }[];
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

/** Storage bindings that a unit's last pass has of its own; fused inputs must fit beside them. */
export function ownBindings({ main, call }: Pick<UnitSpec, "main" | "call">, limits: KernelLimits): number {
  if (!call) return main && reducePlan(main, limits).plan.passes.length > 1 ? 2 : 1; // output, and what the first pass left
  const last = planOf(call, limits).passes.at(-1)!;
  return bindingsOf(last.shader.source).filter(({ space }) => space.startsWith("storage")).length;
}

/** Whether a kernel's result can be changed by a fused expression before it is stored. */
export const hasEpilogue = (call: KernelCall, limits: KernelLimits): boolean =>
  hooksOf(planOf(call, limits).passes.at(-1)!.shader.source).includes("epilogue");

const planOf = (call: KernelCall, limits: KernelLimits): KernelPlan =>
  (KERNELS[call.kernel] as Kernel<unknown>).plan(call.info, limits);

/** Composes the launches of a unit. */
export function compose(unit: UnitSpec, around: Surroundings): Composed {
  if (unit.call) return composeKernel(unit, unit.call, around);
  if (unit.main) return composeReduce(unit, unit.main, around);
  return { launches: [composeElementwise(unit, around)], scratch: [] };
}

const inputsFor = (around: Surroundings): KernelInputs => new KernelInputs(around, (node) => around.isUniform(node));

function composeElementwise({ root, start }: UnitSpec, around: Surroundings): ComposedLaunch {
  const inputs = inputsFor(around);
  const count = sizeOf(root.shape);
  const inWords = root.dtype === "u8"; // four bytes a store
  const isVector = !inWords && (start === null || (start.rowSize % 4 === 0 && count % 4 === 0));
  const lanes = inWords || isVector ? 4 : 1;
  const perStore = lanes;
  const emitter = new Emitter(inputs, around, lanes, [{ name: "index", shape: root.shape, laned: lanes === 4 }]);
  const value = emitter.value(root, emitter.root);
  const bits = inWords ? `pack4xU8(${value})` : storedBits(value, root.dtype, lanes);
  const hook = isVector ? "compute4" : "compute";
  const result = isVector ? "vec4<u32>" : "u32";
  const argument = inWords ? "word: u32" : "index: u32";
  const prefix = inWords ? "  let index = 4u * word;\n" : "";
  const shader = isVector ? elementwise : elementwiseScalar;
  const stores = ceilDiv(count, perStore);
  const pass: Pass = {
    shader,
    grid: elementwiseGrid(stores, around.limits),
    params: { count: stores, offset: 0 },
    bindings: { output: "output" },
    flops: count,
    bytes: 4 * count,
  };
  const hooks = { [hook]: `fn ${hook}(${argument}) -> ${result} {\n${prefix}${emitter.body}  return ${bits};\n}` };
  const launch = finish(pass, inputs, { hooks, helpers: inputs.helpers(result) }, []);
  if (!start) return launch;
  const params = launch.params.map((param) =>
    param.field.name === "offset" ? { ...param, value: { node: start.node, scale: start.rowSize / perStore } } : param,
  );
  return { ...launch, params };
}

function composeKernel(unit: UnitSpec, call: KernelCall, around: Surroundings): Composed {
  const plan = planOf(call, around.limits);
  const launches = plan.passes.map((pass, index) => {
    const inputs = inputsFor(around);
    const isLast = index === plan.passes.length - 1;
    const isFused = isLast && unit.root !== unit.main;
    const outputType = elementTypeOf(pass, "output");
    const hooks = isFused ? epilogueHooks(pass, unit, inputs, around) : {};
    return finish(pass, inputs, { hooks, helpers: inputs.helpers(outputType) }, unit.operands);
  });
  return { launches, scratch: plan.scratch ?? [] };
}

/** `epilogue` and `epilogue4` of a kernel that hands over f32 values with their flat index. */
function epilogueHooks(pass: Pass, unit: UnitSpec, inputs: KernelInputs, around: Surroundings): Record<string, string> {
  const hooks: Record<string, string> = {};
  for (const name of hooksOf(pass.shader.source)) {
    if (name !== "epilogue" && name !== "epilogue4") continue;
    const lanes = name === "epilogue" ? 1 : 4;
    const type = wgslType("f32", lanes);
    const emitter = new Emitter(inputs, around, lanes, [{ name: "index", shape: unit.root.shape, laned: lanes === 4 }]);
    emitter.unaligned = true;
    emitter.give(unit.main!, "value");
    const value = emitter.value(unit.root, emitter.root);
    hooks[name] = `fn ${name}(value: ${type}, index: u32) -> ${type} {\n${emitter.body}  return ${value};\n}`;
  }
  return hooks;
}

function reducePlan(
  main: Node,
  limits: KernelLimits,
): { layout: ReduceLayout; plan: KernelPlan; fold: keyof typeof FOLDS } {
  const { lowering } = opOf(main);
  if (lowering.kind !== "reduce") throw new InternalError(`compose: ${main.op.name} must be a reduction.`);
  const layout = layoutOf(main.inputs[0]!.shape, lowering.dims(main.attrs));
  return { layout, plan: planReduce(layout.info, limits), fold: lowering.fold };
}

function composeReduce(unit: UnitSpec, main: Node, around: Surroundings): Composed {
  const { layout, plan, fold } = reducePlan(main, around.limits);
  const launches = plan.passes.map((pass, index) => {
    const inputs = inputsFor(around);
    const hooks = foldHooks(fold, main.dtype);
    if (index === 0) Object.assign(hooks, loadHook(main.inputs[0]!, layout, inputs, around));
    if (index === plan.passes.length - 1) Object.assign(hooks, reduceEpilogue(unit, main, pass, inputs, around));
    if (pass.shader !== reduceRows) delete hooks.combine;
    const holes: Holes = {
      hooks,
      aliases: { Value: valueType(main.dtype) },
      helpers: inputs.helpers(elementTypeOf(pass, "output")),
      unbound: index === 0 ? ["input"] : [],
    };
    const bindings = Object.fromEntries(
      Object.entries(pass.bindings).filter(([name]) => index > 0 || name !== "input"),
    );
    return finish({ ...pass, bindings }, inputs, holes, []);
  });
  return { launches, scratch: plan.scratch ?? [] };
}

const valueType = (dtype: DType): string => (dtype === "bool" || dtype === "u8" ? "u32" : dtype);

interface ReduceLayout {
  readonly info: ReduceInfo;
  /** Loop variables of the load hook, and where each input dimension is among their dimensions. */
  readonly loops: { name: string; shape: number[]; laned: boolean }[];
  readonly axes: readonly AxisMap[];
}

/** Which way to walk: along rows where the last dimension is folded, along columns where it is kept. */
function layoutOf(shape: readonly number[], dims: readonly number[]): ReduceLayout {
  const isFolded = shape.map((_, dim) => dims.includes(dim));
  const all = shape.map((_, dim) => dim);
  const kept = all.filter((dim) => !isFolded[dim]);
  const folded = all.filter((dim) => isFolded[dim]);
  const lastReal = all.filter((dim) => shape[dim] !== 1).at(-1);
  const isRows = kept.every((dim) => shape[dim] === 1) || lastReal === undefined || isFolded[lastReal]!;
  const sizes = (list: readonly number[]): number[] => list.map((dim) => shape[dim]!);
  const place = (order: readonly number[]): AxisMap[] =>
    all.map((dim) => ({ from: order.indexOf(dim), start: 0, step: 1 }));
  if (!isRows) {
    const info: ReduceInfo = { layout: "columns", outputs: sizeOf(sizes(kept)), rows: sizeOf(sizes(folded)) };
    const loops = [
      { name: "row", shape: sizes(folded), laned: false },
      { name: "o", shape: sizes(kept), laned: true },
    ];
    return { info, loops, axes: place([...folded, ...kept]) };
  }
  // the run of folded dimensions at the end is contiguous; size-1 dimensions do not break it
  let firstInner = shape.length;
  while (firstInner > 0 && (isFolded[firstInner - 1]! || shape[firstInner - 1] === 1)) firstInner--;
  const inner = folded.filter((dim) => dim >= firstInner);
  const outer = folded.filter((dim) => dim < firstInner);
  const info: ReduceInfo = {
    layout: "rows",
    outputs: sizeOf(sizes(kept)),
    outer: sizeOf(sizes(outer)),
    inner: sizeOf(sizes(inner)),
  };
  const loops = [
    { name: "o", shape: sizes(kept), laned: false },
    { name: "outer", shape: sizes(outer), laned: false },
    { name: "inner", shape: sizes(inner), laned: true },
  ];
  return { info, loops, axes: place([...kept, ...outer, ...inner]) };
}

function loadHook(
  input: Node,
  { info, loops, axes }: ReduceLayout,
  inputs: KernelInputs,
  around: Surroundings,
): Record<string, string> {
  const emitter = new Emitter(inputs, around, 4, loops);
  const value = emitter.value(input, emitter.root.through(axes, input.shape));
  const stored = input.dtype === "bool" ? `vec4<u32>(${value})` : value;
  const signature = info.layout === "rows" ? "o: u32, outer: u32, inner: u32" : "row: u32, o: u32";
  return { load4: `fn load4(${signature}) -> vec4<Value> {\n${emitter.body}  return ${stored};\n}` };
}

const FOLDS = {
  sum: { combine: (a: string, b: string) => `${a} + ${b}`, identity: { f32: "0.0", i32: "0", u32: "0u" } },
  prod: { combine: (a: string, b: string) => `${a} * ${b}`, identity: { f32: "1.0", i32: "1", u32: "1u" } },
  max: {
    combine: (a: string, b: string) => `max(${a}, ${b})`,
    identity: { f32: "0xff800000u", i32: "i32(-2147483647 - 1)", u32: "0u" },
  },
  min: {
    combine: (a: string, b: string) => `min(${a}, ${b})`,
    identity: { f32: "0x7f800000u", i32: "2147483647", u32: "4294967295u" },
  },
} as const;

/** How two values become one; float extremes go through functions that let NaN pass. */
function foldHooks(fold: keyof typeof FOLDS, dtype: DType): Record<string, string> {
  const type = valueType(dtype) as "f32" | "i32" | "u32";
  const { combine, identity } = FOLDS[fold];
  const passesNaN = type === "f32" && (fold === "max" || fold === "min");
  const join = (suffix: string): string =>
    passesNaN ? `${fold === "max" ? "maximum" : "minimum"}${suffix}(a, b)` : combine("a", "b");
  const start = passesNaN ? `var bits = ${identity.f32}; return bitcast<f32>(bits);` : `return ${identity[type]};`;
  return {
    identity: `fn identity() -> Value { ${start} }`,
    combine4: `fn combine4(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return ${join("4")}; }`,
    combine: `fn combine(a: Value, b: Value) -> Value { return ${join("")}; }`,
  };
}

function reduceEpilogue(
  unit: UnitSpec,
  main: Node,
  pass: Pass,
  inputs: KernelInputs,
  around: Surroundings,
): Record<string, string> {
  const lanes = pass.shader === reduceRows ? 1 : 4;
  const name = lanes === 1 ? "epilogue" : "epilogue4";
  const emitter = new Emitter(inputs, around, lanes, [{ name: "index", shape: unit.root.shape, laned: lanes === 4 }]);
  emitter.give(main, main.dtype === "bool" ? `(value != ${lanes === 1 ? "0u" : "vec4<u32>(0u)"})` : "value");
  const bits = storedBits(emitter.value(unit.root, emitter.root), unit.root.dtype, lanes);
  const types = lanes === 1 ? ["Value", "u32"] : ["vec4<Value>", "vec4<u32>"];
  return {
    [name]: `fn ${name}(value: ${types[0]!}, index: u32) -> ${types[1]!} {\n${emitter.body}  return ${bits};\n}`,
  };
}

function elementTypeOf(pass: Pass, name: string): string {
  const type = bindingsOf(pass.shader.source).find((binding) => binding.name === name)?.type ?? "array<f32>";
  const match = /^array<(.+?)(?:, *\w+)?>$/.exec(type);
  return (match?.[1] ?? "f32").replace("Value", "f32");
}

/** Fills the shader and says what goes where. */
function finish(pass: Pass, inputs: KernelInputs, holes: Holes, operands: readonly Node[]): ComposedLaunch {
  const { wgsl, bindings, params } = specialize(pass.shader, LIBRARIES, {
    ...holes,
    ...(pass.consts ? { consts: pass.consts } : {}),
    extraBindings: inputs.extraBindings,
    extraParams: inputs.extraParams,
  });
  const numberOf = (name: string): number => {
    const number = bindings.get(name);
    if (number === undefined)
      throw new InternalError(`compose: ${pass.shader.name}.wgsl must declare a binding ${name}.`);
    return number;
  };
  const own = Object.entries(pass.bindings).map(([name, operand]) => ({
    binding: numberOf(name),
    bound: boundOf(operand, operands),
  }));
  const fused = inputs.bound.map(({ name, node }) => ({ binding: numberOf(name), bound: { node } }));
  const scalars = new Map(inputs.uniform.map(({ name, node }) => [name, node]));
  return {
    label: pass.shader.name,
    wgsl,
    grid: pass.grid,
    bindings: [...own, ...fused],
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
