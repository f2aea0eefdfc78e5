/** The bugs that `npm run plant` plants: each can be planted, and every shader file has one. */

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

test("every shader file has one, gradients have ten, fusion three", () => {
  const shaders = readdirSync(join(ROOT, "shaders"), { recursive: true }) as string[];
  const files = shaders.filter((file) => file.endsWith(".wgsl")).map((file) => `shaders/${file.replaceAll("\\", "/")}`);
  const planted = new Set(PLANTED_BUGS.map(({ file }) => file));
  expect(files.filter((file) => !planted.has(file))).toEqual([]);
  expect(PLANTED_BUGS.filter(({ tests }) => tests.includes("Op.grad")).length).toBeGreaterThanOrEqual(9);
  expect(PLANTED_BUGS.filter(({ tests }) => tests.includes("graphs.fuzz")).length).toBeGreaterThanOrEqual(3);
});
