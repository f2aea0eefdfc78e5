/** Gather and its transpose scatterAdd; cat, pad with a value, and what they compose to. */

import { IndexError, ShapeError } from "../errors";
import { type DType, type HostArray, isFloat, type TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { contiguousStrides, normalizeDim, sameShape, type Shape, showShape, sizeOf } from "../graph/shape";
import { add, where } from "./arithmetic";
import { expand, ones, zeros, zerosLike } from "./broadcast";
import { cast, commonDType, toIndex } from "./cast";
import { checkDType, checkRank, checkSameDType, checkSameShape } from "./check";
import { iota } from "./generate";
import { hostIntegers } from "./leaf";
import { bitwiseAnd, bitwiseLeftShift, bitwiseRightShift, eq, ge, le } from "./logic";
import { apply, defineOp, type IndexedContext } from "./op";
import { FLOAT } from "./pointwise";
import { narrow, padZeros, slice } from "./slice";
import { forEachRow, toF64 } from "./strided";
import { reshape, unsqueeze } from "./views";
import { call, zeroLit } from "./wgsl";

type DimAttrs = { readonly dim: number };

/** Sizes before, at and after a dimension. */
export function around(shape: Shape, dim: number): { outer: number; size: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, dim)), size: shape[dim] ?? 1, inner: sizeOf(shape.slice(dim + 1)) };
}

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

function checkRange(op: string, index: TypedArray, size: number): void {
  for (let i = 0; i < index.length; i++) {
    if (index[i]! >= 0 && index[i]! < size) continue;
    throw new IndexError(`${op}: index must be in 0..${size - 1}, got ${index[i]}. Check where the index comes from.`);
  }
}

// --- gather ----------------------------------------------------------------------------------------------------------

function evaluateGather(x: HostArray, index: HostArray, output: HostArray, dim: number): void {
  checkRange("gather", index.data, x.shape[dim] ?? 1);
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
  if (context.coords.length === 0) return context.read(0, []);
  const size = node.inputs[0]!.shape[dim]!;
  const index = context.bind(`${type}(${context.read(1, context.coords)})`, "u32"); // negative ones become large
  const inside = context.bind(`min(${index}, ${context.constant(size - 1)})`, "u32");
  const value = context.read(
    0,
    context.coords.map((coord, d) => (d === dim ? inside : coord)),
  );
  // a shader cannot throw: a float from outside is NaN, so that it shows
  if (node.dtype !== "f32") return value;
  return `select(${value}, ${call("nan_of", [value], context.lanes)}, ${index} != ${inside})`;
}

export const gatherOp = defineOp<DimAttrs>({
  name: "gather",
  infer([x, index], { dim }) {
    checkDType("gather", [index!], ["i32"]);
    checkIndexShape("gather", x!, index!, dim);
    if (sizeOf(index!.shape) > 0 && sizeOf(x!.shape) === 0) {
      throw new ShapeError(`gather: the tensor must not be empty, got ${showShape(x!.shape)}. Use an empty index.`);
    }
    return { shape: index!.shape, dtype: x!.dtype };
  },
  evaluate: ([x, index], output, { dim }) => evaluateGather(x!, index!, output, dim),
  vjp: (gradOut, { inputs: [x, index], attrs: { dim } }) => [
    scatterAdd(zeros(x!.shape, x!.dtype), dim, index!, gradOut),
    null,
  ],
  lowering: { kind: "indexed", wgsl: gatherWgsl },
});

/** `output[i, j, k] = x[i, index[i, j, k], k]` for `dim` 1. The index may be shorter than `x` in the other dimensions. */
export function gather(x: Node, dim: number, index: Node): Node {
  const at = normalizeDim("gather", dim, x.shape.length);
  const known = hostIntegers(index);
  if (known) checkRange("gather", known, x.shape[at] ?? 1); // what lies on the host is checked at once
  return apply(gatherOp, [x, toIndex("gather", index)], { dim: at });
}

