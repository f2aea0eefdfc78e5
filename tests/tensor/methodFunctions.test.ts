/** Functions that are methods: the tensor comes first, all else as the method takes it. */

import { expect, test } from "vitest";
import * as flywheel from "../../src";
import * as functions from "../../src/methodFunctions";

type Loose = (x: unknown, ...args: unknown[]) => unknown;

const names = Object.keys(functions);

test.each(names)("%s calls the method", (name) => {
  const x = {
    [name](...args: unknown[]) {
      return [this, ...args];
    },
  };
  expect((functions as unknown as Readonly<Record<string, Loose>>)[name]!(x, 1, 2)).toEqual([x, 1, 2].slice(0, name === "nonzero" ? 2 : 3)); // prettier-ignore
});

test("are methods, and public", () => {
  expect(names.filter((name) => !(name in flywheel.Tensor.prototype) || !(name in flywheel))).toEqual([]);
});
