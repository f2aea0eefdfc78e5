/**
 * 2-d convolution and its two gradients. Each is bilinear, and the gradients of each are the other two,
 * so convolutions can be differentiated any number of times.
 */

import { ShapeError } from "../errors";
import type { HostArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sameShape, type Shape, showShape } from "../graph/shape";
import { checkDType, checkRank, checkSameDType } from "./check";
import { multiplyAdd, transposed } from "./gemm";
import type { Conv2dInfo } from "./kernelInfo";
import { apply, defineOp } from "./op";
import { type Pair, windowsAlong } from "./planes";
import { FLOAT } from "./pointwise";
import { toF64 } from "./strided";

export type ConvAttrs = {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
};

/** Geometry of a convolution from the shapes of its input and weight. */
function convInfo(
  op: string,
  input: Shape,
  weight: Shape,
  { stride, padding, dilation, groups }: ConvAttrs,
): Conv2dInfo {
  const [batch, inChannels, height, width] = input as [number, number, number, number];
  const [outChannels, channelsPerGroup, kernelHeight, kernelWidth] = weight as [number, number, number, number];
  if (channelsPerGroup * groups !== inChannels || outChannels % groups !== 0) {
    throw new ShapeError(
      `${op}: weight must be [outChannels, inChannels / groups, h, w] with outChannels a multiple of groups, ` +
        `got weight ${showShape(weight)}, input ${showShape(input)}, groups ${groups}. Check the number of channels.`,
    );
  }
  const outHeight = windowsAlong(height, kernelHeight, stride[0], padding[0], dilation[0]);
  const outWidth = windowsAlong(width, kernelWidth, stride[1], padding[1], dilation[1]);
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError(
      `${op}: the kernel must fit into the padded input, got weight ${showShape(weight)}, input ${showShape(input)}, ` +
        `padding ${showShape(padding)}. Add padding or use a smaller kernel.`,
    );
  }
  return {
    batch,
    inChannels,
    height,
    width,
    outChannels,
    outHeight,
    outWidth,
    kernelHeight,
    kernelWidth,
    strideHeight: stride[0],
    strideWidth: stride[1],
    padHeight: padding[0],
    padWidth: padding[1],
    dilationHeight: dilation[0],
    dilationWidth: dilation[1],
    groups,
  };
}

const outputShape = ({ batch, outChannels, outHeight, outWidth }: Conv2dInfo): Shape => [
  batch,
  outChannels,
  outHeight,
  outWidth,
];

function checkOperands(op: string, nodes: readonly Node[], names: readonly [string, string]): void {
  checkDType(op, nodes, FLOAT);
  checkSameDType(op, nodes);
  nodes.forEach((node, i) =>
    checkRank(op, names[i]!, node, 4, names[i] === "weight" ? "[out, in, h, w]" : "[n, c, h, w]"),
  );
}

function checkGradOut(op: string, gradOut: Node, info: Conv2dInfo): void {
  if (sameShape(gradOut.shape, outputShape(info))) return;
  throw new ShapeError(
    `${op}: gradOut must have the shape of the output, got ${showShape(gradOut.shape)} for ${showShape(outputShape(info))}. Check the attributes.`,
  );
}

// --- loops -----------------------------------------------------------------------------------------------------------

/** Sizes of the matrices of one group: weights `[rows, taps]`, windows `[taps, places]`, outputs `[rows, places]`. */
interface GroupSizes {
  readonly rows: number;
  readonly taps: number;
  readonly places: number;
}

const groupSizes = (info: Conv2dInfo): GroupSizes => ({
  rows: info.outChannels / info.groups,
  taps: (info.inChannels / info.groups) * info.kernelHeight * info.kernelWidth,
  places: info.outHeight * info.outWidth,
});

/** Outputs along one dimension whose window element at `offset` lies inside the input: `low <= i < high`. */
function insideRange(count: number, size: number, stride: number, offset: number): { low: number; high: number } {
  const low = Math.max(0, Math.ceil(-offset / stride));
  return { low, high: Math.max(low, Math.min(count, Math.floor((size - 1 - offset) / stride) + 1)) };
}

/**
 * Calls `run` for every run of window elements that lie inside the input: `length` of them, from `window` on in the
 * `[taps, places]` matrix of windows, and from `input` on in the group's planes, a stride apart.
 */
