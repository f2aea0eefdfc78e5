/** `npm run interop`: its command line. What it checks needs PyTorch, and is for whoever runs it. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { markdownOf } from "../scripts/interopReport.mjs";

const SCRIPT = join(import.meta.dirname, "../scripts/interop.mjs");

const interop = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8", timeout: 30_000 });

describe("npm run interop", () => {
  it("shows every option with --help", () => {
    const { status, stdout, stderr } = interop("--help");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const text of [
      "npm run interop",
      "--device",
      "--keep",
      "--write-results",
      "docs/interop/INTEROP.md",
      "torch and torchvision",
    ])
      expect(stdout).toContain(text);
  });

  it.each([
    [["--device", "gpu"], '--device must be cpu or webgpu, got "gpu"'],
    [["--keep"], "--keep needs a value"],
    [["--write-results=FILE"], '--write-results takes no value, got "FILE"'],
    [["first.pth.tar"], 'options must start with --, got "first.pth.tar"'],
  ])("rejects %j", (args, message) => {
    const { status, stdout, stderr } = interop(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("writes what it found as a table", () => {
    const features = { what: "features", got: "2.0e-7", wanted: "<= 0.0001", holds: true };
    const versions = { flywheel: "0.1.0", PyTorch: "1.13.1" };
    const circumstances = { adapter: "a / b", versions, lr: 0.01 };
    const text = markdownOf([features], circumstances);
    expect(text).toContain("All 1 checks hold.");
    expect(text).toContain("- adapter: a / b\n- versions: flywheel 0.1.0, PyTorch 1.13.1\n");
    expect(text).toContain("| features | 2.0e-7 | <= 0.0001 | ok |");

    const failing = markdownOf([features, { ...features, got: "NaN", holds: false }], circumstances);
    expect(failing).toContain("**1 of 2 checks failed.**");
    expect(failing).toContain("| features | NaN | <= 0.0001 | **FAILED** |");
  });

  it("has found that all holds", () => {
    const text = readFileSync(join(import.meta.dirname, "../docs/interop/INTEROP.md"), "utf8");
    expect(text).toMatch(/All \d+ checks hold\./);
    expect(text).toMatch(/features of resnet50-3x64 in PyTorch, relative difference/);
  });
});
