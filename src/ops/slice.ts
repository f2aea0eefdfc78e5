/** Slice and its transpose, pad: one takes every step-th element of a box, the other spreads elements into a larger one. */

import { ShapeError, ValueError } from "../errors";
import type { HostArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { contiguousStrides, normalizeDim, normalizeDims, resized, showShape, sizeOf } from "../graph/shape";
import { checkIsList } from "../options";
import { where } from "./arithmetic";
import { ones } from "./broadcast";
import { along, apply, defineOp, type IndexedContext } from "./op";
import { forEachRow } from "./strided";
import { defineView } from "./views";
import { zeroLit } from "./wgsl";

// --- slice -----------------------------------------------------------------------------------------------------------

/** Every step-th element of a part of a tensor. */
export type SliceAttrs = {
  /** First element taken in each dimension. */
  readonly starts: readonly number[];
  /** Elements taken. */
  readonly sizes: readonly number[];
  /** Distance between them; negative to walk backwards. */
  readonly steps: readonly number[];
};

export const sliceOp = defineView<SliceAttrs>({
  name: "slice",
  infer([input], { starts, sizes, steps }) {
    sizes.forEach((size, d) => {
      const first = starts[d]!;
      const last = first + (size - 1) * steps[d]!;
      if (size > 0 && (Math.min(first, last) < 0 || Math.max(first, last) >= input!.shape[d]!)) {
        throw new ShapeError(
          `slice: the range must lie in the tensor, got ${first}..${last} of dimension ${d} of ${showShape(input!.shape)}. ` +
            `Check start, end and step.`,
        );
      }
    });
    return { shape: sizes, dtype: input!.dtype };
  },
  vjp: (gradOut, { inputs: [input], attrs }) => [unslice(gradOut, attrs, input!.shape)],
  axes: ({ starts, steps, sizes }) => starts.map((start, d) => along(d, sizes[d] === 0 ? 0 : start, steps[d])),
});

/** The transpose of slice: elements go back to where they came from, 0 elsewhere. */
export function unslice(x: Node, { starts, sizes, steps }: SliceAttrs, shape: readonly number[]): Node {
  const backwards = steps.flatMap((step, d) => (step < 0 ? [d] : []));
  const lengths = sizes.map((size, d) => (size === 0 ? 0 : (size - 1) * Math.abs(steps[d]!) + 1));
  const first = starts.map((start, d) => (steps[d]! < 0 ? start - lengths[d]! + 1 : start));
  const before = first.map((start, d) => (sizes[d] === 0 ? 0 : start));
  const interior = steps.map((step) => Math.abs(step) - 1);
  const after = shape.map((size, d) => size - before[d]! - lengths[d]!);
  return padZeros(flip(x, backwards), before, after, interior);
}

/** The box that starts at `starts` and takes `sizes` elements, `steps` apart; the form all slices come down to. */
export function sliceBox(x: Node, { starts, sizes, steps }: SliceAttrs): Node {
  if (isWhole(x, { starts, sizes, steps })) return x;
  return apply(sliceOp, [x], { starts: [...starts], sizes: [...sizes], steps: [...steps] });
}

const isWhole = (x: Node, { starts, sizes, steps }: SliceAttrs): boolean =>
  sizes.every((size, d) => size === x.shape[d] && starts[d] === 0 && steps[d] === 1);

/** `x` with the elements of a box replaced. */
export function replaceBox(x: Node, value: Node, box: SliceAttrs): Node {
  if (isWhole(x, box)) return value;
  return where(unslice(ones(box.sizes, "bool"), box, x.shape), unslice(value, box, x.shape), x);
}

interface Range {
  readonly start: number;
  readonly size: number;
}

/** Python's `start:end:step`: negative bounds count from the end, bounds beyond the tensor are cut, null is the default. */
export function resolveRange(size: number, start: number | null, end: number | null, step: number): Range {
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? size : size - 1;
  const place = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + size : bound, low), high);
  const first = start === null ? (step > 0 ? low : high) : place(start);
  const stop = end === null ? (step > 0 ? high : low) : place(end);
  return { start: first, size: Math.max(0, Math.ceil((stop - first) / step)) };
}

/** Where a slice starts or ends, per leading dimension; null for Python's default. */
export type Bounds = readonly (number | null)[];

/**
 * `x[starts[0]:ends[0]:steps[0], ...]` as in Python and NumPy; dimensions that are not named are taken whole.
 * Negative steps walk backwards.
 */
export function slice(x: Node, starts: Bounds, ends: Bounds = [], steps: readonly number[] = []): Node {
  for (const [name, list] of Object.entries({ starts, ends, steps })) checkIsList("slice", name, list);
  const rank = x.shape.length;
  const longest = Math.max(starts.length, ends.length, steps.length);
  if (longest > rank) {
    throw new ShapeError(
      `slice: at most one range per dimension, got ${longest} for ${showShape(x.shape)}. Remove the rest.`,
    );
  }
  const strides = x.shape.map((_, d) => steps[d] ?? 1);
  const bound = [...starts, ...ends].find((each) => each !== null && !Number.isInteger(each));
  if (bound !== undefined)
    throw new ValueError(`slice: starts and ends must be integers or null, got ${bound}. Round them.`);
  const wrong = strides.find((step) => !Number.isInteger(step) || step === 0);
  if (wrong !== undefined)
    throw new ValueError(`slice: steps must be integers other than 0, got ${wrong}. Use 1 to take all.`);
  const ranges = x.shape.map((size, d) => resolveRange(size, starts[d] ?? null, ends[d] ?? null, strides[d]!));
  return sliceBox(x, {
    starts: ranges.map(({ start }) => start),
    sizes: ranges.map(({ size }) => size),
    steps: strides,
  });
}

