/** Adam and AdamW over whole arenas, in place. */

import type { HostArray } from "../graph/dtype";
import { defineOp } from "./op";
import { arenaCount, effectiveGrad, groupRow, inferUpdate, type SegmentTables, visitBlocks } from "./segments";

/** Numbers per group: beta1, 1 - beta1, beta2, 1 - beta2, eps, weightDecay, keep, maximize, amsgrad, and three unused. */
export const ADAM_GROUP_SIZE = 12;

/** What is the same for all parameters of a group; see shaders/lib/update.wgsl. */
interface AdamGroup {
  readonly beta1: number;
  readonly oneMinusBeta1: number;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  readonly eps: number;
  /** Adam's, which enters the gradient. */
  readonly weightDecay: number;
  /** What AdamW's decay leaves of a parameter, `1 - lr * weightDecay`; 1 for Adam. */
  readonly keep: number;
  readonly maximize: boolean;
  readonly amsgrad: boolean;
}

function groupAt(groups: HostArray, index: number): AdamGroup {
  const [beta1, oneMinusBeta1, beta2, oneMinusBeta2, eps, weightDecay, keep, maximize, amsgrad] = groupRow(
    groups,
    index,
    ADAM_GROUP_SIZE,
  ) as unknown as readonly [number, number, number, number, number, number, number, number, number];
  return {
    ...{ beta1, oneMinusBeta1, beta2, oneMinusBeta2, eps, weightDecay, keep },
    maximize: maximize !== 0,
    amsgrad: amsgrad !== 0,
  };
}

/** The arenas of one step; the last is there where a group has amsgrad. */
interface AdamArenas {
  readonly param: HostArray;
  readonly grad: HostArray;
  readonly expAvg: HostArray;
  readonly expAvgSq: HostArray;
  readonly maxExpAvgSq: HostArray | undefined;
}

function evaluateAdam(
  arenas: AdamArenas,
  { rates, groups, ...tables }: SegmentTables & { readonly rates: HostArray; readonly groups: HostArray },
): void {
  const [p, g, m, v] = [arenas.param.data, arenas.grad.data, arenas.expAvg.data, arenas.expAvgSq.data];
  const largest = arenas.maxExpAvgSq?.data;
  visitBlocks(p.length, tables, (begin, end, { segment, group: index }) => {
    const group = groupAt(groups, index);
    const [stepSize, correction] = [rates.data[2 * segment]!, rates.data[2 * segment + 1]!];
    for (let i = begin; i < end; i++) {
      const grad = effectiveGrad(group, g[i]!, p[i]!);
      m[i] = group.beta1 * m[i]! + group.oneMinusBeta1 * grad;
      v[i] = group.beta2 * v[i]! + group.oneMinusBeta2 * grad * grad;
      if (group.amsgrad) largest![i] = Math.max(largest![i]!, v[i]!);
      const second = group.amsgrad ? largest![i]! : v[i]!;
      p[i] = p[i]! * group.keep - (stepSize * m[i]!) / (Math.sqrt(second) / correction + group.eps);
    }
  });
}

/**
 * Inputs: param, grad, expAvg, expAvgSq, blocks, segments, rates, groups and, with amsgrad, maxExpAvgSq. Writes param, expAvg,
 * expAvgSq and maxExpAvgSq. `rates[2s ...]` are `lr / (1 - beta1^t)` and `sqrt(1 - beta2^t)` of segment s, whose step t is its own.
 */
export const adamOp = defineOp<{ readonly amsgrad: boolean }>({
  name: "adam",
  infer: (inputs) => inferUpdate("adam", [...inputs.slice(0, 4), ...inputs.slice(8)]),
  evaluate([param, grad, expAvg, expAvgSq, blocks, segments, rates, groups, maxExpAvgSq]) {
    evaluateAdam(
      { param: param!, grad: grad!, expAvg: expAvg!, expAvgSq: expAvgSq!, maxExpAvgSq },
      { blocks: blocks!, segments: segments!, rates: rates!, groups: groups! },
    );
  },
  vjp: null,
  lowering: {
    kind: "kernel",
    call: (node) => ({
      kernel: "adam",
      info: { count: arenaCount(node), amsgrad: node.attrs.amsgrad as boolean },
    }),
  },
});
