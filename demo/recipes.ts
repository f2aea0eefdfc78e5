/** The choice of a recipe: what is said of each, and which numbers it puts into the form. Knows nothing of the page. */

import { type MoCoRecipe, RECIPES } from "flywheel/moco";
import type { ImagesKind } from "./protocol";
import { type Preset, RECIPE_PRESETS, type RecipeName } from "./recipePresets.mjs";

/** The recipe that goes with images, unless the user wants another. */
export const RECIPE_FOR: Readonly<Record<ImagesKind, RecipeName>> = {
  fashionMnist: "fashionMnist",
  cifar10: "cifar",
  own: "v2",
};

const LINES: Readonly<Record<RecipeName, string>> = {
  fashionMnist:
    "Ours for small grey images: crops of most of the image, brightness and contrast. On Fashion-MNIST about 83 % kNN accuracy after 300 steps.",
  cifar:
    "Of the authors' notebook for CIFAR-10: crops down to a twelfth, mirror images, changed colours, some of them grey.",
  v1: "The first paper's, for ImageNet: crops down to a fifth, mirror images, grey, colours changed a lot; the learning rate falls in two steps.",
  v2: "The second paper's: a head of two layers (MLP), also blurred views, a higher temperature; the learning rate falls by a cosine.",
};

/** What is done to the images, for those who look at the views. */
export const VIEW_WORDS: Readonly<Record<RecipeName, string>> = {
  fashionMnist: "Cropped, brightened and contrasted at random, on the device.",
  cifar: "Cropped, mirrored, changed in colour and at times made grey, at random, on the device.",
  v1: "Cropped, mirrored, made grey at times and changed in colour, at random, on the device.",
  v2: "Cropped, mirrored, changed in colour, at times made grey or blurred, at random, on the device.",
};

/** A recipe in a line or two, with what is smaller here than in the original. */
export function recipeLine(name: RecipeName): string {
  const [preset, original] = [RECIPE_PRESETS[name], RECIPES[name]];
  const changes = [
    ["encoder", preset.encoder, original.arch],
    ["batch", preset.batchSize, original.batchSize],
    ["queue", preset.queueSize, original.queueSize],
    ["key momentum", preset.momentum, original.keyMomentum],
  ] as const;
  const smaller = changes.filter(([, ours, theirs]) => ours !== theirs);
  if (smaller.length === 0) return LINES[name];
  const words = smaller.map(([what, ours, theirs]) => `${what} ${ours} instead of ${theirs}`);
  return `${LINES[name]} Scaled to what a page can train: ${words.join(", ")}.`;
}

/**
 * What a recipe puts into the form. A batch is no larger than the images are many, and a queue does not hold an image's own keys over
 * and over.
 *
 * @param trainCount images to train on; null where that is not known yet, and there are enough
 * @param splits a batch is a multiple of it
 */
export function presetFor(name: RecipeName, trainCount: number | null, splits: number): Preset {
  const preset = RECIPE_PRESETS[name];
  if (trainCount === null) return preset;
  const most = (count: number, limit: number): number => Math.min(count, Math.floor(limit / splits) * splits);
  const batchSize = most(preset.batchSize, trainCount);
  return { ...preset, batchSize, queueSize: Math.max(batchSize, most(preset.queueSize, trainCount / 2)) };
}

/**
 * How many of the original's epochs a run has is up to its steps: a learning rate that falls by the epoch falls within them. Milestones
 * lie where they do in the original by share of the steps, in the middle of an epoch if need be.
 */
export function epochsOf(
  original: Pick<MoCoRecipe, "epochs" | "lrRule">,
  { steps, batchesPerEpoch }: { steps: number; batchesPerEpoch: number },
): Pick<MoCoRecipe, "epochs" | "lrRule"> {
  const { lrRule } = original;
  if (lrRule.kind === "cosine" && lrRule.per === "step") return original; // it is the steps' already
  const epochs = Math.ceil(steps / batchesPerEpoch);
  if (lrRule.kind === "cosine") return { epochs, lrRule };
  const scaled = lrRule.epochs.map((epoch) => Math.round((epoch * steps) / original.epochs) / batchesPerEpoch);
  return { epochs, lrRule: { kind: "milestones", epochs: scaled } };
}
