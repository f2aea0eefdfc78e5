/**
 * Launches in parts. Here a dispatch may do so little that whatever has several workgroups is cut: every op, its gradient and what is
 * fused around them must be, to the bit, what the same launches give in one piece. `parts.test.ts` knows the arithmetic.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backward } from "../../src/autograd/backward";
import type { Node } from "../../src/graph/node";
import { choicesOf } from "../../src/kernels/choices";
import { partsOf } from "../../src/kernels/parts";
import { SHADERS } from "../../src/kernels/shaders";
import * as ops from "../../src/ops";
import { allOps } from "../../src/ops/op";
import { Engine } from "../../src/runtime/engine";
import type { WebGpuBackend } from "../../src/runtime/webgpuBackend";
import type { PlannedLaunch } from "../../src/schedule/plan";
import { backendWith } from "../helpers/lowLimits";
import { build, CASES, type OpCase } from "../ops/cases";
import { Draw, row, type Row } from "../ops/case";
import { differentiable } from "../ops/compare";

/**
 * Of updates: tests/optim/updates.gpu.test.ts cuts them. Of halves, which need a device that has them: tests/kernels/half.node.test.ts
 * does. And what is one workgroup.
 */
const ELSEWHERE = /^(adam|clip.*|elementwiseHalf.*|ema|gradNorm|lars.*|momentumSgd.*|rmsProp)$/;

/** At most so many parts. */
const MOST_PARTS = 48;

const cut = new Map<string, number>();

interface Runner {
  readonly engine: Engine;
  readonly backend: WebGpuBackend;
}

interface Pair {
  readonly whole: Runner;
  readonly inParts: Runner;
}

const workgroups = ({ grid: [x, y, z] }: PlannedLaunch): number => x * y * z;

