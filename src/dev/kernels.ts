/**
 * The library's kernels by name: which there are, which variants an adapter may choose from, and each of them run by
 * itself on arrays.
 */

import { inParts, PART_FIELDS, partParams } from "../codegen/part";
import { withSizes } from "../codegen/sized";
import { type Field, holesOf, specialize } from "../codegen/specialize";
import type { Device } from "../device";
import { ValueError } from "../errors";
import type { Command, Gpu, GpuMemory } from "../gpu/gpu";
import { KERNELS } from "../kernels";
import type { Kernel, KernelPlan, Operand, Pass } from "../kernels/kernel";
import { partsOf } from "../kernels/parts";
import { LIBRARIES } from "../kernels/libraries";
import type { KernelInfoMap } from "../ops/kernelInfo";
import { backendOf } from "./device";
import { BoundLaunches, DeviceArray, type LaunchInfo, type Numbers } from "./launches";

/** Name of a kernel family. */
export type KernelName = keyof KernelInfoMap;

/** All kernel families. Pointwise expressions and reductions are none: their kernels are made from the graph. */
export const kernelNames = (): KernelName[] => Object.keys(KERNELS) as KernelName[];

const familyOf = <N extends KernelName>(name: N): Kernel<KernelInfoMap[N]> => KERNELS[name];

/**
 * The variants that a family offers for some sizes.
 *
 * @param info sizes and strides; see KernelInfoMap
 * @returns names for `options.variant` of `runKernel`; the first one is what the cost model would choose
 *
 * @example
 * variantsOf(device, "matmul", info); // ["matmul", "matmulTiled"]
 */
export function variantsOf<N extends KernelName>(device: Device, name: N, info: KernelInfoMap[N]): string[] {
  const { limits } = backendOf("variantsOf", device).gpu;
  const kernel = familyOf(name);
  const plan = kernel.plan(info, limits);
  return [...new Set([plan.variant ?? plan.passes[0]!.shader.name, ...(kernel.variants?.(info, limits) ?? [])])];
}

/** How to run a kernel. */
export interface KernelOptions {
  /** One of `variantsOf`; default: what the cost model would choose. */
  readonly variant?: string;
  /** Changes the text of its shaders before they are compiled: to try something, or to break it for a test of a test. */
  readonly edit?: (wgsl: string) => string;
}

/** What a kernel reads and writes, in the order of its op's inputs; kernels that work in place have no output. */
export interface KernelArrays {
  readonly inputs: readonly DeviceArray[];
  readonly output?: DeviceArray;
}

/**
 * Compiles a kernel for some sizes and binds it to arrays, to be run as often as one likes.
 *
 * @param info sizes and strides; see KernelInfoMap
 * @throws KernelError if it does not compile
 * @throws ValueError if there is no such variant for these sizes, or arrays are missing
 *
 * @example
 * const launches = await bindKernel(device, "ema", { count: 64 }, { inputs: [param, key, coefficients] });
 * launches.submit();
 * await synchronize(device);
 */
export async function bindKernel<N extends KernelName>(
  device: Device,
  name: N,
  info: KernelInfoMap[N],
  arrays: KernelArrays,
  { variant, edit = (wgsl) => wgsl }: KernelOptions = {},
): Promise<BoundLaunches> {
  const { gpu } = backendOf("runKernel", device);
  const offered = variantsOf(device, name, info);
  if (variant !== undefined && !offered.includes(variant)) {
    throw new ValueError(
      `${name}: the variant must be one of ${offered.join(", ")}, got ${variant}. Pass one of them.`,
    );
  }
  const plan: KernelPlan = familyOf(name).plan(info, gpu.limits, variant);
  const scratch = (plan.scratch ?? []).map((byteLength) => gpu.allocate(byteLength, "scratch"));
  const bound = plan.passes.flatMap((pass) =>
    bindPass(gpu, pass, (operand) => rangeOf(operand, arrays, scratch), edit),
  );
  await gpu.check();
  return new BoundLaunches(
    gpu,
    bound.map(({ launch }) => launch),
    bound.map(({ command }) => command()),
    [...scratch, ...bound.map(({ params }) => params)],
  );
}

