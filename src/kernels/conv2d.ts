/** Wrappers of shaders/conv2d.wgsl, conv2dGradInput.wgsl (and its variant ...Taps.wgsl) and conv2dGradWeight.wgsl: which blocks, which grid, what they cost. */
import type { Conv2dInfo } from "../ops/kernelInfo";
import conv2dSource from "../../shaders/conv2d.wgsl?raw";
import gradInputSource from "../../shaders/conv2dGradInput.wgsl?raw";
import gradInputTapsSource from "../../shaders/conv2dGradInputTaps.wgsl?raw";
import gradWeightSource from "../../shaders/conv2dGradWeight.wgsl?raw";
import { foldGrid } from "./grid";
import { type Heuristics, heuristicsOf } from "./heuristics";
import { ceilDiv, type Kernel, type KernelLimits, type KernelPlan, type Pass, type Shader } from "./kernel";
import { conv2dTrial } from "./conv2dTrial";
import { type Partials, sumPartialsShader, withPartials } from "./sumPartials";

const conv2dShader: Shader = { name: "conv2d", source: conv2dSource };
const gradInputShader: Shader = { name: "conv2dGradInput", source: gradInputSource };
const gradInputTapsShader: Shader = { name: "conv2dGradInputTaps", source: gradInputTapsSource };
const gradWeightShader: Shader = { name: "conv2dGradWeight", source: gradWeightSource };

/** What an adapter wants: fat invocations in registers on software, many small ones on hardware. */
type Taste = Heuristics["conv2d"];

/**
 * Nanoseconds on the software adapter, for 4 invocations at once: a load, a multiply-add, what it takes more where a sum is
 * kept for one only, a store, and another dispatch. To compile a load or multiply-add takes `compile`, shared among the runs to come.
 */
const COST = {
  load: 9.5,
  share: 0.5,
  multiplyAdd: 1,
  spilled: 1,
  store: 40,
  dispatch: 12_000,
  compile: 340_000 / 35,
} as const;

/** Of the software adapter; the choice hardly depends on it. */
const CORES = 2;

/** One way to cut the work into invocations: what one of them does. */
interface Candidate {
  readonly block: Block;
  /** Whether the invocations of a subgroup share the loads of what lies in lanes. */
  readonly isShared: boolean;
  readonly invocations: number;
  readonly results: number;
  readonly turns: number;
  /** Loads and multiply-adds of a turn; how many of these a result takes in a row. `lanedLoads` may be shared. */
  readonly loads: number;
  readonly lanedLoads: number;
  readonly multiplyAdds: number;
  readonly chain: number;
  /** Dispatches; one by default. */
  readonly passes?: number;
}

function cost(candidate: Candidate, { busy }: Taste): number {
  const { invocations, results, turns, multiplyAdds, chain, passes = 1 } = candidate;
  const loads = loadsOf(candidate);
  const shares = candidate.isShared ? COST.share * candidate.lanedLoads : 0;
  const turn = COST.load * loads + shares + (COST.multiplyAdd + COST.spilled / chain) * multiplyAdds;
  const run = (turns === 1 ? 1 : turns + 1) * turn + COST.store * results; // SwiftShader runs a loop's body once more
  const launches = COST.dispatch * (passes - 1);
  return (Math.max(invocations, busy) / 4 / CORES) * run + launches + COST.compile * (loads + multiplyAdds);
}

const loadsOf = ({ loads, lanedLoads, isShared }: Candidate): number =>
  loads + (isShared ? lanedLoads / SUBGROUP : lanedLoads);

/** The cheapest of those that an adapter class allows, else the smallest. */
function cheapest<C extends Candidate>(candidates: readonly C[], taste: Taste): C {
  const written = (each: Candidate): number => loadsOf(each) + each.multiplyAdds;
  const allowed = candidates.filter((each) => each.results <= taste.results && written(each) <= taste.written);
  if (allowed.length === 0) return candidates.reduce((best, other) => (written(other) < written(best) ? other : best));
  return allowed.reduce((best, other) => (cost(other, taste) < cost(best, taste) ? other : best));
}

