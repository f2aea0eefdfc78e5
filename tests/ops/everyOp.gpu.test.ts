/** Every op on the GPU against the reference: odd sizes, empty ones, views, NaN and infinity; then its gradient. */

import { beforeAll, describe, expect, test } from "vitest";
import type { Node } from "../../src/graph/node";
import { sizeOf } from "../../src/graph/shape";
import { amax, expand, fromHost, reshape } from "../../src/ops";
import { allOps } from "../../src/ops/op";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { CASES, type OpCase, WITHOUT_CASES } from "./cases";
import { differentiable, mismatch, wrongGradients, wrongOutputs } from "./compare";

let backend: WebGpuBackend;
let engine: Engine;
beforeAll(async () => {
  backend = await createWebGpuBackend();
  engine = new Engine(backend);
});

describe("every op on the GPU", () => {
  test("has cases", () => {
    const without = [...allOps().keys()].filter((name) => !(name in CASES) && !(name in WITHOUT_CASES));
    expect(without).toEqual([]);
  });

  for (const [name, cases] of Object.entries(CASES)) {
    test(name, async () => {
      expect(await wrongOutputs(engine, name, cases)).toEqual([]);
    });
  }
});

/** The case's output, one input behind a reduction that gives it back: what is pointwise becomes that kernel's epilogue. */
function behindReduction(opCase: OpCase): Node | null {
  const inputs = opCase.inputs().map(({ host, view }) => {
    const leaf = fromHost(host.data, host.shape, host.dtype);
    return view?.(leaf) ?? leaf;
  });
  const index = inputs.findIndex(
    ({ shape, dtype }) => sizeOf(shape) > 0 && shape.length <= 3 && dtype !== "bool" && dtype !== "u8",
  );
  const input = inputs[index];
  if (!input) return null;
  const twice = expand(reshape(input, [...input.shape, 1]), [...input.shape, 2]);
  return opCase.make(...inputs.with(index, amax(twice, -1)));
}

// Elsewhere pointwise ops run four at a time. Kernels' hooks take one: other functions of shaders/lib/math.wgsl.
describe("every pointwise op in an epilogue, one element at a time", () => {
  for (const [name, cases] of Object.entries(CASES)) {
    if (allOps().get(name)?.lowering.kind !== "pointwise") continue;
    test(name, async () => {
      const wrong: string[] = [];
      let fused = 0;
      for (const opCase of cases) {
        const output = behindReduction(opCase);
        if (!output) continue;
        const launches = backend.launchesOf(engine.programFor([output]));
        if (launches.length === 1 && launches[0]!.label === "reduceRows") fused++;
        const difference = await mismatch(engine, [output], `${name} in an epilogue, ${opCase.name}`);
        if (difference) wrong.push(`${name}, ${opCase.name}: ${difference}`);
      }
      expect(wrong).toEqual([]);
      expect(fused).toBeGreaterThan(0);
    });
  }
});

describe("every gradient on the GPU", () => {
  for (const [name, cases] of Object.entries(CASES)) {
    const smooth = differentiable(cases);
    if (smooth.length === 0) continue;
    test(name, async () => {
      expect(await wrongGradients(engine, name, smooth)).toEqual([]);
    });
  }
});
