/** Alignment, uniformity and kNN against PyTorch. */

import { describe, expect, test } from "vitest";
import { DTypeError, ShapeError, ValueError } from "../../src/errors";
import { alignment, knnPredict, uniformity } from "../../src/moco";
import * as F from "../../src/functional";
import { Generator, randn } from "../../src/random";
import { ones, tensor } from "../../src/creation";
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
}