/** Channels of a block: of the side that lies in lanes, and of the other. Few sizes, since each is a pipeline of its own. */
const LANED_CHANNELS = [4, 8];
const CHANNELS = [1, 2, 4];

/** How many neighbours of `count` channels a value holds: 4, or 1 where most lanes would be idle, as in depthwise convolutions. */
const lanesFor = (count: number): 1 | 4 => (count > 2 ? 4 : 1);

/** Channels of a block in lanes. */
const lanedChannels = (count: number): readonly number[] => (lanesFor(count) === 4 ? LANED_CHANNELS : [count]);

/** Subgroups that the shaders know how to share loads in. */
const SUBGROUP = 4;

/** Whether invocations may share the loads of `count` channels: none does, or either. */
function sharings(count: number, limits: KernelLimits, variant?: string): boolean[] {
  const { workgroup } = heuristicsOf(limits).conv2d;
  const canShare = lanesFor(count) === 4 && limits.subgroupSize === SUBGROUP && workgroup === SUBGROUP;
  if (!canShare) return [false];
  return variant === undefined ? [false, true] : [variant.endsWith(SHARED)];
}

/** What the names of variants end in whose invocations share loads. */
const SHARED = " subgroup";
const nameOf = (shader: Shader, isShared: boolean): string => (isShared ? `${shader.name}${SHARED}` : shader.name);
/** Names of the variants of a shader whose lanes hold `count` channels. */
const namesOf = (shader: Shader, count: number, limits: KernelLimits): string[] =>
  sharings(count, limits).map((isShared) => nameOf(shader, isShared));

/** Invocations of `outer` times `inner` blocks, where those of a subgroup take the same of the outer ones. */
const countInvocations = (outer: number, inner: number, isShared: boolean): number =>
  outer * (isShared ? SUBGROUP * ceilDiv(inner, SUBGROUP) : inner);

/** Each invocation loads one of four channels, and has the other three from its subgroup. */
function sharedHoles(binding: "weight" | "grad_out"): Required<Pick<Pass, "aliases" | "hooks">> {
  const four = [0, 1, 2, 3].map((lane) => `subgroupBroadcast(value, ${lane}u)`).join(", ");
  return {
    aliases: { Places: "u32" },
    hooks: {
      channels_from: "fn channels_from(first: u32, last: u32, lane: u32) -> u32 { return min(first + lane, last); }",
      [`${binding}_at`]: `fn ${binding}_at(at: u32) -> vec4<f32> { let value = ${binding}[at]; return vec4(${four}); }`,
    },
  };
}

/** Of shaders whose subgroups take the same channels, and different pixels. */
const pixelHoles = (isShared: boolean): Record<string, string> =>
  isShared
    ? {
        channels_place: "fn channels_place(workgroup: u32, lane: u32) -> u32 { return workgroup; }",
        pixels_place: "fn pixels_place(rest: u32, lane: u32) -> u32 { return rest * WORKGROUP + lane; }",
      }
    : {};

/** The holes of a shader whose lanes hold `count` channels, read from `binding`; the file itself has four. */
function laneHoles(
  count: number,
  binding: "weight" | "grad_out",
  isShared = false,
): Required<Pick<Pass, "aliases" | "hooks">> {
  if (isShared) return sharedHoles(binding);
  if (lanesFor(count) === 4) return { aliases: {}, hooks: {} };
  return {
    aliases: { Lanes: "f32", Places: "u32" },
    hooks: {
      channels_from: "fn channels_from(first: u32, last: u32, lane: u32) -> u32 { return min(first, last); }",
      [`${binding}_at`]: `fn ${binding}_at(at: u32) -> f32 { return ${binding}[at]; }`,
      lane_of: "fn lane_of(value: f32, lane: u32) -> f32 { return value; }",
    },
  };
}

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
/** Most kernel rows and columns that are written out in one turn: of many channels, and where a turn has only one. */
const MOST_TAPS = 5;
const MOST_TAPS_DEPTHWISE = 7;

