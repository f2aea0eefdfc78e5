import { F, type Tensor } from "../../../src";
import type { Call, Calls } from "../call";

/** The third input is the weight. */
const weighted =
  (loss: (x: Tensor, target: Tensor, options: F.WeightedLossOptions) => Tensor): Call =>
  ([x, target, weight = null], options) =>
    loss(x!, target!, { ...options, weight });

export const calls: Calls = {
  crossEntropy: ([x, target, weight], options) => F.crossEntropy(x!, target!, { ...options, weight: weight ?? null }),
  nllLoss: ([x, target, weight], options) => F.nllLoss(x!, target!, { ...options, weight: weight ?? null }),
  binaryCrossEntropyWithLogits: ([x, target, weight = null, posWeight = null], options) =>
    F.binaryCrossEntropyWithLogits(x!, target!, { ...options, weight, posWeight }),
  binaryCrossEntropy: weighted(F.binaryCrossEntropy),
  multilabelSoftMarginLoss: weighted(F.multilabelSoftMarginLoss),
  cosineSimilarity: [], // dim is an option
  normalize: [],
};
