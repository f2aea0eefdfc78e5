/** `npm run tune`: its command line, and a cheap case from end to end. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "../../scripts/tune.mjs");

const tune = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8" });

describe("npm run tune", () => {
  it("shows every option and case with --help", () => {
    const { status, stdout } = tune("--help");
    expect(status).toBe(0);
    for (const text of ["--budget", "--json", "mocoStep"]) expect(stdout).toContain(text);
  });

  it.each([
    [["resnet"], 'there is no case "resnet". The cases:\n  matmul'],
    [["matmul", "--budget", "0"], "--budget must be an integer from 1 to 3600"],
    [["matmul", "--json", "/nowhere/x.json"], "--json must name a file in an existing folder"],
  ])("rejects %j", (args, message) => {
    const { status, stdout, stderr } = tune(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("tries the variants of a case's kernels, and writes what is fastest", () => {
    const folder = mkdtempSync(join(tmpdir(), "flywheel-tune-"));
    try {
      const file = join(folder, "tuning.json");
      const { status, stdout, stderr } = tune("mlpStep", "--budget", "10", "--json", file);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/^mlpStep\nmatmul .*: matmul\w*/);
      expect(stdout).toMatch(/^ {2}matmulTiled [\d.e+]+ ms$/m);
      const { adapter, chosen } = JSON.parse(readFileSync(file, "utf8")) as { adapter: string; chosen: object };
      expect(adapter).toContain("swiftshader");
      expect(Object.keys(chosen).length).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
