/** `npm run bench` as far as it goes without a browser. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "../../scripts/bench.mjs");

const bench = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8", env: { ...process.env, INIT_CWD: "" } });

describe("npm run bench", () => {
  it("shows every option and family with --help", () => {
    for (const flag of ["--help", "-h"]) {
      const { status, stdout, stderr } = bench("--rounds", "3", flag);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      for (const text of ["--only", "--rounds", "--json", "--profile", "conv2d, matmul, moco"])
        expect(stdout).toContain(text);
    }
  });

  it.each([
    ["--bogus", "--bogus is no option"],
    ["-x", "-x is no option"],
    ["--__proto__ 1", "--__proto__ is no option"],
    ["matmul", 'options must start with --, got "matmul"'],
    ["--only", "--only needs a value"],
    ["--only --rounds 3", "--only needs a value"],
    ["--only softmax", '--only must be one of augment, conv2d, matmul, moco, pointwise, reduce, update, got "softmax"'],
    ["--rounds 0", '--rounds must be an integer from 1 to 9999, got "0"'],
    ["--rounds 2.5", '--rounds must be an integer from 1 to 9999, got "2.5"'],
    ["--json none/out.json", '--json must name a file in an existing folder, got "none/out.json"'],
    ["--profile=yes", '--profile takes no value, got "yes"'],
  ])("rejects %s in one sentence", (args, message) => {
    const { status, stdout, stderr } = bench(...args.split(" "));
    expect({ status, stdout, stderr }).toEqual({
      ...{ status: 2, stdout: "" },
      stderr: `${message}: see npm run bench -- --help.\n`,
    });
  });

  it("takes no folder for the results", () => {
    const { status, stderr } = bench("--json", import.meta.dirname);
    expect(status).toBe(2);
    expect(stderr).toContain("--json must name a file, got the folder");
  });
});
