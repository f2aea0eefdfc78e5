/** Max pooling: values, where they are, and the gradient, each with a kernel; adaptive pooling gathers what its kernel finds. */

import { ShapeError, ValueError } from "../errors";
import type { HostArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sameShape, type Shape, showShape } from "../graph/shape";
import { checkIsList } from "../options";
import { checkDType, checkRank } from "./check";
import { gather } from "./indexing";
import type { AdaptivePool2dInfo, Pool2dInfo } from "./kernelInfo";
import { apply, defineOp } from "./op";
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
import { flatten, reshape } from "./views";

export type PoolAttrs = {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly ceilMode: boolean;
};

export function poolInfo(op: string, input: Shape, attrs: PoolAttrs): Pool2dInfo {
  const { kernelSize, stride, padding, dilation, ceilMode } = attrs;
  const [batch, channels, height, width] = input as [number, number, number, number];
  const along = (d: 0 | 1, size: number): number =>
    windowsAlong(size, kernelSize[d], stride[d], padding[d], dilation[d], ceilMode);
  const [outHeight, outWidth] = [along(0, height), along(1, width)];
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError(
      `${op}: the window must fit into the padded input, got kernelSize ${showShape(kernelSize)}, padding ${showShape(padding)}, ` +
        `input ${showShape(input)}. Use a smaller window.`,
    );
  }
  return {
    planes: batch * channels,
    height,
    width,
    outHeight,
    outWidth,
    kernelHeight: kernelSize[0],
    kernelWidth: kernelSize[1],
    strideHeight: stride[0],
    strideWidth: stride[1],
    padHeight: padding[0],
    padWidth: padding[1],
    dilationHeight: dilation[0],
    dilationWidth: dilation[1],
  };
}

function inferPool(op: string, input: Node, attrs: PoolAttrs): Shape {
  checkDType(op, [input], FLOAT);
  checkRank(op, "input", input, 4, "[n, c, h, w]");
  const { outHeight, outWidth } = poolInfo(op, input.shape, attrs);
  return [input.shape[0]!, input.shape[1]!, outHeight, outWidth];
}

/** Place of the first largest of some elements, NaN being the largest; -1 at the start. */
function larger(data: HostArray["data"], best: number, place: number): number {
  return best < 0 || data[place]! > data[best]! || Number.isNaN(data[place]!) ? place : best;
}

/** Calls `window` for each window: with its output's place and that of its first largest element; NaN is largest. */
function forEachMaximum(input: HostArray, info: Pool2dInfo, window: (outIndex: number, inIndex: number) => void): void {
  const { planes, height, width, outHeight, outWidth, kernelHeight, kernelWidth } = info;
  let outIndex = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * info.strideHeight - info.padHeight;
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * info.strideWidth - info.padWidth;
        let best = -1;
        for (let y = top; y < top + kernelHeight * info.dilationHeight; y += info.dilationHeight) {
          if (y < 0 || y >= height) continue;
          for (let x = left; x < left + kernelWidth * info.dilationWidth; x += info.dilationWidth) {
            if (x >= 0 && x < width) best = larger(input.data, best, (plane * height + y) * width + x);
          }
        }
        window(outIndex++, best);
      }
    }
  }
}

// --- ops -------------------------------------------------------------------------------------------------------------

/** Input: `[n, c, h, w]`. */
const maxPool2dOp = defineOp<PoolAttrs>({
  name: "maxPool2d",
  infer: ([input], attrs) => ({ shape: inferPool("maxPool2d", input!, attrs), dtype: input!.dtype }),
  evaluate([input], output, attrs) {
    const info = poolInfo("maxPool2d", input!.shape, attrs);
    forEachMaximum(input!, info, (outIndex, inIndex) => (output.data[outIndex] = input!.data[inIndex]!));
  },
  vjp: (gradOut, { inputs: [input], attrs }) => [apply(maxPool2dGradOp, [gradOut, input!], attrs)],
  lowering: {
    kind: "kernel",
    call: ({ inputs: [input], attrs }) => ({
      kernel: "maxPool2d",
      info: poolInfo("maxPool2d", input!.shape, attrs as unknown as PoolAttrs),
    }),
  },
});

/** Inputs: gradOut `[n, c, oh, ow]`, input `[n, c, h, w]`. Output: gradInput; each window's gradient goes to its maximum. */
export const maxPool2dGradOp = defineOp<PoolAttrs>({
  name: "maxPool2dGrad",
  infer([gradOut, input], attrs) {
    const shape = inferPool("maxPool2dGrad", input!, attrs);
    if (!sameShape(gradOut!.shape, shape)) {
      throw new ShapeError(
        `maxPool2dGrad: gradOut must have the shape of the output, got ${showShape(gradOut!.shape)} for ${showShape(shape)}. Check the attributes.`,
      );
    }
    return { shape: input!.shape, dtype: input!.dtype };
  },
  evaluate([gradOut, input], output, attrs) {
    const totals = new Float64Array(output.data.length);
    const info = poolInfo("maxPool2dGrad", input!.shape, attrs);
    forEachMaximum(input!, info, (outIndex, inIndex) => (totals[inIndex]! += gradOut!.data[outIndex]!));
    output.data.set(totals);
  },
  // linear in gradOut: its transpose picks the values at the maxima; locally constant in input
  vjp: (gradOut, { inputs: [, input], attrs, needs }) => [
    needs[0] ? pick(gradOut, apply(maxPool2dIndicesOp, [input!], attrs)) : null,
    null,
  ],
  lowering: {
    kind: "kernel",
    call: ({ inputs: [, input], attrs }) => ({
      kernel: "maxPool2dGrad",
      info: poolInfo("maxPool2dGrad", input!.shape, attrs as unknown as PoolAttrs),
    }),
  },
});

