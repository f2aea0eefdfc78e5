import { describe, expect, test } from "vitest";
import {
  chanceLoss,
  DEFAULT_OPTIONS,
  keysPerStep,
  optionsFromSearch,
  problemOf,
  sizeProblemOf,
} from "../../demo/options";
import type { TrainingOptions } from "../../demo/training";
import { RECIPE_PRESETS, type RecipeName } from "../../demo/recipePresets.mjs";
import { parseOptions, UsageError } from "../../scripts/cli.mjs";

describe("options of the page", () => {
  test("have the defaults of npm start", () => {
    const terminal = parseOptions([]);
    const { evalEvery, ...shared } = DEFAULT_OPTIONS;
    expect(terminal).toMatchObject(shared);
    expect(evalEvery).toBe(50); // somebody is looking on
  });

  test("come from the address", () => {
    const search = new URLSearchParams("steps=10&encoder=resnet8&lr=1e-2&evaluate=false&evalEvery=0&report=/x");
    expect(optionsFromSearch(search)).toEqual({
      ...DEFAULT_OPTIONS,
      steps: 10,
      encoder: "resnet8",
      lr: 0.01,
      evaluate: false,
      evalEvery: null,
    });
    expect(optionsFromSearch(new URLSearchParams("recipe=v9")).recipe, "to be told").toBe("v9");
  });

  test.each(Object.keys(RECIPE_PRESETS) as RecipeName[])("by the recipe %s are those of npm start", (recipe) => {
    const options = optionsFromSearch(new URLSearchParams({ recipe, lr: "0.5" }));
    const { evalEvery: _, ...shared } = options;
    expect(parseOptions(["--lr", "0.5", "--recipe", recipe])).toMatchObject(shared);
    expect(options).toMatchObject({ ...RECIPE_PRESETS[recipe], recipe, lr: 0.5, seed: 0 });
    expect(problemOf(options)).toBe(null);
  });

  test.each([
    [{ recipe: "v9" } as never, "The recipe must be one of fashionMnist, cifar, v1, v2."],
    [{ steps: 0 }, "The number of steps must be a whole number above 0, got 0."],
    [{ batchSize: 12, queueSize: 24 }, "The batch size must be a multiple of 8, got 12."],
    [{ queueSize: 100 }, "The queue size must be at least the batch size, got 100 and 128."],
    [{ temperature: 0 }, "The temperature must be above 0, got 0."],
    [{ lr: NaN }, "The learning rate must be above 0, got NaN."],
    [{ momentum: 1.5 }, "The key momentum must be from 0 to 1, got 1.5."],
    [{ seed: -1 }, "The seed must be a whole number from 0 to 4294967295, got -1."],
    [{ dim: 32_769 }, "The feature length must be at most 32768, got 32769."],
    [{ tune: "on", device: "cpu" } as const, "Tuning needs WebGPU, as the CPU has no variants."],
    [{ symmetric: "maybe" } as never, "The symmetric loss must be off or on."],
    [
      { symmetric: "on", queueSize: 248 } as const,
      "The queue size must be at least twice the batch size with the symmetric loss, as each image has two keys, got 248 and 128.",
    ],
    [{ tune: "maybe" } as never, "Tuning must be off or on."],
    [{ batchSize: 60_008, queueSize: 60_008 }, "The batch size must be at most 60000, got 60008."],
    [
      { queueSize: 262_272 },
      "The queue size times the feature length must be at most 33554432, as the queue must fit a GPU binding, which is 128 MiB by default, got 262272 and 128.",
    ],
  ])("%j is refused in a sentence", (change, problem) => {
    expect(problemOf({ ...DEFAULT_OPTIONS, ...change })).toBe(problem);
  });

  test.each([
    { queueSize: 1_073_741_824 },
    { queueSize: 262_144, batchSize: 64 },
    { queueSize: 262_208, batchSize: 64 },
    { dim: 32_768 },
    { dim: 32_769 },
    { dim: 1, batchSize: 512, queueSize: 65_024 },
    { dim: 1, batchSize: 512, queueSize: 65_536 },
    { batchSize: 60_000, queueSize: 60_000 },
    { symmetric: "on", batchSize: 64, queueSize: 128 },
    { symmetric: "on", batchSize: 64, queueSize: 127 },
    { symmetric: "both" },
    { dim: 1, batchSize: 5792, queueSize: 5792 },
  ])("%j is for the page what it is for npm start", (change) => {
    const argv = Object.entries(change).map(([name, value]) => `--${name.replace("Size", "-size")}=${value}`);
    const isRefused = problemOf({ ...DEFAULT_OPTIONS, ...change } as TrainingOptions) !== null;
    if (isRefused) expect(() => parseOptions(argv)).toThrow(UsageError);
    else expect(parseOptions(argv)).toMatchObject(change);
  });

  test("features are no longer than the head for larger images may be", () => {
    const options = { ...DEFAULT_OPTIONS, dim: 8193 };
    expect(sizeProblemOf({ ...options, dim: 32_768 }, 32)).toBe(null);
    expect(sizeProblemOf({ ...options, dim: 8192 }, 64)).toBe(null);
    expect(sizeProblemOf({ ...options, encoder: "tinyGap" }, 64)).toBe(null);
    expect(sizeProblemOf(options, 64)).toBe(
      "The feature length must be at most 8192 with tinyFlat on images of 64 by 64, as its head must fit a GPU binding, got 8193.",
    );
  });

  test.each([
    ["off", 128, 6.93],
    ["on", 256, 13.86],
  ] as const)("with the symmetric loss %s a step brings %d keys, and chance is %d", (symmetric, keys, chance) => {
    const options = { ...DEFAULT_OPTIONS, symmetric };
    expect(keysPerStep(options)).toBe(keys);
    expect(chanceLoss(options)).toBeCloseTo(chance, 2);
  });

  test("the defaults are fine", () => {
    expect(problemOf(DEFAULT_OPTIONS)).toBe(null);
  });
});