/** Sets what a dispatch may do so that all launches of several workgroups are cut, and gives how many launches that makes. */
function limit({ whole, inParts }: Pair, nodes: readonly Node[]): { wanted: number; isCut: boolean } {
  const launches = whole.backend.launchesOf(whole.engine.programFor(nodes));
  const several = launches.filter((launch) => workgroups(launch) > 1);
  const traffic = several.map(({ bytes }) => Math.max(1, bytes));
  const bytes = Math.max(0.4 * Math.min(...traffic), Math.max(...traffic) / MOST_PARTS);
  const { limits } = inParts.backend.gpu;
  choicesOf(limits).mostWork = several.length === 0 ? null : { flops: Infinity, bytes };
  inParts.backend.forgetPlans();
  const parts = launches.map((launch) => partsOf(launch.grid, { flops: 0, bytes: launch.bytes }, limits).length);
  launches.forEach(({ label }, index) => {
    if (parts[index]! > 1) cut.set(label, Math.max(cut.get(label) ?? 0, parts[index]!));
  });
  return { wanted: parts.reduce((sum, count) => sum + count, 0), isCut: parts.some((count) => count > 1) };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** The first value whose bits differ, in words; null where there is none, undefined where nothing was to be cut. */
async function difference(pair: Pair, make: () => readonly Node[]): Promise<string | null | undefined> {
  const nodes = make();
  const { wanted, isCut } = limit(pair, nodes);
  if (!isCut) return undefined;
  const { counters } = pair.inParts.backend.gpu;
  const before = counters.dispatches;
  const got = await pair.inParts.engine.read(nodes);
  if (counters.dispatches - before !== wanted) return `${counters.dispatches - before} dispatches, planned ${wanted}`;
  const want = await pair.whole.engine.read(make());
  for (const [n, values] of want.entries()) {
    const [a, b] = [bytesOf(got[n]!), bytesOf(values)];
    const off = a.findIndex((byte, i) => byte !== b[i]);
    const i = Math.floor(off / values.BYTES_PER_ELEMENT);
    if (off >= 0) return `value ${n} at ${i}: ${got[n]![i]} in parts, ${values[i]} in one`;
  }
  return null;
}

const outputOf = (opCase: OpCase) => (): readonly Node[] => [build(opCase).output];

const gradientsOf = (name: string, opCase: OpCase) => (): readonly Node[] => {
  const { leaves, output } = build(opCase, { requiresGrad: true });
  const { host } = new Draw(`${name}/${opCase.name}`).uniform(output.shape, 0.5, 1.5);
  const targets = leaves.filter((leaf) => leaf.requiresGrad);
  return backward([output], [ops.fromHost(host.data, output.shape)], targets).filter((grad) => grad !== null);
};

const uniform =
  (...shapes: (readonly number[])[]) =>
  (draw: Draw) =>
    shapes.map((shape) => draw.uniform(shape));
const softmax = (x: Node): Node => ops.softmax(x, -1);

/** What is fused, and sizes that bring a kernel to several workgroups which the rows of its op do not. */
const LARGE: readonly Row[] = [
  row("an expression", uniform([301, 77]), (x) => ops.mul(ops.tanh(x), ops.add(x, 2))),
  row("an expression of single elements", uniform([131, 79]), (x) => ops.mul(ops.slice(x, [0, 1], [131, 78]), 3)),
  row("softmax of rows", uniform([300, 37]), softmax),
  row("softmax of rows, two results", uniform([130, 40]), (x) => ops.cat([softmax(x), ops.unsqueeze(ops.sum(softmax(x), 1), 1)], 1)), // prettier-ignore
  row("layer norm", uniform([200, 24], [24], [24]), (x, w, b) => ops.layerNorm(x, 1, w, b, 1e-5)),
  row("batch norm and relu", uniform([9, 70, 5, 4], [70], [70]), (x, w, b) => ops.relu(ops.batchNormTraining(x, w, b, 1e-5).output)), // prettier-ignore
  row("a product, bias and relu", uniform([150, 33], [33, 70], [70]), (x, w, b) => ops.relu(ops.add(ops.matmul(x, w), b))), // prettier-ignore
  row("a split product", uniform([61, 4099], [4099, 35]), ops.matmul),
  row("products of vec4s", uniform([160, 64], [64, 192]), ops.matmul),
  row("products of columns", uniform([64, 160], [64, 192]), (a, b) => ops.matmul(ops.transpose(a, 0, 1), b)),
  row("sums of rows", uniform([1500, 7]), (x) => ops.sum(x, 1)),
  row("sums of columns", uniform([301, 1500]), (x) => ops.sum(x, 0)),
  row("a sum in three passes", uniform([300_003]), (x) => ops.sum(x)),
  row("a running sum of long lines", uniform([90, 700]), (x) => ops.cumsum(x, 1)),
  row(
    "places of the largest, radix",
    (draw) => [draw.distinct([9, 3001])],
    (x) => ops.topk(x, 50).indices,
  ),
  row(
    "places of the largest, scans",
    (draw) => [draw.distinct([300, 21])],
    (x) => ops.topk(x, 3).indices,
  ),
  row(
    "sorted rows",
    (draw) => [draw.distinct([90, 301])],
    (x) => ops.sort(x).values,
  ),
  row("bytes, a word at a time", uniform([101, 79], [101, 79]), (x, y) => ops.cast(ops.mul(ops.add(ops.square(x), ops.square(y)), 20), "u8"), { grad: false }), // prettier-ignore
  row("largest pixels", uniform([40, 3, 18, 21]), (x) => ops.maxPool2d(x, [2, 3]).values),
  row("adaptive pools", uniform([9, 4, 17, 19]), (x) => ops.adaptiveMaxPool2d(x, [6, 5]).values),
];

/** Variants that an adapter class may not take by itself, whatever the sizes. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  matmul: ["matmul", "matmulSubgroup", "matmulStrided", "matmulTiled"],
  conv2d: ["conv2d", "conv2d subgroup"],
  conv2dGradInput: ["conv2dGradInput", "conv2dGradInput subgroup", "conv2dGradInputTaps"],
  conv2dGradWeight: ["conv2dGradWeight", "conv2dGradWeight subgroup"],
};

for (const adapterClass of ["software", "hardware"] as const) {
  describe(`planned for ${adapterClass}, in parts`, () => {
    let pair: Pair;
    beforeAll(async () => {
      const adapter = (await navigator.gpu.requestAdapter())!;
      const requiredFeatures = adapter.features.has("subgroups") ? ["subgroups" as const] : [];
      const device = await adapter.requestDevice({ requiredFeatures });
      const runner = (): Runner => {
        const backend = backendWith(device, { adapterClass });
        return { engine: new Engine(backend), backend };
      };
      pair = { whole: runner(), inParts: runner() };
    });

    for (const make of LARGE) {
      const opCase = make("parts");
      test(opCase.name, async () => {
        expect(await difference(pair, outputOf(opCase))).toBeNull();
        if (differentiable([opCase]).length > 0)
          expect((await difference(pair, gradientsOf("parts", opCase))) ?? null).toBeNull();
      });
    }

    for (const [family, variants] of Object.entries(VARIANTS)) {
      test.each(adapterClass === "software" ? variants : [])(`${family} as %s`, async (variant) => {
        const choices = [pair.whole, pair.inParts].map(({ backend }) => choicesOf(backend.gpu.limits));
        const products = family === "matmul" ? LARGE.map((make) => make("parts")) : [];
        try {
          for (const { forced } of choices) forced.set(family, variant);
          pair.whole.backend.forgetPlans();
          let cutCases = 0;
          for (const opCase of [...CASES[family]!, ...products.filter(({ name }) => /product/.test(name))]) {
            const off = await difference(pair, outputOf(opCase));
            expect(off ?? null, opCase.name).toBeNull();
            if (off === null) cutCases++;
          }
          expect(cutCases).toBeGreaterThan(0);
        } finally {
          for (const { forced } of choices) forced.clear();
          pair.whole.backend.forgetPlans();
        }
      });
    }

    for (const [name, cases] of Object.entries(CASES)) {
      // hardware takes other kernels for these only
      if (adapterClass === "hardware" && !["kernel", "reduce"].includes(allOps().get(name)!.lowering.kind)) continue;
      test(name, async () => {
        const wrong: string[] = [];
        const note = async (opCase: OpCase, make: () => readonly Node[]): Promise<void> => {
          const off = await difference(pair, make);
          if (off) wrong.push(`${opCase.name}: ${off}`);
        };
        for (const opCase of cases) await note(opCase, outputOf(opCase));
        for (const opCase of differentiable(cases)) await note(opCase, gradientsOf(name, opCase));
        expect(wrong).toEqual([]);
      });
    }
  });
}

afterAll(() => {
  const missing = [...SHADERS.keys()].filter((name) => !cut.has(name) && !ELSEWHERE.test(name));
  expect(missing, "kernels that no case cut").toEqual([]);
});
