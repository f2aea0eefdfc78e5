/** f16 on the CPU device against PyTorch, forward and gradient. */

import { beforeAll, describe, expect, test } from "vitest";
import { cat, F, full, io, ones, tensor, type Tensor, zeros } from "../../src";
import type { DType } from "../../src";
import { roundToHalf } from "../../src/graph/half";
import { BatchNorm1d, Linear, readState } from "../../src/nn";
import golden from "../goldens/half.json";
import { openTestDevice } from "../suites/device";

beforeAll(async () => {
  await openTestDevice("cpu");
});

interface Recorded {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

const NAMED: Readonly<Record<string, number>> = { inf: Infinity, "-inf": -Infinity, nan: NaN };
const numbersOf = (data: readonly (number | string)[]): number[] =>
  data.map((each) => (typeof each === "number" ? each : NAMED[each]!));
const tensorOf = ({ shape, data }: Recorded): Tensor =>
  tensor(Float32Array.from(numbersOf(data)), { shape, dtype: "f16" });

const target = (): Tensor => tensor([2, 0, 3], { dtype: "i32" });

/** By the names in `goldens/generators/half.py`. */
const OPS: Readonly<Record<string, (...inputs: Tensor[]) => Tensor>> = {
  add: (a, b) => a.add(b),
  sub: (a, b) => a.sub(b),
  mul: (a, b) => a.mul(b),
  div: (a, b) => a.div(b),
  "times a number": (a) => a.mul(0.1),
  "plus a number": (a) => a.add(1.7),
  neg: (a) => a.neg(),
  abs: (a) => a.abs(),
  sum: (a) => a.sum(1),
  mean: (a) => a.mean(1),
  amax: (a) => a.amax(1),
  eq: (a, b) => a.eq(b),
  lt: (a, b) => a.lt(b),
  "with f32": (a) => a.add(full([4], 0.1)),
  "with integers": (a) => a.add(tensor([0, 1, 2, 3], { dtype: "i32" })),
  "to integers": (a) => a.mul(3).int(),
  "to bool": (a) => a.bool(),
  exp: (a) => a.exp(),
  log: (a) => a.abs().log(),
  sqrt: (a) => a.abs().sqrt(),
  sin: (a) => a.sin(),
  tanh: (a) => a.tanh(),
  sigmoid: (a) => a.sigmoid(),
  erf: (a) => a.erf(),
  pow: (a) => a.abs().pow(1.5),
  relu: (a) => a.relu(),
  gelu: (a) => F.gelu(a),
  silu: (a) => F.silu(a),
  elu: (a) => F.elu(a),
  softplus: (a) => F.softplus(a),
  mish: (a) => F.mish(a),
  softmax: (a) => a.softmax(1),
  logSoftmax: (a) => a.logSoftmax(1),
  logsumexp: (a) => a.logsumexp(1),
  matmul: (a, b) => a.matmul(b),
  linear: (x, w, b) => F.linear(x, w, b),
  conv2d: (x, w, b) => F.conv2d(x, w, b, { padding: 1 }),
  maxPool2d: (x) => F.maxPool2d(x, 2),
  avgPool2d: (x) => F.avgPool2d(x, 2),
  layerNorm: (x, weight, bias) => F.layerNorm(x, [16], { weight, bias }),
  groupNorm: (x, weight, bias) => F.groupNorm(x, 2, { weight, bias }),
  batchNorm: (x, weight, bias) => F.batchNorm(x, null, null, { weight, bias, training: true }),
  var: (a) => a.var(1),
  std: (a) => a.std(1),
  norm: (a) => a.norm(2, 1),
  cumsum: (a) => a.cumsum(1),
  prod: (a) => a.prod(1),
  sort: (a) => a.sort(1).values,
  gather: (a) => a.gather(1, tensor([1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0], { shape: [4, 3], dtype: "i32" })),
  cat: (a, b) => cat([a, b], 1),
  crossEntropy: (x) => F.crossEntropy(x, target()),
  mseLoss: (a, b) => F.mseLoss(a, b),
  smoothL1Loss: (a, b) => F.smoothL1Loss(a, b),
  cosineSimilarity: (a, b) => F.cosineSimilarity(a, b),
};

/** An op rounds its result to f16 by at most this part of it, by way of f32 a trifle more. */
const HALF_ULP = 2 ** -11 * (1 + 2 ** -10);
/** As much of a subnormal. */
const SMALLEST = 2 ** -25;

/** How far off the exact value, which the golden is half an ULP from: as many roundings, each of a value no larger than `size`. */
function expectClose(found: ArrayLike<number>, expected: readonly number[], roundings: number, size: number): void {
  const wrong = expected.flatMap((value, i) => {
    const bound = (roundings + 1) * (HALF_ULP * Math.max(size, Math.abs(value)) + SMALLEST);
    return Math.abs(found[i]! - value) <= bound ? [] : [`[${i}]: got ${found[i]}, PyTorch ${value}`];
  });
  expect(found.length).toBe(expected.length);
  expect(wrong).toEqual([]);
  for (const value of Array.from(found)) expect(roundToHalf(value)).toBe(value);
}

describe("what PyTorch computes in half itself, to the bit", () => {
  test.each(golden.own.map((each) => [each.name, each] as const))("%s", async (name, { inputs, dtype, result }) => {
    const found = OPS[name]!(...inputs.map(tensorOf));
    expect(found.dtype).toBe(dtype);
    expect(Array.from(await found.data())).toEqual(numbersOf(result.data));
  });
});

test("a number is rounded before halves are compared with it, as by PyTorch", async () => {
  const x = tensor([0.1, 0.3], { dtype: "f16" });
  const found = [x.eq(0.1), x.ne(0.1), x.gt(0.3), x.ge(0.1), x.lt(0.3), x.le(0.1)];
  expect(await Promise.all(found.map(async (each) => Array.from(await each.data())))).toEqual([
    [1, 0],
    [0, 1],
    [0, 0],
    [1, 1],
    [1, 0],
    [1, 0],
  ]);
  expect(
    Array.from(
      await x
        .mul(tensor([1, 1]))
        .eq(0.1)
        .data(),
    ),
  ).toEqual([0, 0]); // of f32
  expect(Array.from(await x.lt(1e5).data())).toEqual([1, 1]);
});

/** As many ops of a gradient's chain round: products with the incoming one, with the derivative, and what the derivative is made of. */
const GRADIENT_ROUNDINGS = 4;

describe("what f64 gives, rounded to half", () => {
  test.each(golden.wide.map((each) => [each.name, each] as const))("%s", async (name, each) => {
    const inputs = each.inputs.map((input) => tensorOf(input).requiresGrad_());
    const result = OPS[name]!(...inputs);
    expect(result.dtype).toBe("f16");
    expectClose(await result.data(), numbersOf(each.result.data), 1, 0);
    result.mul(tensorOf(each.weight)).float().sum().backward();
    for (const [i, input] of inputs.entries()) {
      const expected = numbersOf(each.gradients[i]!.data);
      expect(input.grad!.dtype).toBe("f16");
      expectClose(await input.grad!.data(), expected, GRADIENT_ROUNDINGS, Math.max(...expected.map(Math.abs)));
    }
  });
});

describe("f16", () => {
  test("casts round as PyTorch's", async () => {
    const from = tensor(Float32Array.from(numbersOf(golden.casts.from)));
    expect(Array.from(await from.half().data())).toEqual(numbersOf(golden.casts.to));
    expect(Array.from(await tensor(numbersOf(golden.casts.from), { dtype: "f16" }).data())).toEqual(
      numbersOf(golden.casts.to),
    );
  });

  test("meets other dtypes as in PyTorch", () => {
    const half = full([1], 1, { dtype: "f16" });
    const scalar = full([], 1, { dtype: "f16" });
    for (const [name, expected] of Object.entries(golden.promotion)) {
      const [other, single] = [ones([1], { dtype: name as DType }), ones([], { dtype: name as DType })];
      const found = [half.add(other), half.add(single), other.add(scalar), scalar.add(single)];
      expect([name, ...found.map(({ dtype }) => dtype)]).toEqual([name, ...expected]);
    }
  });

  test("constants are f16, numbers among tensors are not rounded", async () => {
    expect(await full([2], 0.1, { dtype: "f16" }).toArray()).toEqual([roundToHalf(0.1), roundToHalf(0.1)]);
    expect(await full([], 0.1, { dtype: "f16" }).item()).toBe(roundToHalf(0.1));
    expect(await tensor(0.5, { dtype: "f16" }).mul(1e5).item()).toBe(roundToHalf(5e4));
    expect(
      await zeros([2], { dtype: "f16" })
        .maskedFill(tensor([true, false]), 0.1)
        .toArray(),
    ).toEqual([roundToHalf(0.1), 0]);
  });

  test("overflows to infinity", async () => {
    const x = full([1], 60000, { dtype: "f16" });
    expect(await x.add(x).item()).toBe(Infinity);
    expect(await x.float().add(x).item()).toBe(2 * roundToHalf(60000));
  });

  test("means and norms of what overflows in f16 are as in PyTorch: added up in f32", async () => {
    const x = full([64], 2000, { dtype: "f16" });
    expect(await x.sum().item()).toBe(Infinity);
    expect(await x.mean().item()).toBe(2000);
    expect(await x.norm().item()).toBe(16000);
  });
});

test.each<[string, number, (x: Tensor) => Tensor]>([
  ["adaptiveAvgPool1d", 40000, (x) => F.adaptiveAvgPool1d(x.narrow(2, 0, 1).reshape([1, 1, 5]), 3)],
  ["adaptiveAvgPool2d", 40000, (x) => F.adaptiveAvgPool2d(x, [3, 2])],
  ["avgPool2d in tiles", 40000, (x) => F.avgPool2d(x, [5, 1])],
  ["avgPool2d, overlapping", 40000, (x) => F.avgPool2d(x, 2, { stride: 1 })],
  ["avgPool2d without padding", 40000, (x) => F.avgPool2d(x, 3, { stride: 2, padding: 1, countIncludePad: false })],
  ["avgPool2d with a divisor", 20000, (x) => F.avgPool2d(x, 2, { divisorOverride: 8 })],
  ["interpolate, area", 40000, (x) => F.interpolate(x, { size: [3, 2], mode: "area" })],
  ["interpolate, nearest", 40000, (x) => F.interpolate(x, { size: [3, 2] })],
  ["interpolate, bilinear", 40000, (x) => F.interpolate(x, { size: [7, 8], mode: "bilinear" })],
  ["interpolate, bicubic", 60000, (x) => F.interpolate(x.mul(1.5), { size: [7, 8], mode: "bicubic" })],
])("averages of what overflows when it is added up: %s", async (_name, expected, run) => {
  const found = run(full([1, 1, 5, 5], 40000, { dtype: "f16" }));
  expect(found.dtype).toBe("f16");
  expect(new Set(await found.data())).toEqual(new Set([expected]));
});

test("quantiles find ranks that f16 does not hold", async () => {
  const x = tensor(
    Float32Array.from({ length: 4099 }, (_, i) => (i < 2050 ? 0 : i === 2050 ? 7 : 9)),
    { dtype: "f16" },
  );
  expect(await x.quantile(2050 / 4098).item()).toBe(7);
});

describe("state of f16", () => {
  test("goes through a safetensors file, and back into a module of halves alone", async () => {
    const model = new Linear(3, 2).half();
    const file = io.writeSafetensors(await readState(model.stateDict()));
    const { tensors } = io.readSafetensors(file);
    expect(tensors["weight"]!.data).toBeInstanceOf(Uint16Array);
    const other = new Linear(3, 2).half();
    other.loadStateDict(tensors);
    expect(await other.weight.data()).toEqual(await model.weight.data());
    const wide = new Linear(3, 2);
    wide.loadStateDict(tensors);
    expect(wide.weight.dtype).toBe("f32");
    expect(await wide.weight.data()).toEqual(await model.weight.data());
    const npy = io.readNpy(io.writeNpy({ shape: [2], dtype: "f16", data: await model.bias!.data() }));
    expect(npy.data).toEqual(tensors["bias"]!.data);
  });

  test("goes from module to module, to f32 and rounded to f16", async () => {
    const [half, wide] = [new Linear(3, 2).half(), new Linear(3, 2)];
    const values = await wide.weight.data();
    half.loadStateDict(wide.stateDict());
    expect([half.weight.dtype, await half.weight.data()]).toEqual(["f16", values.map(roundToHalf)]);
    wide.loadStateDict(half.stateDict());
    expect([wide.weight.dtype, await wide.weight.data()]).toEqual(["f32", values.map(roundToHalf)]);
  });

  test("modules change to f16 and back", async () => {
    const model = new BatchNorm1d(3).half();
    expect([model.weight!.dtype, model.runningMean!.dtype]).toEqual(["f16", "f16"]);
    const y = model.forward(tensor([[1, 2, 3], [3, 2, 1.5]], { dtype: "f16" })); // prettier-ignore
    expect(y.dtype).toBe("f16");
    expect(await model.runningMean!.data()).toEqual(Float32Array.of(...[0.2, 0.2, 0.225].map(roundToHalf)));
    expect(model.float().weight!.dtype).toBe("f32");
  });
});
