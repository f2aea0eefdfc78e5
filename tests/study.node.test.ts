/** What `npm run study` makes of numbers; that it trains is seen with one very short training. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeTinyData } from "./demo/tinyData";
import { plotOf } from "../scripts/studyPlot.mjs";
import { CASES, markdownOf, runOf, verdictsOf } from "../scripts/studyReport.mjs";

const folder = mkdtempSync(join(tmpdir(), "flywheel-study-"));
afterAll(() => rmSync(folder, { recursive: true }));

const result = (name: string, knns: number[], loss = 2): Parameters<typeof markdownOf>[0][number] => ({
  ...CASES.find((each) => each.name === name)!,
  runs: knns.map((knn, seed) => ({
    ...{ seed, adapter: "a / b", loss, contrastAccuracy: 0.6, knn },
    curve: [
      [1, 1],
      [10, loss],
    ],
  })),
});

test("reads what npm start prints", () => {
  const lines = [
    "adapter: a / b",
    "step   1/300   loss 1.250   contrast accuracy 50.00 %",
    "step  20/300   loss 3.5   contrast accuracy 50.00 %   4.00 steps/s   70 s left",
    '{"adapter":"a / b","loss":1.9,"contrastAccuracy":0.5,"knnAfter":0.83}',
  ];
  expect(runOf(lines, 3)).toEqual({
    ...{ seed: 3, adapter: "a / b", loss: 1.9, contrastAccuracy: 0.5, knn: 0.83 },
    curve: [
      [1, 1.25],
      [20, 3.5],
    ],
  });
});

test("says what differs, and what does not", () => {
  const results = [result("recipe", [0.83, 0.84]), result("m=0", [0.6]), result("m=1", [0.82], 4.2)];
  const all = [...results, result("unshuffled", [0.838]), result("T=0.2", [0.85])];
  expect(verdictsOf(all)).toEqual([
    "Without momentum (m = 0) kNN is 60.0 %: 23.5 points worse than the recipe.",
    "A key encoder that never moves (m = 1): kNN 1.5 points worse than the recipe, but a loss of 4.20 instead of 2.00.",
    "T=0.2: 1.5 points better than the recipe.",
    "Keys that are not shuffled: no difference at this scale. That shuffling does what it should is for the tests to show.",
  ]);
  expect(verdictsOf([result("m=0", [0.6])])).toEqual([]);
  const text = markdownOf(all, { steps: 300, data: null });
  expect(text).toContain(
    "| recipe | m 0.99, K 1024, T 0.1, shuffled keys | 83.50 ± 0.71 | 2.00 ± 0.00 | 60.00 ± 0.00 |",
  );
});

test("says whose images they were, and which machines trained", () => {
  const [recipe, other] = [result("recipe", [0.8, 0.8]), result("m=0", [0.6])];
  const mixed = [recipe, { ...other, runs: other.runs.map((run) => ({ ...run, adapter: "c / d" })) }];
  expect(markdownOf(mixed, { steps: 300, data: null })).toContain("the 10,000 images of the demo, on a / b and c / d.");
  const text = markdownOf([recipe], { steps: 300, data: "/some/folder" });
  expect(text).toContain("the images of the folder given by --data, on a / b.");
});

test("draws a curve a case", () => {
  const svg = plotOf([result("recipe", [0.8]), result("m=0", [0.6], 5)]);
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg).toContain('points="115.4,310.4 740.0,16.0"'); // step 10 of 10, loss 5 of 5
});

test("trains, and writes table, plot and numbers", () => {
  const data = join(folder, "data");
  writeTinyData(data, { train: 400, test: 200 });
  const args = ["--only", "m=1", "--steps", "2", "--data", data, "--out", join(folder, "out")];
  const { status, stdout } = spawnSync(process.execPath, ["scripts/study.mjs", ...args], {
    cwd: join(import.meta.dirname, ".."),
    encoding: "utf8",
    timeout: 120_000,
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^# The paper's ablations[^]*\| m=1 \| keys by the encoder of the beginning \| \d+\.\d\d \|/);
  expect(existsSync(join(folder, "out/study.svg"))).toBe(true);
  const { results } = JSON.parse(readFileSync(join(folder, "out/study.json"), "utf8")) as { results: object[] };
  expect(results).toMatchObject([{ name: "m=1", runs: [{ seed: 0 }] }]);
}, 120_000);
