/** Wrapper of shaders/topk.wgsl (k scans) and of the radix select and merge sort in shaders/topk*.wgsl. */
import type { TopkInfo } from "../ops/kernelInfo";
import collectSource from "../../shaders/topkCollect.wgsl?raw";
import histogramSource from "../../shaders/topkHistogram.wgsl?raw";
import pickSource from "../../shaders/topkPick.wgsl?raw";
import topkSource from "../../shaders/topk.wgsl?raw";
import { foldGrid } from "./grid";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type Kernel, type KernelLimits, type KernelPlan, type Pass, type Shader } from "./kernel";
import { keyHoles, mergePasses, type MergeBuffers, mergeShader, sortKeyLibs } from "./sort";

const libs = sortKeyLibs;
const scanShader: Shader = { name: "topk", source: topkSource, libs };
const histogramShader: Shader = { name: "topkHistogram", source: histogramSource, libs };
const pickShader: Shader = { name: "topkPick", source: pickSource };
const collectShader: Shader = { name: "topkCollect", source: collectSource, libs };

/** The most chunks that one invocation should add up. */
const MAX_CHUNKS = 64;
const MIN_CHUNK = 256;
/** Bits of a digit; shaders/topkHistogram.wgsl knows it too. */
const DIGIT = 8;
const DIGITS = 1 << DIGIT;
/** A radix select reads a row about this many times. */
const SCANS_OF_SELECT = 12;

/** The indices by k scans of each row. */
function planScan({ rows, n, k, largest, dtype }: TopkInfo, limits: KernelLimits): KernelPlan {
  const { workgroup } = heuristicsOf(limits).topk;
  const pass: Pass = {
    shader: scanShader,
    grid: foldGrid(ceilDiv(rows, workgroup), limits),
    consts: { WORKGROUP: workgroup },
    ...keyHoles(dtype),
    params: { rows, n, k, flip: largest ? 0 : 0xffffffff },
    bindings: { input: "input0", output: "output" },
    flops: rows * n * k,
    bytes: 4 * rows * (n * k + k),
  };
  return { passes: [pass] };
}

/** The k-th key of each row digit by digit, its winners collected by index, then sorted. */
function planSelect({ rows, n, k, largest, dtype }: TopkInfo, limits: KernelLimits, chunks: number): KernelPlan {
  const { workgroup } = heuristicsOf(limits).topk;
  const consts = { WORKGROUP: workgroup };
  const chunk = ceilDiv(n, chunks);
  const flip = largest ? 0 : 0xffffffff;
  const [thresholds, tallies, histograms] = ["scratch0", "scratch1", "scratch2"] as const;
  const buffers: MergeBuffers = { keys: ["scratch3", "scratch4"], places: ["scratch5", "scratch6"] };
  const perChunk = foldGrid(ceilDiv(rows * chunks, workgroup), limits);
  const cost = { flops: rows * n, bytes: 4 * rows * n };

  const turns = [24, 16, 8, 0].flatMap((shift): Pass[] => {
    const mask = shift + DIGIT === 32 ? 0 : (0xffffffff << (shift + DIGIT)) >>> 0;
    return [
      {
        shader: histogramShader,
        grid: perChunk,
        consts,
        ...keyHoles(dtype),
        params: { rows, n, chunk, chunks, flip, shift, mask },
        bindings: { input: "input0", thresholds, histograms },
        ...cost,
      },
      {
        shader: pickShader,
        grid: foldGrid(ceilDiv(rows, workgroup), limits),
        consts,
        params: { rows, k, chunks, shift, mask },
        bindings: { histograms, thresholds, tallies },
        flops: rows * chunks * DIGITS,
        bytes: 4 * rows * chunks * DIGITS,
      },
    ];
  });
  const collect: Pass = {
    shader: collectShader,
    grid: perChunk,
    consts,
    ...keyHoles(dtype),
    params: { rows, n, k, chunk, chunks, flip },
    bindings: { input: "input0", thresholds, tallies, keys: "scratch3", output: k === 1 ? "output" : "scratch5" },
    ...cost,
  };
  const sort = mergePasses({ rows, n: k, run: 1 }, buffers, limits);
  const pairs = 4 * rows * k;
  return {
    passes: [...turns, collect, ...sort],
    scratch: [8 * rows, 8 * rows * chunks, 4 * DIGITS * rows * chunks, pairs, pairs, pairs, pairs],
  };
}

export const topk: Kernel<TopkInfo> = {
  name: "topk",
  shaders: [scanShader, histogramShader, pickShader, collectShader, mergeShader],
  plan(info, limits, variant) {
    const { rows, n, k } = info;
    const wanted = ceilDiv(heuristicsOf(limits).topk.busy, rows);
    const chunks = Math.max(1, Math.min(wanted, MAX_CHUNKS, Math.floor(n / MIN_CHUNK)));
    const fits = 4 * DIGITS * rows * chunks <= limits.maxStorageBufferBindingSize;
    const scan =
      variant === "topk" || (variant !== "topkHistogram" && (!fits || (k <= SCANS_OF_SELECT && chunks === 1)));
    return scan ? planScan(info, limits) : planSelect(info, limits, chunks);
  },
};
