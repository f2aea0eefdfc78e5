/** Every op on the GPU against the reference: odd sizes, empty ones, views, NaN and infinity; then its gradient. */

import { beforeAll, describe, expect, test } from "vitest";
import { backward } from "../../src/autograd/backward";
import type { Node } from "../../src/graph/node";
import { sizeOf } from "../../src/graph/shape";
import { amax, expand, fromHost, reshape } from "../../src/ops";
import { allOps } from "../../src/ops/op";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { Draw } from "./case";
import { build, CASES, type OpCase, WITHOUT_CASES } from "./cases";
import { mismatch } from "./compare";

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
      const wrong: string[] = [];
      for (const opCase of cases) {
        const difference = await mismatch(engine, [build(opCase).output], opCase.tolerance);
        if (difference) wrong.push(`${name}, ${opCase.name}: ${difference}`);
      }
      expect(wrong).toEqual([]);
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
        const difference = await mismatch(engine, [output], opCase.tolerance);
        if (difference) wrong.push(`${name}, ${opCase.name}: ${difference}`);
      }
      expect(wrong).toEqual([]);
      expect(fused).toBeGreaterThan(0);
    });
  }
});

/** Sums of products of f32, in another order than the reference's: a few more roundings than the op alone. */
const LOOSER = 8;

describe("every gradient on the GPU", () => {
  for (const [name, cases] of Object.entries(CASES)) {
    const differentiable = cases.filter((opCase) => opCase.grad && build(opCase, true).output.requiresGrad);
    if (differentiable.length === 0) continue;
    test(name, async () => {
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
