/** Linear classification of frozen features: how good a representation is, as MoCo's papers measure it. */

import { withDevice } from "../device";
import { FrozenStateError } from "../errors";
import * as F from "../functional";
import { noGrad } from "../gradient";
import { init, Linear, type Module, readState } from "../nn";
import { checkCounts, checkOptionNames } from "../options";
import { MultiStepLR, SGD } from "../optim";
import { defaultGenerator, Generator } from "../random";
import { realize, type Tensor } from "../tensor";
import { SUPERVISED_OPTIONS, type SupervisedOptions, trainEpochs } from "./epochs";
import {
  asTheyAre,
  backboneOf,
  encoded,
  evaluating,
  type FeaturesOptions,
  freeStored,
  storedFeatures,
} from "./features";
import { type Accuracies, accuraciesOf, checkedLabels, heldImages } from "./labeled";

/** What `linearProbe` takes; the defaults are the official recipe. */
export interface LinearProbeOptions<E extends Module> extends SupervisedOptions<E> {
  /**
   * A random view of a training batch, in `prepare`'s place. Images are then encoded anew at every step. By default they are
   * encoded once, and features stay on the device: `4 * n * dim` bytes.
   */
  readonly augment?: (batch: Tensor) => Tensor;
  /** Whether features get mean 0 and variance 1 over the training images first, as by BatchNorm without weights; default false. */
  readonly standardize?: boolean;
  /** Default 100. */
  readonly epochs?: number;
  /** Default 30. */
  readonly lr?: number;
  /** Epochs after which the rate is a tenth; default 60 and 80 % of them. */
  readonly milestones?: readonly number[];
  /** Default 0. */
  readonly weightDecay?: number;
  /** Default 256. */
  readonly batchSize?: number;
}

/** What `linearProbe` gives: accuracy on the test images, and the layer. */
export interface LinearProbeResult extends Accuracies {
  /** `[n, dim] -> [n, numClasses]`, of the encoder's own features: it has `standardize` in its weights. */
  readonly classifier: Linear;
  /** Mean training loss of each epoch. */
  readonly losses: readonly number[];
}

/**
 * Trains one linear layer on an encoder's frozen features, and tests it. The encoder is in evaluation mode and sees no
 * gradient; afterwards its parameters and buffers must be what they were, bit for bit. The layer starts with weights
 * N(0, 0.01) and bias 0; SGD minimises cross-entropy. Nobody else's random numbers change, unless `augment` draws from the device's
 * generator: give it one of its own.
 *
 * The official rate of 30 is for ResNet-50, whose features are long and small; MoCo's authors found it by trying. A loss that jumps says
 * that it is too high; begin at 0.1, or, with `standardize`, at 0.01: `npm run reference` uses 30 epochs of `standardize: true, lr: 0.01,
 * weightDecay: 1e-3`.
 *
 * @param options see LinearProbeOptions
 * @throws ShapeError, DTypeError, DeviceError, IndexError, ValueError for what does not fit, or a loss that is not finite
 * @throws FrozenStateError if the encoder has changed: `features` trained it, or ran it in training mode
 * @see He et al. 2020, section 4.1 (arXiv:1911.05722); main_lincls.py of the authors
 *
 * @example
 * const { top1, top5 } = await linearProbe({ encoder: model.encoderQ, train, test, numClasses: 10, prepare, lr: 0.1, epochs: 30 });
 */
