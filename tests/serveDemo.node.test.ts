/** How `npm start` writes files: whole or not at all. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { replaceFile } from "../scripts/serveDemo.mjs";

const root = mkdtempSync(join(tmpdir(), "flywheel-serve-"));
afterAll(() => rmSync(root, { recursive: true }));

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(root, "case-"))));

describe("replaceFile", () => {
  test("writes a new file, and another over it", async () => {
    const path = join(folder, "file");
    for (const content of ["first, the longer one", Uint8Array.of(0, 255, 10)]) {
      await replaceFile(path, content);
      expect(readFileSync(path)).toEqual(Buffer.from(content));
    }
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  test("leaves the old file as it was if a write fails half-way", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "old");
    function* failing(): Generator<string> {
      yield "new, but";
      expect(readdirSync(folder)).toHaveLength(2); // the part is there, so its removal shows
      throw new Error("no space left");
    }
    // the handle's writeFile takes it: no full disk is at hand
    await expect(replaceFile(path, failing() as unknown as string)).rejects.toThrow("no space left");
    expect(readdirSync(folder)).toEqual(["file"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  test("leaves no part behind if the file cannot be replaced", async () => {
    const path = join(folder, "file");
    mkdirSync(path);
    writeFileSync(join(path, "inner"), "old");
    await expect(replaceFile(path, "new")).rejects.toThrow();
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(["file", join("file", "inner")]);
    await expect(replaceFile(join(folder, "none/file"), "new")).rejects.toThrow("ENOENT");
  });

  test("leaves one of two that are written at once", async () => {
    const path = join(folder, "file");
    const contents = ["a", "b"].map((letter) => letter.repeat(3_000_000));
    for (let round = 0; round < 5; round++) {
      await Promise.all(contents.map((content) => replaceFile(path, content)));
      expect(contents.includes(readFileSync(path, "utf8"))).toBe(true);
      expect(readdirSync(folder)).toEqual(["file"]);
    }
  });
});
