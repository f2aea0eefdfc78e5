/** Fine-tuning on few labels: how much a representation saves of them. */

import { rowsByClass } from "../data/labeledImages";
import { ValueError } from "../errors";
import * as F from "../functional";
import { noGrad } from "../gradient";
import { type Linear, type Module, SplitBatchNorm2d } from "../nn";
import { copyOf } from "../nn/copy";
import { checkCounts, checkOptionNames, describe } from "../options";
import { CosineAnnealingLR, SGD } from "../optim";
import type { Tensor } from "../tensor";
import { SUPERVISED_OPTIONS, type SupervisedOptions, trainEpochs } from "./epochs";
import { asTheyAre, backboneOf, encoded, evaluating, unheard } from "./features";
import { type Accuracies, accuraciesOf, checkedLabels, heldImages, type LabeledTensors } from "./labeled";
import { freshLinear } from "./linear";

/** Options of `fewLabels`: one of the first two. */
export interface FewLabelsOptions {
  /** Rows of each class. */
  readonly perClass?: number;
  /** Part of each class, above 0 and up to 1; at least one row. */
  readonly fraction?: number;
  /** Integer, 0 to 2^53; default 0. */
  readonly seed?: number;
}

/**
 * Picks a few rows of each class, the same ones for the same seed.
 *
 * @param labels class of each row
 * @returns rows in ascending order
 * @throws ValueError if not exactly one of `perClass` and `fraction` is given, or a class has fewer rows than are asked for
 *
 * @example
 * const rows = tensor(fewLabels(train.labels, { perClass: 10 })); // i32 [100], of 10 classes
 * const few = { images: images.indexSelect(0, rows), labels: labels.indexSelect(0, rows) };
 */
export function fewLabels(labels: ArrayLike<number>, options: FewLabelsOptions): Int32Array {
  checkOptionNames("fewLabels", options, ["perClass", "fraction", "seed"]);
  const { perClass, fraction, seed = 0 } = options;
  if ((perClass === undefined) === (fraction === undefined)) {
    throw new ValueError(
      `fewLabels: either perClass or fraction must be given, got ${describe(perClass)} and ${describe(fraction)}. Pass one of them.`,
    );
  }
  if (perClass !== undefined) checkCounts("fewLabels", { perClass });
  if (fraction !== undefined && !(fraction > 0 && fraction <= 1)) {
    throw new ValueError(`fewLabels: fraction must be above 0 and up to 1, got ${describe(fraction)}. Pass a part.`);
  }
  const picked = [...rowsByClass(labels, seed)].flatMap(([label, rows]) => {
    const wanted = perClass ?? Math.max(1, Math.round(fraction! * rows.length));
    if (wanted <= rows.length) return rows.slice(0, wanted);
    throw new ValueError(
      `fewLabels: each class must have ${wanted} rows, got ${rows.length} of class ${label}. Ask for fewer.`,
    );
  });
  return Int32Array.from(picked).sort();
}

/** What `fineTune` takes. */
export interface FineTuneOptions<E extends Module> extends SupervisedOptions<E> {
  readonly train: LabeledTensors;
  /** A random view of a training batch, in `prepare`'s place. */
  readonly augment?: (batch: Tensor) => Tensor;
  /** Default 20. */
  readonly epochs?: number;
  /** First rate of the encoder; default 0.01. A half cosine takes both to 0. */
  readonly lr?: number;
  /** First rate of the head; default 0.1. */
  readonly headLr?: number;
  /** Default 1e-4. */
  readonly weightDecay?: number;
  /** Default 32, or all images where they are fewer; those that do not fill a batch are left out of an epoch. */
  readonly batchSize?: number;
}

/** What `fineTune` gives: accuracy on the test images, and what was trained. */
export interface FineTuneResult<E extends Module> extends Accuracies {
  /** The copy, in evaluation mode. */
  readonly encoder: E;
  /** `[n, dim] -> [n, numClasses]` */
  readonly classifier: Linear;
  /** Mean training loss of each epoch. */
  readonly losses: readonly number[];
}

/**
 * Trains a copy of an encoder with a fresh linear head, each at a rate of its own, and tests it. BatchNorm is in training mode
 * meanwhile, over whole batches: the groups of a SplitBatchNorm2d are against a leak that only MoCo has, and the copy has one. The head
 * starts with weights N(0, 0.01) and bias 0; SGD minimises cross-entropy.
 *
 * @param options see FineTuneOptions
 * @throws ShapeError, DTypeError, DeviceError, IndexError, ValueError for what does not fit, or a loss that is not finite
 * @see Chen et al. 2020 (arXiv:2002.05709), section 4.2 and appendix B.5: fine-tuning on a part of the labels
 *
 * @example
 * const { top1 } = await fineTune({ encoder: model.encoderQ, train: few, test, numClasses: 10, prepare });
 */
export async function fineTune<E extends Module>(options: FineTuneOptions<E>): Promise<FineTuneResult<E>> {
  checkOptionNames("fineTune", options, [...SUPERVISED_OPTIONS, "headLr"]);
  const { train, test, numClasses, epochs = 20, lr = 0.01, headLr = 0.1, momentum = 0.9, weightDecay = 1e-4 } = options;
  const { batchSize = 32, encodeBatchSize = 256, seed = 0, prepare = asTheyAre, augment = prepare } = options;
  checkCounts("fineTune", { numClasses, epochs, batchSize, encodeBatchSize });
  const features = backboneOf("fineTune", options.encoder, options.features);
  const trainLabels = await checkedLabels("fineTune", "train", train, numClasses);
  const trainImages = heldImages("fineTune", train);
  const testLabels = await checkedLabels("fineTune", "test", test, numClasses);

  const encoder = withoutGroups(copyOf("fineTune", options.encoder)).train().requiresGrad_();
  const dim = evaluating(encoder, () => features(encoder, prepare(trainImages.narrow(0, 0, 1)))).size(1);
  const classifier = freshLinear(dim, numClasses, { like: trainImages, std: 0.01, seed });
  const groups = [
    { params: classifier.parameters(), lr: headLr },
    { params: encoder.parameters(), lr },
  ];
  const optimizer = new SGD(groups, { lr, momentum, weightDecay });
  const count = trainImages.size(0);
  const stepsPerEpoch = Math.floor(count / Math.min(batchSize, count));
  const schedule = new CosineAnnealingLR(optimizer, epochs * stepsPerEpoch);
  const losses = await trainEpochs({
    op: "fineTune",
    device: trainImages.device,
    count,
    batchSize,
    dropLast: true,
    epochs,
    seed,
    lr: () => optimizer.paramGroups[0]!.lr,
    step: (rows) => {
      const views = noGrad(() => augment(trainImages.indexSelect(0, rows)));
      const scores = classifier.forward(features(encoder, views));
      const loss = F.crossEntropy(scores, trainLabels.indexSelect(0, rows));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      schedule.step();
      return loss;
    },
    onEpoch: (report) => options.onEpoch?.(report),
  });
  encoder.eval();
  const encoding = { batchSize: encodeBatchSize, prepare, features, onProgress: options.onProgress ?? unheard };
  using testFeatures = await encoded(encoder, test.images, encoding);
  const accuracies = await accuraciesOf(classifier, testFeatures, testLabels, encodeBatchSize);
  return { ...accuracies, encoder, classifier, losses };
}

/** Lets BatchNorm see whole batches, of any size. */
function withoutGroups<E extends Module>(encoder: E): E {
  for (const module of encoder.modules()) {
    if (module instanceof SplitBatchNorm2d) (module as { numSplits: number }).numSplits = 1;
  }
  return encoder;
}
