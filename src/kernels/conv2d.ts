/** Wrappers of shaders/conv2d.wgsl, conv2dGradInput.wgsl and conv2dGradWeight.wgsl: which blocks, which grid, what they cost. */
import type { Conv2dInfo } from "../ops/kernelInfo";
import conv2dSource from "../../shaders/conv2d.wgsl?raw";
import gradInputSource from "../../shaders/conv2dGradInput.wgsl?raw";
import gradWeightSource from "../../shaders/conv2dGradWeight.wgsl?raw";
import { foldGrid } from "./grid";
import { ceilDiv } from "./kernel";
import type { AdapterClass, Kernel, KernelLimits, KernelPlan, Shader } from "./kernel";
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
  /** Most multiply-adds of one turn, all written out: they bound the time to compile. */
  readonly turn: number;
}
const TASTE: Readonly<Record<AdapterClass, Taste>> = {
  software: { workgroup: 4, busy: 64, results: 128, turn: 600 },
  hardware: { workgroup: 64, busy: 32768, results: 16, turn: 160 },
};

/** Nanoseconds on the software adapter, for 4 invocations at once: a load or store, a multiply-add. */
const COST = { load: 8, multiplyAdd: 0.8, spilled: 0.8 } as const;

/** One way to cut the work into invocations: what one of them does. */
interface Candidate {
  readonly consts: Readonly<Record<string, number>>;
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
  return Math.max(invocations, busy) * (turns * turn + 2 * COST.load * results);
}

function cheapest(candidates: readonly Candidate[], taste: Taste): Candidate {
  const allowed = candidates.filter(
    ({ results, multiplyAdds }) => results <= taste.results && multiplyAdds <= taste.turn,
  );
  const rest = allowed.length > 0 ? allowed : candidates.slice(0, 1);
  return rest.reduce((best, other) => (cost(other, taste) < cost(best, taste) ? other : best));
}

const SIZES = [1, 2, 4, 8, 16];
const TILES = [1, 2, 4, 7, 8];

/** All combinations of a channel block and two pixel blocks. */
const blocks = (
  channels: number,
  ys: readonly number[],
  xs: readonly number[],
): { c: number; y: number; x: number }[] =>
  SIZES.filter((c) => c === 1 || c < 2 * channels).flatMap((c) => ys.flatMap((y) => xs.map((x) => ({ c, y, x }))));

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

function planForward(info: Conv2dInfo, limits: KernelLimits): KernelPlan {
  const taste = TASTE[limits.adapterClass];
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, kernelHeight, kernelWidth } = info;
  const inChannels = info.inChannels / info.groups;
  const outChannels = info.outChannels / info.groups;
  const tapsY = taps(kernelHeight);
  const tapsX = taps(kernelWidth);
  const depth = tapsY * tapsX === 1 ? gcd(inChannels, 4) : 1;
  const candidates = blocks(outChannels, TILES, TILES).map(({ c, y, x }): Candidate => {
    const inputs = patch(y, strideHeight, dilationHeight, tapsY) * patch(x, strideWidth, dilationWidth, tapsX);
    const chain = depth * tapsY * tapsX;
    return {
      consts: { BLOCK_C: c, BLOCK_Y: y, BLOCK_X: x },
      invocations:
        info.batch * info.groups * ceilDiv(outChannels, c) * ceilDiv(info.outHeight, y) * ceilDiv(info.outWidth, x),
      results: c * y * x,
      turns: (inChannels * kernelHeight * kernelWidth) / chain,
      loads: depth * inputs + c * chain,
      multiplyAdds: c * y * x * chain,
      chain,
    };
  });
  const best = cheapest(candidates, taste);
  const { BLOCK_C, BLOCK_Y, BLOCK_X } = best.consts as Record<string, number> & {
    BLOCK_C: number;
    BLOCK_Y: number;
    BLOCK_X: number;
  };
  return {
    passes: [
      {
        shader: conv2dShader,
        grid: foldGrid(ceilDiv(best.invocations, taste.workgroup), limits),
        consts: {
          ...geometry(info),
          ...best.consts,
          WORKGROUP: taste.workgroup,
          DEPTH: depth,
          TAPS_Y: tapsY,
          TAPS_X: tapsX,
          STEP_Y: step(strideHeight, dilationHeight, tapsY),
          STEP_X: step(strideWidth, dilationWidth, tapsX),
        },
        params: {
          ...sizes(info),
          batch: info.batch,
          blocks_c: ceilDiv(outChannels, BLOCK_C),
          blocks_y: ceilDiv(info.outHeight, BLOCK_Y),
          blocks_x: ceilDiv(info.outWidth, BLOCK_X),
        },
        bindings: { input: "input0", weight: "input1", output: "output" },
        ...work(info),
      },
    ],
  };
}

