/** The page "Benchmarks" without a browser: what results become, in words and in links, and what links may not be. */

import { describe, expect, it, test } from "vitest";
import { summarize } from "../../bench/statistics";
import { browserName } from "../../demo/benchmarks/browser";
import { BENCHMARK_IDS, type BenchmarkId, BENCHMARKS, rateOf } from "../../demo/benchmarks/catalogue";
import { fragmentOf, LinkError, resultFrom } from "../../demo/benchmarks/link";
import { type BenchResult, doubtsOf, measuresOf, resultJson, speedRatio } from "../../demo/benchmarks/result";
import { WORKS } from "../../demo/benchmarks/rows";
import {
  countTexts,
  durationText,
  gainText,
  markdownOf,
  ratioText,
  rateText,
  shareText,
  timeText,
} from "../../demo/benchmarks/words";
import { SHARED } from "./sharedResult";

const [MATMUL, SOFTMAX, SGD_EMA, MOCO] = SHARED.rows as [
  BenchResult["rows"][number],
  BenchResult["rows"][number],
  BenchResult["rows"][number],
  BenchResult["rows"][number],
];

describe("the catalogue", () => {
  it("counts what its works count", () => {
    for (const [id, { flops }] of Object.entries(WORKS)) {
      const { unit, amount } = BENCHMARKS[id as keyof typeof WORKS];
      if (unit === "GFLOP/s") expect(1e9 * amount, id).toBeCloseTo(flops, 0);
    }
  });

  it("has a title and a line for each, and each once", () => {
    const titles = BENCHMARK_IDS.map((id) => BENCHMARKS[id].title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const { about } of Object.values(BENCHMARKS)) expect(about).toMatch(/^[A-Z\d].{30,120}\.$/);
  });

  it("makes rates of times", () => {
    expect(rateOf("matmul512", 1000)).toBeCloseTo(0.268435456, 12);
    expect(rateOf("softmax", 1)).toBeCloseTo(33.554432, 9);
    expect(rateOf("mocoResNet18", 250)).toBe(4);
  });
});

describe("a result", () => {
  const timeMs = summarize([4, 2, 3]);
  const row = (work: string, more: object = {}): object => ({
    ...{ work, way: "default", timeMs, samplesMs: [4, 2, 3], times: 1, firstMs: 9, hostMs: 1, ratio: 1 },
    ...{ gflops: 1, gbPerSecond: 1, ofPeak: 0.25, ofStreaming: 0.75, counts: { dispatches: 2, submits: 1 } },
    ...more,
  });
  const limit = { best: 0, drift: 0 };
  const report = (rows: object[]): Parameters<typeof measuresOf>[0] =>
    ({
      limits: { multiplyAdd: { rate: 30, ...limit }, streaming: { rate: 10, ...limit } },
      rows: rows as never,
    }) satisfies Parameters<typeof measuresOf>[0];

  it("is what the bench reports: quartiles, shares of the right limit, counts", () => {
    const { rows, ...rest } = measuresOf(
      report([
        row("copy", { samplesMs: [1, 1, 1, 1] }), // in the next round already
        row(BENCHMARKS.softmax.title),
        row(BENCHMARKS.matmul512.title),
      ]),
    );
    expect(rest).toEqual({ rounds: 3, peak: 30, memory: 10 });
    const measured = { q1: 2.5, median: 3, q3: 3.5, gain: null, dispatches: 2, submits: 1, buffers: 0 };
    expect(rows).toEqual([
      { id: "matmul512", ...measured, share: 0.25 },
      { id: "softmax", ...measured, share: 0.75 },
    ]);
  });

  it("says how much slower the second way is", () => {
    const { title } = BENCHMARKS.sgdEma;
    const second = row(title, { way: "2 dispatches", ratio: 1.6 });
    expect(measuresOf(report([row(title), second])).rows).toMatchObject([{ id: "sgdEma", gain: 1.6 }]);
    expect(measuresOf(report([second])).rows, "the first way failed").toEqual([]);
  });

  it("is compared with another one by time", () => {
    const other: BenchResult = { ...SHARED, rows: [{ ...MATMUL, median: 4 * MATMUL.median }] };
    expect(speedRatio(SHARED, other, "matmul512")).toBe(4);
    expect(speedRatio(other, SHARED, "matmul512")).toBe(0.25);
    expect(speedRatio(other, SHARED, "softmax")).toBeNull();
  });

  it("says what makes it doubtful", () => {
    const clean: BenchResult = { ...SHARED, wasHidden: false, rows: [MATMUL] };
    expect(doubtsOf(clean)).toEqual([]);
    expect(doubtsOf({ ...clean, isSoftware: true })).toEqual([expect.stringContaining("software")]);
    expect(doubtsOf({ ...clean, wasHidden: true })).toEqual([expect.stringContaining("background")]);
    expect(doubtsOf({ ...clean, rounds: 2 })).toEqual([expect.stringContaining("fewer than three rounds")]);
    expect(doubtsOf({ ...clean, rows: [MATMUL, SOFTMAX] })).toEqual([expect.stringMatching(/Softmax of 4096 rows\.$/)]);
  });

  it("is a file with names, rates and samples", () => {
    const file = JSON.parse(resultJson(SHARED, { softmax: [0.07, null] })) as { rows: object[] };
    expect(file).toMatchObject({ adapter: SHARED.adapter, timing: "wall clock", peakGflops: 12_340 });
    expect(file.rows[1]).toMatchObject({
      ...{ title: "Softmax of 4096 rows", unit: "GB/s", median: 0.08, samplesMs: [0.07, null] },
      rate: expect.closeTo(419.43, 2) as number,
    });
  });
});

