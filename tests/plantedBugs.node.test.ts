/** The bugs that `npm run plant` plants: each can be planted, and what is promised has one. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { PLANTED_BUGS } from "../scripts/plantedBugs.mjs";

const ROOT = resolve(import.meta.dirname, "..");

const TEST_FILES = (readdirSync(join(ROOT, "tests"), { recursive: true }) as string[]).map(
  (file) => `tests/${file.replaceAll("\\", "/")}`,
);

test.each(PLANTED_BUGS.map((bug) => [`${bug.file}: ${bug.what}`, bug] as const))("%s", (_name, bug) => {
  const text = readFileSync(join(ROOT, bug.file), "utf8");
  expect(text.split(bug.find), "its place is in the file once").toHaveLength(2);
  expect(bug.replace).not.toBe(bug.find);
  expect(
    TEST_FILES.filter((file) => file.startsWith(bug.tests)),
    "files of the tests that are to see it",
  ).not.toEqual([]);
});

/** Files that have a bug beside those of `shaders/`: families of gradients, and what runs graphs, writes and updates. */
const PROMISED = [
  ...[
    ...["activation", "arithmetic", "conv2d", "diagonal", "gridSample", "indexing", "join", "loss", "math", "matmul"],
    ...["maxPool", "maxUnpool", "moments", "normalization", "quantiles", "reduce", "scan", "slice", "special", "taps"],
    ...["trigonometry", "views", "windows"],
  ].map((name) => `ops/${name}`),
  "autograd/backward",
  ...["accessors", "indexing", "outputWindows", "part", "windows"].map((name) => `codegen/${name}`),
  ...["order", "plan"].map((name) => `schedule/${name}`),
  ...["engine", "indexChecks", "needed", "planKey", "slotPool", "variable"].map((name) => `runtime/${name}`),
  ...["adam", "sgd", "schedules/cosine", "schedules/oneCycle"].map((name) => `optim/${name}`),
].map((name) => `src/${name}.ts`);

test("every shader file and every file that is promised has one", () => {
  const shaders = readdirSync(join(ROOT, "shaders"), { recursive: true }) as string[];
  const files = shaders.filter((file) => file.endsWith(".wgsl")).map((file) => `shaders/${file.replaceAll("\\", "/")}`);
  const planted = new Set(PLANTED_BUGS.map(({ file }) => file));
  // no adapter here has halves: kernels that store them are compiled, but nothing runs that a wrong one could change
  const isRun = (file: string): boolean => !file.startsWith("shaders/elementwiseHalf");
  expect([...files.filter(isRun), ...PROMISED].filter((file) => !planted.has(file))).toEqual([]);
});
