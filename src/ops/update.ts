/**
 * Updates of whole arenas, in place: momentum SGD, the exponential moving average (EMA) of a second encoder, and both in
 * one pass. Their output is empty; what they do is write param, momentum and key.
 *
 * An arena is an f32 array whose length is a multiple of 64. `blocks[i]` is the segment that elements 64i .. 64i+63 belong
 * to, `segments[s]` is `group << 2 | state`, `groups[8g ...]` are the hyper-parameters of group g (see `Group`).
 */

import type { DType, HostArray, TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { checkDType, checkSameShape } from "./check";
import { defineOp } from "./op";
import type { NoAttrs } from "./pointwise";

/** Elements that share an entry of `blocks`: 256 bytes, the alignment of WebGPU's bindings. */
export const BLOCK = 64;

/** What the optimizer knows of a parameter. */
export const SegmentState = {
  /** It has no gradient: skipped, without decay or momentum. */
  none: 0,
  /** Its first gradient: the momentum starts from it. */
  first: 1,
  /** It has momentum. */
  live: 2,
} as const;

/** Numbers per group in `groups`. */
export const GROUP_SIZE = 8;

/** Hyper-parameters of a group, in the order in which `groups` holds them. */
interface Group {
  readonly lr: number;
  readonly momentum: number;
  readonly oneMinusDampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
  /** Momentum as in the older form, `v = mu v - lr g`, where PyTorch has `v = mu v + g`. */
  readonly classical: boolean;
  readonly maximize: boolean;
}

function groupAt(groups: TypedArray, index: number): Group {
  const [lr, momentum, oneMinusDampening, weightDecay, nesterov, classical, maximize] = groups.subarray(
    index * GROUP_SIZE,
    (index + 1) * GROUP_SIZE,
  ) as unknown as readonly [number, number, number, number, number, number, number];
  return {
    lr,
    momentum,
    oneMinusDampening,
    weightDecay,
    nesterov: nesterov !== 0,
    classical: classical !== 0,
    maximize: maximize !== 0,
  };
}

/** The gradient with its sign for descent, and weight decay added. */
function effectiveGrad({ maximize, weightDecay }: Group, grad: number, p: number): number {
  const g = maximize ? -grad : grad;
  return weightDecay === 0 ? g : g + weightDecay * p;
}

/** `v = g` at first, then `v = mu v + (1 - dampening) g`; `p -= lr v`, or `lr (g + mu v)` with nesterov. */
function stepTorch(group: Group, state: number, p: TypedArray, v: TypedArray, i: number, g: number): void {
  const { lr, momentum, oneMinusDampening, nesterov } = group;
  let direction = g;
  if (momentum !== 0) {
    const velocity = state === SegmentState.first ? g : momentum * v[i]! + oneMinusDampening * g;
    v[i] = velocity;
    direction = nesterov ? g + momentum * velocity : velocity;
  }
  p[i]! -= lr * direction;
}

/** `v = mu v - lr g` from 0; `p += v`, or `mu v - lr g` with nesterov. */
function stepClassical(
  { lr, momentum, nesterov }: Group,
  state: number,
  p: TypedArray,
  v: TypedArray,
  i: number,
  g: number,
): void {
  const velocity = (state === SegmentState.first ? 0 : momentum * v[i]!) - lr * g;
  if (momentum !== 0) v[i] = velocity;
  p[i]! += nesterov ? momentum * velocity - lr * g : velocity;
}

function evaluateMomentumSgd(
  param: HostArray,
  grad: HostArray,
  momentum: HostArray,
  { blocks, segments, groups }: { blocks: HostArray; segments: HostArray; groups: HostArray },
): void {
  const p = param.data;
  for (let block = 0; block * BLOCK < p.length; block++) {
    const segment = segments.data[blocks.data[block]!]!;
    const state = segment & 3;
    if (state === SegmentState.none) continue;
    const group = groupAt(groups.data, segment >>> 2);
    const step = group.classical ? stepClassical : stepTorch;
    for (let i = block * BLOCK; i < Math.min((block + 1) * BLOCK, p.length); i++) {
      step(group, state, p, momentum.data, i, effectiveGrad(group, grad.data[i]!, p[i]!));
    }
  }
}

/** `k = m k + (1 - m) p`; coefficients are `[m, 1 - m, 0, 0]`, each rounded from f64. */
function evaluateEma(param: HostArray, key: HostArray, coefficients: HostArray): void {
  const [m, rest] = coefficients.data as unknown as readonly [number, number];
  const p = param.data;
  const k = key.data;
  for (let i = 0; i < k.length; i++) k[i] = k[i]! * m + p[i]! * rest;
}

const EMPTY: { shape: readonly number[]; dtype: DType } = { shape: [0], dtype: "f32" };

/** Arenas have one layout. */
function inferUpdate(op: string, arenas: readonly Node[]): typeof EMPTY {
  checkDType(op, arenas, ["f32"]);
  checkSameShape(op, arenas);
  return EMPTY;
}

const countOf = (node: Node): number => sizeOf(node.inputs[0]!.shape);

/** Inputs: param, grad, momentum, blocks, segments, groups. Writes param and momentum. */
export const momentumSgdOp = defineOp<NoAttrs>({
  name: "momentumSgd",
  infer: (inputs) => inferUpdate("momentumSgd", inputs.slice(0, 3)),
  evaluate([param, grad, momentum, blocks, segments, groups]) {
    evaluateMomentumSgd(param!, grad!, momentum!, { blocks: blocks!, segments: segments!, groups: groups! });
  },
  vjp: null,
  lowering: { kind: "kernel", call: (node) => ({ kernel: "momentumSgd", info: { count: countOf(node) } }) },
});

/** Inputs: param, key, coefficients. Writes key. */
export const emaOp = defineOp<NoAttrs>({
  name: "ema",
  infer: (inputs) => inferUpdate("ema", inputs.slice(0, 2)),
  evaluate: ([param, key, coefficients]) => evaluateEma(param!, key!, coefficients!),
  vjp: null,
  lowering: { kind: "kernel", call: (node) => ({ kernel: "ema", info: { count: countOf(node) } }) },
});

/** Inputs: param, grad, momentum, key, blocks, segments, groups, coefficients. Writes param, momentum and key. */
export const momentumSgdEmaOp = defineOp<NoAttrs>({
  name: "momentumSgdEma",
  infer: (inputs) => inferUpdate("momentumSgdEma", inputs.slice(0, 4)),
  evaluate([param, grad, momentum, key, blocks, segments, groups, coefficients]) {
    evaluateMomentumSgd(param!, grad!, momentum!, { blocks: blocks!, segments: segments!, groups: groups! });
    evaluateEma(param!, key!, coefficients!);
  },
  vjp: null,
  lowering: { kind: "kernel", call: (node) => ({ kernel: "momentumSgdEma", info: { count: countOf(node) } }) },
});
