/** A hundred steps of four small models under every optimizer, against PyTorch. */

import { describe, expect, test } from "vitest";
import { F, nn, optim, tensor, type Tensor } from "../../src";
import { sizeOf } from "../../src/graph/shape";
import { BasicBlock, batchNorm2d } from "../../src/models";
import { type StateArray } from "../../src/nn";

interface Golden {
  readonly name: string;
  readonly model: keyof typeof MODELS;
  readonly optimizer: "SGD" | "Adam" | "AdamW" | "RMSprop" | "LARS";
  readonly options: { readonly lr: number };
  readonly losses: readonly number[];
  readonly state: Readonly<Record<string, readonly number[]>>;
  readonly lossSpread: number;
  readonly stateSpreads: Readonly<Record<string, number>>;
}

const goldens = Object.values(
  import.meta.glob<readonly Golden[]>("../goldens/trajectories.json", { eager: true, import: "default" }),
).flat();

const STEPS = 100;
const BATCHES = 5;
const CLASSES = 3;

/** `around +- scale` without a pattern, as `tests/goldens/generators/trajectories.py` has it. */
function formula(shape: readonly number[], scale: number, phase: number, around = 0): StateArray {
  const wave = (i: number): number => 1000 * Math.sin(i + 1 + phase);
  const part = (i: number): number => Math.fround(scale * (2 * (wave(i) - Math.floor(wave(i))) - 1));
  return { shape, dtype: "f32", data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => part(i) + around) };
}

class Transformer extends nn.Module {
  readonly encoder = new nn.TransformerEncoder(
    new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12, dropout: 0, batchFirst: true }),
    2,
  );
  readonly fc = new nn.Linear(8, CLASSES);

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.encoder.forward(x).mean(1));
  }
}

const plain = { bias: false };

/** How a model is made, and one input's shape. */
const MODELS = {
  mlp: [
    () =>
      new nn.Sequential(new nn.Linear(6, 8), new nn.ReLU(), new nn.Linear(8, 8), new nn.Tanh(), new nn.Linear(8, 3)),
    [8, 6],
  ],
  cnn: [
    () =>
      new nn.Sequential(
        new nn.Conv2d(1, 4, 3, { padding: 1, ...plain }),
        new nn.BatchNorm2d(4),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1, ...plain }),
        new nn.BatchNorm2d(6),
        new nn.ReLU(),
        new nn.Flatten(),
        new nn.Linear(24, 3),
      ),
    [6, 1, 8, 8],
  ],
  residual: [
    () =>
      new nn.Sequential(
        new nn.Conv2d(2, 4, 3, { padding: 1, ...plain }),
        new BasicBlock(4, 6, 2, batchNorm2d),
        new nn.AdaptiveAvgPool2d(1),
        new nn.Flatten(),
        new nn.Linear(6, 3),
      ),
    [6, 2, 6, 6],
  ],
  transformer: [() => new Transformer(), [4, 5, 8]],
} as const satisfies Record<string, readonly [() => nn.Layer, readonly number[]]>;

/** The same first values on both sides: a formula of each tensor's place in the state dict. */
function fill(model: nn.Module): void {
  const first = (name: string, current: Tensor, place: number): Tensor | StateArray => {
    const { shape, dtype } = current;
    if (dtype !== "f32") return current;
    if (shape.length > 1) return formula(shape, 1.7 / Math.sqrt(sizeOf(shape.slice(1))), place);
    return formula(shape, 0.2, place, /(running_var|weight)$/.test(name) ? 1 : 0);
  };
  const state = Object.entries(model.stateDict()).map(
    ([name, current], place) => [name, first(name, current, place)] as const,
  );
  model.loadStateDict(Object.fromEntries(state));
}

/** WGSL's functions stray up to 8 times as far as IEEE's roundings, of which PyTorch's two runs are only one sample. */
const allowed = (expected: number, spread: number): number => (32 * spread + 1e-5) * Math.max(1, Math.abs(expected));

function expectClose(name: string, actual: readonly number[], expected: readonly number[], spread: number): void {
  expect(actual, name).toHaveLength(expected.length);
  const off = expected.findIndex((value, i) => !(Math.abs(actual[i]! - value) <= allowed(value, spread)));
  expect(off < 0 ? null : `${name} [${off}]: got ${actual[off]}, expected ${expected[off]}`).toBeNull();
}

async function check(golden: Golden): Promise<void> {
  const [make, shape] = MODELS[golden.model];
  const model: nn.Layer = make();
  fill(model);
  const optimizer = new optim[golden.optimizer](model.parameters(), golden.options);
  const batches = Array.from({ length: BATCHES }, (_, b) => {
    const labels = Int32Array.from({ length: shape[0] }, (_, i) => (i * i + b) % CLASSES);
    return [tensor(formula(shape, 1.7, 100 * b).data as Float32Array, { shape }), tensor(labels)] as const;
  });
  const losses: Tensor[] = [];
  for (let step = 0; step < STEPS; step++) {
    const [x, y] = batches[step % BATCHES]!;
    const loss = F.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    if (step % 10 === 0 || step % 10 === 9) losses.push(loss);
  }
  const found = await Promise.all(losses.map((loss) => loss.item()));
  expectClose("losses", found, golden.losses, golden.lossSpread);
  const state = await nn.readState(model.stateDict());
  for (const [name, expected] of Object.entries(golden.state)) {
    const values = Array.from(state[name]!.data);
    const mean = values.reduce((total, value) => total + value, 0) / values.length;
    expectClose(name, [mean, ...values.slice(0, 3)], expected, golden.stateSpreads[name]!);
  }
}

export function trajectories(): void {
  describe("a hundred steps", () => {
    for (const golden of goldens) test(golden.name, () => check(golden));

    test("of every optimizer that there is", () => {
      const optimizers = Object.entries(optim).filter(
        ([name, value]) =>
          typeof value === "function" && value.prototype instanceof optim.Optimizer && name !== "Optimizer",
      );
      expect(optimizers.map(([name]) => name).sort()).toEqual(
        [...new Set(goldens.map(({ optimizer }) => optimizer))].sort(),
      );
    });
  });
}
