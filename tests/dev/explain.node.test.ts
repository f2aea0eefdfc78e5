/** `npm run explain`: its command line, and a cheap case from end to end. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "../../scripts/explain.mjs");
const CASES = [
  "matmul",
  "conv2d",
  "softmax",
  "layerNorm",
  "batchNorm",
  "infoNCE",
  "mlpStep",
  "mocoStep",
  "resnet18Step",
];

const explain = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8" });

describe("npm run explain", () => {
  it("shows every option and case with --help, and the cases with --list", () => {
    const { status, stdout } = explain("--help");
    expect(status).toBe(0);
    for (const text of ["--wgsl", "--time", "--list", ...CASES]) expect(stdout).toContain(text);
    const list = explain("--list");
    expect(list.status).toBe(0);
    expect(list.stdout.match(/^ {2}\w+/gm)?.map((name) => name.trim())).toEqual(CASES);
  });

  it.each([
    [[], "a case must be named. The cases:\n  matmul"],
    [["resnet"], 'there is no case "resnet". The cases:\n  matmul'],
    [["matmul", "conv2d"], "there must be one case, got matmul and conv2d: see npm run explain -- --help."],
    [["matmul", "--bogus"], "--bogus is no option: see npm run explain -- --help."],
  ])("rejects %j", (args, message) => {
    const { status, stdout, stderr } = explain(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("prints a case's schedule, its shaders, and the cost of each kernel", () => {
    const { status, stdout, stderr } = explain("mlpStep", "--wgsl");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^mlpStep: a step of training 784-256-10.*\nadapter: \S.*\n\nschedule: \d+ launches\n/);
    expect(stdout).toMatch(/^ *\d+ +matmul\w* +\[128,256\] +matmul\+add\+relu +kernel +51\.38 +1\.34$/m);
    expect(stdout).toMatch(/^\/\/ momentumSgdUniform\.wgsl, specialised$/m);
    expect(stdout).toContain("@compute");
    const costs = stdout.slice(stdout.indexOf("cost by kernel")).trim().split("\n");
    expect(costs[1]).toMatch(/^kernel +launches +MFLOP +MB$/);
    expect(costs.at(-1)).toMatch(/^all +\d+ +[\d.]+ +[\d.]+$/);
    const launches = costs.slice(2).map((line) => Number(line.split(/ +/)[1]));
    expect(launches.at(-1)).toBe(launches.slice(0, -1).reduce((sum, count) => sum + count, 0));
    expect(stdout).toContain(`schedule: ${launches.at(-1)} launches`);
  });

  it("measures with --time", () => {
    const { status, stdout } = explain("batchNorm", "--time");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^kernel +launches +MFLOP +MB +ms +share +GFLOP\/s +GB\/s +of limit$/m);
    expect(stdout).toMatch(/^all +1 .* 100\.0 % .*%$/m);
    expect(stdout).toMatch(
      /^limits of this adapter: [\d.e+]+ GFLOP\/s multiply-add in registers, [\d.e+]+ GB\/s copy/m,
    );
  });
});
