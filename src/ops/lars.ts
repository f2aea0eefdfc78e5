/** LARS over whole arenas, in place: momentum SGD whose step is scaled, parameter by parameter, by the norms of both. */

import type { HostArray } from "../graph/dtype";
import { sizeOf } from "../graph/shape";
import { defineOp } from "./op";
import type { NoAttrs } from "./pointwise";
import { arenaCount, groupRow, inferUpdate, type SegmentTables, visitBlocks } from "./segments";

/** Numbers per group: lr, momentum, weightDecay, trustCoefficient. */
export const LARS_GROUP_SIZE = 4;

/** What becomes of a parameter. */
export const LarsState = {
  /** It has no gradient: skipped. */
  none: 0,
  /** Of one dimension at most: neither decay nor adaptation. */
  plain: 1,
  adapted: 2,
} as const;

type Group = readonly [lr: number, momentum: number, weightDecay: number, trustCoefficient: number];

const groupAt = (groups: HostArray, index: number): Group =>
  groupRow(groups, index, LARS_GROUP_SIZE) as unknown as Group;

interface LarsArenas {
  readonly param: HostArray;
  readonly grad: HostArray;
  readonly mu: HostArray;
}

interface LarsTables extends SegmentTables {
  readonly ranges: HostArray;
  readonly groups: HostArray;
}

/** `trustCoefficient * |p| / |g + weightDecay p|` of a segment, or 1 where a norm is not positive. */
function trustOf({ param, grad }: LarsArenas, { ranges }: LarsTables, segment: number, group: Group): number {
  const [, , weightDecay, trustCoefficient] = group;
  let [ofParam, ofUpdate] = [0, 0];
  for (let i = ranges.data[2 * segment]!; i < ranges.data[2 * segment + 1]!; i++) {
    const p = param.data[i]!;
    ofParam += p * p;
    ofUpdate += (grad.data[i]! + weightDecay * p) ** 2;
  }
  return ofParam > 0 && ofUpdate > 0 ? (trustCoefficient * Math.sqrt(ofParam)) / Math.sqrt(ofUpdate) : 1;
}

function evaluateLars(arenas: LarsArenas, tables: LarsTables): void {
  const [p, g, mu] = [arenas.param.data, arenas.grad.data, arenas.mu.data];
  const trusts = new Map<number, number>(); // before anything is written
  visitBlocks(p.length, tables, (_begin, _end, { segment, group, state }) => {
    if (state !== LarsState.adapted || trusts.has(segment)) return;
    trusts.set(segment, trustOf(arenas, tables, segment, groupAt(tables.groups, group)));
  });
  visitBlocks(p.length, tables, (begin, end, { segment, group }) => {
    const [lr, momentum, weightDecay] = groupAt(tables.groups, group);
    const trust = trusts.get(segment);
    for (let i = begin; i < end; i++) {
      const direction = trust === undefined ? g[i]! : (g[i]! + weightDecay * p[i]!) * trust;
      mu[i] = momentum * mu[i]! + direction;
      p[i] = p[i]! - lr * mu[i]!;
    }
  });
}

/** Inputs: param, grad, mu, blocks, segments (with LarsState), ranges, groups. Writes param and mu. */
export const larsOp = defineOp<NoAttrs>({
  name: "lars",
  infer: (inputs) => inferUpdate("lars", inputs.slice(0, 3)),
  evaluate([param, grad, mu, blocks, segments, ranges, groups]) {
    evaluateLars(
      { param: param!, grad: grad!, mu: mu! },
      { blocks: blocks!, segments: segments!, ranges: ranges!, groups: groups! },
    );
  },
  vjp: null,
  lowering: {
    kind: "kernel",
    call: (node) => ({
      kernel: "lars",
      info: { count: arenaCount(node), segments: sizeOf(node.inputs[4]!.shape) },
    }),
  },
});
