/**
 * Wrapper of shaders/matmul.wgsl (vec4 operands, registers), matmulSubgroup.wgsl (the same, loads shared in a subgroup of four),
 * matmulStrided.wgsl (any strides, registers) and matmulTiled.wgsl (workgroup tiles): which block, how many splits of k, which grid.
 */
import type { MatmulInfo, MatrixStrides } from "../ops/kernelInfo";
import matmulSource from "../../shaders/matmul.wgsl?raw";
import matmulSubgroupSource from "../../shaders/matmulSubgroup.wgsl?raw";
import matmulStridedSource from "../../shaders/matmulStrided.wgsl?raw";
import matmulTiledSource from "../../shaders/matmulTiled.wgsl?raw";
import { foldGrid } from "./grid";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type Kernel, type KernelLimits, type KernelPlan, type Pass, type Shader } from "./kernel";
import { sumPartialsShader, withPartials } from "./sumPartials";

const vector: Shader = { name: "matmul", source: matmulSource };
const subgroup: Shader = { name: "matmulSubgroup", source: matmulSubgroupSource };
const strided: Shader = { name: "matmulStrided", source: matmulStridedSource };
const tiled: Shader = { name: "matmulTiled", source: matmulTiledSource };

/** How to cut the product: `rows x cols` results an invocation (subgroup and tiled: a workgroup), and chunks of k. */
interface Tiling {
  readonly shader: Shader;
  readonly rows: number;
  readonly cols: number;
  readonly splits: number;
}

/** Least length of a chunk of k, and the most: rounding adds up along it. */
const MIN_CHUNK = 128;
const MAX_CHUNK = 65536;

const countBlocks = ({ batch, m, n }: MatmulInfo, rows: number, cols: number): number =>
  batch * ceilDiv(m, rows) * ceilDiv(n, cols);

/** Bytes of partial products that are worth their rounding; beyond, long chunks are not cut. */
const MAX_PARTIALS = 2 ** 26;

/** Chunks of k that bring `blocks` up to `busy`, and none too long. */
function countSplits({ batch, m, n, k }: MatmulInfo, blocks: number, busy: number): number {
  const affordable = Math.floor(MAX_PARTIALS / (4 * batch * m * n));
  return Math.max(
    1,
    Math.min(ceilDiv(k, MAX_CHUNK), affordable),
    Math.min(Math.floor(busy / blocks), Math.floor(k / MIN_CHUNK)),
  );
}

/** What is the same for all shaders: the grid, most parameters, the cost, and the sum of the splits. */
function plan(
  info: MatmulInfo,
  limits: KernelLimits,
  tiling: Tiling,
  consts: Pass["consts"] & object,
  strides: Pass["params"],
  blocksPerWorkgroup: number,
): KernelPlan {
  const { batch, m, n, k } = info;
  const { shader, rows, cols } = tiling;
  const split_k = Math.max(4, 4 * ceilDiv(k, 4 * tiling.splits)); // whole turns of the loop: only the last chunk has a tail
  const splits = Math.max(1, ceilDiv(k, split_k));
  const blocks = { row_blocks: ceilDiv(m, rows), col_blocks: ceilDiv(n, cols) };
  const pass: Pass = {
    shader,
    grid: foldGrid(ceilDiv(splits * countBlocks(info, rows, cols), blocksPerWorkgroup), limits),
    consts,
    params: { batch, m, n, k, ...strides, ...blocks, splits, split_k },
    bindings: { a: "input0", b: "input1", output: "output" },
    flops: 2 * batch * m * n * k,
    bytes: 4 * batch * (m * k + k * n + m * n),
  };
  return withPartials(pass, { count: batch * m * n, parts: splits }, limits);
}

const scalarStrides = ({ a, b }: MatmulInfo): Record<string, number> => ({
  ...{ a_offset: a.offset, a_batch: a.batch, a_row: a.row, a_col: a.col },
  ...{ b_offset: b.offset, b_batch: b.batch, b_row: b.row, b_col: b.col },
});

/** A `rows x cols` operand read as vec4s along one of its dimensions. */
interface Vec4View {
  readonly along: "rows" | "cols";
  readonly offset: number;
  readonly batch: number;
  /** Of the other dimension. */
  readonly stride: number;
}

