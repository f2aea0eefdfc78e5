import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../src/version";

test("the version is that of package.json", () => {
  const text = readFileSync(join(import.meta.dirname, "../package.json"), "utf8");
  expect(VERSION).toBe((JSON.parse(text) as { version: string }).version);
});