// --- scatterAdd ------------------------------------------------------------------------------------------------------

function evaluateScatterAdd(
  [x, index, src]: readonly HostArray[],
  output: HostArray,
  { outer, inner }: { outer: number; inner: number },
  dim: number,
): void {
  const size = x!.shape[dim] ?? 1;
  const indexSize = index!.shape[dim] ?? 1;
  checkRange("scatterAdd", index!.data, size);
  const totals = Float64Array.from(x!.data);
  const from = toF64(src!.data);
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < indexSize; j++) {
      const row = (o * indexSize + j) * inner;
      for (let i = 0; i < inner; i++) totals[(o * size + index!.data[row + i]!) * inner + i]! += from[row + i]!;
    }
  }
  output.data.set(totals);
}

export const scatterAddOp = defineOp<DimAttrs>({
  name: "scatterAdd",
  infer([x, index, src], { dim }) {
    checkDType("scatterAdd", [index!], ["i32"]);
    checkDType("scatterAdd", [x!], FLOAT);
    checkSameDType("scatterAdd", [x!, src!]);
    checkSameShape("scatterAdd", [index!, src!]);
    checkIndexShape("scatterAdd", x!, index!, dim);
    return { shape: x!.shape, dtype: x!.dtype };
  },
  evaluate: (inputs, output, { dim }) => evaluateScatterAdd(inputs, output, around(output.shape, dim), dim),
  vjp: (gradOut, { inputs: [, index], attrs: { dim }, needs }) => [
    gradOut,
    null,
    needs[2] ? gather(gradOut, dim, index!) : null,
  ],
  lowering: {
    kind: "kernel",
    call({ shape, inputs, attrs }) {
      const { dim } = attrs as unknown as DimAttrs;
      const { outer, size, inner } = around(shape, dim);
      return { kernel: "scatterAdd", info: { outer, dim: size, indexDim: inputs[1]!.shape[dim] ?? 1, inner } };
    },
  },
});

/**
 * `x` with `src[i, j, k]` added at `[i, index[i, j, k], k]` for `dim` 1; sums in the order of `src`.
 * The index may be shorter than `x` in the other dimensions, and `src` longer than the index.
 * Integers are exact for up to 65,793 additions to one place.
 */
export function scatterAdd(x: Node, dim: number, index: Node, src: Node): Node {
  const at = normalizeDim("scatterAdd", dim, x.shape.length);
  const places = toIndex("scatterAdd", index);
  checkIndexShape("scatterAdd", x, places, at);
  const used = sameShape(src.shape, places.shape) ? src : slice(src, [], places.shape);
  // the kernel wants equal sizes outside dim, and some index at all: what is missing adds 0 at index 0
  const isEmpty = places.shape[at] === 0 && sizeOf(x.shape) > 0;
  const after = x.shape.map((size, d) => (d === at ? Number(isEmpty) : size - places.shape[d]!));
  const before = after.map(() => 0);
  const padded = padZeros(cast(used, x.dtype), before, after);
  return (isFloat(x.dtype) ? scatterFloats : scatterIntegers)(x, at, padZeros(places, before, after), padded);
}

const scatterFloats = (x: Node, dim: number, index: Node, src: Node): Node =>
  apply(scatterAddOp, [x, index, src], { dim });

/** By bytes, whose sums f32 holds: exact for up to 65,793 additions to one place. */
function scatterIntegers(x: Node, dim: number, index: Node, src: Node): Node {
  return [0, 8, 16, 24].reduce((total, shift) => {
    const byte = cast(bitwiseAnd(bitwiseRightShift(src, shift), 0xff), "f32");
    const sums = scatterFloats(zeros(x.shape), dim, index, byte);
    return add(total, bitwiseLeftShift(cast(sums, x.dtype), shift));
  }, x);
}

