import { describe, expect, it } from "vitest";
import { drift, median, pairedRatio, quantile, summarize } from "../../bench/statistics";

describe("statistics", () => {
  it("takes the middle sample, or the mean of the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });

  it("finds quartiles between samples, as numpy does", () => {
    const samples = [10, 2, 4, 8]; // numpy.percentile(samples, [0, 25, 50, 75, 100])
    expect(summarize(samples)).toEqual({ min: 2, q1: 3.5, median: 6, q3: 8.5, max: 10, count: 4 });
    expect(quantile([1, 2, 3, 4, 5], 0.1)).toBeCloseTo(1.4, 12);
  });

  it("leaves the samples as they were, and sorts them as numbers", () => {
    const samples = [10, 9, 100];
    expect(median(samples)).toBe(10);
    expect(samples).toEqual([10, 9, 100]);
  });

  it("compares rounds with each other: a slow round slows both", () => {
    expect(pairedRatio([2, 20, 4], [1, 10, 2])).toBe(2);
    expect(pairedRatio([2, null, 6], [1, 10, null])).toBe(2);
    expect(pairedRatio([null], [1])).toBeNaN();
  });

  it("tells how far samples drift", () => {
    expect(drift([10, 10, 10])).toBe(0);
    expect(drift([8, 10, 12])).toBeCloseTo(0.4, 12);
  });
});
