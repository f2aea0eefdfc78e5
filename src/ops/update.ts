/**
 * Updates of whole arenas, in place: momentum SGD, the exponential moving average (EMA) of a second encoder, and both in
 * one pass. Their output is empty; what they do is write param, momentum and key. `groups[8g ...]` are the hyper-parameters of
 * group g (see `Group`).
 */

import type { HostArray, TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import type { SgdInfo } from "./kernelInfo";
import { defineOp } from "./op";
import type { NoAttrs } from "./pointwise";
import {
  arenaCount,
  effectiveGrad,
  groupRow,
  inferUpdate,
  SegmentState,
  type SegmentTables,
  visitBlocks,
} from "./segments";

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

/** Attributes of momentum SGD. */
export type SgdAttrs = {
  /**
   * Whether all parameters share the first group, which has momentum and neither nesterov, classical nor maximize, and all or none have
   * had gradients. The last number of the group says which: 1 for none. Kernels then look nothing up.
   */
  readonly isAlike: boolean;
};

function groupAt(groups: HostArray, index: number): Group {
  const [lr, momentum, oneMinusDampening, weightDecay, nesterov, classical, maximize] = groupRow(
    groups,
    index,
    GROUP_SIZE,
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
  { groups, ...tables }: SegmentTables & { readonly groups: HostArray },
): void {
  const p = param.data;
  visitBlocks(p.length, tables, (begin, end, { group: index, state }) => {
    const group = groupAt(groups, index);
    const step = group.classical ? stepClassical : stepTorch;
    for (let i = begin; i < end; i++) {
      step(group, state, p, momentum.data, i, effectiveGrad(group, grad.data[i]!, p[i]!));
    }
  });
}

/** `k = m k + (1 - m) p`, a copy if m is 0; coefficients are `[m, 1 - m, 0, 0]`, each rounded from f64. */
function evaluateEma(param: HostArray, key: HostArray, coefficients: HostArray): void {
  const [m, rest] = coefficients.data as unknown as readonly [number, number];
  const p = param.data;
  const k = key.data;
  for (let i = 0; i < k.length; i++) k[i] = m === 0 ? p[i]! : k[i]! * m + p[i]! * rest;
}

const infoOf = (node: Node): SgdInfo => ({
  count: arenaCount(node),
  isAlike: (node.attrs as SgdAttrs).isAlike,
});

/** Inputs: param, grad, momentum, blocks, segments, groups. Writes param and momentum. */
export const momentumSgdOp = defineOp<SgdAttrs>({
  name: "momentumSgd",
  infer: (inputs) => inferUpdate("momentumSgd", inputs.slice(0, 3)),
  evaluate([param, grad, momentum, blocks, segments, groups]) {
    evaluateMomentumSgd(param!, grad!, momentum!, { blocks: blocks!, segments: segments!, groups: groups! });
  },
  vjp: null,
  lowering: { kind: "kernel", call: (node) => ({ kernel: "momentumSgd", info: infoOf(node) }) },
});

/** Inputs: param, key, coefficients. Writes key. */
export const emaOp = defineOp<NoAttrs>({
  name: "ema",
  infer: (inputs) => inferUpdate("ema", inputs.slice(0, 2)),
  evaluate: ([param, key, coefficients]) => evaluateEma(param!, key!, coefficients!),
  vjp: null,
  lowering: { kind: "kernel", call: (node) => ({ kernel: "ema", info: { count: arenaCount(node) } }) },
});

/** Inputs: param, grad, momentum, key, blocks, segments, groups, coefficients. Writes param, momentum and key. */
export const momentumSgdEmaOp = defineOp<SgdAttrs>({
  name: "momentumSgdEma",
  infer: (inputs) => inferUpdate("momentumSgdEma", inputs.slice(0, 4)),
  evaluate([param, grad, momentum, key, blocks, segments, groups, coefficients]) {
    evaluateMomentumSgd(param!, grad!, momentum!, { blocks: blocks!, segments: segments!, groups: groups! });
    evaluateEma(param!, key!, coefficients!);
  },
  vjp: null,
  lowering: { kind: "kernel", call: (node) => ({ kernel: "momentumSgdEma", info: infoOf(node) }) },
});
