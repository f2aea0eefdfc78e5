/** Wrappers of shaders/momentumSgd.wgsl, ema.wgsl and momentumSgdEma.wgsl: one dispatch updates a whole arena in place. */
import type { UpdateInfo } from "../ops/kernelInfo";
import emaSource from "../../shaders/ema.wgsl?raw";
import momentumSgdSource from "../../shaders/momentumSgd.wgsl?raw";
import momentumSgdEmaSource from "../../shaders/momentumSgdEma.wgsl?raw";
import updateSource from "../../shaders/lib/update.wgsl?raw";
import { type AdapterClass, ceilDiv, type Kernel, type Pass, type Shader } from "./kernel";

const libs: readonly Shader[] = [{ name: "lib/update", source: updateSource }];

/** Software: few invocations with long runs. Hardware: neighbours read neighbouring vec4s. */
const SHAPE: Readonly<Record<AdapterClass, { workgroup: number; run: number; invocations: number }>> = {
  software: { workgroup: 64, run: 16, invocations: 4096 },
  hardware: { workgroup: 256, run: 1, invocations: 1 << 18 },
};

/** A kernel whose bindings are its inputs in order; `flops` and `bytes` per element. */
function updateKernel(
  name: string,
  source: string,
  inputs: readonly string[],
  { flops, bytes }: { flops: number; bytes: number },
): Kernel<UpdateInfo> {
  const shader: Shader = { name, source, libs };
  const bindings = Object.fromEntries(inputs.map((input, i) => [input, `input${i}` as const]));
  return {
    name,
    shaders: [shader],
    plan({ count }, { adapterClass }) {
      const { workgroup, run, invocations } = SHAPE[adapterClass];
      const pass: Pass = {
        shader,
        grid: [ceilDiv(Math.min(invocations, count / 4 / run), workgroup), 1, 1],
        consts: { WORKGROUP: workgroup, RUN: run },
        params: { count: count / 4 },
        bindings,
        flops: flops * count,
        bytes: bytes * count,
      };
      return { passes: [pass] };
    },
  };
}

export const momentumSgd = updateKernel(
  "momentumSgd",
  momentumSgdSource,
  ["param", "grad", "momentum", "blocks", "segments", "groups"],
  { flops: 7, bytes: 20 },
);

export const ema = updateKernel("ema", emaSource, ["param", "key", "coefficients"], { flops: 3, bytes: 12 });

export const momentumSgdEma = updateKernel(
  "momentumSgdEma",
  momentumSgdEmaSource,
  ["param", "grad", "momentum", "key", "blocks", "segments", "groups", "coefficients"],
  { flops: 10, bytes: 28 },
);
