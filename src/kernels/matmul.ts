/** Wrapper of shaders/matmul.wgsl and shaders/matmulTiled.wgsl: which block, how many splits of k, which grid. */
import type { MatmulInfo } from "../ops/kernelInfo";
import matmulSource from "../../shaders/matmul.wgsl?raw";
import matmulTiledSource from "../../shaders/matmulTiled.wgsl?raw";
import { foldGrid } from "./grid";
import { type AdapterClass, ceilDiv, type Kernel, type KernelLimits, type KernelPlan, type Pass, type Shader } from "./kernel";
import { sumPartialsShader, withPartials } from "./sumPartials";

const registers: Shader = { name: "matmul", source: matmulSource };
const tiled: Shader = { name: "matmulTiled", source: matmulTiledSource };

/** One way to cut the output into blocks: `rows x cols` of a workgroup (tiled) or an invocation (registers). */
interface Tiling {
  readonly rows: number;
  readonly cols: number;
  readonly splits: number;
  /** Relative cost, to choose by. */
  readonly cost: number;
}

/** What keeps an adapter busy: invocations of the register kernel, workgroups of the tiled one. */
const BUSY: Readonly<Record<AdapterClass, number>> = { software: 64, hardware: 256 };
/** Least length of a chunk of k. */
const MIN_CHUNK = 128;

const countBlocks = ({ batch, m, n }: MatmulInfo, rows: number, cols: number): number =>
  batch * ceilDiv(m, rows) * ceilDiv(n, cols);

/** Chunks of k that bring `blocks` up to `busy`. */
const countSplits = (blocks: number, k: number, busy: number): number =>
  Math.max(1, Math.min(Math.floor(busy / blocks), Math.floor(k / MIN_CHUNK)));

/** The pass that both shaders share: parameters, bindings, cost, and the sum of the splits. */
function plan(
  info: MatmulInfo,
  limits: KernelLimits,
  { rows, cols, splits: wanted }: Pick<Tiling, "rows" | "cols" | "splits">,
  pass: Pick<Pass, "shader" | "consts">,
  blocksPerWorkgroup: number,
): KernelPlan {
  const { batch, m, n, k, a, b } = info;
  const splitK = Math.max(4, ceilDiv(ceilDiv(k, wanted), 4) * 4); // whole turns of the loop; only the last chunk has a tail
  const splits = Math.max(1, ceilDiv(k, splitK));
  return withPartials(
    {
      ...pass,
      grid: foldGrid(ceilDiv(splits * countBlocks(info, rows, cols), blocksPerWorkgroup), limits),
      params: {
        ...{ batch, m, n, k },
        ...{ a_offset: a.offset, a_batch: a.batch, a_row: a.row, a_col: a.col },
        ...{ b_offset: b.offset, b_batch: b.batch, b_row: b.row, b_col: b.col },
        ...{ row_blocks: ceilDiv(m, rows), col_blocks: ceilDiv(n, cols), splits, split_k: splitK },
      },
      bindings: { a: "input0", b: "input1", output: "output" },
      flops: 2 * batch * m * n * k,
      bytes: 4 * batch * (m * k + k * n + m * n),
    },
    batch * m * n,
    splits,
    limits,
  );
}

/** Blocks of an invocation of the register kernel. Few, since each is a pipeline of its own. */
const BLOCKS = [
  { rows: 8, cols: 16 },
  { rows: 8, cols: 8 },
  { rows: 4, cols: 4 },
  { rows: 16, cols: 4 },
  { rows: 1, cols: 16 },
] as const;
/** Nanoseconds on the software adapter, for 4 invocations at once: a storage load, a multiply-add, an invocation's launch. */
const COST = { load: 7.5, multiplyAdd: 0.7, launch: 500 } as const;
const WORKGROUP: Readonly<Record<AdapterClass, number>> = { software: 4, hardware: 64 };

function tileRegisters(info: MatmulInfo, { adapterClass }: KernelLimits): Tiling {
  const tilings = BLOCKS.map(({ rows, cols }): Tiling => {
    const blocks = countBlocks(info, rows, cols);
    const splits = countSplits(blocks, info.k, BUSY[adapterClass]);
    const step = COST.load * (rows + cols) + COST.multiplyAdd * rows * cols;
    const add = splits > 1 ? countBlocks(info, 1, 1) * (splits + 1) * COST.load : 0;
    const cost = Math.max(BUSY[adapterClass], blocks * splits) * (ceilDiv(info.k, splits) * step + COST.launch) + add;
    return { rows, cols, splits, cost };
  });
  return tilings.reduce((best, other) => (other.cost < best.cost ? other : best));
}

function planRegisters(info: MatmulInfo, limits: KernelLimits): KernelPlan {
  const workgroup = WORKGROUP[limits.adapterClass];
  const tiling = tileRegisters(info, limits);
  const consts = { WORKGROUP: workgroup, ROWS: tiling.rows, COLS4: tiling.cols / 4 };
  return plan(info, limits, tiling, { shader: registers, consts }, workgroup);
}

/** Workgroups of the tiled kernel, largest tile first. */
const TILES = [
  { SIDE: 16, BLOCK4: 2 },
  { SIDE: 16, BLOCK4: 1 },
  { SIDE: 8, BLOCK4: 1 },
] as const;

function planTiled(info: MatmulInfo, limits: KernelLimits): KernelPlan {
  const busy = BUSY.hardware;
  const filling = TILES.find(({ SIDE, BLOCK4 }) => countBlocks(info, SIDE * BLOCK4 * 4, SIDE * BLOCK4 * 4) >= busy);
  const { SIDE, BLOCK4 } = filling ?? TILES[2];
  const tile = SIDE * BLOCK4 * 4;
  const splits = countSplits(countBlocks(info, tile, tile), info.k, busy);
  const consts = { SIDE, BLOCK4, A_ALONG_K: info.a.col <= info.a.row ? 1 : 0, B_ALONG_K: info.b.row < info.b.col ? 1 : 0 };
  return plan(info, limits, { rows: tile, cols: tile, splits }, { shader: tiled, consts }, 1);
}

export const matmul: Kernel<MatmulInfo> = {
  name: "matmul",
  shaders: [registers, tiled, sumPartialsShader],
  plan(info, limits, variant) {
    // A tile is mostly wasted on a vector, whatever the adapter.
    const preferred = limits.adapterClass === "hardware" && Math.min(info.m, info.n) >= 8 ? tiled : registers;
    return (variant ?? preferred.name) === tiled.name ? planTiled(info, limits) : planRegisters(info, limits);
  },
};
