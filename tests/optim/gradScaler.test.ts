/** GradScaler against what PyTorch's class does, step by step. */

import { beforeAll, describe, expect, test } from "vitest";
import { DTypeError, noGrad, tensor, type Tensor, ValueError } from "../../src";
import { Linear, Parameter, utils } from "../../src/nn";
import { Adam, GradScaler, SGD } from "../../src/optim";
import golden from "../goldens/gradScaler.json";
import { openTestDevice } from "../suites/device";

beforeAll(() => openTestDevice("cpu"));

const parameterOf = (values: readonly number[]): Parameter => new Parameter(tensor([...values]));

/** A loss whose gradient is `slopes`. */
const lossOf = (parameter: Parameter, slopes: readonly number[]): Tensor => parameter.mul(tensor([...slopes])).sum();

const NUMBERS: Readonly<Record<string, number>> = { inf: Infinity, "-inf": -Infinity, nan: NaN };
const slopesOf = (slopes: readonly (number | string)[]): number[] =>
  slopes.map((slope) => (typeof slope === "string" ? NUMBERS[slope]! : slope));

describe("against PyTorch", () => {
  test.each(golden.runs.map((run) => [run.name, run] as const))("%s", async (_name, { options, steps }) => {
    const parameter = parameterOf(golden.start);
    const optimizer = new SGD([parameter], { lr: golden.lr, momentum: golden.momentum });
    const scaler = new GradScaler({
      initScale: options.init_scale,
      growthFactor: options.growth_factor,
      backoffFactor: options.backoff_factor,
      growthInterval: options.growth_interval,
    });
    for (const { slopes, parameter: expected, state } of steps) {
      optimizer.zeroGrad();
      scaler.scale(lossOf(parameter, slopesOf(slopes))).backward();
      await scaler.step(optimizer);
      await scaler.update();
      expect([...(await parameter.data())]).toEqual(expected);
      expect(scaler.stateDict()).toEqual(state);
    }
  });
});

async function stepped(scaler: GradScaler, slopes: readonly number[]): Promise<Parameter> {
  const parameter = parameterOf([1, 2]);
  const optimizer = new SGD([parameter], { lr: 1 });
  scaler.scale(lossOf(parameter, slopes)).backward();
  await scaler.step(optimizer);
  return parameter;
}

describe("what it does", () => {
  test("starts with PyTorch's defaults", () => {
    expect(new GradScaler().stateDict()).toEqual(golden.defaults);
    expect(new GradScaler().getScale()).toBe(65536);
    expect(new GradScaler().isEnabled()).toBe(true);
  });

  test("scales tensors in lists, and keeps the lists", async () => {
    const scaler = new GradScaler({ initScale: 4 });
    const [a, [b]] = scaler.scale([tensor([1]), [tensor([2, 3])]] as const);
    expect([await a.toArray(), await b.toArray()]).toEqual([[4], [8, 12]]);
  });

  test("scales a loss of f16 as f32, where the scale is infinite in f16", async () => {
    const scaled = new GradScaler().scale(tensor(2, { dtype: "f16" }));
    expect([scaled.dtype, await scaled.item()]).toEqual(["f32", 131072]);
  });

  test("lets clip what was divided", async () => {
    const scaler = new GradScaler({ initScale: 1024 });
    const parameter = parameterOf([0, 0]);
    const optimizer = new SGD([parameter], { lr: 1 });
    scaler.scale(lossOf(parameter, [3, 4])).backward();
    expect(await parameter.grad!.toArray()).toEqual([3072, 4096]);
    scaler.unscale(optimizer);
    expect(await parameter.grad!.toArray()).toEqual([3, 4]);
    expect(await utils.clipGradNorm_([parameter], 5).item()).toBe(5);
    await scaler.step(optimizer);
    await scaler.update();
    const found = await parameter.data();
    expect(found[0]).toBeCloseTo(-3, 4);
    expect(found[1]).toBeCloseTo(-4, 4);
  });

  test("sees a gradient that is not finite before it was clipped", async () => {
    const scaler = new GradScaler({ initScale: 2 });
    const parameter = parameterOf([1, 2]);
    const optimizer = new SGD([parameter], { lr: 1 });
    scaler.scale(lossOf(parameter, [Infinity, 1])).backward();
    scaler.unscale(optimizer);
    utils.clipGradValue_([parameter], 1);
    await parameter.grad!.data();
    await scaler.step(optimizer);
    await scaler.update();
    expect(await parameter.toArray()).toEqual([1, 2]);
    expect(scaler.getScale()).toBe(1);
  });

  test("leaves out one optimizer's step and not the other's; the scale falls", async () => {
    const scaler = new GradScaler({ initScale: 2 });
    const [bad, good] = [parameterOf([1]), parameterOf([1])];
    const optimizers = [new SGD([bad], { lr: 1 }), new Adam([good], { lr: 0.5 })];
    scaler.scale(lossOf(bad, [NaN]).add(lossOf(good, [1]))).backward();
    for (const optimizer of optimizers) await scaler.step(optimizer);
    await scaler.update();
    expect(await bad.item()).toBe(1);
    expect(await good.item()).toBeCloseTo(0.5, 5);
    expect(scaler.getScale()).toBe(1);
  });

  test("takes a scale that it is given, and reads what nobody has read", async () => {
    const scaler = new GradScaler({ initScale: 2 });
    await stepped(scaler, [1, 1]);
    await scaler.update(32);
    expect(scaler.getScale()).toBe(32);
    const parameter = parameterOf([1, 1]);
    const optimizer = new SGD([parameter], { lr: 1 });
    scaler.scale(lossOf(parameter, [1, Infinity])).backward();
    scaler.unscale(optimizer);
    await scaler.update();
    expect(scaler.getScale()).toBe(16);
  });

  test("is the optimizer's step alone where it is not enabled", async () => {
    const scaler = new GradScaler({ enabled: false });
    const loss = tensor(3);
    expect(scaler.scale(loss)).toBe(loss);
    const parameter = await stepped(scaler, [1, Infinity]);
    expect(await parameter.toArray()).toEqual([0, -Infinity]);
    await scaler.update();
    expect([scaler.getScale(), scaler.stateDict()]).toEqual([1, {}]);
    scaler.loadStateDict({});
  });

  test("goes on from a state", async () => {
    const scaler = new GradScaler();
    const state = { scale: 8, growth_factor: 4, backoff_factor: 0.25, growth_interval: 3, _growth_tracker: 2 };
    scaler.loadStateDict(state);
    expect(scaler.stateDict()).toEqual(state);
    await stepped(scaler, [1, 1]);
    await scaler.update();
    expect(scaler.stateDict()).toEqual({ ...state, scale: 32, _growth_tracker: 0 });
  });
});

