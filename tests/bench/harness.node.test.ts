import { describe, expect, it } from "vitest";
import { checkOutput } from "../../bench/check";
import { measure, type Measured, type Row } from "../../bench/harness";
import { makeReport, printReport } from "../../bench/report";

/** A device with a clock of its own: queuing takes 1 ms, the work what the row says. */
class FakeDevice implements Measured {
  readonly log: string[] = [];
  private timeMs = 0;
  private queuedMs = 0;
  private dispatches = 0;
  private plansMade = 0;

  now(): number {
    return this.timeMs;
  }

  counters(): Record<string, number> {
    return { dispatches: this.dispatches, plansMade: this.plansMade };
  }

  synchronize(): Promise<void> {
    this.timeMs += this.queuedMs;
    this.queuedMs = 0;
    return Promise.resolve();
  }

  /** A row whose run takes `runMs`; its plan is new in the first `newPlans` runs. */
  row(way: string, runMs: number, { work = "work", newPlans = 0, fails = "" } = {}): Row {
    let runs = 0;
    return {
      ...{ work, way, flops: 1e6 * runMs, bytes: 0 },
      queue: (times) => {
        this.log.push(`${way} x${times}`);
        this.timeMs += times;
        this.queuedMs += runMs * times;
        this.dispatches += 3 * times;
        if (runs++ < newPlans) this.plansMade++;
      },
      check: () => {
        this.log.push(`${way} check`);
        return fails ? Promise.reject(new Error(fails)) : Promise.resolve();
      },
    };
  }
}

describe("measure", () => {
  it("warms each row up and checks it, then runs all of them in turns", async () => {
    const device = new FakeDevice();
    await measure([device.row("a", 99), device.row("b", 49)], device, { rounds: 2 });
    const warmUp = ["a x1", "a check", "a x1", "b x1", "b check", "b x1"];
    expect(device.log).toEqual([...warmUp, "a x1", "b x1", "a x1", "b x1"]);
  });

  it("gives times and counts of one run", async () => {
    const device = new FakeDevice();
    const [measurement] = await measure([device.row("a", 3)], device, { rounds: 2, sampleMs: 10 });
    expect(measurement).toMatchObject({ samples: [4, 4], hostMs: 1, firstMs: 4, times: 3 });
    expect(measurement!.counts).toEqual({ dispatches: 3, plansMade: 0 });
  });

  it("warms up until nothing new is made", async () => {
    const device = new FakeDevice();
    await measure([device.row("a", 99, { newPlans: 4 })], device, { rounds: 1 });
    expect(device.log).toEqual(["a x1", "a check", "a x1", "a x1", "a x1", "a x1", "a x1"]);
  });

  it("lets a slow row sit out once it has enough samples", async () => {
    const device = new FakeDevice();
    const rows = [device.row("slow", 999), device.row("fast", 99)];
    const [slow, fast] = await measure(rows, device, { rounds: 5, budgetMs: 500 });
    expect(slow!.samples).toEqual([1000, 1000, 1000, null, null]);
    expect(fast!.samples).toEqual([100, 100, 100, 100, 100]);
  });

  it("tells after each sample what is measured, and how long the rest will take", async () => {
    const device = new FakeDevice();
    const heard: [ways: string[], leftMs: number][] = [];
    await measure([device.row("slow", 999), device.row("fast", 99)], device, {
      rounds: 4,
      budgetMs: 500,
      onSample: (soFar, leftMs) => heard.push([soFar.map(({ row }) => row.way), leftMs]),
    });
    expect(heard).toEqual([
      [["slow"], 2 * 1000 + 4 * 100], // the slow one sits out the fourth round
      [["slow", "fast"], 2 * 1000 + 3 * 100],
      [["slow", "fast"], 1000 + 3 * 100],
      [["slow", "fast"], 1000 + 2 * 100],
      [["slow", "fast"], 2 * 100],
      [["slow", "fast"], 100],
      [["slow", "fast"], 0],
    ]);
  });

  it("goes on without a row that fails, if asked to", async () => {
    const device = new FakeDevice();
    const failures: string[] = [];
    const rows = [device.row("wrong", 1, { fails: "it is wrong" }), device.row("right", 99)];
    const onFailure = (error: Error): unknown => failures.push(error.message);
    const measurements = await measure(rows, device, { rounds: 2, onFailure });
    expect(failures).toEqual(["work, wrong: it is wrong"]);
    expect(measurements.map(({ row, samples }) => [row.way, samples])).toEqual([["right", [100, 100]]]);
  });

  it("names the row that fails", async () => {
    const device = new FakeDevice();
    const measuring = measure([device.row("way", 1, { fails: "it is wrong" })], device, { rounds: 1 });
    await expect(measuring).rejects.toThrow("work, way: it is wrong");
  });
});

describe("report", () => {
  it("compares with the first way, and with the limits of the same rounds", async () => {
    const device = new FakeDevice();
    const stream = { ...device.row("copy", 9, { work: "stream" }), flops: 0, bytes: 1e7 };
    const rows = [device.row("peak", 9, { work: "peak" }), stream, device.row("one", 19), device.row("two", 39)];
    const measurements = await measure(rows, device, { rounds: 3 });
    const report = makeReport(measurements, {
      ...{ adapter: "some adapter", userAgent: "", cores: 1, date: "", rounds: 3, guards: ["mutant"] },
      ...{ peak: "peak", streaming: "stream" },
    });
    expect(report.limits.multiplyAdd).toEqual({ rate: 0.9, best: 0.9, drift: 0 });
    expect(report.limits.streaming).toEqual({ rate: 1, best: 1, drift: 0 });
    expect(report.rows.map(({ ratio }) => ratio)).toEqual([1, 1, 1, 2]);
    expect(report.rows[2]).toMatchObject({ gflops: 0.95, gbPerSecond: null, ofStreaming: null });
    expect(report.rows[2]!.ofPeak).toBeCloseTo(0.95 / 0.9, 12);
    expect(Object.keys(report)[0]).toBe("adapter");

    const lines = printReport(report).split("\n");
    expect(lines[0]).toBe("adapter: some adapter");
    expect(lines.at(-1)).toMatch(/^ +two +40\.0 +40\.0 +40\.0-40\.0 +2\.00 +0\.975 +108 % +3 /);
  });
});

describe("checkOutput", () => {
  const at = (index: number): number => index;
  const count = 100_000;
  const right = Float32Array.from({ length: count }, (_, index) => index);

  it("passes what is right", () => {
    expect(() => checkOutput(right, count, { at })).not.toThrow();
  });

  it("looks at every element for poison", () => {
    const one = right.slice();
    one[77_777] = NaN;
    expect(() => checkOutput(one, count, { at })).toThrow("element 77777 must be finite, got NaN");
  });

  it("finds a wrong part, and a wrong end", () => {
    const part = right.map((value, index) => (index % 50 === 0 ? value + 1000 : value));
    expect(() => checkOutput(part, count, { at })).toThrow(/elements are wrong/);
    const end = right.slice();
    end[count - 1] = 0;
    expect(() => checkOutput(end, count, { at })).toThrow(`worst at ${count - 1}: got 0, wanted ${count - 1}`);
  });

  it("rejects another length", () => {
    expect(() => checkOutput(right, 7, { at })).toThrow("must have 7 elements, got 100000");
  });
});
