/** What optimizers and clipping cost, in counts: they are exact on every machine. */

import { beforeAll, describe, expect, it } from "vitest";
import { type Device, F, init, manualSeed, nn, ones, optim, type Parameter, tensor } from "flywheel";
import { MoCo } from "flywheel/moco";
import { gpuCallsOf } from "../helpers/gpuCalls";

let device: Device;
beforeAll(async () => {
  device = await init({ device: "webgpu" });
});

const OPTIMIZERS: Readonly<
  Record<string, { make: (params: Parameter[]) => optim.Optimizer; kernels: readonly string[] }>
> = {
  SGD: { make: (params) => new optim.SGD(params, { lr: 0.01, momentum: 0.9 }), kernels: ["momentumSgdUniform"] },
  Adam: { make: (params) => new optim.Adam(params), kernels: ["adam"] },
  "Adam, amsgrad": { make: (params) => new optim.Adam(params, { amsgrad: true }), kernels: ["adam"] },
  AdamW: { make: (params) => new optim.AdamW(params), kernels: ["adam"] },
  RMSprop: { make: (params) => new optim.RMSprop(params), kernels: ["rmsProp"] },
  "RMSprop, all of it": {
    make: (params) => new optim.RMSprop(params, { centered: true, momentum: 0.9 }),
    kernels: ["rmsProp"],
  },
  LARS: { make: (params) => new optim.LARS(params, { lr: 0.1 }), kernels: ["larsNorms", "larsTrust", "lars"] },
};

/** 22 tensors. */
const model = (): nn.Sequential =>
  new nn.Sequential(...Array.from({ length: 11 }, () => [new nn.Linear(6, 6), new nn.Tanh()]).flat());

function trainingOf(
  make: (params: Parameter[]) => optim.Optimizer,
  beforeStep: (params: Parameter[]) => unknown = () => undefined,
): { step: (index: number) => Promise<void>; params: Parameter[] } {
  manualSeed(0);
  const net = model();
  const params = net.parameters();
  const optimizer = make(params);
  const step = async (index: number): Promise<void> => {
    const x = tensor(
      Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * index)),
      { shape: [4, 6] },
    );
    const loss = F.mseLoss(net.forward(x), x);
    optimizer.zeroGrad();
    loss.backward();
    beforeStep(params);
    optimizer.paramGroups[0]!.lr = 0.01 / (1 + index); // a schedule compiles nothing anew
    optimizer.step();
    expect(await loss.item()).toBeGreaterThan(0);
  };
  return { step, params };
}

const UPDATES = /^(momentumSgd.*|adam|rmsProp|lars.*|ema|gradNorm|clip.*)$/;

