/** Recompute: the gradients are those of the function it wraps, to the bit, and what the function writes is written once. */

import { describe, expect, test } from "vitest";
import { cat } from "../../src/combine";
import { ones, tensor } from "../../src/creation";
import { AutogradError } from "../../src/errors";
import * as F from "../../src/functional";
import { customVjp, grad, noGrad, recompute } from "../../src/gradient";
import * as nn from "../../src/nn";
import { SGD } from "../../src/optim";
import { manualSeed, randn } from "../../src/random";
import { read, type Tensor } from "../../src/tensor";

/** How a function is called: as it is, or recomputed. */
type Call = <Inputs extends readonly Tensor[], Result>(fn: (...inputs: Inputs) => Result, ...inputs: Inputs) => Result;

const plainly: Call = (fn, ...inputs) => fn(...inputs);

/** Values of tensors that are made twice, from the same seed: recomputed and as they are. */
async function both(make: (call: Call) => readonly (Tensor | null)[]): Promise<[unknown, unknown]> {
  const values: unknown[] = [];
  for (const call of [recompute, plainly] as const) {
    manualSeed(11);
    const made = make(call);
    expect(made).not.toContain(null);
    values.push(await read(made as readonly Tensor[]));
  }
  return values as [unknown, unknown];
}

async function expectSame(make: (call: Call) => readonly (Tensor | null)[]): Promise<void> {
  const [recomputed, plain] = await both(make);
  expect(recomputed).toEqual(plain);
}

const gradientsOf = (module: nn.Module): (Tensor | null)[] => module.parameters().map(({ grad: found }) => found);

export function recomputation(): void {
  describe("gives the gradients of the function", () => {
    test("of a stack of layers with dropout, whose draws are the same", () =>
      expectSame((call) => {
        const blocks = [0, 1, 2].map(
          () => new nn.Sequential(new nn.Linear(5, 7), new nn.GELU(), new nn.Dropout(0.4), new nn.Linear(7, 5)),
        );
        const x = randn([6, 5]).requiresGrad_();
        let y: Tensor = x;
        for (const block of blocks) y = call((z: Tensor) => block.forward(z), y);
        y.square().sum().backward();
        return [y, x.grad, ...blocks.flatMap(gradientsOf)];
      }));

    test("of convolutions with BatchNorm and pooling", () =>
      expectSame((call) => {
        const model = new nn.Sequential(
          new nn.Conv2d(2, 3, 3, { padding: 1 }),
          new nn.BatchNorm2d(3),
          new nn.ReLU(),
          new nn.MaxPool2d(2),
        );
        const x = randn([3, 2, 6, 6]).requiresGrad_();
        const y = call((z: Tensor) => model.forward(z), x);
        y.mul(randn(y.shape)).sum().backward();
        return [y, x.grad, ...gradientsOf(model)];
      }));

    test("with several outputs, several inputs, and tensors from around it", () =>
      expectSame((call) => {
        const [a, b, around] = [randn([4, 3]), randn([4, 3]), randn([3])].map((x) => x.requiresGrad_());
        const scaled = around!.exp(); // computed outside, needed inside
        const { sum, product } = call(
          (x: Tensor, y: Tensor) => ({ sum: x.add(y).tanh(), product: x.mul(y).mul(scaled).sigmoid() }),
          a!,
          b!,
        );
        sum.mul(product).sum().backward();
        return [a!.grad, b!.grad, around!.grad];
      }));

    test("nested, and with a rule of one's own", () =>
      expectSame((call) => {
        const cube = customVjp(
          (x) => x.mul(x).mul(x),
          (gradOut, [x]) => [gradOut.mul(x!.square().mul(3))],
        );
        const x = randn([5]).requiresGrad_();
        const y = call((outer: Tensor) => cube(call((inner: Tensor) => inner.sin().exp(), outer.tanh()).mul(outer)), x);
        y.sum().backward();
        return [y, x.grad];
      }));

    test("of a leaf made inside, and of a value that was read before", async () => {
      const x = tensor([1, 2], { requiresGrad: true });
      let inner: Tensor | undefined;
      const y = recompute((z: Tensor) => {
        inner = ones([2]).mul(3).requiresGrad_();
        return z.mul(inner).exp();
      }, x);
      const values = await y.data();
      y.sum().backward();
      expect(await x.grad!.toArray()).toEqual(Array.from(values, (value) => expect.closeTo(3 * value, 2) as number));
      expect(await inner!.grad!.toArray()).toEqual([values[0], 2 * values[1]!]);
    });

    test("of second order", async () => {
      await expectSame((call) => {
        const x = randn([4]).requiresGrad_();
        const y = call((z: Tensor) => z.sin().mul(z.exp()).tanh(), x);
        const [first] = grad(y.sum(), [x], { createGraph: true });
        return [first!, ...grad(first!.square().sum(), [x])];
      });
      await expectSame((call) => {
        const x = randn([4]).requiresGrad_();
        const penalty = call((z: Tensor) => grad(z.exp().sum(), [z], { createGraph: true })[0]!.square().sum(), x);
        return grad(penalty, [x]);
      });
    });
  });

  test("moves BatchNorm's statistics once", () =>
    expectSame((call) => {
      const norm = new nn.BatchNorm1d(3);
      const optimizer = new SGD(norm.parameters(), { lr: 0.1 });
      call((x: Tensor) => norm.forward(x), randn([5, 3]))
        .square()
        .sum()
        .backward();
      optimizer.step();
      expect(norm.numBatchesTracked!.value).toBe(1);
      return [norm.runningMean, norm.runningVar, norm.weight];
    }));

  test("trains", () =>
    expectSame((call) => {
      const layers = [new nn.Linear(3, 8), new nn.Linear(8, 2)];
      const optimizer = new SGD(
        layers.flatMap((layer) => layer.parameters()),
        { lr: 0.2, momentum: 0.9 },
      );
      const [x, y] = [randn([8, 3]), tensor([0, 1, 1, 0, 1, 0, 0, 1], { dtype: "i32" })];
      const losses: Tensor[] = [];
      for (let step = 0; step < 5; step++) {
        optimizer.zeroGrad();
        const hidden = call((input: Tensor) => F.dropout(layers[0]!.forward(input).relu(), { p: 0.2 }), x);
        const loss = F.crossEntropy(layers[1]!.forward(hidden), y);
        loss.backward();
        optimizer.step();
        losses.push(loss);
      }
      return [...losses, ...layers.map(({ weight }) => weight)];
    }));

  test("returns what the function returns, and refuses one that is async", async () => {
    expect(recompute(() => "text")).toBe("text");
    const x = ones([2]).requiresGrad_();
    expect(noGrad(() => recompute((z: Tensor) => z.mul(2), x)).requiresGrad).toBe(false);
    expect(recompute((z: Tensor, times: number) => z.mul(times), x, 3).requiresGrad).toBe(true);
    expect(() => recompute(async (z: Tensor) => z.mul(2), x)).toThrow(AutogradError);
    expect(() => recompute(() => cat([]))).toThrow(/at least one tensor/);
  });
}
