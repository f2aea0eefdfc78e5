/** What `npm run study` makes of numbers; that it trains is seen with one very short training. */

import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeTinyData } from "./demo/tinyData";
import { barsOf, plotOf } from "../scripts/studyPlot.mjs";
import { CASES, markdownOf, runOf, shortfallsOf, verdictsOf } from "../scripts/studyReport.mjs";

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

function study(...args: string[]): SpawnSyncReturns<string> {
  const cwd = join(import.meta.dirname, "..");
  return spawnSync(process.execPath, ["scripts/study.mjs", ...args], { cwd, encoding: "utf8", timeout: 120_000 });
}

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
  const text = markdownOf(all, { steps: 300, isDemoData: true });
  expect(text).toContain(
    "| recipe | m 0.99, K 1024, T 0.1, shuffled keys | 83.50 ± 0.71 | 2.00 ± 0.00 | 60.00 ± 0.00 |",
  );
});

test("says whose images they were, and which machines trained", () => {
  const [recipe, other] = [result("recipe", [0.8, 0.8]), result("m=0", [0.6])];
  const mixed = [recipe, { ...other, runs: other.runs.map((run) => ({ ...run, adapter: "c / d" })) }];
  expect(markdownOf(mixed, { steps: 300, isDemoData: true })).toContain(
    "the 10,000 images of the demo, on a / b and c / d.",
  );
  const text = markdownOf([recipe], { steps: 300, isDemoData: false });
  expect(text).toContain("the images of the folder given by --data, on a / b.");
});

test("draws a curve a case", () => {
  const svg = plotOf([result("recipe", [0.8]), result("m=0", [0.6], 5)]);
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg).toContain('points="115.4,310.4 740.0,16.0"'); // step 10 of 10, loss 5 of 5
});

test("draws a bar a case, from 0 to 100 %", () => {
  const svg = barsOf([result("recipe", [0.8]), result("m=0", [0.5, 0.6]), { ...result("m=1", []), name: "<none>" }]);
  expect([...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, length]) => length)).toEqual(["520.0", "357.5"]); // of 650
  expect(svg.match(/<circle/g)).toHaveLength(2); // the seeds of m=0
  expect(svg).toContain('<line x1="610.0" x2="610.0" y1="12" y2="64" class="recipe"/>');
  expect(svg).toContain(">55.00 ± 7.07</text>");
  expect(svg).not.toContain("none");
  expect(barsOf([result("m=1", [0.8])])).not.toContain('class="recipe"');
});

test("says what does not show what it must", () => {
  const recipe = result("recipe", [0.83, 0.84]);
  const falling = [recipe, result("m=0", [0.6, 0.8]), result("m=1", [0.82], 3.59)];
  expect(shortfallsOf(falling, { steps: 300 })).toEqual([
    "m=0: the kNN accuracy must be below 70 %, got 70.00 %.",
    "m=1: the loss must be at least 1.8 times the recipe's 2.00, got 3.59.",
  ]);
  expect(shortfallsOf(falling, { steps: 299 })).toEqual([]); // too few to show anything
  expect(shortfallsOf([recipe, result("m=0", [0.69]), result("m=1", [0.82], 3.6)], { steps: 300 })).toEqual([]);
  expect(shortfallsOf([result("m=1", [0.82], 1)], { steps: 300 })).toEqual([]); // no recipe to compare with
  expect(shortfallsOf([result("m=0", [NaN])], { steps: 300 })).toHaveLength(1);
});

test("writes report and plots anew, and fails if they do not show what they must", () => {
  const [file, out] = [join(folder, "earlier.json"), join(folder, "anew")];
  const results = [result("recipe", [0.83]), result("m=0", [0.75]), result("K=128", [0.8])];
  writeFileSync(file, JSON.stringify({ steps: 300, isDemoData: true, results }));
  const { status, stdout, stderr } = study("--from", file, "--only", "recipe,m=0", "--out", out);
  expect(stderr).toBe("m=0: the kNN accuracy must be below 70 %, got 75.00 %.\n");
  expect(status).toBe(1);
  expect(stdout).toContain("300 steps, one seed, the 10,000 images of the demo, on a / b.");
  expect(stdout).not.toContain("K=128");
  expect(readFileSync(join(out, "STUDY.md"), "utf8")).toContain("| m=0 |");
  expect(readFileSync(join(out, "knn.svg"), "utf8")).toBe(barsOf(results.slice(0, 2)));
  expect(readFileSync(join(out, "study.svg"), "utf8")).toBe(plotOf(results.slice(0, 2)));
  expect(study("--from", join(out, "study.json"), "--only", "recipe", "--out", out).status).toBe(0);
});

test("the plots of docs/study are those of its numbers, which show what they must", () => {
  const docs = join(import.meta.dirname, "../docs/study");
  const text = (file: string): string => readFileSync(join(docs, file), "utf8");
  const stored = JSON.parse(text("study.json")) as Parameters<typeof markdownOf>[1] & {
    results: Parameters<typeof markdownOf>[0];
  };
  expect(stored.results.map(({ name }) => name)).toEqual(CASES.map(({ name }) => name));
  expect(text("knn.svg")).toBe(barsOf(stored.results));
  expect(text("study.svg")).toBe(plotOf(stored.results));
  const plain = (markdown: string): string => markdown.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-");
  expect(plain(text("STUDY.md"))).toBe(plain(markdownOf(stored.results, stored)));
  expect(shortfallsOf(stored.results, stored)).toEqual([]);
});

test("refuses numbers that are no study's", () => {
  const cut = join(folder, "cut.json");
  writeFileSync(cut, '{"results": [{"ru');
  for (const file of [cut, join(folder, "none.json")]) {
    const { status, stderr } = study("--from", file, "--out", join(folder, "out"));
    expect(stderr).toMatch(/--from must name a study\.json that an earlier study wrote, got .*\.json \(/);
    expect(status).toBe(2);
  }
});

test("trains, and writes table, plots and numbers", () => {
  const data = join(folder, "data");
  writeTinyData(data, { train: 400, test: 200 });
  const args = ["--only", "m=1", "--steps", "2", "--data", data, "--out", join(folder, "out")];
  const { status, stdout } = study(...args);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^# The paper's ablations[^]*\| m=1 \| keys by the encoder of the beginning \| \d+\.\d\d \|/);
  for (const file of ["study.svg", "knn.svg"]) expect(existsSync(join(folder, "out", file))).toBe(true);
  const { results } = JSON.parse(readFileSync(join(folder, "out/study.json"), "utf8")) as { results: object[] };
  expect(results).toMatchObject([{ name: "m=1", runs: [{ seed: 0 }] }]);
}, 120_000);
