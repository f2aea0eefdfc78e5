/** Recipes: all numbers of a training, by the names of the authors' code, and the learning rate that follows from them. */

import { ValueError } from "../errors";
import { checkOptionNames, describe, isCount } from "../options";

const AUGMENTATIONS = ["v1", "v2", "cifar", "fashionMnist"] as const;

/** Which chain of random transforms makes a view; see `flywheel/data`. */
export type AugmentationName = (typeof AUGMENTATIONS)[number];

/** How the learning rate falls: to a tenth at some epochs or parts of them, or as half a cosine, set anew each epoch or each step. */
export type LrRule =
  | { readonly kind: "milestones"; readonly epochs: readonly number[] }
  | { readonly kind: "cosine"; readonly per: "epoch" | "step" };

/** All numbers of a training. */
export interface MoCoRecipe {
  /** The encoder, a function of `flywheel/models`, for those who build it by name. */
  readonly arch: string;
  /** Length of an embedding. */
  readonly dim: number;
  /** Number of negatives, K. */
  readonly queueSize: number;
  /** Of the key encoder, m. */
  readonly keyMomentum: number;
  /** Whether m stays, or rises to 1 by half a cosine over all steps, as in MoCo v3; default "constant". */
  readonly keyMomentumRule?: "constant" | "cosine";
  /** Softmax temperature, T. */
  readonly temperature: number;
  /** v2's head of two layers. */
  readonly mlp: boolean;
  /** Whether both views are queries; see `MoCo`. */
  readonly symmetric: boolean;
  /** Whether keys are encoded in another order than queries: of use with `splits` only; see `MoCo`. */
  readonly shuffle: boolean;
  /** Groups that BatchNorm sees apart, as if each were on a GPU of its own; 1: plain BatchNorm. */
  readonly splits: number;
  readonly augmentation: AugmentationName;
  readonly batchSize: number;
  readonly epochs: number;
  readonly optimizer: "sgd" | "adamW";
  readonly lr: number;
  readonly lrRule: LrRule;
  /** Epochs in which the learning rate rises from 0, step by step. */
  readonly warmUpEpochs: number;
  /** Of SGD. */
  readonly momentum: number;
  readonly weightDecay: number;
}

const NAMES: readonly (keyof MoCoRecipe)[] = [
  ...(["arch", "dim", "queueSize", "keyMomentum", "temperature", "mlp", "symmetric", "shuffle", "splits"] as const),
  ...(["augmentation", "batchSize", "epochs", "optimizer", "lr", "lrRule", "warmUpEpochs"] as const),
  ...(["momentum", "weightDecay", "keyMomentumRule"] as const),
];

/** The flags of the authors' `main_moco.py`, in camelCase, with their defaults. */
export interface OfficialOptions {
  /** Default "resnet50". */
  readonly arch?: string;
  /** Default 200. */
  readonly epochs?: number;
  /** Default 256. */
  readonly batchSize?: number;
  /** Default 0.03. */
  readonly lr?: number;
  /** Epochs at which the learning rate falls by a tenth; default [120, 160]. */
  readonly schedule?: readonly number[];
  /** Of SGD; default 0.9. */
  readonly momentum?: number;
  /** Default 1e-4. */
  readonly weightDecay?: number;
  /** Default 128. */
  readonly mocoDim?: number;
  /** Default 65536. */
  readonly mocoK?: number;
  /** Default 0.999. */
  readonly mocoM?: number;
  /** Default 0.07. */
  readonly mocoT?: number;
  /** v2: a head of two layers; default false. */
  readonly mlp?: boolean;
  /** v2: stronger augmentation; default false. */
  readonly augPlus?: boolean;
  /** v2: a cosine instead of the schedule; default false. */
  readonly cos?: boolean;
  /** Groups that BatchNorm sees apart, for which the authors' code has GPUs; default 8, as many as they had. 1: plain BatchNorm. */
  readonly splits?: number;
}

const OFFICIAL = {
  arch: "resnet50",
  epochs: 200,
  batchSize: 256,
  lr: 0.03,
  schedule: [120, 160],
  momentum: 0.9,
  weightDecay: 1e-4,
  mocoDim: 128,
  mocoK: 65536,
  mocoM: 0.999,
  mocoT: 0.07,
  mlp: false,
  augPlus: false,
  cos: false,
  splits: 8,
} as const;

/**
 * The recipe of the authors' code, from its flags. Without any it is MoCo v1; v2 is `{ mlp: true, mocoT: 0.2, augPlus: true, cos: true }`.
 * Their eight GPUs, each with a part of the batch for BatchNorm, are `splits`.
 *
 * @throws ValueError if a number is outside its range, or `splits` does not divide `batchSize`
 * @see He et al. 2020 (arXiv:1911.05722), Chen et al. 2020 (arXiv:2003.04297), main_moco.py
 *
 * @example
 * const recipe = officialRecipe({ arch: "resnet18", mocoK: 4096, mlp: true, augPlus: true, cos: true, mocoT: 0.2 });
 */
export function officialRecipe(options: OfficialOptions = {}): MoCoRecipe {
  checkOptionNames("officialRecipe", options, Object.keys(OFFICIAL));
  const given = { ...OFFICIAL, ...options };
  return checkedRecipe({
    arch: given.arch,
    dim: given.mocoDim,
    queueSize: given.mocoK,
    keyMomentum: given.mocoM,
    temperature: given.mocoT,
    mlp: given.mlp,
    symmetric: false,
    shuffle: true,
    splits: given.splits,
    augmentation: given.augPlus ? "v2" : "v1",
    batchSize: given.batchSize,
    epochs: given.epochs,
    optimizer: "sgd",
    lr: given.lr,
    lrRule: given.cos ? { kind: "cosine", per: "epoch" } : { kind: "milestones", epochs: given.schedule },
    warmUpEpochs: 0,
    momentum: given.momentum,
    weightDecay: given.weightDecay,
  });
}

