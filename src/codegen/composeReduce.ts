/** Composes reductions: along rows or columns, with the expression before them as their loads and that after them as their store. */

import { InternalError } from "../errors";
import type { DType } from "../graph/dtype";
import type { Node } from "../graph/node";
import type { KernelLimits, KernelPlan, Pass } from "../kernels/kernel";
import { LIBRARIES } from "../kernels/libraries";
import { planReduce, reduceRows } from "../kernels/reduce";
import { runOf } from "../kernels/run";
import { opOf } from "../ops/op";
import { Emitter, storedBits } from "./emit";
import { combineText, type Fold, type FoldLayout, identityText, layoutOf, valueType } from "./fold";
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
import { writtenLength } from "./library";
import { OutputWindows } from "./outputWindows";
import type { Holes } from "./specialize";

/** Which way a reduction walks, and its passes. */
export function reducePlan(main: Node, limits: KernelLimits): { layout: FoldLayout; plan: KernelPlan; fold: Fold } {
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
      finish(isFirst ? firstPass(part, hooks["load4"]!, limits) : part, inputs, holes, []);
    if (!windows.isCut) return [launchOf(pass)];
    return windows.launches((outputs) => planReduce({ ...layout.info, outputs }, limits, 1).passes[0]!, launchOf);
  });
  return { launches, scratch: plan.scratch ?? [] };
}

/** The pass that reads what is folded, in shorter turns where a load takes much to compile. */
function firstPass(pass: Pass, load: string, limits: KernelLimits): Pass {
  const { outputs, splits, chunk } = pass.params as Record<"outputs" | "splits" | "chunk", number>;
  const RUN = runOf(
    pass.consts!["RUN"]!,
    { total: outputs * splits * chunk, written: writtenLength(LIBRARIES, load), most: 8 },
    limits,
  );
  return { ...pass, bindings: without(pass.bindings, "input"), consts: { ...pass.consts, RUN } };
}

const without = <T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));

function loadHook(
  input: Node,
  { info, loops, axes }: FoldLayout,
  inputs: KernelInputs,
  around: Surroundings,
  windows: OutputWindows,
): Record<string, string> {
  const isRows = info.layout === "rows";
  const emitter = new Emitter(inputs, around, 4, windows.isCut && !isRows ? loops.map(withoutQuarter) : loops);
  const value = emitter.value(input, emitter.root.through(axes, input.shape));
  const stored = input.dtype === "bool" ? `vec4<u32>(${value})` : value;
  const signature = isRows ? `${windows.argument("o")}: u32, outer: u32, vec: u32` : "row: u32, vec: u32";
  const head = isRows ? `${windows.head("o")}  let inner = 4u * vec;\n` : `  let o = ${windows.counted("4u * vec")};\n`;
  return { load4: `fn load4(${signature}) -> vec4<Value> {\n${head}${emitter.body}  return ${stored};\n}` };
}

const withoutQuarter = ({ quarter: _, ...loop }: FoldLayout["loops"][number]): FoldLayout["loops"][number] => loop;

/** How two values become one. */
const foldHooks = (fold: Fold, dtype: DType): Record<string, string> => ({
  identity: `fn identity() -> Value { ${identityText(fold, dtype)} }`,
  combine4: `fn combine4(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return ${combineText(fold, dtype, 4)}; }`,
  combine: `fn combine(a: Value, b: Value) -> Value { return ${combineText(fold, dtype, 1)}; }`,
});

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