/** Kernel rows written out in one turn: all, unless they are many; or one where they lie apart. */
const taps = (kernel: number, dilation: number, most: number): number[] => {
  if (kernel > most) return [1];
  return kernel > 1 && (dilation > 1 || kernel > MOST_TAPS) ? [kernel, 1] : [kernel];
};
/** Distance of the input rows that a patch needs. */
const step = (block: number, stride: number, dilation: number, kernelTaps: number): number => {
  if (kernelTaps === 1) return stride;
  return block === 1 ? dilation : gcd(stride, dilation);
};
const patch = (block: number, stride: number, dilation: number, kernelTaps: number): number =>
  ((block - 1) * stride + (kernelTaps - 1) * dilation) / step(block, stride, dilation, kernelTaps) + 1;

/** Kernel rows and columns of one turn. */
interface Taps {
  readonly tapsY: number;
  readonly tapsX: number;
}

function tapChoices(info: Conv2dInfo): Taps[] {
  const most = lanesFor(info.outChannels / info.groups) === 1 ? MOST_TAPS_DEPTHWISE : MOST_TAPS;
  return taps(info.kernelHeight, info.dilationHeight, most).flatMap((tapsY) =>
    taps(info.kernelWidth, info.dilationWidth, most).map((tapsX) => ({ tapsY, tapsX })),
  );
}

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

function planForward(info: Conv2dInfo, limits: KernelLimits, variant?: string): KernelPlan {
  const taste = heuristicsOf(limits).conv2d;
  const { batch, groups, outHeight, outWidth, kernelHeight, kernelWidth } = info;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth } = info;
  const { inChannels, outChannels } = channels(info);
  const candidates = tapChoices(info).flatMap(({ tapsY, tapsX }) => {
    const depth = tapsY * tapsX === 1 ? gcd(inChannels, 4) : 1;
    const chain = depth * tapsY * tapsX;
    return blocks(lanedChannels(outChannels), TILES, TILES).flatMap((block) => {
      const { c, y, x } = block;
      const inputs = patch(y, strideHeight, dilationHeight, tapsY) * patch(x, strideWidth, dilationWidth, tapsX);
      const outer = groups * ceilDiv(outChannels, c);
      const inner = batch * ceilDiv(outHeight, y) * ceilDiv(outWidth, x);
      return sharings(outChannels, limits, variant).map((isShared): Candidate & Taps & { depth: number } => ({
        ...{ block, isShared, tapsY, tapsX, depth, chain },
        invocations: countInvocations(outer, inner, isShared),
        results: c * y * x,
        turns: (inChannels * kernelHeight * kernelWidth) / chain,
        loads: depth * inputs,
        lanedLoads: c * chain,
        multiplyAdds: c * y * x * chain,
      }));
    });
  });
  const { block, isShared, invocations, turns, tapsY, tapsX, depth } = cheapest(candidates, taste);
  const holes = laneHoles(outChannels, "weight", isShared);
  const pass: Pass = {
    shader: conv2dShader,
    grid: foldGrid(ceilDiv(invocations, taste.workgroup), limits),
    consts: {
      ...geometry(info),
      WORKGROUP: taste.workgroup,
      ...{ LANES: lanesFor(outChannels), BLOCK_L: block.c / lanesFor(outChannels), BLOCK_Y: block.y, BLOCK_X: block.x },
      ...{ DEPTH: depth, ONE_TURN: turns === 1 ? 1 : 0, TAPS_Y: tapsY, TAPS_X: tapsX },
      STEP_Y: step(block.y, strideHeight, dilationHeight, tapsY),
      STEP_X: step(block.x, strideWidth, dilationWidth, tapsX),
    },
    aliases: holes.aliases,
    hooks: { ...holes.hooks, ...pixelHoles(isShared) },
    params: { ...sizes(info), batch, ...countBlocks(block, outChannels, outHeight, outWidth) },
    bindings: { input: "input0", weight: "input1", output: "output" },
    ...work(info),
  };
  return { passes: [pass], variant: nameOf(conv2dShader, isShared) };
}

