/** Losses as layers; see the functions of the same names in `F`, whose options they hold. */

import * as F from "../functional";
import type { Tensor } from "../tensor";
import { Module } from "./module";
import { shown } from "./shown";

/** A loss holds the options of its function, which checks their names. */
abstract class Loss<Options extends object> extends Module {
  constructor(protected readonly options: Options = {} as Options) {
    super();
  }

  /** Options without tensors, which are long. */
  override extraRepr(): string {
    return shown(Object.fromEntries(Object.entries(this.options).filter(([, value]) => typeof value !== "object")));
  }
}

/** The options that a function takes last. */
type OptionsOf<F extends (...args: never[]) => Tensor> =
  Required<Parameters<F>> extends [...unknown[], infer Last extends object] ? Last : never;

/** Cross-entropy of scores and classes; see `F.crossEntropy`. @see torch.nn.CrossEntropyLoss */
export class CrossEntropyLoss extends Loss<F.CrossEntropyOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(input, target, this.options);
  }
}

/** Negative log probability of the class; see `F.nllLoss`. @see torch.nn.NLLLoss */
export class NLLLoss extends Loss<F.NllLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.nllLoss(input, target, this.options);
  }
}

/** Squared difference; see `F.mseLoss`. @see torch.nn.MSELoss */
export class MSELoss extends Loss<OptionsOf<typeof F.mseLoss>> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options);
  }
}

/** Absolute difference; see `F.l1Loss`. @see torch.nn.L1Loss */
export class L1Loss extends Loss<OptionsOf<typeof F.l1Loss>> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options);
  }
}

/** Squared near 0, absolute beyond; see `F.smoothL1Loss`. @see torch.nn.SmoothL1Loss */
export class SmoothL1Loss extends Loss<OptionsOf<typeof F.smoothL1Loss>> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.options);
  }
}

/** Squared near 0, absolute beyond; see `F.huberLoss`. @see torch.nn.HuberLoss */
export class HuberLoss extends Loss<OptionsOf<typeof F.huberLoss>> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.options);
  }
}

/** Cross-entropy of probabilities and bits; see `F.binaryCrossEntropy`. @see torch.nn.BCELoss */
export class BCELoss extends Loss<F.WeightedLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(input, target, this.options);
  }
}

/** Cross-entropy of scores and bits; see `F.binaryCrossEntropyWithLogits`. @see torch.nn.BCEWithLogitsLoss */
export class BCEWithLogitsLoss extends Loss<OptionsOf<typeof F.binaryCrossEntropyWithLogits>> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(input, target, this.options);
  }
}

/** Distance of distributions; see `F.klDiv`. @see torch.nn.KLDivLoss */
export class KLDivLoss extends Loss<OptionsOf<typeof F.klDiv>> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.klDiv(input, target, this.options);
  }
}

/** See `F.gaussianNllLoss`. @see torch.nn.GaussianNLLLoss */
export class GaussianNLLLoss extends Loss<OptionsOf<typeof F.gaussianNllLoss>> {
  forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return F.gaussianNllLoss(input, target, variance, this.options);
  }
}

/** See `F.poissonNllLoss`. @see torch.nn.PoissonNLLLoss */
export class PoissonNLLLoss extends Loss<OptionsOf<typeof F.poissonNllLoss>> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.poissonNllLoss(input, target, this.options);
  }
}

/** See `F.softMarginLoss`. @see torch.nn.SoftMarginLoss */
export class SoftMarginLoss extends Loss<OptionsOf<typeof F.softMarginLoss>> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.softMarginLoss(input, target, this.options);
  }
}

/** See `F.multilabelSoftMarginLoss`. @see torch.nn.MultiLabelSoftMarginLoss */
export class MultiLabelSoftMarginLoss extends Loss<F.WeightedLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelSoftMarginLoss(input, target, this.options);
  }
}

/** Angle of two vectors; see `F.cosineEmbeddingLoss`. @see torch.nn.CosineEmbeddingLoss */
export class CosineEmbeddingLoss extends Loss<OptionsOf<typeof F.cosineEmbeddingLoss>> {
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.cosineEmbeddingLoss(input1, input2, target, this.options);
  }
}

/** The negative should be farther than the positive; see `F.tripletMarginLoss`. @see torch.nn.TripletMarginLoss */
export class TripletMarginLoss extends Loss<OptionsOf<typeof F.tripletMarginLoss>> {
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return F.tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/** Which of two is larger; see `F.marginRankingLoss`. @see torch.nn.MarginRankingLoss */
export class MarginRankingLoss extends Loss<OptionsOf<typeof F.marginRankingLoss>> {
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.marginRankingLoss(input1, input2, target, this.options);
  }
}

/** Distances of what is alike and what is not; see `F.hingeEmbeddingLoss`. @see torch.nn.HingeEmbeddingLoss */
export class HingeEmbeddingLoss extends Loss<OptionsOf<typeof F.hingeEmbeddingLoss>> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.hingeEmbeddingLoss(input, target, this.options);
  }
}

/** Contrast of a key with many; see `F.infoNCE`. */
export class InfoNCELoss extends Loss<OptionsOf<typeof F.infoNCE>> {
  forward(query: Tensor, positiveKey: Tensor, negativeKeys: Tensor): Tensor {
    return F.infoNCE(query, positiveKey, negativeKeys, this.options);
  }
}

/** `x . y / max(|x| |y|, eps)`; see `F.cosineSimilarity`. @see torch.nn.CosineSimilarity */
export class CosineSimilarity extends Loss<OptionsOf<typeof F.cosineSimilarity>> {
  forward(x: Tensor, y: Tensor): Tensor {
    return F.cosineSimilarity(x, y, this.options);
  }
}

/** `|x1 - x2 + eps|_p`; see `F.pairwiseDistance`. @see torch.nn.PairwiseDistance */
export class PairwiseDistance extends Loss<OptionsOf<typeof F.pairwiseDistance>> {
  forward(x1: Tensor, x2: Tensor): Tensor {
    return F.pairwiseDistance(x1, x2, this.options);
  }
}
