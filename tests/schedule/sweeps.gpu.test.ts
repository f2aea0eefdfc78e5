/** Sweeps over rows: softmax, normalisation and their gradients in one kernel, an invocation or a workgroup a row. */

import { beforeAll, describe, expect, test } from "vitest";
import type { Node } from "../../src/graph/node";
import { scalar } from "../../src/ops";
import * as ops from "../../src/ops";
import type { KernelLimits } from "../../src/kernels/kernel";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { build, Draw, given, type Input, row, type Row } from "../ops/case";
import { differentiable, mismatch, wrongGradients, wrongOutputs } from "../ops/compare";

const drawn =
  (...shapes: readonly (readonly number[])[]) =>
  (draw: Draw): Input[] =>
    shapes.map((shape) => draw.uniform(shape));

const softmax = (x: Node): Node => {
  const e = ops.exp(ops.sub(x, ops.amax(x, -1, true)));
  return ops.div(e, ops.sum(e, -1, true));
};

const layerNorm = (x: Node, weight: Node | null = null, bias: Node | null = null): Node =>
  ops.layerNorm(x, 1, weight, bias, 1e-5);

/** Sum, product, maximum and minimum of each row, added up. */
const allFolds = (x: Node): Node =>
  [ops.sum(x, 1), ops.prod(x, 1), ops.amax(x, 1), ops.amin(x, 1)].reduce((a, b) => ops.add(a, b));

/** Rows, and the kernels that they take; null: as many as it takes. */
const rows: readonly (readonly [Row, readonly string[] | null])[] = [
  [row("softmax", drawn([37, 53]), softmax), ["sweep"]],
  [row("softmax of rows of 2", drawn([29, 2]), softmax), ["sweep"]],
  [row("softmax of rows of 4", drawn([29, 4]), softmax), ["sweep"]],
  [row("softmax of one long row", drawn([1, 9001]), softmax), ["sweep"]],
  [row("softmax of a stack", drawn([3, 5, 7, 11]), softmax), ["sweep"]],
  [row("layer norm", drawn([33, 30], [30], [30]), layerNorm), ["sweep"]],
  [row("normalised rows", drawn([33, 31]), (x) => ops.normalize(x, 2, 1, 1e-12)), ["sweep"]],
  [row("batch norm", drawn([5, 18, 3, 7], [18], [18]), (x, w, b) => ops.batchNormTraining(x, w, b, 1e-5).output), ["sweep"]], // prettier-ignore
  [row("batch norm of groups", drawn([6, 18, 3, 4], [18], [18]), (x, w, b) => ops.batchNormTraining(x, w, b, 1e-5, 3).output), ["sweep"]], // prettier-ignore
  [row("batch norm, a residual and relu", drawn([5, 18, 4, 4], [18], [5, 18, 4, 4]), (x, w, y) => ops.relu(ops.add(ops.batchNormTraining(x, w, null, 1e-5).output, y))), ["sweep"]], // prettier-ignore
  [row("group norm", drawn([4, 6, 3, 5], [6], [6]), (x, w, b) => ops.groupNorm(x, 3, w, b, 1e-5)), null],
  [row("all folds at once", drawn([19, 13]), (x) => ops.mul(x, ops.unsqueeze(allFolds(x), 1)), { grad: false }), ["sweep"]], // prettier-ignore
  [row("what the row says of an element", drawn([19, 13]), (x) => ops.cast(ops.gt(x, ops.mean(x, 1, true)), "f32"), { grad: false }), ["sweep"]], // prettier-ignore
  [row("norms of norms", drawn([24, 9]), (x) => [1, 2, 3, 4, 5, 6].reduce((y) => softmax(ops.mul(y, 3)), x)), null],
  [row("a product between", drawn([20, 16], [16, 16]), (x, w) => layerNorm(ops.add(layerNorm(x), ops.matmul(layerNorm(x), w)))), null], // prettier-ignore
  [row("rows of a softmax the other way", drawn([17, 17]), (x) => ops.mul(softmax(x), ops.transpose(softmax(x), 0, 1))), null], // prettier-ignore
  [row("two that have nothing to do with each other", drawn([20, 16], [20, 16]), (x, y) => ops.cat([softmax(x), layerNorm(y)])), null], // prettier-ignore
  [row("NaN and infinities", () => [given([1, NaN, 3, 4, 5, Infinity, 7, -Infinity, 9, 1, 2, 3, -Infinity, -Infinity, -Infinity, -Infinity], [4, 4])], softmax, { grad: false }), ["sweep"]], // prettier-ignore
  [row("few long rows, which are cut into chunks", drawn([2, 40_000]), (x) => ops.sub(x, ops.mean(x, 1, true))), ["reduceRows", "reduceRows", "elementwise"]], // prettier-ignore
];

