/** Wrapper of shaders/augment.wgsl: a workgroup a sample, and a second copy of the output where there is a blur. */
import type { AugmentInfo } from "../ops/kernelInfo";
import augmentSource from "../../shaders/augment.wgsl?raw";
import { foldGrid } from "./grid";
import { heuristicsOf } from "./heuristics";
import type { Kernel, Pass, Shader } from "./kernel";
import { LIBRARIES } from "./libraries";

const shader: Shader = { name: "augment", source: augmentSource, libs: LIBRARIES };

/** Operations a pixel of a channel: of the crop and of the colours; of a blur, a tap in each direction. */
const FLOPS = 40;
const FLOPS_PER_TAP = 4;

/** One number a channel, as three fields. */
const fields = (name: string, [first, ...others]: readonly number[]): Record<string, number> =>
  Object.fromEntries([0, 1, 2].map((c) => [`${name}${c}`, c === 0 ? first! : (others[c - 1] ?? first!)]));

export const augment: Kernel<AugmentInfo> = {
  name: "augment",
  shaders: [shader],
  rereadsOutput: true,
  plan(info, limits) {
    const { n, count, channels, height, width, outHeight, outWidth, taps, isGrayFirst, isSubpixel } = info;
    const { offset, stride } = info.parameters ?? { offset: 0, stride: info.columns };
    const pixels = n * channels * outHeight * outWidth;
    const isBlurring = taps > 1;
    const pass: Pass = {
      shader,
      grid: foldGrid(n, limits),
      consts: {
        ...{ WORKGROUP: heuristicsOf(limits).augment.workgroup, CHANNELS: channels, TAPS: taps },
        SUBPIXEL: Number(isSubpixel),
      },
      params: {
        ...{ n, count, height, width, out_height: outHeight, out_width: outWidth, reciprocal: 1 / outWidth },
        ...{ offset, stride, gray_first: Number(isGrayFirst) },
        ...fields("mean", info.mean),
        ...fields("std", info.std),
      },
      bindings: {
        ...{ images: "input0", index: "input1", parameters: "input2" },
        ...{ output: "output", scratch: "scratch0" },
      },
      flops: pixels * (FLOPS + (isBlurring ? FLOPS_PER_TAP * taps : 0)),
      bytes: pixels * (isBlurring ? 28 : 16), // written and read again, with four bytes of an image
    };
    return { passes: [pass], scratch: [isBlurring ? 4 * pixels : 4] };
  },
};