/** Most kernel taps and pixels of a stride whose meetings are written out. */
const MOST_MEETINGS = { taps: 49, pixels: 16 } as const;

/** Whether the taps of a kernel are few and close enough to be written out for every pixel that they reach. */
const isCompact = (info: Conv2dInfo): boolean =>
  info.kernelHeight * info.kernelWidth <= MOST_MEETINGS.taps &&
  info.strideHeight * info.strideWidth <= MOST_MEETINGS.pixels &&
  (info.kernelHeight === 1 || info.dilationHeight === 1) &&
  (info.kernelWidth === 1 || info.dilationWidth === 1);

function planGradInput(info: Conv2dInfo, limits: KernelLimits, variant?: string): KernelPlan {
  const isWritten = variant === undefined ? isCompact(info) : variant !== gradInputTapsShader.name;
  return isWritten ? planWrittenGradInput(info, limits, variant) : planGradInputTaps(info, limits);
}

function planGradInputTaps(info: Conv2dInfo, limits: KernelLimits): KernelPlan {
  const { workgroup, cells: most } = heuristicsOf(limits).conv2d;
  const { batch, groups, height, width, strideHeight, strideWidth } = info;
  const { inChannels } = channels(info);
  const [rows, columns] = [ceilDiv(height, strideHeight), ceilDiv(width, strideWidth)]; // that share their taps
  const cells: Block = {
    c: lanesFor(inChannels) === 1 ? inChannels : Math.min(most.c, 4 * ceilDiv(inChannels, 4)),
    y: Math.min(most.y, rows),
    x: Math.min(most.x, columns),
  };
  const blockCounts = {
    blocks_c: ceilDiv(inChannels, cells.c),
    blocks_y: ceilDiv(rows, cells.y) * strideHeight,
    blocks_x: ceilDiv(columns, cells.x) * strideWidth,
  };
  const invocations = batch * groups * blockCounts.blocks_c * blockCounts.blocks_y * blockCounts.blocks_x;
  const pass: Pass = {
    shader: gradInputTapsShader,
    grid: foldGrid(ceilDiv(invocations, workgroup), limits),
    consts: {
      ...geometry(info),
      ...{ WORKGROUP: workgroup, LANES: lanesFor(inChannels), BLOCK_L: cells.c / lanesFor(inChannels) },
      ...{ CELLS_Y: cells.y, CELLS_X: cells.x },
      TAP_STEP_Y: strideHeight / gcd(strideHeight, info.dilationHeight),
      TAP_STEP_X: strideWidth / gcd(strideWidth, info.dilationWidth),
    },
    ...laneHoles(inChannels, "weight"),
    params: { ...sizes(info), batch, ...blockCounts },
    bindings: { grad_out: "input0", weight: "input1", output: "output" },
    ...work(info),
  };
  return { passes: [pass] };
}

