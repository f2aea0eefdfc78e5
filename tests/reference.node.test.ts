/** What `npm run reference` makes of numbers, and what it refuses; the trainings take hours, so none is made here. */

import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CASES, markdownOf, nameOf, runOf, shortfallsOf } from "../scripts/referenceReport.mjs";

const folder = mkdtempSync(join(tmpdir(), "flywheel-reference-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Result = Parameters<typeof markdownOf>[0][number];
type Run = Result["runs"][number];

const run = (seed: number, knn: number, linear: number): Run => ({
  ...{ seed, adapter: "a / b", knn, knnBefore: 0.73, linear, contrastAccuracy: 0.7, loss: 2 },
});
const result = (name: string, runs: Run[]): Result => ({ ...CASES.find((each) => nameOf(each) === name)!, runs });

/** A folder that looks like the published data of so many images; only the labels' header is there. */
function dataOf(count: number): string {
  const data = join(folder, String(count));
  mkdirSync(data, { recursive: true });
  const header = Buffer.alloc(8);
  header.writeUInt32BE(count, 4);
  writeFileSync(join(data, "train-labels-idx1-ubyte"), header);
  return data;
}

function reference(...args: string[]): SpawnSyncReturns<string> {
  const cwd = join(import.meta.dirname, "..");
  return spawnSync(process.execPath, ["scripts/reference.mjs", ...args], { cwd, encoding: "utf8" });
}

test("reads what npm start prints", () => {
  const last =
    '{"adapter":"a / b","device":"webgpu","seed":2,"loss":1.9,"contrastAccuracy":0.5,"knnBefore":0.7,"knnAfter":0.8,"linearProbe":0.9}';
  expect(runOf(["adapter: a / b", last])).toEqual({
    ...{ seed: 2, adapter: "a / b", loss: 1.9, contrastAccuracy: 0.5, knnBefore: 0.7, knn: 0.8, linear: 0.9 },
  });
});

test("sets means beside PyTorch's", () => {
  const text = markdownOf([result("tinyFlat-300", [run(0, 0.83, 0.88), run(1, 0.84, 0.89)])]);
  expect(text).toContain(
    "| tinyFlat | 300 | 83.50 ± 0.71 | 83.66 ± 0.11 | 88.50 ± 0.71 | 88.5 | 73.00 ± 0.00 | 2.00 ± 0.00 | 70.00 ± 0.00 | 2 |",
  );
  expect(text).toContain("on\na / b.");
  for (const said of ["its linear figures come without seeds", "30 epochs", "a rate of 0.01 and weight decay 1e-3"])
    expect(text).toContain(said);
});

test("says what falls short of the bars", () => {
  const falling = [
    result("tinyFlat-300", [run(0, 0.827, 0.9), run(1, 0.8288, 0.9)]),
    result("tinyFlat-1000", [run(0, 0.847, 0.8899)]),
    result("tinyGap-300", [run(0, 0.795, 0.1)]), // its linear probe has no bar
  ];
  expect(shortfallsOf(falling)).toEqual([
    "tinyFlat-300: the kNN accuracy must be at least 82.8 %, got 82.79 %.",
    "tinyFlat-1000: the linear probe must be at least 89 %, got 88.99 %.",
  ]);
  expect(shortfallsOf([result("tinyFlat-300", [run(0, 0.828, 0.88)])])).toEqual([]);
  expect(shortfallsOf([result("tinyFlat-300", [run(0, NaN, 0.88)])])).toHaveLength(1);
});

test("keeps what was measured, and fails if it falls short", () => {
  const out = join(folder, "out");
  mkdirSync(out);
  const results = [result("tinyFlat-300", [run(0, 0.83, 0.9)]), result("tinyGap-300", [run(0, 0.7, 0.8)])];
  writeFileSync(join(out, "reference.json"), JSON.stringify({ results }));
  const args = ["--data", dataOf(60_000), "--out", out, "--go-on", "--only", "tinyFlat-300", "--seeds", "1"];
  const { status, stdout, stderr } = reference(...args);
  expect(stderr).toBe("tinyGap-300: the kNN accuracy must be at least 79.5 %, got 70.00 %.\n");
  expect(status).toBe(1);
  expect(stdout).toContain("| tinyFlat | 300 | 83.00 |");
  expect(JSON.parse(readFileSync(join(out, "reference.json"), "utf8"))).toEqual({ results });
});

test("says which file cannot be read, and not that PyTorch is ahead", () => {
  const labels = (name: string, file: string, bytes: Uint8Array): string => {
    const data = join(folder, name);
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, file), bytes);
    return data;
  };
  const short = labels("short", "train-labels-idx1-ubyte", Uint8Array.of(0, 0, 8, 1));
  const broken = labels("broken", "train-labels-idx1-ubyte.gz", Uint8Array.of(31, 139, 8, 0, 1));
  const cut = labels("cut", "reference.json", new TextEncoder().encode('{"results": [{"ru'));
  for (const [args, message] of [
    [
      ["--data", short],
      /--data must hold files as published, got .*short.train-labels-idx1-ubyte, which cannot be read \(/,
    ],
    [["--data", broken], /got .*train-labels-idx1-ubyte\.gz, which cannot be read \(/],
    [
      ["--data", dataOf(60_000), "--out", cut, "--go-on"],
      /--go-on must find what an earlier run wrote, got another .*reference\.json \(/,
    ],
  ] as const) {
    const { status, stderr } = reference(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("    at ");
    expect(status).toBe(2);
  }
});

test.each([
  [[], "--data must name the folder of the four published files, got none"],
  [["--data", folder], `--data must hold the four published files, got ${folder} without train-labels-idx1-ubyte.gz`],
  [["--data", dataOf(10)], `--data must hold all 60000 training images, got 10 in ${join(folder, "10")}`],
  [["--only", "vgg"], "--only must name some of tinyFlat-300, tinyFlat-1000, tinyGap-300, tinyGap-1000, got"],
])("refuses %j", (args, message) => {
  const { status, stderr } = reference(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});