function planGradInput(info: Conv2dInfo, limits: KernelLimits): KernelPlan {
  const taste = TASTE[limits.adapterClass];
  const { strideHeight, strideWidth, kernelHeight, kernelWidth, height, width } = info;
  const inChannels = info.inChannels / info.groups;
  const outChannels = info.outChannels / info.groups;
  const depth = kernelHeight * kernelWidth === 1 ? gcd(outChannels, 4) : 1;
  const reachY = ceilDiv((kernelHeight - 1) * info.dilationHeight, strideHeight);
  const reachX = ceilDiv((kernelWidth - 1) * info.dilationWidth, strideWidth);
  const rows = height + (info.padHeight % strideHeight); // blocks start at a multiple of the stride
  const columns = width + (info.padWidth % strideWidth);
  const multiples = (stride: number): number[] =>
    TILES.filter((size) => size === 1 || size * stride <= 16).map((size) => size * stride);
  const candidates = blocks(inChannels, multiples(strideHeight), multiples(strideWidth)).map(
    ({ c, y, x }): Candidate => {
      const taps = kernelHeight * kernelWidth;
      const pixels = (y / strideHeight) * (x / strideWidth); // that one tap reaches
      return {
        consts: { BLOCK_C: c, BLOCK_Y: y, BLOCK_X: x },
        invocations: info.batch * info.groups * ceilDiv(inChannels, c) * ceilDiv(rows, y) * ceilDiv(columns, x),
        results: c * y * x,
        turns: outChannels / depth,
        loads: depth * ((reachY + y / strideHeight) * (reachX + x / strideWidth) + c * taps),
        multiplyAdds: depth * c * pixels * taps,
        chain: Math.max(1, (depth * taps) / (strideHeight * strideWidth)),
      };
    },
  );
  const best = cheapest(candidates, taste);
  const { BLOCK_C, BLOCK_Y, BLOCK_X } = best.consts as Record<string, number> & {
    BLOCK_C: number;
    BLOCK_Y: number;
    BLOCK_X: number;
  };
  return {
    passes: [
      {
        shader: gradInputShader,
        grid: foldGrid(ceilDiv(best.invocations, taste.workgroup), limits),
        consts: {
          ...geometry(info),
          ...best.consts,
          WORKGROUP: taste.workgroup,
          DEPTH: depth,
          REACH_Y: reachY,
          REACH_X: reachX,
        },
        params: {
          ...sizes(info),
          batch: info.batch,
          blocks_c: ceilDiv(inChannels, BLOCK_C),
          blocks_y: ceilDiv(rows, BLOCK_Y),
          blocks_x: ceilDiv(columns, BLOCK_X),
        },
        bindings: { grad_out: "input0", weight: "input1", output: "output" },
        ...work(info),
      },
    ],
  };
}

function planGradWeight(info: Conv2dInfo, limits: KernelLimits): KernelPlan {
  const taste = TASTE[limits.adapterClass];
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, kernelHeight, kernelWidth, outHeight, outWidth } =
    info;
  const inChannels = info.inChannels / info.groups;
  const outChannels = info.outChannels / info.groups;
  const tapsY = taps(kernelHeight);
  const tapsX = taps(kernelWidth);
  const kernel = kernelHeight * kernelWidth;
  const divisors = (size: number): number[] => TILES.filter((tile) => size % tile === 0);
  const candidates = SIZES.filter((o) => o === 1 || o < 2 * outChannels).flatMap((o) =>
    blocks(inChannels, divisors(outHeight), divisors(outWidth)).map(({ c, y, x }): Candidate => {
      const inputs = patch(y, strideHeight, dilationHeight, tapsY) * patch(x, strideWidth, dilationWidth, tapsX);
      const chunks = info.groups * ceilDiv(outChannels, o) * ceilDiv(inChannels, c) * (kernel / (tapsY * tapsX));
      const tiles = (info.batch * outHeight * outWidth) / (y * x);
      const splits = Math.max(1, Math.min(tiles, Math.floor(taste.busy / chunks)));
      return {
        consts: { BLOCK_O: o, BLOCK_C: c, TILE_Y: y, TILE_X: x },
        invocations: chunks * splits,
        results: o * c * tapsY * tapsX,
        turns: ceilDiv(tiles, splits),
        loads: o * y * x + c * inputs,
        multiplyAdds: o * c * tapsY * tapsX * y * x,
        chain: y * x,
      };
    }),
  );
  const best = cheapest(candidates, taste);
  const { BLOCK_O, BLOCK_C, TILE_Y, TILE_X } = best.consts as Record<string, number> & {
    BLOCK_O: number;
    BLOCK_C: number;
    TILE_Y: number;
    TILE_X: number;
  };
  const blocksO = ceilDiv(outChannels, BLOCK_O);
  const blocksC = ceilDiv(inChannels, BLOCK_C);
  const tiles = (info.batch * outHeight * outWidth) / (TILE_Y * TILE_X);
  const wanted = best.invocations / (info.groups * blocksO * blocksC * (kernel / (tapsY * tapsX)));
  const splitTiles = ceilDiv(Math.max(1, tiles), wanted); // an empty batch still writes its zeros
  const splits = ceilDiv(Math.max(1, tiles), splitTiles);
  const count = info.outChannels * inChannels * kernel;
  return withPartials(
    {
      shader: gradWeightShader,
      grid: foldGrid(ceilDiv((best.invocations / wanted) * splits, taste.workgroup), limits),
      consts: {
        ...geometry(info),
        ...best.consts,
        WORKGROUP: taste.workgroup,
        TAPS_Y: tapsY,
        TAPS_X: tapsX,
        STEP_Y: step(strideHeight, dilationHeight, tapsY),
        STEP_X: step(strideWidth, dilationWidth, tapsX),
      },
      params: { ...sizes(info), blocks_o: blocksO, blocks_c: blocksC, splits, tiles, split_tiles: splitTiles },
      bindings: { input: "input0", grad_out: "input1", output: "output" },
      ...work(info),
    },
    count,
    splits,
    limits,
  );
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