describe("words", () => {
  it("say what a row has", () => {
    expect(rateText("matmul512", MATMUL.median)).toBe("5129 GFLOP/s");
    expect(rateText("mocoTinyFlat", MOCO.median)).toBe("313 steps/s");
    expect(timeText(MATMUL)).toBe("0.0523 ms, quartiles 0.0512 to 0.0546");
    expect(shareText(MATMUL)).toBe("42 % of multiply-adds");
    expect(shareText(SOFTMAX)).toBe("92 % of memory speed");
    expect(shareText({ ...MOCO, share: null })).toBe("");
    expect(gainText(SGD_EMA)).toBe("1.62 times as fast as two dispatches");
    expect(gainText(MATMUL)).toBe("");
    expect(countTexts(MOCO)).toEqual(["41 dispatches", "1 submit", "0 buffers"]);
    expect(countTexts({ ...MOCO, submits: 0.25, buffers: 1 })).toEqual(["41 dispatches", "0.3 submits", "1 buffer"]);
    expect(ratioText(0.02512)).toBe("0.0251×");
  });

  it("say how long something takes", () => {
    expect([0, 1400, 59_400, 80_000].map(durationText)).toEqual(["1 s", "1 s", "59 s", "1 min 20 s"]);
  });

  it("are Markdown that a name cannot break", () => {
    const text = markdownOf({ ...SHARED, adapter: "a | b [c](d) <img>" }, "https://example.org/#result=1.x");
    const lines = text.split("\n");
    expect(lines[0]).toBe("**flywheel 0.1.0 on a \\| b \\[c\\](d) \\<img\\>**");
    expect(lines[4]).toBe(
      "| Matrix product, 512 × 512 | 5129 GFLOP/s | 0.0523 (0.0512 to 0.0546) | 42 % of multiply-adds | 1 dispatch, 1 submit, 0 buffers |",
    );
    expect(text).toContain(
      "Chrome 141 on Linux, 8 cores, 2026-03-04 05:06 UTC; medians of 25 interleaved rounds, by the clock.",
    );
    expect(text).toContain("Note: The page was in the background");
    expect(text).toContain("(https://example.org/#result=1.x)");
  });
});

test.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Chrome 141 on Linux",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
    "Edge 141 on Windows",
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
    "Safari 26 on macOS",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
    "Safari 26 on iOS",
  ],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox 145 on Windows"],
  [
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Chrome 141 on Android",
  ],
  ["something else", "a browser"],
])("%s is %s", (userAgent, name) => {
  expect(browserName(userAgent)).toBe(name);
});

