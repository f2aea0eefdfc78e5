/** `npm run peers`: its options, and one small row from the command line to the reports. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { PeerReport } from "../../bench/peers/judge";

const SCRIPT = join(import.meta.dirname, "../../scripts/peers.mjs");
const folder = mkdtempSync(join(tmpdir(), "flywheel-peers-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const peers = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8", env: { ...process.env, INIT_CWD: folder } });

describe("options", () => {
  it("are all shown with --help, and so are rows and libraries", () => {
    const { status, stdout, stderr } = peers("--rounds", "3", "--help");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const options = ["only", "libraries", "rounds", "cores", "budget", "timeout", "json", "from", "write-results"];
    for (const name of options) expect(stdout).toContain(`--${name}`);
    for (const name of ["conv2dBackward", "infoNCE64K", "moco", "tfjs-webgpu", "jax-webgpu-jit", "torch"])
      expect(stdout).toContain(name);
  });

  it.each([
    ["--bogus", "--bogus is no option"],
    ["sum", 'options must start with --, got "sum"'],
    ["--only", "--only needs a value"],
    ["--only sum,tofu", /^--only must name some of matmul, .*, moco, .*got "tofu"$/],
    ["--libraries keras", /^--libraries must name some of flywheel, .*, torch, got "keras"$/],
    ["--rounds 0", '--rounds must be an integer from 1 to 999, got "0"'],
    ["--cores two", '--cores must be an integer from 1 to 999, got "two"'],
    ["--json none/out.json", '--json must name a file in an existing folder, got "none/out.json"'],
    ["--from none.json", '--from must name a file of results, got "none.json"'],
    ["--write-results=yes", '--write-results takes no value, got "yes"'],
  ])("%s is rejected in one sentence", (args, message) => {
    const { status, stdout, stderr } = peers(...args.split(" "));
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    const [sentence, hint] = stderr.trimEnd().split(": see ");
    expect(hint).toBe("npm run peers -- --help.");
    if (typeof message === "string") expect(sentence).toBe(message);
    else expect(sentence).toMatch(message);
  });
});

describe("a small row", () => {
  it("is measured and checked in a browser each, and reported", { timeout: 180_000 }, () => {
    const json = join(folder, "out.json");
    const run = peers("--only", "sum", "--libraries", "flywheel,jax-webgpu-jit", "--rounds", "2", "--json", json);
    expect(run.stderr.trim().split("\n")).toEqual(["sum: flywheel", "sum: jax-webgpu-jit"]);
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^sum of 4M +\S+ +\S+ +jax-js webgpu jit +\d+\.\d\dx +1\.4x/m);

    const report = JSON.parse(readFileSync(json, "utf8")) as PeerReport;
    const [row] = report.rows;
    expect(row!.adapter).toMatch(/\S/);
    expect(row!.peakGflops.every((rate) => rate > 0)).toBe(true);
    for (const { status, samplesMs, firstMs, counts } of row!.libraries) {
      expect(status).toBe("measured");
      expect(samplesMs.every((sample) => sample! > 0 && sample! < firstMs! * 10)).toBe(true);
      expect(counts!.peakBytes).toBeGreaterThan(2 ** 24); // 4M floats
      expect(counts).toMatchObject({ pipelinesCreated: 0, bytesRead: 0 });
    }
    const [ours, jax] = row!.libraries;
    expect(ours).toMatchObject({
      library: "flywheel",
      counts: { submits: 1, buffersCreated: 0, bindGroupsCreated: 0 },
    });
    expect(jax!.counts!.dispatches).toBeGreaterThan(0);

    const html = readFileSync(join(folder, "out.html"), "utf8");
    expect(html.includes(".u-legend")).toBe(true); // uPlot and its style
    expect(html.length).toBeLessThan(500_000);

    // What was measured can be reported again.
    const again = peers("--from", json);
    expect(again.status).toBe(0);
    const table = (text: string): string => text.slice(0, text.indexOf("\nwritten to"));
    expect(table(again.stdout)).toBe(table(run.stdout));
  });
});
