/** Random tensors: known bits, the same on every device; distributions; state that can be saved. */

import { describe, expect, test } from "vitest";
import { ones, tensor, zeros } from "../../src/creation";
import { defaultDevice, openDevice } from "../../src/device";
import { DTypeError, ShapeError, ValueError } from "../../src/errors";
import * as F from "../../src/functional";
import {
  bernoulli,
  defaultGenerator,
  exponential,
  Generator,
  manualSeed,
  multinomial,
  normal,
  rand,
  randint,
  randintLike,
  randLike,
  randn,
  randnLike,
  randomBits,
  randperm,
  uniform,
} from "../../src/random";
import type { Tensor } from "../../src/tensor";
import { chiSquare, countsOf, kolmogorov, normalDistribution } from "../helpers/statistics";

const meanOf = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

const WEIGHTS = [0, 1, 2, 0.5, 4, 0.001];
const SHARES = WEIGHTS.map((weight) => weight / WEIGHTS.reduce((x, y) => x + y, 0));

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

  test("the CPU draws the same bits, uniforms, integers, choices and permutations", async () => {
    const cpu = await openDevice("cpu");
    const draw = (device?: typeof cpu): Tensor[] => {
      const place = device && { device };
      const options = { generator: new Generator(11), ...place };
      const { generator } = options;
      const weights = tensor(
        Float32Array.from({ length: 300 }, (_, i) => ((i * 7919) % 300) ** 3),
        {
          shape: [3, 100],
          ...place,
        },
      );
      return [
        randomBits([9], options),
        rand([9], options),
        randint(-3, 1000, [9], options),
        randperm(9, options),
        bernoulli(tensor([0.1, 0.5, 0.9], place).unsqueeze(1).expand(3, 70), { generator }),
        F.dropout(tensor(new Float32Array(99).fill(1), place), { generator }),
        multinomial(weights, 200, { replacement: true, generator }),
        multinomial(weights, 60, { generator }),
      ];
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
      const values = await rand([5000], { generator: new Generator(1) }).data();
      expect(values.every((x) => x >= 0 && x < 1)).toBe(true);
      expect(kolmogorov(values, (x) => x)).toBeLessThan(1);
      const ranged = await uniform([5000], { low: -2, high: 4, generator: new Generator(1) }).data();
      expect(kolmogorov(ranged, (x) => (x + 2) / 6)).toBeLessThan(1);
    });

    test("normal", async () => {
      const generator = new Generator(2);
      expect(kolmogorov(await randn([5000], { generator }).data(), normalDistribution)).toBeLessThan(1);
      const values = await normal(3, 2, [5000], { generator }).data();
      expect(kolmogorov(values, (x) => normalDistribution((x - 3) / 2))).toBeLessThan(1);
    });

    test("normal with a mean and a deviation of each element", async () => {
      const generator = new Generator(3);
      const means = tensor([[-100], [100]]);
      const values = await normal(means, tensor(new Float32Array(2000).fill(0.5)), { generator }).data();
      expect(kolmogorov(values.subarray(0, 2000), (x) => normalDistribution((x + 100) / 0.5))).toBeLessThan(1);
      expect(kolmogorov(values.subarray(2000), (x) => normalDistribution((x - 100) / 0.5))).toBeLessThan(1);
      expect(await normal(tensor([1, 2]), 0).toArray()).toEqual([1, 2]);
      expect(await normal(5, tensor([0, 0])).toArray()).toEqual([5, 5]);
      expect(normal(tensor([1, 2]).requiresGrad_()).requiresGrad).toBe(false);
    });

    test("exponential", async () => {
      const values = await exponential([5000], { lambd: 4, generator: new Generator(4) }).data();
      expect(values.every((x) => x >= 0)).toBe(true);
      expect(kolmogorov(values, (x) => 1 - Math.exp(-4 * x))).toBeLessThan(1);
    });

    test("integers", async () => {
      const values = await randint(-2, 5, [7000], { generator: new Generator(3) }).data();
      const counts = countsOf(
        values.map((x) => x + 2),
        7,
      );
      expect(chiSquare(counts, new Array<number>(7).fill(1 / 7))).toBeLessThan(1);
      const large = await randint(-2_000_000_000, 2_000_000_000, [4000], { generator: new Generator(3) }).data();
      expect(kolmogorov(large, (x) => (x + 2e9) / 4e9)).toBeLessThan(1);
      const unsigned = await randint(3_000_000_000, 4_000_000_000, [4000], {
        generator: new Generator(3),
        dtype: "u32",
      }).data();
      expect(kolmogorov(unsigned, (x) => (x - 3e9) / 1e9)).toBeLessThan(1);
    });

    test("permutations", async () => {
      const generator = new Generator(4);
      const orders = await Promise.all(Array.from({ length: 2400 }, () => randperm(4, { generator }).data()));
      const places = orders.map(
        (order) =>
          order[0]! * 6 +
          [...order.subarray(1)].filter((x) => x < order[1]!).length * 2 +
          Number(order[2]! > order[3]!),
      );
      expect(chiSquare(countsOf(places, 24), new Array<number>(24).fill(1 / 24))).toBeLessThan(1);
      const order = (await randperm(50, { generator }).data()) as Int32Array;
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
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
      expect(chiSquare(countsOf(drawn.subarray(4000), 2), [0.75, 0.25])).toBeLessThan(1);
      const x = tensor(new Float32Array(2000).fill(3));
      const dropped = await F.dropout(x, { p: 0.25, generator }).data();
      expect(chiSquare(countsOf(dropped.map(Math.sign), 2), [0.25, 0.75])).toBeLessThan(1);
      expect([...new Set(dropped)].sort()).toEqual([0, 4]);
      expect(F.dropout(x, { training: false })).toBe(x);
      expect(() => F.dropout(x, { p: 2 })).toThrow(ValueError);
    });

    test("multinomial with replacement", async () => {
      const generator = new Generator(7);
      const drawn = await multinomial(tensor(WEIGHTS), 6000, { replacement: true, generator }).data();
      const counts = countsOf(drawn, 6);
      expect(counts[0]).toBe(0);
      expect(chiSquare(counts.slice(1), SHARES.slice(1))).toBeLessThan(1);
      const rows = multinomial(
        tensor([
          [0, 3, 0],
          [1e-30, 0, 0],
        ]),
        5,
        { replacement: true, generator },
      );
      expect(await rows.toArray()).toEqual([
        [1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0],
      ]);
    });

    test("multinomial without replacement", async () => {
      const generator = new Generator(8);
      const weights = [1, 3, 2, 0, 0.5];
      const drawn = await multinomial(tensor(weights).expand(6000, 5), 2, { generator }).data();
      const [counts, chances] = [new Map<number, number>(), new Map<number, number>()];
      for (let i = 0; i < drawn.length; i += 2) {
        const pair = 5 * drawn[i]! + drawn[i + 1]!;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
      const total = weights.reduce((a, b) => a + b, 0);
      weights.forEach((w, i) =>
        weights.forEach((v, j) => {
          if (i !== j && w * v > 0) chances.set(5 * i + j, (w / total) * (v / (total - w)));
        }),
      );
      expect([...counts.keys()].every((pair) => chances.has(pair))).toBe(true);
      const pairs = [...chances.keys()];
      expect(
        chiSquare(
          pairs.map((pair) => counts.get(pair) ?? 0),
          pairs.map((pair) => chances.get(pair)!),
        ),
      ).toBeLessThan(1);
      const all = (await multinomial(rand([40], { generator }).add(0.01), 40, { generator }).data()) as Int32Array;
      expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    });
  });

  test("weights that only the device knows: the CPU refuses bad ones, a GPU draws nothing from them", async () => {
    const none = tensor([[1, 2], [0, 0]]).mul(1); // prettier-ignore
    for (const replacement of [true, false]) {
      const drawn = multinomial(none, 1, { replacement, generator: new Generator(9) });
      if (defaultDevice().kind === "webgpu") expect((await drawn.data())[1]).toBe(-1);
      else await expect(drawn.data()).rejects.toThrow("1 weights of each row must be positive, got 0 in row 1");
    }
    const negative = multinomial(tensor([1, -2, 0]).mul(1), 1);
    if (defaultDevice().kind === "webgpu") expect(await negative.data()).toEqual(Int32Array.of(0));
    else await expect(negative.data()).rejects.toThrow("weights must be finite and not negative, got -2");
  });

  test("sizes come in a list or one by one, and options after them", () => {
    const generator = new Generator(1);
    for (const draw of [rand, randn]) {
      expect(draw(4, 3).shape).toEqual([4, 3]);
      expect(draw([4, 3]).shape).toEqual([4, 3]);
      expect(draw(4, 3, { generator }).shape).toEqual([4, 3]);
      expect(draw().shape).toEqual([]);
    }
    expect(randint(5, [3]).shape).toEqual([3]);
    expect(randint(2, 5, [3], { dtype: "u8" }).dtype).toBe("u8");
    expect(randint(0, 2, [1]).dtype).toBe("i32");
  });

  test("a draw like a tensor has its shape, dtype and device", () => {
    const x = tensor([[1, 2, 3]]);
    for (const like of [randLike(x), randnLike(x), randintLike(x, 9), randintLike(x, 2, 9)]) {
      expect([like.shape, like.dtype, like.device]).toEqual([[1, 3], "f32", x.device]);
    }
    expect(randintLike(x, 9, { dtype: "i32" }).dtype).toBe("i32");
  });

  test("what cannot be drawn is an error on the caller's line", () => {
    const untyped = (value: unknown): never => value as never;
    expect(() => manualSeed(-1)).toThrow(ValueError);
    expect(() => new Generator(0.5)).toThrow(ValueError);
    expect(() => normal(0, -1, [1])).toThrow(ValueError);
    expect(() => normal(0, tensor([1, -1]))).toThrow(ValueError);
    expect(() => normal(0, 1, untyped(undefined))).toThrow(/Write normal\(mean, std, \[sizes\]\)/);
    expect(() => normal(untyped([2]), 1, [2])).toThrow(/The size comes third/);
    expect(() => uniform([1], { low: 2, high: 1 })).toThrow(ValueError);
    expect(() => exponential([1], { lambd: 0 })).toThrow(ValueError);
    expect(() => randint(2, 2, [1])).toThrow(ValueError);
    expect(() => randint(0, 300, [1], { dtype: "u8" })).toThrow(/dtype u8 must hold all of 0\.\.299/);
    expect(() => randint(2, 5, untyped(3))).toThrow(ShapeError);
    expect(() => rand([2], { dtype: "i32" })).toThrow(DTypeError);
    expect(() => rand(untyped("3"))).toThrow(/Write rand\(\[2, 3\]\) or rand\(2, 3\)/);
    expect(() => randn(2, -3)).toThrow(ShapeError);
    expect(() => randn([2], untyped({ requires_grad: true }))).toThrow(/Write requiresGrad/);
    expect(() => bernoulli(tensor([1], { dtype: "i32" }))).toThrow(DTypeError);
    expect(() => bernoulli(tensor([0.5, 1.5]))).toThrow(/must be in \[0, 1\], got 1.5/);
    for (const wrong of [
      [1, -1],
      [1, NaN],
      [1, Infinity],
      [0, 0],
    ]) {
      expect(() => multinomial(tensor(wrong), 1)).toThrow(ValueError);
    }
    expect(() => multinomial(tensor([1, 0, 2]), 3)).toThrow(/3 weights of each row must be positive, got 2 in row 0/);
    expect(() => multinomial(tensor([1, 2]), 3)).toThrow(/at most 2, got 3/);
    expect(() => multinomial(tensor([1, 2]), 0, { replacement: true })).toThrow(ValueError);
    expect(() => multinomial(tensor([[[1, 2]]]), 1)).toThrow(ShapeError);
    expect(() => multinomial(tensor([1, 2], { dtype: "i32" }), 1)).toThrow(DTypeError);
  });
}
