/** Looks through views: matmul reads transposed, broadcast and sliced operands in place, given strides. */

import { windowCount } from "../codegen/windows";
import type { Node } from "../graph/node";
import { contiguousStrides, type Shape } from "../graph/shape";
import type { KernelLimits } from "../kernels/kernel";
import type { MatmulInfo, MatrixStrides } from "../ops/kernelInfo";
import { along, type AxisMap, type KernelCall, opOf } from "../ops/op";

interface Operand {
  /** The node whose memory is read. */
  readonly base: Node;
  readonly strides: MatrixStrides;
}

/**
 * What a kernel node calls and the nodes whose memory it reads: for matmul, what lies behind views. A view of what is too
 * large to be bound is no such node: it is copied, since what is seen of it may fit.
 */
export function callOf(node: Node, limits: KernelLimits): { call: KernelCall; operands: Node[] } | null {
  const { lowering } = opOf(node);
  if (lowering.kind !== "kernel") return null;
  const call = lowering.call(node);
  if (call.kernel === "contrastMean") return withTotal(node, call, limits);
  if (call.kernel === "augment") return withParameters(node, call, limits);
  if (call.kernel !== "matmul") return { call, operands: [...node.inputs] };
  const [a, b] = node.inputs.map((input) => operandOf(input, limits)) as [Operand, Operand];
  const info: MatmulInfo = { ...call.info, a: a.strides, b: b.strides };
  return { call: { kernel: "matmul", info }, operands: [a.base, b.base] };
}

/** `contrastMean` reads its totals from among other columns. */
function withTotal(
  node: Node,
  call: Extract<KernelCall, { kernel: "contrastMean" }>,
  limits: KernelLimits,
): { call: KernelCall; operands: Node[] } {
  const seen = lookThrough(node.inputs[2]!);
  const [stride] = seen?.strides ?? [];
  if (!seen || stride === undefined || windowCount(seen.base, limits) > 1) return { call, operands: [...node.inputs] };
  const info = { ...call.info, total: { offset: seen.offset, stride } };
  return { call: { ...call, info }, operands: [...node.inputs.slice(0, 2), seen.base] };
}

/** `augment` reads its parameters from among those of other views. */
function withParameters(
  node: Node,
  call: Extract<KernelCall, { kernel: "augment" }>,
  limits: KernelLimits,
): { call: KernelCall; operands: Node[] } {
  const seen = lookThrough(node.inputs[2]!);
  const [stride, within] = seen?.strides ?? [];
  if (!seen || stride === undefined || within !== 1 || windowCount(seen.base, limits) > 1)
    return { call, operands: [...node.inputs] };
  const info = { ...call.info, parameters: { offset: seen.offset, stride } };
  return { call: { ...call, info }, operands: [...node.inputs.slice(0, 2), seen.base] };
}

function operandOf(node: Node, limits: KernelLimits): Operand {
  const seen = lookThrough(node);
  const strides = seen && matrixStrides(node.shape, seen.strides, seen.offset);
  if (seen && strides && windowCount(seen.base, limits) === 1) return { base: seen.base, strides };
  return { base: node, strides: matrixStrides(node.shape, contiguousStrides(node.shape), 0)! };
}

/** Follows views down to memory, composing their index maps. Null where a view runs backwards. */
function lookThrough(node: Node): { base: Node; strides: number[]; offset: number } | null {
  let axes: AxisMap[] = node.shape.map((_, dim) => along(dim));
  let base = node;
  while (!base.hasValue) {
    const { lowering } = opOf(base);
    const input = base.inputs[0]!;
    if (lowering.kind === "view")
      axes = lowering.axes(base.attrs, input.shape, base.shape).map((axis) => composed(axis, axes));
    else if (lowering.kind === "reshape") {
      const squeezed = axesOfOnes(input.shape, base.shape);
      if (!squeezed) break;
      axes = squeezed.map((axis) => composed(axis, axes));
    } else if (lowering.kind !== "alias") break;
    base = input;
  }
  const baseStrides = contiguousStrides(base.shape);
  const strides = node.shape.map(() => 0);
  let offset = 0;
  axes.forEach(({ start, terms }, dim) => {
    offset += start * baseStrides[dim]!;
    for (const { from, step } of terms) strides[from]! += step * baseStrides[dim]!;
  });
  return strides.every((stride) => stride >= 0) ? { base, strides, offset } : null;
}

/** Where the dimensions of a reshape's input are among its own, where they differ by dimensions of 1 alone; else null. */
function axesOfOnes(input: Shape, output: Shape): AxisMap[] | null {
  const real = (shape: Shape): number[] => shape.flatMap((size, dim) => (size === 1 ? [] : [dim]));
  const [from, to] = [real(input), real(output)];
  if (from.length !== to.length || from.some((dim, i) => input[dim] !== output[to[i]!])) return null;
  return input.map((_, dim) => (from.includes(dim) ? along(to[from.indexOf(dim)]!) : { start: 0, terms: [] }));
}

function composed({ start, terms }: AxisMap, outer: readonly AxisMap[]): AxisMap {
  return {
    start: terms.reduce((total, { from, step }) => total + step * outer[from]!.start, start),
    terms: terms.flatMap(({ from, step }) =>
      outer[from]!.terms.map((through) => ({ from: through.from, step: step * through.step })),
    ),
  };
}

/** Strides of a batch of matrices; null where the batch dimensions do not collapse into one. */
function matrixStrides(shape: Shape, strides: readonly number[], offset: number): MatrixStrides | null {
  const rank = shape.length;
  let batch = 0;
  let next: number | null = null;
  for (let dim = rank - 3; dim >= 0; dim--) {
    if (shape[dim] === 1) continue;
    if (next === null) batch = strides[dim]!;
    else if (strides[dim] !== next) return null;
    next = strides[dim]! * shape[dim]!;
  }
  return { offset, batch, row: strides[rank - 2]!, col: strides[rank - 1]! };
}
