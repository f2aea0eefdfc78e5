/** gradcheck and gradgradcheck: what is right passes, what is wrong is named, in f64 on the CPU whatever the default device. */

import { describe, expect, test } from "vitest";
import { ones, tensor } from "../../src/creation";
import { defaultDevice, openDevice, withDevice } from "../../src/device";
import { DTypeError, GradcheckError, ValueError } from "../../src/errors";
import * as F from "../../src/functional";
import { customVjp, gradcheck, gradgradcheck, recompute } from "../../src/gradient";
import * as nn from "../../src/nn";
import { Parameter } from "../../src/parameter";
import { manualSeed, randn } from "../../src/random";
import type { Tensor } from "../../src/tensor";

const leaf = (...shape: number[]): Tensor => randn(shape).requiresGrad_();

/** A square whose rule is off by a factor. */
const wrongSquare = customVjp(
  (x) => x.square(),
  (gradOut, [x]) => [gradOut.mul(x!.mul(2.5))],
);

/** A product whose rule gives the second input nothing. */
const halfProduct = customVjp(
  (a, b) => a.mul(b),
  (gradOut, [, b]) => [gradOut.mul(b!), null],
);

export function gradientChecks(): void {
  describe("gradcheck passes", () => {
    test("functions of one and of several tensors", async () => {
      manualSeed(1);
      expect(await gradcheck((x) => x.sin().mul(x), leaf(2, 3))).toBe(true);
      expect(await gradcheck((a, b) => a.matmul(b).tanh(), [leaf(2, 3), leaf(3, 2)])).toBe(true);
      expect(
        await gradcheck((x, w, b) => F.conv2d(x, w, b, { padding: 1 }), [leaf(1, 2, 4, 3), leaf(2, 2, 3, 3), leaf(2)]),
      ).toBe(true);
    });

    test("several outputs, some without gradients, and inputs without", async () => {
      manualSeed(2);
      const labels = tensor([0, 2], { dtype: "i32" });
      const fn = (x: Tensor, y: Tensor): Tensor[] => [x.exp(), x.argmax(), F.crossEntropy(x, y), x.gt(0), x.detach()];
      expect(await gradcheck(fn, [leaf(2, 3), labels])).toBe(true);
      expect(
        await gradcheck(
          (x) =>
            x
              .detach()
              .gt(0)
              .to("f64")
              .mul(ones([1])),
          leaf(3),
        ),
      ).toBe(true); // constant
    });

    test("random draws and recomputed ones, which are the same at each call", async () => {
      manualSeed(3);
      expect(await gradcheck((x) => F.dropout(x.square(), { p: 0.3 }), leaf(8))).toBe(true);
      expect(
        await gradcheck((x) => recompute((y: Tensor) => F.dropout(y.square().exp(), { p: 0.3 }), x), leaf(8)),
      ).toBe(true);
    });

    test("sizes 0 and rank 0", async () => {
      expect(await gradcheck((x, y) => x.mul(y), [leaf(0, 3), leaf()])).toBe(true);
    });

    test("layers, by their parameters", async () => {
      manualSeed(4);
      const cpu = await openDevice("cpu");
      const layer = withDevice(
        cpu,
        () => new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Tanh()),
      ).double();
      const before = await layer.parameters()[0]!.data();
      const x = randn([5, 3], { device: cpu, dtype: "f64" });
      expect(await gradcheck((input) => layer.forward(input), [x.requiresGrad_(), ...layer.parameters()])).toBe(true);
      expect(await layer.parameters()[0]!.data()).toEqual(before);
      cpu.destroy();
    });
  });

  describe("gradcheck names what is wrong", () => {
    test("the element of the input and of the output", async () => {
      const x = tensor([[0, 0, 5]]).requiresGrad_();
      const error = await gradcheck((y) => [y.sum(), wrongSquare(y)], x).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(GradcheckError);
      expect(String(error)).toMatch(
        /got 12.5 and (10\.0|9\.99)\d* for element \[0, 2\] of input 0 and element \[0, 2\] of output 1/,
      );
      expect(await gradcheck((y) => wrongSquare(y), x, { rtol: 0.3 })).toBe(true);
      expect(await gradcheck((y) => wrongSquare(y), x, { raiseException: false })).toBe(false);
    });

    test("a gradient that is missing", async () => {
      await expect(gradcheck(halfProduct, [leaf(2), leaf(2)])).rejects.toThrow(/element \[0\] of input 1/);
      await expect(gradcheck((x) => x.detach().mul(3), leaf(2))).rejects.toThrow(/got 0 and (3\.0|2\.99)/);
    });

    test("a NaN", async () => {
      const nan = customVjp(
        (x) => x.mul(2),
        (gradOut) => [gradOut.mul(NaN)],
      );
      await expect(gradcheck(nan, leaf(1))).rejects.toThrow(/got NaN and/);
    });

    test("a function that changes, an input that cannot be checked, a parameter of f32", async () => {
      let calls = 0;
      await expect(gradcheck((x) => x.mul(calls++), leaf(1))).rejects.toThrow(/the same outputs each time/);
      await expect(gradcheck((x) => x.mul(2), ones([1]))).rejects.toThrow(ValueError);
      await expect(gradcheck((p) => p.mul(2), new Parameter(ones([1])))).rejects.toThrow(DTypeError);
      await expect(gradcheck((x) => x.mul(2), leaf(1), { epsilon: 1 } as object)).rejects.toThrow(ValueError);
    });
  });

  describe("gradgradcheck", () => {
    test("passes functions whose gradients are right", async () => {
      manualSeed(5);
      expect(await gradgradcheck((x) => x.sin().mul(x), leaf(3))).toBe(true);
      expect(await gradgradcheck((a, b) => [a.matmul(b).sigmoid(), a.exp()], [leaf(2, 2), leaf(2, 2)])).toBe(true);
      expect(await gradgradcheck((x, w) => F.conv2d(x, w), [leaf(1, 1, 3, 3), leaf(1, 1, 2, 2)])).toBe(true);
      expect(await gradgradcheck((x) => x.mul(3), leaf(2), ones([2]))).toBe(true); // linear
    });

    test("names a rule that cannot be differentiated again", async () => {
      const once = customVjp(
        (x) => x.square(),
        (gradOut, [x]) => [gradOut.mul(x!.detach().mul(2))],
      );
      const x = tensor([1, 2], { requiresGrad: true });
      expect(await gradcheck(once, x)).toBe(true);
      await expect(gradgradcheck(once, x)).rejects.toThrow(
        /gradgradcheck: .* element \[0\] of input 0 and element \[0\] of output 0/,
      );
      expect(await gradgradcheck(once, x, null, { raiseException: false })).toBe(false);
      const notInGradOut = customVjp(
        (y) => y.square(),
        (gradOut, [y]) => [gradOut.detach().mul(y!.mul(2))],
      );
      await expect(gradgradcheck(notInGradOut, x)).rejects.toThrow(/of the gradient of output 0/);
    });
  });

  test("leaves the default device as it was", async () => {
    const before = defaultDevice();
    await gradcheck((x) => x.mul(ones([2])), leaf(2));
    expect(defaultDevice()).toBe(before);
  });
}
