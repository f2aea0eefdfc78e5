/** Random tensors: known bits, the same on every device; distributions; state that can be saved. */

import { describe, expect, test } from "vitest";
import { ones, tensor, zeros } from "../../src/creation";
import { openDevice } from "../../src/device";
import { DTypeError, ValueError } from "../../src/errors";
import * as F from "../../src/functional";
import {
  bernoulli,
  defaultGenerator,
  Generator,
  manualSeed,
  normal,
  rand,
  randint,
  randn,
  randomBits,
  randperm,
  uniform,
} from "../../src/random";

const meanOf = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

export function randomness(): void {
  test("bits are Philox4x32-10: the authors' vector for a zero counter and key", async () => {
    const bits = await randomBits([4], { generator: new Generator(0) }).data();
    expect([...bits].map((word) => word.toString(16))).toEqual(["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]);
  });

  test("the host draws the same words", async () => {
    const seed = 2 ** 40 + 12345;
    const state = { seed, offset: 2 ** 32 - 1 }; // the counter's low word overflows on the way
    const onDevice = await randomBits([11], { generator: new Generator().setState(state) }).data();
    expect([...new Generator().setState(state).drawOnHost(11)]).toEqual([...onDevice]);
  });

  test("every draw moves the counter on by a block per four words", () => {
    const generator = new Generator(5);
    rand([5], { generator });
    expect(generator.getState()).toEqual({ seed: 5, offset: 2 });
    randn([4], { generator });
    expect(generator.getState()).toEqual({ seed: 5, offset: 4 });
    randperm(9, { generator });
    expect(generator.getState()).toEqual({ seed: 5, offset: 6 });
  });

  test("a restored state draws the same again, and a seed starts again", async () => {
    manualSeed(7);
    const first = await rand([3]).toArray();
    const state = defaultGenerator().getState();
    const second = await rand([3]).toArray();
    defaultGenerator().setState(state);
    expect(await rand([3]).toArray()).toEqual(second);
    manualSeed(7);
    expect(await rand([3]).toArray()).toEqual(first);
    expect(second).not.toEqual(first);
  });

  test("the CPU draws the same bits, uniforms, integers and permutations", async () => {
    const cpu = await openDevice("cpu");
    const draw = (device?: typeof cpu) => {
      const options = { generator: new Generator(11), ...(device && { device }) };
      return [randomBits([9], options), rand([9], options), randint(-3, 1000, [9], options), randperm(9, options)];
    };
    const [here, there] = [draw(), draw(cpu)];
    for (const [i, x] of here.entries()) expect(await x.toArray()).toEqual(await there[i]!.toArray());
    const options = { generator: new Generator(11) };
    const normals = await randn([100], options).data();
    const onCpu = await randn([100], { generator: new Generator(11), device: cpu }).data();
    normals.forEach((value, i) => expect(value).toBeCloseTo(onCpu[i]!, 4));
  });

  describe("distributions", () => {
    test("uniform", async () => {
      const values = await rand([4000], { generator: new Generator(1) }).data();
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...values)).toBeLessThan(1);
      expect(meanOf(values)).toBeCloseTo(0.5, 1);
      const ranged = await uniform([1000], { low: -2, high: 4, generator: new Generator(1) }).data();
      expect(Math.min(...ranged)).toBeGreaterThanOrEqual(-2);
      expect(meanOf(ranged)).toBeCloseTo(1, 0);
    });

    test("normal", async () => {
      const values = await normal([8000], { mean: 3, std: 2, generator: new Generator(2) }).data();
      const mean = meanOf(values);
      expect(mean).toBeCloseTo(3, 1);
      expect(Math.sqrt(meanOf(values.map((x) => (x - mean) ** 2)))).toBeCloseTo(2, 1);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(() => normal([1], { std: -1 })).toThrow(ValueError);
    });

    test("integers", async () => {
      const values = await randint(-2, 3, [2000], { generator: new Generator(3) }).data();
      expect([...new Set(values)].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
      expect(randint(0, 2, [1]).dtype).toBe("i32");
      expect(randint(0, 2, [1], { dtype: "u8" }).dtype).toBe("u8");
      expect(() => randint(2, 2, [1])).toThrow(ValueError);
    });

    test("permutations", async () => {
      const order = (await randperm(50, { generator: new Generator(4) }).data()) as Int32Array;
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
      expect([...order]).not.toEqual([...order].sort((a, b) => a - b));
      expect(randperm(0).shape).toEqual([0]);
    });

    test("dropout of channels, and with SELU's floor", async () => {
      const generator = new Generator(5);
      const channels = await F.dropout2d(ones([40, 50, 2, 3]), { p: 0.25, generator })
        .reshape(2000, 6)
        .toArray();
      const kinds = new Set((channels as number[][]).map((values) => values.join()));
      expect([...kinds].sort()).toEqual([Math.fround(0), Math.fround(4 / 3)].map((value) => Array(6).fill(value).join())); // prettier-ignore
      const kept = (channels as number[][]).filter(([first]) => first! > 0).length / 2000;
      expect(Math.abs(kept - 0.75)).toBeLessThan(4 * Math.sqrt((0.75 * 0.25) / 2000)); // four standard deviations
      expect(F.dropout1d(ones([3, 4, 5])).shape).toEqual([3, 4, 5]);
      expect(() => F.dropout2d(ones([3, 4]))).toThrow(/dropout2d: the input must be/);
      expect(() => F.dropout(ones([3]), 0.5 as unknown as object)).toThrow(ValueError);

      // a normal input stays of mean 0 and variance 1
      const alpha = F.alphaDropout(randn([20_000], { generator }), { p: 0.3, generator });
      expect(Math.abs(await alpha.mean().item())).toBeLessThan(4 / Math.sqrt(20_000));
      expect(Math.abs((await alpha.var().item()) - 1)).toBeLessThan(0.06);
      // the value of what is dropped, as PyTorch's formula has it at p = 0.3
      const floor = -1.7580993408473766;
      const scale = 1 / Math.sqrt(0.7 * (1 + 0.3 * floor ** 2));
      const values = new Set(await F.alphaDropout(zeros([100]), { p: 0.3, generator }).data());
      expect([...values].sort((a, b) => a - b).map((value) => value.toFixed(5))).toEqual(
        [scale * floor * 0.7, -scale * floor * 0.3].map((value) => value.toFixed(5)),
      );
    });

    test("bernoulli and dropout", async () => {
      const generator = new Generator(6);
      const drawn = await bernoulli(tensor([0, 1, 0.25]).unsqueeze(1).expand(3, 2000), { generator }).data();
      expect(meanOf(drawn.subarray(0, 2000))).toBe(0);
      expect(meanOf(drawn.subarray(2000, 4000))).toBe(1);
      expect(meanOf(drawn.subarray(4000))).toBeCloseTo(0.25, 1);
      expect(() => bernoulli(tensor([1], { dtype: "i32" }))).toThrow(DTypeError);
      const x = tensor(new Float32Array(2000).fill(3));
      const dropped = await F.dropout(x, { p: 0.25, generator }).data();
      expect([...new Set(dropped)].sort()).toEqual([0, 4]);
      expect(meanOf(dropped)).toBeCloseTo(3, 0);
      expect(F.dropout(x, { training: false })).toBe(x);
      expect(() => F.dropout(x, { p: 2 })).toThrow(ValueError);
    });

    test("seeds are integers from 0 up", () => {
      expect(() => manualSeed(-1)).toThrow(ValueError);
      expect(() => new Generator(0.5)).toThrow(ValueError);
    });
  });
}