/** Slices of `x` along `dim`, in the order of a 1-d index. */
export function indexSelect(x: Node, dim: number, index: Node): Node {
  checkRank("indexSelect", "index", index, 1, "[n]");
  const at = normalizeDim("indexSelect", dim, x.shape.length);
  const shape = x.shape.map((size, d) => (d === at ? index.shape[0]! : size));
  const column = shape.map((size, d) => (d === at ? size : 1));
  return gather(x, at, expand(reshape(index, column), shape));
}

/** 1 at the index, 0 elsewhere, in a new last dimension of `numClasses`; i32. What only a device knows is not checked. */
export function oneHot(index: Node, numClasses: number): Node {
  const classes = toIndex("oneHot", index);
  const wrong = hostIntegers(classes)?.find((value) => value < 0 || value >= numClasses);
  if (wrong !== undefined) {
    throw new IndexError(`oneHot: classes must be in 0..${numClasses - 1}, got ${wrong}. Raise numClasses.`);
  }
  return cast(eq(unsqueeze(classes, -1), iota(numClasses)), "i32");
}

// --- cat -------------------------------------------------------------------------------------------------------------

/** Inputs of one cat node: few enough that it and its output stay within 8 storage buffers. */
const MAX_CAT = 6;

function catWgsl(node: Node, context: IndexedContext): string {
  const { dim } = node.attrs as unknown as DimAttrs;
  const { coords } = context;
  const constant = (value: number): string => context.constant(value);
  const coord = coords[dim]!;
  let start = 0;
  let result = zeroLit(node.dtype, context.lanes);
  node.inputs.forEach((input, i) => {
    const size = input.shape[dim]!;
    if (size === 0) return;
    const inside = `min(max(${coord}, ${constant(start)}) - ${constant(start)}, ${constant(size - 1)})`;
    const place = context.bind(inside, "u32");
    const value = context.read(
      i,
      coords.map((other, d) => (d === dim ? place : other)),
    );
    result =
      start === 0
        ? value
        : context.bind(
            `select(${value}, ${result}, ${coord} < ${constant(start)})`,
            node.dtype === "u8" ? "u32" : (node.dtype as Exclude<DType, "f64" | "u8">),
          );
    start += size;
  });
  return result;
}

function evaluateCat(inputs: readonly HostArray[], output: HostArray, dim: number): void {
  const { outer, size, inner } = around(output.shape, dim);
  let start = 0;
  for (const { shape, data } of inputs) {
    const length = shape[dim]! * inner;
    for (let o = 0; o < outer; o++)
      output.data.set(data.subarray(o * length, (o + 1) * length), o * size * inner + start);
    start += length;
  }
}

export const catOp = defineOp<DimAttrs>({
  name: "cat",
  infer(inputs, { dim }) {
    checkSameDType("cat", inputs);
    const [first, ...others] = inputs.map((input) => input.shape);
    const wrong = others.find(
      (shape) => shape.length !== first!.length || shape.some((size, d) => d !== dim && size !== first![d]),
    );
    if (wrong) {
      throw new ShapeError(
        `cat: sizes must be equal outside dim ${dim}, got ${showShape(first!)} and ${showShape(wrong)}. Slice or pad one of them.`,
      );
    }
    const total = inputs.reduce((sum, input) => sum + input.shape[dim]!, 0);
    return { shape: first!.with(dim, total), dtype: inputs[0]!.dtype };
  },
  evaluate: (inputs, output, { dim }) => evaluateCat(inputs, output, dim),
  vjp(gradOut, { inputs, attrs: { dim }, needs }) {
    let start = 0;
    return inputs.map((input, i) => {
      const size = input.shape[dim]!;
      start += size;
      return needs[i] ? narrow(gradOut, dim, start - size, size) : null;
    });
  },
  lowering: { kind: "indexed", wgsl: catWgsl },
});

