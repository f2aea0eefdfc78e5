/** Convolutions as users call them: 1-d and 2-d, transposed, padded as they ask. All come down to conv2d and its gradient. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { type Shape, showShape } from "../graph/shape";
import { add } from "./arithmetic";
import { checkDType, checkSameDType } from "./check";
import { type ConvAttrs, conv2dGradInput, conv2dOp } from "./conv2d";
import { apply } from "./op";
import {
  backTo,
  checkPlanes,
  type Pair,
  pairOf,
  planeShape,
  type Sizes,
  type Spatial,
  windowsAlong,
  withoutRow,
} from "./planes";
import { FLOAT } from "./pointwise";
import { forProduct, inF32 } from "./precision";
import { padZeros } from "./slice";
import { reshape } from "./views";

export interface ConvOptions {
  readonly stride?: Sizes;
  /** Zeros on each side; or "same" for as many as keep the size, "valid" for none. */
  readonly padding?: Sizes | "same" | "valid";
  readonly dilation?: Sizes;
  readonly groups?: number;
}

export interface ConvTransposeOptions {
  readonly stride?: Sizes;
  /** What the padding of the convolution was that this is the transpose of. */
  readonly padding?: Sizes;
  /** Added to the size on one side, since several sizes convolve to the same. */
  readonly outputPadding?: Sizes;
  readonly groups?: number;
  readonly dilation?: Sizes;
}

/** What a call is about: which function, and how many spatial dimensions it has. */
interface Call {
  readonly op: string;
  readonly spatial: Spatial;
}

function checkOperands({ op, spatial }: Call, x: Node, weight: Node, bias: Node | null, weightLayout: string): void {
  const nodes = bias ? [x, weight, bias] : [x, weight];
  checkDType(op, nodes, FLOAT);
  checkSameDType(op, nodes);
  checkPlanes(op, x, spatial);
  const [first = 0, , ...kernel] = weight.shape;
  if (weight.shape.length === spatial + 2 && [first, ...kernel].every((size) => size > 0)) return;
  throw new ShapeError(
    `${op}: weight must be ${weightLayout}, without a size of 0, got ${showShape(weight.shape)}. Check its shape.`,
  );
}

function checkBias({ op }: Call, bias: Node | null, outChannels: number): void {
  if (!bias || (bias.shape.length === 1 && bias.shape[0] === outChannels)) return;
  throw new ShapeError(
    `${op}: bias must be [${outChannels}], got ${showShape(bias.shape)}. It has one value per output channel.`,
  );
}

function checkGroups({ op }: Call, groups: number): number {
  if (Number.isInteger(groups) && groups > 0) return groups;
  throw new ValueError(`${op}: groups must be a positive integer, got ${groups}. Use 1 to convolve all channels.`);
}

/** Adds one value per channel to planes. */
const addBias = (planes: Node, bias: Node | null): Node => (bias ? add(planes, reshape(bias, [-1, 1, 1])) : planes);

/** Strides, dilations and groups; the padding is what the two kinds of convolution differ in. */
const sharedAttrs = (
  call: Call,
  { stride = 1, dilation = 1, groups = 1 }: Omit<ConvTransposeOptions, "padding">,
): Omit<ConvAttrs, "padding"> => ({
  stride: pairOf(call.op, "stride", stride, call.spatial, 1, 1),
  dilation: pairOf(call.op, "dilation", dilation, call.spatial, 1, 1),
  groups: checkGroups(call, groups),
});

// --- convolution -----------------------------------------------------------------------------------------------------

/** Zeros before and after, in height and width. */
interface Padding {
  readonly before: Pair;
  readonly after: Pair;
}

function paddingOf(
  { op, spatial }: Call,
  padding: ConvOptions["padding"],
  kernel: Pair,
  { stride, dilation }: Omit<ConvAttrs, "padding">,
): Padding {
  if (padding === "valid") return { before: [0, 0], after: [0, 0] };
  if (padding !== "same") {
    if (typeof padding === "string") {
      throw new ValueError(
        `${op}: padding must be sizes, "same" or "valid", got "${padding as string}". Write one of them.`,
      );
    }
    const sides = pairOf(op, "padding", padding ?? 0, spatial, 0, 0);
    return { before: sides, after: sides };
  }
  if (stride.some((step) => step !== 1)) {
    throw new ValueError(
      `${op}: padding "same" must have stride 1, got ${showShape(withoutRow(stride, spatial))}. Give the padding in numbers.`,
    );
  }
  const total = kernel.map((size, d) => dilation[d]! * (size - 1)) as unknown as Pair;
  const before: Pair = [Math.floor(total[0] / 2), Math.floor(total[1] / 2)];
  return { before, after: [total[0] - before[0], total[1] - before[1]] };
}

