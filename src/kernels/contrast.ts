/** Wrapper of shaders/contrast.wgsl and contrastTotals.wgsl: blocks of queries, and chunks of keys that keep the adapter busy. */
import type { ContrastInfo } from "../ops/kernelInfo";
import contrastSource from "../../shaders/contrast.wgsl?raw";
import totalsSource from "../../shaders/contrastTotals.wgsl?raw";
import { foldGrid } from "./grid";
import { type AdapterClass, ceilDiv, type Kernel, type Pass, type Shader } from "./kernel";
import { LIBRARIES } from "./libraries";

const shader: Shader = { name: "contrast", source: contrastSource, libs: LIBRARIES };
const totals: Shader = { name: "contrastTotals", source: totalsSource, libs: LIBRARIES };

const WORKGROUP: Readonly<Record<AdapterClass, number>> = { software: 4, hardware: 64 };
/** Invocations that keep the adapter busy. */
const BUSY: Readonly<Record<AdapterClass, number>> = { software: 128, hardware: 16384 };
/** Queries of an invocation, and keys at a time. */
const BLOCK: Readonly<Record<AdapterClass, { ROWS: number; COLS: number }>> = {
  software: { ROWS: 8, COLS: 8 },
  hardware: { ROWS: 4, COLS: 4 },
};
const TOTALS_WORKGROUP = 64;

export const contrast: Kernel<ContrastInfo> = {
  name: "contrast",
  shaders: [shader, totals],
  plan({ queries, keys, dim, scale }, limits) {
    const block = BLOCK[limits.adapterClass];
    const blocks = ceilDiv(queries, block.ROWS);
    const wanted = Math.max(1, Math.floor(BUSY[limits.adapterClass] / Math.max(1, blocks)));
    const chunk = Math.max(block.COLS, block.COLS * ceilDiv(keys, block.COLS * wanted));
    const chunks = Math.max(1, ceilDiv(keys, chunk));
    const workgroup = WORKGROUP[limits.adapterClass];
    const scores: Pass = {
      shader,
      grid: foldGrid(ceilDiv(blocks * chunks, workgroup), limits),
      consts: { WORKGROUP: workgroup, ...block },
      params: { queries, keys, dim4: dim / 4, blocks, chunks, chunk, scale },
      bindings: { query: "input0", key: "input1", bar: "input2", partials: "scratch0" },
      flops: 2 * queries * keys * dim,
      bytes: 4 * dim * (queries + keys),
    };
    const together: Pass = {
      shader: totals,
      grid: foldGrid(ceilDiv(queries, TOTALS_WORKGROUP), limits),
      consts: { WORKGROUP: TOTALS_WORKGROUP },
      params: { queries, chunks },
      bindings: { partials: "scratch0", output: "output" },
      flops: 4 * queries * chunks,
      bytes: 16 * queries * chunks,
    };
    return { passes: [scores, together], scratch: [16 * queries * chunks] };
  },
};
