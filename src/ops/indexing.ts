/**
 * Elements at places that a tensor names: gather reads them, and its transpose scatter writes them, folding what meets at one
 * place in the order of the index. What is composed of them is in `lookup` and `put`.
 */

import { IndexError, ShapeError } from "../errors";
import { type DType, type HostArray, isFloat, type TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import {
  around,
  contiguousStrides,
  normalizeDim,
  resized,
  sameShape,
  type Shape,
  showShape,
  sizeOf,
} from "../graph/shape";
import { div, maximum, mul, where } from "./arithmetic";
import { expand, full, ones, zeros, zerosLike } from "./broadcast";
import { cast, fitted, type Operand, toIndex } from "./cast";
import { checkDType, checkSameDType, checkSameShape } from "./check";
import { customVjp } from "./custom";
import { floorDivide } from "./division";
import { iota } from "./generate";
import type { ScatterInfo } from "./kernelInfo";
import { hostIntegers } from "./leaf";
import { eq, ge } from "./logic";
import { apply, defineOp, type IndexedContext } from "./op";
import { NUMERIC } from "./pointwise";
import { replaceBox, slice } from "./slice";
import { forEachRow, toF64 } from "./strided";
import { reshape } from "./views";
import { call, zeroLit } from "./wgsl";

/** `op` is what the user called: errors name it. */
type DimAttrs = { readonly dim: number; readonly op: string };

/** Apart from `dim`, no dimension of the index may be longer than that of the tensor. */
function checkIndexShape(op: string, x: Node, index: Node, dim: number): void {
  const fits =
    index.shape.length === x.shape.length && index.shape.every((size, d) => d === dim || size <= x.shape[d]!);
  if (fits) return;
  throw new ShapeError(
    `${op}: index must have as many dimensions as the tensor and be no longer outside dim ${dim}, ` +
      `got ${showShape(index.shape)} for ${showShape(x.shape)}. Expand or slice the index.`,
  );
}

/** Every index must lie in `low..size - 1`. */
export function checkRange(op: string, index: TypedArray, size: number, low = 0): void {
  for (let i = 0; i < index.length; i++) {
    if (index[i]! >= low && index[i]! < size) continue;
    throw new IndexError(
      `${op}: index must be in ${low}..${size - 1}, got ${index[i]}. Check where the index comes from.`,
    );
  }
}

/** What lies on the host is checked at once, on the user's line. */
export function checkKnown(op: string, index: Node, size: number, low = 0): void {
  const known = hostIntegers(index);
  if (known) checkRange(op, known, size, low);
}

// --- gather ----------------------------------------------------------------------------------------------------------

function evaluateGather(x: HostArray, index: HostArray, output: HostArray, { dim, op }: DimAttrs): void {
  checkRange(op, index.data, x.shape[dim] ?? 1);
  const strides = contiguousStrides(x.shape);
  const dimStride = strides[dim] ?? 0;
  const steps = strides.map((stride, d) => (d === dim ? 0 : stride));
  const length = index.shape.at(-1) ?? 1;
  const step = steps.at(-1) ?? 0;
  if (index.data.length === 0) return;
  forEachRow(index.shape, steps, 0, (out, base) => {
    for (let i = 0; i < length; i++) output.data[out + i] = x.data[base + i * step + index.data[out + i]! * dimStride]!;
  });
}

function gatherWgsl(node: Node, context: IndexedContext): string {
  const { dim } = node.attrs as unknown as DimAttrs;
  const type = context.lanes === 4 ? "vec4<u32>" : "u32";
  if (sizeOf(node.shape) === 0) return zeroLit(node.dtype, context.lanes); // in a sum over nothing: never run, but compiled
  const size = node.inputs[0]!.shape[dim] ?? 1;
  const index = context.bind(`${type}(${context.read(1, context.coords)})`, "u32"); // negative ones become large
  const inside = context.bind(`min(${index}, ${context.constant(size - 1)})`, "u32");
  const value = context.read(
    0,
    context.coords.map((coord, d) => (d === dim ? inside : coord)),
  );
  // a shader cannot throw: a float from outside is NaN, so that it shows
  if (!isFloat(node.dtype)) return value;
  return `select(${value}, ${call("nan_of", [value], context.lanes)}, ${index} != ${inside})`;
}

export const gatherOp = defineOp<DimAttrs>({
  name: "gather",
  infer([x, index], { dim, op }) {
    checkDType(op, [index!], ["i32"]);
    checkIndexShape(op, x!, index!, dim);
    if (sizeOf(index!.shape) > 0 && sizeOf(x!.shape) === 0) {
      throw new ShapeError(`${op}: the tensor must not be empty, got ${showShape(x!.shape)}. Use an empty index.`);
    }
    return { shape: index!.shape, dtype: x!.dtype };
  },
  evaluate: ([x, index], output, attrs) => evaluateGather(x!, index!, output, attrs),
  vjp: (gradOut, { inputs: [x, index], attrs: { dim } }) => [
    scatterAdd(zeros(x!.shape, x!.dtype), dim, index!, gradOut),
    null,
  ],
  lowering: { kind: "indexed", wgsl: gatherWgsl },
  indices: ({ inputs: [x, index], attrs }) => {
    const { dim, op } = attrs as unknown as DimAttrs;
    return { op, index: index!, low: 0, size: x!.shape[dim] ?? 1 };
  },
});

/**
 * `output[i, j, k] = x[i, index[i, j, k], k]` for `dim` 1. The index may be shorter than `x` in the other dimensions.
 * @param op what the user called, for errors
 */
export function gather(x: Node, dim: number, index: Node, op = "gather"): Node {
  const at = normalizeDim(op, dim, x.shape.length);
  const places = toIndex(op, index);
  checkKnown(op, index, x.shape[at] ?? 1);
  return apply(gatherOp, [x, places], { dim: at, op });
}

// --- scatter ---------------------------------------------------------------------------------------------------------

/** What becomes of values that meet at one place. */
export type Fold = "sum" | "prod" | "amax" | "amin";

type ScatterAttrs = DimAttrs & { readonly reduce: Fold };

const FOLDS: Readonly<Record<Fold, (total: number, value: number) => number>> = {
  sum: (total, value) => total + value,
  prod: (total, value) => total * value,
  amax: Math.max,
  amin: Math.min,
};

const KERNEL_FOLD = { sum: "sum", prod: "prod", amax: "max", amin: "min" } as const;

function evaluateScatter(
  [x, index, src]: readonly HostArray[],
  output: HostArray,
  { dim, op, reduce }: ScatterAttrs,
): void {
  const { outer, size, inner } = around(output.shape, dim);
  const indexSize = index!.shape[dim] ?? 1;
  checkRange(op, index!.data, size);
  const fold = reduce === "prod" && !isFloat(output.dtype) ? Math.imul : FOLDS[reduce];
  const totals = Float64Array.from(x!.data);
  const from = toF64(src!.data);
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < indexSize; j++) {
      const row = (o * indexSize + j) * inner;
      for (let i = 0; i < inner; i++) {
        const place = (o * size + index!.data[row + i]!) * inner + i;
        totals[place] = fold(totals[place]!, from[row + i]!);
      }
    }
  }
  output.data.set(totals);
}