function forEachRun(info: Conv2dInfo, run: (window: number, input: number, length: number) => void): void {
  const { height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideHeight, strideWidth } = info;
  let tap = 0;
  for (let c = 0; c < info.inChannels / info.groups; c++) {
    for (let ky = 0; ky < kernelHeight; ky++) {
      const dy = ky * info.dilationHeight - info.padHeight;
      const rows = insideRange(outHeight, height, strideHeight, dy);
      for (let kx = 0; kx < kernelWidth; kx++, tap++) {
        const dx = kx * info.dilationWidth - info.padWidth;
        const { low, high } = insideRange(outWidth, width, strideWidth, dx);
        for (let oy = rows.low; oy < rows.high; oy++) {
          const inputRow = (c * height + oy * strideHeight + dy) * width;
          run((tap * outHeight + oy) * outWidth + low, inputRow + low * strideWidth + dx, high - low);
        }
      }
    }
  }
}

/** The windows of one group of an image as a matrix `[taps, places]`, 0 where a window reaches past the edge. */
function gatherWindows(windows: Float64Array, x: Float64Array, start: number, info: Conv2dInfo): void {
  const stride = info.strideWidth;
  windows.fill(0);
  forEachRun(info, (window, input, length) => {
    for (let i = 0, p = start + input; i < length; i++, p += stride) windows[window + i] = x[p]!;
  });
}

/** The transpose: adds the windows to the places that they were taken from. */
function scatterWindows(x: Float64Array, start: number, windows: Float64Array, info: Conv2dInfo): void {
  const stride = info.strideWidth;
  forEachRun(info, (window, input, length) => {
    for (let i = 0, p = start + input; i < length; i++, p += stride) x[p]! += windows[window + i]!;
  });
}

/** Calls `visit` for each group of each image, with where it starts in the input, the weight and the output. */
function forEachGroup(info: Conv2dInfo, visit: (input: number, weight: number, output: number) => void): void {
  const { rows, taps, places } = groupSizes(info);
  const inputSize = (info.inChannels / info.groups) * info.height * info.width;
  for (let n = 0; n < info.batch; n++) {
    for (let group = 0; group < info.groups; group++) {
      const index = n * info.groups + group;
      visit(index * inputSize, group * rows * taps, index * rows * places);
    }
  }
}

// output = weight @ windows
function evaluateConv(input: HostArray, weight: HostArray, output: HostArray, info: Conv2dInfo): void {
  const { rows, taps, places } = groupSizes(info);
  const [x, w] = [toF64(input.data), toF64(weight.data)];
  const windows = new Float64Array(taps * places);
  const out = new Float64Array(output.data.length);
  forEachGroup(info, (inputStart, weightStart, outStart) => {
    gatherWindows(windows, x, inputStart, info);
    multiplyAdd({ out, outStart, a: w, aStart: weightStart, b: windows, bStart: 0 }, rows, places, taps);
  });
  output.data.set(out);
}

// windows of gradInput = weight^T @ gradOut
function evaluateGradInput(gradOut: HostArray, weight: HostArray, output: HostArray, info: Conv2dInfo): void {
  const { rows, taps, places } = groupSizes(info);
  const [g, w] = [toF64(gradOut.data), toF64(weight.data)];
  const weights = new Map<number, Float64Array>();
  const windows = new Float64Array(taps * places);
  const gradInput = new Float64Array(output.data.length);
  forEachGroup(info, (inputStart, weightStart, outStart) => {
    let turned = weights.get(weightStart);
    if (!turned) weights.set(weightStart, (turned = transposed(w, weightStart, rows, taps)));
    windows.fill(0);
    multiplyAdd({ out: windows, outStart: 0, a: turned, aStart: 0, b: g, bStart: outStart }, taps, places, rows);
    scatterWindows(gradInput, inputStart, windows, info);
  });
  output.data.set(gradInput);
}

// gradWeight = gradOut @ windows^T, summed over images
function evaluateGradWeight(input: HostArray, gradOut: HostArray, output: HostArray, info: Conv2dInfo): void {
  const { rows, taps, places } = groupSizes(info);
  const [x, g] = [toF64(input.data), toF64(gradOut.data)];
  const windows = new Float64Array(taps * places);
  const gradWeight = new Float64Array(output.data.length);
  forEachGroup(info, (inputStart, weightStart, outStart) => {
    gatherWindows(windows, x, inputStart, info);
    const turned = transposed(windows, 0, taps, places);
    multiplyAdd(
      { out: gradWeight, outStart: weightStart, a: g, aStart: outStart, b: turned, bStart: 0 },
      rows,
      taps,
      places,
    );
  });
  output.data.set(gradWeight);
}

// --- ops -------------------------------------------------------------------------------------------------------------