/** `arm` and `amd`: hardware whose workgroups are of other sizes. */
describe.each(["software", "hardware", "arm", "amd"] as const)("planned for %s", (kind) => {
  let backend: WebGpuBackend;
  let engine: Engine;
  beforeAll(async () => {
    backend = await createWebGpuBackend();
    const isClass = kind === "software" || kind === "hardware";
    Object.assign(backend.gpu.limits, {
      adapterClass: isClass ? kind : "hardware",
      vendor: isClass ? "unknown" : kind,
    } satisfies Partial<KernelLimits>);
    engine = new Engine(backend);
  });

  const labelsOf = (nodes: readonly Node[]): string[] =>
    backend.launchesOf(engine.programFor(nodes)).map(({ label }) => label.replace("sweepShared", "sweep"));

  for (const [make, kernels] of rows) {
    const opCase = make("sweeps");
    test(opCase.name, async () => {
      if (kernels) expect(labelsOf([build(opCase).output])).toEqual(kernels);
      expect(await wrongOutputs(engine, opCase.name, [opCase])).toEqual([]);
    });
    if (differentiable([opCase]).length === 0) continue;
    test(`gradients of ${opCase.name}`, async () => {
      expect(await wrongGradients(engine, opCase.name, [opCase])).toEqual([]);
    });
  }

  const x = (shape: readonly number[]): Node => {
    const { host } = new Draw("x").uniform(shape);
    return ops.fromHost(host.data, host.shape);
  };

  test("stores as many values as a kernel may bind, and computes the others elsewhere", async () => {
    const input = x([40, 24]);
    const rowsOf = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => ops.sum(ops.square(ops.sub(input, i)), 1, true));
    const all = [...rowsOf, ...rowsOf.slice(0, 5).map((each) => ops.mul(input, each))];
    for (const { bindings } of backend.launchesOf(engine.programFor(all)))
      expect(bindings.length).toBeLessThanOrEqual(8);
    expect(await mismatch(engine, all, "many values")).toBeNull();
  });

  test("what is written to state and read again comes after what it was computed from", async () => {
    const input = x([16, 24]);
    const variable = engine.createVariable("scale", ops.zeros([16, 1]));
    const total = ops.sum(input, 1, true);
    engine.assign(variable, total);
    const read = variable.node;
    const scaled = ops.sum(ops.mul(input, read), 1, true);
    const result = ops.mul(input, ops.add(total, scaled));
    const got = await engine.read([result]);
    const totals = ops.sum(input, 1, true);
    const expected = ops.mul(input, ops.add(totals, ops.sum(ops.mul(input, totals), 1, true)));
    const [wanted] = await engine.read([expected]);
    got[0]!.forEach((value, i) => expect(value).toBeCloseTo(wanted![i]!, 3));
  });

  test("moves a row's state in place", async () => {
    const input = x([20, 6, 5]);
    const first = x([20]);
    const variable = engine.createVariable("running", first);
    engine.flush();
    const mean = ops.mean(ops.reshape(input, [20, 30]), 1, true);
    const centered = ops.sub(ops.reshape(input, [20, 30]), mean);
    const moved = ops.add(ops.mul(variable.node, 0.75), ops.mul(ops.reshape(mean, [20]), 0.25));
    engine.assign(variable, moved);
    const labels = labelsOf([centered, variable.node]);
    expect(labels).toEqual(["sweep"]);
    const [values, running] = await engine.read([centered, variable.node]);
    const fresh = ops.mean(ops.reshape(input, [20, 30]), 1, true);
    const wanted = await engine.read([
      ops.sub(ops.reshape(input, [20, 30]), fresh),
      ops.add(ops.mul(first, scalar(0.75)), ops.mul(ops.reshape(fresh, [20]), scalar(0.25))),
    ]);
    expect([...running!]).toEqual([...wanted[1]!]);
    expect([...values!]).toEqual([...wanted[0]!]);
  });
});
