/**
 * Composes the launches of one fused unit: which shader, what its hooks compute, what its bindings and parameters are.
 * Takes a unit (an expression, a reduction or a kernel with what was fused around it); gives WGSL text and data.
 */

import { byteLengthOf } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { choicesOf, familyOf } from "../kernels/choices";
import {
  elementwise,
  elementwiseGrid,
  elementwiseHalf,
  elementwiseHalfScalar,
  elementwiseRun,
  elementwiseScalar,
} from "../kernels/elementwise";
import { ceilDiv, type KernelLimits, type KernelPlan, type Pass } from "../kernels/kernel";
import { LIBRARIES } from "../kernels/libraries";
import type { KernelCall } from "../ops/op";
import { Emitter, storedBits, wgslType } from "./emit";
import type { KernelInputs } from "./inputs";
import {
  type Composed,
  type ComposedLaunch,
  elementTypeOf,
  finish,
  inputsFor,
  type ParamValue,
  type RowsSpec,
  type Surroundings,
  type UnitSpec,
} from "./launch";
import { composeReduce, reducePlan } from "./composeReduce";
import { composeSweep } from "./composeSweep";
import { writtenLength } from "./library";
import { OutputWindows } from "./outputWindows";
import { bindingsOf, hooksOf } from "./specialize";
import { ALIGNMENT, type BindingLimit, paddedByteLength } from "./windows";

/** Storage bindings that a unit's last pass has of its own; fused inputs must fit beside them. */
export function ownBindings({ main, call }: Pick<UnitSpec, "main" | "call">, limits: KernelLimits): number {
  if (!call) return main && reducePlan(main, limits).plan.passes.length > 1 ? 2 : 1; // output, and what the first pass left
  const last = planOf(call, limits).passes.at(-1)!;
  const declared = bindingsOf(last.shader.source).filter(({ space }) => space.startsWith("storage")).length;
  return declared - (last.unbound?.length ?? 0);
}

/** Whether a kernel's result can be changed by a fused expression before it is stored. */
export const hasEpilogue = (call: KernelCall, limits: KernelLimits): boolean =>
  hooksOf(planOf(call, limits).passes.at(-1)!.shader.source).includes("epilogue");

const plans = new WeakMap<KernelLimits, WeakMap<KernelCall, KernelPlan>>();

/** The plan of a call; made once, since the scheduler asks again and again. */
function planOf(call: KernelCall, limits: KernelLimits): KernelPlan {
  let known = plans.get(limits);
  if (!known) plans.set(limits, (known = new WeakMap()));
  let plan = known.get(call);
  if (!plan)
    known.set(call, (plan = familyOf(call.kernel).plan(call.info, limits, choicesOf(limits).variantFor(call))));
  return plan;
}

/** Composes the launches of a unit. */
export function compose(unit: UnitSpec, around: Surroundings): Composed {
  if (unit.sweep) return { launches: [composeSweep(unit.sweep, around)], scratch: [] };
  if (unit.call) return composeKernel(unit, unit.call, around);
  if (unit.main) return composeReduce(unit, unit.main, around);
  return { launches: composeElementwise(unit, around), scratch: [] };
}

function composeElementwise({ root, rows }: UnitSpec, around: Surroundings): ComposedLaunch[] {
  const windows = new OutputWindows(root, storeLimit(rows, around.limits), (node) => around.isLoaded(node));
  const inputs = inputsFor(around, windows);
  const count = sizeOf(root.shape);
  const inWords = root.dtype === "u8"; // four bytes a store
  const isVector = !inWords && (rows === null || (rows.rowSize % 4 === 0 && count % 4 === 0));
  const lanes = inWords || isVector ? 4 : 1;
  const perStore = lanes;
  const quarter = isVector && !windows.isCut ? { quarter: "vec" } : {};
  const variable = { name: "index", shape: root.shape, laned: lanes === 4, ...quarter };
  const emitter = new Emitter(inputs, around, lanes, [variable]);
  const isHalf = root.dtype === "f16";
  const value = isHalf ? emitter.half(root, emitter.root) : emitter.value(root, emitter.root);
  const bits = inWords ? `pack4xU8(${value})` : isHalf ? value : storedBits(value, root.dtype, lanes);
  const hook = isVector ? "compute4" : "compute";
  const wide = (type: string): string => (isVector ? `vec4<${type}>` : type);
  const result = wide(isHalf ? "f32" : "u32");
  const argument = inWords ? "word" : isVector ? "vec" : windows.argument("index");
  const first = inWords ? "4u * word" : "4u * vec";
  const head = inWords || isVector ? `  let index = ${windows.counted(first)};\n` : windows.head("index");
  const hooks = { [hook]: `fn ${hook}(${argument}: u32) -> ${result} {\n${head}${emitter.body}  return ${bits};\n}` };
  const run = isVector
    ? elementwiseRun(ceilDiv(count, perStore), writtenLength(LIBRARIES, emitter.body), around.limits)
    : 1;
  const shaders = isHalf
    ? { vector: elementwiseHalf, scalar: elementwiseHalfScalar }
    : { vector: elementwise, scalar: elementwiseScalar };
  const passFor = (elements: number): Pass => {
    const stores = ceilDiv(elements, perStore);
    return {
      shader: shaders[isVector ? "vector" : "scalar"],
      grid: elementwiseGrid(stores, run, around.limits),
      ...(isVector && { consts: { RUN: run } }),
      params: { count: stores, offset: 0 },
      bindings: { output: "output" },
      flops: elements,
      bytes: 4 * elements,
    };
  };
  const holes = { hooks, helpers: inputs.helpers(wide(isHalf ? "f16" : "u32")), extraParams: windows.params };
  const launches = windows.launches(passFor, (pass) => finish(pass, inputs, holes, []));
  return rows
    ? launches.map((launch) => storingRows(launch, rows, root, isHalf ? 2 * lanes : isVector ? 16 : 4))
    : launches;
}

/** What a binding holds of a result. Rows of what it does not hold whole may start after where it may. */
const storeLimit = (rows: RowsSpec | null, limits: KernelLimits): BindingLimit => ({
  maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize - (rows?.isLarge ? ALIGNMENT : 0),
});

/** A launch that stores `root`, or a window of it, from a row on; so many bytes at a time. */
function storingRows(
  launch: ComposedLaunch,
  { start: node, rowSize, isLarge }: RowsSpec,
  root: Node,
  storeByteLength: number,
): ComposedLaunch {
  const scale = byteLengthOf(root.dtype, rowSize);
  const output = launch.bindings.find(({ bound }) => bound === "output")!;
  const { byteOffset, byteLength } = output.window ?? { byteOffset: 0, byteLength: paddedByteLength(root) };
  const modulo = isLarge ? ALIGNMENT / storeByteLength : Infinity; // the window has moved by the rest
  const offset: ParamValue = { node, scale: scale / storeByteLength, add: 0, modulo };
  const moving = { from: { node, scale, add: byteOffset }, byteLength: byteLength + ALIGNMENT };
  return {
    ...launch,
    bindings: launch.bindings.map((each) => (isLarge && each === output ? { ...each, moving } : each)),
    params: launch.params.map((each) => (each.field.name === "offset" ? { ...each, value: offset } : each)),
  };
}

function composeKernel(unit: UnitSpec, call: KernelCall, around: Surroundings): Composed {
  const plan = planOf(call, around.limits);
  const launches = plan.passes.map((pass, index) => {
    const inputs = inputsFor(around, OutputWindows.none(unit.root));
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
