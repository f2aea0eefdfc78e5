/** Views: the same elements under other coordinates. No view computes anything. */

import { ShapeError } from "../errors";
import type { HostArray } from "../graph/dtype";
import type { Attrs, Node } from "../graph/node";
import {
  checkShape,
  contiguousStrides,
  normalizeDim,
  normalizeDims,
  sameShape,
  type Shape,
  showShape,
  sizeOf,
} from "../graph/shape";
import { checkIsList } from "../options";
import { along, apply, type AxisMap, defineOp, type Op } from "./op";
import { copyStrided } from "./strided";

type ViewSpec<A extends Attrs> = Pick<Op<A>, "name" | "infer" | "vjp"> & {
  readonly axes: (attrs: A, input: Shape, output: Shape) => readonly AxisMap[];
};

/** An op that is index arithmetic; its CPU meaning follows from `axes`. */
export function defineView<A extends Attrs>({ axes, ...op }: ViewSpec<A>): Op<A> {
  return defineOp<A>({
    ...op,
    evaluate: ([input], output, attrs) => evaluateView(input!, output, axes(attrs, input!.shape, output.shape)),
    lowering: { kind: "view", axes },
  });
}

function evaluateView(input: HostArray, output: HostArray, axes: readonly AxisMap[]): void {
  const inputStrides = contiguousStrides(input.shape);
  const strides = output.shape.map(() => 0);
  let offset = 0;
  axes.forEach(({ start, terms }, d) => {
    offset += start * inputStrides[d]!;
    for (const { from, step } of terms) strides[from]! += step * inputStrides[d]!;
  });
  copyStrided(output.data, input.data, output.shape, strides, offset);
}

// --- reshape ---------------------------------------------------------------------------------------------------------

export const reshapeOp = defineOp<{ readonly shape: Shape }>({
  name: "reshape",
  infer([input], { shape }) {
    checkShape("reshape", shape);
    if (sizeOf(shape) !== sizeOf(input!.shape)) {
      throw new ShapeError(
        `reshape: the number of elements must stay the same, got ${showShape(input!.shape)} -> ${showShape(shape)} ` +
          `(${sizeOf(input!.shape)} != ${sizeOf(shape)}). Use -1 for the size that should follow from the others.`,
      );
    }
    return { shape, dtype: input!.dtype };
  },
  evaluate: ([input], output) => output.data.set(input!.data),
  vjp: (gradOut, { inputs: [input] }) => [reshape(gradOut, input!.shape)],
  lowering: { kind: "reshape" },
});

/** The same elements in the same order under another shape; one size may be -1. */
export function reshape(x: Node, shape: Shape): Node {
  const target = resolveShape(x.shape, shape);
  return sameShape(target, x.shape) ? x : apply(reshapeOp, [x], { shape: target });
}

function resolveShape(from: Shape, to: Shape): Shape {
  const unknown = to.indexOf(-1);
  if (unknown < 0) return [...to];
  const known = sizeOf(to.filter((_, d) => d !== unknown));
  const size = sizeOf(from) / known;
  if (to.lastIndexOf(-1) !== unknown || known === 0 || !Number.isInteger(size)) {
    throw new ShapeError(
      `reshape: one size may be -1 and the others must divide the number of elements, ` +
        `got ${showShape(from)} -> ${showShape(to)}. Give all sizes.`,
    );
  }
  return to.map((value, d) => (d === unknown ? size : value));
}

/** Dimensions `startDim` to `endDim` joined to one. */
export function flatten(x: Node, startDim = 0, endDim = -1): Node {
  const rank = x.shape.length;
  const start = normalizeDim("flatten", startDim, rank);
  const end = normalizeDim("flatten", endDim, rank);
  if (rank === 0) return reshape(x, [1]);
  if (start > end) {
    throw new ShapeError(`flatten: startDim must not come after endDim, got ${startDim} and ${endDim}. Swap them.`);
  }
  return reshape(x, [...x.shape.slice(0, start), sizeOf(x.shape.slice(start, end + 1)), ...x.shape.slice(end + 1)]);
}

/** Dimensions of size 1 removed: all of them, or those of `dims` that have size 1. */
export function squeeze(x: Node, dims?: number | readonly number[]): Node {
  const list = normalizeDims("squeeze", dims, x.shape.length);
  return reshape(
    x,
    x.shape.filter((size, d) => size !== 1 || !list.includes(d)),
  );
}

/** One dimension as several; one of their sizes may be -1. */
export function unflatten(x: Node, dim: number, sizes: Shape): Node {
  const at = normalizeDim("unflatten", dim, x.shape.length);
  checkIsList("unflatten", "sizes", sizes);
  const size = x.shape[at] ?? 1;
  const known = sizeOf(sizes.filter((each) => each !== -1));
  const isWhole = sizes.includes(-1) ? known > 0 && size % known === 0 : known === size;
  if (sizes.length === 0 || !isWhole) {
    throw new ShapeError(
      `unflatten: sizes must multiply to ${size}, the size of dim ${dim}, got ${showShape(sizes)}. One of them may be -1.`,
    );
  }
  return reshape(x, [
    ...x.shape.slice(0, at),
    ...sizes.map((each) => (each === -1 ? size / known : each)),
    ...x.shape.slice(at + 1),
  ]);
}

