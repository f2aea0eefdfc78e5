/** Gradient clipping against PyTorch, and what may happen around it: reading norms, clearing and adding up gradients. */

import { describe, expect, test } from "vitest";
import { ones, tensor, zeros } from "../../src/creation";
import { DTypeError, ValueError } from "../../src/errors";
import { utils } from "../../src/nn";
import { SGD } from "../../src/optim";
import { Parameter } from "../../src/parameter";
import type { Tensor } from "../../src/tensor";
import goldens from "../goldens/optim.json";
import { expectGoldens, type GoldenTensor, type GoldenValue, goldenTensor, toNumber } from "./golden";

interface Clipping {
  readonly name: string;
  readonly function: "clipGradNorm_" | "clipGradValue_";
  readonly options: Readonly<Record<string, GoldenValue>>;
  readonly before: Readonly<Record<string, GoldenTensor | null>>;
  readonly norm: GoldenTensor | null;
  readonly after: Readonly<Record<string, GoldenTensor | null>>;
}

/** A parameter of zeros whose gradient is `values`, through a backward pass. */
function withGradient(values: readonly number[]): Parameter {
  const p = new Parameter(zeros([values.length]));
  p.mul(tensor(values)).sum().backward();
  return p;
}

export function clipping(): void {
  describe("clipping against PyTorch", () => {
    for (const golden of goldens.clipping as unknown as readonly Clipping[]) {
      test(golden.name, () => clip(golden));
    }
  });

  describe("clipping by norm", () => {
    test("counts no padding, whatever is there", async () => {
      const p = new Parameter(zeros([5]));
      p.mul(zeros([5]).exp())
        .sum()
        .backward(); // ones, also where the kernel writes beyond the end
      const norm = utils.clipGradNorm_(p, 100);
      const smallest = utils.clipGradNorm_(p, 100, { normType: -Infinity });
      expect(await norm.item()).toBeCloseTo(Math.sqrt(5), 6);
      expect(await smallest.item()).toBe(1);
    });

    test("is over all parameters, in however many arenas, and over a part of one", async () => {
      const [a, b, c] = [withGradient([3, 0]), withGradient([0, 4]), withGradient([12])];
      new SGD([a, b], { lr: 1 });
      new SGD([c], { lr: 1 });
      const norms = [
        utils.clipGradNorm_([a, b, c], 6.5), // 13 -> 6.5
        utils.clipGradNorm_([b], 1), // 2 -> 1
        utils.clipGradNorm_([a, c], 100),
      ];
      const values = await Promise.all(norms.map((norm) => norm.item()));
      const expected = [13, 2, Math.hypot(1.5, 6)];
      values.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
      expect((await a.grad!.data())[0]).toBeCloseTo(1.5, 5);
      expect((await b.grad!.data())[1]).toBeCloseTo(1, 5);
      expect((await c.grad!.data())[0]).toBeCloseTo(6, 5);
    });

    test("of a long gradient is exact to a few ulp", async () => {
      const values = Array.from({ length: 40_003 }, (_, i) => Math.sin(i));
      const p = withGradient(values);
      const expected = Math.sqrt(values.reduce((sum, value) => sum + Math.fround(value) ** 2, 0));
      expect(Math.abs((await utils.clipGradNorm_(p, 1).item()) / expected - 1)).toBeLessThan(1e-6);
      expect(Math.abs((await p.grad!.square().sum().item()) - 1)).toBeLessThan(3e-6);
    });

    test("is 0 without gradients", async () => {
      expect(await utils.clipGradNorm_([], 1).item()).toBe(0);
      expect(await utils.clipGradNorm_(new Parameter(ones([2])), 1).item()).toBe(0);
    });

    test("gives norms that can be read after the steps, or before", async () => {
      const p = new Parameter(zeros([2]));
      const optimizer = new SGD([p], { lr: 0.5 });
      const norms: Tensor[] = [];
      for (let step = 1; step <= 4; step++) {
        optimizer.zeroGrad();
        p.mul(tensor([3 * step, 4 * step]))
          .sum()
          .backward();
        norms.push(utils.clipGradNorm_([p], 5));
        if (step === 2) expect(await norms[1]!.item()).toBeCloseTo(10, 5);
        optimizer.step();
      }
      for (const [i, norm] of norms.entries()) expect(await norm.item()).toBeCloseTo(5 * (i + 1), 4);
      const moved = [...(await p.data())];
      expect(moved[0]).toBeCloseTo(-0.5 * 4 * 3, 5); // each step a gradient of [3, 4]
      expect(moved[1]).toBeCloseTo(-0.5 * 4 * 4, 5);
    });

    test("of gradients that are cleared before they were needed is still right", async () => {
      const p = withGradient([6, 8]);
      const norm = utils.clipGradNorm_([p], 1);
      p.zeroGrad();
      expect(p.grad).toBeNull();
      p.mul(tensor([1, 2]))
        .sum()
        .backward();
      expect(await norm.item()).toBeCloseTo(10, 5);
      expect([...(await p.grad!.data())]).toEqual([1, 2]);
    });

    test("is what later gradients are added to", async () => {
      const p = withGradient([6, 8]);
      utils.clipGradNorm_([p], 1);
      p.mul(tensor([1, 2]))
        .sum()
        .backward();
      const grad = [...(await p.grad!.data())];
      expect(grad[0]).toBeCloseTo(1.6, 5);
      expect(grad[1]).toBeCloseTo(2.8, 5);
    });
  });

  test("clipping refuses limits below 0, normType 0, tensors, and one parameter twice", () => {
    const p = withGradient([1]);
    expect(() => utils.clipGradNorm_(p, -1)).toThrow(
      "clipGradNorm_: maxNorm must not be negative, got -1. Pass 0 or more.",
    );
    expect(() => utils.clipGradNorm_(p, NaN)).toThrow(ValueError);
    expect(() => utils.clipGradNorm_(p, 1, { normType: 0 })).toThrow(/normType must be a number other than 0, got 0/);
    expect(() => utils.clipGradNorm_(p, 1, 1 as never)).toThrow(ValueError);
    expect(() => utils.clipGradNorm_([p, p], 1)).toThrow(/given once/);
    expect(() => utils.clipGradNorm_([ones([2]) as never], 1)).toThrow(DTypeError);
    expect(() => {
      utils.clipGradValue_(p, -0.5);
    }).toThrow(ValueError);
    expect(() => {
      utils.clipGradValue_([p, p], 0.5);
    }).toThrow(/clipGradValue_: each parameter must be given once/);
  });
}

async function clip(golden: Clipping): Promise<void> {
  const params = Object.entries(golden.before).map(([name, grad]) => {
    const p = new Parameter(zeros(grad?.shape ?? [2]));
    p.grad = grad && goldenTensor(grad);
    return [name, p] as const;
  });
  const list = params.map(([, p]) => p);
  const { maxNorm, normType, clipValue } = golden.options;
  const pairs: { name: string; actual: Tensor; golden: GoldenTensor }[] = [];
  if (golden.function === "clipGradNorm_") {
    const options = normType === undefined ? {} : { normType: toNumber(normType) };
    pairs.push({ name: "norm", actual: utils.clipGradNorm_(list, toNumber(maxNorm!), options), golden: golden.norm! });
  } else utils.clipGradValue_(list, toNumber(clipValue!));
  for (const [name, p] of params) {
    const expected = golden.after[name] ?? null;
    if (expected) pairs.push({ name, actual: p.grad!, golden: expected });
    else expect(p.grad, name).toBeNull();
  }
  await expectGoldens(pairs, { steps: 1 });
}
