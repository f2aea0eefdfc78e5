/** `npm run interop`: its command line. What it checks needs PyTorch, and is for whoever runs it. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "../scripts/interop.mjs");

const interop = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8", timeout: 30_000 });

describe("npm run interop", () => {
  it("shows every option with --help", () => {
    const { status, stdout, stderr } = interop("--help");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const text of ["npm run interop", "--device", "--keep", "torch and torchvision"])
      expect(stdout).toContain(text);
  });

  it.each([
    [["--device", "gpu"], '--device must be cpu or webgpu, got "gpu"'],
    [["--keep"], "--keep needs a value"],
    [["first.pth.tar"], 'options must start with --, got "first.pth.tar"'],
  ])("rejects %j", (args, message) => {
    const { status, stdout, stderr } = interop(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});