/**
 * Runs a kernel once.
 *
 * @param inputs in the order of its op's inputs
 * @param options.outputLength elements that it makes; they start as NaN, so that what it leaves out shows
 * @param options.variant, edit see KernelOptions
 * @returns what it made, and the time of each launch
 * @throws as `bindKernel`
 *
 * @example
 * const info = { batch: 1, m: 2, n: 2, k: 2, a: strides, b: strides }; // strides: { offset: 0, batch: 4, row: 2, col: 1 }
 * const { output } = await runKernel(device, "matmul", info, [a, b], { outputLength: 4, variant: "matmulTiled" });
 */
export async function runKernel<N extends KernelName>(
  device: Device,
  name: N,
  info: KernelInfoMap[N],
  inputs: readonly Numbers[],
  { outputLength, ...options }: KernelOptions & { readonly outputLength: number },
): Promise<{ output: Float32Array; launches: readonly (LaunchInfo & { timeMs: number })[] }> {
  const operands = inputs.map((data) => DeviceArray.from(device, data));
  const output = DeviceArray.from(device, new Float32Array(outputLength).fill(NaN));
  const bound = await bindKernel(device, name, info, { inputs: operands, output }, options);
  try {
    const { dispatches } = await bound.time();
    const launches = bound.launches.map((launch, index) => ({ ...launch, timeMs: dispatches[index]!.timeMs }));
    return { output: await output.data(), launches };
  } finally {
    bound.dispose();
    for (const array of [...operands, output]) array.dispose();
  }
}

type Range = DeviceArray["range"];

function rangeOf(operand: Operand, { inputs, output }: KernelArrays, scratch: readonly GpuMemory[]): Range {
  const index = Number(operand.replace(/\D+/, ""));
  if (operand.startsWith("scratch")) {
    const buffer = scratch[index]!;
    return { buffer, byteOffset: 0, byteLength: 16 * Math.floor(buffer.byteLength / 16) };
  }
  const array = operand === "output" ? output : inputs[index];
  if (!array) throw new ValueError(`runKernel: there must be an array for ${operand}, got none. Pass it.`);
  return array.range;
}

interface BoundPass {
  readonly launch: LaunchInfo;
  readonly params: GpuMemory;
  /** Once its shader is known to compile. */
  readonly command: () => Command;
}

/** One pass by itself, in as many launches as it takes: its wrapper's holes and parameters filled in, nothing fused. */
function bindPass(
  gpu: Gpu,
  pass: Pass,
  range: (operand: Operand) => Range,
  edit: (wgsl: string) => string,
): BoundPass[] {
  const { shader, flops, bytes } = pass;
  const specialized = specialize(shader, LIBRARIES, holesOf(pass));
  const numbered = (name: string, bound: Range): { binding: number; range: Range } => ({
    binding: specialized.bindings.get(name)!,
    range: bound,
  });
  const bound = Object.entries(pass.bindings).map(([name, operand]) => numbered(name, range(operand)));
  const sizes = bound.map((each) => ({ binding: each.binding, byteLength: each.range.byteLength }));
  const whole = withSizes(specialized.wgsl, sizes, gpu.limits);
  const parts = partsOf(pass.grid, pass, gpu.limits);
  const isCut = parts.length > 1;
  const wgsl = edit(isCut ? inParts(whole) : whole);
  const pipeline = gpu.pipeline(shader.name, wgsl);
  const fields = isCut ? [...specialized.params, ...PART_FIELDS] : specialized.params;
  const own = specialized.params.map(({ name }) => pass.params[name]!);
  return parts.map((part) => {
    const { grid, share } = part;
    const params = writeParams(gpu, fields, isCut ? [...own, ...partParams(part, pass.grid)] : own);
    const bindings = [...bound, numbered("params", params)];
    return {
      launch: { kernel: shader.name, wgsl, grid, flops: flops * share, bytes: bytes * share },
      params: params.buffer,
      command: () => ({ kind: "dispatch", pipeline, bindGroup: gpu.bindGroup(pipeline, bindings), grid }),
    };
  });
}

function writeParams(gpu: Gpu, fields: readonly Field[], values: readonly number[]): Range {
  const byteLength = Math.max(16, 16 * Math.ceil(fields.length / 4));
  const view = new DataView(new ArrayBuffer(byteLength));
  fields.forEach(({ type }, index) => {
    const value = values[index]!;
    if (type === "f32") view.setFloat32(4 * index, value, true);
    else if (type === "i32") view.setInt32(4 * index, value, true);
    else view.setUint32(4 * index, value, true);
  });
  const range = { buffer: gpu.allocate(byteLength, "params"), byteOffset: 0, byteLength };
  gpu.write(range, view);
  return range;
}
