/** Values and state: what a tensor reads, whenever it is read, is what eager PyTorch would have given, or a typed error. */

import { describe, expect, test } from "vitest";
import { ones, tensor, zeros } from "../../src/creation";
import { defaultDevice } from "../../src/device";
import { AutogradError, DTypeError, ShapeError, StaleTensorError } from "../../src/errors";
import * as F from "../../src/functional";
import { noGrad } from "../../src/gradient";
import * as nn from "../../src/nn";
import { SGD } from "../../src/optim";
import { Buffer, Parameter } from "../../src/parameter";
import { rand, randn } from "../../src/random";
import { keep, read, realize, type Tensor } from "../../src/tensor";

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())];

/** One parameter `[2]` of ones, and SGD with rate 0.5. */
function onesAndSgd(options: { momentum?: number; weightDecay?: number } = {}): { p: Parameter; optimizer: SGD } {
  const p = new Parameter(ones([2]), { name: "p" });
  return { p, optimizer: new SGD([p], { lr: 0.5, ...options }) };
}

export function valuesAndState(): void {
  describe("a training step", () => {
    test("its loss and accuracy can be read after step()", async () => {
      const { p, optimizer } = onesAndSgd();
      const loss = p.mul(tensor([1, 2])).sum();
      const accuracy = p.gt(0).float().mean();
      loss.backward();
      optimizer.step();
      expect(await loss.item()).toBe(3);
      expect(await accuracy.item()).toBe(1);
      expect(await numbers(p)).toEqual([0.5, 0]);
    });

    test("scalars of earlier steps can be read later", async () => {
      const { p, optimizer } = onesAndSgd();
      const losses: Tensor[] = [];
      for (let step = 0; step < 5; step++) {
        const loss = p.sum();
        losses.push(loss);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
      }
      const values: number[] = [];
      for (const loss of losses) values.push(await loss.item());
      expect(values).toEqual([2, 1, 0, -1, -2]);
    });

    test("a loop that never reads grows nothing", async () => {
      const { p, optimizer } = onesAndSgd({ momentum: 0.9 });
      const step = (): void => {
        const loss = p.mul(p).sum();
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
      };
      for (let i = 0; i < 5; i++) step();
      const before = defaultDevice().memory().liveByteLength;
      for (let i = 0; i < 40; i++) step();
      expect(defaultDevice().memory().liveByteLength).toBe(before);
      expect(await numbers(p)).toHaveLength(2);
    });

    test("a kept tensor can be read after step(), another one is a typed error that names keep", async () => {
      const { p, optimizer } = onesAndSgd();
      const kept = keep(p.mul(3));
      const lost = p.mul(5);
      p.sum().backward();
      optimizer.step();
      expect(await numbers(kept)).toEqual([3, 3]);
      await numbers(p); // now the memory is overwritten
      await expect(lost.data()).rejects.toThrow(StaleTensorError);
      await expect(lost.data()).rejects.toThrow(/p as it was before it was overwritten.*keep/);
      await expect(
        lost
          .add(1)
          .item()
          .catch(() => lost.realize()),
      ).rejects.toThrow(StaleTensorError);
    });

    test("a tensor that was read before step() stays what it was", async () => {
      const { p, optimizer } = onesAndSgd();
      const doubled = p.mul(2);
      expect(await numbers(doubled)).toEqual([2, 2]);
      p.sum().backward();
      optimizer.step();
      expect(await numbers(doubled)).toEqual([2, 2]);
      expect(await numbers(doubled.add(1))).toEqual([3, 3]);
    });

    test("backward() after the step is a typed error", () => {
      const { p, optimizer } = onesAndSgd();
      const loss = p.sum();
      loss.backward();
      optimizer.step();
      expect(() => loss.backward()).toThrow(StaleTensorError);
    });

    test("an evaluation between steps sees the new parameters and changes nothing", async () => {
      const { p, optimizer } = onesAndSgd({ momentum: 0.5 });
      const seen: number[][] = [];
      for (let step = 0; step < 3; step++) {
        optimizer.zeroGrad();
        p.sum().backward();
        optimizer.step();
        seen.push(await numbers(noGrad(() => p.mul(1))));
      }
      expect(seen).toEqual([
        [0.5, 0.5],
        [-0.25, -0.25],
        [-1.125, -1.125],
      ]);
    });
  });

  describe("gradients", () => {
    test("a tensor stays a leaf when it is read or kept", async () => {
      const drawn = rand([2]);
      await drawn.data();
      drawn.requiresGrad_();
      const x = randn([2], { requiresGrad: true });
      keep(x);
      const p = new Parameter(ones([2]));
      const optimizer = new SGD([p], { lr: 1 });
      p.mul(x).sum().backward();
      optimizer.step();
      expect([drawn.isLeaf, x.isLeaf]).toEqual([true, true]);
      x.grad = null;
      x.mul(2).add(drawn).sum().backward();
      expect(await x.grad!.toArray()).toEqual([2, 2]);
      expect(await drawn.grad!.toArray()).toEqual([1, 1]);
    });

    test("two backwards before a step add up", async () => {
      const { p, optimizer } = onesAndSgd();
      p.mul(2).sum().backward();
      p.mul(3).sum().backward();
      optimizer.step();
      expect(await numbers(p.grad!)).toEqual([5, 5]);
      expect(await numbers(p)).toEqual([-1.5, -1.5]);
    });

    test("they stay until zeroGrad", async () => {
      const { p, optimizer } = onesAndSgd();
      p.sum().backward();
      optimizer.step();
      optimizer.step();
      expect(await numbers(p)).toEqual([0, 0]);
      p.sum().backward();
      expect(await numbers(p.grad!)).toEqual([2, 2]);
      optimizer.zeroGrad();
      expect(p.grad).toBeNull();
      optimizer.zeroGrad({ setToNone: false });
      expect(p.grad).toBeNull();
      p.sum().backward();
      optimizer.zeroGrad({ setToNone: false });
      expect(await numbers(p.grad!)).toEqual([0, 0]);
    });

    test("one that zeroGrad dropped before anything needed it is none", async () => {
      const { p: kept, optimizer } = onesAndSgd({ momentum: 0.9 });
      const skipped = new Parameter(ones([2]), { name: "skipped" });
      optimizer.addParamGroup({ params: [skipped] });
      for (let step = 0; step < 2; step++) {
        kept.mul(skipped).sum().backward();
        optimizer.zeroGrad();
        kept.sum().backward();
        optimizer.step();
      }
      expect(await numbers(kept)).toEqual([-0.45, -0.45].map(Math.fround));
      expect(await numbers(skipped)).toEqual([1, 1]);
      expect(skipped.grad).toBeNull();
    });

    test("one that something has read stays, whatever zeroGrad drops after it", async () => {
      const { p, optimizer } = onesAndSgd();
      p.mul(3).sum().backward();
      const taken = p.grad!;
      optimizer.zeroGrad();
      p.mul(5).sum().backward();
      optimizer.zeroGrad();
      expect(await numbers(taken)).toEqual([3, 3]);

      p.mul(tensor([3, 4]))
        .sum()
        .backward();
      const norm = nn.utils.clipGradNorm_([p], 1);
      p.sum().backward();
      optimizer.zeroGrad();
      p.sum().backward();
      optimizer.step();
      expect(await norm.item()).toBeCloseTo(5, 5);
      expect(await numbers(p)).toEqual([0.5, 0.5]);
    });

    test("one that was taken can be read after zeroGrad", async () => {
      const { p } = onesAndSgd();
      p.mul(4).sum().backward();
      const gradient = p.grad!;
      p.zeroGrad();
      expect(await numbers(gradient)).toEqual([4, 4]);
    });

    test("a parameter without one is skipped: no decay, no momentum", async () => {
      const used = new Parameter(ones([2]));
      const unused = new Parameter(ones([3]));
      const optimizer = new SGD([used, unused], { lr: 0.1, momentum: 0.9, weightDecay: 0.5 });
      used.sum().backward();
      optimizer.step();
      expect(await numbers(unused)).toEqual([1, 1, 1]);
      expect(Object.keys(optimizer.stateDict().state)).toEqual(["0"]);
      expect((await numbers(used))[0]).toBeCloseTo(0.85, 6);
    });

    test("frozen parameters get none and stay", async () => {
      const frozen = new Parameter(ones([2]), { requiresGrad: false });
      const trained = new Parameter(ones([2]));
      const optimizer = new SGD([frozen, trained], { lr: 0.1, weightDecay: 0.5 });
      frozen.mul(trained).sum().backward();
      expect(frozen.grad).toBeNull();
      optimizer.step();
      expect(await numbers(frozen)).toEqual([1, 1]);
      trained.requiresGrad_(false);
      frozen.requiresGrad_();
      optimizer.zeroGrad();
      frozen.mul(trained).sum().backward();
      optimizer.step();
      expect(trained.grad).toBeNull();
      expect((await numbers(frozen))[0]).toBeCloseTo(1 - 0.1 * (0.85 + 0.5), 6);
    });

    test("of a leaf can be read after the step", async () => {
      const { p, optimizer } = onesAndSgd();
      const x = tensor([3, 4], { requiresGrad: true });
      x.mul(p).sum().backward();
      x.mul(p).mul(2).sum().backward();
      optimizer.step();
      await numbers(p);
      expect(await numbers(x.grad!)).toEqual([3, 3]);
    });

    test("can be set", async () => {
      const { p, optimizer } = onesAndSgd();
      p.grad = tensor([2, 4]);
      optimizer.step();
      expect(await numbers(p)).toEqual([0, -1]);
      p.grad = null;
      expect(p.grad).toBeNull();
      expect(() => (p.grad = tensor([1]))).toThrow(ShapeError);
      expect(() => (p.grad = tensor([1, 2], { dtype: "i32" }))).toThrow(DTypeError);
    });

    test("need something that requires them", () => {
      expect(() => ones([2]).sum().backward()).toThrow(AutogradError);
      expect(() => new Parameter(ones([2])).mul(2).backward()).toThrow(/1 element/);
      expect(() => noGrad(() => new Parameter(ones([2])).sum()).backward()).toThrow(AutogradError);
    });
  });

  describe("state", () => {
    test.each(["together", "one by one"])("a graph keeps the version it was built on, read %s", async (how) => {
      const buffer = new Buffer(tensor([1, 2]));
      const doubled = buffer.mul(2);
      buffer.assign(tensor([10, 20]));
      const later = buffer.mul(2);
      buffer.assign(buffer.add(1));
      const tensors = [doubled, later, buffer];
      const values = how === "together" ? await read(tensors) : await Promise.all(tensors.map((x) => x.data()));
      expect(values.map((x) => [...x])).toEqual([
        [2, 4],
        [20, 40],
        [11, 21],
      ]);
    });

    test("a clone is what the state was", async () => {
      const p = new Parameter(ones([2]));
      const before = keep(p.clone());
      const optimizer = new SGD([p], { lr: 1 });
      p.sum().backward();
      optimizer.step();
      expect(await numbers(p)).toEqual([0, 0]);
      expect(await numbers(before)).toEqual([1, 1]);
    });

    test("rows are written after what was built before has read them", async () => {
      const queue = new Buffer(zeros([4, 2]));
      const sums: Tensor[] = [];
      for (let step = 0; step < 4; step++) {
        sums.push(queue.sum());
        queue.assignRows((2 * step) % 4, ones([2, 2]).mul(step + 1));
      }
      const values = await Promise.all(sums.map((sum) => sum.item()));
      expect(values).toEqual([0, 4, 12, 20]);
      expect(await queue.toArray()).toEqual([
        [3, 3],
        [3, 3],
        [4, 4],
        [4, 4],
      ]);
      expect(() => queue.assignRows(3, ones([2, 2]))).toThrow(ShapeError);
      expect(() => queue.assignRows(0, ones([2, 3]))).toThrow(ShapeError);
      expect(() => queue.assignRows(0.5, ones([1, 2]))).toThrow(ShapeError);
    });

    test("a loss may be read before backward(), or before step(), and nothing changes", async () => {
      const run = async (when: "never" | "before backward" | "before step"): Promise<number[]> => {
        const { p, optimizer } = onesAndSgd({ momentum: 0.9 });
        optimizer.paramGroups[0]!.lr = 0.01;
        const queue = new Buffer(ones([2, 2]));
        const norm = new nn.BatchNorm1d(2, { affine: false });
        const losses: number[] = [];
        for (let step = 0; step < 3; step++) {
          const x = tensor([1, 2, 3, 4, 5, 7])
            .reshape(3, 2)
            .mul(step + 1);
          const loss = norm.forward(x).add(p).matmul(queue).square().sum();
          queue.assignRows(step % 2, ones([1, 2]).mul(3)); // the loss reads what was there before
          if (when === "before backward") losses.push(await loss.item());
          optimizer.zeroGrad();
          loss.backward();
          if (when === "before step") losses.push(await loss.item());
          optimizer.step();
          if (when === "never") losses.push(await loss.item());
        }
        return [...losses, ...(await numbers(p)), ...(await numbers(queue)), ...(await numbers(norm.runningVar!))];
      };
      const undisturbed = await run("never");
      expect(await run("before backward")).toEqual(undisturbed);
      expect(await run("before step")).toEqual(undisturbed);
    });

    test("BatchNorm's statistics move even if its output is dropped", async () => {
      const norm = new nn.BatchNorm1d(2);
      norm.forward(
        tensor([
          [0, 2],
          [4, 2],
        ]),
      );
      expect(norm.numBatchesTracked!.value).toBe(1);
      expect(await norm.runningMean!.toArray()).toEqual([expect.closeTo(0.2, 6), expect.closeTo(0.2, 6)]);
      expect(await norm.runningVar!.toArray()).toEqual([expect.closeTo(1.7, 6), expect.closeTo(0.9, 6)]);
    });

    test("saving between steps is exact and disturbs nothing", async () => {
      const run = async (save: boolean): Promise<{ saved: number[][]; last: number[] }> => {
        const { p, optimizer } = onesAndSgd({ momentum: 0.9, weightDecay: 0.1 });
        const saved: number[][] = [];
        for (let step = 0; step < 4; step++) {
          optimizer.zeroGrad();
          p.mul(p).sum().backward();
          optimizer.step();
          const momentum = optimizer.stateDict().state[0]!.momentum_buffer;
          if (save) saved.push([...(await numbers(p)), ...(await numbers(momentum))]);
        }
        return {
          saved,
          last: [...(await numbers(p)), ...(await numbers(optimizer.stateDict().state[0]!.momentum_buffer))],
        };
      };
      const [disturbed, plain] = [await run(true), await run(false)];
      expect(disturbed.last).toEqual(plain.last);
      expect(disturbed.saved.at(-1)).toEqual(plain.last);
    });

    test("a state dict shows the value of the moment it is read", async () => {
      const layer = new nn.Linear(2, 1, { bias: false });
      const optimizer = new SGD(layer.parameters(), { lr: 1 });
      const state = layer.stateDict();
      const before = (await nn.readState(state))["weight"]!.data;
      layer.weight.sum().backward();
      optimizer.step();
      const after = (await nn.readState(state))["weight"]!.data;
      expect([...after]).toEqual([...before].map((value) => Math.fround(value - 1)));
    });

    test("assigning checks shape and dtype", () => {
      const buffer = new Buffer(zeros([2]));
      expect(() => buffer.assign(zeros([3]))).toThrow(ShapeError);
      expect(() => buffer.assign(zeros([2], { dtype: "i32" }))).toThrow(DTypeError);
      expect(() => new Parameter(zeros([2], { dtype: "i32" }))).toThrow(DTypeError);
    });

    test("two optimizers share the parameters of one model", async () => {
      const [a, b] = [new Parameter(ones([2])), new Parameter(ones([2]))];
      const all = new SGD([a, b], { lr: 0.5 });
      const some = new SGD([b], { lr: 0.25 });
      a.mul(b).sum().backward();
      all.step();
      some.step();
      expect(await numbers(a)).toEqual([0.5, 0.5]);
      expect(await numbers(b)).toEqual([0.25, 0.25]);
    });

    test("a parameter may be used before and after it gets an optimizer", async () => {
      const p = new Parameter(ones([2]));
      p.mul(2).sum().backward();
      const early = p.mul(7);
      const optimizer = new SGD([p], { lr: 0.5 });
      expect(await numbers(early)).toEqual([7, 7]);
      optimizer.step();
      expect(await numbers(p)).toEqual([0, 0]);
    });
  });

  describe("memory", () => {
    test("a disposed tensor cannot be used", async () => {
      const x = ones([2]).mul(2);
      await x.realize();
      const y = x.add(1);
      expect(await numbers(y)).toEqual([3, 3]);
      x.dispose();
      x.dispose();
      expect(() => x.add(1)).toThrow(StaleTensorError);
      expect(await numbers(y)).toEqual([3, 3]);
      await expect(x.data()).rejects.toThrow(StaleTensorError);
    });

    test("what pending writes read is freed after them", async () => {
      const buffer = new Buffer(zeros([2]));
      {
        using value = ones([2]).mul(4);
        await realize(value);
        buffer.assign(value.add(1));
      }
      expect(await numbers(buffer)).toEqual([5, 5]);
    });

    test("results can be read again and again, as copies", async () => {
      const x = ones([3]).mul(2);
      const first = await x.data();
      first[0] = 99;
      expect(await numbers(x)).toEqual([2, 2, 2]);
    });
  });

  test("the loss of a model with everything in it falls", async () => {
    const model = new nn.Sequential(new nn.Linear(3, 8), new nn.BatchNorm1d(8), new nn.ReLU(), new nn.Linear(8, 2));
    const optimizer = new SGD(model.parameters(), { lr: 0.2, momentum: 0.9 });
    const x = tensor([0, 1, 2, 3, 4, 5, 6, 7].map((i) => [i & 1, (i >> 1) & 1, (i >> 2) & 1]));
    const y = tensor([0, 1, 1, 0, 1, 0, 0, 1], { dtype: "i32" }); // parity
    let loss = F.crossEntropy(model.forward(x), y);
    for (let step = 0; step < 150; step++) {
      loss = F.crossEntropy(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
    expect(await loss.item()).toBeLessThan(0.1);
  });
}
