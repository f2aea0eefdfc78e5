/** Wrapper of shaders/scatter.wgsl: how far to cut a column, which costs a look at every index for each part. */
import type { ScatterInfo } from "../ops/kernelInfo";
import source from "../../shaders/scatter.wgsl?raw";
import { foldGrid } from "./grid";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type Kernel, type Shader } from "./kernel";

const shader: Shader = { name: "scatter", source };

const WORKGROUP = 64;

const FOLD: Readonly<Record<ScatterInfo["fold"], number>> = { sum: 0, prod: 1, max: 2, min: 3 };

export const scatter: Kernel<ScatterInfo> = {
  name: "scatter",
  shaders: [shader],
  rereadsOutput: true,
  plan({ outer, dim, indexDim, inner, fold, type }, limits) {
    const { busy, run } = heuristicsOf(limits).scatter;
    const wanted = indexDim === 1 ? ceilDiv(dim, run) : ceilDiv(busy, outer * inner);
    const chunk = ceilDiv(dim, Math.min(dim, wanted));
    const chunks = ceilDiv(dim, chunk);
    return {
      passes: [
        {
          shader,
          grid: foldGrid(ceilDiv(outer * chunks * inner, WORKGROUP), limits),
          consts: { WORKGROUP, FOLD: FOLD[fold], IS_FLOAT: Number(type === "f32") },
          aliases: { Value: type },
          params: { outer, dim, index_dim: indexDim, inner, chunk, chunks },
          bindings: { input: "input0", index: "input1", src: "input2", output: "output" },
          flops: outer * chunks * indexDim * inner, // every part looks at every index
          bytes: 8 * outer * inner * (dim + indexDim),
        },
      ],
    };
  },
};
