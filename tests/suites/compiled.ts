/** Compiled functions do what the functions do, to the bit, whatever happens between their calls; or say why they cannot. */

import { describe, expect, test } from "vitest";
import {
  Buffer,
  compile,
  CompileError,
  Counter,
  customVjp,
  defaultDevice,
  defaultGenerator,
  F,
  Generator,
  grad,
  IndexError,
  keep,
  manualSeed,
  noGrad,
  Parameter,
  rand,
  randn,
  randperm,
  recompute,
  ShapeError,
  StaleTensorError,
  Tensor,
  tensor,
  ValueError,
  zeros,
} from "../../src";
import { mocoAugment } from "../../src/data";
import { MoCo } from "../../src/moco";
import * as nn from "../../src/nn";
import {
  Adam,
  AdamW,
  AveragedModel,
  CosineAnnealingLR,
  LARS,
  LinearLR,
  OneCycleLR,
  type Optimizer,
  type PackedState,
  packState,
  RMSprop,
  SequentialLR,
  SGD,
  unpackState,
} from "../../src/optim";
import { expectConsole } from "../helpers/console";
import { expectTwins, type Subject, type Wrap } from "../helpers/twins";

const isGpu = (): boolean => defaultDevice().kind === "webgpu";

/** Numbers that look random and are the same everywhere. */
const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 0.9);

const batch = (seed: number, n = 6): Tensor => tensor(numbers(4 * n, seed), { shape: [n, 4] });
const labels = (seed: number, n = 6): Tensor => tensor(Int32Array.from({ length: n }, (_, i) => (i * 7 + seed) % 3));

const mlp = (...middle: nn.Layer[]): nn.Sequential =>
  new nn.Sequential(new nn.Linear(4, 8), ...middle, new nn.ReLU(), new nn.Linear(8, 3));

/** A model with fields of many kinds. */
class Net extends nn.Module {
  readonly first = new nn.Linear(4, 8);
  readonly norm = new nn.BatchNorm1d(8);
  activation: nn.Layer = new nn.ReLU();
  readonly dropout = new nn.Dropout(0.2);
  readonly scales = [1, 2];
  readonly last = new nn.Linear(8, 3);

  forward(x: Tensor): Tensor {
    const hidden = this.dropout.forward(this.activation.forward(this.norm.forward(this.first.forward(x))));
    return this.scales.reduce((value, scale) => value.mul(scale), this.last.forward(hidden));
  }
}

/** All that an optimizer and a model hold. */
const stateOf = (model: nn.Module, ...optimizers: Optimizer[]): Tensor[] => [
  ...model.parameters(),
  ...model.buffers(),
  ...model.parameters().flatMap((parameter) => (parameter.grad ? [parameter.grad] : [])),
  ...optimizers.flatMap((optimizer) =>
    Object.values(optimizer.stateDict().state).flatMap((slots) =>
      Object.values(slots as Record<string, unknown>).filter((value) => value instanceof Tensor),
    ),
  ),
];

/** A classifier in training; `change` may turn its step into another. */
function classifier(
  wrap: Wrap,
  {
    model = mlp(),
    optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }),
    beforeStep = () => null,
    afterStep = () => undefined,
    between = () => undefined,
    size = () => 6,
  }: {
    model?: nn.Layer;
    optimizer?: Optimizer;
    beforeStep?: () => Tensor | null;
    afterStep?: () => void;
    between?: (index: number) => unknown;
    size?: (index: number) => number;
  } = {},
): Subject {
  const step = wrap((x: Tensor, y: Tensor) => {
    const loss = F.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    const extra = beforeStep();
    optimizer.step();
    afterStep();
    return { loss, extra };
  });
  return {
    async call(index) {
      const result = step(batch(index, size(index)), labels(index, size(index)));
      const seen = await between(index);
      return { ...result, seen: seen instanceof Tensor ? await seen.data() : (seen ?? null) };
    },
    state: () => stateOf(model, optimizer),
    host: () => [defaultGenerator().getState(), optimizer.paramGroups.map(({ lr }) => lr)],
  };
}

