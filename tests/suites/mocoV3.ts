/** Twenty steps of a very small MoCo v3 in two configurations, against PyTorch. */

import { describe, expect, test } from "vitest";
import { CosineMomentum, MoCoV3 } from "../../src/moco";
import { SGD } from "../../src/optim";
import type { Tensor } from "../../src/tensor";
import goldens from "../goldens/mocoV3.json";
import { expectGoldens, type GoldenTensor } from "./golden";
import { Encoder, images, loadGoldens } from "./moco";

interface Run {
  readonly config: {
    readonly name: string;
    readonly temperature: number;
    readonly m: number;
    readonly lr: number;
    readonly momentum: number;
    readonly weightDecay: number;
  };
  readonly initial: Readonly<Record<string, GoldenTensor>>;
  readonly f64: {
    readonly loss: GoldenTensor;
    readonly top1: readonly number[];
    readonly final: Readonly<Record<string, GoldenTensor>>;
    readonly momentumBuffers: Readonly<Record<string, GoldenTensor>>;
  };
  readonly spread: { readonly loss: number; readonly state: number; readonly momentumBuffers: number };
}

const STEPS = goldens.imQ.shape[0]!;

const ZERO_MEANS = "predictor.1.running_mean";

export function mocoV3Steps(): void {
  describe("MoCo v3 against PyTorch", () => {
    for (const run of goldens.runs as unknown as readonly Run[]) test(run.config.name, () => follow(run));
  });
}

async function follow({ config, initial, f64, spread }: Run): Promise<void> {
  const { temperature, m, lr, momentum, weightDecay } = config;
  const options = { dim: 16, mlpDim: 12, momentum: m, temperature };
  const model = new MoCoV3(({ head }) => new Encoder({ head, batchNorm: true }), options);
  loadGoldens(model, initial);
  const optimizer = new SGD([...model.baseEncoder.parameters(), ...model.predictor.parameters()], {
    lr,
    momentum,
    weightDecay,
  });
  const schedule = new CosineMomentum(model, STEPS);
  const losses: Tensor[] = [];
  const top1: Tensor[] = [];
  for (let step = 0; step < STEPS; step++) {
    const output = model.forward(images(goldens.imQ, step), images(goldens.imK, step));
    losses.push(output.loss);
    top1.push(output.top1);
    optimizer.zeroGrad();
    output.loss.backward();
    optimizer.step();
    schedule.step();
  }
  for (let step = 0; step < STEPS; step++) {
    const expected = f64.loss.data[step] as number;
    // twenty times what PyTorch's own f32 strays over all steps
    const off = Math.abs((await losses[step]!.item()) - expected);
    expect(off, `loss of step ${step}, ${expected}`).toBeLessThan(20 * spread.loss);
    expect(await top1[step]!.item(), `top1 of step ${step}`).toBeCloseTo(f64.top1[step]!, 4);
  }
  const state = model.stateDict();
  expect(Object.keys(state)).toEqual(Object.keys(f64.final));
  // The predictor's first layer sees features whose mean is 0, so its outputs' means are what rounding leaves of numbers near 1.
  for (const mean of await state[ZERO_MEANS]!.data()) expect(Math.abs(mean)).toBeLessThan(1e-6);
  await expectGoldens(
    Object.entries(f64.final)
      .filter(([name]) => name !== ZERO_MEANS)
      .map(([name, golden]) => ({ name, actual: state[name]!, golden })),
    { steps: STEPS, spread: spread.state },
  );
  const names = [...model.baseEncoder.namedParameters()].length;
  const saved = optimizer.stateDict().state;
  await expectGoldens(
    [...model.predictor.namedParameters()].map(([name], index) => ({
      name: `momentum of ${name}`,
      actual: saved[names + index]!.momentum_buffer,
      golden: f64.momentumBuffers[name]!,
    })),
    { steps: STEPS, spread: spread.momentumBuffers },
  );
}
