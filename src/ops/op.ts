/**
 * What an op is: shape rule, CPU meaning, GPU meaning and gradient, as fields of one object.
 * `apply` makes a node of it: shapes and dtypes are checked there and then, nothing runs.
 */

import { InternalError } from "../errors";
import { autocastEnabled } from "../graph/autocastMode";
import { type DType, type HostArray, isFloat } from "../graph/dtype";
import { gradEnabled } from "../graph/gradMode";
import { type Attrs, Node, type OpRef } from "../graph/node";
import type { Shape } from "../graph/shape";
import type { KernelInfoMap } from "./kernelInfo";

/** Values that one invocation computes at once: a scalar, or four neighbours as a vec4. */
export type Lanes = 1 | 4;

/** What a pointwise op's WGSL may depend on besides its arguments' text. */
export interface PointwiseContext {
  readonly lanes: Lanes;
  /** dtypes of the inputs. */
  readonly inputs: readonly DType[];
  readonly output: DType;
}

/** Where one dimension of a view's input is read: at `start`, plus `step` times the coordinate of output dimension `from` per term. */
export interface AxisMap {
  readonly start: number;
  readonly terms: readonly { readonly from: number; readonly step: number }[];
}

/** An input dimension that is read along one output dimension. */
export const along = (from: number, start = 0, step = 1): AxisMap => ({ start, terms: [{ from, step }] });

/** What an op that reads its inputs at computed places is given. All strings are WGSL expressions of u32 or vec4<u32>. */
export interface IndexedContext {
  readonly lanes: Lanes;
  /** Coordinates of the output element, one per dimension. */
  readonly coords: readonly string[];
  /** A u32 constant in the width of `lanes`. */
  constant(value: number): string;
  /** The value of an input at other coordinates. */
  read(input: number, coords: readonly string[]): string;
  /** Gives an expression a name, so that it is computed once. `type` is the scalar type. */
  bind(expression: string, type: "f32" | "i32" | "u32" | "bool"): string;
}

/** A kernel's name and what it must be told. */
export type KernelCall = { [N in keyof KernelInfoMap]: { kernel: N; info: KernelInfoMap[N] } }[keyof KernelInfoMap];

/** What an op means on the GPU. */
export type Lowering<A extends Attrs> =
  /** Data, a scalar or a variable: bound, not computed. */
  | { readonly kind: "leaf" }
  /** The value of the first input, unchanged. */
  | { readonly kind: "alias" }
  /** One output element from the input elements at the same place. `dear`: costs so much that it is not computed twice. */
  | {
      readonly kind: "pointwise";
      readonly dear?: boolean;
      wgsl(args: readonly string[], context: PointwiseContext): string;
    }
  /** The same elements in the same order under another shape. */
  | { readonly kind: "reshape" }
  /** Index arithmetic, one map per dimension of the input. */
  | { readonly kind: "view"; axes(attrs: A, input: Shape, output: Shape): readonly AxisMap[] }
  /** Reads its inputs at computed places: gather, cat, pad. Inputs in `materialize` must lie in memory. */
  | {
      readonly kind: "indexed";
      readonly materialize?: readonly number[];
      wgsl(node: Node, context: IndexedContext): string;
    }
  /** A function of the element's own index: arange, random bits. `index` is the flat index; inputs are scalars. */
  | {
      readonly kind: "generator";
      readonly dear?: boolean;
      wgsl(index: string, args: readonly string[], context: PointwiseContext): string;
    }
  /** Folds `dims` with an associative function. */
  | { readonly kind: "reduce"; readonly fold: "sum" | "prod" | "max" | "min"; dims(attrs: A): readonly number[] }
  /** A kernel of its own. Operands are contiguous unless the kernel takes strides (matmul). */
  | { readonly kind: "kernel"; call(node: Node): KernelCall };

/** What a gradient rule may look at. */
export interface VjpContext<A extends Attrs> {
  readonly inputs: readonly Node[];
  readonly output: Node;
  readonly attrs: A;
  /** Which inputs need a gradient; rules may skip the others. */
  readonly needs: readonly boolean[];
}

