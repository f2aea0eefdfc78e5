/**
 * Kernels as a real GPU gets them: tiled products, large blocks, split reductions. A software adapter, such as the one that
 * tests run on, takes other variants by default; here it has to plan as if it were hardware.
 */

import { beforeAll, describe, expect, test } from "vitest";
import { backward } from "../../src/autograd/backward";
import type { AdapterClass } from "../../src/gpu/adapter";
import { fromHost, matmul, sum, topk } from "../../src/ops";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { Draw, row, type Tolerance } from "./case";
import { build, CASES, type OpCase } from "./cases";
import { mismatch } from "./compare";
import { kernelCases } from "./kernel.cases";
import { reduceCases } from "./reduce.cases";

let backend: WebGpuBackend;
let engine: Engine;
beforeAll(async () => {
  backend = await createWebGpuBackend();
  (backend.gpu.limits as { adapterClass: AdapterClass }).adapterClass = "hardware";
  engine = new Engine(backend);
});

const SUM: Tolerance = { abs: 1e-4, rel: 1e-5, because: "a GPU adds in f32 and in another order" };

const NAMES = [...Object.keys(reduceCases), ...Object.keys(kernelCases), "scatterAdd"];

/** In so many pieces as only hardware gets. */
const LARGE: readonly OpCase[] = [
  row("a split product", (draw) => [draw.uniform([61, 4099]), draw.uniform([4099, 35])], matmul, { tolerance: SUM }),
  row(
    "columns of many rows",
    (draw) => [draw.uniform([9001, 37])],
    (x) => sum(x, 0),
    { tolerance: SUM },
  ),
  row(
    "topk in chunks",
    (draw) => [draw.distinct([2, 20_011])],
    (x) => topk(x, 50).indices,
  ),
  row(
    "topk in chunks, with ties",
    (draw) => [draw.ints([1, 33_001], 0, 900, "f32")],
    (x) => topk(x, 200).indices,
  ),
].map((make) => make("hardware"));

const caseOf = (op: string, name: string): OpCase => CASES[op]!.find((each) => each.name === name)!;

/** Kernels that a case runs. */
const labelsOf = (opCase: OpCase): string[] =>
  backend.launchesOf(engine.programFor([build(opCase).output])).map(({ label }) => label);

/** Sums of products of f32, in another order than the reference's: a few more roundings than the op alone. */
const LOOSER = 8;

describe("planned for hardware", () => {
  test("takes other kernels than software does", () => {
    expect(labelsOf(caseOf("matmul", "past many tiles"))).toEqual(["matmulTiled"]);
  });

  for (const opCase of LARGE) {
    test(opCase.name, async () => {
      expect(labelsOf(opCase).length, "passes").toBeGreaterThan(1);
      expect(await mismatch(engine, [build(opCase).output], opCase.tolerance)).toBeNull();
    });
  }

  for (const name of NAMES) {
    test(name, async () => {
      const wrong: string[] = [];
      for (const opCase of CASES[name]!) {
        const difference = await mismatch(engine, [build(opCase).output], opCase.tolerance);
        if (difference) wrong.push(`${name}, ${opCase.name}: ${difference}`);
      }
      expect(wrong).toEqual([]);
    });

    const differentiable = CASES[name]!.filter((opCase) => opCase.grad && build(opCase, true).output.requiresGrad);
    if (differentiable.length === 0) continue;
    test(`gradient of ${name}`, async () => {
      const wrong: string[] = [];
      for (const opCase of differentiable) {
        const { leaves, output } = build(opCase, true);
        const { host } = new Draw(`${name}/${opCase.name}`).uniform(output.shape, 0.5, 1.5);
        const targets = leaves.filter((leaf) => leaf.requiresGrad);
        const grads = backward([output], [fromHost(host.data, output.shape)], targets).filter((grad) => grad !== null);
        const { abs, rel, because } = opCase.tolerance;
        const difference = await mismatch(engine, grads, { abs: LOOSER * abs, rel: LOOSER * rel, because });
        if (difference) wrong.push(`${name}, ${opCase.name}: ${difference}`);
      }
      expect(wrong).toEqual([]);
    });
  }
});
