/** RMSprop over whole arenas, in place. */

import type { HostArray } from "../graph/dtype";
import { defineOp } from "./op";
import { arenaCount, effectiveGrad, groupRow, inferUpdate, type SegmentTables, visitBlocks } from "./segments";

/** Numbers per group: lr, alpha, 1 - alpha, eps, weightDecay, momentum, centered, maximize. */
export const RMS_PROP_GROUP_SIZE = 8;

/** Which of the optional arenas there are. */
export interface RmsPropAttrs {
  readonly momentum: boolean;
  readonly centered: boolean;
  readonly [name: string]: unknown;
}

interface RmsPropGroup {
  readonly lr: number;
  readonly alpha: number;
  readonly oneMinusAlpha: number;
  readonly eps: number;
  readonly weightDecay: number;
  readonly momentum: number;
  readonly centered: boolean;
  readonly maximize: boolean;
}

function groupAt(groups: HostArray, index: number): RmsPropGroup {
  const [lr, alpha, oneMinusAlpha, eps, weightDecay, momentum, centered, maximize] = groupRow(
    groups,
    index,
    RMS_PROP_GROUP_SIZE,
  ) as unknown as readonly [number, number, number, number, number, number, number, number];
  return {
    ...{ lr, alpha, oneMinusAlpha, eps, weightDecay, momentum },
    centered: centered !== 0,
    maximize: maximize !== 0,
  };
}

/** The arenas of one step; the last two are there where a group has momentum, or is centered. */
interface RmsPropArenas {
  readonly param: HostArray;
  readonly grad: HostArray;
  readonly squareAvg: HostArray;
  readonly momentumBuffer: HostArray | null;
  readonly gradAvg: HostArray | null;
}

function evaluateRmsProp(
  { param, grad, squareAvg, momentumBuffer, gradAvg }: RmsPropArenas,
  { groups, ...tables }: SegmentTables & { readonly groups: HostArray },
): void {
  const [p, s] = [param.data, squareAvg.data];
  visitBlocks(p.length, tables, (begin, end, { group: index }) => {
    const group = groupAt(groups, index);
    const { lr, alpha, oneMinusAlpha, eps, momentum, centered } = group;
    for (let i = begin; i < end; i++) {
      const g = effectiveGrad(group, grad.data[i]!, p[i]!);
      s[i] = alpha * s[i]! + oneMinusAlpha * g * g;
      let variance = s[i]!;
      if (centered) {
        const mean = alpha * gradAvg!.data[i]! + oneMinusAlpha * g;
        gradAvg!.data[i] = mean;
        variance -= gradAvg!.data[i]! ** 2;
      }
      let direction = g / (Math.sqrt(variance) + eps);
      if (momentum > 0) {
        direction += momentum * momentumBuffer!.data[i]!;
        momentumBuffer!.data[i] = direction;
      }
      p[i] = p[i]! - lr * direction;
    }
  });
}

/**
 * Inputs: param, grad, squareAvg, blocks, segments, groups, then momentumBuffer with `momentum`, then gradAvg with `centered`.
 * Writes all arenas but grad.
 */
export const rmsPropOp = defineOp<RmsPropAttrs>({
  name: "rmsProp",
  infer: (inputs) => inferUpdate("rmsProp", [...inputs.slice(0, 3), ...inputs.slice(6)]),
  evaluate([param, grad, squareAvg, blocks, segments, groups, ...others], _output, { momentum, centered }) {
    const optional = [...others];
    const momentumBuffer = momentum ? optional.shift()! : null;
    const gradAvg = centered ? optional.shift()! : null;
    evaluateRmsProp(
      { param: param!, grad: grad!, squareAvg: squareAvg!, momentumBuffer, gradAvg },
      { blocks: blocks!, segments: segments!, groups: groups! },
    );
  },
  vjp: null,
  lowering: {
    kind: "kernel",
    call(node) {
      const { momentum, centered } = node.attrs as RmsPropAttrs;
      return { kernel: "rmsProp", info: { count: arenaCount(node), momentum, centered } };
    },
  },
});