type ScatterVjp = (gradOut: Node, inputs: readonly Node[], output: Node, dim: number) => readonly (Node | null)[];

/** Extremes: those that are equal to the result share the gradient evenly. */
const vjpOfExtreme: ScatterVjp = (gradOut, [x, index, src], output, dim) => {
  const isBest = (value: Node, best: Node): Node => cast(eq(value, best), gradOut.dtype);
  const [ofX, ofSrc] = [isBest(x!, output), isBest(src!, gather(output, dim, index!))];
  const share = div(gradOut, maximum(scatterAdd(ofX, dim, index!, ofSrc), 1));
  return [mul(ofX, share), null, mul(ofSrc, gather(share, dim, index!))];
};

/** Products: the product of the others, counted without zeros. Second derivatives hold where no factor is 0. */
const vjpOfProduct: ScatterVjp = (gradOut, [x, index, src], _output, dim) => {
  const isZero = (value: Node): Node => eq(value, 0);
  const nonzero = (value: Node): Node => where(isZero(value), 1, value);
  const products = scatterFold("prod", nonzero(x!), dim, index!, nonzero(src!));
  const count = (value: Node): Node => cast(isZero(value), "i32");
  const zeroCounts = scatterAdd(count(x!), dim, index!, count(src!));
  const others = (value: Node, product: Node, zeroCount: Node): Node =>
    where(
      isZero(value),
      where(eq(zeroCount, 1), product, 0),
      where(isZero(zeroCount), div(product, nonzero(value)), 0),
    );
  const at = (values: Node): Node => gather(values, dim, index!);
  return [
    mul(gradOut, others(x!, products, zeroCounts)),
    null,
    mul(at(gradOut), others(src!, at(products), at(zeroCounts))),
  ];
};

