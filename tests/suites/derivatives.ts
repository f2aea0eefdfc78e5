/** vjp, jvp, jacobian and hessian: forms, numbers, and derivatives of them. */

import { describe, expect, test } from "vitest";
import { ones, tensor, zeros } from "../../src/creation";
import { AutogradError, ShapeError, ValueError } from "../../src/errors";
import { grad, hessian, jacobian, jvp, vjp } from "../../src/gradient";
import { Parameter } from "../../src/parameter";
import type { Tensor } from "../../src/tensor";

const product = (a: Tensor, b: Tensor): Tensor => a.mul(b);
const both = (a: Tensor, b: Tensor): [Tensor, Tensor] => [a.mul(b), a.add(b).sum()];

export function derivatives(): void {
  describe("vjp", () => {
    test("multiplies a vector with the Jacobian, from the left", async () => {
      const x = tensor([1, 2]);
      const [y, dx] = vjp((a) => a.square(), x, tensor([10, 100]));
      expect([await y.toArray(), await dx.toArray()]).toEqual([
        [1, 4],
        [20, 400],
      ]);
      expect([y.requiresGrad, dx.requiresGrad, x.requiresGrad]).toEqual([false, false, false]);
    });

    test("takes and gives several tensors", async () => {
      const [outputs, [da, db]] = vjp(both, [tensor([1, 2]), tensor([3, 4])], [tensor([1, 10]), tensor(100)]);
      expect(outputs).toHaveLength(2);
      expect(await da.toArray()).toEqual([3 + 100, 40 + 100]);
      expect(await db.toArray()).toEqual([1 + 100, 20 + 100]);
    });

    test("needs no vector for one number, and one that fits for others", async () => {
      expect(await vjp((x) => x.square().sum(), ones([2]))[1].toArray()).toEqual([2, 2]);
      expect(() => vjp((x) => x.square(), ones([2]))).toThrow(AutogradError);
      expect(() => vjp((x) => x.square(), ones([2]), ones([3]))).toThrow(ShapeError);
      expect(() => vjp(both, [ones([2]), ones([2])], [ones([2])])).toThrow(/one vector for each/);
      expect(() => vjp((x) => x.sum(), ones([2]), null, { create_graph: true } as object)).toThrow(ValueError);
      expect(() => vjp(() => Promise.resolve() as never, ones([2]))).toThrow(/got a promise/);
    });
  });

  describe("jvp", () => {
    test("multiplies the Jacobian with a vector, from the right", async () => {
      const [y, dy] = jvp((x) => x.pow(3), tensor([1, 2]), tensor([10, 100]));
      expect([await y.toArray(), await dy.toArray()]).toEqual([
        [1, 8],
        [30, 1200],
      ]);
      const [, [first, second]] = jvp(both, [tensor([1, 2]), tensor([3, 4])], [tensor([1, 1]), tensor([10, 10])]);
      expect(await first.toArray()).toEqual([3 + 10, 4 + 20]);
      expect(await second.item()).toBe(22);
    });

    test("agrees with vjp: v . (J u) = (J^T v) . u", async () => {
      const fn = (x: Tensor): Tensor => x.matmul(x).tanh();
      const [x, u, v] = [
        [0.1, -0.4, 0.7, 0.2],
        [1, -2, 3, 0.5],
        [0.3, 0.2, -0.6, 0.9],
      ].map((values) => tensor(values).reshape(2, 2));
      const forward = jvp(fn, x!, u)[1].mul(v!).sum();
      const reverse = vjp(fn, x!, v)[1].mul(u!).sum();
      expect(await forward.item()).toBeCloseTo(await reverse.item(), 5);
    });

    test("is 0 where nothing depends on the input, and needs no vector for one number", async () => {
      expect(await jvp((x) => x.detach(), ones([2]), ones([2]))[1].toArray()).toEqual([0, 0]);
      expect(await jvp((x) => x.mul(tensor([2, 3])), tensor(5))[1].toArray()).toEqual([2, 3]);
      expect(() => jvp((x) => x, ones([2]))).toThrow(AutogradError);
    });
  });

  describe("jacobian", () => {
    test("has the shape of the output, then of the input", async () => {
      const x = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const j = jacobian((a) => a.square().sum(1), x);
      expect(j.shape).toEqual([2, 2, 3]);
      expect(await j.toArray()).toEqual([
        [
          [2, 4, 6],
          [0, 0, 0],
        ],
        [
          [0, 0, 0],
          [8, 10, 12],
        ],
      ]);
      expect(jacobian((a) => a.sum(), x).shape).toEqual([2, 3]);
      expect(jacobian((a) => a.slice([0], [0]), x).shape).toEqual([0, 3, 2, 3]);
    });

    test("comes in lists for lists", async () => {
      const [a, b] = [tensor([1, 2]), tensor([3, 4])];
      const [byA, byB] = jacobian(product, [a, b]);
      expect([await byA.toArray(), await byB.toArray()]).toEqual([
        [
          [3, 0],
          [0, 4],
        ],
        [
          [1, 0],
          [0, 2],
        ],
      ]);
      const [[ofProduct], [ofSum]] = jacobian((x) => [x.square(), x.sum()] as const, [a]);
      expect([ofProduct.shape, ofSum.shape]).toEqual([[2, 2], [2]]);
    });

    test("is 0 for what does not depend on an input, or an error with strict", async () => {
      const [byA, byB] = jacobian((a) => a.mul(2), [ones([1]), ones([2])]);
      expect([await byA.toArray(), await byB.toArray()]).toEqual([[[2]], [[0, 0]]]);
      expect(() => jacobian((a) => a.mul(2), [ones([1]), ones([2])], { strict: true })).toThrow(/input 1/);
    });

    test("with createGraph can be differentiated with respect to the inputs", async () => {
      const x = tensor([1, 2], { requiresGrad: true });
      const j = jacobian((a) => a.pow(3), x, { createGraph: true });
      expect(await grad(j.sum(), x)[0]!.toArray()).toEqual([6, 12]);
      expect(jacobian((a) => a.pow(3), x).requiresGrad).toBe(false);
    });

    test("of a function of a parameter", async () => {
      const p = new Parameter(tensor([2, 3]));
      expect(await jacobian((w) => w.square().sum(), p).toArray()).toEqual([4, 6]);
      expect(p.grad).toBeNull();
    });
  });

  describe("hessian", () => {
    test("has the shape of the input twice", async () => {
      const h = hessian((x) => x.pow(3).sum(), tensor([1, 2]));
      expect(await h.toArray()).toEqual([
        [6, 0],
        [0, 12],
      ]);
      expect(await hessian((x) => x.sum(), zeros([2])).toArray()).toEqual([
        [0, 0],
        [0, 0],
      ]);
    });

    test("comes in a list of lists for a list", async () => {
      const [[aa, ab], [ba, bb]] = hessian((a, b) => a.square().mul(b).sum(), [tensor([3]), tensor([5])]);
      const values = await Promise.all([aa, ab, ba, bb].map((each) => each.item()));
      expect(values).toEqual([10, 6, 6, 0]);
    });

    test("is of one number", () => {
      expect(() => hessian((x) => x.square(), ones([2]))).toThrow(AutogradError);
    });
  });

  test("a computed tensor, detached, is a leaf that may require gradients", async () => {
    const x = tensor([2], { requiresGrad: true });
    const y = x.mul(3).detach();
    expect(y.isLeaf).toBe(true);
    y.requiresGrad_();
    y.square().sum().backward();
    expect([x.grad, await y.grad!.toArray()]).toEqual([null, [12]]);
  });
}
