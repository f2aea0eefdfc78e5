/** The choice of a recipe: that its numbers are the library's, and those that are smaller are told. */

import { describe, expect, test } from "vitest";
import { lrFactor, RECIPES } from "../../src/moco";
import { RECIPE_PRESETS, type RecipeName } from "../../demo/recipePresets.mjs";
import { epochsOf, presetFor, RECIPE_FOR, recipeLine, VIEW_WORDS } from "../../demo/recipes";

const NAMES = Object.keys(RECIPES) as RecipeName[];

describe("recipes of the page", () => {
  test("are all of the library's", () => {
    expect(Object.keys(RECIPE_PRESETS).toSorted()).toEqual(NAMES.toSorted());
    for (const name of Object.values(RECIPE_FOR)) expect(NAMES).toContain(name);
    for (const name of NAMES) expect(VIEW_WORDS[name]).toMatch(/at random, on the device\.$/);
  });

  test.each(NAMES)("%s has the recipe's numbers, or says that they are smaller", (name) => {
    const [preset, original] = [RECIPE_PRESETS[name], RECIPES[name]];
    const { dim, temperature, lr, weightDecay } = original;
    expect(preset).toMatchObject({ dim, temperature, lr, weightDecay });
    const told = [
      [preset.encoder, original.arch],
      [preset.batchSize, original.batchSize],
      [preset.queueSize, original.queueSize],
      [preset.momentum, original.keyMomentum],
    ];
    for (const [ours, theirs] of told)
      expect(recipeLine(name).includes(`${ours} instead of ${theirs}`)).toBe(ours !== theirs);
  });

  test("ours is what it always was", () => {
    expect(recipeLine("fashionMnist")).not.toContain("instead of");
    expect(epochsOf(RECIPES.fashionMnist, { steps: 300, batchesPerEpoch: 78 })).toBe(RECIPES.fashionMnist);
  });

  test("batches and queues are no larger than the images allow", () => {
    expect(presetFor("v2", null, 8)).toEqual(RECIPE_PRESETS.v2);
    expect(presetFor("v2", 50_000, 8)).toEqual(RECIPE_PRESETS.v2);
    expect(presetFor("v2", 1003, 8)).toMatchObject({ batchSize: 128, queueSize: 496 });
    expect(presetFor("v2", 103, 8)).toMatchObject({ batchSize: 96, queueSize: 96 });
    expect(presetFor("v2", 13, 8)).toMatchObject({ batchSize: 8, queueSize: 8 });
  });

  test.each([
    ["Fashion-MNIST", 1000, 468],
    ["CIFAR-10", 1000, 390],
    ["Fashion-MNIST, less than an epoch", 300, 468],
    ["a few images", 1000, 1],
  ])("v1's rate falls in two steps on %s", (_, steps, batchesPerEpoch) => {
    const run = { ...RECIPES.v1, ...epochsOf(RECIPES.v1, { steps, batchesPerEpoch }) };
    const factors = Array.from({ length: steps }, (_, step) => lrFactor(run, batchesPerEpoch, steps)(step));
    const falls = factors.flatMap((factor, step) => (step > 0 && factor < factors[step - 1]! ? [step] : []));
    expect(falls).toEqual([0.6 * steps, 0.8 * steps]);
    expect(falls.map((step) => factors[step])).toEqual([0.1, 0.1 ** 2]);
  });

  test("a rate that falls by the epoch falls within the run", () => {
    const run = { steps: 1000, batchesPerEpoch: 100 };
    expect(epochsOf(RECIPES.v1, run)).toEqual({ epochs: 10, lrRule: { kind: "milestones", epochs: [6, 8] } });
    expect(epochsOf(RECIPES.v2, run)).toEqual({ epochs: 10, lrRule: { kind: "cosine", per: "epoch" } });
    expect(epochsOf(RECIPES.v1, { steps: 1, batchesPerEpoch: 100 }).epochs).toBe(1);
    expect(epochsOf(RECIPES.v1, { steps: 20_000, batchesPerEpoch: 100 })).toMatchObject({
      lrRule: RECIPES.v1.lrRule,
      epochs: 200,
    });
  });
});
