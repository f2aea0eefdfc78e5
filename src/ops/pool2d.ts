/** 2-d pooling. The maximum has kernels; averages are composed of sums. */

import { ShapeError, ValueError } from "../errors";
import type { HostArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sameShape, type Shape, showShape } from "../graph/shape";
import { add, div, maximum, minimum, mul, sub, where } from "./arithmetic";
import { expand } from "./broadcast";
import { checkDType, checkRank } from "./check";
import { type Pair, toPair, windowsAlong } from "./conv2d";
import { customVjp, withoutGrad } from "./custom";
import { floorDivide } from "./division";
import { iota } from "./generate";
import { gather } from "./indexing";
import type { Pool2dInfo } from "./kernelInfo";
import { lt } from "./logic";
import { apply, defineOp, type IndexedContext } from "./op";
import { FLOAT } from "./pointwise";
import { mean } from "./moments";
import { sum } from "./reduce";
import { narrow, padZeros, slice } from "./slice";
import { flatten, reshape, unsqueeze } from "./views";

type PoolAttrs = { readonly kernelSize: Pair; readonly stride: Pair; readonly padding: Pair };

function poolInfo(op: string, input: Shape, { kernelSize, stride, padding }: PoolAttrs): Pool2dInfo {
  const [batch, channels, height, width] = input as [number, number, number, number];
  const outHeight = windowsAlong(height, kernelSize[0], stride[0], padding[0]);
  const outWidth = windowsAlong(width, kernelSize[1], stride[1], padding[1]);
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
  };
}

function inferPool(op: string, input: Node, attrs: PoolAttrs): Shape {
  checkDType(op, [input], FLOAT);
  checkRank(op, "input", input, 4, "[n, c, h, w]");
  const { outHeight, outWidth } = poolInfo(op, input.shape, attrs);
  return [input.shape[0]!, input.shape[1]!, outHeight, outWidth];
}

/** Calls `window` for each window: with its output's place and that of its first largest element; NaN is largest. */
function forEachMaximum(input: HostArray, info: Pool2dInfo, window: (outIndex: number, inIndex: number) => void): void {
  const { planes, height, width, outHeight, outWidth } = info;
  const { data } = input;
  let outIndex = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * info.strideHeight - info.padHeight;
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * info.strideWidth - info.padWidth;
        let best = -1;
        for (let y = Math.max(top, 0); y < Math.min(top + info.kernelHeight, height); y++) {
          for (let x = Math.max(left, 0); x < Math.min(left + info.kernelWidth, width); x++) {
            const index = (plane * height + y) * width + x;
            if (best < 0 || data[index]! > data[best]! || Number.isNaN(data[index]!)) best = index;
          }
        }
        window(outIndex++, best);
      }
    }
  }
}

// --- maxPool2d -------------------------------------------------------------------------------------------------------

/** Input: `[n, c, h, w]`. */
export const maxPool2dOp = defineOp<PoolAttrs>({
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
  vjp: (gradOut, { inputs: [, input], attrs, needs }) => [needs[0] ? pickMaxima(gradOut, input!, attrs) : null, null],
  lowering: {
    kind: "kernel",
    call: ({ inputs: [, input], attrs }) => ({
      kernel: "maxPool2dGrad",
      info: poolInfo("maxPool2dGrad", input!.shape, attrs as unknown as PoolAttrs),
    }),
  },
});

function pickMaxima(x: Node, input: Node, attrs: PoolAttrs): Node {
  const indices = apply(maxPool2dIndicesOp, [input], attrs);
  return reshape(gather(flatten(x, 2), 2, flatten(indices, 2)), indices.shape);
}

/** Text that finds the place of a window's maximum, element by element. */
function indicesWgsl(node: Node, context: IndexedContext): string {
  const { kernelSize, stride, padding } = node.attrs as unknown as PoolAttrs;
  const [, , height, width] = node.inputs[0]!.shape as [number, number, number, number];
  const { coords, lanes } = context;
  const constant = (value: number): string => context.constant(value);
  const [n, c, oy, ox] = coords as [string, string, string, string];
  let best: string | null = null;
  let place = constant(0);
  for (let ky = 0; ky < kernelSize[0]; ky++) {
    for (let kx = 0; kx < kernelSize[1]; kx++) {
      // shifted by the padding, so that nothing is below 0
      const y = context.bind(`(${oy} * ${constant(stride[0])} + ${constant(ky)})`, "u32");
      const x = context.bind(`(${ox} * ${constant(stride[1])} + ${constant(kx)})`, "u32");
      const row = clampShifted(y, padding[0], height, context);
      const column = clampShifted(x, padding[1], width, context);
      const value = context.bind(context.read(0, [n, c, row.coord, column.coord]), "f32");
      const flat = `(${row.coord} * ${constant(width)} + ${column.coord})`;
      const inside = [row.inside, column.inside].flatMap((text) => text ?? []).join(" & ");
      if (best === null) {
        // clamped, the first window element is some element of the window
        [best, place] = [value, context.bind(flat, "u32")];
        continue;
      }
      const nan = `is_nan${lanes === 4 ? "4" : ""}(${value})`;
      const better = context.bind(`${inside === "" ? "" : `(${inside}) & `}((${value} > ${best}) | ${nan})`, "bool");
      best = context.bind(`select(${best}, ${value}, ${better})`, "f32");
      place = context.bind(`select(${place}, ${flat}, ${better})`, "u32");
    }
  }
  return lanes === 4 ? `vec4<i32>(${place})` : `i32(${place})`;
}

