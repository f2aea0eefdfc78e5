/** What losses and similarities do with rows that do not count, classes that are not there, and shapes that broadcast. */

import { describe, expect, test } from "vitest";
import { ones, tensor } from "../../src/creation";
import { defaultDevice } from "../../src/device";
import { DTypeError, IndexError, ShapeError, ValueError } from "../../src/errors";
import * as F from "../../src/functional";
import * as nn from "../../src/nn";
import { SGD } from "../../src/optim";
import { randn } from "../../src/random";
import type { Tensor } from "../../src/tensor";

const closeTo = async (got: Tensor, expected: readonly number[]): Promise<void> => {
  const values = [...(await got.data())];
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) => expect(value, String(i)).toBeCloseTo(expected[i]!, 5));
};

export function losses(): void {
  test("a weight of the positive part has a gradient, which PyTorch refuses", async () => {
    const scores = tensor([[0, 1], [-2, 3]]); // prettier-ignore
    const target = tensor([[1, 0.5], [0.25, 0]]); // prettier-ignore
    const posWeight = tensor([2, 3], { requiresGrad: true });
    F.binaryCrossEntropyWithLogits(scores, target, { posWeight, reduction: "sum" }).backward();
    const missed = (x: number): number => Math.log1p(Math.exp(-x));
    await closeTo(posWeight.grad!, [missed(0) + 0.25 * missed(-2), 0.5 * missed(1)]);
  });

  describe("targets that do not count", () => {
    test("leave the model as it is where they are all there is", async () => {
      for (const options of [{}, { labelSmoothing: 0.1, weight: tensor([1, 2, 3]) }]) {
        const model = new nn.Linear(2, 3);
        const optimizer = new SGD(model.parameters(), { lr: 1 });
        const before = await model.weight.toArray();
        const loss = F.crossEntropy(model.forward(randn([4, 2])), tensor([-100, -100, -100, -100]).to("i32"), options);
        loss.backward();
        optimizer.step();
        expect(await loss.item()).toBeNaN();
        expect(await model.weight.toArray()).toEqual(before);
      }
    });

    test("bring nothing of their scores into the loss", async () => {
      const target = tensor([2, -100]).to("i32");
      const scores = [[1, 2, 3], [NaN, 0, 1]]; // prettier-ignore
      for (const reduction of ["mean", "sum"] as const) {
        await closeTo(F.crossEntropy(tensor(scores), target, { reduction }), [0.407606]);
      }
      await closeTo(F.crossEntropy(tensor(scores), target, { reduction: "none" }), [0.407606, 0]);
      await closeTo(F.nllLoss(tensor(scores), target), [-3]);
      const x = tensor([[1, 2, 3], [-Infinity, 0, 1]], { requiresGrad: true }); // prettier-ignore
      const smoothed = F.crossEntropy(x, target, { labelSmoothing: 0.1 });
      smoothed.backward();
      await closeTo(smoothed, [0.507606]);
      await closeTo(x.grad!, [0.056697, 0.211395, -0.268092, 0, 0, 0]);
    });
  });

  test("probabilities cannot be ignored by index", () => {
    expect(() => F.crossEntropy(ones([2, 3]), ones([2, 3]).div(3), { ignoreIndex: 1 })).toThrow(ValueError);
  });

  describe("classes that are not there", () => {
    const scores = (): Tensor => tensor([[1, 2, 3], [3, 2, 1]]); // prettier-ignore

    test("are an error where the host knows them, cast or not", () => {
      expect(() => F.crossEntropy(scores(), tensor(Uint8Array.of(7, 0)).to("i32"))).toThrow(IndexError);
      expect(() => F.nllLoss(scores(), tensor([0, -1]).to("i32"))).not.toThrow(); // f32 on the host is not looked at
      expect(() => F.nllLoss(scores(), tensor([0, -1], { dtype: "i32" }))).toThrow(
        /targets must be in 0..2 or -100, got -1/,
      );
    });

    const onDevice = (): Tensor => tensor([1, 2], { dtype: "i32" }).add(ones([2], { dtype: "i32" }));

    if (defaultDevice().kind === "cpu") {
      test("are an error when the loss runs where only the device knows them", async () => {
        const error = "crossEntropy: index must be in 0..2, got 3.";
        await expect(F.crossEntropy(scores(), onDevice()).item()).rejects.toThrow(error);
        await expect(F.nllLoss(scores(), onDevice(), { ignoreIndex: 3 }).item()).resolves.toBe(-3);
      });
      return;
    }

    test("make the loss NaN where only the device knows them", async () => {
      const target = onDevice();
      expect(await F.crossEntropy(scores(), target).item()).toBeNaN();
      expect(await F.nllLoss(scores(), target, { weight: ones([3]) }).item()).toBeNaN();
      const each = await F.crossEntropy(scores(), target, { reduction: "none" }).data();
      expect([Number.isNaN(each[0]), Number.isNaN(each[1])]).toEqual([false, true]);
    });
  });

  test("what is no tensor is an error, and so is an unknown approximation", () => {
    expect(() => F.mseLoss(ones([2]), 1 as never)).toThrow(DTypeError);
    expect(() => F.klDiv([1, 2] as never, ones([2]))).toThrow(/klDiv: it takes a tensor, got an array/);
    expect(() => F.gelu(ones([2]), { approximate: "sigmoid" as never })).toThrow(
      /approximate must be "none" or "tanh"/,
    );
  });

  test("a variance that would widen the input is an error", () => {
    const x = ones([3, 1]);
    for (const shape of [[3, 2], [1, 1], [], [1]]) {
      expect(() => F.gaussianNllLoss(x, x, ones(shape))).toThrow(ShapeError);
    }
    expect(F.gaussianNllLoss(x, x, ones([3]), { reduction: "none" }).shape).toEqual([3, 1]);
  });

  test("cosineSimilarity broadcasts first", async () => {
    const x = tensor([3], { requiresGrad: true });
    const y = tensor([1, 2, 0, 1], { requiresGrad: true });
    F.cosineSimilarity(x, y, { dim: 0 }).backward();
    await closeTo(x.grad!, [0]);
    await closeTo(y.grad!, [0.068041, -0.068041, 0.204124, 0.068041]);
    await closeTo(F.cosineSimilarity(tensor([3]), ones([4]), { dim: 0 }), [1]);
    await closeTo(F.cosineSimilarity(tensor([[[1, 0]]]), tensor([[[1, 0], [0, 1]]]), { dim: 1 }), [Math.SQRT1_2, 0]); // prettier-ignore
  });

  test("an empty batch leaves BatchNorm's statistics as they are", async () => {
    const norm = new nn.BatchNorm2d(3);
    expect(norm.forward(ones([0, 3, 2, 2])).shape).toEqual([0, 3, 2, 2]);
    expect(await norm.runningMean!.toArray()).toEqual([0, 0, 0]);
    expect(await norm.runningVar!.toArray()).toEqual([1, 1, 1]);
  });
}
