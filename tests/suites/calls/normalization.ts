import { Buffer, F } from "../../../src";
import type { Calls } from "../call";

interface Args {
  readonly training: boolean;
}

export const calls: Calls = {
  batchNorm: ([x, weight, bias, mean, variance], options: Args) => {
    const runningMean = mean ? new Buffer(mean) : null;
    const runningVar = variance ? new Buffer(variance) : null;
    const output = F.batchNorm(x!, runningMean, runningVar, { ...options, weight: weight ?? null, bias: bias ?? null });
    return { output, runningMean, runningVar };
  },
  layerNorm: ([x, weight = null, bias = null], { shape, ...options }: { shape: readonly number[] }) =>
    F.layerNorm(x!, shape, { ...options, weight, bias }),
  groupNorm: ([x, weight = null, bias = null], { numGroups, ...options }: { numGroups: number }) =>
    F.groupNorm(x!, numGroups, { ...options, weight, bias }),
  instanceNorm: ([x, weight = null, bias = null], options) => F.instanceNorm(x!, { ...options, weight, bias }),
};