describe("what it refuses", () => {
  const prepared = (): { scaler: GradScaler; optimizer: SGD; parameter: Parameter } => {
    const parameter = parameterOf([1]);
    return { scaler: new GradScaler(), optimizer: new SGD([parameter], { lr: 1 }), parameter };
  };

  test("what comes in the wrong order", async () => {
    const { scaler, optimizer, parameter } = prepared();
    expect(() => scaler.unscale(optimizer)).toThrow(ValueError);
    await expect(scaler.update()).rejects.toThrow(/scaled first/);
    scaler.scale(lossOf(parameter, [1])).backward();
    await expect(scaler.update()).rejects.toThrow(/there must have been a step/);
    scaler.unscale(optimizer);
    expect(() => scaler.unscale(optimizer)).toThrow(/got it after unscale/);
    await scaler.step(optimizer);
    expect(() => scaler.unscale(optimizer)).toThrow(/got it after step/);
    await expect(scaler.step(optimizer)).rejects.toThrow(/got it twice/);
    await scaler.update();
  });

  test("an optimizer without gradients, and no optimizer", async () => {
    const { scaler, optimizer } = prepared();
    scaler.scale(tensor(1));
    await expect(scaler.step(optimizer)).rejects.toThrow(/some parameter must have a gradient/);
    await expect(scaler.step({} as never)).rejects.toThrow(DTypeError);
    expect(() => scaler.scale(3 as never)).toThrow(DTypeError);
  });

  test("factors on the wrong side of 1, and states without numbers", () => {
    expect(() => new GradScaler({ growthFactor: 1 })).toThrow(ValueError);
    expect(() => new GradScaler({ backoffFactor: 1 })).toThrow(ValueError);
    expect(() => new GradScaler({ init_scale: 1 } as never)).toThrow(ValueError);
    expect(() => {
      new GradScaler().loadStateDict({});
    }).toThrow(/not enabled/);
  });

  test("setters take what the constructor takes", () => {
    const scaler = new GradScaler();
    expect(() => {
      scaler.setGrowthFactor(1);
    }).toThrow("setGrowthFactor: growthFactor must be above 1, got 1");
    expect(() => {
      scaler.setBackoffFactor(2);
    }).toThrow("setBackoffFactor: backoffFactor must be below 1, got 2");
    for (const set of ["setGrowthFactor", "setBackoffFactor", "setGrowthInterval"] as const) {
      expect(() => {
        scaler[set]("3" as never);
      }).toThrow(new RegExp(`^${set}: `));
    }
    expect(scaler.stateDict()).toEqual(golden.defaults);
  });

  test("a step that nobody waits for: the next would apply gradients that are still scaled", async () => {
    const { scaler, optimizer, parameter } = prepared();
    scaler.scale(lossOf(parameter, [1])).backward();
    const step = scaler.step(optimizer);
    const message = /while one is on its way\. Write await/;
    expect(() => scaler.scale(tensor(1))).toThrow(ValueError);
    expect(() => scaler.scale(tensor(1))).toThrow(message);
    expect(() => {
      scaler.unscale(optimizer);
    }).toThrow(message);
    const others = [scaler.step(optimizer), scaler.update()];
    for (const other of others) await expect(other).rejects.toThrow(message);
    await step;
    await scaler.update();
    expect(await parameter.toArray()).toEqual([0]);
    scaler.scale(lossOf(parameter, [1]));
  });

  test("optimizers refuse parameters of f16", () => {
    const model = new Linear(2, 2).half();
    expect(() => new SGD(model.parameters(), { lr: 1 })).toThrow(/SGD: parameters must be f32, got .*autocast/);
    noGrad(() => model.float());
    expect(new SGD(model.parameters(), { lr: 1 }).paramGroups.length).toBe(1);
  });
});
