/** Wrappers of the shaders that clip the gradients of an arena: partial norms, what they make of the gradients, and by value. */

import type { ClipFactorInfo, GradNormInfo, UpdateInfo } from "../ops/kernelInfo";
import clipFactorSource from "../../shaders/clipFactor.wgsl?raw";
import clipGradNormSource from "../../shaders/clipGradNorm.wgsl?raw";
import clipGradValueSource from "../../shaders/clipGradValue.wgsl?raw";
import gradNormSource from "../../shaders/gradNorm.wgsl?raw";
import normSource from "../../shaders/lib/norm.wgsl?raw";
import { foldGrid } from "./grid";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type Kernel, type Shader } from "./kernel";
import { inOrder, updateKernel, updateLibs } from "./update";

const libs: readonly Shader[] = [{ name: "lib/norm", source: normSource }, ...updateLibs];

const gradNormShader: Shader = { name: "gradNorm", source: gradNormSource, libs };

export const gradNorm: Kernel<GradNormInfo> = {
  name: "gradNorm",
  shaders: [gradNormShader],
  plan({ count, chunk, kind, offset }, limits) {
    const bindings = inOrder(["grad", "blocks", "segments", "ranges", "settings", "partials"]);
    return {
      passes: [
        {
          shader: gradNormShader,
          grid: foldGrid(ceilDiv(count, chunk), limits),
          consts: { WORKGROUP: heuristicsOf(limits).clip.workgroup, CHUNK: chunk / 4, KIND: kind },
          params: { count: count / 4, offset },
          bindings,
          flops: 2 * count,
          bytes: 4 * count,
        },
      ],
    };
  },
};

const clipFactorShader: Shader = { name: "clipFactor", source: clipFactorSource, libs };

export const clipFactor: Kernel<ClipFactorInfo> = {
  name: "clipFactor",
  shaders: [clipFactorShader],
  plan: ({ count, kind }, limits) => ({
    passes: [
      {
        shader: clipFactorShader,
        grid: [1, 1, 1],
        consts: { WORKGROUP: heuristicsOf(limits).clip.workgroup, KIND: kind },
        params: { count },
        bindings: inOrder(["partials", "settings", "total", "factor"]),
        flops: count,
        bytes: 4 * count,
      },
    ],
  }),
};

export const clipGradNorm: Kernel<UpdateInfo> = updateKernel(
  "clipGradNorm",
  clipGradNormSource,
  ["grad", "blocks", "segments", "factor"],
  { flops: 1, bytes: 8 },
);

export const clipGradValue: Kernel<UpdateInfo> = updateKernel(
  "clipGradValue",
  clipGradValueSource,
  ["grad", "blocks", "segments", "limit"],
  { flops: 2, bytes: 8 },
);
