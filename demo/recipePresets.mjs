// @ts-check
/**
 * What a run by each recipe of `flywheel/moco` starts with on the page and in the terminal. The recipes are for hours and days on fast
 * GPUs: encoder, batch, queue and steps are of a size that a page trains in minutes, and key encoders follow faster, as runs are short.
 * All other numbers are the recipes' own. Plain JavaScript, as `npm start` reads it before any package is there.
 */

/**
 * @typedef {"fashionMnist" | "cifar" | "v1" | "v2"} RecipeName
 *
 * @typedef {(typeof ENCODERS)[number]} EncoderName
 *
 * @typedef {object} Preset
 * @property {EncoderName} encoder
 * @property {number} steps
 * @property {number} batchSize
 * @property {number} queueSize
 * @property {number} dim
 * @property {number} temperature
 * @property {number} momentum of the key encoder
 * @property {number} lr
 * @property {number} weightDecay
 */

/** From the least work to the most. */
export const ENCODERS = /** @type {const} */ (["tinyFlat", "tinyGap", "resnet8", "resnet18", "resnet34", "resnet50"]);

/** @type {Readonly<Record<RecipeName, Readonly<Preset>>>} */
export const RECIPE_PRESETS = {
  fashionMnist: {
    ...{ encoder: "tinyFlat", steps: 300, batchSize: 128, queueSize: 1024 },
    ...{ dim: 128, temperature: 0.1, momentum: 0.99, lr: 0.06, weightDecay: 5e-4 },
  },
  cifar: {
    ...{ encoder: "resnet8", steps: 1000, batchSize: 128, queueSize: 4096 },
    ...{ dim: 128, temperature: 0.1, momentum: 0.99, lr: 0.06, weightDecay: 5e-4 },
  },
  v1: {
    ...{ encoder: "resnet8", steps: 1000, batchSize: 128, queueSize: 4096 },
    ...{ dim: 128, temperature: 0.07, momentum: 0.99, lr: 0.03, weightDecay: 1e-4 },
  },
  v2: {
    ...{ encoder: "resnet8", steps: 1000, batchSize: 128, queueSize: 4096 },
    ...{ dim: 128, temperature: 0.2, momentum: 0.99, lr: 0.03, weightDecay: 1e-4 },
  },
};
