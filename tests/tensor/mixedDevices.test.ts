/**
 * Tensors of two devices in one call, and tensors that were disposed of: a typed error at the call, in every function that a
 * golden calls with several tensors, and in what has none.
 */

import { describe, expect, test } from "vitest";
import { equal, ones, tensor, zeros } from "../../src/creation";
import { openDevice } from "../../src/device";
import { AutogradError, DeviceError, DTypeError, ShapeError, StaleTensorError, StateDictError } from "../../src/errors";
import * as F from "../../src/functional";
import { customVjp, grad, jvp, vjp } from "../../src/gradient";
import * as nn from "../../src/nn";
import { SGD } from "../../src/optim";
import { Buffer, Parameter } from "../../src/parameter";
import type { Tensor } from "../../src/tensor";
import { callGolden } from "../suites/calls";
import { openTestDevice } from "../suites/device";
import { type GoldenCase, goldenCases } from "../suites/goldenCases";
import { goldenTensor } from "../suites/golden";

await openTestDevice("cpu");
const other = await openDevice("cpu");

/** The first golden of each op with several tensors. */
const severalInputs = [
  ...new Map(
    goldenCases
      .filter(hasSeveral)
      .reverse()
      .map((golden) => [golden.op, golden]),
  ),
];

function hasSeveral({ inputs }: GoldenCase): boolean {
  return inputs.filter((input) => input !== null && input.data.length > 0).length > 1;
}

/** A golden's tensors, one of them as `change` leaves it. */
async function inputsWith(
  { inputs }: GoldenCase,
  index: number,
  change: (x: Tensor) => Tensor | Promise<Tensor>,
): Promise<Tensor[]> {
  const made = inputs.map((input) => input && goldenTensor(input));
  made[index] = await change(made[index]!);
  return made as Tensor[];
}

const disposed = (x: Tensor): Tensor => {
  x.dispose();
  return x;
};

describe.each(severalInputs)("%s", (op, golden) => {
  const places = golden.inputs.flatMap((input, index) => (input ? [index] : []));

  test("refuses tensors of two devices", async () => {
    for (const index of places.slice(1)) {
      const inputs = await inputsWith(golden, index, (x) => x.to(other));
      const call = async (): Promise<unknown> => callGolden(op, inputs, golden.args);
      await expect(call(), `input ${index}`).rejects.toThrow(
        /all tensors must be on one device, got cpu:\d+ and cpu:\d+\. Move one/,
      );
    }
  });

  test("refuses tensors that were disposed of", async () => {
    for (const index of places) {
      const inputs = await inputsWith(golden, index, disposed);
      const call = async (): Promise<unknown> => callGolden(op, inputs, golden.args);
      await expect(call(), `input ${index}`).rejects.toBeInstanceOf(StaleTensorError);
    }
  });
});

const here = ones([2]);
const there = ones([2], { device: other });
const leaf = (): Tensor => ones([2]).requiresGrad_();

const MIXED: Readonly<Record<string, () => unknown>> = {
  "a layer": () => new nn.Linear(2, 1).forward(ones([1, 2], { device: other })),
  "BatchNorm in training": () => new nn.BatchNorm1d(2).forward(ones([3, 2], { device: other })),
  "BatchNorm with statistics from elsewhere": () =>
    F.batchNorm(ones([3, 2]), new Buffer(there), new Buffer(there), { training: true }),
  "class weights": () => F.crossEntropy(ones([1, 2]), tensor([0], { dtype: "i32" }), { weight: there }),
  "backward's gradient": () => leaf().mul(2).backward(there),
  "grad's outputs and inputs": () => grad(leaf().sum(), there.detach().requiresGrad_()),
  "grad's gradOutputs": () => grad(leaf().mul(2), leaf(), { gradOutputs: there }),
  "a gradient that is set": () => (leaf().grad = there),
  "a parameter's gradient that is set": () => (new Parameter(here).grad = there),
  "a hook's gradient": () => {
    const x = leaf();
    x.registerHook(() => there);
    x.sum().backward();
  },
  "a rule's gradient": () => customVjp((x) => x.mul(1), () => [there])(leaf()).sum().backward(), // prettier-ignore
  "a rule's value": () => customVjp(() => there, () => [null])(leaf()), // prettier-ignore
  "vjp's vector": () => vjp((x) => x.mul(2), here, there),
  "jvp's vector": () => jvp((x) => x.mul(2), here, there),
  "state that is assigned": () => new Buffer(here).assign(there),
  "rows that are assigned": () => new Buffer(here).assignRows(0, there),
  "an optimizer's parameters": () => new SGD([new Parameter(here), new Parameter(there)], { lr: 1 }),
  "an optimizer's next group": () =>
    new SGD([new Parameter(here)], { lr: 1 }).addParamGroup({ params: [new Parameter(there)] }),
  "a comparison of all": () => equal(here, there),
};

describe("two devices in", () => {
  test.each(Object.entries(MIXED))("%s are a DeviceError", async (_name, act) => {
    await expect((async () => act())()).rejects.toBeInstanceOf(DeviceError);
  });

  test("a state dict are a StateDictError", () => {
    const state = { weight: zeros([1, 2], { device: other }), bias: zeros([1], { device: other }) };
    expect(() => new nn.Linear(2, 1).loadStateDict(state)).toThrow(StateDictError);
  });
});

describe("customVjp", () => {
  const both = customVjp(
    (a, b) => a.mul(b),
    (gradOut, [a, b]) => [gradOut.mul(b!), a!.requiresGrad ? gradOut.mul(a!) : null],
  );

  test("has gradients for several inputs, of second order too", async () => {
    const [a, b] = [tensor([2], { requiresGrad: true }), tensor([3], { requiresGrad: true })];
    const [da, db] = grad(both(a, b).square().sum(), [a, b], { createGraph: true }); // 2ab^2, 2a^2b
    expect([await da!.item(), await db!.item()]).toEqual([36, 24]);
    const [daa, dab] = grad(da!.sum(), [a, b]); // 2b^2, 4ab
    expect([await daa!.item(), await dab!.item()]).toEqual([18, 24]);
  });

  test("gives no gradient where the rule gives null", () => {
    const half = customVjp((a, b) => a.mul(b), (gradOut, [, b]) => [gradOut.mul(b!), null]); // prettier-ignore
    const [a, b] = [leaf(), leaf()];
    half(a, b).sum().backward();
    expect([a.grad !== null, b.grad]).toEqual([true, null]);
  });

  test("is a plain function where nothing requires gradients", async () => {
    expect(both(here, here).requiresGrad).toBe(false);
    expect(await both(here, here).toArray()).toEqual([1, 1]);
  });

  test("refuses what fits its inputs in number, shape or dtype not", () => {
    const given = (rule: () => (Tensor | null)[]) => () =>
      customVjp(
        (x) => x.mul(2),
        rule,
      )(leaf())
        .sum()
        .backward();
    expect(given(() => [])).toThrow(/each of the 1 inputs, got 0/);
    expect(given(() => [null, null])).toThrow(ShapeError);
    expect(given(() => [ones([3])])).toThrow(/its input's shape, got \[3\] for input 0 of \[2\]/);
    expect(given(() => [ones([2], { dtype: "i32" })])).toThrow(DTypeError);
    expect(() => customVjp((() => 3) as never, () => [])(leaf())).toThrow(AutogradError);
    expect(() => customVjp((async (x: Tensor) => x) as never, () => [])(leaf())).toThrow(/got a Promise/);
  });
});
