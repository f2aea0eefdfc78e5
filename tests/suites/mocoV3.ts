/** Twenty steps of a very small MoCo v3 in two configurations, against PyTorch. */

import { describe, expect, test } from "vitest";
import { compile } from "../../src/compile";
import { CosineMomentum, MoCoV3, readCheckpoint, writeCheckpoint } from "../../src/moco";
import { AdamW, LARS, SGD } from "../../src/optim";
import type { Parameter } from "../../src/parameter";
import { manualSeed } from "../../src/random";
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

  test.each([
    ["LARS", (parameters: Parameter[]) => new LARS(parameters, { lr: 1, momentum: 0.9, weightDecay: 1e-6 })],
    ["AdamW", (parameters: Parameter[]) => new AdamW(parameters, { lr: 0.01, weightDecay: 0.1 })],
  ] as const)("MoCo v3 learns with %s in compiled steps, and goes on from a checkpoint to the bit", async (_, make) => {
    const made = () => {
      manualSeed(2);
      const encoder: ConstructorParameters<typeof MoCoV3>[0] = ({ head }) => new Encoder({ head, batchNorm: true });
      const model = new MoCoV3(encoder, { dim: 16, mlpDim: 12, temperature: 0.5 });
      const optimizer = make([...model.baseEncoder.parameters(), ...model.predictor.parameters()]);
      const momentum = new CosineMomentum(model, 30);
      const step = compile((imQ: Tensor, imK: Tensor) => {
        optimizer.zeroGrad();
        const { loss } = model.forward(imQ, imK);
        loss.backward();
        optimizer.step();
        momentum.step();
        return loss;
      });
      const losses = async (from: number, to: number): Promise<number[]> => {
        const found: number[] = [];
        for (let i = from; i < to; i++)
          found.push(await step(images(goldens.imQ, i % 4), images(goldens.imK, i % 4)).item());
        return found;
      };
      return { losses, parts: { model, optimizer, states: { momentum } } };
    };
    const whole = made();
    const first = await whole.losses(0, 12);
    const bytes = await writeCheckpoint(whole.parts);
    const rest = await whole.losses(12, 24);
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
    expect(mean(rest.slice(-4)), "the same four batches").toBeLessThan(mean(first.slice(0, 4)) - 0.1);
    const resumed = made();
    await resumed.losses(0, 3);
    await readCheckpoint(resumed.parts, bytes);
    expect(await resumed.losses(12, 24)).toEqual(rest);
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
