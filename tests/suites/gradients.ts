/** Gradients as functions: noGrad, grad, valueAndGrad, customVjp, and gradients of gradients. */

import { describe, expect, test } from "vitest";
import { ones, tensor } from "../../src/creation";
import { AutogradError, ShapeError } from "../../src/errors";
import * as F from "../../src/functional";
import {
  customVjp,
  enableGrad,
  grad,
  inferenceMode,
  isGradEnabled,
  noGrad,
  recompute,
  setGradEnabled,
  valueAndGrad,
} from "../../src/gradient";
import * as nn from "../../src/nn";
import { randn, manualSeed } from "../../src/random";
import type { Tensor } from "../../src/tensor";

export function gradientFunctions(): void {
  test("noGrad stops tracking, enableGrad resumes it", () => {
    const x = ones([2]).requiresGrad_();
    expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
    expect(noGrad(() => enableGrad(() => x.mul(2))).requiresGrad).toBe(true);
    expect(x.mul(2).detach().requiresGrad).toBe(false);
    expect(() => noGrad(async () => x)).toThrow(AutogradError);
    expect(() => noGrad(() => { throw new Error("inside"); })).toThrow("inside"); // prettier-ignore
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  test("inferenceMode is noGrad by another name, and setGradEnabled lasts", () => {
    const x = ones([2]).requiresGrad_();
    expect(inferenceMode(() => [isGradEnabled(), x.mul(2).requiresGrad])).toEqual([false, false]);
    expect(() => inferenceMode(async () => x)).toThrow(/inferenceMode: the function must not be async/);
    const fails = (): Promise<never> => Promise.reject(new Error("later")); // is nobody's any more
    expect(() => noGrad(fails)).toThrow(AutogradError);
    expect(() => recompute(fails)).toThrow(AutogradError);
    expect(isGradEnabled()).toBe(true);
    setGradEnabled(false);
    try {
      expect([isGradEnabled(), x.mul(2).requiresGrad]).toEqual([false, false]);
      expect(enableGrad(() => x.mul(2).requiresGrad)).toBe(true);
      expect(isGradEnabled()).toBe(false);
    } finally {
      setGradEnabled(true);
    }
    noGrad(() => setGradEnabled(true)); // as in PyTorch, the end of noGrad puts back what was before
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  test("requiresGrad is a leaf's to set", () => {
    const x = ones([2]);
    expect([x.requiresGrad, x.isLeaf]).toEqual([false, true]);
    x.requiresGrad = true;
    const y = x.mul(2);
    expect([x.requiresGrad, x.isLeaf, y.requiresGrad, y.isLeaf]).toEqual([true, true, true, false]);
    expect(() => y.requiresGrad_(false)).toThrow(AutogradError);
    expect(() => ones([2], { dtype: "i32" }).requiresGrad_()).toThrow(/only float/);
    x.requiresGrad_(false);
    expect(x.mul(2).requiresGrad).toBe(false);
  });

  describe("grad", () => {
    test("touches no grad and takes any tensor as input", async () => {
      const x = tensor([2, 3], { requiresGrad: true });
      const y = x.mul(x);
      const [dy, dx] = grad(y.sum(), [y, x]);
      expect(await dy!.toArray()).toEqual([1, 1]);
      expect(await dx!.toArray()).toEqual([4, 6]);
      expect(x.grad).toBeNull();
    });

    test("adds up over outputs, weighted with their gradients", async () => {
      const x = tensor([2, 3], { requiresGrad: true });
      const [dx] = grad([x.mul(2), x.mul(3)], [x], { gradOutputs: [ones([2]), tensor([1, 10])] });
      expect(await dx!.toArray()).toEqual([5, 32]);
    });

    test("of an input that is not used", () => {
      const [x, unused] = [ones([2]).requiresGrad_(), ones([2]).requiresGrad_()];
      expect(() => grad(x.sum(), [unused])).toThrow(AutogradError);
      expect(grad(x.sum(), [unused], { allowUnused: true })).toEqual([null]);
      expect(() => grad(x.sum(), [ones([2])])).toThrow(/inputs must require gradients/);
      expect(() => grad(x, [x])).toThrow(/1 element/);
      expect(() => grad(x, [x], { gradOutputs: ones([3]) })).toThrow(ShapeError);
    });

    test("twice", async () => {
      const x = tensor([2, 3], { requiresGrad: true });
      const [dx] = grad(x.pow(3).sum(), [x], { createGraph: true });
      const [ddx] = grad(dx!.sum(), [x]);
      expect(await ddx!.toArray()).toEqual([expect.closeTo(12, 4), expect.closeTo(18, 4)]);
      const [once] = grad(x.pow(3).sum(), [x]);
      expect(once!.requiresGrad).toBe(false);
    });
  });

  test("valueAndGrad", async () => {
    const { value, grads } = valueAndGrad((w, b) => w.mul(3).add(b).sum())(tensor([1, 2]), tensor(5));
    expect(await value.item()).toBe(19);
    expect(await grads[0]!.toArray()).toEqual([3, 3]);
    expect(await grads[1]!.item()).toBe(2);
  });

  test("customVjp", async () => {
    const straightThrough = customVjp((x) => x.round(), (gradOut) => [gradOut.mul(7)]); // prettier-ignore
    const x = tensor([0.4, 1.6], { requiresGrad: true });
    const y = straightThrough(x);
    expect(await y.toArray()).toEqual([0, 2]);
    y.sum().backward();
    expect(await x.grad!.toArray()).toEqual([7, 7]);
    const wrong = customVjp((a) => a.mul(2), () => []); // prettier-ignore
    expect(() => wrong(x).sum().backward()).toThrow(ShapeError);
  });

  describe("batchNorm's closed form", () => {
    const composed = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => {
      const centered = x.sub(x.mean([0, 2, 3], { keepDim: true }));
      const inverse = centered.square().mean([0, 2, 3], { keepDim: true }).add(1e-5).rsqrt();
      return centered
        .mul(inverse)
        .mul(weight.reshape(-1, 1, 1))
        .add(bias.reshape(-1, 1, 1));
    };
    const split = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => {
      const [n, c, h, w] = x.shape as [number, number, number, number];
      const grouped = x.reshape(n / 2, 2 * c, h, w);
      const twice = (v: Tensor): Tensor => v.reshape(1, c).expand(2, c).reshape(-1);
      return composed(grouped, twice(weight), twice(bias)).reshape(x.shape);
    };

    test.each([1, 2])("with %d groups has the derivatives of the formula, first and second", async (groups) => {
      manualSeed(3);
      const inputs = [randn([4, 3, 2, 2]), randn([3]).add(1), randn([3])].map((x) => x.requiresGrad_());
      const weights = randn([4, 3, 2, 2]);
      const functions: ((x: Tensor, w: Tensor, b: Tensor) => Tensor)[] = [
        (x, weight, bias) => F.batchNorm(x, null, null, { weight, bias, training: true, groups }),
        groups === 1 ? composed : split,
      ];
      const derivatives = functions.map((norm) => {
        const y = norm(inputs[0]!, inputs[1]!, inputs[2]!);
        const first = grad(y.square().mul(weights).sum(), inputs, { createGraph: true });
        const penalty = first.map((d) => d.square().sum()).reduce((a, b) => a.add(b));
        return [y, ...first, ...grad(penalty, inputs)];
      });
      for (const [i, found] of derivatives[0]!.entries()) {
        const [a, b] = [await found.data(), await derivatives[1]![i]!.data()];
        const scale = Math.max(...b.map(Math.abs));
        a.forEach((value, j) =>
          expect(Math.abs(value - b[j]!), `derivative ${i}[${j}]`).toBeLessThan(2e-5 * scale + 1e-6),
        );
      }
    });

    test("refuses one value per channel, and a batch that its groups do not divide", () => {
      expect(() => new nn.BatchNorm1d(3).forward(ones([1, 3]))).toThrow(/more than 1 value per channel/);
      expect(() => new nn.SplitBatchNorm2d(3, 4).forward(ones([6, 3, 1, 1]))).toThrow(/groups must divide the batch/);
      expect(() => new nn.BatchNorm2d(3).forward(ones([2, 3]))).toThrow(/\[n, c, h, w\]/);
      expect(() => new nn.BatchNorm2d(3).forward(ones([2, 4, 1, 1]))).toThrow(ShapeError);
      expect(() => F.batchNorm(ones([2, 3]), null, null)).toThrow(/running statistics/);
    });
  });
}