describe("a training step", () => {
  for (const [name, { make, kernels }] of Object.entries(OPTIMIZERS)) {
    it(`of ${name} updates 22 tensors in ${kernels.length === 1 ? "one dispatch" : "three dispatches"}, and creates nothing`, async () => {
      const { step } = trainingOf(make);
      for (let index = 0; index < 8; index++) await step(index);
      const plansBefore = device.counters().plansMade;
      const memoryBefore = device.memory().liveByteLength;
      const calls = await gpuCallsOf(async () => {
        for (let index = 8; index < 11; index++) await step(index);
      });
      expect(calls.kernels.filter((kernel) => UPDATES.test(kernel))).toEqual([...kernels, ...kernels, ...kernels]);
      expect(calls).toMatchObject({ submits: 3, buffers: 0, bindGroups: 0, pipelines: 0, modules: 0 });
      expect(device.counters().plansMade).toBe(plansBefore);
      expect(device.memory().liveByteLength).toBe(memoryBefore);
    });
  }

  const CLIPPINGS: Readonly<Record<string, { clip: (params: Parameter[]) => unknown; kernels: readonly string[] }>> = {
    norm: {
      clip: (params) => nn.utils.clipGradNorm_(params, 0.1),
      kernels: ["gradNorm", "clipFactor", "clipGradNorm"],
    },
    value: {
      clip: (params) => {
        nn.utils.clipGradValue_(params, 0.01);
      },
      kernels: ["clipGradValue"],
    },
  };
  for (const [name, { clip, kernels }] of Object.entries(CLIPPINGS)) {
    it(`clips 22 gradients by ${name} in ${kernels.length} of its dispatches, in the step's submit`, async () => {
      const { step } = trainingOf((params) => new optim.AdamW(params), clip);
      for (let index = 0; index < 8; index++) await step(index);
      const plansBefore = device.counters().plansMade;
      const memoryBefore = device.memory().liveByteLength;
      const calls = await gpuCallsOf(async () => {
        for (let index = 8; index < 11; index++) await step(index);
      });
      // the update of the step before comes first
      const each = ["adam", ...kernels];
      expect(calls.kernels.filter((kernel) => UPDATES.test(kernel))).toEqual([...each, ...each, ...each]);
      expect(calls).toMatchObject({ submits: 3, buffers: 0, bindGroups: 0, pipelines: 0, modules: 0 });
      expect(device.counters().plansMade).toBe(plansBefore);
      expect(device.memory().liveByteLength).toBe(memoryBefore);
    });
  }

  it("averages 22 tensors in one dispatch, or in that of SGD", async () => {
    for (const [make, expected] of [
      [OPTIMIZERS.Adam!.make, ["adam", "ema"]],
      [OPTIMIZERS.SGD!.make, ["momentumSgdUniform"]],
    ] as const) {
      manualSeed(0);
      const net = model();
      const averaged = new optim.AveragedModel(net, { decay: 0.9 });
      const optimizer = make(net.parameters());
      const step = async (): Promise<void> => {
        const loss = net
          .forward(ones([4, 6]))
          .square()
          .mean();
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        averaged.updateParameters(net);
        expect(await loss.item()).toBeGreaterThan(0);
      };
      for (let index = 0; index < 8; index++) await step();
      const memoryBefore = device.memory().liveByteLength;
      const calls = await gpuCallsOf(async () => {
        for (let index = 0; index < 3; index++) await step();
      });
      expect(calls.kernels.filter((kernel) => UPDATES.test(kernel))).toEqual([...expected, ...expected, ...expected]);
      expect(calls).toMatchObject({ submits: 3, buffers: 0, bindGroups: 0, pipelines: 0, modules: 0 });
      expect(device.memory().liveByteLength).toBe(memoryBefore);
    }
  });

  it("of MoCo with AdamW is the optimizer's dispatch and the moving average's", async () => {
    manualSeed(1);
    const moco = new MoCo(
      ({ numClasses }) =>
        new nn.Sequential(new nn.Flatten(), new nn.Linear(9, 8), new nn.ReLU(), new nn.Linear(8, numClasses)),
      {
        ...{ dim: 8, queueSize: 16, momentum: 0.9, temperature: 0.1 },
      },
    );
    const optimizer = new optim.AdamW(moco.encoderQ.parameters(), { lr: 1e-3 });
    const step = async (): Promise<void> => {
      const [imQ, imK] = [
        tensor(Float32Array.from({ length: 72 }, Math.random)),
        tensor(Float32Array.from({ length: 72 }, Math.random)),
      ];
      const { loss } = moco.forward(imQ.reshape(8, 1, 3, 3), imK.reshape(8, 1, 3, 3));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      expect(await loss.item()).toBeGreaterThan(0);
    };
    for (let index = 0; index < 8; index++) await step();
    const calls = await gpuCallsOf(async () => {
      for (let index = 0; index < 3; index++) await step();
    });
    expect(calls.kernels.filter((kernel) => UPDATES.test(kernel))).toEqual([
      "adam",
      "ema",
      "adam",
      "ema",
      "adam",
      "ema",
    ]);
    expect(calls).toMatchObject({ submits: 3, buffers: 0, bindGroups: 0, pipelines: 0, modules: 0 });
  });
});
