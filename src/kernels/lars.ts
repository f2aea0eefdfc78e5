/** Wrapper of shaders/larsNorms.wgsl, larsTrust.wgsl and lars.wgsl: norms by block, factors by parameter, then the update. */

import type { LarsInfo } from "../ops/kernelInfo";
import larsSource from "../../shaders/lars.wgsl?raw";
import normsSource from "../../shaders/larsNorms.wgsl?raw";
import trustSource from "../../shaders/larsTrust.wgsl?raw";
import { foldGrid } from "./grid";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type Kernel, type KernelLimits, type Pass, type Shader } from "./kernel";
import { arenaPass, inOrder, updateLibs as libs } from "./update";

const updateShader: Shader = { name: "lars", source: larsSource, libs };
const normsShader: Shader = { name: "larsNorms", source: normsSource, libs };
const trustShader: Shader = { name: "larsTrust", source: trustSource, libs };

/** Elements of a block. */
const BLOCK = 64;

function normsPass(count: number, limits: KernelLimits): Pass {
  const { workgroup, lanes } = heuristicsOf(limits).lars;
  const blocks = count / BLOCK;
  return {
    shader: normsShader,
    grid: foldGrid(ceilDiv(blocks * lanes, workgroup), limits),
    consts: { WORKGROUP: workgroup, LANES: lanes },
    params: { blocks },
    bindings: {
      ...{ param: "input0", grad: "input1", blocks: "input3", segments: "input4", ranges: "input5" },
      ...{ sums: "scratch0", groups: "input6" },
    },
    flops: 6 * count,
    bytes: 8 * count,
  };
}

function trustPass({ count, segments }: LarsInfo, limits: KernelLimits): Pass {
  return {
    shader: trustShader,
    grid: foldGrid(segments, limits),
    consts: { WORKGROUP: heuristicsOf(limits).lars.workgroup },
    params: { segments },
    bindings: {
      ...{ sums: "scratch0", segments: "input4", ranges: "input5" },
      ...{ trusts: "scratch1", groups: "input6" },
    },
    flops: (2 * count) / BLOCK,
    bytes: (8 * count) / BLOCK,
  };
}

export const lars: Kernel<LarsInfo> = {
  name: "lars",
  shaders: [updateShader, normsShader, trustShader],
  plan(info, limits) {
    const { count, segments } = info;
    const { ranges: _, ...bindings } = inOrder(["param", "grad", "mu", "blocks", "segments", "ranges", "groups"]);
    const update = arenaPass(updateShader, count, limits, {
      flops: 7,
      bytes: 20,
      bindings: { ...bindings, trusts: "scratch1" },
    });
    return {
      passes: [normsPass(count, limits), trustPass(info, limits), update],
      scratch: [(8 * count) / BLOCK, 4 * segments],
    };
  },
};