/** Where each window's maximum lies in its plane of `h * w`; i32 `[n, c, oh, ow]`. */
export const maxPool2dIndicesOp = defineOp<PoolAttrs>({
  name: "maxPool2dIndices",
  infer: ([input], attrs) => ({ shape: inferPool("maxPool2dIndices", input!, attrs), dtype: "i32" }),
  evaluate([input], output, attrs) {
    const info = poolInfo("maxPool2dIndices", input!.shape, attrs);
    const plane = info.height * info.width;
    forEachMaximum(input!, info, (outIndex, inIndex) => (output.data[outIndex] = inIndex % plane));
  },
  vjp: null,
  lowering: {
    kind: "kernel",
    call: ({ inputs: [input], attrs }) => ({
      kernel: "maxPool2dIndices",
      info: poolInfo("maxPool2dIndices", input!.shape, attrs as unknown as PoolAttrs),
    }),
  },
});

/** Elements of planes at places in them. */
const pick = (planes: Node, indices: Node): Node =>
  reshape(gather(flatten(planes, 2), 2, flatten(indices, 2)), indices.shape);

// --- adaptive --------------------------------------------------------------------------------------------------------

type AdaptiveAttrs = { readonly outputSize: Pair };

const adaptiveInfo = (input: Shape, { outputSize }: AdaptiveAttrs): AdaptivePool2dInfo => ({
  planes: input[0]! * input[1]!,
  height: input[2]!,
  width: input[3]!,
  outHeight: outputSize[0],
  outWidth: outputSize[1],
});

/** Where window `index` of `windows` begins that cover `size` places, and where it ends. */
export const adaptiveWindow = (index: number, size: number, windows: number): readonly [number, number] => [
  Math.floor((index * size) / windows),
  Math.ceil(((index + 1) * size) / windows),
];

function evaluateAdaptive({ data }: HostArray, output: HostArray, info: AdaptivePool2dInfo): void {
  const { planes, height, width, outHeight, outWidth } = info;
  for (let plane = 0, next = 0; plane < planes; plane++) {
    const start = plane * height * width;
    for (let oy = 0; oy < outHeight; oy++) {
      const [top, bottom] = adaptiveWindow(oy, height, outHeight);
      for (let ox = 0; ox < outWidth; ox++) {
        const [left, right] = adaptiveWindow(ox, width, outWidth);
        let best = -1;
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) best = larger(data, best, start + y * width + x);
        }
        output.data[next++] = best - start;
      }
    }
  }
}

/** Where the maxima of windows lie that cover a plane evenly: i32 `[n, c, ...outputSize]`. Input: `[n, c, h, w]`. */
const adaptiveMaxPool2dIndicesOp = defineOp<AdaptiveAttrs>({
  name: "adaptiveMaxPool2dIndices",
  infer([input], { outputSize }) {
    checkDType("adaptiveMaxPool2dIndices", [input!], FLOAT);
    checkRank("adaptiveMaxPool2dIndices", "input", input!, 4, "[n, c, h, w]");
    return { shape: [...input!.shape.slice(0, 2), ...outputSize], dtype: "i32" };
  },
  evaluate: ([input], output, attrs) => evaluateAdaptive(input!, output, adaptiveInfo(input!.shape, attrs)),
  vjp: null,
  lowering: {
    kind: "kernel",
    call: ({ inputs: [input], attrs }) => ({
      kernel: "adaptiveMaxPool2dIndices",
      info: adaptiveInfo(input!.shape, attrs as unknown as AdaptiveAttrs),
    }),
  },
});

// --- builders --------------------------------------------------------------------------------------------------------

export interface PoolOptions {
  /** Distance of windows; the window itself by default. */
  readonly stride?: Sizes | null;
  readonly padding?: Sizes;
  readonly ceilMode?: boolean;
}

export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: Sizes;
}

/** Checks options of windows and gives them as pairs. */
export function poolAttrs(
  op: string,
  spatial: Spatial,
  kernelSize: Sizes,
  { stride, padding = 0, dilation = 1, ceilMode = false }: MaxPoolOptions,
): PoolAttrs {
  const attrs: PoolAttrs = {
    kernelSize: pairOf(op, "kernelSize", kernelSize, spatial, 1, 1),
    stride: pairOf(op, "stride", stride ?? kernelSize, spatial, 1, 1),
    padding: pairOf(op, "padding", padding, spatial, 0, 0),
    dilation: pairOf(op, "dilation", dilation, spatial, 1, 1),
    ceilMode,
  };
  if (attrs.padding.every((count, d) => count <= attrs.kernelSize[d]! / 2)) return attrs;
  throw new ValueError(
    `${op}: padding must be at most half of kernelSize, got padding ${showShape(withoutRow(attrs.padding, spatial))} for kernelSize ` +
      `${showShape(withoutRow(attrs.kernelSize, spatial))}. Use a larger window, or pad the input.`,
  );
}

