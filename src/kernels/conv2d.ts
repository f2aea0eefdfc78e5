/** Wrappers of shaders/conv2d.wgsl, conv2dGradInput.wgsl and conv2dGradWeight.wgsl: which blocks, which grid, what they cost. */
import type { Conv2dInfo } from "../ops/kernelInfo";
import conv2dSource from "../../shaders/conv2d.wgsl?raw";
import gradInputSource from "../../shaders/conv2dGradInput.wgsl?raw";
import gradWeightSource from "../../shaders/conv2dGradWeight.wgsl?raw";
import { foldGrid } from "./grid";
import {
  type AdapterClass,
  ceilDiv,
  type Kernel,
  type KernelLimits,
  type KernelPlan,
  type Pass,
  type Shader,
} from "./kernel";
import { sumPartialsShader, withPartials } from "./sumPartials";

const conv2dShader: Shader = { name: "conv2d", source: conv2dSource };
const gradInputShader: Shader = { name: "conv2dGradInput", source: gradInputSource };
const gradWeightShader: Shader = { name: "conv2dGradWeight", source: gradWeightSource };

/** What an adapter class wants: fat invocations in registers on software, many small ones on hardware. */
interface Taste {
  readonly workgroup: number;
  /** Invocations that keep it busy. */
  readonly busy: number;
  /** Most results an invocation holds. */
  readonly results: number;
  /** Most loads and multiply-adds of one turn, all written out: they bound the time to compile. */
  readonly written: number;
}
const TASTE: Readonly<Record<AdapterClass, Taste>> = {
  software: { workgroup: 4, busy: 64, results: 128, written: 700 },
  hardware: { workgroup: 64, busy: 32768, results: 16, written: 260 },
};

/**
 * Nanoseconds on the software adapter, for 4 invocations at once: a load, a multiply-add, what it takes more where a sum is
 * kept for one only, and a store. To compile a load or multiply-add takes `compile`, shared among the runs to come.
 */
const COST = { load: 9.5, multiplyAdd: 1, spilled: 1, store: 40, compile: 340_000 / 100 } as const;

/** Of the software adapter; the choice hardly depends on it. */
const CORES = 2;

/** One way to cut the work into invocations: what one of them does. */
interface Candidate {
  readonly block: Block;
  readonly invocations: number;
  readonly results: number;
  readonly turns: number;
  /** Loads and multiply-adds of a turn; how many of these a result takes in a row. */
  readonly loads: number;
  readonly multiplyAdds: number;
  readonly chain: number;
}

function cost({ invocations, results, turns, loads, multiplyAdds, chain }: Candidate, { busy }: Taste): number {
  const turn = COST.load * loads + (COST.multiplyAdd + COST.spilled / chain) * multiplyAdds;
  const run = (turns === 1 ? 1 : turns + 1) * turn + COST.store * results; // SwiftShader runs a loop's body once more
  return (Math.max(invocations, busy) / 4 / CORES) * run + COST.compile * (loads + multiplyAdds);
}

/** The cheapest of those that an adapter class allows, else the smallest. */
function cheapest<C extends Candidate>(candidates: readonly C[], taste: Taste): C {
  const written = ({ loads, multiplyAdds }: Candidate): number => loads + multiplyAdds;
  const allowed = candidates.filter((each) => each.results <= taste.results && written(each) <= taste.written);
  if (allowed.length === 0) return candidates.reduce((best, other) => (written(other) < written(best) ? other : best));
  return allowed.reduce((best, other) => (cost(other, taste) < cost(best, taste) ? other : best));
}

/** Channels of a block: of the side that is a vec4, and of the other. Few sizes, since each is a pipeline of its own. */
const VEC4_CHANNELS = [4, 8];
const CHANNELS = [1, 2, 4];
/** Pixels of a block in y and x. */
const TILES = [1, 2, 4, 7];

interface Block {
  readonly c: number;
  readonly y: number;
  readonly x: number;
}

/** All combinations of a channel block and two pixel blocks. */
const blocks = (channels: readonly number[], ys: readonly number[], xs: readonly number[]): Block[] =>
  channels.flatMap((c) => ys.flatMap((y) => xs.map((x) => ({ c, y, x }))));

const countBlocks = (
  { c, y, x }: Block,
  ofChannels: number,
  rows: number,
  columns: number,
): Record<string, number> => ({
  blocks_c: ceilDiv(ofChannels, c),
  blocks_y: ceilDiv(rows, y),
  blocks_x: ceilDiv(columns, x),
});

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
/** Kernel rows written out in one turn: all, unless they are many. */
const taps = (kernel: number): number => (kernel <= 5 ? kernel : 1);
/** Distance of the input rows that a patch needs. */
const step = (stride: number, dilation: number, kernelTaps: number): number =>
  kernelTaps > 1 ? gcd(stride, dilation) : stride;