function planWrittenGradInput(info: Conv2dInfo, limits: KernelLimits, variant?: string): KernelPlan {
  const taste = heuristicsOf(limits).conv2d;
  const { batch, groups, kernelHeight, kernelWidth, strideHeight, strideWidth } = info;
  const { inChannels, outChannels } = channels(info);
  const kernel = kernelHeight * kernelWidth;
  const depth = kernel === 1 ? gcd(outChannels, 4) : 1;
  const reachY = ceilDiv((kernelHeight - 1) * info.dilationHeight, strideHeight);
  const reachX = ceilDiv((kernelWidth - 1) * info.dilationWidth, strideWidth);
  const rows = info.height + (info.padHeight % strideHeight); // blocks start at a multiple of the stride
  const columns = info.width + (info.padWidth % strideWidth);
  const candidates = blocks(lanedChannels(inChannels), TILES, TILES).flatMap((cells) => {
    const block = { c: cells.c, y: cells.y * strideHeight, x: cells.x * strideWidth };
    const outer = groups * ceilDiv(inChannels, block.c);
    const inner = batch * ceilDiv(rows, block.y) * ceilDiv(columns, block.x);
    return sharings(inChannels, limits, variant).map((isShared): Candidate => ({
      ...{ block, isShared },
      invocations: countInvocations(outer, inner, isShared),
      results: block.c * block.y * block.x,
      turns: outChannels / depth,
      loads: depth * (reachY + cells.y) * (reachX + cells.x),
      lanedLoads: depth * block.c * kernel,
      multiplyAdds: depth * block.c * cells.y * cells.x * kernel,
      chain: Math.max(1, (depth * kernel) / (strideHeight * strideWidth)),
    }));
  });
  const { block, isShared, invocations } = cheapest(candidates, taste);
  const holes = laneHoles(inChannels, "weight", isShared);
  const pass: Pass = {
    shader: gradInputShader,
    grid: foldGrid(ceilDiv(invocations, taste.workgroup), limits),
    consts: {
      ...geometry(info),
      WORKGROUP: taste.workgroup,
      ...{ LANES: lanesFor(inChannels), BLOCK_L: block.c / lanesFor(inChannels), BLOCK_Y: block.y, BLOCK_X: block.x },
      ...{ DEPTH: depth, REACH_Y: reachY, REACH_X: reachX },
    },
    aliases: holes.aliases,
    hooks: { ...holes.hooks, ...pixelHoles(isShared) },
    params: { ...sizes(info), batch, ...countBlocks(block, inChannels, rows, columns) },
    bindings: { grad_out: "input0", weight: "input1", output: "output" },
    ...work(info),
  };
  return { passes: [pass], variant: nameOf(gradInputShader, isShared) };
}

/** Where sums of channels go: nowhere, to their own output, or behind the partial sums of the weights. */
function biasHoles({ parts, restCount }: Required<Partials>): { isBound: boolean; hooks: Record<string, string> } {
  if (restCount > 0 && parts === 1) return { isBound: true, hooks: {} };
  const body =
    restCount === 0
      ? ""
      : "output[params.splits * params.groups * params.out_channels * params.in_channels * KERNEL_HEIGHT * KERNEL_WIDTH + " +
        "split * params.groups * params.out_channels + channel] = value;";
  return {
    isBound: false,
    hooks: { store_bias: `fn store_bias(value: f32, channel: u32, split: u32) { ${body} }` },
  };
}

/** Places of invocations whose subgroup takes the same out channels, and different taps and in channels. */
const TAP_PLACES = {
  outer_place:
    "fn outer_place(workgroup: u32, lane: u32, inner: u32) -> u32 { return workgroup / ((inner + WORKGROUP - 1u) / WORKGROUP); }",
  inner_place:
    "fn inner_place(workgroup: u32, lane: u32, inner: u32) -> u32 " +
    "{ return workgroup % ((inner + WORKGROUP - 1u) / WORKGROUP) * WORKGROUP + lane; }",
  invocations_of:
    "fn invocations_of(inner: u32, outer: u32) -> u32 { return outer * ((inner + WORKGROUP - 1u) / WORKGROUP) * WORKGROUP; }",
} as const;

