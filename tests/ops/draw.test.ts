/** What drawing by weight computes, digit by digit, against doubles. */

import { describe, expect, test } from "vitest";
import { apply } from "../../src/ops/op";
import { fixedWeightOp, fromHost, raceKeyOp } from "../../src/ops";
import { interpret } from "../../src/reference/interpret";
import { Draw } from "./case";

const COUNT = 3000;

const words = (seed: string): Uint32Array => new Draw(seed).ints([COUNT], 0, 2 ** 32, "u32").host.data as Uint32Array;

/** `log2` of what a key stands for, up to a constant. */
const logOf = (key: number): number => Math.floor(key / 2 ** 23) + Math.log2(1 + (key % 2 ** 23) / 2 ** 23);

const keysOf = (bits: Uint32Array, weights: Float32Array): Uint32Array => {
  const node = apply(raceKeyOp, [fromHost(bits, [bits.length], "u32"), fromHost(weights, [bits.length])], { least: 0 });
  return interpret([node], { leaf: (leaf) => leaf.hostData! }).get(node) as Uint32Array;
};

describe("keys of a race", () => {
  test("are in the order of -log(u) / weight, to 2^-22 of it and 2^-26 of log2(u)", () => {
    const bits = words("bits");
    const weights = new Draw("weights").uniform([COUNT], 1e-3, 1e3).host.data as Float32Array;
    const keys = keysOf(bits, weights);
    const [unit] = keysOf(Uint32Array.of(0x3fffffff), Float32Array.of(1)); // u just below 1/4
    const unitTime = -Math.log2((2 * 0x3fffffff + 1) / 2 ** 33);
    keys.forEach((key, i) => {
      const time = -Math.log2((2 * bits[i]! + 1) / 2 ** 33);
      const expected = Math.log2(time / weights[i]! / unitTime);
      const error = Math.abs(logOf(key) - logOf(unit!) - expected);
      expect(error).toBeLessThan(2 ** -21 + (2 ** -25 / time) * 1.5);
    });
  });

  test("of weight 0 come last", () => {
    const keys = keysOf(Uint32Array.of(0, 5, 7), Float32Array.of(0, 1e-30, 0));
    expect(keys[0]).toBe(0xffffffff);
    expect(keys[1]).toBeLessThan(0xffffffff);
  });
});

describe("fixed weights", () => {
  const fixed = (weights: readonly number[], largest: number, total: number, room: number): number[] => {
    const spread = (value: number) => fromHost(new Uint32Array(weights.length).fill(value), [weights.length], "u32");
    const inputs = [
      fromHost(Float32Array.from(weights), [weights.length]),
      fromHost(new Float32Array(weights.length).fill(largest), [weights.length]),
      spread(total),
      spread(room),
    ];
    const node = apply(fixedWeightOp, inputs, { least: 0 });
    return Array.from(interpret([node], { leaf: (leaf) => leaf.hostData! }).get(node)!);
  };

  test("are cut to whole multiples of a power of two", () => {
    expect(fixed([8, 4, 3, 0.5, 0.25, 0.1], 8, 0xffffffff, 5)).toEqual([16, 8, 6, 1, 0, 0]);
    expect(fixed([8, 4, 3, 0.5, 0.25, 0.1], 8, 0x0fffffff, 5)).toEqual([256, 128, 96, 16, 8, 3]);
    expect(fixed([1.5, 1], 1.5, 0xffffffff, 24)).toEqual([0xc00000, 0x800000]);
    expect(fixed([1.5, 1], 1.5, 0xffffffff, 31)).toEqual([0x60000000, 0x40000000]);
  });

  test("refuse what is no weight", () => {
    for (const wrong of [-1, NaN, Infinity]) expect(() => fixed([1, wrong], 1, 1, 8)).toThrow(/multinomial: weights/);
  });
});
