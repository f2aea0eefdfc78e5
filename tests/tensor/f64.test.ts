/** dtype f64 as users meet it: on the CPU device, in tensors, parameters, modules, optimizers and files. */

import { describe, expect, test } from "vitest";
import { cat } from "../../src/combine";
import { arange, eye, full, linspace, onesLike, tensor, zeros } from "../../src/creation";
import { DTypeError, StateDictError } from "../../src/errors";
import * as F from "../../src/functional";
import { where } from "../../src/functions";
import { grad } from "../../src/gradient";
import * as io from "../../src/io";
import * as nn from "../../src/nn";
import * as optim from "../../src/optim";
import { Parameter } from "../../src/parameter";
import { bernoulli, manualSeed, randn } from "../../src/random";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

/** A number that f32 does not hold. */
const TENTH = 0.1;
const AS_F32 = Math.fround(0.1);

describe("tensors", () => {
  test("keep all digits", async () => {
    const x = tensor([TENTH, 1e300], { dtype: "f64" });
    expect(x.dtype).toBe("f64");
    expect(await x.data()).toEqual(Float64Array.of(TENTH, 1e300));
    expect(await x.mul(TENTH).data()).toEqual(Float64Array.of(TENTH * TENTH, 1e300 * TENTH));
    expect(await tensor(TENTH, { dtype: "f64" }).item()).toBe(TENTH);
  });

  test("are f32 unless asked for, also from a Float64Array", async () => {
    const data = Float64Array.of(TENTH);
    expect(tensor(data).dtype).toBe("f32");
    expect(await tensor(data).data()).toEqual(Float32Array.of(TENTH));
    expect(await tensor(data, { dtype: "f64" }).data()).toEqual(data);
  });

  test("come of the functions that make tensors", async () => {
    const options = { dtype: "f64" } as const;
    expect(await full([2], TENTH, options).data()).toEqual(Float64Array.of(TENTH, TENTH));
    expect(await onesLike(zeros([1], options)).data()).toEqual(Float64Array.of(1));
    expect(await linspace(0, TENTH, 2, options).data()).toEqual(Float64Array.of(0, TENTH));
    expect(await arange(0, 0.3, 0.2, options).data()).toEqual(Float64Array.of(0, 0.2));
    expect(await eye(1, 1, options).data()).toEqual(Float64Array.of(1));
    expect(randn([2], options).dtype).toBe("f64");
    expect(bernoulli(full([2], 0.5, options)).dtype).toBe("f64");
  });

  test("cast there and back, with gradients", async () => {
    const x = tensor([TENTH], { requiresGrad: true });
    expect(await x.double().data()).toEqual(Float64Array.of(AS_F32));
    expect(await tensor([TENTH], { dtype: "f64" }).float().data()).toEqual(Float32Array.of(TENTH));
    const [dx] = grad(x.to("f64").square().sum(), [x]);
    expect(dx!.dtype).toBe("f32");
    expect(await dx!.data()).toEqual(Float32Array.of(2 * AS_F32));
    expect(await tensor([2.9, -2.9], { dtype: "f64" }).int().toArray()).toEqual([2, -2]);
  });

  test("meet other dtypes in f64", () => {
    const x = tensor([TENTH], { dtype: "f64" });
    for (const dtype of ["f32", "i32", "u32", "bool", "u8"] as const) {
      const other = tensor([1], { dtype });
      expect(x.add(other).dtype, dtype).toBe("f64");
      expect(other.div(x).dtype, dtype).toBe("f64");
      expect(cat([other, x]).dtype, dtype).toBe("f64");
      expect(where(x.gt(0), other, x).dtype, dtype).toBe("f64");
    }
    expect([x.eq(0).dtype, x.argmax().dtype, x.add(0.5).dtype]).toEqual(["bool", "i32", "f64"]);
  });

  test("must be of one dtype where PyTorch says so", () => {
    const [a, b] = [zeros([2, 2], { dtype: "f64" }), zeros([2, 2])];
    const image = zeros([1, 1, 3, 3], { dtype: "f64" });
    expect(() => F.conv2d(image, zeros([1, 1, 3, 3]))).toThrow(DTypeError);
    expect(() => a.backward(b)).toThrow(/requires gradients/);
    expect(() => a.requiresGrad_().backward(b)).toThrow(/dtype f64, got f32/);
  });

  test("have gradients in f64, of second order too", async () => {
    const x = tensor([TENTH, 3], { dtype: "f64", requiresGrad: true });
    x.pow(3).sum().backward();
    expect(x.grad!.dtype).toBe("f64");
    const [first] = grad(x.exp().sum(), [x], { createGraph: true });
    const [second] = grad(first!.sum(), [x]);
    expect(await second!.data()).toEqual(Float64Array.of(Math.exp(TENTH), Math.exp(3)));
  });
});

/** A model with state of every kind. */
class Model extends nn.Module {
  readonly conv = new nn.Conv2d(1, 2, 3);
  readonly norm = new nn.BatchNorm2d(2);
  readonly fc = new nn.Linear(2, 3);

