/** Averages of models against PyTorch, and what copies and their updates may not do. */

import { describe, expect, test } from "vitest";
import { full, ones, tensor, zeros } from "../../src/creation";
import { ValueError } from "../../src/errors";
import { BatchNorm1d, Linear, Module, Sequential } from "../../src/nn";
import { Adam, AveragedModel, type AveragedModelOptions, SGD, updateBn } from "../../src/optim";
import { Parameter } from "../../src/parameter";
import type { Tensor } from "../../src/tensor";
import goldens from "../goldens/optim.json";
import { expectGoldens, type GoldenTensor, goldenTensor, goldenValues } from "./golden";

type State = Readonly<Record<string, GoldenTensor>>;

interface Run {
  readonly name: string;
  readonly options: Omit<AveragedModelOptions, "avgFn"> & { readonly avgFn?: string };
  readonly averages: readonly State[];
}

const { states, runs } = goldens.averaged as unknown as { states: readonly State[]; runs: readonly Run[] };

function load(model: Module, state: State): void {
  model.loadStateDict(
    Object.fromEntries(
      Object.entries(state).map(([name, golden]) => [name, { ...golden, data: goldenValues(golden) }]),
    ),
  );
}

/** The function of the golden. */
const avgFn = (averaged: Tensor, current: Tensor, n: number): Tensor => averaged.div(2).add(current.div(2 + n));

/** Batches as loaders give them, one after the other. */
async function* pairs(batches: readonly GoldenTensor[]): AsyncGenerator<[Tensor, null]> {
  for (const batch of batches) yield [await Promise.resolve(goldenTensor(batch)), null];
}

/** Two layers that share a weight. */
class Tied extends Module {
  readonly weight = new Parameter(ones([2, 2]));
  readonly parts = [new Linear(2, 2), new Linear(2, 2)];
  readonly byName = { first: this.parts[0] };
  readonly shared = [this.weight];

  forward(x: Tensor): Tensor {
    return x.matmul(this.weight).add(x.matmul(this.shared[0]!));
  }
}