export function compiledFunctions(): void {
  describe("a compiled training step is the step itself", () => {
    test("SGD with momentum and a schedule", async () => {
      const [step] = await expectTwins(
        (wrap) => {
          const model = mlp();
          const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 });
          const schedule = new CosineAnnealingLR(optimizer, 12);
          return classifier(wrap, {
            model,
            optimizer,
            afterStep: () => {
              schedule.step();
            },
          });
        },
        { replayed: 7 },
      );
      expect(step!.status.state).toBe(isGpu() ? "replaying" : "eager");
      expect(step!.status.recorded + step!.status.replayed).toBe(10);
    });

    test.for(["Adam", "AdamW", "RMSprop", "LARS", "SGD, nesterov", "SGD, no momentum"])("%s", async (name) => {
      await expectTwins((wrap) => {
        const model = mlp();
        const parameters = model.parameters();
        const groups = [
          { params: parameters.slice(0, 1), weightDecay: 0.1 },
          { params: parameters.slice(1), lr: 0.02 },
        ];
        const optimizers: Record<string, () => Optimizer> = {
          Adam: () => new Adam(parameters, { lr: 0.01 }),
          AdamW: () => new AdamW(groups, { lr: 0.01, amsgrad: true }),
          RMSprop: () => new RMSprop(groups, { lr: 0.01, momentum: 0.5, centered: true }),
          LARS: () => new LARS(parameters, { lr: 0.5, weightDecay: 0.01 }),
          "SGD, nesterov": () => new SGD(groups, { lr: 0.1, momentum: 0.9, nesterov: true }),
          "SGD, no momentum": () => new SGD(parameters, { lr: 0.1 }),
        };
        return classifier(wrap, { model, optimizer: optimizers[name]!() });
      });
    });

    test("schedules of all kinds, inside", async () => {
      await expectTwins((wrap) => {
        const model = mlp();
        const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
        const schedule = new SequentialLR(
          optimizer,
          [new LinearLR(optimizer, { startFactor: 0.1, totalIters: 3 }), new CosineAnnealingLR(optimizer, 8)],
          [4],
        );
        return classifier(wrap, {
          model,
          optimizer,
          afterStep: () => {
            schedule.step();
          },
        });
      });
      await expectTwins((wrap) => {
        const model = mlp();
        const optimizer = new AdamW(model.parameters(), { lr: 0.1 });
        const schedule = new OneCycleLR(optimizer, 0.05, { totalSteps: 20 });
        return classifier(wrap, {
          model,
          optimizer,
          afterStep: () => {
            schedule.step();
          },
        });
      });
    });

    test("rates and other options that are set between calls", async () => {
      await expectTwins((wrap) => {
        const model = mlp();
        const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
        return classifier(wrap, {
          model,
          optimizer,
          between: (index) => {
            optimizer.paramGroups[0]!.lr = 0.1 / (index + 2);
            optimizer.paramGroups[0]!.momentum = 0.9 - index / 50;
            return optimizer.paramGroups[0]!.momentum;
          },
        });
      });
    });

    test("dropout, noise and orders, drawn anew at every call", async () => {
      await expectTwins((wrap) => {
        const model = mlp(new nn.Dropout(0.3));
        const own = new Generator(5);
        const optimizer = new SGD(model.parameters(), { lr: 0.1 });
        const step = wrap((x: Tensor, y: Tensor) => {
          const order = randperm(6);
          const noisy = x.add(randn([6, 4], { generator: own }).mul(0.1)).indexSelect(0, order);
          const loss = F.crossEntropy(model.forward(noisy), y.indexSelect(0, order));
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
          return [loss, keep(F.dropout(zeros([3]).add(1)))] as const;
        });
        return {
          call: (index) => step(batch(index), labels(index)),
          state: () => stateOf(model),
          host: () => [own.getState(), defaultGenerator().getState()],
        };
      });
    });

    test("seeds that are set between calls", async () => {
      await expectTwins((wrap) => {
        const draw = wrap(() => rand([5]));
        return {
          call(index) {
            if (index % 4 === 3) manualSeed(index);
            return draw();
          },
          state: () => [],
          host: () => defaultGenerator().getState(),
        };
      });
    });

    test.for([0.1, null])("BatchNorm's statistics and counts, momentum %s", async (momentum) => {
      await expectTwins((wrap) => {
        const norm = new nn.BatchNorm1d(8, { momentum });
        return { ...classifier(wrap, { model: mlp(norm) }), host: () => norm.numBatchesTracked!.value };
      });
    });

    test.for(["norm", "value"])("gradients clipped by %s", async (kind) => {
      await expectTwins((wrap) => {
        const model = mlp();
        return classifier(wrap, {
          model,
          beforeStep: () => {
            if (kind === "norm") return nn.utils.clipGradNorm_(model.parameters(), 0.3);
            nn.utils.clipGradValue_(model.parameters(), 0.02);
            return null;
          },
        });
      });
    });

    test("an average of the model beside it", async () => {
      await expectTwins((wrap) => {
        const model = mlp();
        const averaged = new AveragedModel(model, { decay: 0.9 });
        const subject = classifier(wrap, {
          model,
          afterStep: () => {
            averaged.updateParameters(model);
          },
        });
        return { ...subject, state: () => stateOf(averaged), host: () => averaged.nAveraged.value };
      });
    });

    test("a Counter and a Buffer of a module of one's own", async () => {
      class Walk extends nn.Module {
        readonly position = new Buffer(zeros([3]));
        readonly log = new Buffer(zeros([4, 3]));
        readonly row = new Counter(0);
        forward(x: Tensor): Tensor {
          this.position.assign(this.position.add(x));
          this.log.assignRows(this.row, this.position.unsqueeze(0));
          this.row.update((row) => (row + 1) % 4);
          return this.position.sum();
        }
      }
      await expectTwins((wrap) => {
        const walk = new Walk();
        const step = wrap((x: Tensor) => walk.forward(x));
        return {
          call: (index) => step(tensor([index, 1, -index])),
          state: () => walk.buffers(),
          host: () => walk.row.value,
        };
      });
    });

    test("functions of gradients: grad, hooks, recompute, rules of one's own", async () => {
      await expectTwins((wrap) => {
        const model = mlp();
        const double = customVjp(
          (x) => x.mul(2),
          (gradOut) => [gradOut.mul(3)],
        );
        const optimizer = new SGD(model.parameters(), { lr: 0.1 });
        model.parameters()[0]!.registerHook((gradient) => gradient.clamp(-0.1, 0.1));
        const step = wrap((x: Tensor, y: Tensor) => {
          const input = x.clone().requiresGrad_();
          const loss = F.crossEntropy(double(recompute(() => model.forward(input))), y);
          const [slope] = grad(loss, input, { createGraph: true });
          optimizer.zeroGrad();
          loss.add(slope!.square().sum()).backward();
          optimizer.step();
          return loss;
        });
        return { call: (index) => step(batch(index), labels(index)), state: () => stateOf(model) };
      });
    });
  });

  describe("gradients", () => {
    type Placement = "first" | "before backward" | "last" | "never" | "zeros" | "outside" | "between, zeros";
    const placements: Placement[] = ["first", "before backward", "last", "never", "zeros", "outside", "between, zeros"];
    test.for(placements)("zeroGrad: %s", async (placement) => {
      await expectTwins((wrap) => {
        const model = mlp();
        const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
        const zero = (at: Placement, setToNone = true): void => {
          if (placement === at) optimizer.zeroGrad({ setToNone });
        };
        const step = wrap((x: Tensor, y: Tensor) => {
          zero("first");
          zero("zeros", false);
          const loss = F.crossEntropy(model.forward(x), y);
          zero("before backward");
          loss.backward();
          optimizer.step();
          zero("last");
          return loss;
        });
        return {
          call(index) {
            zero("outside");
            zero("between, zeros", false);
            return step(batch(index), labels(index));
          },
          state: () => stateOf(model, optimizer),
        };
      });
    });

    test("add up over two batches of a call", async () => {
      await expectTwins((wrap) => {
        const model = mlp();
        const optimizer = new Adam(model.parameters());
        const step = wrap((batches: readonly { x: Tensor; y: Tensor }[]) => {
          optimizer.zeroGrad();
          const losses = batches.map(({ x, y }) => F.crossEntropy(model.forward(x), y));
          for (const loss of losses) loss.backward();
          optimizer.step();
          return losses;
        });
        const part = (seed: number): { x: Tensor; y: Tensor } => ({ x: batch(seed), y: labels(seed) });
        return { call: (index) => step([part(index), part(index + 50)]), state: () => stateOf(model, optimizer) };
      });
    });

    test("add up over calls, with a step outside after every three", async () => {
      await expectTwins(
        (wrap) => {
          const model = mlp();
          const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
          const accumulate = wrap((x: Tensor, y: Tensor) => {
            const loss = F.crossEntropy(model.forward(x), y);
            loss.backward();
            return loss;
          });
          return {
            call(index) {
              const loss = accumulate(batch(index), labels(index));
              if (index % 3 === 2) {
                optimizer.step();
                optimizer.zeroGrad();
              }
              return loss;
            },
            state: () => stateOf(model, optimizer),
          };
        },
        { calls: 14, replayed: 7 },
      );
    });

    test("two optimizers that take turns in one call", async () => {
      await expectTwins((wrap) => {
        const [maker, judge] = [new nn.Linear(2, 4), mlp()];
        const optimizers = [maker, judge].map((model) => new Adam(model.parameters(), { lr: 0.01 }));
        const [ofMaker, ofJudge] = optimizers as [Adam, Adam];
        const step = wrap((x: Tensor, y: Tensor) => {
          const noise = randn([6, 2]);
          ofJudge.zeroGrad();
          const real = F.crossEntropy(judge.forward(x), y);
          const fake = F.crossEntropy(judge.forward(maker.forward(noise).detach()), zeros([6], { dtype: "i32" }));
          const loss = real.add(fake);
          loss.backward();
          ofJudge.step();
          ofMaker.zeroGrad();
          const fooled = F.crossEntropy(judge.forward(maker.forward(noise)), y).add(loss.detach().mul(0.1));
          fooled.backward();
          ofMaker.step();
          return { loss, fooled };
        });
        return {
          call: (index) => step(batch(index), labels(index)),
          state: () => [...stateOf(maker, ofMaker), ...stateOf(judge, ofJudge)],
        };
      });
    });

    test("of a loss that is read from grad between calls", async () => {
      await expectTwins((wrap) => {
        const model = mlp();
        return classifier(wrap, { model, between: () => model.parameters()[0]!.grad });
      });
    });
  });

  describe("what happens between calls", () => {
    test("evaluating, reading and saving", async () => {
      await expectTwins(
        (wrap) => {
          const model = mlp(new nn.BatchNorm1d(8));
          return classifier(wrap, {
            model,
            between: (index) => {
              if (index % 3 === 0) return model.parameters()[1]!;
              if (index % 3 === 1) return null;
              model.eval();
              const score = noGrad(() => model.forward(batch(99)));
              model.train();
              return score;
            },
          });
        },
        { calls: 16 },
      );
    });

    test("loading a checkpoint, of the model and of the optimizer", async () => {
      await expectTwins(
        (wrap) => {
          const model = mlp();
          const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
          let saved: { model: nn.HostStateDict; optimizer: PackedState } | null = null;
          return classifier(wrap, {
            model,
            optimizer,
            between: async (index) => {
              if (index === 3) {
                saved = {
                  model: await nn.readState(model.stateDict()),
                  optimizer: await packState(optimizer.stateDict()),
                };
              }
              if (index !== 6) return;
              model.loadStateDict(saved!.model);
              optimizer.loadStateDict(unpackState(saved!.optimizer));
            },
          });
        },
        { calls: 12 },
      );
    });

    test("two optimizers of one model that are alike at first", async () => {
      await expectTwins((wrap) => {
        const model = mlp();
        const [first, second] = [1, 2].map(() => new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })) as [SGD, SGD];
        return classifier(wrap, {
          model,
          optimizer: first,
          afterStep: () => {
            second.step();
          },
          between: (index) => {
            if (index === 5) second.paramGroups[0]!.lr = 0.01;
          },
        });
      });
    });

    test("loading momentum for some parameters, which are updated by another kernel then", async () => {
      await expectTwins(
        (wrap) => {
          const model = mlp();
          const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
          const x = batch(3);
          return classifier(wrap, {
            model,
            optimizer,
            afterStep: () => {
              const loss = model.forward(x).square().mean(); // from what the first step made
              optimizer.zeroGrad();
              loss.backward();
              optimizer.step();
            },
            between: (index) => {
              if (index > 5) return;
              const { state, param_groups } = optimizer.stateDict();
              if (index === 5) delete state[1];
              optimizer.loadStateDict({ state, param_groups });
            },
          });
        },
        { calls: 12, replayed: 3 },
      );
    });

    test("other sizes of batches, in turns", async () => {
      await expectTwins((wrap) => classifier(wrap, { size: (index) => (index % 2 === 0 ? 6 : 4) }), {
        calls: 12,
        replayed: 7,
      });
    });

    test("another step by hand", async () => {
      await expectTwins(
        (wrap) => {
          const model = mlp();
          const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
          return classifier(wrap, {
            model,
            optimizer,
            between: (index) => {
              if (index % 4 !== 3) return null;
              optimizer.zeroGrad();
              const loss = model.forward(batch(60)).square().mean();
              loss.backward();
              optimizer.step();
              return loss;
            },
          });
        },
        { calls: 12 },
      );
    });

    test("scalars that wait to be read", async () => {
      await expectTwins((wrap) => {
        const model = mlp();
        const subject = classifier(wrap, { model });
        const waiting: Tensor[] = [];
        return {
          ...subject,
          call(index) {
            waiting.push(model.parameters()[0]!.sum());
            return subject.call(index);
          },
          state: () => [...subject.state(), ...waiting],
        };
      });
    });

    type Change = "eval" | "freeze" | "probability" | "layer" | "hook" | "group" | "amsgrad" | "list";
    const changes: Change[] = ["eval", "freeze", "probability", "layer", "hook", "group", "amsgrad", "list"];
    test.for(changes)("a change that makes it another function: %s", async (change) => {
      const [step] = await expectTwins(
        (wrap) => {
          const model = new Net();
          const spare = new nn.Linear(8, 3);
          const optimizer = new Adam(model.parameters(), { lr: 0.01 });
          const make: Record<Change, () => unknown> = {
            eval: () => model.eval(),
            freeze: () => model.first.weight.requiresGrad_(false),
            probability: () => Object.assign(model.dropout, { p: 0.6 }),
            layer: () => (model.activation = new nn.Sigmoid()),
            hook: () => model.first.weight.registerHook((gradient) => gradient.mul(0.5)),
            group: () => {
              optimizer.addParamGroup({ params: spare.parameters(), lr: 1 });
            },
            amsgrad: () => (optimizer.paramGroups[0]!.amsgrad = true),
            list: () => (model.scales[1] = 0.5),
          };
          return classifier(wrap, {
            model,
            optimizer,
            between: (index) => {
              if (index === 4) make[change]();
            },
          });
        },
        { calls: 12, replayed: 4 },
      );
      expect(step!.status.state).toBe(isGpu() ? "replaying" : "eager");
    });
  });

  describe("arguments and results", () => {
    /** Calls a compiled function until it is replayed, where it can be. */
    const warm = (call: () => unknown): void => {
      for (let index = 0; index < 3; index++) call();
    };

    test("a model's output for inputs that change, whose weights are trained in between", async () => {
      await expectTwins((wrap) => {
        const model = mlp();
        const optimizer = new SGD(model.parameters(), { lr: 0.1 });
        const infer = wrap((x: Tensor) => noGrad(() => model.forward(x)));
        return {
          call(index) {
            const scores = infer(batch(index));
            if (index % 4 === 3) {
              optimizer.zeroGrad();
              model.forward(batch(30)).sum().backward();
              optimizer.step();
            }
            return scores;
          },
          state: () => stateOf(model),
        };
      });
    });

    test("lists and objects, in and out, and what is no tensor", async () => {
      await expectTwins(
        (wrap) => {
          const scale = new Parameter(tensor([2, 3]));
          const fn = wrap((pair: readonly [Tensor, Tensor], { bias, power }: { bias: Tensor; power: number }) => {
            const [a, b] = pair;
            return { sums: [a.add(b), a.sub(b)], scaled: a.mul(scale).add(bias).pow(power), a, scale, none: null };
          });
          const vector = (seed: number): Tensor => tensor(numbers(2, seed));
          return {
            call: (index) =>
              fn([vector(index), vector(index + 20)], { bias: vector(index + 40), power: 2 + (index % 2) }),
            state: () => [],
          };
        },
        { calls: 12 },
      );
    });

    test("one tensor twice is another call than two", async () => {
      await expectTwins(
        (wrap) => {
          const fn = wrap((a: Tensor, b: Tensor) => a.sub(b.mul(2)));
          const [x, y] = [tensor([1, 2]), tensor([5, 7])];
          return { call: (index) => (index % 3 === 2 ? fn(x, y) : fn(x, x)), state: () => [] };
        },
        { calls: 12 },
      );
    });

    test("an argument beside the same tensor from outside", async () => {
      await expectTwins((wrap) => {
        const x = tensor([1, 2]);
        const fn = wrap((a: Tensor) => a.sub(x));
        return { call: (index) => fn(index < 3 ? x : tensor([index, 0])), state: () => [] };
      });
    });

    test("values that are still to be computed, and state", async () => {
      await expectTwins((wrap) => {
        const counts = new Buffer(zeros([3]));
        const fn = wrap((x: Tensor, to: Buffer, from: Tensor) => {
          to.assign(to.add(x).add(from));
          return to.mul(2);
        });
        const other = new Parameter(tensor([1, 1, 1]));
        return {
          call: (index) => fn(tensor([index, 1, 2]).mul(3).add(1), counts, index % 2 === 0 ? other : counts),
          state: () => [counts],
        };
      });
    });

    test("returns its arguments themselves, and parameters themselves", () => {
      const weight = new Parameter(zeros([2]));
      const fn = compile((x: Tensor) => ({ x, weight }), { onFallback: () => expect.fail() });
      for (let index = 0; index < 4; index++) {
        const x = tensor([index]);
        expect(fn(x)).toEqual({ x, weight });
        expect(fn(x).x).toBe(x);
        expect(fn(x).weight).toBe(weight);
      }
    });

    test("returns gradients and other state as it is after the call", async () => {
      await expectTwins((wrap) => {
        const weight = new Parameter(tensor([1, 2]));
        const fn = wrap((x: Tensor) => {
          weight.zeroGrad();
          weight.mul(x).sum().backward();
          return [weight.grad!, weight.grad!.mul(2)];
        });
        return { call: (index) => fn(tensor([index, 3])), state: () => [weight.grad!] };
      });
    });

    test("returns what keep() was asked for, and what a step leaves known", async () => {
      await expectTwins((wrap) => {
        const weight = new Parameter(tensor([1, 2]));
        const optimizer = new SGD([weight], { lr: 0.1 });
        const step = wrap((x: Tensor) => {
          const product = weight.mul(x);
          optimizer.zeroGrad();
          product.sum().backward();
          optimizer.step();
          return [product, keep(product.exp())]; // the step's update waits: both are still known
        });
        return { call: (index) => step(tensor([index, 1])), state: () => [weight] };
      });
    });

    test("refuses what is overwritten when the function returns", () => {
      const total = new Buffer(zeros([2]));
      const fn = compile((x: Tensor) => {
        const before = total.mul(2);
        total.assign(total.add(x));
        defaultDevice().flush();
        return before;
      });
      for (let index = 0; index < 3; index++) expect(() => fn(tensor([index, 1]))).toThrow(StaleTensorError);
    });

    test("results have no history: backward belongs inside", () => {
      const model = mlp();
      const fn = compile((x: Tensor) => model.forward(x).sum());
      warm(() => fn(batch(1)));
      for (let index = 0; index < 3; index++) expect(() => fn(batch(1)).backward()).toThrow(StaleTensorError);
    });

    test("arguments may be disposed of after the call, results too", async () => {
      const fn = compile((x: Tensor) => x.mul(2));
      const values: number[] = [];
      for (let index = 0; index < 6; index++) {
        const x = await tensor([index, 1]).realize();
        using y = fn(x);
        x.dispose();
        values.push((await y.data())[0]!);
      }
      expect(values).toEqual([0, 2, 4, 6, 8, 10]);
    });

    test("an argument that the function disposes of stays the caller's", async () => {
      const fn = compile((x: Tensor) => {
        const y = x.add(1);
        x.dispose();
        return y;
      });
      const x = tensor([1]);
      for (let index = 0; index < 4; index++) expect(await fn(x).item()).toBe(2);
      expect(await x.item()).toBe(1);
    });

    test("what a call does not return is gone", async () => {
      let leaked: Tensor | null = null;
      const fn = compile((x: Tensor) => {
        leaked = x.mul(3);
        return x.mul(2);
      });
      fn(tensor([1]));
      if (isGpu()) await expect(leaked!.data()).rejects.toThrow(StaleTensorError);
    });

    test("inside noGrad it is another function", async () => {
      const weight = new Parameter(tensor([2]));
      const fn = compile((x: Tensor) => {
        const y = weight.mul(x);
        return y.requiresGrad ? grad(y.sum(), weight)[0]! : y;
      });
      for (let index = 0; index < 4; index++) {
        expect(await fn(tensor([5])).item()).toBe(5);
        expect(await noGrad(() => fn(tensor([5]))).item()).toBe(10);
      }
    });

    test("state that moves into one buffer between calls", async () => {
      await expectTwins(
        (wrap) => {
          const [a, b] = [new Parameter(tensor([1, 2])), new Parameter(tensor([3, 4]))];
          const move = wrap((x: Tensor) => {
            a.assign(b.add(x));
            return x.mul(2);
          });
          return {
            call(index) {
              if (index === 5) new SGD([a, b], { lr: 1 });
              return move(tensor([index, 1]));
            },
            state: () => [a, b],
          };
        },
        { calls: 12 },
      );
    });

    test("gradients of an earlier step as arguments are never those of a later one", async () => {
      const weight = new Parameter(tensor([1, 2]));
      const optimizer = new SGD([weight], { lr: 0.1 });
      const fn = compile((x: Tensor) => x.mul(2), { onFallback: () => undefined });
      const backward = (factor: number): Tensor => {
        optimizer.zeroGrad();
        weight.mul(factor).sum().backward();
        optimizer.step();
        return weight.grad!;
      };
      for (let index = 1; index < 5; index++)
        expect([...(await fn(backward(index)).data())]).toEqual([2 * index, 2 * index]);
      const old = backward(5);
      backward(6);
      await expect((async () => fn(old).data())()).rejects.toThrow(StaleTensorError);
    });

    test("what depends on the values of arguments is not decided by those of the recorded calls", async () => {
      // floats become NaN for a class that is not there, as for labels that only the GPU knows
      const loss = compile((x: Tensor, y: Tensor) => F.nllLoss(x, y, { reduction: "none" }));
      const [x, right, wrong] = [zeros([2, 3]), Int32Array.of(0, 2), Int32Array.of(1, 5)];
      if (!isGpu()) expect(() => loss(x, tensor(wrong))).toThrow(IndexError);
      else
        for (let index = 0; index < 5; index++) {
          expect([...(await loss(x, tensor(right)).data())]).toEqual([-0, -0]);
          expect([...(await loss(x, tensor(wrong)).data())]).toEqual([-0, NaN]);
        }
      // a shape would be another one
      const chosen = compile((values: Tensor, mask: Tensor) => values.index(mask));
      const call = (flags: boolean[]): Tensor => chosen(tensor([1, 2, 3]), tensor(flags));
      if (isGpu()) expect(() => call([true, false, true])).toThrow(/a mask must be known to the host/);
      else expect(call([true, false, true]).shape).toEqual([2]);
    });

    test("a compiled function in another is a part of it", async () => {
      await expectTwins((wrap) => {
        const weight = new Parameter(tensor([2, 3]));
        const inner = wrap((x: Tensor) => x.mul(weight));
        const outer = wrap((x: Tensor) => inner(x).add(inner(x.mul(2))));
        return { call: (index) => outer(tensor([index, 1])), state: () => [] };
      });
    });

    test("reset() records anew what nobody can see change", async () => {
      let factor = 2;
      const fn = compile((x: Tensor) => x.mul(factor));
      for (let index = 0; index < 4; index++) expect(await fn(tensor([1])).item()).toBe(2);
      factor = 5;
      fn.reset();
      for (let index = 0; index < 4; index++) expect(await fn(tensor([1])).item()).toBe(5);
    });
  });

  describe("what would be baked in is an error", () => {
    const twice = (fn: (x: Tensor) => Tensor, make: (index: number) => Tensor = () => batch(1)): void => {
      const compiled = compile(fn, { onFallback: () => expect.fail() });
      compiled(make(0));
      compiled(make(1));
      compiled(make(2));
    };

    test("a number that is another one at every call", () => {
      let count = 0;
      expect(() => {
        twice((x) => x.mul(2).add(count++));
      }).toThrow(
        new CompileError(
          "compile: numbers must be the same at every call, got 0 and then 1 in add. Pass it as a tensor argument; rates belong to a schedule of the optimizer, counts to a Counter.",
        ),
      );
    });

    test("an array, a tensor from outside, a norm to clip at", () => {
      let count = 0;
      const rows = (): Int32Array => Int32Array.of(0, count++ % 2);
      expect(() => {
        twice((x) => x.indexSelect(0, tensor(rows())));
      }).toThrow(
        /tensors made in the function must hold the same values at every call, got others in one of \[2\].*Pass it as an argument/,
      );
      const resident: Tensor[] = [zeros([2]), zeros([2]), zeros([2])].map((x) => x.add(1));
      for (const x of resident) void x.realize();
      if (isGpu()) {
        expect(() => {
          twice((x) => x.sum().add(resident[count++ % 3]!));
        }).toThrow(/tensors from outside must be the same at every call, got two of \[2\]/);
      }
      const model = mlp();
      expect(() => {
        twice((x) => {
          model.zeroGrad();
          model.forward(x).sum().backward();
          return nn.utils.clipGradNorm_(model.parameters(), 1 + count++);
        });
      }).toThrow(/got \d and then \d in clipGradNorm_: maxNorm/);
    });

    test("a rate of an optimizer of one's own, once it changes, is seen", async () => {
      class Plain extends SGD {
        protected override get readsAnew(): boolean {
          return false;
        }
        override step(): void {
          const { lr } = this.paramGroups[0]!;
          for (const parameter of this.parameters) parameter.assign(parameter.detach().sub(parameter.grad!.mul(lr)));
        }
      }
      await expectTwins(
        (wrap) => {
          const model = mlp();
          const optimizer = new Plain(model.parameters(), { lr: 0.1 });
          return classifier(wrap, {
            model,
            optimizer,
            between: (index) => {
              if (index === 4) optimizer.paramGroups[0]!.lr = 0.01;
            },
          });
        },
        { calls: 12 },
      );
    });

    test("results and arguments that are no tensors", () => {
      const wrong = compile((() => 3) as unknown as () => Tensor);
      expect(() => wrong()).toThrow(/compile: the function must return tensors, .*, got 3\./);
      const model = new MoCo(() => mlp(), { dim: 3, queueSize: 6 });
      const output = compile((x: Tensor) => model.forward(x, x) as unknown as Tensor);
      expect(() => output(batch(1))).toThrow(CompileError);
      const array = compile((rows: Int32Array) => tensor(rows));
      expect(() => array(Int32Array.of(1))).toThrow(/compile: arguments with values that change must be tensors/);
      expect(() => compile(3 as unknown as () => Tensor)).toThrow(ValueError);
    });
  });

  describe("what cannot be replayed runs as it is, and says why", () => {
    async function reasonsOf(fn: (x: Tensor) => unknown, calls = 20): Promise<string[]> {
      const reasons: string[] = [];
      const compiled = compile(fn as (x: Tensor) => Promise<unknown>, { onFallback: (reason) => reasons.push(reason) });
      for (let index = 0; index < calls; index++) await compiled(tensor([index, 1]));
      if (reasons.length > 0) expect(compiled.status).toMatchObject({ state: "eager", replayed: 0, recorded: calls });
      return reasons;
    }

    test("reading on the way", async () => {
      const seen: number[] = [];
      const reasons = await reasonsOf((x) => {
        void x.sum().item().then((value) => seen.push(value)); // prettier-ignore
        return x;
      }, 4);
      expect(reasons).toEqual([expect.stringMatching(/^reads values on the way/)]);
      await expect.poll(() => seen).toEqual([1, 2, 3, 4]);
    });

    test("waiting", async () => {
      expect(await reasonsOf(async (x) => x.mul(await x.sum().item()), 4)).toEqual([
        "is async: it must not wait for anything",
      ]);
    });

    test("a warning on the console, unless somebody listens", async () => {
      expectConsole(/warn: compile: the function runs as it is at every call, since it is async/);
      const fn = compile(async (x: Tensor) => await x.realize());
      for (let index = 0; index < 3; index++) await fn(tensor([index]));
    });

    test("state of the host that it sets itself", async () => {
      const counter = new Counter();
      const model = new Net();
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const generator = new Generator(1);
      expect(await reasonsOf((x) => (counter.value++, x.mul(2)))).toEqual([
        expect.stringMatching(/^sets the value of a Counter/),
      ]);
      expect(await reasonsOf((x) => (model.scales.push(1), x.mul(2)))).toEqual(["changes fields of Net"]);
      expect(await reasonsOf((x) => (generator.manualSeed(3), x.add(rand([2], { generator }))))).toEqual(["sets the state of a generator"]); // prettier-ignore
      const step = (x: Tensor): Tensor => {
        const loss = model.first.weight.mul(x.sum()).sum();
        optimizer.zeroGrad();
        loss.backward();
        optimizer.paramGroups[0]!.lr *= 0.9;
        optimizer.step();
        return loss;
      };
      expect(await reasonsOf(step)).toEqual([expect.stringMatching(/^sets options of SGD itself/)]);
    });

    test("gradients of tensors that are no parameters, and arguments that require some", async () => {
      const leaf = tensor([1, 2]).requiresGrad_();
      const reasons = await reasonsOf((x) => {
        const loss = leaf.mul(x).sum();
        loss.backward();
        return loss;
      });
      expect(reasons).toEqual(["adds to the grad of a tensor that is no parameter"]);
      expect([...(await leaf.grad!.data())]).toEqual([190, 20]);
      const fn = compile((x: Tensor) => x.mul(2).sum(), { onFallback: () => undefined });
      const x = tensor([1, 2]).requiresGrad_();
      for (let index = 0; index < 20; index++) fn(x).backward();
      expect([...(await x.grad!.data())]).toEqual([40, 40]);
      expect(fn.status.reason).toMatch(/^is given tensors that require gradients/);
    });

    test("another graph at every call", async () => {
      let count = 0;
      expect(
        await reasonsOf((x) =>
          x
            .reshape([1, 2])
            .expand([1 + count++, 2])
            .mul(2),
        ),
      ).toEqual([
        expect.stringMatching(/^computes other values: expand f32\[\d+, 2\], and then expand f32\[\d+, 2\]$/),
      ]);
    });

    test("state that it makes itself", async () => {
      const reasons = await reasonsOf((x) => new Buffer(x.mul(2)).add(1));
      expect(reasons).toHaveLength(1);
    });
  });

  describe("errors", () => {
    test("that the function throws leave what it did until then, and later calls go on", async () => {
      await expectTwins(
        (wrap) => {
          const model = mlp(new nn.BatchNorm1d(8));
          const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
          const step = wrap((x: Tensor, y: Tensor) => {
            const loss = F.crossEntropy(model.forward(x), y);
            if (x.shape[0] === 4) throw new RangeError("four");
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
            return loss;
          });
          return {
            call(index) {
              const n = index === 1 || index === 6 ? 4 : 6;
              try {
                return step(batch(index, n), labels(index, n));
              } catch (error) {
                return String(error);
              }
            },
            state: () => stateOf(model, optimizer),
          };
        },
        { calls: 14 },
      );
    });

    test("of options that are wrong come as ever, and change nothing more", async () => {
      await expectTwins(
        (wrap) => {
          const model = new MoCo(() => mlp(), { dim: 3, queueSize: 12, momentum: 0.9 });
          const optimizer = new SGD(model.encoderQ.parameters(), { lr: 0.1, momentum: 0.9 });
          const subject = classifier(wrap, { model: model.encoderQ, optimizer });
          const step = wrap((x: Tensor) => {
            const { loss } = model.forward(x, x.mul(0.9));
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
            return loss;
          });
          const call = (index: number): unknown => {
            try {
              return step(batch(index));
            } catch (error) {
              return String(error);
            }
          };
          return {
            ...subject,
            call(index) {
              const options = optimizer.paramGroups[0]!;
              if (index === 6) options.lr = -1;
              if (index === 8) model.momentum = 2;
              const result = call(index);
              options.lr = 0.1;
              model.momentum = 0.9;
              return result;
            },
            state: () => stateOf(model, optimizer),
            host: () => [model.queuePtr.value, defaultGenerator().getState()],
          };
        },
        { calls: 12, replayed: 5 },
      );
    });

    test("in the middle of a replay leave state as it was before", async () => {
      const model = mlp();
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const schedule = new OneCycleLR(optimizer, 0.1, { totalSteps: 6, cycleMomentum: false });
      const rows = new Counter(0);
      const log = new Buffer(zeros([4, 1]));
      const step = compile((x: Tensor, y: Tensor) => {
        const loss = F.crossEntropy(model.forward(x), y);
        optimizer.zeroGrad();
        loss.backward();
        log.assignRows(rows, loss.detach().reshape([1, 1]));
        schedule.step(); // throws once it is over
        optimizer.step();
        return loss;
      });
      for (let index = 0; index < 6; index++) step(batch(index), labels(index));
      expect(step.status.replayed).toBe(isGpu() ? 3 : 0);
      const before = await log.data(); // not the weights, or the step's update would run, and another kind of call follow
      if (isGpu()) expect(() => step(batch(6), labels(6))).toThrow(/OneCycleLR: there must be at most 6 steps/);
      expect(step.status.replayed).toBe(isGpu() ? 3 : 0);
      expect(await log.data()).toEqual(before);
      rows.update(() => 4);
      expect(() => step(batch(6), labels(6))).toThrow(ShapeError);
      expect(await log.data()).toEqual(before);
    });

    test("of shapes are those of the function, at every call", () => {
      const fn = compile((x: Tensor) => x.matmul(zeros([4, 2])));
      for (let index = 0; index < 3; index++) expect(() => fn(zeros([2, 3]))).toThrow(ShapeError);
      for (let index = 0; index < 3; index++) expect(fn(zeros([3, 4])).shape).toEqual([3, 2]);
      expect(() => fn(zeros([2, 3]))).toThrow(ShapeError);
    });
  });

  describe("MoCo", () => {
    class SmallEncoder extends nn.Module {
      readonly conv = new nn.Conv2d(1, 4, 3, { stride: 2, padding: 1 });
      readonly norm = new nn.SplitBatchNorm2d(4, 2);
      readonly fc = new nn.Linear(4, 6);
      forward(x: Tensor): Tensor {
        const hidden = this.norm.forward(this.conv.forward(x)).relu();
        return this.fc.forward(F.adaptiveAvgPool2d(hidden, 1).flatten(1));
      }
    }
    const bytes = Uint8Array.from({ length: 12 * 64 }, (_, i) => (i * 7919) % 256);

    test.for([true, false])(
      "shuffling %s, views drawn on the way, a schedule, and momentum that rises",
      async (shuffle) => {
        await expectTwins((wrap) => {
          const model = new MoCo(() => new SmallEncoder(), {
            dim: 6,
            queueSize: 16,
            momentum: 0.9,
            temperature: 0.2,
            shuffle,
          });
          const optimizer = new SGD(model.encoderQ.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 });
          const schedule = new CosineAnnealingLR(optimizer, 20);
          const images = tensor(bytes, { shape: [12, 1, 8, 8] });
          void images.realize();
          const step = wrap((rows: Tensor) => {
            const { loss, top1, top5, keys } = model.forward(mocoAugment(images, rows), mocoAugment(images, rows));
            keep(keys);
            const accuracies = [top1, top5];
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
            schedule.step();
            return { loss, accuracies, keys };
          });
          return {
            async call(index) {
              const rows = await tensor(Int32Array.of(0, 1, 2, 3).map((row) => (3 * row + index) % 12)).realize();
              model.momentum = 0.9 + index / 200;
              return step(rows);
            },
            state: () => stateOf(model, optimizer),
            host: () => [model.queuePtr.value, defaultGenerator().getState(), optimizer.paramGroups[0]!.lr],
          };
        });
      },
    );

    test("whose encoders share an arena with another model", async () => {
      await expectTwins((wrap) => {
        const encoderQ = mlp();
        const other = new nn.Linear(4, 3);
        const optimizer = new SGD([...encoderQ.parameters(), ...other.parameters()], { lr: 0.1 });
        const model = new MoCo({ encoderQ, encoderK: mlp() }, { dim: 3, queueSize: 12, momentum: 0.9 });
        const step = wrap((x: Tensor) => {
          const { loss } = model.forward(x, x.mul(0.9));
          optimizer.zeroGrad();
          loss.add(other.forward(x).square().mean()).backward();
          optimizer.step();
          return loss;
        });
        return { call: (index) => step(batch(index)), state: () => [...stateOf(model, optimizer), ...stateOf(other)] };
      });
    });
  });
}
