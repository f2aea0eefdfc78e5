/** Wrapper of shaders/contrast.wgsl, contrastTotals.wgsl and contrastMean.wgsl: blocks of queries, and chunks of keys that keep the adapter busy. */
import type { ContrastInfo } from "../ops/kernelInfo";
import contrastSource from "../../shaders/contrast.wgsl?raw";
import meanSource from "../../shaders/contrastMean.wgsl?raw";
import totalsSource from "../../shaders/contrastTotals.wgsl?raw";
import { foldGrid } from "./grid";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type Kernel, type KernelLimits, type Pass, type Shader } from "./kernel";
import { LIBRARIES } from "./libraries";
import { withPartials } from "./sumPartials";

const shader: Shader = { name: "contrast", source: contrastSource, libs: LIBRARIES };
const totals: Shader = { name: "contrastTotals", source: totalsSource, libs: LIBRARIES };
const mean: Shader = { name: "contrastMean", source: meanSource, libs: LIBRARIES };

/** Keys that one invocation goes through at most: rounding adds up along them. */
const LONGEST_CHUNK = 8192;
/** Vec4s that an invocation of contrastMean holds: 4 KiB, half of what WGSL grants a function. */
const MOST_HELD = 256;
const TOTALS_WORKGROUP = 64;

interface Parts {
  readonly blocks: number;
  readonly chunks: number;
  /** Keys of one chunk. */
  readonly chunk: number;
}

/** How queries are cut into blocks and keys into chunks. */
function partsOf({ queries, keys }: ContrastInfo, block: { ROWS: number; COLS: number }, limits: KernelLimits): Parts {
  const blocks = ceilDiv(queries, block.ROWS);
  const wanted = Math.max(
    1,
    Math.floor(heuristicsOf(limits).contrast.busy / Math.max(1, blocks)),
    keys / LONGEST_CHUNK,
  );
  const chunk = Math.max(block.COLS, block.COLS * ceilDiv(keys, block.COLS * wanted));
  return { blocks, chunk, chunks: Math.max(1, ceilDiv(keys, chunk)) };
}

export const contrast: Kernel<ContrastInfo> = {
  name: "contrast",
  shaders: [shader, totals],
  plan(info, limits) {
    const { queries, keys, dim, scale } = info;
    const { block, workgroup } = heuristicsOf(limits).contrast;
    const { blocks, chunk, chunks } = partsOf(info, block, limits);
    const scores: Pass = {
      shader,
      grid: foldGrid(ceilDiv(blocks * chunks, workgroup), limits),
      consts: { WORKGROUP: workgroup, ...block },
      params: { queries, keys, dim4: dim / 4, blocks, chunks, chunk, scale },
      bindings: { query: "input0", key: "input1", own: "input2", partials: "scratch0" },
      flops: 2 * queries * keys * dim,
      bytes: 4 * dim * (queries + keys),
    };
    const together: Pass = {
      shader: totals,
      grid: foldGrid(ceilDiv(queries, TOTALS_WORKGROUP), limits),
      consts: { WORKGROUP: TOTALS_WORKGROUP },
      params: { queries, chunks, scale },
      bindings: { partials: "scratch0", own: "input2", output: "output" },
      flops: 4 * queries * chunks,
      bytes: 16 * queries * chunks,
    };
    return { passes: [scores, together], scratch: [16 * queries * chunks] };
  },
};

export const contrastMean: Kernel<ContrastInfo> = {
  name: "contrastMean",
  shaders: [mean],
  plan(info, limits) {
    const { queries, keys, dim, scale, total = { offset: 0, stride: 1 } } = info;
    const { block: most, workgroup } = heuristicsOf(limits).contrast;
    const dim4 = dim / 4;
    const block = {
      ROWS: Math.max(1, Math.min(most.ROWS, Math.floor(MOST_HELD / Math.max(1, dim4)))),
      COLS: most.COLS,
    };
    const { blocks, chunk, chunks } = partsOf(info, block, limits);
    const pass: Pass = {
      shader: mean,
      grid: foldGrid(ceilDiv(blocks * chunks, workgroup), limits),
      consts: { WORKGROUP: workgroup, DIM4: Math.max(1, dim4), ...block },
      params: { queries, keys, blocks, chunks, chunk, total_offset: total.offset, total_stride: total.stride, scale },
      bindings: { query: "input0", key: "input1", total: "input2", output: "output" },
      flops: 4 * queries * keys * dim,
      bytes: 4 * dim * (queries + keys),
    };
    return withPartials(pass, { count: queries * dim, parts: chunks }, limits);
  },
};