function clampShifted(
  coord: string,
  padding: number,
  size: number,
  context: IndexedContext,
): { coord: string; inside: string | null } {
  const first = context.constant(padding);
  const last = context.constant(padding + size - 1);
  return {
    coord: context.bind(`(clamp(${coord}, ${first}, ${last}) - ${first})`, "u32"),
    inside: padding === 0 ? null : `(${coord} >= ${first}) & (${coord} <= ${last})`,
  };
}

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
  lowering: { kind: "indexed", materialize: [0], wgsl: indicesWgsl },
});

export interface Pool2dOptions {
  /** Distance of windows; the window itself by default. */
  readonly stride?: number | Pair;
  readonly padding?: number | Pair;
}

function poolAttrs(
  op: string,
  kernelSize: number | Pair,
  { stride = kernelSize, padding = 0 }: Pool2dOptions,
): PoolAttrs {
  const attrs = { kernelSize: toPair(kernelSize), stride: toPair(stride), padding: toPair(padding) };
  const fits = attrs.padding.every(
    (size, d) => Number.isInteger(size) && size >= 0 && size <= attrs.kernelSize[d]! / 2,
  );
  const positive = [...attrs.kernelSize, ...attrs.stride].every((size) => Number.isInteger(size) && size > 0);
  if (fits && positive) return attrs;
  throw new ValueError(
    `${op}: kernelSize and stride must be positive integers and padding one of at most half of kernelSize, got kernelSize ` +
      `${showShape(attrs.kernelSize)}, stride ${showShape(attrs.stride)}, padding ${showShape(attrs.padding)}. Check the options.`,
  );
}

/** Largest element of each window, `[n, c, h, w]` to `[n, c, oh, ow]`; NaN where there is one. */
export const maxPool2d = (x: Node, kernelSize: number | Pair, options: Pool2dOptions = {}): Node =>
  apply(maxPool2dOp, [x], poolAttrs("maxPool2d", kernelSize, options));

// --- averages --------------------------------------------------------------------------------------------------------

// Sums over windows are made of the windows' own elements only: a product with a matrix of 0 and 1 would let an infinity or
// a NaN out of its window. They are separable: rows first, then columns.

/** Sum of `kernel` neighbours along `dim` from each place on, by doubling. */
function sumOfNeighbours(x: Node, dim: number, kernel: number): Node {
  if (kernel === 1) return x;
  const half = Math.floor(kernel / 2);
  const halves = sumOfNeighbours(x, dim, half);
  const windows = x.shape[dim]! - kernel + 1;
  const both = add(narrow(halves, dim, 0, windows), narrow(halves, dim, half, windows));
  return kernel % 2 === 0 ? both : add(both, narrow(x, dim, kernel - 1, windows));
}

