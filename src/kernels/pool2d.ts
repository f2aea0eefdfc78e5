/** Wrappers of shaders/maxPool2d.wgsl, maxPool2dIndices.wgsl, maxPool2dGrad.wgsl and adaptiveMaxPool2dIndices.wgsl. */
import type { AdaptivePool2dInfo, Pool2dInfo } from "../ops/kernelInfo";
import adaptiveIndicesSource from "../../shaders/adaptiveMaxPool2dIndices.wgsl?raw";
import maxPool2dSource from "../../shaders/maxPool2d.wgsl?raw";
import maxPool2dGradSource from "../../shaders/maxPool2dGrad.wgsl?raw";
import maxPool2dIndicesSource from "../../shaders/maxPool2dIndices.wgsl?raw";
import { foldGrid } from "./grid";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type Kernel, type KernelLimits, type Pass, type Shader } from "./kernel";

const adaptiveIndicesShader: Shader = { name: "adaptiveMaxPool2dIndices", source: adaptiveIndicesSource };
const maxPool2dShader: Shader = { name: "maxPool2d", source: maxPool2dSource };
const maxPool2dGradShader: Shader = { name: "maxPool2dGrad", source: maxPool2dGradSource };
const maxPool2dIndicesShader: Shader = { name: "maxPool2dIndices", source: maxPool2dIndicesSource };

const WORKGROUP = 64;

/** Most steps of two nested loops that are written out: they bound the text, and the time to compile. */
const MOST_WRITTEN = 64;

/** Whether nested loops of so many steps are written out. */
const loops = (steps: number): { WRITTEN: number; LOOPED: number } =>
  steps <= MOST_WRITTEN ? { WRITTEN: 1, LOOPED: 0 } : { WRITTEN: 0, LOOPED: 1 };

/** Grid and constants of `rows` rows of `width` pixels, and the runs in a row. */
function runs(rows: number, width: number, limits: KernelLimits): Pick<Pass, "grid" | "consts"> & { runs: number } {
  const RUN_LENGTH = Math.min(heuristicsOf(limits).pool2d.run, width);
  const perRow = ceilDiv(width, RUN_LENGTH);
  return {
    grid: foldGrid(ceilDiv(rows * perRow, WORKGROUP), limits),
    consts: { WORKGROUP, RUN: RUN_LENGTH },
    runs: perRow,
  };
}

const sizes = (info: Pool2dInfo): Record<string, number> => ({
  planes: info.planes,
  height: info.height,
  width: info.width,
  out_height: info.outHeight,
  out_width: info.outWidth,
  stride_height: info.strideHeight,
  stride_width: info.strideWidth,
  pad_height: info.padHeight,
  pad_width: info.padWidth,
});

/** A pass over all windows: their largest pixels, or where these are. */
function windowPass(shader: Shader, info: Pool2dInfo, limits: KernelLimits): Omit<Pass, "bindings"> {
  const { planes, height, width, outHeight, outWidth, kernelHeight, kernelWidth } = info;
  const { grid, consts, runs: perRow } = runs(planes * outHeight, outWidth, limits);
  return {
    shader,
    grid,
    consts: {
      ...consts,
      ...loops(kernelHeight * kernelWidth),
      ...{ KERNEL_HEIGHT: kernelHeight, KERNEL_WIDTH: kernelWidth },
      ...{ DILATION_HEIGHT: info.dilationHeight, DILATION_WIDTH: info.dilationWidth },
    },
    params: { ...sizes(info), runs: perRow },
    flops: planes * outHeight * outWidth * kernelHeight * kernelWidth,
    bytes: 4 * planes * (height * width + outHeight * outWidth),
  };
}

export const maxPool2d: Kernel<Pool2dInfo> = {
  name: "maxPool2d",
  shaders: [maxPool2dShader],
  plan: (info, limits) => ({
    passes: [{ ...windowPass(maxPool2dShader, info, limits), bindings: { input: "input0", output: "output" } }],
  }),
};

export const maxPool2dIndices: Kernel<Pool2dInfo> = {
  name: "maxPool2dIndices",
  shaders: [maxPool2dIndicesShader],
  plan: (info, limits) => ({
    passes: [{ ...windowPass(maxPool2dIndicesShader, info, limits), bindings: { input: "input0", output: "output" } }],
  }),
};

export const maxPool2dGrad: Kernel<Pool2dInfo> = {
  name: "maxPool2dGrad",
  shaders: [maxPool2dGradShader, maxPool2dIndicesShader],
  plan(info, limits) {
    const { planes, height, width, outHeight, outWidth } = info;
    const coverY = ceilDiv((info.kernelHeight - 1) * info.dilationHeight + 1, info.strideHeight);
    const coverX = ceilDiv((info.kernelWidth - 1) * info.dilationWidth + 1, info.strideWidth);
    const { grid, consts, runs: perRow } = runs(planes * height, width, limits);
    const find = windowPass(maxPool2dIndicesShader, info, limits);
    const spread: Pass = {
      shader: maxPool2dGradShader,
      grid,
      consts: { ...consts, ...loops(coverY * coverX), COVER_Y: coverY, COVER_X: coverX },
      params: { ...sizes(info), runs: perRow },
      bindings: { indices: "scratch0", grad_out: "input0", output: "output" },
      flops: planes * height * width * coverY * coverX,
      bytes: 4 * planes * (height * width + 2 * outHeight * outWidth),
    };
    return {
      passes: [{ ...find, bindings: { input: "input1", output: "scratch0" } }, spread],
      scratch: [4 * planes * outHeight * outWidth],
    };
  },
};

export const adaptiveMaxPool2dIndices: Kernel<AdaptivePool2dInfo> = {
  name: "adaptiveMaxPool2dIndices",
  shaders: [adaptiveIndicesShader],
  plan({ planes, height, width, outHeight, outWidth }, limits) {
    const windows = planes * outHeight * outWidth;
    return {
      passes: [
        {
          shader: adaptiveIndicesShader,
          grid: foldGrid(ceilDiv(windows, WORKGROUP), limits),
          consts: { WORKGROUP },
          params: { planes, height, width, out_height: outHeight, out_width: outWidth },
          bindings: { input: "input0", output: "output" },
          flops: planes * height * width,
          bytes: 4 * (planes * height * width + windows),
        },
      ],
    };
  },
};