/** Recipes by name. Change what you like: `{ ...RECIPES.cifar, symmetric: true }`. */
export const RECIPES = {
  /** MoCo v1 on ImageNet. */
  v1: officialRecipe(),
  /** MoCo v2 on ImageNet. */
  v2: officialRecipe({ mlp: true, mocoT: 0.2, augPlus: true, cos: true }),
  /** The authors' notebook: CIFAR-10 on one GPU, ResNet-18 with a 3x3 stem and no max pool. */
  cifar: {
    ...officialRecipe({ arch: "resnet18", batchSize: 512, lr: 0.06, weightDecay: 5e-4, cos: true }),
    ...{ queueSize: 4096, keyMomentum: 0.99, temperature: 0.1, splits: 8, augmentation: "cifar" },
  },
  /** Ours: a small encoder on Fashion-MNIST, in minutes. About 83 % kNN accuracy after 300 steps. */
  fashionMnist: {
    ...officialRecipe({ arch: "tinyFlat", batchSize: 128, lr: 0.06, weightDecay: 5e-4 }),
    ...{ queueSize: 1024, keyMomentum: 0.99, temperature: 0.1, splits: 8, augmentation: "fashionMnist" },
    lrRule: { kind: "cosine", per: "step" },
  },
} as const satisfies Record<string, MoCoRecipe>;

/**
 * What the learning rate is multiplied by in each step, counted from 0.
 *
 * @param stepsPerEpoch steps that an epoch takes
 * @param steps all steps of the training; where it ends before or after the recipe's epochs, a cosine per step reaches 0 there
 * @see adjust_learning_rate of main_moco.py; with warm-up, that of MoCo v3
 *
 * @example
 * const schedule = new LambdaLR(optimizer, lrFactor(RECIPES.v2, 5004));
 */
export function lrFactor(
  recipe: Pick<MoCoRecipe, "lrRule" | "epochs" | "warmUpEpochs">,
  stepsPerEpoch: number,
  steps = recipe.epochs * stepsPerEpoch,
): (step: number) => number {
  const { lrRule, epochs, warmUpEpochs } = recipe;
  const warmUpSteps = warmUpEpochs * stepsPerEpoch;
  return (step) => {
    if (step < warmUpSteps) return step / warmUpSteps;
    const epoch = Math.floor(step / stepsPerEpoch);
    if (lrRule.kind === "milestones")
      return 0.1 ** lrRule.epochs.filter((milestone) => step / stepsPerEpoch >= milestone).length;
    const [done, all] =
      lrRule.per === "epoch"
        ? [epoch - warmUpEpochs, epochs - warmUpEpochs]
        : [step - warmUpSteps, steps - warmUpSteps];
    const part = all > 0 ? Math.min(Math.max(done / all, 0), 1) : 1; // a warm-up may last to the end, or into an epoch
    return 0.5 * (1 + Math.cos(Math.PI * part));
  };
}

/** Callers without types, and files, may hold anything. */
function isLrRule(value: unknown): boolean {
  const { kind, epochs, per } = Object(value) as Record<string, unknown>;
  if (kind === "cosine") return per === "epoch" || per === "step";
  return kind === "milestones" && Array.isArray(epochs) && epochs.every(isAmount);
}

function isAmount(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

/** @throws ValueError if a number is outside its range, or a word or name is not known */
export function checkedRecipe(recipe: MoCoRecipe): MoCoRecipe {
  checkOptionNames("recipe", recipe, NAMES);
  const check = (names: readonly (keyof MoCoRecipe)[], holds: (value: unknown) => boolean, what: string): void => {
    for (const name of names) {
      if (holds(recipe[name])) continue;
      throw new ValueError(`recipe: ${name} must be ${what}, got ${describe(recipe[name])}. Change it.`);
    }
  };
  check(["dim", "queueSize", "splits", "batchSize", "epochs"], isCount, "a positive integer");
  check(["lr", "momentum", "weightDecay", "warmUpEpochs"], isAmount, "a number of 0 or more");
  check(["temperature"], (value) => isAmount(value) && value !== 0, "positive");
  check(["keyMomentum"], (value) => isAmount(value) && (value as number) <= 1, "in [0, 1]");
  check(
    ["keyMomentumRule"],
    (value) => value === undefined || value === "constant" || value === "cosine",
    '"constant" or "cosine"',
  );
  check(["optimizer"], (value) => value === "sgd" || value === "adamW", '"sgd" or "adamW"');
  check(
    ["augmentation"],
    (value) => AUGMENTATIONS.includes(value as AugmentationName),
    `one of ${AUGMENTATIONS.join(", ")}`,
  );
  check(["mlp", "symmetric", "shuffle"], (value) => typeof value === "boolean", "true or false");
  check(["lrRule"], isLrRule, '{ kind: "milestones", epochs } or { kind: "cosine", per: "epoch" or "step" }');
  check(["arch"], (value) => typeof value === "string", "the name of an encoder");
  check(["warmUpEpochs"], (value) => (value as number) <= recipe.epochs, `at most the ${recipe.epochs} epochs`);
  const { batchSize, splits } = recipe;
  if (batchSize % splits !== 0) {
    throw new ValueError(
      `recipe: splits must divide batchSize, got ${splits} and ${batchSize}. Each group of BatchNorm takes as many samples.`,
    );
  }
  return recipe;
}