/** `length` elements of dimension `dim` from `start` on. */
export function narrow(x: Node, dim: number, start: number, length: number): Node {
  const at = normalizeDim("narrow", dim, x.shape.length);
  const first = start < 0 ? start + x.shape[at]! : start;
  const isInside = first >= 0 && length >= 0 && first + length <= (x.shape[at] ?? 0);
  if (!(isInside && Number.isInteger(first) && Number.isInteger(length))) {
    throw new ShapeError(
      `narrow: start and length must be integers that lie in dimension ${at}, got start ${start}, length ${length} for ${showShape(x.shape)}. ` +
        `Use slice to have bounds cut.`,
    );
  }
  const starts = x.shape.map((_, d) => (d === at ? first : 0));
  return sliceBox(x, { starts, sizes: resized(x.shape, at, length), steps: x.shape.map(() => 1) });
}

/** The order of elements reversed along `dims`. */
export function flip(x: Node, dims: number | readonly number[]): Node {
  const list = normalizeDims("flip", dims, x.shape.length);
  const turned = x.shape.map((size, d) => list.includes(d) && size > 1);
  const starts = x.shape.map((size, d) => (turned[d] ? size - 1 : 0));
  return sliceBox(x, { starts, sizes: x.shape, steps: turned.map((isTurned) => (isTurned ? -1 : 1)) });
}

// --- pad -------------------------------------------------------------------------------------------------------------

type PadAttrs = {
  /** Zeros before the first element, after the last and between neighbours, per dimension. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly interior: readonly number[];
};

function evaluatePad(input: HostArray, output: HostArray, { before, interior }: PadAttrs): void {
  output.data.fill(0);
  if (input.data.length === 0) return;
  const outputStrides = contiguousStrides(output.shape);
  const steps = outputStrides.map((stride, d) => stride * (interior[d]! + 1));
  const offset = before.reduce((sum, count, d) => sum + count * outputStrides[d]!, 0);
  const length = input.shape.at(-1) ?? 1;
  const step = steps.at(-1) ?? 1;
  forEachRow(input.shape, steps, offset, (from, to) => {
    if (step === 1) output.data.set(input.data.subarray(from, from + length), to);
    else for (let i = 0; i < length; i++) output.data[to + i * step] = input.data[from + i]!;
  });
}

/** Where an output coordinate lies in the input, and whether it does at all. */
function padSource(
  coord: string,
  d: number,
  node: Node,
  context: IndexedContext,
): { coord: string; inside: string | null } {
  const { before, after, interior } = node.attrs as unknown as PadAttrs;
  const size = node.inputs[0]!.shape[d]!;
  const step = interior[d]! + 1;
  if (before[d] === 0 && after[d] === 0 && step === 1) return { coord, inside: null };
  const constant = (value: number): string => context.constant(value);
  // coordinates are unsigned, and may be constants, which must not wrap
  const first = constant(before[d]!);
  const shifted = before[d] === 0 ? coord : context.bind(`(max(${coord}, ${first}) - ${first})`, "u32");
  const quotient = step === 1 ? shifted : `(${shifted} / ${constant(step)})`;
  const conditions = [`(${shifted} < ${constant((size - 1) * step + 1)})`];
  if (before[d] !== 0) conditions.push(`(${coord} >= ${first})`);
  if (step !== 1) conditions.push(`(${shifted} % ${constant(step)} == ${constant(0)})`);
  return { coord: context.bind(`min(${quotient}, ${constant(size - 1)})`, "u32"), inside: conditions.join(" & ") };
}

function padWgsl(node: Node, context: IndexedContext): string {
  if (sizeOf(node.inputs[0]!.shape) === 0) return zeroLit(node.dtype, context.lanes);
  const sources = context.coords.map((coord, d) => padSource(coord, d, node, context));
  const value = context.read(
    0,
    sources.map(({ coord }) => coord),
  );
  const conditions = sources.flatMap(({ inside }) => inside ?? []);
  if (conditions.length === 0) return value;
  return `select(${zeroLit(node.dtype, context.lanes)}, ${value}, ${conditions.join(" & ")})`;
}

export const padOp = defineOp<PadAttrs>({
  name: "pad",
  infer([input], { before, after, interior }) {
    const shape = input!.shape.map((size, d) => before[d]! + size + Math.max(size - 1, 0) * interior[d]! + after[d]!);
    return { shape, dtype: input!.dtype };
  },
  evaluate: ([input], output, attrs) => evaluatePad(input!, output, attrs),
  vjp: (gradOut, { inputs: [input], attrs: { before, interior } }) => [
    sliceBox(gradOut, { starts: before, sizes: input!.shape, steps: interior.map((count) => count + 1) }),
  ],
  lowering: { kind: "indexed", wgsl: padWgsl },
});

/** Zeros around a tensor, and between its elements; counts are per dimension and not negative. */
export function padZeros(
  x: Node,
  before: readonly number[],
  after: readonly number[],
  interior: readonly number[] = x.shape.map(() => 0),
): Node {
  const nothing = [before, after, interior].every((counts) => counts.every((count) => count === 0));
  return nothing ? x : apply(padOp, [x], { before, after, interior });
}