/** Windows of a fixed size along one dimension. */
interface Sliding {
  readonly size: number;
  readonly windows: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** Sums over sliding windows along `dim`. */
function sumSliding(x: Node, dim: number, { size, windows, kernel, stride, padding }: Sliding): Node {
  const reach = (windows - 1) * stride + kernel;
  const along = (count: number): number[] => x.shape.map((_, d) => (d === dim ? count : 0));
  const padded = padZeros(x, along(padding), along(Math.max(reach - padding - size, 0)));
  const sums = sumOfNeighbours(narrow(padded, dim, 0, reach), dim, kernel);
  if (stride === 1) return sums;
  return slice(
    sums,
    [],
    [],
    x.shape.map((_, d) => (d === dim ? stride : 1)),
  );
}

/** How many elements of each window lie in the image; i32 `[windows]`. */
function countInside({ size, windows, kernel, stride, padding }: Sliding): Node {
  const starts = sub(mul(iota(windows), stride), padding);
  return sub(minimum(add(starts, kernel), size), maximum(starts, 0));
}

export interface AvgPool2dOptions extends Pool2dOptions {
  /** Whether zeros of the padding count as elements. */
  readonly countIncludePad?: boolean;
}

/** Mean of each window, `[n, c, h, w]` to `[n, c, oh, ow]`. */
export function avgPool2d(x: Node, kernelSize: number | Pair, options: AvgPool2dOptions = {}): Node {
  const attrs = poolAttrs("avgPool2d", kernelSize, options);
  inferPool("avgPool2d", x, attrs);
  const info = poolInfo("avgPool2d", x.shape, attrs);
  const { height, width, outHeight, outWidth, kernelHeight, kernelWidth } = info;
  const isTiling =
    sameShape(attrs.stride, attrs.kernelSize) &&
    height === outHeight * kernelHeight &&
    width === outWidth * kernelWidth;
  if (isTiling) return meanOfTiles(x, outHeight, outWidth);
  const along = (dim: 0 | 1, size: number, windows: number): Sliding => ({
    size,
    windows,
    kernel: attrs.kernelSize[dim],
    stride: attrs.stride[dim],
    padding: attrs.padding[dim],
  });
  const rows = along(0, height, outHeight);
  const columns = along(1, width, outWidth);
  const sums = sumSliding(sumSliding(x, 2, rows), 3, columns);
  if (options.countIncludePad ?? true) return div(sums, kernelHeight * kernelWidth);
  return div(sums, mul(unsqueeze(countInside(rows), 1), countInside(columns)));
}

/** Means of tiles that divide the plane evenly. */
function meanOfTiles(x: Node, outHeight: number, outWidth: number): Node {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  if (outHeight === 1 && outWidth === 1) return mean(x, [2, 3], true);
  return mean(reshape(x, [n, c, outHeight, height / outHeight, outWidth, width / outWidth]), [3, 5]);
}

/** Where window `index` of `windows` begins that cover `size` places: `floor(index * size / windows)`. */
const adaptiveStart = (index: Node, size: number, windows: number): Node => floorDivide(mul(index, size), windows);

/** Where it ends: `ceil((index + 1) * size / windows)`. */
const adaptiveEnd = (index: Node, size: number, windows: number): Node =>
  floorDivide(add(mul(add(index, 1), size), windows - 1), windows);

/**
 * Sums along `dim` over windows of nearly equal size that cover it. The transpose is of the same kind: place `p` of `size`
 * lies in the windows from `floor(p * windows / size)` to `ceil((p + 1) * windows / size)`.
 */
function sumAdaptive(x: Node, dim: number, windows: number): Node {
  const size = x.shape[dim]!;
  const longest = Math.floor((size + windows - 2) / windows) + 1;
  const along = (value: Node): Node => reshape(value, [...value.shape, ...x.shape.slice(dim + 1).map(() => 1)]);
  const index = unsqueeze(iota(windows, "u32"), 1);
  const place = add(adaptiveStart(index, size, windows), iota(longest, "u32")); // [windows, longest]
  const inside = lt(place, adaptiveEnd(index, size, windows));
  const repeated = expand(unsqueeze(withoutGrad(x), dim), x.shape.toSpliced(dim, 0, windows));
  const found = x.shape.toSpliced(dim, 1, windows, longest);
  const values = gather(repeated, dim + 1, expand(along(minimum(place, size - 1)), found));
  const sums = sum(where(along(inside), values, 0), dim + 1);
  return x.requiresGrad ? customVjp(sums, [x], (gradOut) => [sumAdaptive(gradOut, dim, size)]) : sums;
}

/** Means along `dim` over windows of nearly equal size that cover it. */
function meanAdaptive(x: Node, dim: number, windows: number): Node {
  const size = x.shape[dim]!;
  const index = iota(windows, "u32");
  const counts = sub(adaptiveEnd(index, size, windows), adaptiveStart(index, size, windows));
  const after = x.shape.slice(dim + 1).map(() => 1);
  return div(sumAdaptive(x, dim, windows), reshape(counts, [windows, ...after]));
}

/** Mean over windows chosen so that the output has `outputSize`, `[n, c, h, w]` to `[n, c, ...outputSize]`. */
export function adaptiveAvgPool2d(x: Node, outputSize: number | Pair): Node {
  checkDType("adaptiveAvgPool2d", [x], FLOAT);
  checkRank("adaptiveAvgPool2d", "input", x, 4, "[n, c, h, w]");
  const [outHeight, outWidth] = toPair(outputSize);
  const [height, width] = x.shape.slice(2) as [number, number];
  if (![outHeight, outWidth].every((size) => Number.isInteger(size) && size > 0)) {
    throw new ValueError(
      `adaptiveAvgPool2d: outputSize must be positive integers, got ${showShape([outHeight, outWidth])}. Use 1 for one mean.`,
    );
  }
  const dividesHeight = height % outHeight === 0;
  const dividesWidth = width % outWidth === 0;
  if (dividesHeight && dividesWidth) return meanOfTiles(x, outHeight, outWidth);
  const rows = dividesHeight ? meanOfTiles(x, outHeight, width) : meanAdaptive(x, 2, outHeight);
  return dividesWidth ? meanOfTiles(rows, outHeight, outWidth) : meanAdaptive(rows, 3, outWidth);
}