/** Tensors one after the other along `dim`. */
export function cat(tensors: readonly Node[], dim = 0): Node {
  const first = tensors[0];
  if (!first) throw new ShapeError("cat: there must be at least one tensor, got none. Pass a list of tensors.");
  if (first.shape.length === 0) {
    throw new ShapeError("cat: tensors must have at least one dimension, got []. Use stack for scalars.");
  }
  const at = normalizeDim("cat", dim, first.shape.length);
  const dtype = commonDType(tensors);
  const nodes = tensors.map((tensor) => cast(tensor, dtype));
  return catAll(nodes, at);
}

function catAll(nodes: readonly Node[], dim: number): Node {
  if (nodes.length === 1) return nodes[0]!;
  if (nodes.length <= MAX_CAT) return apply(catOp, nodes, { dim });
  const groups: Node[] = [];
  for (let i = 0; i < nodes.length; i += MAX_CAT) groups.push(catAll(nodes.slice(i, i + MAX_CAT), dim));
  return catAll(groups, dim);
}

/** Tensors of one shape one after the other along a new dimension. */
export function stack(tensors: readonly Node[], dim = 0): Node {
  checkSameShape("stack", tensors);
  return cat(
    tensors.map((tensor) => unsqueeze(tensor, dim)),
    dim,
  );
}

// --- pad, tril, triu -------------------------------------------------------------------------------------------------

/**
 * `value` around a tensor. Padding lists the last dimension first, as in PyTorch: `[left, right, top, bottom]`.
 * Negative padding cuts.
 */
export function pad(x: Node, padding: readonly number[], value = 0): Node {
  const rank = x.shape.length;
  if (padding.length % 2 !== 0 || padding.length > 2 * rank || !padding.every(Number.isInteger)) {
    throw new ShapeError(
      `pad: padding must be pairs of integers, at most one per dimension, got ${showShape(padding)} for ${showShape(x.shape)}. ` +
        `List before and after of the last dimension first.`,
    );
  }
  const before = x.shape.map((_, d) => padding[2 * (rank - 1 - d)] ?? 0);
  const after = x.shape.map((_, d) => padding[2 * (rank - 1 - d) + 1] ?? 0);
  const kept = cutNegative(x, before, after);
  const low = before.map((count) => Math.max(count, 0));
  const high = after.map((count) => Math.max(count, 0));
  const padded = padZeros(kept, low, high);
  if (value === 0 || padded === kept) return padded;
  return where(padZeros(ones(kept.shape, "bool"), low, high), padded, value);
}

function cutNegative(x: Node, before: readonly number[], after: readonly number[]): Node {
  const starts = before.map((count) => Math.max(-count, 0));
  const ends = after.map((count, d) => x.shape[d]! + Math.min(count, 0));
  if (ends.some((end, d) => end < starts[d]!)) {
    throw new ShapeError(
      `pad: negative padding must leave something, got ${showShape(before)} before and ${showShape(after)} after ${showShape(x.shape)}. Cut less.`,
    );
  }
  return slice(x, starts, ends);
}

/** Keeps what lies on one side of a diagonal of the last two dimensions. */
function triangle(op: string, x: Node, diagonal: number, keeps: typeof le): Node {
  if (x.shape.length < 2) {
    throw new ShapeError(`${op}: there must be at least 2 dimensions, got ${showShape(x.shape)}. Unsqueeze it.`);
  }
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const row = unsqueeze(iota(rows), 1);
  return where(keeps(iota(columns), diagonal === 0 ? row : add(row, diagonal)), x, zerosLike(x)); // a number would promote bool
}

/** The lower triangle of the last two dimensions, up to `diagonal`; 0 elsewhere. */
export const tril = (x: Node, diagonal = 0): Node => triangle("tril", x, diagonal, le);
/** The upper triangle of the last two dimensions, from `diagonal` on; 0 elsewhere. */
export const triu = (x: Node, diagonal = 0): Node => triangle("triu", x, diagonal, ge);
