/** The labelled images that kNN asks. */

import { expect, test } from "vitest";
import { neighbourWords } from "../../demo/bank";

test.each([
  [40, "40 nearest training images"],
  [10_000, "200 nearest training images"],
  [50_000, "200 nearest of the first 10,000 training images"],
])("kNN asks, of %d images to train on, the %s", (trainCount, words) => {
  expect(neighbourWords(trainCount)).toBe(words);
});
