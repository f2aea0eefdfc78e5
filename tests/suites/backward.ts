/** Options of backward and grad, hooks and retained gradients. The numbers are PyTorch's. */

import { describe, expect, test } from "vitest";
import { ones, tensor } from "../../src/creation";
import { AutogradError, DTypeError, ShapeError, StaleTensorError, ValueError } from "../../src/errors";
import { grad, isGradEnabled, noGrad } from "../../src/gradient";
import * as nn from "../../src/nn";
import { SGD } from "../../src/optim";
import { Parameter } from "../../src/parameter";
import type { Tensor } from "../../src/tensor";

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });
const valuesOf = async (x: Tensor | null): Promise<number[]> => Array.from(await x!.data());

export function backwardOptions(): void {
  describe("backward", () => {
    test("of a tensor that is no scalar takes its gradient", async () => {
      const x = leaf(1, 2);
      x.mul(x).backward(tensor([1, 10]));
      expect(await valuesOf(x.grad)).toEqual([2, 40]);
      expect(() => x.mul(2).backward()).toThrow(/1 element/);
      expect(() => x.mul(2).backward(ones([3]))).toThrow(ShapeError);
      expect(() => x.mul(2).backward(ones([2], { dtype: "i32" }))).toThrow(DTypeError);
    });

    test("takes its options with a gradient, with null for it, or alone", async () => {
      const x = leaf(3);
      x.square().backward(tensor([2]), { retainGraph: true });
      x.square().backward(null, { createGraph: false });
      x.square().backward({ createGraph: true });
      expect(await valuesOf(x.grad)).toEqual([24]);
      expect(() => x.square().backward({ create_graph: true } as object)).toThrow(/Write createGraph/);
      expect(() => x.square().backward(3 as never)).toThrow(ValueError);
    });

    test("through one graph twice adds up, whether it is to be retained or not", async () => {
      for (const retainGraph of [true, false]) {
        const x = leaf(1, 2);
        const loss = x.exp().square().sum();
        const [first] = grad(loss, x);
        loss.backward({ retainGraph });
        loss.backward();
        expect(await valuesOf(x.grad)).toEqual((await valuesOf(first!)).map((value) => 2 * value));
      }
    });

    test("adds up over several losses that share a part", async () => {
      const [x, p] = [leaf(1, 2), new Parameter(tensor([3, 4]))];
      const shared = x.mul(p);
      shared.sum().backward();
      shared.square().sum().backward();
      expect(await valuesOf(x.grad)).toEqual([3 + 2 * 9, 4 + 2 * 32]);
      expect(await valuesOf(p.grad)).toEqual([1 + 2 * 3, 2 + 2 * 16]);
    });

    test("with inputs adds to those alone, leaves or not", async () => {
      const [x, z] = [leaf(1, 2), leaf(1, 1)];
      const y = x.mul(2);
      y.mul(z).sum().backward({ inputs: y });
      expect([x.grad, z.grad]).toEqual([null, null]);
      expect(await valuesOf(y.grad)).toEqual([1, 1]);
      y.mul(z)
        .sum()
        .backward({ inputs: [z, y] });
      expect(await valuesOf(z.grad)).toEqual([2, 4]);
      expect(await valuesOf(y.grad)).toEqual([2, 2]);
      const elsewhere = leaf(1);
      x.sum().backward({ inputs: [elsewhere] });
      expect([elsewhere.grad, x.grad]).toEqual([null, null]);
    });

    test("with inputs that cannot have a gradient is an error", () => {
      const x = leaf(1);
      expect(() => x.backward({ inputs: [] })).toThrow(AutogradError);
      expect(() => x.backward({ inputs: [x, ones([1])] })).toThrow(/input 1 without/);
    });

    test("with createGraph gives gradients that have gradients", async () => {
      const x = leaf(3);
      x.pow(3).sum().backward({ createGraph: true });
      const first = x.grad!;
      expect([first.requiresGrad, await valuesOf(first)]).toEqual([true, [27]]);
      expect(await valuesOf(grad(first.sum(), x)[0]!)).toEqual([18]);
      x.square().sum().backward();
      expect([x.grad!.requiresGrad, await valuesOf(x.grad)]).toEqual([true, [33]]);
      const plain = leaf(3);
      plain.pow(3).sum().backward();
      expect(plain.grad!.requiresGrad).toBe(false);
    });

    test("with createGraph does so for parameters, and their penalty can be trained", async () => {
      const p = new Parameter(tensor([3]));
      const optimizer = new SGD([p], { lr: 0.5 });
      p.pow(3).sum().backward({ createGraph: true }); // 27
      expect(await valuesOf(grad(p.grad!.sum(), p)[0]!)).toEqual([18]);
      p.grad!.sum().backward(); // 27 + 18
      expect(await valuesOf(p.grad)).toEqual([45]);
      optimizer.step();
      expect(await valuesOf(p)).toEqual([3 - 22.5]);
      expect(await valuesOf(p.grad)).toEqual([45]);
      expect(() => p.grad!.sum().backward()).toThrow(StaleTensorError);
      optimizer.zeroGrad();
      expect(p.grad).toBeNull();
      p.sum().backward();
      expect([p.grad!.requiresGrad, await valuesOf(p.grad)]).toEqual([false, [1]]);
    });

    test("gradients that are set may have a graph", async () => {
      const [x, p] = [leaf(2), new Parameter(ones([1]))];
      for (const owner of [leaf(1), p]) {
        owner.grad = x.square();
        expect(await valuesOf(grad(owner.grad.sum(), x)[0]!)).toEqual([4]);
        owner.grad = null;
        expect(owner.grad).toBeNull();
      }
    });
  });

  describe("grad", () => {
    test("takes one input, and PyTorch's options", async () => {
      const x = leaf(2);
      const found = grad(x.square().sum(), x, { retainGraph: true });
      expect(found).toHaveLength(1);
      expect(await valuesOf(found[0]!)).toEqual([4]);
      expect(() => grad(x.sum(), x, { allow_unused: true } as object)).toThrow(/Write allowUnused/);
    });
  });

  describe("retainGrad", () => {
    test("gives a computed tensor its gradient, which adds up", async () => {
      const x = leaf(3);
      const y = x.mul(2);
      expect([y.retainsGrad, y.grad]).toEqual([false, null]);
      y.retainGrad();
      y.retainGrad();
      expect([y.retainsGrad, x.retainsGrad]).toEqual([true, false]);
      y.mul(y).sum().backward({ retainGraph: true });
      y.mul(y).sum().backward();
      expect(await valuesOf(y.grad)).toEqual([24]);
      expect(await valuesOf(x.grad)).toEqual([48]);
    });

    test("does nothing to leaves, and is an error without gradients", async () => {
      const x = leaf(3);
      x.retainGrad();
      x.mul(2).sum().backward();
      expect(await valuesOf(x.grad)).toEqual([2]);
      expect(() => ones([1]).retainGrad()).toThrow(AutogradError);
      const p = new Parameter(ones([1]));
      p.retainGrad();
      p.sum().backward();
      expect(await valuesOf(p.grad)).toEqual([1]);
    });

    test("can be read after the step", async () => {
      const layer = new nn.Linear(2, 1);
      const optimizer = new SGD(layer.parameters(), { lr: 0.1 });
      const hidden = layer.forward(tensor([[1, 2]]));
      hidden.retainGrad();
      hidden.mul(3).sum().backward();
      optimizer.step();
      expect(await valuesOf(hidden.grad)).toEqual([3]);
    });
  });

  describe("registerHook", () => {
    test("sees the gradient of one backward, come together", async () => {
      const x = leaf(1, 2);
      const seen: Tensor[] = [];
      x.registerHook((gradient) => seen.push(gradient));
      x.mul(3).add(x.mul(4)).sum().backward();
      x.mul(5).sum().backward();
      expect(await Promise.all(seen.map(valuesOf))).toEqual([
        [7, 7],
        [5, 5],
      ]);
      expect(await valuesOf(x.grad)).toEqual([12, 12]);
    });

    test("may replace it, of leaves, computed tensors and parameters, here and below", async () => {
      const [x, p] = [leaf(1, 2), new Parameter(ones([2]))];
      const y = x.mul(3);
      y.retainGrad();
      for (const each of [y, p]) each.registerHook((gradient) => gradient.mul(10));
      y.mul(2).sum().backward();
      p.sum().backward();
      p.assign(p.mul(2)); // the hook is the parameter's, not this version's
      p.sum().backward();
      expect(await valuesOf(y.grad)).toEqual([20, 20]);
      expect(await valuesOf(x.grad)).toEqual([60, 60]);
      expect(await valuesOf(p.grad)).toEqual([20, 20]);
      expect(await Promise.all(grad(y.sum(), [y, x]).map(valuesOf))).toEqual([
        [10, 10],
        [30, 30],
      ]);
    });

    test("runs hooks in order until they are removed", async () => {
      const x = leaf(1);
      const handles = [2, 3, 5].map((by) => x.registerHook((gradient) => gradient.mul(by).add(1)));
      x.sum().backward();
      handles[1]!.remove();
      handles[1]!.remove();
      x.grad = null;
      x.sum().backward();
      expect(await valuesOf(x.grad)).toEqual([(1 * 2 + 1) * 5 + 1]);
      for (const handle of handles) handle.remove();
      x.grad = null;
      x.sum().backward();
      expect(await valuesOf(x.grad)).toEqual([1]);
    });

    test("tracks gradients in the hook if there is to be a graph", () => {
      const x = leaf(2);
      const seen: unknown[] = [];
      x.registerHook((gradient) => {
        seen.push([isGradEnabled(), gradient.requiresGrad]);
      });
      x.square().sum().backward({ createGraph: true });
      x.square().sum().backward();
      expect(seen).toEqual([
        [true, true],
        [false, false],
      ]);
    });

    test("refuses what is no hook, and what a hook must not return", () => {
      const x = leaf(1, 2);
      expect(() => ones([1]).registerHook(() => null)).toThrow(AutogradError);
      expect(() => noGrad(() => x.mul(2)).registerHook(() => null)).toThrow(AutogradError);
      expect(() => x.registerHook(null as never)).toThrow(ValueError);
      const wrong = x.registerHook(() => ones([3]));
      expect(() => x.sum().backward()).toThrow(/registerHook: the gradient must have the tensor's shape \[2\]/);
      wrong.remove();
      x.registerHook((gradient) => gradient.int());
      expect(() => x.sum().backward()).toThrow(DTypeError);
    });
  });
}