/** Whether a window takes only what lies outside: it steps over the whole input. */
function missesAll(size: number, windows: number, d: 0 | 1, attrs: PoolAttrs): boolean {
  const [kernel, stride, padding, dilation] = [
    attrs.kernelSize[d],
    attrs.stride[d],
    attrs.padding[d],
    attrs.dilation[d],
  ];
  for (let start = -padding; start < 0 && start <= (windows - 1) * stride - padding; start += stride) {
    const steps = Math.ceil(-start / dilation);
    if (steps >= kernel || start + steps * dilation >= size) return true;
  }
  return false;
}

function checkWindows(op: string, x: Node, attrs: PoolAttrs): void {
  const { height, width, outHeight, outWidth } = poolInfo(op, x.shape, attrs);
  if (!missesAll(height, outHeight, 0, attrs) && !missesAll(width, outWidth, 1, attrs)) return;
  throw new ValueError(
    `${op}: every window must hold an element of the input, got padding ${showShape(attrs.padding)}, dilation ${showShape(attrs.dilation)} ` +
      `for ${showShape(x.shape)}. Use less padding or dilation.`,
  );
}

/** Largest elements, and where they lie in their plane; i32. */
export interface MaxPooled {
  readonly values: Node;
  readonly indices: Node;
}

/** A max pooling on planes; `indices` is a node that nobody computes where nobody reads it. */
function maxPool(op: string, spatial: Spatial, x: Node, kernelSize: Sizes, options: MaxPoolOptions): MaxPooled {
  checkDType(op, [x], FLOAT);
  checkPlanes(op, x, spatial);
  const attrs = poolAttrs(op, spatial, kernelSize, options);
  const planes = reshape(x, planeShape(x.shape, spatial));
  checkWindows(op, planes, attrs);
  return {
    values: backTo(x, spatial, apply(maxPool2dOp, [planes], attrs)),
    indices: backTo(x, spatial, apply(maxPool2dIndicesOp, [planes], attrs)),
  };
}

/** Largest element of each window, `[n, c, l]` to `[n, c, ol]`; NaN where there is one. */
export const maxPool1d = (x: Node, kernelSize: Sizes, options: MaxPoolOptions = {}): MaxPooled =>
  maxPool("maxPool1d", 1, x, kernelSize, options);

/** Largest element of each window, `[n, c, h, w]` to `[n, c, oh, ow]`; NaN where there is one. */
export const maxPool2d = (x: Node, kernelSize: Sizes, options: MaxPoolOptions = {}): MaxPooled =>
  maxPool("maxPool2d", 2, x, kernelSize, options);

/** Sizes that an adaptive pooling is asked for: null keeps the input's. */
export type OutputSizes = number | null | readonly (number | null)[];

/** The sizes of adaptive pooling as a pair; those of the input where they are null. */
export function adaptiveSize(op: string, x: Node, spatial: Spatial, outputSize: OutputSizes): Pair {
  checkDType(op, [x], FLOAT);
  checkPlanes(op, x, spatial);
  const inner = x.shape.slice(-spatial);
  if (typeof outputSize === "object" && outputSize !== null) checkIsList(op, "outputSize", outputSize);
  const sizes = typeof outputSize === "object" && outputSize !== null ? outputSize : inner.map(() => outputSize);
  const size = pairOf(op, "outputSize", sizes.map((count, d) => count ?? inner[d]!), spatial, 0, 1); // prettier-ignore
  if (inner.every((count) => count > 0)) return size;
  throw new ShapeError(
    `${op}: the input must not be empty but for its batch, got ${showShape(x.shape)}. There is nothing to pool.`,
  );
}

function adaptiveMaxPool(op: string, spatial: Spatial, x: Node, outputSize: OutputSizes): MaxPooled {
  const size = adaptiveSize(op, x, spatial, outputSize);
  const planes = reshape(x, planeShape(x.shape, spatial));
  const indices = apply(adaptiveMaxPool2dIndicesOp, [planes], { outputSize: size });
  return { values: backTo(x, spatial, pick(planes, indices)), indices: backTo(x, spatial, indices) };
}

/** Largest elements of windows chosen so that the output has `outputSize`, `[n, c, l]` to `[n, c, outputSize]`. */
export const adaptiveMaxPool1d = (x: Node, outputSize: OutputSizes): MaxPooled =>
  adaptiveMaxPool("adaptiveMaxPool1d", 1, x, outputSize);

/** Largest elements of windows chosen so that the output has `outputSize`, `[n, c, h, w]` to `[n, c, ...outputSize]`. */
export const adaptiveMaxPool2d = (x: Node, outputSize: OutputSizes): MaxPooled =>
  adaptiveMaxPool("adaptiveMaxPool2d", 2, x, outputSize);
