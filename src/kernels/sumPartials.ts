/** Wrapper of shaders/sumPartials.wgsl: the second pass of kernels that split their sum. */
import source from "../../shaders/sumPartials.wgsl?raw";
import { foldGrid } from "./grid";
import { ceilDiv } from "./kernel";
import type { KernelLimits, KernelPlan, Operand, Pass, Shader } from "./kernel";

export const sumPartialsShader: Shader = { name: "sumPartials", source };

const WORKGROUP = 64;

/** How much a kernel sums, and in how many parts. */
export interface Partials {
  readonly count: number;
  readonly parts: number;
  /** Elements of a second result, whose partials lie behind those of the first; it is `output1`. */
  readonly restCount?: number;
}

/** `output[i] = sum_p partials[p, i]`, `partials` of shape `[parts, count]`. */
function sumPartials(partials: Operand, { count, parts, restCount = 0 }: Partials, limits: KernelLimits): Pass {
  return {
    shader: sumPartialsShader,
    grid: foldGrid(ceilDiv(count + restCount, WORKGROUP), limits),
    consts: { WORKGROUP },
    ...(restCount === 0 && { unbound: ["others"], hooks: { store_rest: "fn store_rest(value: f32, index: u32) { }" } }),
    params: { count, rest_count: restCount, parts },
    bindings: { partials, output: "output", ...(restCount > 0 && { others: "output1" as const }) },
    flops: (count + restCount) * (parts - 1),
    bytes: 4 * (count + restCount) * (parts + 1),
  };
}

/** `pass`, which makes partial sums, and the sum of them; `pass` alone where there is one part. */
export function withPartials(pass: Pass, partials: Partials, limits: KernelLimits): KernelPlan {
  const { count, parts, restCount = 0 } = partials;
  if (parts === 1) return { passes: [pass] };
  const { output: _, ...others } = pass.bindings;
  const inputs = Object.fromEntries(Object.entries(others).filter(([, operand]) => operand !== "output1"));
  return {
    passes: [{ ...pass, bindings: { ...inputs, output: "scratch0" } }, sumPartials("scratch0", partials, limits)],
    scratch: [4 * (count + restCount) * parts],
  };
}
