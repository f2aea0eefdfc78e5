/** The encoders of the page: that the form offers all of them, and that what it says of each is so. */

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { init, randn } from "flywheel";
import { batchNorm2d } from "flywheel/models";
import type { Module } from "flywheel/nn";
import { encodersFor } from "../../demo/encoders";
import { ENCODERS } from "../../demo/recipePresets.mjs";

const page = readFileSync(new URL("../../demo/index.html", import.meta.url), "utf8");
const select = /<select id="encoder"[^]*?<\/select>/.exec(page)![0];
const offered = [...select.matchAll(/<option\s+value="(\w+)"[^>]*>\s*([^<]*?)\s*<\/option>/g)].map(
  ([, name, words]) => ({
    name: name!,
    words: words!,
  }),
);

const grey = encodersFor({ channels: 1, height: 28, width: 28 });

describe("encoders of the page", () => {
  beforeAll(() => init({ device: "cpu" }));

  test("are offered from the least work to the most", () => {
    expect(offered.map(({ name }) => name)).toEqual(ENCODERS);
    expect(Object.keys(grey)).toEqual(ENCODERS);
  });

  test.each(ENCODERS)("%s has as many weights as is said", (name) => {
    const { words } = offered.find((each) => each.name === name)!;
    const [, count, unit] = /([\d.]+) (k|M) weights/.exec(words)!;
    const model = grey[name]({ numClasses: 128, head: "linear", norm: batchNorm2d });
    const weights = (model as unknown as Module).parameters().reduce((sum, parameter) => sum + parameter.numel(), 0);
    expect(Math.round(weights / (unit === "k" ? 1e3 : 1e6))).toBe(Number(count));
  });

  test("halve large images before the first block, and take their colours", () => {
    const sides = ([28, 64] as const).map((side) => {
      const model = encodersFor({ channels: 3, height: side, width: side }).resnet18({
        ...{ numClasses: 8, head: "mlp", norm: batchNorm2d },
      });
      expect(model.forward(randn([1, 3, side, side])).shape).toEqual([1, 8]);
      return (model as unknown as Module).stateDict()["conv1.weight"]!.shape;
    });
    expect(sides).toEqual([
      [64, 3, 3, 3],
      [64, 3, 7, 7],
    ]);
  });
});