const patch = (block: number, stride: number, dilation: number, kernelTaps: number): number =>
  ((block - 1) * stride + (kernelTaps - 1) * dilation) / step(stride, dilation, kernelTaps) + 1;

const geometry = (info: Conv2dInfo): Record<string, number> => ({
  KERNEL_HEIGHT: info.kernelHeight,
  KERNEL_WIDTH: info.kernelWidth,
  STRIDE_HEIGHT: info.strideHeight,
  STRIDE_WIDTH: info.strideWidth,
  DILATION_HEIGHT: info.dilationHeight,
  DILATION_WIDTH: info.dilationWidth,
});

const sizes = (info: Conv2dInfo): Record<string, number> => ({
  groups: info.groups,
  in_channels: info.inChannels / info.groups,
  out_channels: info.outChannels / info.groups,
  height: info.height,
  width: info.width,
  out_height: info.outHeight,
  out_width: info.outWidth,
  pad_height: info.padHeight,
  pad_width: info.padWidth,
});

/** Multiply-adds as if there were no padding, and the bytes of input, weight and output. */
const work = (info: Conv2dInfo): { flops: number; bytes: number } => {
  const kernel = (info.inChannels / info.groups) * info.kernelHeight * info.kernelWidth;
  const outputs = info.batch * info.outChannels * info.outHeight * info.outWidth;
  const inputs = info.batch * info.inChannels * info.height * info.width;
  return { flops: 2 * outputs * kernel, bytes: 4 * (inputs + outputs + info.outChannels * kernel) };
};

/** Channels of one group. */
const channels = ({ inChannels, outChannels, groups }: Conv2dInfo): { inChannels: number; outChannels: number } => ({
  inChannels: inChannels / groups,
  outChannels: outChannels / groups,
});

function planForward(info: Conv2dInfo, limits: KernelLimits): KernelPlan {
  const taste = TASTE[limits.adapterClass];
  const { batch, groups, outHeight, outWidth, kernelHeight, kernelWidth } = info;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth } = info;
  const { inChannels, outChannels } = channels(info);
  const tapsY = taps(kernelHeight);
  const tapsX = taps(kernelWidth);
  const depth = tapsY * tapsX === 1 ? gcd(inChannels, 4) : 1;
  const chain = depth * tapsY * tapsX;
  const candidates = blocks(VEC4_CHANNELS, TILES, TILES).map((block): Candidate => {
    const { c, y, x } = block;
    const inputs = patch(y, strideHeight, dilationHeight, tapsY) * patch(x, strideWidth, dilationWidth, tapsX);
    return {
      block,
      invocations: batch * groups * ceilDiv(outChannels, c) * ceilDiv(outHeight, y) * ceilDiv(outWidth, x),
      results: c * y * x,
      turns: (inChannels * kernelHeight * kernelWidth) / chain,
      loads: depth * inputs + c * chain,
      multiplyAdds: c * y * x * chain,
      chain,
    };
  });
  const { block, invocations, turns } = cheapest(candidates, taste);
  const pass: Pass = {
    shader: conv2dShader,
    grid: foldGrid(ceilDiv(invocations, taste.workgroup), limits),
    consts: {
      ...geometry(info),
      WORKGROUP: taste.workgroup,
      ...{ BLOCK_C4: block.c / 4, BLOCK_Y: block.y, BLOCK_X: block.x },
      ...{ DEPTH: depth, ONE_TURN: turns === 1 ? 1 : 0, TAPS_Y: tapsY, TAPS_X: tapsX },
      STEP_Y: step(strideHeight, dilationHeight, tapsY),
      STEP_X: step(strideWidth, dilationWidth, tapsX),
    },
    params: { ...sizes(info), batch, ...countBlocks(block, outChannels, outHeight, outWidth) },
    bindings: { input: "input0", weight: "input1", output: "output" },
    ...work(info),
  };
  return { passes: [pass] };
}

