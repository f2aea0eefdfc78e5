/** Every variant of every kernel family, forced in turn: what an adapter does not take by default is right, too. */

import { beforeAll, describe, expect, test } from "vitest";
import { allocateHost } from "../../src/graph/dtype";
import { sizeOf } from "../../src/graph/shape";
import { choicesOf, familyOf } from "../../src/kernels/choices";
import { KERNELS } from "../../src/kernels";
import type { KernelInfoMap } from "../../src/ops/kernelInfo";
import { allOps, opOf } from "../../src/ops/op";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { Draw } from "../ops/case";
import { build, CASES, type OpCase } from "../ops/cases";
import { differentiable, wrongGradients, wrongOutputs } from "../ops/compare";

let backend: WebGpuBackend;
let engine: Engine;
beforeAll(async () => {
  backend = await createWebGpuBackend();
  engine = new Engine(backend);
});

const FAMILIES = Object.keys(KERNELS).filter((name) => familyOf(name as keyof KernelInfoMap).variants !== undefined);

/** Names that a family's variants have on this adapter, whatever the sizes. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  matmul: ["matmul", "matmulSubgroup", "matmulStrided", "matmulTiled"],
  conv2d: ["conv2d", "conv2d subgroup"],
  conv2dGradInput: ["conv2dGradInput", "conv2dGradInput subgroup", "conv2dGradInputTaps"],
  conv2dGradWeight: ["conv2dGradWeight", "conv2dGradWeight subgroup"],
};

const infosOf = (family: string): { info: unknown; opCase: OpCase }[] =>
  Object.entries(CASES).flatMap(([op, cases]) =>
    cases.flatMap((opCase) => {
      const { output } = build(opCase);
      const { lowering } = allOps().get(op)!;
      if (lowering.kind !== "kernel" || output.op.name !== op) return [];
      const call = lowering.call(output);
      return call.kernel === family ? [{ info: call.info, opCase }] : [];
    }),
  );

test("are known by name", () => {
  expect(FAMILIES.sort()).toEqual(Object.keys(VARIANTS).sort());
  for (const family of FAMILIES) {
    const kernel = familyOf(family as keyof KernelInfoMap);
    const found = infosOf(family).flatMap(({ info }) => kernel.variants!(info, backend.gpu.limits));
    expect([...new Set(found)].sort(), family).toEqual([...VARIANTS[family]!].sort());
  }
});

for (const family of FAMILIES) {
  const kernel = familyOf(family as keyof KernelInfoMap);
  describe(family, () => {
    for (const variant of VARIANTS[family]!) {
      test(`as ${variant}`, { timeout: 120_000 }, async () => {
        const choices = choicesOf(backend.gpu.limits);
        choices.forced.clear();
        choices.forced.set(family, variant);
        backend.forgetPlans(); // those of the variant before
        const cases = infosOf(family)
          .filter(({ info }) => kernel.variants!(info, backend.gpu.limits).includes(variant))
          .map(({ info, opCase }) => {
            expect(kernel.plan(info, backend.gpu.limits, variant).variant ?? variant).toBe(variant);
            return opCase;
          });
        expect(cases.length).toBeGreaterThan(0);
        const shaders = kernel.shaders.map(({ name }) => name);
        let ran = 0;
        for (const opCase of cases) {
          expect(await wrongOutputs(engine, family, [opCase])).toEqual([]);
          // of the plan that ran; views may lie so that only another variant can read them
          const own = backend.latestLaunches.find(({ label }) => shaders.includes(label) && label !== "sumPartials");
          const isShared = own?.wgsl.includes("subgroupBroadcast") ?? false;
          if (own?.label === variant.replace(" subgroup", "") && isShared === /subgroup/i.test(variant)) ran++;
        }
        expect(ran, "cases that ran as it").toBeGreaterThan(2);
        expect(await wrongGradients(engine, family, differentiable(cases))).toEqual([]);
        choices.forced.clear();
      });
    }

    test("a tuner expects what the reference gives", () => {
      for (const { info, opCase } of infosOf(family)) {
        const { output } = build(opCase);
        const { trial } = kernel;
        const draw = new Draw(`${family}, ${opCase.name}`);
        const hosts = output.inputs.map(({ shape }) => draw.uniform([...shape]).host);
        const data = allocateHost("f32", trial!.arrays(info).output, true);
        opOf(output).evaluate(hosts, { shape: output.shape, dtype: output.dtype, data }, output.attrs);
        expect(data).toHaveLength(sizeOf(output.shape));
        const step = Math.max(1, Math.floor(data.length / 16));
        for (let index = data.length - 1; index >= 0; index -= step) {
          const arrays = hosts.map((host) => host.data as Float32Array);
          expect(trial!.at(info, arrays, index).value, opCase.name).toBeCloseTo(data[index]!, 9);
        }
      }
    });
  });
}
