/**
 * Kernels as a real GPU gets them: tiled products, large blocks, split reductions. A software adapter, such as the one that
 * tests run on, takes other variants by default; here it has to plan as if it were hardware.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AdapterClass } from "../../src/gpu/adapter";
import { matmul, sum, topk } from "../../src/ops";
import { allOps } from "../../src/ops/op";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { row } from "./case";
import { build, CASES, type OpCase } from "./cases";
import { differentiable, mismatch, wrongGradients, wrongOutputs } from "./compare";

let backend: WebGpuBackend;
let engine: Engine;
beforeAll(async () => {
  backend = await createWebGpuBackend();
  (backend.gpu.limits as { adapterClass: AdapterClass }).adapterClass = "hardware";
  engine = new Engine(backend);
});

/** Ops whose kernels differ with the adapter. */
const NAMES = Object.keys(CASES).filter((name) => ["kernel", "reduce"].includes(allOps().get(name)!.lowering.kind));

/** In so many pieces as only hardware gets. */
const LARGE: readonly OpCase[] = [
  row("a split product", (draw) => [draw.uniform([61, 4099]), draw.uniform([4099, 35])], matmul),
  row(
    "columns of many rows",
    (draw) => [draw.uniform([9001, 37])],
    (x) => sum(x, 0),
  ),
  row(
    "a sum in three passes",
    (draw) => [draw.uniform([1_000_003])],
    (x) => sum(x),
  ),
  row(
    "sums of columns in three passes",
    (draw) => [draw.uniform([400_009, 3])],
    (x) => sum(x, 0),
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

/** Rows of kernels/heuristics that are not the general one of hardware, which all the others below try. */
describe.each(["nvidia", "amd", "arm"] as const)("planned for %s", (vendor) => {
  beforeAll(() => {
    Object.assign(backend.gpu.limits, { vendor });
    backend.forgetPlans();
  });
  afterAll(() => {
    Object.assign(backend.gpu.limits, { vendor: "unknown" });
    backend.forgetPlans();
  });

  for (const opCase of LARGE) {
    test(opCase.name, async () => {
      expect(await mismatch(engine, [build(opCase).output], `${vendor}, ${opCase.name}`)).toBeNull();
    });
  }

  for (const name of ["matmul", "sum", "amax", "softmax", "conv2d", "contrast", "batchNorm"].filter(
    (op) => op in CASES,
  )) {
    test(name, async () => {
      expect(await wrongOutputs(engine, name, CASES[name]!)).toEqual([]);
      expect(await wrongGradients(engine, name, differentiable(CASES[name]!))).toEqual([]);
    });
  }
});

describe("planned for hardware", () => {
  test("takes other kernels than software does", () => {
    expect(labelsOf(caseOf("matmul", "past many tiles"))).toEqual(["matmulTiled"]);
  });

  for (const opCase of LARGE) {
    test(opCase.name, async () => {
      expect(labelsOf(opCase).length, "passes").toBeGreaterThan(1);
      expect(await mismatch(engine, [build(opCase).output], `hardware, ${opCase.name}`)).toBeNull();
    });
  }

  for (const name of NAMES) {
    const cases = CASES[name]!;
    test(name, async () => {
      expect(await wrongOutputs(engine, name, cases)).toEqual([]);
    });
    const smooth = differentiable(cases);
    if (smooth.length === 0) continue;
    test(`gradient of ${name}`, async () => {
      expect(await wrongGradients(engine, name, smooth)).toEqual([]);
    });
  }
});
