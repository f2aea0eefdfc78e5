/** What follows from measurements of peers, and how it reads. */

import { Script } from "node:vm";
import { format } from "prettier";
import { describe, expect, it } from "vitest";
import type { LibraryResult, RowResult } from "../../bench/peers/conduct";
import { EARLIER, GOALS } from "../../bench/peers/goals";
import { htmlOf } from "../../bench/peers/html";
import { fairnessOf, isQuiet, medianMs, type PeerReport, standingOf, verdictsOf } from "../../bench/peers/judge";
import { IN_PAGES, PEERS } from "../../bench/peers/names";
import { circumstances, markdownOf, printPeers, reasonsOf, timesTable } from "../../bench/peers/report";
import { WORKS } from "../../bench/peers/works";

const COUNTS = {
  ...{ dispatches: 20, submits: 1, buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0 },
  ...{ bytesUploaded: 8, bytesRead: 0, bytesAlive: 9e6, peakBytes: 10e6 },
};

const result = (library: string, samplesMs: (number | null)[], change: Partial<LibraryResult> = {}): LibraryResult => ({
  ...{ library, version: `${library} 1.0`, status: "measured", reason: "", firstMs: 900 },
  ...{ samplesMs, jsMs: 0.4, counts: COUNTS },
  ...change,
});

const failed = (library: string, status: LibraryResult["status"], reason: string): LibraryResult =>
  result(library, [], { status, reason, jsMs: null, counts: null, firstMs: null });

function row(name: string, libraries: LibraryResult[], change: Partial<RowResult> = {}): RowResult {
  const { title, flops } = WORKS.find((work) => work.name === name)!;
  const measured = { adapter: "google / swiftshader", peakGflops: [35, 35, 35], othersCores: 0.02 };
  return { name, title, flops, ...measured, libraries, ...change };
}

const report = (...rows: RowResult[]): PeerReport => ({
  ...{ date: "2026-01-02T03:04:05.000Z", browser: "Chrome/156", processor: "Some CPU, 2 cores", cores: 1, rounds: 3 },
  rows,
});

const moco = (ours: Partial<LibraryResult> = {}): RowResult =>
  row("moco", [
    result("flywheel", [100, 100, 100], ours),
    result("tfjs-webgpu", [5000, null, null], { counts: { ...COUNTS, peakBytes: 42e6 }, firstMs: 11_000 }),
    result("jax-webgpu-jit", [450, 500, 480], { counts: { ...COUNTS, peakBytes: 21e6 }, firstMs: 4800 }),
    result("jax-wasm", [30, 30, 30], { counts: { ...COUNTS, peakBytes: 0 } }),
    failed("tfjs-wasm", "no kernel", "Kernel 'Conv2DBackpropFilter' not registered"),
  ]);

describe("goals", () => {
  it("are there for every row, with a reason, and nothing else", () => {
    expect(Object.keys(GOALS).sort()).toEqual(WORKS.map(({ name }) => name).sort());
    for (const { name, isLong } of WORKS) {
      const { factor, because } = GOALS[name]!;
      if (isLong) expect(factor).toBeUndefined();
      else expect(factor).toBeGreaterThan(1);
      expect(because.length).toBeGreaterThan(20);
    }
  });

  it("compare with rivals of before that take part", () => {
    for (const [name, times] of Object.entries(EARLIER)) {
      expect(Object.keys(GOALS)).toContain(name);
      for (const library of Object.keys(times)) expect(PEERS[library]?.isRival).toBe(true);
    }
  });
});

describe("standing", () => {
  it("is over the best rival, round by round; wasm and the CPU are none", () => {
    expect(standingOf(moco())).toEqual({ best: "jax-webgpu-jit", factor: 4.8 });
    expect(medianMs(moco().libraries[1]!)).toBe(5000);
  });

  it("needs ours, and a rival", () => {
    expect(standingOf(row("moco", [result("flywheel", [1])]))).toBeNull();
    expect(standingOf(row("moco", [failed("flywheel", "wrong", "loss"), result("jax-webgpu", [1])]))).toBeNull();
  });
});

