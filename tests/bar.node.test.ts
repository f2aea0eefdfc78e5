/** `npm run bar` but for the training, which takes minutes. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checksOf, knnAccuracy, readNpy } from "../scripts/bar.mjs";
import { writeNpy } from "../src/io";

const folder = mkdtempSync(join(tmpdir(), "flywheel-bar-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PASSING = { loss: 2.3, contrastAccuracy: 0.55, knnBefore: 0.74, knnAfter: 0.825 };

describe("the bar", () => {
  test("holds for a run that just clears it", () => {
    expect(checksOf(PASSING, 0.8265).filter(({ holds }) => !holds)).toEqual([]);
  });

  test.each([
    [{ knnAfter: 0.8249 }, ["kNN accuracy"]],
    [{ knnBefore: 0.75 }, ["kNN accuracy gained by training"]],
    [{ loss: 2.31 }, ["loss, mean of the last 20 steps"]],
    [{ contrastAccuracy: 0.54 }, ["contrast accuracy, mean of the last 20 steps"]],
    [{ loss: null as unknown as number }, ["loss, mean of the last 20 steps"]],
    [{ knnBefore: null }, ["kNN accuracy gained by training"]],
  ])("fails for %j", (change, failed) => {
    const checks = checksOf({ ...PASSING, ...change }, 0.825);
    expect(checks.filter(({ holds }) => !holds).map(({ what }) => what)).toEqual(failed);
  });

  test("fails where the features say something else", () => {
    for (const knn of [0.8229, 0.8271, NaN])
      expect(checksOf(PASSING, knn).map(({ holds }) => holds)).toEqual([true, true, false, true, true]);
  });
});

describe("kNN in plain loops", () => {
  const bank = Float32Array.of(1, 0, 0.8, 0.6, 0.6, 0.8, 0, 1);
  const test_ = Float32Array.of(1, 0, 0, 1);

  test("the nearest decides alone", () => {
    const given = { bank, bankLabels: [0, 1, 1, 2], test: test_ };
    expect(knnAccuracy({ ...given, testLabels: [0, 2] }, { k: 1 })).toBe(1);
    expect(knnAccuracy({ ...given, testLabels: [0, 1] }, { k: 1 })).toBe(0.5);
  });

  test("of several each weighs exp(cosine / temperature)", () => {
    // From [1, 0]: 0 has one vote of exp(1 / T), 1 has exp(0.8 / T) + exp(0.6 / T), which is more only while T > 0.42.
    const given = { bank, bankLabels: [0, 1, 1, 2], test: test_.subarray(0, 2), testLabels: [0] };
    expect(knnAccuracy(given, { k: 3, temperature: 0.4 })).toBe(1);
    expect(knnAccuracy(given, { k: 3, temperature: 0.45 })).toBe(0);
    expect(knnAccuracy(given, { k: 2, temperature: 0.45 })).toBe(1);
    expect(knnAccuracy(given, { k: 200, temperature: 0.45 })).toBe(0);
  });
});

test("reads what flywheel writes as .npy", () => {
  const path = join(folder, "a.npy");
  writeFileSync(path, writeNpy({ shape: [2, 3], dtype: "f32", data: Float32Array.of(1, -2, 0.5, 4, 5, 6) }));
  expect(readNpy(path)).toEqual({ shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 4, 5, 6) });
  writeFileSync(path, writeNpy({ shape: [3], dtype: "u8", data: Uint8Array.of(7, 0, 255) }));
  expect(readNpy(path)).toEqual({ shape: [3], data: Uint8Array.of(7, 0, 255) });
  writeFileSync(path, "no array, but long enough to be one");
  expect(() => readNpy(path)).toThrow("must be an .npy file");
});
