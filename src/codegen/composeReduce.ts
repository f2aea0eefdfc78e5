/** Composes reductions: along rows or columns, with the expression before them as their loads and that after them as their store. */

import { InternalError } from "../errors";
import type { DType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import type { KernelLimits, KernelPlan, Pass } from "../kernels/kernel";
import { planReduce, type ReduceInfo, reduceRows } from "../kernels/reduce";
import { along, type AxisMap, opOf } from "../ops/op";
import { Emitter, storedBits } from "./emit";
import type { KernelInputs } from "./inputs";
import {
  type Composed,
  type ComposedLaunch,
  elementTypeOf,
  finish,
  inputsFor,
  type Surroundings,
  type UnitSpec,
} from "./launch";
import { OutputWindows } from "./outputWindows";
import type { Holes } from "./specialize";

/** Which way a reduction walks, and its passes. */
export function reducePlan(
  main: Node,
  limits: KernelLimits,
): { layout: ReduceLayout; plan: KernelPlan; fold: keyof typeof FOLDS } {
  const { lowering } = opOf(main);
  if (lowering.kind !== "reduce") throw new InternalError(`compose: ${main.op.name} must be a reduction.`);
  const layout = layoutOf(main.inputs[0]!.shape, lowering.dims(main.attrs));
  return { layout, plan: planReduce(layout.info, limits), fold: lowering.fold };
}

/** Composes the launches of a reduction. */
export function composeReduce(unit: UnitSpec, main: Node, around: Surroundings): Composed {
  const { limits } = around;
  const { layout, plan, fold } = reducePlan(main, limits);
  // a fold is cut into chunks only where it has few results
  const isWhole = plan.passes.length > 1;
  const windows = isWhole
    ? OutputWindows.none(unit.root)
    : new OutputWindows(unit.root, limits, (node) => around.isLoaded(node));
  const launches = plan.passes.flatMap((pass, index) => {
    const isFirst = index === 0;
    const inputs = inputsFor(around, windows);
    const hooks = foldHooks(fold, main.dtype);
    if (isFirst) Object.assign(hooks, loadHook(main.inputs[0]!, layout, inputs, around, windows));
    if (index === plan.passes.length - 1)
      Object.assign(hooks, reduceEpilogue(unit, main, pass, inputs, around, windows));
    if (pass.shader !== reduceRows) delete hooks.combine;
    const holes: Holes = {
      hooks,
      aliases: { Value: valueType(main.dtype) },
      helpers: inputs.helpers(elementTypeOf(pass, "output")),
      extraParams: windows.params,
      unbound: isFirst ? ["input"] : [],
    };
    const launchOf = (part: Pass): ComposedLaunch =>
      finish(isFirst ? { ...part, bindings: without(part.bindings, "input") } : part, inputs, holes, []);
    if (!windows.isCut) return [launchOf(pass)];
    return windows.launches((outputs) => planReduce({ ...layout.info, outputs }, limits, 1).passes[0]!, launchOf);
  });
  return { launches, scratch: plan.scratch ?? [] };
}

const without = <T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));

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
  const place = (order: readonly number[]): AxisMap[] => all.map((dim) => along(order.indexOf(dim)));
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
  windows: OutputWindows,
): Record<string, string> {
  const emitter = new Emitter(inputs, around, 4, loops);
  const value = emitter.value(input, emitter.root.through(axes, input.shape));
  const stored = input.dtype === "bool" ? `vec4<u32>(${value})` : value;
  const o = windows.argument("o");
  const signature = info.layout === "rows" ? `${o}: u32, outer: u32, inner: u32` : `row: u32, ${o}: u32`;
  return {
    load4: `fn load4(${signature}) -> vec4<Value> {\n${windows.head("o")}${emitter.body}  return ${stored};\n}`,
  };
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
  windows: OutputWindows,
): Record<string, string> {
  const lanes = pass.shader === reduceRows ? 1 : 4;
  const name = lanes === 1 ? "epilogue" : "epilogue4";
  const emitter = new Emitter(inputs, around, lanes, [{ name: "index", shape: unit.root.shape, laned: lanes === 4 }]);
  emitter.give(main, main.dtype === "bool" ? `(value != ${lanes === 1 ? "0u" : "vec4<u32>(0u)"})` : "value");
  const bits = storedBits(emitter.value(unit.root, emitter.root), unit.root.dtype, lanes);
  const types = lanes === 1 ? ["Value", "u32"] : ["vec4<Value>", "vec4<u32>"];
  const signature = `fn ${name}(value: ${types[0]!}, ${windows.argument("index")}: u32) -> ${types[1]!}`;
  return { [name]: `${signature} {\n${windows.head("index")}${emitter.body}  return ${bits};\n}` };
}