/** At least `rank` dimensions. New ones come first; of three, the last comes last: `[n] -> [1, n, 1]`, `[m, n] -> [m, n, 1]`. */
export function atLeast(rank: 1 | 2 | 3, x: Node): Node {
  const { shape } = x;
  if (shape.length >= rank) return x;
  if (rank === 3 && shape.length > 0) return reshape(x, shape.length === 1 ? [1, ...shape, 1] : [...shape, 1]);
  return reshape(x, [...new Array<number>(rank - shape.length).fill(1), ...shape]);
}

/** A dimension of size 1 inserted at `dim`. */
export function unsqueeze(x: Node, dim: number): Node {
  const at = normalizeDim("unsqueeze", dim, x.shape.length + 1);
  return reshape(x, x.shape.toSpliced(at, 0, 1));
}

// --- permute ---------------------------------------------------------------------------------------------------------

export const permuteOp = defineView<{ readonly dims: readonly number[] }>({
  name: "permute",
  infer([input], { dims }) {
    const rank = input!.shape.length;
    const sorted = [...dims].sort((a, b) => a - b);
    if (dims.length !== rank || sorted.some((dim, d) => dim !== d)) {
      throw new ShapeError(
        `permute: dims must name each of the ${rank} dimensions once, got ${showShape(dims)} for ${showShape(input!.shape)}. ` +
          `List all of them in the new order.`,
      );
    }
    return { shape: dims.map((dim) => input!.shape[dim]!), dtype: input!.dtype };
  },
  vjp: (gradOut, { attrs: { dims } }) => [permutedBack(gradOut, invertPermutation(dims))],
  axes: ({ dims }) => invertPermutation(dims).map((from) => along(from)),
});

/** `permute` of a gradient; of one that was permuted the other way, what it was before. */
function permutedBack(gradOut: Node, dims: readonly number[]): Node {
  const before = gradOut.op === permuteOp ? (gradOut.attrs["dims"] as readonly number[]) : null;
  return before && dims.every((from, d) => before[from] === d) ? gradOut.inputs[0]! : permute(gradOut, dims);
}

function invertPermutation(dims: readonly number[]): number[] {
  const inverse = new Array<number>(dims.length);
  dims.forEach((dim, d) => (inverse[dim] = d));
  return inverse;
}

/** Dimensions in another order: dimension `d` of the result is dimension `dims[d]` of `x`. */
export function permute(x: Node, dims: readonly number[]): Node {
  const order = dims.map((dim) => normalizeDim("permute", dim, x.shape.length));
  const unchanged = order.length === x.shape.length && order.every((dim, d) => dim === d);
  return unchanged ? x : apply(permuteOp, [x], { dims: order });
}

/** Whether a matrix, or a stack of them, is another one transposed. */
export const isTransposed = (x: Node): boolean =>
  x.op === permuteOp &&
  (x.attrs["dims"] as readonly number[]).every(
    (dim, d, { length }) => dim === (d < length - 2 ? d : 2 * length - 3 - d),
  );

/** Two dimensions swapped. */
export function transpose(x: Node, dim0: number, dim1: number): Node {
  const rank = x.shape.length;
  const a = normalizeDim("transpose", dim0, rank);
  const b = normalizeDim("transpose", dim1, rank);
  if (rank === 0) return x;
  return permute(
    x,
    x.shape.map((_, d) => (d === a ? b : d === b ? a : d)),
  );
}

/** Dimensions `source` moved to the places `destination`; the others keep their order. */
export function movedim(x: Node, source: number | readonly number[], destination: number | readonly number[]): Node {
  const rank = x.shape.length;
  const [from, to] = [source, destination].map((dims) => distinctDims("movedim", dims, rank)) as [number[], number[]];
  if (from.length !== to.length) {
    throw new ShapeError(
      `movedim: source and destination must name as many dims, got ${showShape(from)} and ${showShape(to)}. Name a place for each.`,
    );
  }
  const rest = x.shape.map((_, d) => d).filter((d) => !from.includes(d));
  return permute(
    x,
    x.shape.map((_, d) => (to.includes(d) ? from[to.indexOf(d)]! : rest.shift()!)),
  );
}

/** Dims counted from the front, in the order given. */
function distinctDims(op: string, dims: number | readonly number[], rank: number): number[] {
  normalizeDims(op, dims, rank); // each once
  return [dims].flat().map((dim) => normalizeDim(op, dim, rank));
}
