/** Tensors put together: one after the other, or along a new dimension. Its transpose is `narrow`. */

import { ShapeError } from "../errors";
import { type DType, type HostArray, inRegister } from "../graph/dtype";
import type { Node } from "../graph/node";
import { around, normalizeDim, showShape } from "../graph/shape";
import { cast, commonDType } from "./cast";
import { checkSameDType, checkSameShape } from "./check";
import { apply, defineOp, type IndexedContext } from "./op";
import { narrow } from "./slice";
import { atLeast, unsqueeze } from "./views";
import { zeroLit } from "./wgsl";

type DimAttrs = { readonly dim: number };

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
            inRegister(node.dtype) as Exclude<DType, "f64" | "f16" | "u8">,
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

const catOp = defineOp<DimAttrs>({
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
  if (tensors.some(({ shape }) => shape.length === 0)) {
    throw new ShapeError("cat: tensors must have at least one dimension, got []. Use stack for scalars.");
  }
  const dtype = commonDType(tensors);
  const nodes = tensors.map((tensor) => cast(tensor, dtype));
  const rank = Math.max(...nodes.map((node) => node.shape.length));
  // as in PyTorch, `[0]` goes with tensors of any rank
  const kept = rank === 1 ? nodes : nodes.filter(({ shape }) => shape.length !== 1 || shape[0] !== 0);
  return catAll(kept, normalizeDim("cat", dim, rank));
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

/** Side by side: along the second dimension, or along the only one. */
export function hstack(tensors: readonly Node[]): Node {
  const nodes = tensors.map((tensor) => atLeast(1, tensor));
  return cat(nodes, nodes[0]?.shape.length === 1 ? 0 : 1);
}

/** One below the other: along the first dimension; vectors are rows. */
export const vstack = (tensors: readonly Node[]): Node => cat(tensors.map((tensor) => atLeast(2, tensor)));

/** One behind the other: along the third dimension. */
export const dstack = (tensors: readonly Node[]): Node =>
  cat(
    tensors.map((tensor) => atLeast(3, tensor)),
    2,
  );

/** Side by side; vectors are columns. */
export const columnStack = (tensors: readonly Node[]): Node =>
  hstack(tensors.map((tensor) => (tensor.shape.length < 2 ? unsqueeze(atLeast(1, tensor), 1) : tensor)));
