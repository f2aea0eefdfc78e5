/** Philox4x32-10 against the vectors its authors publish, and what is drawn from it. */

import { describe, expect, test } from "vitest";
import type { TypedArray } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import { blocksOf, normal, philox, randomBits, type RandomState, scalar, uniform } from "../../src/ops";
import { interpret } from "../../src/reference/interpret";

const run = (node: Node): TypedArray => interpret([node], { leaf: (leaf) => leaf.hostData! }).get(node)!;
const numbers = (node: Node): number[] => Array.from(run(node));

const stateOf = (seed: readonly [number, number], offset: readonly [number, number]): RandomState => ({
  seedLow: scalar(seed[0], "u32"),
  seedHigh: scalar(seed[1], "u32"),
  offsetLow: scalar(offset[0], "u32"),
  offsetHigh: scalar(offset[1], "u32"),
});

const hex = (words: Iterable<number>): string => [...words].map((word) => word.toString(16).padStart(8, "0")).join(" ");

describe("philox", () => {
  // Random123 1.09, kat_vectors, philox4x32 10
  test.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ] as const)("of counter %j, key %j", (counter, [key0, key1], expected) => {
    const words = Uint32Array.from(counter);
    philox(words, key0, key1);
    expect(hex(words)).toBe(expected);
  });
});

describe("randomBits", () => {
  test("starts with block 0", () => {
    expect(hex(run(randomBits([4], stateOf([0, 0], [0, 0]))))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  });

  test("goes on where an offset says, over the low word's end", () => {
    const all = run(randomBits([16], stateOf([1, 2], [0xfffffffe, 7])));
    expect(run(randomBits([8], stateOf([1, 2], [0, 8])))).toEqual(all.slice(8));
    expect(run(randomBits([6], stateOf([1, 2], [0xffffffff, 7])))).toEqual(all.slice(4, 10));
  });

  test("uses blocks of four words", () => {
    expect([0, 1, 4, 5, 8].map(blocksOf)).toEqual([0, 1, 1, 2, 2]);
  });
});

describe("distributions", () => {
  const moments = (values: readonly number[]): [mean: number, variance: number] => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
  };

  test("uniform: multiples of 2^-24 in [0, 1)", () => {
    const values = numbers(uniform([100, 200], stateOf([5, 6], [7, 8])));
    expect(values.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24))).toBe(true);
    const [mean, variance] = moments(values);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  test("normal: finite, with mean 0 and variance 1", () => {
    const values = numbers(normal([100, 201], stateOf([5, 6], [7, 8])));
    expect(values.every(Number.isFinite)).toBe(true);
    const [mean, variance] = moments(values);
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(variance).toBeCloseTo(1, 1);
  });
});