/** Integers of which every one must lie in `low..size - 1`, and the user's name for what takes them. */
export interface IndexRange {
  readonly op: string;
  readonly index: Node;
  readonly low: number;
  readonly size: number;
}

/** One op, whole. */
export interface Op<A extends Attrs = Attrs> extends OpRef {
  readonly name: string;
  /** Shape and dtype of the result. Throws typed errors on bad input: this runs on the user's line. */
  infer(inputs: readonly Node[], attrs: A): { shape: Shape; dtype: DType };
  /** The definition: fills `output.data`. Computes in f64; the store rounds. */
  evaluate(inputs: readonly HostArray[], output: HostArray, attrs: A): void;
  /** Gradients of the inputs from that of the output, as graph. Null where the op has no gradient. */
  readonly vjp: ((gradOut: Node, context: VjpContext<A>) => readonly (Node | null)[]) | null;
  readonly lowering: Lowering<A>;
  /** For ops that take indices: where they must lie. On the CPU `evaluate` checks it, on a GPU nobody but debug mode. */
  indices?(node: Node): IndexRange;
}

const registry = new Map<string, Op>();

/** Registers an op. Leaving a field out does not compile. */
export function defineOp<A extends Attrs>(op: Op<A>): Op<A> {
  if (registry.has(op.name))
    throw new InternalError(`defineOp: names must be unique, got ${op.name} twice. Rename one.`);
  registry.set(op.name, op as unknown as Op);
  return op;
}

/** All ops by name; tests loop over it. */
export const allOps = (): ReadonlyMap<string, Op> => registry;

/** The op that a node uses. */
export function opOf(node: Node): Op {
  const op = registry.get(node.op.name);
  if (!op)
    throw new InternalError(`opOf: every node's op must be registered, got ${node.op.name}. Define it with defineOp.`);
  return op;
}

/** Inputs that the value is computed from: an alias has others, which only its gradient needs. */
export const computedFrom = (node: Node): readonly Node[] =>
  opOf(node).lowering.kind === "alias" ? node.inputs.slice(0, 1) : node.inputs;

/** Makes a node: checks shapes and dtypes now, computes nothing. */
export function apply<A extends Attrs>(op: Op<A>, inputs: readonly Node[], attrs: A): Node {
  const { kind } = op.lowering;
  const isKept = autocastEnabled() && AUTOCAST_F32.has(op.name);
  const isWide = isKept || kind === "kernel" || kind === "reduce";
  return isWide && inputs.some(({ dtype }) => dtype === "f16")
    ? applyInF32(op, inputs, attrs, isKept)
    : make(op, inputs, attrs);
}

/** Ops that autocast computes in f32, and whose results stay f32: those of PyTorch. */
const AUTOCAST_F32: ReadonlySet<string> = new Set(
  "exp expm1 log log2 log10 log1p reciprocal rsqrt pow tan acos asin sinh cosh erfinv sum prod cumsum cumprod".split(
    " ",
  ),
);

/** Kernels and reductions know no f16: theirs is cast before and after, so that they add up in f32. */
function applyInF32<A extends Attrs>(op: Op<A>, inputs: readonly Node[], attrs: A, isKept: boolean): Node {
  const castOp = registry.get("cast")!;
  const { dtype } = op.infer(inputs, attrs);
  const wide = inputs.map((input) => (input.dtype === "f16" ? make(castOp, [input], { dtype: "f32" }) : input));
  const result = make(op, wide, attrs);
  return isKept || result.dtype === dtype ? result : make(castOp, [result], { dtype });
}

function make<A extends Attrs>(op: Op<A>, inputs: readonly Node[], attrs: A): Node {
  const { shape, dtype } = op.infer(inputs, attrs);
  const requiresGrad = op.vjp !== null && isFloat(dtype) && gradEnabled() && inputs.some((input) => input.requiresGrad);
  return new Node(op, inputs, attrs, shape, dtype, requiresGrad);
}
