/** How a row of several libraries is conducted, with sessions and a clock that are made up. */

import { describe, expect, it } from "vitest";
import { conductRow, type ConductOptions, type Session, type Timed } from "../../bench/peers/conduct";

const WORK = { name: "sum", title: "sum of 4M", flops: 1e6 };
const OPTIONS: ConductOptions = { rounds: 3, budgetMs: 20_000, timeoutMs: 100, sampleMs: 50 };
const NO_COUNTS = {
  ...{ dispatches: 3, submits: 1, buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0 },
  ...{ bytesUploaded: 0, bytesRead: 0, bytesAlive: 0, peakBytes: 64 },
};

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** A session whose runs take `runMs`, the first one ten times that; it writes what is asked of it to `log`. */
function fake(library: string, runMs: number, log: string[] = [], change: Partial<Session> = {}): Session {
  const timed = (jsMs: number): Promise<Timed> => Promise.resolve({ timeMs: runMs, jsMs, counts: NO_COUNTS });
  const say = (what: string): number => log.push(`${library} ${what}`);
  return {
    library,
    open: () => Promise.resolve({ version: `${library} 1.0`, adapter: "some adapter", unsupported: null }),
    first: () => Promise.resolve({ timeMs: 10 * runMs, lastMs: runMs, wrong: null }),
    sample(times) {
      say(`x${times}`);
      return timed(9);
    },
    count(times) {
      say(`counts ${times}`);
      return timed(2);
    },
    script(times) {
      say(`script ${times}`);
      return Promise.resolve(0.25);
    },
    verify: () => Promise.resolve(null),
    close() {
      say("closed");
      return Promise.resolve();
    },
    ...change,
  };
}

const conduct = (sessions: Session[], options: Partial<ConductOptions> = {}, limit: string[] | null = null) =>
  conductRow(
    WORK,
    sessions,
    limit && {
      sample() {
        limit.push("limit");
        return Promise.resolve(30);
      },
      close: () => Promise.resolve(),
    },
    { ...OPTIONS, ...options },
  );

describe("conductRow", () => {
  it("warms each library up, then visits all in turns, the limit between, and closes all", async () => {
    const log: string[] = [];
    const row = await conduct([fake("a", 100, log), fake("b", 20, log)], {}, log);
    const warmUp = (name: string) => [1, 1, 5, 5, 5].map((runs) => `${name} counts ${runs}`);
    const round = ["limit", "a x1", "b x3"]; // 20 ms three times over: a sample of about 50 ms
    const closed = ["a closed", "b closed"];
    expect(log).toEqual([...warmUp("a"), ...warmUp("b"), ...round, ...round, ...round, ...closed]);
    expect(row.peakGflops).toEqual([30, 30, 30]);
    expect(row).toMatchObject({ ...WORK, adapter: "some adapter", othersCores: null });
    expect(row.libraries[1]).toEqual({
      ...{ library: "b", version: "b 1.0", status: "measured", reason: "", firstMs: 200 },
      ...{ samplesMs: [20, 20, 20], jsMs: 2, counts: NO_COUNTS },
    });
  });

  it("warms up until nothing new is made", async () => {
    const log: string[] = [];
    let made = 4;
    const session = fake("a", 100, log, {
      count(times) {
        log.push(`counts ${times}`);
        return Promise.resolve({ timeMs: 100, jsMs: 1, counts: { ...NO_COUNTS, buffersCreated: Math.max(0, made--) } });
      },
    });
    const row = await conduct([session]);
    expect(log.filter((line) => line === "counts 1")).toHaveLength(5);
    expect(row.libraries[0]!.counts!.buffersCreated).toBe(0);
  });

  it("lets a slow library sit out: one sample is enough, its first run has warmed it up", async () => {
    const log: string[] = [];
    const row = await conduct([fake("slow", 30_000, log), fake("fast", 100)]);
    expect(log).toEqual(["slow x1", "slow closed"]);
    expect(row.libraries.map(({ samplesMs }) => samplesMs)).toEqual([
      [30_000, null, null],
      [100, 100, 100],
    ]);
    expect(row.libraries[0]).toMatchObject({ jsMs: 9, counts: NO_COUNTS });
  });

  it("never times what is wrong", async () => {
    const log: string[] = [];
    const wrong = fake("a", 100, log, { first: () => Promise.resolve({ timeMs: 1, lastMs: 1, wrong: "y: NaN" }) });
    const [result] = (await conduct([wrong])).libraries;
    expect(result).toMatchObject({ status: "wrong", reason: "y: NaN", samplesMs: [], counts: null, jsMs: null });
    expect(log).toEqual(["a closed"]);
  });

  it("throws samples away whose result is wrong in the end", async () => {
    const [result] = (await conduct([fake("a", 100, [], { verify: () => Promise.resolve("loss: NaN") })])).libraries;
    expect(result).toMatchObject({ status: "wrong", reason: "loss: NaN", samplesMs: [], counts: null });
  });

  it.each([
    [
      "a row that it does not have",
      { open: () => unsupported("forward passes only") },
      "no kernel",
      "forward passes only",
    ],
    [
      "a kernel that it does not have",
      { first: () => Promise.reject(new Error("Kernel 'A' not registered for backend 'wasm'\nmore")) },
      ...["no kernel", "Kernel 'A' not registered for backend 'wasm'"],
    ],
    ["a call that hangs", { sample: () => never<Timed>() }, "times out", "more than 0.1 s"],
    [
      "an opening that hangs",
      { open: () => never<Awaited<ReturnType<Session["open"]>>>() },
      "times out",
      "more than 0.1 s",
    ],
    ["a crash", { sample: () => Promise.reject(new Error("the page crashed.")) }, "failed", "the page crashed."],
  ] as const)("reports %s, and goes on with the others", async (_, change, status, reason) => {
    const log: string[] = [];
    const row = await conduct([fake("a", 100, log, change), fake("b", 100)]);
    expect(row.libraries[0]).toMatchObject({ status, reason, samplesMs: [], counts: null });
    expect(row.libraries[1]).toMatchObject({ status: "measured", samplesMs: [100, 100, 100] });
    expect(log).toContain("a closed");
  });

  it("watches other processes while it samples", async () => {
    const log: string[] = [];
    const watchOthers = () => {
      log.push("watch");
      return () => 0.25;
    };
    const row = await conduct([fake("a", 100, log)], { watchOthers });
    expect(row.othersCores).toBe(0.25);
    expect(log.indexOf("watch")).toBe(log.indexOf("a x1") - 1);
  });
});

const unsupported = (why: string) => Promise.resolve({ version: "1", adapter: "", unsupported: why });

it("the JavaScript of many runs is timed where asked to, after all rounds", async () => {
  const log: string[] = [];
  const { libraries } = await conduct([fake("a", 20, log)], { rounds: 2, scriptMs: 1000 });
  expect(log.filter((line) => line.includes("script"))).toEqual(["a script 2"]);
  expect(libraries[0]!.jsMs).toBe(0.25);
});
