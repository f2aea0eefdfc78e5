/** Twenty steps of a very small MoCo in seven configurations, against PyTorch and the authors' order of things. */

import { describe, expect, test } from "vitest";
import { tensor } from "../../src/creation";
import * as F from "../../src/functional";
import type { TypedArray } from "../../src/graph/dtype";
import { MoCo } from "../../src/moco";
import type { HeadFactory } from "../../src/models";
import { BatchNorm2d, Conv2d, Identity, type Layer, Linear, Module, ReLU, Sequential } from "../../src/nn";
import { SGD } from "../../src/optim";
import type { Tensor } from "../../src/tensor";
import goldens from "../goldens/moco.json";
import { expectGoldens, type GoldenTensor, goldenValues } from "./golden";

interface Config {
  readonly name: string;
  readonly head: "linear" | "mlp";
  readonly temperature: number;
  readonly m: number;
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly batchNorm: boolean;
  readonly symmetric?: boolean;
  readonly queueSize?: number;
}

interface Result {
  readonly loss: GoldenTensor;
  readonly top1: readonly number[];
  readonly top5: readonly number[];
  readonly final: Readonly<Record<string, GoldenTensor>>;
  readonly momentumBuffers: Readonly<Record<string, GoldenTensor | null>>;
}

interface Run {
  readonly config: Config;
  readonly lrs: readonly number[];
  readonly initial: Readonly<Record<string, GoldenTensor>>;
  readonly f64: Result;
  readonly spread: { readonly loss: number; readonly state: number; readonly momentumBuffers: number };
}

const DIM = 16;
const QUEUE_SIZE = 32;

/** Two convolutions of stride 2, global average pooling, head. */
export class Encoder extends Module {
  readonly conv1: Conv2d;
  readonly bn1: Layer;
  readonly conv2: Conv2d;
  readonly bn2: Layer;
  readonly fc: Layer;

  constructor({ head, batchNorm }: { readonly head: "linear" | "mlp" | HeadFactory; readonly batchNorm: boolean }) {
    super();
    const options = { stride: 2, padding: 1, bias: !batchNorm };
    this.conv1 = new Conv2d(1, 4, 3, options);
    this.bn1 = batchNorm ? new BatchNorm2d(4) : new Identity();
    this.conv2 = new Conv2d(4, 8, 3, options);
    this.bn2 = batchNorm ? new BatchNorm2d(8) : new Identity();
    if (typeof head === "function") this.fc = head(8, DIM);
    else this.fc = head === "linear" ? new Linear(8, DIM) : mlp();
  }

  forward(x: Tensor): Tensor {
    const first = this.bn1.forward(this.conv1.forward(x)).relu();
    const second = this.bn2.forward(this.conv2.forward(first)).relu();
    return this.fc.forward(F.adaptiveAvgPool2d(second, 1).flatten(1));
  }
}

const mlp = (): Sequential => new Sequential(new Linear(8, 8), new ReLU(), new Linear(8, DIM));

const [STEPS, BATCH, CHANNELS, HEIGHT, WIDTH] = goldens.imQ.shape as [number, number, number, number, number];

/** The images of one step, as the network sees them. */
export function images(golden: GoldenTensor, step: number): Tensor {
  const size = BATCH * CHANNELS * HEIGHT * WIDTH;
  const bytes = goldenValues(golden).subarray(step * size, (step + 1) * size) as Uint8Array;
  return tensor(bytes, { shape: [BATCH, CHANNELS, HEIGHT, WIDTH] })
    .float()
    .div(8)
    .sub(1);
}

const permutationOf = (step: number): readonly number[] =>
  goldens.permutations.data.slice(step * BATCH, (step + 1) * BATCH);

export function mocoSteps(): void {
  describe("MoCo against PyTorch", () => {
    for (const run of goldens.runs as unknown as readonly Run[]) test(run.config.name, () => follow(run));
  });
}

/** A model with the recorded weights, and its optimizer over both encoders' parameters, as in the authors' code. */
export function startRun({ config, initial }: Run): { model: MoCo; optimizer: SGD } {
  const { m, temperature, lr, momentum, weightDecay, symmetric = false, queueSize = QUEUE_SIZE } = config;
  const options = { dim: DIM, queueSize, momentum: m, temperature, symmetric };
  const model = new MoCo(() => new Encoder(config), options);
  loadGoldens(model, initial);
  return { model, optimizer: new SGD(model.parameters(), { lr, momentum, weightDecay }) };
}

/** Sets all of a model's state. */
export function loadGoldens(model: Module, initial: Readonly<Record<string, GoldenTensor>>): void {
  const state: Record<string, Omit<GoldenTensor, "data"> & { readonly data: TypedArray }> = {};
  for (const [name, golden] of Object.entries(initial)) state[name] = { ...golden, data: goldenValues(golden) };
  model.loadStateDict(state);
}

async function follow(run: Run): Promise<void> {
  const { model, optimizer } = startRun(run);
  const losses: Tensor[] = [];
  const top1: Tensor[] = [];
  const top5: Tensor[] = [];
  for (let step = 0; step < STEPS; step++) {
    optimizer.paramGroups[0]!.lr = run.lrs[step]!;
    const imQ = images(goldens.imQ, step);
    const imK = images(goldens.imK, step);
    const output = model.forward(imQ, imK, { permutation: permutationOf(step) });
    losses.push(output.loss);
    top1.push(output.top1);
    top5.push(output.top5);
    optimizer.zeroGrad();
    output.loss.backward();
    optimizer.step();
  }
  const { f64, spread } = run;
  // Read at the end: scalars of all steps are still there.
  for (let step = 0; step < STEPS; step++) {
    const expected = f64.loss.data[step] as number;
    expect(Math.abs((await losses[step]!.item()) - expected), `loss of step ${step}, ${expected}`).toBeLessThan(
      1e-4 * expected,
    );
    expect(await top1[step]!.item(), `top1 of step ${step}`).toBeCloseTo(f64.top1[step]!, 4);
    expect(await top5[step]!.item(), `top5 of step ${step}`).toBeCloseTo(f64.top5[step]!, 4);
  }
  const state = model.stateDict();
  expect(Object.keys(state)).toEqual(Object.keys(f64.final));
  await expectGoldens(
    Object.entries(f64.final).map(([name, golden]) => ({ name, actual: state[name]!, golden })),
    { steps: STEPS, spread: spread.state },
  );
  const saved = optimizer.stateDict().state;
  const names = [...model.encoderQ.namedParameters()].map(([name]) => name);
  expect(Object.keys(saved)).toHaveLength(names.length); // none for the key encoder
  await expectGoldens(
    names.map((name, index) => ({
      name: `momentum of ${name}`,
      actual: saved[index]!.momentum_buffer,
      golden: f64.momentumBuffers[name]!,
    })),
    { steps: STEPS, spread: spread.momentumBuffers },
  );
}
