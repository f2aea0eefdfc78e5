/** Functions over dimensions do what the methods of the same name do, and have their types. */

import { expect, expectTypeOf, test } from "vitest";
import * as flywheel from "../../src";
import { DTypeError, type Tensor, tensor, type ValuesAndIndices } from "../../src";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

/** Arguments that tell each function's dimension from its options. */
const CALLS: Readonly<Record<string, readonly unknown[]>> = {
  ...Object.fromEntries(
    [
      "sum",
      "mean",
      "prod",
      "nansum",
      "nanmean",
      "var",
      "std",
      "varMean",
      "stdMean",
      "logsumexp",
      "amax",
      "amin",
      "any",
      "all",
    ].map((name): [string, unknown[]] => [name, [1, { keepDim: true }]]),
  ),
  ...Object.fromEntries(
    ["max", "min", "argmax", "argmin", "median", "nanmedian", "mode"].map((name): [string, unknown[]] => [
      name,
      [0, { keepDim: true }],
    ]),
  ),
  ...Object.fromEntries(
    ["cumsum", "cumprod", "logcumsumexp", "cummax", "cummin"].map((name): [string, unknown[]] => [name, [0]]),
  ),
  countNonzero: [0],
  norm: [1, 0],
  aminmax: [{ dim: 0 }],
  diff: [1, 0],
  topk: [1, 0, { largest: false }],
  sort: [0, { descending: true }],
  argsort: [{ dim: 0 }],
  msort: [],
  kthvalue: [2, 1],
  quantile: [0.25, 0],
  nanquantile: [[0.25, 0.5]],
  histc: [3, 0, 3],
  unique: [{ returnCounts: true }],
  uniqueConsecutive: [{ returnInverse: true, returnCounts: true }],
};

type Loose = (...args: readonly unknown[]) => unknown;

/** All numbers in a result, whatever its form. */
async function numbersIn(result: unknown): Promise<unknown> {
  const found: unknown = await result;
  if (found instanceof flywheel.Tensor) return found.toArray();
  return Promise.all(Object.values(found as object).map(numbersIn));
}

test.each(Object.entries(CALLS))("%s", async (name, args) => {
  const x = tensor([[3, 1, 2], [1, NaN, 1]]); // prettier-ignore
  const method: unknown = Reflect.get(x, name);
  const free: unknown = Reflect.get(flywheel, name);
  const want = await numbersIn((method as Loose).apply(x, [...args]));
  expect(await numbersIn((free as Loose)(x, ...args))).toEqual(want);
});

test("they take tensors", async () => {
  expect(() => flywheel.sum([1, 2] as never)).toThrow(DTypeError);
  expect(() => flywheel.sum([1, 2] as never)).toThrow(
    "sum: it takes a tensor, got an array. Make one: tensor(values).",
  );
  await expect(flywheel.unique(3 as never)).rejects.toThrow("unique: it takes a tensor, got 3");
  expect(await (await flywheel.bincount(tensor([1, 1], { dtype: "i32" }))).toArray()).toEqual([0, 2]);
});

test("types are those of the methods", () => {
  const x = tensor([[3, 1, 2]]);
  expectTypeOf(flywheel.sum(x, 0, { keepDim: true })).toEqualTypeOf<Tensor>();
  expectTypeOf(flywheel.max(x)).toEqualTypeOf<Tensor>();
  expectTypeOf(flywheel.max(x, x)).toEqualTypeOf<Tensor>();
  expectTypeOf(flywheel.max(x, 0)).toEqualTypeOf<ValuesAndIndices>();
  expectTypeOf(flywheel.sort(x, { descending: true })).toEqualTypeOf<ValuesAndIndices>();
  expectTypeOf(flywheel.sort(x, 0)).toEqualTypeOf<ValuesAndIndices>();
  expectTypeOf(flywheel.varMean(x)).toEqualTypeOf<[variance: Tensor, mean: Tensor]>();
  expectTypeOf(flywheel.unique(x)).resolves.toEqualTypeOf<Tensor>();
  expectTypeOf(flywheel.unique(x, { returnCounts: true })).resolves.toEqualTypeOf<[output: Tensor, counts: Tensor]>();
  expectTypeOf(flywheel.sum).parameter(0).toEqualTypeOf<Tensor>();
});
