/** All kernel families by name. The only folder that imports `.wgsl`. */
import type { KernelInfoMap } from "../ops/kernelInfo";
import { augment } from "./augment";
import { clipFactor, clipGradNorm, clipGradValue, gradNorm } from "./clip";
import { contrast, contrastMean } from "./contrast";
import { conv2d, conv2dGradInput, conv2dGradWeight } from "./conv2d";
import type { Kernel } from "./kernel";
import { lars } from "./lars";
import { matmul } from "./matmul";
import { adaptiveMaxPool2dIndices, maxPool2d, maxPool2dGrad, maxPool2dIndices } from "./pool2d";
import { scan } from "./scan";
import { scatter } from "./scatter";
import { sort } from "./sort";
import { topk } from "./topk";
import { adam, ema, momentumSgd, momentumSgdEma, rmsProp } from "./update";

export const KERNELS: { readonly [N in keyof KernelInfoMap]: Kernel<KernelInfoMap[N]> } = {
  matmul,
  conv2d,
  conv2dGradInput,
  conv2dGradWeight,
  maxPool2d,
  maxPool2dGrad,
  maxPool2dIndices,
  adaptiveMaxPool2dIndices,
  topk,
  sort,
  scan,
  scatter,
  augment,
  contrast,
  contrastMean,
  momentumSgd,
  ema,
  momentumSgdEma,
  adam,
  rmsProp,
  lars,
  gradNorm,
  clipFactor,
  clipGradNorm,
  clipGradValue,
};
