/** Wrapper of shaders/sumPartials.wgsl: the second pass of kernels that split their sum. */
import source from "../../shaders/sumPartials.wgsl?raw";
import { foldGrid } from "./grid";
import { ceilDiv } from "./kernel";
import type { KernelLimits, KernelPlan, Operand, Pass, Shader } from "./kernel";

export const sumPartialsShader: Shader = { name: "sumPartials", source };

const WORKGROUP = 64;

/** `output[i] = sum_p partials[p, i]`, `partials` of shape `[parts, count]`. */
export function sumPartials(partials: Operand, count: number, parts: number, limits: KernelLimits): Pass {
  return {
    shader: sumPartialsShader,
    grid: foldGrid(ceilDiv(count, WORKGROUP), limits),
    consts: { WORKGROUP },
    params: { count, parts },
    bindings: { partials, output: "output" },
    flops: count * (parts - 1),
    bytes: 4 * count * (parts + 1),
  };
}

/** `pass`, which makes `parts` partial sums of `count` elements, and the sum of them; `pass` alone where `parts` is 1. */
export function withPartials(pass: Pass, count: number, parts: number, limits: KernelLimits): KernelPlan {
  if (parts === 1) return { passes: [pass] };
  return {
    passes: [
      { ...pass, bindings: { ...pass.bindings, output: "scratch0" } },
      sumPartials("scratch0", count, parts, limits),
    ],
    scratch: [4 * count * parts],
  };
}