function vec4View({ offset, batch, row, col }: MatrixStrides, rows: number, cols: number): Vec4View | null {
  if (rows * cols === 0 || offset % 4 !== 0 || batch % 4 !== 0) return null;
  const view = { offset: offset / 4, batch: batch / 4 };
  if (col === 1 && cols % 4 === 0 && row % 4 === 0) return { ...view, along: "cols", stride: row / 4 };
  if (row === 1 && rows % 4 === 0 && col % 4 === 0) return { ...view, along: "rows", stride: col / 4 };
  return null;
}

/** Both operands as vec4s; null where one cannot be read so. */
function vec4Operands({ m, n, k, a, b }: MatmulInfo): { a: Vec4View; b: Vec4View } | null {
  const views = { a: vec4View(a, m, k), b: vec4View(b, k, n) };
  return k % 4 === 0 && views.a !== null && views.b !== null ? { a: views.a, b: views.b } : null;
}

/**
 * Blocks of the register kernels, of an invocation or of a subgroup: few, since each is a pipeline of its own. `load` is nanoseconds on
 * the software adapter, for 4 invocations at once.
 */
const BLOCKS = [
  { shader: subgroup, load: 7.5, rows: 16, cols: 32 },
  { shader: subgroup, load: 7.5, rows: 8, cols: 16 },
  { shader: subgroup, load: 7.5, rows: 4, cols: 16 },
  { shader: vector, load: 8.7, rows: 12, cols: 16 },
  { shader: vector, load: 8.7, rows: 8, cols: 8 },
  { shader: vector, load: 8.7, rows: 4, cols: 4 },
  { shader: strided, load: 11, rows: 8, cols: 16 },
  { shader: strided, load: 11, rows: 4, cols: 4 },
  { shader: strided, load: 11, rows: 16, cols: 4 },
  { shader: strided, load: 11, rows: 1, cols: 16 },
] as const;
/**
 * Likewise a multiply-add, what the others of a subgroup hand over, and the launch of an invocation; and of all invocations to compile
 * a load or multiply-add that is written out, on 8 lanes, shared among 35 runs.
 */
const COST = { multiplyAdd: 1.05, share: 1, launch: 500, compile: (8 * 300_000) / 35 } as const;
/** Steps of k that are written out. */
const STEPS = 4;
/** Invocations of a subgroup that matmulSubgroup is made for. */
const SUBGROUP = 4;

/** Results of a block that one invocation holds. */
const lanedResults = (shader: Shader, results: number): number => (shader === subgroup ? results / SUBGROUP : results);

/** The cheapest block, among those of shaders that can read the operands. */
function tileRegisters(info: MatmulInfo, limits: KernelLimits, shaders: readonly Shader[]): Tiling {
  const { busy, mostResults } = heuristicsOf(limits).matmul;
  const able = BLOCKS.filter(
    ({ shader, rows, cols }) => shaders.includes(shader) && lanedResults(shader, rows * cols) <= mostResults,
  );
  const tilings = able.map(({ shader, load, rows, cols }) => {
    const lanes = shader === subgroup ? SUBGROUP : 1;
    const invocations = lanes * countBlocks(info, rows, cols);
    const splits = countSplits(info, invocations, busy);
    const [loads, shared] = lanes > 1 ? [(rows + cols) / lanes, rows] : [rows + cols, 0];
    const step = load * loads + COST.share * shared + (COST.multiplyAdd * rows * cols) / lanes;
    const sum = splits > 1 ? countBlocks(info, 1, 1) * (splits + 1) * load : 0;
    const run = Math.max(busy, invocations * splits) * (ceilDiv(info.k, splits) * step + COST.launch);
    const cost = run + sum + COST.compile * STEPS * (loads + (rows * cols) / lanes);
    return { shader, rows, cols, splits, cost };
  });
  return tilings.reduce((best, other) => (other.cost < best.cost ? other : best));
}