  forward(x: Parameters<nn.Conv2d["forward"]>[0]) {
    return this.fc.forward(this.norm.forward(this.conv.forward(x)).relu().mean([2, 3]));
  }
}

describe("modules", () => {
  test("compute in f64 once converted, and write their statistics", async () => {
    const model = new Model();
    const weight = await model.fc.weight.data();
    expect(model.double()).toBe(model);
    expect(new Set(model.parameters().map(({ dtype }) => dtype))).toEqual(new Set(["f64"]));
    expect(await model.fc.weight.data()).toEqual(Float64Array.from(weight));
    const y = model.forward(randn([3, 1, 5, 5], { dtype: "f64" }));
    expect(y.dtype).toBe("f64");
    y.square().sum().backward();
    expect(model.conv.weight.grad!.dtype).toBe("f64");
    const mean = await model.norm.runningMean!.data();
    expect(mean).toBeInstanceOf(Float64Array);
    expect(mean.some((value) => value !== 0)).toBe(true);
    expect((await model.float().fc.weight.data()).constructor).toBe(Float32Array);
  });

  test("keep gradients, frozen parameters and names", async () => {
    const layer = new nn.Linear(2, 1);
    layer.bias!.requiresGrad_(false);
    layer.weight.grad = tensor([[1, 2]]);
    layer.double();
    expect(layer.bias!.requiresGrad).toBe(false);
    expect(await layer.weight.grad.data()).toEqual(Float64Array.of(1, 2));
    layer.forward(tensor([[3, 4]], { dtype: "f64" })).backward();
    expect(await layer.weight.grad.data()).toEqual(Float64Array.of(4, 6));
    layer.zeroGrad({ setToNone: false });
    expect(await layer.weight.grad.data()).toEqual(Float64Array.of(0, 0));
  });

  const OPTIMIZERS: Readonly<Record<string, (parameters: Parameter[]) => optim.Optimizer>> = {
    SGD: (parameters) => new optim.SGD(parameters, { lr: 0.5, momentum: 0.5 }),
    Adam: (parameters) => new optim.Adam(parameters, { lr: 0.1, amsgrad: true }),
    AdamW: (parameters) => new optim.AdamW(parameters, { lr: 0.1 }),
    RMSprop: (parameters) => new optim.RMSprop(parameters, { lr: 0.1, centered: true }),
    LARS: (parameters) => new optim.LARS(parameters, { lr: 0.1, momentum: 0.9 }),
  };

  test.each(Object.entries(OPTIMIZERS))("train in f64 with %s", async (_name, optimizerOf) => {
    manualSeed(4);
    const [single, double] = [new nn.Linear(3, 2), new nn.Linear(3, 2)];
    double.loadStateDict(single.stateDict());
    double.double();
    const x = randn([5, 3]);
    const values: ArrayLike<number>[] = [];
    for (const [layer, input] of [
      [single, x],
      [double, x.double()],
    ] as const) {
      const optimizer = optimizerOf(layer.parameters());
      for (let step = 0; step < 3; step++) {
        optimizer.zeroGrad();
        layer.forward(input).square().mean().backward();
        nn.utils.clipGradNorm_(layer.parameters(), 0.5);
        optimizer.step();
      }
      values.push(await layer.weight.data());
    }
    expect(values[1]).toBeInstanceOf(Float64Array);
    expect(Array.from(values[1]!)).toEqual(Array.from(values[0]!, (value) => expect.closeTo(value, 5) as number));
    expect(Array.from(values[1]!)).not.toEqual(Array.from(values[0]!));
  });

  test("are converted before an optimizer is made, and to floats", () => {
    const layer = new nn.Linear(2, 1);
    expect(() => layer.to("i32")).toThrow(DTypeError);
    new optim.SGD(layer.parameters(), { lr: 1 });
    expect(() => layer.double()).toThrow(/before an optimizer is made/);
    expect(layer.float().weight.dtype).toBe("f32"); // nothing to do
    expect(() => new Parameter(zeros([1], { dtype: "i32" }))).toThrow(DTypeError);
  });

  test("save and load f64", async () => {
    const layer = new nn.Linear(2, 1).double();
    layer.weight.assign(tensor([[TENTH, 1e300]], { dtype: "f64" }));
    const bytes = io.writeSafetensors(await nn.readState(layer.stateDict()));
    const other = new nn.Linear(2, 1).double();
    other.loadStateDict(io.readSafetensors(bytes).tensors);
    expect(await other.weight.data()).toEqual(Float64Array.of(TENTH, 1e300));
    expect(() => new nn.Linear(2, 1).loadStateDict(layer.stateDict())).toThrow(StateDictError);
    const array = { shape: [1], dtype: "f64", data: Float64Array.of(TENTH) } as const;
    expect(io.readNpy(io.writeNpy(array))).toEqual(array);
  });
});
