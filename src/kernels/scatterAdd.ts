/** Wrapper of shaders/scatterAdd.wgsl: how far to cut a column, which costs a look at every index for each part. */
import type { ScatterAddInfo } from "../ops/kernelInfo";
import source from "../../shaders/scatterAdd.wgsl?raw";
import { foldGrid } from "./grid";
import { type AdapterClass, ceilDiv, type Kernel, type Shader } from "./kernel";

const shader: Shader = { name: "scatterAdd", source };

const WORKGROUP = 64;
/** Invocations that keep the adapter busy. */
const BUSY: Readonly<Record<AdapterClass, number>> = { software: 512, hardware: 32768 };
/** Entries that an invocation owns where there is only one index to look at. */
const RUN: Readonly<Record<AdapterClass, number>> = { software: 64, hardware: 1 };

export const scatterAdd: Kernel<ScatterAddInfo> = {
  name: "scatterAdd",
  shaders: [shader],
  plan({ outer, dim, indexDim, inner }, limits) {
    const wanted =
      indexDim === 1 ? ceilDiv(dim, RUN[limits.adapterClass]) : ceilDiv(BUSY[limits.adapterClass], outer * inner);
    const chunk = ceilDiv(dim, Math.min(dim, wanted));
    const chunks = ceilDiv(dim, chunk);
    return {
      passes: [
        {
          shader,
          grid: foldGrid(ceilDiv(outer * chunks * inner, WORKGROUP), limits),
          consts: { WORKGROUP },
          params: { outer, dim, index_dim: indexDim, inner, chunk, chunks },
          bindings: { input: "input0", index: "input1", src: "input2", output: "output" },
          flops: outer * indexDim * inner,
          bytes: 8 * outer * inner * (dim + indexDim),
        },
      ],
    };
  },
};