function planRegisters(info: MatmulInfo, limits: KernelLimits, variant: string | undefined): KernelPlan {
  const views = vec4Operands(info);
  const vec4Shaders = limits.subgroupSize === SUBGROUP ? [subgroup, vector, strided] : [vector, strided];
  const able = views === null ? [strided] : vec4Shaders.filter(({ name }) => (variant ?? name) === name);
  const tiling = tileRegisters(info, limits, able.length > 0 ? able : [strided]);
  const { workgroup: WORKGROUP_SIZE } = heuristicsOf(limits).matmul;
  const COLS4 = tiling.cols / 4;
  if (views === null || tiling.shader === strided) {
    const consts = { WORKGROUP: WORKGROUP_SIZE, ROWS: tiling.rows, COLS4 };
    return plan(info, limits, tiling, consts, scalarStrides(info), WORKGROUP_SIZE);
  }
  const { a, b } = views;
  const along = { A_ALONG_K: a.along === "cols" ? 1 : 0, B_ALONG_K: b.along === "rows" ? 1 : 0 };
  const strides = {
    ...{ a_offset: a.offset, a_batch: a.batch, a_stride: a.stride },
    ...{ b_offset: b.offset, b_batch: b.batch, b_stride: b.stride },
  };
  if (tiling.shader === subgroup)
    return plan(info, limits, tiling, { ROWS4: tiling.rows / 4, COLS16: tiling.cols / 16, ...along }, strides, 1);
  const consts = { WORKGROUP: WORKGROUP_SIZE, ROWS4: tiling.rows / 4, COLS4, ...along };
  return plan(info, limits, tiling, consts, strides, WORKGROUP_SIZE);
}

/** Workgroups of the tiled kernel, largest tile first. */
const TILES = [
  { SIDE: 16, BLOCK4: 2 },
  { SIDE: 16, BLOCK4: 1 },
  { SIDE: 8, BLOCK4: 1 },
] as const;

function planTiled(info: MatmulInfo, limits: KernelLimits): KernelPlan {
  const busy = heuristicsOf(limits).matmul.busyTiles;
  const sizeOf = ({ SIDE, BLOCK4 }: (typeof TILES)[number]): number => SIDE * BLOCK4 * 4;
  const shape = TILES.find((each) => countBlocks(info, sizeOf(each), sizeOf(each)) >= busy) ?? TILES[2];
  const tile = sizeOf(shape);
  const splits = countSplits(info, countBlocks(info, tile, tile), busy);
  const along = { A_ALONG_K: info.a.col <= info.a.row ? 1 : 0, B_ALONG_K: info.b.row < info.b.col ? 1 : 0 };
  const tiling = { shader: tiled, rows: tile, cols: tile, splits };
  return plan(info, limits, tiling, { ...shape, ...along }, scalarStrides(info), 1);
}

/** Elements up to the last one that is read. */
const reach = ({ offset, batch, row, col }: MatrixStrides, batches: number, rows: number, cols: number): number =>
  offset + 1 + batch * Math.max(0, batches - 1) + row * Math.max(0, rows - 1) + col * Math.max(0, cols - 1);

export const matmul: Kernel<MatmulInfo> = {
  name: "matmul",
  shaders: [vector, subgroup, strided, tiled, sumPartialsShader],
  variants(info, { subgroupSize }) {
    const inVec4s = vec4Operands(info) === null ? [] : [vector, ...(subgroupSize === SUBGROUP ? [subgroup] : [])];
    return [...inVec4s, strided, tiled].map(({ name }) => name);
  },
  trial: {
    arrays: ({ batch, m, n, k, a, b }) => ({
      inputs: [reach(a, batch, m, k), reach(b, batch, k, n)],
      output: batch * m * n,
    }),
    at({ m, n, k, a, b }, [left, right], index) {
      const [col, row, batch] = [index % n, Math.floor(index / n) % m, Math.floor(index / (n * m))];
      let [value, magnitude] = [0, 0];
      for (let p = 0; p < k; p++) {
        const of = left![a.offset + batch * a.batch + row * a.row + p * a.col]!;
        const term = of * right![b.offset + batch * b.batch + p * b.row + col * b.col]!;
        value += term;
        magnitude += Math.abs(term);
      }
      return { value, magnitude, terms: k };
    },
  },
  plan(info, limits, variant) {
    // A tile is mostly wasted on a vector, whatever the adapter.
    const tile = heuristicsOf(limits).matmul.tiles && Math.min(info.m, info.n) >= 8;
    if (variant === undefined ? tile : variant === tiled.name) return planTiled(info, limits);
    return planRegisters(info, limits, variant);
  },
};
