/** Long sums and the like, against f64: each within the bound that its way of folding promises. */

import { describe, expect, test } from "vitest";
import { defaultDevice, type Tensor, tensor } from "../../src";
import { Draw } from "../ops/case";

/** An ULP of f32 in relation to the value. */
const ULP = 2 ** -23;

/** Roundings in a row, over all passes: blocks of 64 and what they make, lanes, partial results. Independent of the length up to 2^24 elements. */
const ROUNDINGS = 64 + 256 + 64 + 8;

/** Numbers of one kind, from a stream of its own. */
const numbers = (seed: string, count: number, low: number, high: number): Float32Array =>
  new Draw(seed).uniform([count], low, high).host.data as Float32Array;

interface Exact {
  readonly sum: number;
  readonly magnitude: number;
  readonly variance: number;
}

/** By compensated sums in f64. */
function exactly(values: Float32Array): Exact {
  const total = (term: (x: number) => number): number => {
    let [sum, rest] = [0, 0];
    for (const x of values) {
      const value = term(x) - rest;
      const next = sum + value;
      rest = next - sum - value;
      sum = next;
    }
    return sum;
  };
  const sum = total((x) => x);
  const mean = sum / values.length;
  return { sum, magnitude: total(Math.abs), variance: total((x) => (x - mean) ** 2) / (values.length - 1) };
}

/** Elements of both signs; of one, so that sums grow; and of one value, so that all roundings point the same way. */
const KINDS = {
  "both signs": [-1, 1],
  positive: [0, 1],
  "far from zero": [9999, 10001],
  "one value": [0.1, 0.1],
} as const;

export function accuracy(): void {
  const isCpu = defaultDevice().kind === "cpu";
  const lengths = isCpu ? [1_000_003] : [1_000_003, 16_000_001];
  const tensorOf = (values: Float32Array): Tensor => tensor(values);

  describe.each(lengths)("%d terms", (length) => {
    for (const [kind, [low, high]] of Object.entries(KINDS)) {
      test(`sum and mean of ${kind}`, async () => {
        const values = numbers(kind, length, low, high);
        const { sum, magnitude } = exactly(values);
        const x = tensorOf(values);
        const [gotSum, gotMean] = [await x.sum().item(), await x.mean().item()];
        expect(Math.abs(gotSum - sum) / magnitude / ULP).toBeLessThan(ROUNDINGS);
        expect(Math.abs(gotMean * length - sum) / magnitude / ULP).toBeLessThan(ROUNDINGS);
      });
    }

    test("variance, far from zero", async () => {
      // mean 10,000 and deviation 1: f32 is exact to 1/1024 there
      const values = numbers("variance", length, 10_000 - Math.sqrt(3), 10_000 + Math.sqrt(3));
      const { variance } = exactly(values);
      const x = tensorOf(values);
      expect(Math.abs((await x.var().item()) - variance) / variance / ULP).toBeLessThan(2 * ROUNDINGS);
      expect(Math.abs((await x.std().item()) - Math.sqrt(variance)) / Math.sqrt(variance) / ULP).toBeLessThan(
        2 * ROUNDINGS,
      );
    });
  });

  test("sums along rows and columns of a long matrix", async () => {
    const [rows, columns] = [40_009, 12];
    const values = numbers("matrix", rows * columns, 0, 1);
    const x = tensor(values, { shape: [rows, columns] });
    const down = await x.sum(0).data();
    const across = await x.t().sum(-1).data();
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += values[row * columns + column]!;
      expect(Math.abs(down[column]! - sum) / sum / ULP).toBeLessThan(ROUNDINGS);
      expect(Math.abs(across[column]! - sum) / sum / ULP).toBeLessThan(ROUNDINGS);
    }
  });

  test("cumsum of 100,003 terms: every sum within the roundings of two square roots", async () => {
    const values = numbers("cumsum", 100_003, 0, 1);
    const got = await tensor(values).cumsum(0).data();
    const most = 2 * 2 ** Math.ceil(Math.log2(values.length) / 2); // a chunk, and the chunks before it
    let sum = 0;
    let worst = 0;
    values.forEach((value, i) => {
      sum += value;
      worst = Math.max(worst, Math.abs(got[i]! - sum) / sum);
    });
    expect(worst / ULP).toBeLessThan(most);
  });

  test("long rows in order", async () => {
    const values = numbers("order", 100_003, -1, 1);
    const { values: sorted, indices } = tensor(values).sort();
    expect(await sorted.data()).toEqual(Float32Array.from(values).sort());
    const places = await indices.data();
    expect(Array.from(places, (place) => values[place])).toEqual([...Float32Array.from(values).sort()]);
    const few = tensor(Int32Array.from(values, (x) => Math.floor(10 * x)));
    const order = (await few.argsort({ descending: true }).data()) as Int32Array;
    const keys = Array.from(values, (x) => Math.floor(10 * x));
    const isStable = order.every(
      (place, i) =>
        i === 0 ||
        keys[order[i - 1]!]! > keys[place]! ||
        (keys[order[i - 1]!] === keys[place] && order[i - 1]! < place),
    );
    expect(isStable).toBe(true);
    expect(await tensor(values).median().item()).toBe(Float32Array.from(values).sort()[50_001]);
  });
}