export async function linearProbe<E extends Module>(options: LinearProbeOptions<E>): Promise<LinearProbeResult> {
  checkOptionNames("linearProbe", options, [...SUPERVISED_OPTIONS, "standardize", "milestones"]);
  const { encoder, train, test, numClasses, augment, standardize = false, epochs = 100, lr = 30 } = options;
  const { momentum = 0.9, weightDecay = 0, batchSize = 256, encodeBatchSize = 256, seed = 0 } = options;
  const { milestones = [0.6, 0.8].map((part) => Math.round(part * epochs)), prepare = asTheyAre } = options;
  checkCounts("linearProbe", { numClasses, epochs, batchSize, encodeBatchSize });
  const features = backboneOf("linearProbe", encoder, options.features);
  const trainLabels = await checkedLabels("linearProbe", "train", train, numClasses);
  const testLabels = await checkedLabels("linearProbe", "test", test, numClasses);
  const trainImages = augment ? heldImages("linearProbe", train) : null; // to be encoded anew at each step
  const before = await frozenState(encoder);

  const isKnown = !augment || standardize; // features of training images are computed once
  const [trainCount, testCount] = [isKnown ? trainLabels.size(0) : 0, testLabels.size(0)];
  const encoding = (start: number): Required<FeaturesOptions<E>> => ({
    ...{ batchSize: encodeBatchSize, prepare, features },
    onProgress: (done) => options.onProgress?.(start + done, trainCount + testCount),
  });
  const frees: (() => void)[] = []; // what is of no use afterwards, whatever happens
  try {
    const known = isKnown ? await storedFeatures(encoder, train.images, encoding(0)) : null; // [n, dim]
    if (known) {
      frees.push(() => {
        freeStored(known);
      });
    }
    const change = standardize ? await standardizing(known!) : null;
    if (change) {
      frees.push(() => {
        change.mean.dispose();
        change.scale.dispose();
      });
    }
    const seen = (rows: Tensor): Tensor => {
      const found = augment
        ? evaluating(encoder, () => features(encoder, augment(trainImages!.indexSelect(0, rows))))
        : known!.indexSelect(0, rows);
      return change ? found.sub(change.mean).mul(change.scale) : found;
    };

    const { device } = trainLabels;
    const testFeatures = await encoded(encoder, test.images, encoding(trainCount));
    frees.push(() => {
      testFeatures.dispose();
    });
    const classifier = freshLinear(testFeatures.size(1), numClasses, { like: testFeatures, std: 0.01, seed });
    const optimizer = new SGD(classifier.parameters(), { lr, momentum, weightDecay });
    const schedule = new MultiStepLR(optimizer, milestones);
    const losses = await trainEpochs({
      op: "linearProbe",
      device,
      count: trainLabels.size(0),
      batchSize,
      dropLast: false,
      epochs,
      seed,
      lr: () => optimizer.paramGroups[0]!.lr,
      step: (rows) => {
        const loss = F.crossEntropy(classifier.forward(seen(rows)), trainLabels.indexSelect(0, rows));
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      },
      onEpoch: (report) => {
        schedule.step();
        options.onEpoch?.(report);
      },
    });
    if (change) foldIn(classifier, change);
    checkFrozen("linearProbe", before, await frozenState(encoder));
    const accuracies = await accuraciesOf(classifier, testFeatures, testLabels, encodeBatchSize);
    return { ...accuracies, classifier, losses };
  } finally {
    for (const free of frees) free();
  }
}

/** What features are standardised by, `[dim]` each. */
interface Standardizing {
  readonly mean: Tensor;
  readonly scale: Tensor;
}

/** Features that hardly vary stay near 0: the smallest variance is 1e-5 of the mean one. */
async function standardizing(features: Tensor): Promise<Standardizing> {
  const mean = features.mean(0);
  const variance = features.sub(mean).square().mean(0);
  const scale = variance.add(variance.mean().mul(1e-5)).add(1e-20).rsqrt();
  await realize(mean, scale);
  return { mean, scale };
}

/** `w @ ((x - mean) * scale) + b = (w * scale) @ x + (b - (w * scale) @ mean)` */
function foldIn({ weight, bias }: Linear, { mean, scale }: Standardizing): void {
  noGrad(() => {
    const scaled = weight.mul(scale); // [classes, dim]
    bias!.assign(bias!.sub(scaled.matmul(mean)));
    weight.assign(scaled);
  });
}

/** A linear layer with weights N(0, std) of its own seed, and bias 0. The device's generator is left as it is. */
export function freshLinear(
  inFeatures: number,
  outFeatures: number,
  { like, std, seed }: { like: Tensor; std: number; seed: number },
): Linear {
  const others = defaultGenerator(like.device);
  const state = others.getState();
  const layer = withDevice(like.device, () => new Linear(inFeatures, outFeatures)); // draws what is overwritten here
  others.setState(state);
  init.normal_(layer.weight, 0, std, { generator: new Generator(seed) });
  init.zeros_(layer.bias!);
  return layer;
}

type Frozen = Awaited<ReturnType<typeof readState>>;

/** Parameters, buffers and counters, those that are not saved too. */
const frozenState = (module: Module): Promise<Frozen> =>
  readState({ ...Object.fromEntries(module.namedBuffers()), ...module.stateDict() });

/** Compares bytes: NaN is NaN, and -0 not 0. */
function checkFrozen(op: string, before: Frozen, after: Frozen): void {
  const bytes = (name: string, state: Frozen): Uint8Array => {
    const { buffer, byteOffset, byteLength } = state[name]!.data;
    return new Uint8Array(buffer, byteOffset, byteLength);
  };
  const moved = Object.keys(before).filter((name) => {
    const now = bytes(name, after);
    return bytes(name, before).some((byte, place) => byte !== now[place]);
  });
  if (moved.length === 0) return;
  throw new FrozenStateError(
    `${op}: the encoder must stay as it is, got other values of ${moved.join(", ")}. Run it in evaluation mode, and train nothing else meanwhile.`,
  );
}