function planGradInput(info: Conv2dInfo, limits: KernelLimits): KernelPlan {
  const taste = TASTE[limits.adapterClass];
  const { batch, groups, kernelHeight, kernelWidth, strideHeight, strideWidth } = info;
  const { inChannels, outChannels } = channels(info);
  const kernel = kernelHeight * kernelWidth;
  const depth = kernel === 1 ? gcd(outChannels, 4) : 1;
  const reachY = ceilDiv((kernelHeight - 1) * info.dilationHeight, strideHeight);
  const reachX = ceilDiv((kernelWidth - 1) * info.dilationWidth, strideWidth);
  const rows = info.height + (info.padHeight % strideHeight); // blocks start at a multiple of the stride
  const columns = info.width + (info.padWidth % strideWidth);
  const candidates = blocks(VEC4_CHANNELS, TILES, TILES).map((cells): Candidate => {
    const block = { c: cells.c, y: cells.y * strideHeight, x: cells.x * strideWidth };
    return {
      block,
      invocations: batch * groups * ceilDiv(inChannels, block.c) * ceilDiv(rows, block.y) * ceilDiv(columns, block.x),
      results: block.c * block.y * block.x,
      turns: outChannels / depth,
      loads: depth * ((reachY + cells.y) * (reachX + cells.x) + block.c * kernel),
      multiplyAdds: depth * block.c * cells.y * cells.x * kernel,
      chain: Math.max(1, (depth * kernel) / (strideHeight * strideWidth)),
    };
  });
  const { block, invocations } = cheapest(candidates, taste);
  const pass: Pass = {
    shader: gradInputShader,
    grid: foldGrid(ceilDiv(invocations, taste.workgroup), limits),
    consts: {
      ...geometry(info),
      WORKGROUP: taste.workgroup,
      ...{ BLOCK_C4: block.c / 4, BLOCK_Y: block.y, BLOCK_X: block.x },
      ...{ DEPTH: depth, REACH_Y: reachY, REACH_X: reachX },
    },
    params: { ...sizes(info), batch, ...countBlocks(block, inChannels, rows, columns) },
    bindings: { grad_out: "input0", weight: "input1", output: "output" },
    ...work(info),
  };
  return { passes: [pass] };
}

function planGradWeight(info: Conv2dInfo, limits: KernelLimits): KernelPlan {
  const taste = TASTE[limits.adapterClass];
  const { batch, groups, outHeight, outWidth, kernelHeight, kernelWidth } = info;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth } = info;
  const { inChannels, outChannels } = channels(info);
  const tapsY = taps(kernelHeight);
  const tapsX = taps(kernelWidth);
  const tapCount = tapsY * tapsX;
  const kernel = kernelHeight * kernelWidth;
  const divisors = (size: number): number[] => TILES.filter((tile) => size % tile === 0);
  const candidates = VEC4_CHANNELS.flatMap((o) =>
    blocks(CHANNELS, divisors(outHeight), divisors(outWidth)).map(
      (block): Candidate & { o: number; splits: number } => {
        const { c, y, x } = block;
        const inputs = patch(y, strideHeight, dilationHeight, tapsY) * patch(x, strideWidth, dilationWidth, tapsX);
        const parts = groups * ceilDiv(outChannels, o) * ceilDiv(inChannels, c) * (kernel / tapCount);
        const tiles = Math.max(1, (batch * outHeight * outWidth) / (y * x)); // an empty batch still writes its zeros
        const perSplit = ceilDiv(tiles, Math.max(1, Math.min(tiles, Math.floor(taste.busy / parts))));
        const splits = ceilDiv(tiles, perSplit);
        return {
          block,
          o,
          splits,
          invocations: parts * splits,
          results: o * c * tapCount,
          turns: perSplit,
          loads: o * y * x + c * inputs,
          multiplyAdds: o * c * tapCount * y * x,
          chain: y * x,
        };
      },
    ),
  );
  const { block, o, splits, invocations, turns } = cheapest(candidates, taste);
  const pass: Pass = {
    shader: gradWeightShader,
    grid: foldGrid(ceilDiv(invocations, taste.workgroup), limits),
    consts: {
      ...geometry(info),
      WORKGROUP: taste.workgroup,
      ...{ BLOCK_O4: o / 4, BLOCK_C: block.c, TILE_Y: block.y, TILE_X: block.x, TAPS_Y: tapsY, TAPS_X: tapsX },
      STEP_Y: step(strideHeight, dilationHeight, tapsY),
      STEP_X: step(strideWidth, dilationWidth, tapsX),
    },
    params: {
      ...sizes(info),
      ...{ blocks_o: ceilDiv(outChannels, o), blocks_c: ceilDiv(inChannels, block.c) },
      ...{ splits, tiles: (batch * outHeight * outWidth) / (block.y * block.x), split_tiles: turns },
    },
    bindings: { input: "input0", grad_out: "input1", output: "output" },
    ...work(info),
  };
  return withPartials(pass, info.outChannels * inChannels * kernel, splits, limits);
}

export const conv2d: Kernel<Conv2dInfo> = { name: "conv2d", shaders: [conv2dShader], plan: planForward };

export const conv2dGradInput: Kernel<Conv2dInfo> = {
  name: "conv2dGradInput",
  shaders: [gradInputShader],
  plan: planGradInput,
};

export const conv2dGradWeight: Kernel<Conv2dInfo> = {
  name: "conv2dGradWeight",
  shaders: [gradWeightShader, sumPartialsShader],
  plan: planGradWeight,
};