function planGradWeight(info: Conv2dInfo, limits: KernelLimits, variant?: string): KernelPlan {
  const taste = heuristicsOf(limits).conv2d;
  const { batch, groups, outHeight, outWidth, kernelHeight, kernelWidth } = info;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth } = info;
  const { inChannels, outChannels } = channels(info);
  const kernel = kernelHeight * kernelWidth;
  const divisors = (size: number): number[] => TILES.filter((tile) => size % tile === 0);
  const tiled = lanedChannels(outChannels).flatMap((o) =>
    blocks(CHANNELS, divisors(outHeight), divisors(outWidth)).map((block) => ({ o, block })),
  );
  const candidates = tapChoices(info).flatMap(({ tapsY, tapsX }) =>
    tiled.flatMap(({ o, block }): (Candidate & Taps & { o: number; splits: number })[] => {
      const { c, y, x } = block;
      const tapCount = tapsY * tapsX;
      const inputs = patch(y, strideHeight, dilationHeight, tapsY) * patch(x, strideWidth, dilationWidth, tapsX);
      const outer = groups * ceilDiv(outChannels, o);
      const inner = ceilDiv(inChannels, c) * (kernel / tapCount);
      const parts = outer * inner;
      const tiles = Math.max(1, (batch * outHeight * outWidth) / (y * x)); // an empty batch still writes its zeros
      const most = Math.max(1, Math.min(tiles, Math.floor(taste.busy / parts)));
      return [...new Set([1, most])].flatMap((wanted) => {
        const perSplit = ceilDiv(tiles, wanted);
        const splits = ceilDiv(tiles, perSplit);
        return sharings(outChannels, limits, variant).map((isShared) => ({
          ...{ block, o, splits, tapsY, tapsX, isShared },
          invocations: countInvocations(outer * splits, inner, isShared),
          results: o * c * tapCount,
          turns: perSplit,
          loads: c * inputs,
          lanedLoads: o * y * x,
          multiplyAdds: o * c * tapCount * y * x,
          chain: y * x,
          passes: splits > 1 ? 2 : 1,
        }));
      });
    }),
  );
  const { block, o, splits, isShared, invocations, turns, tapsY, tapsX } = cheapest(candidates, taste);
  const partials = {
    count: info.outChannels * inChannels * kernel,
    parts: splits,
    restCount: info.hasBias ? info.outChannels : 0,
  };
  const bias = biasHoles(partials);
  const holes = laneHoles(outChannels, "grad_out", isShared);
  const pass: Pass = {
    shader: gradWeightShader,
    grid: foldGrid(ceilDiv(invocations + splits * partials.restCount, taste.workgroup), limits),
    consts: {
      ...geometry(info),
      WORKGROUP: taste.workgroup,
      ...{
        LANES: lanesFor(outChannels),
        BLOCK_L: o / lanesFor(outChannels),
        BLOCK_C: block.c,
        TILE_Y: block.y,
        TILE_X: block.x,
        TAPS_Y: tapsY,
        TAPS_X: tapsX,
      },
      STEP_Y: step(block.y, strideHeight, dilationHeight, tapsY),
      STEP_X: step(block.x, strideWidth, dilationWidth, tapsX),
      HAS_BIAS: info.hasBias ? 1 : 0,
    },
    aliases: holes.aliases,
    hooks: { ...holes.hooks, ...(isShared ? TAP_PLACES : {}), ...bias.hooks },
    unbound: bias.isBound ? [] : ["grad_bias"],
    params: {
      ...sizes(info),
      ...{ blocks_o: ceilDiv(outChannels, o), blocks_c: ceilDiv(inChannels, block.c) },
      ...{ splits, tiles: (batch * outHeight * outWidth) / (block.y * block.x), split_tiles: turns },
    },
    bindings: {
      ...{ input: "input0", grad_out: "input1", output: "output" },
      ...(bias.isBound && { grad_bias: "output1" as const }),
    },
    ...work(info),
  };
  return { ...withPartials(pass, partials, limits), variant: nameOf(gradWeightShader, isShared) };
}

export const conv2d: Kernel<Conv2dInfo> = {
  name: "conv2d",
  shaders: [conv2dShader],
  variants: (info, limits) => namesOf(conv2dShader, channels(info).outChannels, limits),
  trial: conv2dTrial("gradOut", ["input", "weight"]),
  plan: planForward,
};

export const conv2dGradInput: Kernel<Conv2dInfo> = {
  name: "conv2dGradInput",
  shaders: [gradInputShader, gradInputTapsShader],
  variants: (info, limits) => [
    ...(isCompact(info) ? namesOf(gradInputShader, channels(info).inChannels, limits) : []),
    gradInputTapsShader.name,
  ],
  trial: conv2dTrial("input", ["gradOut", "weight"]),
  plan: planGradInput,
};

export const conv2dGradWeight: Kernel<Conv2dInfo> = {
  name: "conv2dGradWeight",
  shaders: [gradWeightShader, sumPartialsShader],
  variants: (info, limits) => namesOf(gradWeightShader, channels(info).outChannels, limits),
  trial: conv2dTrial("weight", ["input", "gradOut"]),
  plan: planGradWeight,
};