describe("a link", () => {
  /** A fragment of any value. */
  const linkOf = (packed: unknown, version = "1"): string =>
    `#result=${version}.${Buffer.from(JSON.stringify(packed)).toString("base64url")}`;
  const packedOf = (fragment: string): unknown[] =>
    JSON.parse(Buffer.from(fragment.split(".").slice(1).join("."), "base64url").toString()) as unknown[];
  const PACKED = packedOf(fragmentOf(SHARED));

  it("holds a result, in four digits", () => {
    expect(resultFrom(fragmentOf(SHARED))).toEqual(SHARED);
    const fine: BenchResult = { ...SHARED, rows: [{ ...MATMUL, q1: 1.23449, median: 1.2345678, q3: 1.23999 }] };
    expect(resultFrom(fragmentOf(fine))!.rows[0]).toMatchObject({ q1: 1.234, median: 1.235, q3: 1.24 });
  });

  it("holds a full result in less than 2000 characters of plain letters", () => {
    const rows = BENCHMARK_IDS.map((id: BenchmarkId) => ({ ...MATMUL, id, gain: 1.234 }));
    const fragment = fragmentOf({ ...SHARED, rows });
    expect(fragment.length).toBeLessThan(2000);
    expect(fragment).toMatch(/^#result=1\.[\w-]+$/);
    expect(resultFrom(fragment)!.rows).toEqual(rows);
  });

  it("keeps names in any script, and drops what is not seen", () => {
    const named = resultFrom(fragmentOf({ ...SHARED, adapter: "图形 / Ü\u202e\n<b>" }))!;
    expect(named.adapter).toBe("图形 / Ü  <b>");
  });

  it("is none of this page's if it is another fragment", () => {
    for (const fragment of ["", "#", "#results", "#method-title"]) expect(resultFrom(fragment)).toBeNull();
  });

  /** The packed result with one place changed. */
  const changed = (place: number, value: unknown): string =>
    linkOf(PACKED.map((each, i) => (i === place ? value : each)));
  const changedRow = (place: number, value: unknown): string => {
    const [row] = PACKED[10] as unknown[][];
    return changed(10, [row!.map((each, i) => (i === place ? value : each))]);
  };
  const FRAGMENT = fragmentOf(SHARED);

  it.each([
    ["is cut", FRAGMENT.slice(0, -9), "missing or damaged"],
    ["is cut before its start", "#result=1", "missing"],
    ["is empty", "#result=1.", "missing"],
    ["has another version", FRAGMENT.replace("=1.", "=2."), "another version"],
    ["is no base64url", `${FRAGMENT}%3Cimg%3E`, "missing"],
    ["is no text", "#result=1._____w", "damaged"],
    ["is no JSON", `#result=1.${Buffer.from("<img src=x>").toString("base64url")}`, "damaged"],
    ["is another thing", linkOf({ adapter: "x" }), "missing"],
    ["is null", linkOf(null), "missing"],
    ["is too long", linkOf("x".repeat(9000)), "too long"],
    ["lacks a place", linkOf(PACKED.slice(1)), "missing"],
    ["has a place more", linkOf([...PACKED, 1]), "missing"],
    ["has a number for a name", changed(2, 7), "short text"],
    ["has a long name", changed(2, "x".repeat(200)), "short text"],
    ["has a name that turns the text around", changed(2, "\u202eabc"), "short text"],
    ["has a name over lines", changed(4, "a\nb"), "short text"],
    ["has a date beyond all", changed(1, 1e20), "out of range"],
    ["has a date that is none", changed(1, 1.5), "out of range"],
    ["has another flag", changed(3, 2), "out of range"],
    ["has a negative number of cores", changed(5, -1), "out of range"],
    ["has a text for a number", changed(8, "1"), "out of range"],
    ["has no rate", changed(8, 0), "above 0"],
    [
      "has infinity",
      linkOf(PACKED).replace(
        /\..*/,
        `.${Buffer.from(JSON.stringify(PACKED).replace("12340", "1e999")).toString("base64url")}`,
      ),
      "out of range",
    ],
    ["has no rows", changed(10, []), "one at least"],
    ["has rows that are none", changed(10, "rows"), "missing"],
    ["has a benchmark twice", changed(10, [(PACKED[10] as unknown[])[0], (PACKED[10] as unknown[])[0]]), "once"],
    ["has a benchmark that is none", changedRow(0, "<script>"), "does not know"],
    ["has a benchmark from the prototype", changedRow(0, "toString"), "does not know"],
    ["has quartiles out of order", changedRow(1, 99), "in order"],
    ["has a time of 0", changedRow(1, 0), "above 0"],
    ["has a share that is none", changedRow(4, "a lot"), "out of range"],
    ["has counts that are none", changedRow(6, null), "out of range"],
    ["has a row that is cut", changed(10, [["matmul512", 1, 1, 1]]), "missing"],
  ])("that %s is refused with a sentence", (_, fragment, words) => {
    const opening = (): unknown => resultFrom(fragment);
    expect(opening).toThrow(LinkError);
    expect(opening).toThrow(words);
    expect(opening).toThrow(
      /^This link holds no result that can be shown: [^<>]*\. Ask for it anew, or measure here\.$/,
    );
  });
});