describe("verdicts", () => {
  const verdicts = (ours: Partial<LibraryResult> = {}): Record<string, boolean> =>
    Object.fromEntries(verdictsOf(report(moco(ours))).map(({ what, holds }) => [what, holds]));

  it("hold where all is as promised", () => {
    expect(verdicts()).toEqual({
      "faster than the best rival": true,
      ...{ dispatches: true, submits: true },
      ...{ "buffers created": true, "bind groups created": true, "pipelines created": true },
      ...{ JavaScript: true, "first call": true, "peak bytes on the GPU": true },
    });
  });

  it.each([
    ["faster than the best rival", { samplesMs: [130, 130, 130] }],
    ["dispatches", { counts: { ...COUNTS, dispatches: 29 } }],
    ["submits", { counts: { ...COUNTS, submits: 2 } }],
    ["buffers created", { counts: { ...COUNTS, buffersCreated: 0.2 } }],
    ["bind groups created", { counts: { ...COUNTS, bindGroupsCreated: 1 } }],
    ["pipelines created", { counts: { ...COUNTS, pipelinesCreated: 1 } }],
    ["JavaScript", { jsMs: 0.5 }],
    ["first call", { firstMs: 1601 }],
    ["peak bytes on the GPU", { counts: { ...COUNTS, peakBytes: 21e6 } }],
  ])("find that %s is short", (what, ours) => {
    const found = verdicts(ours);
    expect(Object.keys(found).filter((name) => !found[name])).toEqual([what]);
  });

  it("take a difference below 5 % for a tie", () => {
    expect(verdicts({ samplesMs: [125, 125, 125] })["faster than the best rival"]).toBe(true); // 480 / 125 = 3.84
    expect(verdicts({ samplesMs: [127, 127, 127] })["faster than the best rival"]).toBe(false); // 3.78
  });
});

describe("fairness", () => {
  it("compares rivals with what they took before, relative to the peak", () => {
    const slow = { ...moco(), peakGflops: [17.5, 17.5] };
    expect(fairnessOf(slow).map(({ library, ratio }) => [library, ratio.toFixed(2)])).toEqual([
      ["tfjs-webgpu", (5000 / 5082 / 2).toFixed(2)],
      ["jax-webgpu-jit", (480 / 939 / 2).toFixed(2)],
    ]);
    const unfair = row("matmul", [result("flywheel", [50]), result("jax-webgpu-jit", [300])]);
    expect(circumstances(report(unfair)).join("\n")).toMatch(/unfair, more than 2: jax-js webgpu jit \(matmul 512\)/);
    expect(circumstances(report(moco())).join("\n")).not.toMatch(/unfair/);
  });
});

describe("text", () => {
  const disturbed = { ...row("matmul", [result("flywheel", [80]), result("jax-webgpu", [146])]), othersCores: 0.7 };
  const full = report(disturbed, moco());

  it("is a line a row, with the best rival, our factor and the goal", () => {
    const [head, matmul, step] = timesTable(full);
    expect(head!.slice(-4)).toEqual(["best rival", "factor", "goal", ""]);
    expect(matmul!.slice(-4)).toEqual(["jax-js webgpu", "1.82x", "1.8x", "ok, disturbed"]);
    expect(step!.slice(-4)).toEqual(["jax-js webgpu jit", "4.80x", "4x", "ok"]);
    expect(step).toContain("no kernel");
    expect(reasonsOf(full)).toEqual([
      "MoCo step, batch 64, K 4096, TF.js wasm: no kernel (Kernel 'Conv2DBackpropFilter' not registered)",
    ]);
  });

  it("says when other processes took too much, or nobody looked", () => {
    expect(isQuiet(disturbed)).toBe(false);
    expect(isQuiet(moco())).toBe(true);
    expect(printPeers(full)).toMatch(/up to 0\.70 cores; above 0\.1 in 1 of 2 rows, which do not count/);
    expect(printPeers(report(moco()))).toMatch(/up to 0\.02 cores; below 0\.1 in all rows/);
    expect(printPeers(report({ ...moco(), othersCores: null }))).toMatch(/not watched/);
  });

  it("tells adapter, date, versions and cores", () => {
    const text = printPeers(full);
    for (const part of ["2026-01-02", "Chrome/156", "held to 1 core", "google / swiftshader", "jax-webgpu-jit 1.0"])
      expect(text).toContain(part);
  });

  it("is Markdown as prettier leaves it", async () => {
    const markdown = markdownOf(full);
    expect(await format(markdown, { parser: "markdown", printWidth: 120 })).toBe(markdown);
  });

  it("is a page that asks for no other file, and holds the results", () => {
    const html = htmlOf(full, 'document.title = "</script>"');
    expect(html).not.toMatch(/\b(src|href)=|@import|url\(/);
    const scripts = [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]!);
    expect(scripts).toHaveLength(2);
    expect(JSON.parse(scripts[0]!)).toEqual(full);
    expect(() => new Script(scripts[1]!)).not.toThrow();
  });
});

it("titles everyone who takes part, each once", () => {
  const titles = Object.values(PEERS).map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
  expect(Object.keys(PEERS)).toEqual([...Object.keys(IN_PAGES), "torch"]);
});
