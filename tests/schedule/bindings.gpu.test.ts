/** More tensors than the eight that a kernel may bind: what reads them is cut into several kernels, forwards and backwards. */

import { beforeAll, describe, expect, test } from "vitest";
import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { build, type Draw, type Input, row, type Row } from "../ops/case";
import { differentiable, wrongGradients, wrongOutputs } from "../ops/compare";

let backend: WebGpuBackend;
let engine: Engine;
beforeAll(async () => {
  backend = await createWebGpuBackend();
  engine = new Engine(backend);
});

const MANY = 20;
const many =
  (shapeAt: (index: number) => readonly number[]) =>
  (draw: Draw): Input[] =>
    Array.from({ length: MANY }, (_, index) => draw.uniform(shapeAt(index), -1, 1));
const alike = many(() => [3, 5]);
const mixed = (xs: readonly Node[]): Node => xs.reduce((total, x) => ops.tanh(ops.add(ops.mul(total, 0.5), x)));

const rows: readonly Row[] = [
  row("cat of rows", many((i) => [1 + (i % 3), 5]), (...xs) => ops.cat(xs)), // prettier-ignore
  row("cat of columns", many((i) => [3, 1 + (i % 4)]), (...xs) => ops.cat(xs, 1)), // prettier-ignore
  row("cat of expressions", alike, (...xs) => ops.cat(xs.map((x, i) => ops.mul(ops.add(x, xs[(i + 1) % MANY]!), 2)))),
  row("stack", alike, (...xs) => ops.stack(xs, 1)),
  row("a sum of all", alike, (...xs) => xs.reduce((total, x) => ops.add(total, x))),
  row("a chain", alike, (...xs) => mixed(xs)),
  row("at other places", alike, (...xs) => mixed(xs.map((x, i) => (i % 2 === 0 ? ops.flip(x, [0]) : ops.flip(x, [1]))))), // prettier-ignore
  row("scalars", many(() => []), (...xs) => mixed(xs)), // prettier-ignore
  row("rows and columns", many((i) => (i % 2 === 0 ? [3, 1] : [5])), (...xs) => mixed(xs)), // prettier-ignore
  row("summed over rows", alike, (...xs) => ops.sum(mixed(xs), 1)),
  row("summed over columns", alike, (...xs) => ops.sum(mixed(xs), 0)),
  row("summed over all of a cat", alike, (...xs) => ops.sum(ops.square(ops.cat(xs)))),
  row("after a reduction", alike, (x, ...xs) => mixed([ops.sum(ops.square(x), 0), ...xs])),
  row("after a product", alike, (x, ...xs) => mixed([ops.matmul(x, ops.transpose(xs[0]!, 0, 1)), ...xs.map((y) => ops.narrow(y, 1, 0, 3))])), // prettier-ignore
];

describe(`${MANY} tensors at once`, () => {
  const cases = rows.map((make) => make(`${MANY} tensors`));

  for (const opCase of cases) {
    test(opCase.name, async () => {
      const launches = backend.launchesOf(engine.programFor([build(opCase).output]));
      expect(launches.length).toBeGreaterThan(1);
      for (const { bindings } of launches) expect(bindings.length).toBeLessThanOrEqual(8);
      expect(await wrongOutputs(engine, opCase.name, [opCase])).toEqual([]);
    });

    test(`gradients of ${opCase.name}`, async () => {
      expect(differentiable([opCase])).toHaveLength(1);
      expect(await wrongGradients(engine, opCase.name, [opCase])).toEqual([]);
    });
  }

  test("written to state", async () => {
    const values = Array.from({ length: MANY }, (_, i) => ops.fromHost(Float32Array.of(i, 2 * i, 3 * i), [3]));
    const state = engine.createVariable("state", values[0]!);
    engine.assign(state, [...values, state.node].reduce((total, x) => ops.add(total, x))); // prettier-ignore
    const sum = (MANY * (MANY - 1)) / 2;
    expect([...(await engine.read([state.node]))[0]!]).toEqual([sum, 2 * sum, 3 * sum]);
  });
});