function checkChannels({ op }: Call, x: Node, channels: number, weight: Node, groups: number): void {
  const [outChannels, channelsPerGroup] = weight.shape as [number, number];
  if (channelsPerGroup * groups !== channels) {
    throw new ShapeError(
      `${op}: the input must have as many channels as the weight's second size times groups, got ${channels} channels in ${showShape(x.shape)} ` +
        `for weight ${showShape(weight.shape)} and groups ${groups} (${channelsPerGroup * groups}). Check the number of channels.`,
    );
  }
  if (outChannels % groups !== 0) {
    throw new ShapeError(
      `${op}: groups must divide the output channels, got ${groups} for weight ${showShape(weight.shape)}. Change one of them.`,
    );
  }
}

function checkFits({ op, spatial }: Call, x: Node, weight: Node, windows: Pair, padding: Padding): void {
  if (windows.every((count) => count > 0)) return;
  throw new ShapeError(
    `${op}: the kernel must fit into the padded input, got weight ${showShape(weight.shape)}, input ${showShape(x.shape)}, ` +
      `padding ${showShape(withoutRow(padding.before, spatial))}. Add padding, or use a smaller kernel or dilation.`,
  );
}

function convolution(call: Call, given: Node, kernelsGiven: Node, biasGiven: Node | null, options: ConvOptions): Node {
  const [x, weight, bias] = forProduct([given, kernelsGiven, biasGiven]);
  const { spatial } = call;
  checkOperands(call, x, weight, bias, spatial === 1 ? "[o, c / groups, k]" : "[o, c / groups, kh, kw]");
  const shared = sharedAttrs(call, options);
  const { stride, dilation, groups } = shared;
  const [batch, channels, height, width] = planeShape(x.shape, spatial);
  const [outChannels, channelsPerGroup, ...kernel] = planeShape(weight.shape, spatial);
  const padding = paddingOf(call, options.padding, kernel, shared);
  const { before, after } = padding;
  const windows = (d: 0 | 1, size: number): number =>
    windowsAlong(size + after[d] - before[d], kernel[d], stride[d], before[d], dilation[d]);
  checkChannels(call, x, channels, weight, groups);
  checkFits(call, x, weight, [windows(0, height), windows(1, width)], padding);
  checkBias(call, bias, outChannels);
  const planes = padZeros(
    reshape(x, [batch, channels, height, width]),
    [0, 0, 0, 0],
    [0, 0, after[0] - before[0], after[1] - before[1]], // the rest is the op's own
  );
  const kernels = reshape(weight, [outChannels, channelsPerGroup, ...kernel]);
  const result = inF32([planes, kernels, bias], (a, w, b) =>
    addBias(apply(conv2dOp, [a, w], { stride, padding: before, dilation, groups }), b),
  );
  return backTo(x, spatial, result);
}

/** 1-d convolution, `[n, c, l]` with weight `[o, c / groups, k]` and bias `[o]` to `[n, o, ol]`. */
export const conv1d = (x: Node, weight: Node, bias: Node | null = null, options: ConvOptions = {}): Node =>
  convolution({ op: "conv1d", spatial: 1 }, x, weight, bias, options);

/** 2-d convolution, `[n, c, h, w]` with weight `[o, c / groups, kh, kw]` and bias `[o]` to `[n, o, oh, ow]`. */
export const conv2d = (x: Node, weight: Node, bias: Node | null = null, options: ConvOptions = {}): Node =>
  convolution({ op: "conv2d", spatial: 2 }, x, weight, bias, options);

// --- transposed convolution ------------------------------------------------------------------------------------------

function checkTransposedChannels({ op }: Call, x: Node, channels: number, weight: Node, groups: number): void {
  if (weight.shape[0] !== channels) {
    throw new ShapeError(
      `${op}: the input must have as many channels as the weight's first size, got ${channels} channels in ${showShape(x.shape)} ` +
        `for weight ${showShape(weight.shape)}. Check the number of channels.`,
    );
  }
  if (channels % groups !== 0) {
    throw new ShapeError(
      `${op}: groups must divide the input channels, got ${groups} for weight ${showShape(weight.shape)}. Change one of them.`,
    );
  }
}

