/** Functions that are methods: the tensor comes first, all else as the method takes it. */

import { expect, expectTypeOf, test } from "vitest";
import * as flywheel from "../../src";
import { DTypeError, type Tensor, tensor } from "../../src";
import * as functions from "../../src/methodFunctions";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

type Loose = (x: unknown, ...args: unknown[]) => unknown;

const names = Object.keys(functions);
const called = (name: string): Loose => (functions as unknown as Readonly<Record<string, Loose>>)[name]!;

test.each(names)("%s calls the method, of tensors only", (name) => {
  const x = Object.assign(tensor([1]), {
    [name](...args: unknown[]) {
      return [this, ...args];
    },
  });
  expect(called(name)(x, 1, 2)).toEqual([x, 1, 2]);
  for (const wrong of [undefined, null, [1]]) {
    expect(() => called(name)(wrong)).toThrow(DTypeError);
    expect(() => called(name)(wrong)).toThrow(`${name}: it takes a tensor, got `);
  }
});

test("have all of the method's types", () => {
  const x = tensor([[1, 2]]);
  const counts = tensor([1, 2], { dtype: "i32" });
  expectTypeOf(functions.permute(x, 1, 0)).toEqualTypeOf<Tensor>();
  expectTypeOf(functions.permute(x, [1, 0])).toEqualTypeOf<Tensor>();
  expectTypeOf(functions.mm).parameters.toEqualTypeOf<[Tensor, Tensor]>();
  expectTypeOf(functions.repeatInterleave(x, 2)).toEqualTypeOf<Tensor>();
  expectTypeOf(functions.repeatInterleave(x, counts, 1)).toEqualTypeOf<Promise<Tensor>>();
  expectTypeOf(functions.nonzero(x)).toEqualTypeOf<Promise<Tensor>>();
  expectTypeOf(functions.nonzero(x, { asTuple: true })).toEqualTypeOf<Promise<Tensor[]>>();
});

test("are methods, and public", () => {
  expect(names.filter((name) => !(name in flywheel.Tensor.prototype) || !(name in flywheel))).toEqual([]);
});
