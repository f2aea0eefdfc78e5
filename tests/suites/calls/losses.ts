import { F } from "../../../src";
import type { Calls } from "../call";

export const calls: Calls = {
  crossEntropy: ([x, target, weight], options) => F.crossEntropy(x!, target!, { ...options, weight: weight ?? null }),
  nllLoss: ([x, target, weight], options) => F.nllLoss(x!, target!, { ...options, weight: weight ?? null }),
  cosineSimilarity: [], // dim is an option
  normalize: [],
};