function checkOutputPadding({ op, spatial }: Call, outputPadding: Pair, { stride, dilation }: ConvAttrs): void {
  if (outputPadding.every((count, d) => count < Math.max(stride[d]!, dilation[d]!))) return;
  throw new ValueError(
    `${op}: outputPadding must be less than stride or dilation, got ${showShape(withoutRow(outputPadding, spatial))} for stride ` +
      `${showShape(withoutRow(stride, spatial))}, dilation ${showShape(withoutRow(dilation, spatial))}. Pad the output instead.`,
  );
}

function checkOutputSize({ op, spatial }: Call, x: Node, size: Pair, output: Pair): void {
  if ([...size, ...output].every((count) => count > 0)) return;
  throw new ShapeError(
    `${op}: input and output must not be empty, got input ${showShape(x.shape)} for an output of size ${showShape(withoutRow(output, spatial))}. ` +
      `Use less padding or a larger input.`,
  );
}

/** Sizes of the output; the input's are those that it convolves to. */
const transposedSize = (size: Pair, kernel: Pair, { stride, padding, dilation }: ConvAttrs, extra: Pair): Pair => {
  const along = (d: 0 | 1): number =>
    (size[d] - 1) * stride[d] - 2 * padding[d] + dilation[d] * (kernel[d] - 1) + extra[d] + 1;
  return [along(0), along(1)];
};

function transposedConvolution(
  call: Call,
  given: Node,
  kernelsGiven: Node,
  biasGiven: Node | null,
  options: ConvTransposeOptions,
): Node {
  const [x, weight, bias] = forProduct([given, kernelsGiven, biasGiven]);
  const { op, spatial } = call;
  checkOperands(call, x, weight, bias, spatial === 1 ? "[c, o / groups, k]" : "[c, o / groups, kh, kw]");
  const attrs: ConvAttrs = {
    ...sharedAttrs(call, options),
    padding: pairOf(op, "padding", options.padding ?? 0, spatial, 0, 0),
  };
  const outputPadding = pairOf(op, "outputPadding", options.outputPadding ?? 0, spatial, 0, 0);
  const [batch, channels, ...size] = planeShape(x.shape, spatial);
  const [, outPerGroup, ...kernel] = planeShape(weight.shape, spatial);
  const output = transposedSize(size, kernel, attrs, outputPadding);
  const outChannels = outPerGroup * attrs.groups;
  checkTransposedChannels(call, x, channels, weight, attrs.groups);
  checkOutputPadding(call, outputPadding, attrs);
  checkOutputSize(call, x, size, output);
  checkBias(call, bias, outChannels);
  // a padded output may have more windows than the input has places: nothing comes from there
  const more = size.map(
    (count, d) => windowsAlong(output[d]!, kernel[d]!, attrs.stride[d]!, attrs.padding[d]!, attrs.dilation[d]) - count,
  );
  const planes = padZeros(reshape(x, [batch, channels, ...size]), [0, 0, 0, 0], [0, 0, ...more]);
  const kernels = reshape(weight, [channels, outPerGroup, ...kernel]);
  const inputShape: Shape = [batch, outChannels, ...output];
  const result = inF32([planes, kernels, bias], (a, w, b) => addBias(conv2dGradInput(a, w, inputShape, attrs), b));
  return backTo(x, spatial, result);
}

/** 1-d transposed convolution, `[n, c, l]` with weight `[c, o / groups, k]` and bias `[o]` to `[n, o, ol]`. */
export const convTranspose1d = (
  x: Node,
  weight: Node,
  bias: Node | null = null,
  options: ConvTransposeOptions = {},
): Node => transposedConvolution({ op: "convTranspose1d", spatial: 1 }, x, weight, bias, options);

/** 2-d transposed convolution, `[n, c, h, w]` with weight `[c, o / groups, kh, kw]` and bias `[o]` to `[n, o, oh, ow]`. */
export const convTranspose2d = (
  x: Node,
  weight: Node,
  bias: Node | null = null,
  options: ConvTransposeOptions = {},
): Node => transposedConvolution({ op: "convTranspose2d", spatial: 2 }, x, weight, bias, options);