const SCATTER_VJPS: Readonly<Record<Fold, ScatterVjp>> = {
  sum: (gradOut, [, index], _output, dim) => [gradOut, null, gather(gradOut, dim, index!)],
  prod: vjpOfProduct,
  amax: vjpOfExtreme,
  amin: vjpOfExtreme,
};

/** Inputs: x, index (i32), src. `output[o, index[o, j, i], i] = fold(that, src[o, j, i])`, starting from x, in the order of j. */
export const scatterReduceOp = defineOp<ScatterAttrs>({
  name: "scatterReduce",
  infer([x, index, src], { dim, op }) {
    checkDType(op, [index!], ["i32"]);
    checkDType(op, [x!], NUMERIC);
    checkSameDType(op, [x!, src!]);
    checkSameShape(op, [index!, src!]);
    checkIndexShape(op, x!, index!, dim);
    return { shape: x!.shape, dtype: x!.dtype };
  },
  evaluate: evaluateScatter,
  vjp: (gradOut, { inputs, output, attrs: { dim, reduce } }) => SCATTER_VJPS[reduce](gradOut, inputs, output, dim),
  lowering: {
    kind: "kernel",
    call({ shape, dtype, inputs, attrs }) {
      const { dim, reduce } = attrs as unknown as ScatterAttrs;
      const { outer, size, inner } = around(shape, dim);
      const indexDim = inputs[1]!.shape[dim] ?? 1;
      const type = dtype as ScatterInfo["type"];
      return { kernel: "scatter", info: { outer, dim: size, indexDim, inner, fold: KERNEL_FOLD[reduce], type } };
    },
  },
  indices: ({ shape, inputs, attrs }) => {
    const { dim, op } = attrs as unknown as ScatterAttrs;
    return { op, index: inputs[1]!, low: 0, size: shape[dim] ?? 1 };
  },
});

/** Operands of a scatter, checked: the index, and as much of the source as it covers. */
interface Scatter {
  readonly x: Node;
  readonly dim: number;
  readonly index: Node;
  readonly src: Node;
}

function checkScatter(op: string, x: Node, dim: number, index: Node, src: Operand): Scatter {
  const at = normalizeDim(op, dim, x.shape.length);
  const places = toIndex(op, index);
  checkIndexShape(op, x, places, at);
  checkKnown(op, index, x.shape[at] ?? 1);
  const values = fitted(op, src, x.dtype);
  if (typeof src === "number") return { x, dim: at, index: places, src: expand(values, places.shape) };
  const isCovered =
    values.shape.length === places.shape.length && places.shape.every((size, d) => size <= values.shape[d]!);
  if (!isCovered) {
    throw new ShapeError(
      `${op}: src must be as large as the index, got ${showShape(values.shape)} for ${showShape(places.shape)}. Expand it.`,
    );
  }
  const used = sameShape(values.shape, places.shape) ? values : slice(values, [], places.shape);
  return { x, dim: at, index: places, src: used };
}

/** Runs `scatter` on the part of `x` that the index covers in the other dimensions; the rest stays. */
function onCovered(operands: Scatter, scatter: (part: Node, operands: Scatter) => Node): Node {
  const { x, dim, index, src } = operands;
  if (sizeOf(index.shape) === 0) {
    return src.requiresGrad ? customVjp(x, [x, src], (gradOut) => [gradOut, zerosLike(src)]) : x;
  }
  const covered = resized(index.shape, dim, x.shape[dim] ?? 1);
  if (sameShape(covered, x.shape)) return scatter(x, operands);
  const part = scatter(slice(x, [], covered), operands);
  return replaceBox(x, part, { starts: covered.map(() => 0), sizes: covered, steps: covered.map(() => 1) });
}

/** The dtype that a scatter works in: u8 and bool have no arithmetic of their own. */
const workingDType = (dtype: DType): DType => (dtype === "u8" || dtype === "bool" ? "i32" : dtype);

function scatterFold(reduce: Fold, x: Node, dim: number, index: Node, src: Node, op = "scatterReduce"): Node {
  const dtype = workingDType(x.dtype);
  return cast(apply(scatterReduceOp, [cast(x, dtype), index, cast(src, dtype)], { dim, op, reduce }), x.dtype);
}