export function averaging(): void {
  describe("AveragedModel against PyTorch", () => {
    for (const { name, options, averages } of runs) {
      test(name, async () => {
        const model = new Sequential(new Linear(3, 2), new BatchNorm1d(2));
        load(model, states[0]!);
        const averaged = new AveragedModel(model, {
          ...options,
          avgFn: undefined,
          ...(options.avgFn && { avgFn }),
        });
        for (const [step, expected] of averages.entries()) {
          load(model, states[step + 1]!);
          averaged.updateParameters(model);
          const state = averaged.stateDict();
          expect(Object.keys(state)).toEqual(Object.keys(expected));
          await expectGoldens(
            Object.entries(expected).map(([key, golden]) => ({ name: key, actual: state[key]!, golden })),
            { steps: step + 1 },
          );
        }
      });
    }
  });

  describe("AveragedModel", () => {
    const optimizers = {
      SGD: (p: Parameter[]) => new SGD(p, { lr: 1 }),
      Adam: (p: Parameter[]) => new Adam(p, { lr: 1 }), // of like gradients it makes steps of lr
    };
    test.each(Object.entries(optimizers))("follows a model in training with %s", async (_name, make) => {
      const model = new Sequential(new Linear(2, 1, { bias: false }));
      model.parameters()[0]!.assign(ones([1, 2]));
      const averaged = new AveragedModel(model, { decay: 0.5 });
      const optimizer = make(model.parameters());
      for (let step = 0; step < 3; step++) {
        model.zeroGrad();
        model
          .forward(ones([1, 2]))
          .sum()
          .backward();
        optimizer.step(); // 0, -1, -2
        averaged.updateParameters(model); // 0, -0.5, -1.25
      }
      expect(await averaged.forward(ones([1, 2])).item()).toBeCloseTo(-2.5, 5);
      expect(await model.forward(ones([1, 2])).item()).toBeCloseTo(-4, 5);
      expect(averaged.nAveraged.value).toBe(3);
    });

    test("goes on from what it saved", async () => {
      const model = new Linear(2, 1);
      const [first, second] = [new AveragedModel(model), new AveragedModel(model)];
      first.updateParameters(model);
      second.loadStateDict(first.stateDict());
      for (const parameter of model.parameters()) parameter.assign(full(parameter.shape, 8));
      for (const each of [first, second]) each.updateParameters(model);
      const [a, b] = [first, second].map((each) => each.module.weight);
      expect(await a!.data()).toEqual(await b!.data());
    });

    test("copies at first whatever was there before", async () => {
      const model = new Linear(2, 1);
      model.weight.assign(full([1, 2], NaN));
      const averaged = new AveragedModel(model);
      model.weight.assign(ones([1, 2]));
      averaged.updateParameters(model);
      expect([...(await averaged.module.weight.data())]).toEqual([1, 1]);
    });

    test("takes another model of the same layers, and refuses others", async () => {
      const [model, other] = [new Linear(2, 1), new Linear(2, 1)];
      const averaged = new AveragedModel(model);
      averaged.updateParameters(other);
      expect(await averaged.module.weight.data()).toEqual(await other.weight.data());
      expect(() => {
        averaged.updateParameters(new Linear(2, 1, { bias: false }));
      }).toThrow(/must have the parameters of the one that was copied, got 1 for 2/);
    });

    test("keeps what was shared shared, and copies lists and objects", async () => {
      const model = new Tied();
      const { module: copy } = new AveragedModel(model);
      expect(copy.shared[0]).toBe(copy.weight);
      expect(copy.weight).not.toBe(model.weight);
      expect(copy.parts[0]).not.toBe(model.parts[0]);
      expect(copy.byName).not.toBe(model.byName);
      expect(copy.byName.first).toBe(copy.parts[0]);
      model.weight.assign(zeros([2, 2]));
      expect(await copy.forward(tensor([[1, 2]])).toArray()).toEqual([[6, 6]]);
    });

    test("averages a buffer of a shared module once", async () => {
      const norm = new BatchNorm1d(1);
      const model = new Sequential(norm, norm);
      const averaged = new AveragedModel(model, { useBuffers: true });
      for (const mean of [1, 4]) {
        norm.runningMean!.assign(full([1], mean));
        averaged.updateParameters(model);
      }
      expect(await averaged.module.buffers()[0]!.toArray()).toEqual([2.5]);
    });

    test("gets statistics of its own from updateBn, as PyTorch does", async () => {
      const { before, batches, after } = goldens.updatedNorms as unknown as {
        before: State;
        batches: readonly GoldenTensor[];
        after: State;
      };
      const norm = new BatchNorm1d(2, { momentum: 0.3 });
      const model = new Sequential(new Linear(3, 2), norm);
      load(model, before);
      const averaged = new AveragedModel(model).eval();
      averaged.updateParameters(model);
      for (const each of [model, averaged.module]) {
        each.at(0)!.train(false);
        await updateBn(each === model ? pairs(batches) : batches.map(goldenTensor), each);
        const state = each.stateDict();
        await expectGoldens(
          Object.entries(after).map(([name, golden]) => ({ name, actual: state[name]!, golden })),
          { steps: 3 },
        );
      }
      expect([norm.momentum, norm.training, model.at(0)!.training]).toEqual([0.3, true, false]);
      await updateBn(batches.map(goldenTensor), new Linear(3, 2)); // has none
    });

    test("refuses decays outside of [0, 1], two rules, and state that it cannot copy", () => {
      class Holder {
        readonly parameter = new Parameter(ones([1]));
      }
      class Hidden extends Module {
        readonly holder = new Holder();
        forward(): Tensor {
          return this.holder.parameter;
        }
      }
      const model = new Linear(1, 1);
      expect(() => new AveragedModel(model, { decay: 1.5 })).toThrow(ValueError);
      expect(() => new AveragedModel(model, { decay: 0.5, avgFn })).toThrow(/without avgFn, got 0.5 with one/);
      expect(() => new AveragedModel(model, { use_buffers: true } as never)).toThrow(/Write useBuffers/);
      expect(() => new AveragedModel(new Hidden())).toThrow(/got some in a Holder/);
    });
  });
}
