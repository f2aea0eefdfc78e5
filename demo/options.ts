/** The page's options: from the address to checked values. `npm start` takes the same ones and puts them there. */

import { ENCODERS, RECIPE_PRESETS, type RecipeName } from "./recipePresets.mjs";
import type { TrainingOptions } from "./training";

export const DEFAULT_OPTIONS: TrainingOptions = {
  recipe: "fashionMnist",
  ...RECIPE_PRESETS.fashionMnist,
  device: "webgpu",
  shuffle: "on",
  symmetric: "off",
  seed: 0,
  evaluate: true,
  evalEvery: 50,
  tune: "off",
};

export const RECIPE_NAMES = Object.keys(RECIPE_PRESETS) as RecipeName[];
export const DEVICES = ["webgpu", "cpu"] as const;
export const TUNE = ["off", "on"] as const;
export const SHUFFLE = ["on", "off"] as const;
export const SYMMETRIC = ["off", "on"] as const;

/** Groups that BatchNorm sees apart; every batch is cut into this many. */
export const BATCH_NORM_SPLITS = 8;

/** Directions in which views are compared: from query to key, or with the symmetric loss both. */
const directions = ({ symmetric }: Pick<TrainingOptions, "symmetric">): number => (symmetric === "on" ? 2 : 1);

/** Keys that a step puts into the queue. */
export const keysPerStep = (options: Pick<TrainingOptions, "batchSize" | "symmetric">): number =>
  options.batchSize * directions(options);

/** The loss of an encoder that has learnt nothing: of both directions, it is the sum. */
export const chanceLoss = (options: Pick<TrainingOptions, "queueSize" | "symmetric">): number =>
  directions(options) * Math.log(options.queueSize + 1);

/** Numbers that one GPU binding holds at WebGPU's default limits: 128 MiB of f32. */
const BINDING_NUMBERS = 2 ** 25;

/** Inputs of tinyFlat's head: 64 of each place that three convolutions leave, as each halves height and width. */
const headInputs = (imageSize: number): number => 64 * Math.ceil(imageSize / 8) ** 2;

/** Longest feature vector: the head of tinyFlat, `[dim, 1024]` for images of 28 by 28, must fit a binding. */
const MAX_DIM = BINDING_NUMBERS / headInputs(28);

/** Fashion-MNIST has no more training images. */
const MAX_BATCH = 60_000;

/**
 * Options from the address; what it does not name has the default of its recipe. `evalEvery=0` means only before and after training.
 *
 * @example
 * optionsFromSearch(new URLSearchParams("steps=100&encoder=tinyGap")).steps; // 100
 */
export function optionsFromSearch(search: URLSearchParams): TrainingOptions {
  const found: Record<string, unknown> = {};
  const recipe = RECIPE_NAMES.find((name) => name === search.get("recipe"));
  const defaults = { ...DEFAULT_OPTIONS, ...(recipe && RECIPE_PRESETS[recipe]) };
  for (const [name, preset] of Object.entries(defaults)) {
    const text = search.get(name);
    if (text === null) continue;
    found[name] = typeof preset === "string" ? text : typeof preset === "boolean" ? text === "true" : Number(text);
  }
  if (found["evalEvery"] === 0) found["evalEvery"] = null;
  return { ...defaults, ...found };
}

/**
 * What is wrong with options, as one sentence; null if nothing is.
 */
export function problemOf(options: TrainingOptions): string | null {
  const { batchSize, queueSize, dim } = options;
  for (const [words, value, max] of [
    ["The number of steps", options.steps, Infinity],
    ["The batch size", batchSize, MAX_BATCH],
    ["The queue size", queueSize, Infinity],
    ["The feature length", dim, MAX_DIM],
    ["The evaluation interval", options.evalEvery ?? 1, Infinity],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) return `${words} must be a whole number above 0, got ${value}.`;
    if (value > max) return `${words} must be at most ${max}, got ${value}.`;
  }
  if (!(options.temperature > 0)) return `The temperature must be above 0, got ${options.temperature}.`;
  if (!(options.lr > 0)) return `The learning rate must be above 0, got ${options.lr}.`;
  if (!(options.weightDecay >= 0)) return `The weight decay must be 0 or more, got ${options.weightDecay}.`;
  if (!(options.momentum >= 0 && options.momentum <= 1))
    return `The key momentum must be from 0 to 1, got ${options.momentum}.`;
  if (!Number.isInteger(options.seed) || options.seed < 0 || options.seed >= 2 ** 32)
    return `The seed must be a whole number from 0 to 4294967295, got ${options.seed}.`;
  if (!RECIPE_NAMES.includes(options.recipe)) return `The recipe must be one of ${RECIPE_NAMES.join(", ")}.`;
  if (!ENCODERS.includes(options.encoder)) return `The encoder must be one of ${ENCODERS.join(", ")}.`;
  if (!DEVICES.includes(options.device)) return `The device must be webgpu or cpu.`;
  if (!TUNE.includes(options.tune)) return `Tuning must be off or on.`;
  if (!SHUFFLE.includes(options.shuffle)) return `Shuffling of keys must be on or off.`;
  if (!SYMMETRIC.includes(options.symmetric)) return `The symmetric loss must be off or on.`;
  if (options.tune === "on" && options.device === "cpu") return `Tuning needs WebGPU, as the CPU has no variants.`;
  if (batchSize % BATCH_NORM_SPLITS !== 0)
    return `The batch size must be a multiple of ${BATCH_NORM_SPLITS}, got ${batchSize}.`;
  if (queueSize < batchSize)
    return `The queue size must be at least the batch size, got ${queueSize} and ${batchSize}.`;
  if (queueSize < keysPerStep(options))
    return `The queue size must be at least twice the batch size with the symmetric loss, as each image has two keys, got ${queueSize} and ${batchSize}.`;
  if (queueSize * dim > BINDING_NUMBERS)
    return `The queue size times the feature length must be at most ${BINDING_NUMBERS}, as the queue must fit a GPU binding, which is 128 MiB by default, got ${queueSize} and ${dim}.`;
  return null;
}

/** What is wrong with options for images of this height and width, as one sentence; null if nothing is. */
export function sizeProblemOf({ encoder, dim }: TrainingOptions, imageSize: number): string | null {
  const max = Math.floor(BINDING_NUMBERS / headInputs(imageSize));
  if (encoder !== "tinyFlat" || dim <= max) return null;
  return `The feature length must be at most ${max} with tinyFlat on images of ${imageSize} by ${imageSize}, as its head must fit a GPU binding, got ${dim}.`;
}