/**
 * `x` with `src[i, j, k]` added at `[i, index[i, j, k], k]` for `dim` 1; sums in the order of `src`, so the bits are fixed.
 * The index may be shorter than `x` in the other dimensions, and `src` longer than the index.
 */
export const scatterAdd = (x: Node, dim: number, index: Node, src: Node, op = "scatterAdd"): Node =>
  onCovered(checkScatter(op, x, dim, index, src), (part, operands) =>
    scatterFold("sum", part, operands.dim, operands.index, operands.src, op),
  );

/** `0, 1, ...` along `dim` of `shape`. */
function placesAlong(shape: Shape, dim: number): Node {
  const size = shape[dim] ?? 1;
  const column = shape.map((_, d) => (d === dim ? size : 1));
  return expand(reshape(iota(size), column), shape);
}

/** For each entry of `shape`, the place along `dim` of the last index that names it; -1 where none does. */
function lastNaming(shape: Shape, dim: number, index: Node, op: string): Node {
  return scatterFold("amax", full(shape, -1, "i32"), dim, index, placesAlong(index.shape, dim), op);
}

// d x = gradOut where nothing was written; d src = gradOut at its index, where it was the last
function overwrite(x: Node, { dim, index, src }: Scatter, op: string): Node {
  const last = lastNaming(x.shape, dim, index, op);
  const isWritten = ge(last, 0);
  const result = where(isWritten, gather(src, dim, maximum(last, 0), op), x);
  if (!result.requiresGrad) return result;
  return customVjp(result, [x, src], (gradOut) => {
    const isLast = eq(gather(last, dim, index, op), placesAlong(index.shape, dim));
    return [where(isWritten, 0, gradOut), where(isLast, gather(gradOut, dim, index, op), 0)];
  });
}

/**
 * `x` with `src[i, j, k]` written at `[i, index[i, j, k], k]` for `dim` 1. Where several meet, the last one stays, and it alone
 * has a gradient.
 */
export const scatter = (x: Node, dim: number, index: Node, src: Operand, op = "scatter"): Node =>
  onCovered(checkScatter(op, x, dim, index, src), (part, operands) => overwrite(part, operands, op));

/** What folds to nothing: the start where `x` itself does not count. */
function identityOf(reduce: Fold | "mean", dtype: DType): number {
  if (reduce === "sum" || reduce === "mean") return 0;
  if (reduce === "prod") return 1;
  if (isFloat(dtype)) return reduce === "amax" ? -Infinity : Infinity;
  if (dtype === "u32") return reduce === "amax" ? 0 : 0xffffffff;
  return reduce === "amax" ? -0x80000000 : 0x7fffffff;
}

/**
 * `x` folded with `src[i, j, k]` at `[i, index[i, j, k], k]` for `dim` 1. `mean` divides by what was added up; of integers
 * rounded down.
 * @param includeSelf whether `x` counts where something is folded into it
 */
export function scatterReduce(
  x: Node,
  dim: number,
  index: Node,
  src: Node,
  { reduce, includeSelf = true }: { readonly reduce: Fold | "mean"; readonly includeSelf?: boolean },
): Node {
  const op = "scatterReduce";
  return onCovered(checkScatter(op, x, dim, index, src), (part, { dim: at, index: places, src: values }) => {
    const dtype = workingDType(x.dtype);
    const self = cast(part, dtype);
    const isNamed = includeSelf ? null : ge(lastNaming(part.shape, at, places, op), 0);
    const start = isNamed ? where(isNamed, full([], identityOf(reduce, dtype), dtype), self) : self;
    const result = scatterFold(reduce === "mean" ? "sum" : reduce, start, at, places, cast(values, dtype), op);
    if (reduce !== "mean") return cast(result, x.dtype);
    const counted = isNamed ? where(isNamed, full([], 0, dtype), full([], 1, dtype)) : ones(part.shape, dtype);
    const counts = scatterFold("sum", counted, at, places, ones(places.shape, dtype), op);
    return cast((isFloat(dtype) ? div : floorDivide)(result, counts), x.dtype);
  });
}

/** `scatter`, with PyTorch's older words for what becomes of values that meet. */
export function scatterWith(reduce: "add" | "multiply", x: Node, dim: number, index: Node, src: Operand): Node {
  return onCovered(checkScatter("scatter", x, dim, index, src), (part, operands) =>
    scatterFold(reduce === "add" ? "sum" : "prod", part, operands.dim, operands.index, operands.src, "scatter"),
  );
}