/** Inputs: input `[n, c, h, w]`, weight `[o, c / groups, kh, kw]`. */
export const conv2dOp = defineOp<ConvAttrs>({
  name: "conv2d",
  infer([input, weight], attrs) {
    checkOperands("conv2d", [input!, weight!], ["input", "weight"]);
    return { shape: outputShape(convInfo("conv2d", input!.shape, weight!.shape, attrs)), dtype: input!.dtype };
  },
  evaluate: ([input, weight], output, attrs) =>
    evaluateConv(input!, weight!, output, convInfo("conv2d", input!.shape, weight!.shape, attrs)),
  vjp: (gradOut, { inputs: [input, weight], attrs, needs }) => [
    needs[0] ? conv2dGradInput(gradOut, weight!, input!.shape, attrs) : null,
    needs[1] ? conv2dGradWeight(input!, gradOut, weight!.shape, attrs) : null,
  ],
  lowering: {
    kind: "kernel",
    call: ({ inputs: [input, weight], attrs }) => ({
      kernel: "conv2d",
      info: convInfo("conv2d", input!.shape, weight!.shape, attrs as unknown as ConvAttrs),
    }),
  },
});

type GradInputAttrs = ConvAttrs & { readonly inputShape: Shape };

/** Inputs: gradOut `[n, o, oh, ow]`, weight. Output: gradInput. */
export const conv2dGradInputOp = defineOp<GradInputAttrs>({
  name: "conv2dGradInput",
  infer([gradOut, weight], attrs) {
    checkOperands("conv2dGradInput", [gradOut!, weight!], ["gradOut", "weight"]);
    checkGradOut("conv2dGradInput", gradOut!, convInfo("conv2dGradInput", attrs.inputShape, weight!.shape, attrs));
    return { shape: attrs.inputShape, dtype: gradOut!.dtype };
  },
  evaluate: ([gradOut, weight], output, attrs) =>
    evaluateGradInput(gradOut!, weight!, output, convInfo("conv2dGradInput", output.shape, weight!.shape, attrs)),
  vjp: (gradOut, { inputs: [outGrad, weight], attrs, needs }) => [
    needs[0] ? apply(conv2dOp, [gradOut, weight!], convAttrs(attrs)) : null,
    needs[1] ? conv2dGradWeight(gradOut, outGrad!, weight!.shape, attrs) : null,
  ],
  lowering: {
    kind: "kernel",
    call: ({ shape, inputs: [, weight], attrs }) => ({
      kernel: "conv2dGradInput",
      info: convInfo("conv2dGradInput", shape, weight!.shape, attrs as unknown as ConvAttrs),
    }),
  },
});

type GradWeightAttrs = ConvAttrs & { readonly weightShape: Shape };

/** Inputs: input, gradOut `[n, o, oh, ow]`. Output: gradWeight. */
export const conv2dGradWeightOp = defineOp<GradWeightAttrs>({
  name: "conv2dGradWeight",
  infer([input, gradOut], attrs) {
    checkOperands("conv2dGradWeight", [input!, gradOut!], ["input", "gradOut"]);
    checkGradOut("conv2dGradWeight", gradOut!, convInfo("conv2dGradWeight", input!.shape, attrs.weightShape, attrs));
    return { shape: attrs.weightShape, dtype: input!.dtype };
  },
  evaluate: ([input, gradOut], output, attrs) =>
    evaluateGradWeight(input!, gradOut!, output, convInfo("conv2dGradWeight", input!.shape, output.shape, attrs)),
  vjp: (gradOut, { inputs: [input, outGrad], attrs, needs }) => [
    needs[0] ? conv2dGradInput(outGrad!, gradOut, input!.shape, attrs) : null,
    needs[1] ? apply(conv2dOp, [input!, gradOut], convAttrs(attrs)) : null,
  ],
  lowering: {
    kind: "kernel",
    call: ({ shape, inputs: [input], attrs }) => ({
      kernel: "conv2dGradWeight",
      info: convInfo("conv2dGradWeight", input!.shape, shape, attrs as unknown as ConvAttrs),
    }),
  },
});

/** The attributes that all three share, without those of one. */
const convAttrs = ({ stride, padding, dilation, groups }: ConvAttrs): ConvAttrs => ({
  stride,
  padding,
  dilation,
  groups,
});

/** The gradient of a convolution's input; also what a transposed convolution is. */
export const conv2dGradInput = (gradOut: Node, weight: Node, inputShape: Shape, attrs: ConvAttrs): Node =>
  apply(conv2dGradInputOp, [gradOut, weight], { ...convAttrs(attrs), inputShape });

const conv2dGradWeight = (input: Node, gradOut: Node, weightShape: Shape, attrs: ConvAttrs): Node =>
  apply(conv2dGradWeightOp, [input, gradOut], { ...convAttrs(attrs), weightShape });
