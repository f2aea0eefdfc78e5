/** Alignment, uniformity and kNN against PyTorch. */

import { describe, expect, test } from "vitest";
import { DTypeError, ShapeError, ValueError } from "../../src/errors";
import { alignment, knnAccuracy, knnPredict, uniformity } from "../../src/moco";
import * as F from "../../src/functional";
import { Generator, randn } from "../../src/random";
import { ones, tensor } from "../../src/creation";
import { defaultDevice } from "../../src/device";
import { realize } from "../../src/tensor";
import goldens from "../goldens/evaluation.json";
import { expectGoldens, goldenTensor } from "./golden";

export function measures(): void {
  describe("alignment and uniformity are PyTorch's, values and gradients", () => {
    test.each(goldens.alignment)("alignment, alpha $alpha", async ({ alpha, loss, inputs, gradInputs }) => {
      const [x, y] = [inputs.x, inputs.y].map((golden) => goldenTensor(golden).requiresGrad_());
      const actual = alignment(x!, y!, { alpha });
      actual.backward();
      await expectGoldens([
        { name: "loss", actual, golden: loss },
        { name: "x", actual: x!.grad!, golden: gradInputs.x },
        { name: "y", actual: y!.grad!, golden: gradInputs.y },
      ]);
    });

    test.each(goldens.uniformity)("uniformity, t $t", async ({ t, loss, inputs, gradInputs }) => {
      const x = goldenTensor(inputs.x).requiresGrad_();
      const actual = uniformity(x, { t });
      actual.backward();
      await expectGoldens([
        { name: "loss", actual, golden: loss },
        { name: "x", actual: x.grad!, golden: gradInputs.x },
      ]);
    });
  });

  test("views that are equal are 0 apart, with gradient 0", async () => {
    for (const alpha of [1, 2]) {
      const x = randn([3, 4], { generator: new Generator(0) }).requiresGrad_();
      const loss = alignment(x, x.detach(), { alpha });
      loss.backward();
      expect(await loss.item()).toBe(0);
      expect([...(await x.grad!.data())].map(Math.abs)).toEqual(new Array(12).fill(0));
    }
  });

  test("more features than fit a block count each pair once", async () => {
    const n = 1500;
    const x = randn([n, 3], { generator: new Generator(1) });
    const values = await F.normalize(x, { dim: 1 }).data();
    let total = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) {
        let squared = 0;
        for (let d = 0; d < 3; d++) squared += (values[3 * i + d]! - values[3 * j + d]!) ** 2;
        total += Math.exp(-2 * squared);
      }
    }
    expect(await uniformity(x).item()).toBeCloseTo(Math.log(total / ((n * (n - 1)) / 2)), 5);
  });

  test("what cannot be is an error", () => {
    const x = ones([3, 4]);
    expect(() => alignment(x, ones([2, 4]))).toThrow(ShapeError);
    for (const wrong of [() => alignment([1] as never, [1] as never), () => uniformity([[1], [2]] as never)]) {
      expect(wrong).toThrow(DTypeError);
      expect(wrong).toThrow(/^(alignment|uniformity): /);
    }
    expect(() => alignment(x, x, { alpha: 0 })).toThrow("alignment: alpha must be positive and finite, got 0.");
    expect(() => uniformity(ones([1, 4]))).toThrow("features must be [n, dim] of 2 or more, got [1, 4].");
    expect(() => uniformity(x, { t: -1 })).toThrow(ValueError);
    expect(() => uniformity(x, { T: 2 } as never)).toThrow("Write t.");
  });

  describe("knnPredict votes as PyTorch does", () => {
    const { bank, bankLabels, features, runs } = goldens.knn;
    test.each(runs)("k $k, temperature $temperature", async ({ k, temperature, predicted }) => {
      const votes = await knnPredict({
        bank: goldenTensor(bank),
        bankLabels: goldenTensor(bankLabels),
        features: goldenTensor(features),
        k,
        temperature,
        numClasses: 5,
        chunkSize: 10,
      });
      expect([...(await votes.data())]).toEqual(predicted);
    });

    test("votes that are equal go to the first class, neighbours that are to the first entry", async () => {
      const bank = tensor([[1, 0], [1, 0], [0, 1]]); // prettier-ignore
      const predict = async (labels: number[], k: number): Promise<number> => {
        const bankLabels = tensor(labels, { dtype: "i32" });
        return (await knnPredict({ bank, bankLabels, features: tensor([[2, 0]]), k, numClasses: 3 })).item();
      };
      expect(await predict([2, 1, 0], 2)).toBe(1);
      expect(await predict([2, 1, 0], 1)).toBe(2);
    });
  });

  describe("knnAccuracy", () => {
    const bank = tensor([[1, 0], [0.9, 0.1], [0, 1]]); // prettier-ignore
    const bankLabels = tensor([0, 0, 1], { dtype: "i32" });
    const given = { bank, bankLabels, k: 2, numClasses: 2 };

    test("what is not finite has no class, and is wrong", async () => {
      const features = tensor([[NaN, 0], [2, 1], [1, Infinity], [0, 0]]); // prettier-ignore
      expect(await (await knnPredict({ ...given, features })).tolist()).toEqual([-1, 0, -1, 0]);
      const labels = tensor([0, 0, 0, 1], { dtype: "i32" });
      expect(await knnAccuracy({ ...given, features, labels })).toBe(25);
      expect(await knnAccuracy({ ...given, features, labels: labels.sub(1) })).toBe(25); // -1 is no class to be right with
      const diverged = bank.mul(tensor([[1], [1], [NaN]]));
      expect(await (await knnPredict({ ...given, bank: diverged, features })).tolist()).toEqual([-1, -1, -1, -1]);
    });

    test("what does not fit is an error", async () => {
      const features = tensor([[1, 0], [2, 1], [0, 2]]); // prettier-ignore
      const labels = tensor([0, 0, 1], { dtype: "i32" });
      const fails = async (options: object, error: unknown, message: string): Promise<void> => {
        const run = knnAccuracy({ ...given, features, labels, ...options });
        await expect(run).rejects.toThrow(error);
        await expect(run).rejects.toThrow(message);
      };
      await fails({ labels: labels.unsqueeze(1) }, ShapeError, "labels must be [n], one for each of the features");
      await fails({ labels: labels.narrow(0, 0, 1) }, ShapeError, "got [1] and [3, 2]");
      await fails({ labels: [0, 0, 1] }, DTypeError, "labels must be a tensor, got an array");
      await fails({ K: 2 }, ValueError, "Write k.");
      await fails({ chunkSize: 0 }, ValueError, "chunkSize must be a positive integer, got 0");
      await fails({ numClasses: 1.5 }, ValueError, "numClasses must be a positive integer, got 1.5");
      await expect(knnPredict({ ...given, features, K: 2 } as never)).rejects.toThrow("Write k.");
      await expect(knnPredict({ ...given, features: [[1, 2]] } as never)).rejects.toThrow(
        "knnPredict: features must be a tensor, got an array. Write tensor(values).",
      );
      await expect(knnPredict({ ...given, features: Promise.resolve(features) } as never)).rejects.toThrow(
        "knnPredict: features must be a tensor, got a Promise. Write await in front of it.",
      );
    });

    if (defaultDevice().kind !== "webgpu") return;
    test("frees the bank's directions and the chunks' classes", async () => {
      const [bank, features] = [randn([2000, 32]), randn([4000, 32])];
      const votes = { bank, bankLabels: bank.select(1, 0).gt(0).int(), features, k: 1, numClasses: 2, chunkSize: 1000 };
      await realize(bank, features, votes.bankLabels);
      const computed = (): number => {
        const named = defaultDevice()
          .memory()
          .byName.filter(({ name }) => name === "tensor");
        return named.reduce((total, { byteLength }) => total + byteLength, 0);
      };
      const before = computed();
      const predicted = await knnPredict(votes);
      expect(computed() - before).toBeLessThanOrEqual(4 * predicted.numel() + 1024);
    });
  });
}
