import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS, optionsFromSearch, problemOf } from "../../demo/options";
import { parseOptions } from "../../scripts/cli.mjs";

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
  });

  test.each([
    [{ steps: 0 }, "The number of steps must be a whole number above 0, got 0."],
    [{ batchSize: 12, queueSize: 24 }, "The batch size must be a multiple of 8, got 12."],
    [{ queueSize: 1000 }, "The queue size must be a multiple of the batch size, got 1000 and 128."],
    [{ temperature: 0 }, "The temperature must be above 0, got 0."],
    [{ lr: NaN }, "The learning rate must be above 0, got NaN."],
    [{ momentum: 1.5 }, "The key momentum must be from 0 to 1, got 1.5."],
    [{ seed: -1 }, "The seed must be a whole number from 0 to 4294967295, got -1."],
  ])("%j is refused in a sentence", (change, problem) => {
    expect(problemOf({ ...DEFAULT_OPTIONS, ...change })).toBe(problem);
  });

  test("the defaults are fine", () => {
    expect(problemOf(DEFAULT_OPTIONS)).toBe(null);
  });
});
