/** Rows of the table that kernels are planned by: each plans every family within WebGPU's default limits, and says what it rests on. */

import { describe, expect, test } from "vitest";
import { vendorOf } from "../../src/gpu/adapter";
import { KERNELS } from "../../src/kernels";
import { familyOf } from "../../src/kernels/choices";
import { elementwiseGrid } from "../../src/kernels/elementwise";
import { sizeOf } from "../../src/graph/shape";
import { topologicalOrder } from "../../src/graph/walk";
import { HEURISTICS, heuristicsOf } from "../../src/kernels/heuristics";
import type { KernelLimits, Pass } from "../../src/kernels/kernel";
import { planReduce } from "../../src/kernels/reduce";
import { planSweep } from "../../src/kernels/sweep";
import type { KernelInfoMap } from "../../src/ops/kernelInfo";
import { opOf } from "../../src/ops/op";
import { DEFAULT_LIMITS } from "../helpers/defaultLimits";
import { build, CASES } from "../ops/cases";

type Row = keyof typeof HEURISTICS;
const ROWS = Object.keys(HEURISTICS) as Row[];

const limitsOf = (row: Row): KernelLimits => ({
  ...DEFAULT_LIMITS,
  ...(row === "software" ? { adapterClass: "software", vendor: "unknown" } : { adapterClass: "hardware", vendor: row }),
});

/** Infos of all kernels that rows of cases call, and of whole arenas. */
const infos: { readonly kernel: keyof KernelInfoMap; readonly info: unknown }[] = [
  ...Object.values(CASES)
    .flat()
    .flatMap((opCase) => topologicalOrder([build(opCase).output]))
    .flatMap((node) => {
      const { lowering } = opOf(node);
      // nothing runs for an empty result
      return lowering.kind === "kernel" && sizeOf(node.shape) > 0 ? [lowering.call(node)] : [];
    }),
  ...[64, 4096, 1 << 22].flatMap((count) => [
    ...(["ema", "clipGradNorm", "clipGradValue"] as const).map((kernel) => ({ kernel, info: { count } })),
    ...(["momentumSgd", "momentumSgdEma"] as const).flatMap((kernel) =>
      [true, false].map((isAlike) => ({ kernel, info: { count, isAlike } })),
    ),
    { kernel: "adam" as const, info: { count, amsgrad: true } },
    { kernel: "rmsProp" as const, info: { count, momentum: true, centered: true } },
    { kernel: "lars" as const, info: { count, segments: 60 } },
    { kernel: "gradNorm" as const, info: { count, chunk: 64, kind: 0, offset: 0 } },
    { kernel: "clipFactor" as const, info: { count, kind: 0 } },
  ]),
];

function expectWithin({ shader, grid, consts = {} }: Omit<Pass, "bindings">, limits: KernelLimits): void {
  for (const size of grid) {
    expect(Number.isInteger(size) && size >= 0, `${shader.name}: ${grid.join()}`).toBe(true);
    expect(size, shader.name).toBeLessThanOrEqual(limits.maxComputeWorkgroupsPerDimension);
  }
  const invocations = consts["SIDE"] === undefined ? (consts["WORKGROUP"] ?? 1) : consts["SIDE"] ** 2;
  expect(invocations, shader.name).toBeGreaterThan(0);
  expect(invocations, shader.name).toBeLessThanOrEqual(limits.maxComputeInvocationsPerWorkgroup);
}

describe.each(ROWS)("the row of %s", (row) => {
  const limits = limitsOf(row);

  test("is taken, and says where it comes from", () => {
    expect(heuristicsOf(limits)).toBe(HEURISTICS[row]);
    expect(HEURISTICS[row].sources.length).toBeGreaterThan(0);
    if (row === "software") return;
    for (const source of HEURISTICS[row].sources) expect(source).toMatch(/https?:\/\//);
    expect(HEURISTICS[row].mostWork).toEqual({ flops: 2.5e9, bytes: 5e8 }); // none is measured
  });

  test("plans every family within the limits", () => {
    const planned = new Set<string>();
    for (const { kernel, info } of infos) {
      planned.add(kernel);
      for (const pass of familyOf(kernel).plan(info, limits).passes) expectWithin(pass, limits);
    }
    expect([...planned].sort()).toEqual(Object.keys(KERNELS).sort());
  });

  test("plans expressions, reductions and sweeps within the limits", () => {
    for (const size of [1, 7, 1000, 1 << 20, 1 << 26]) {
      const grid = elementwiseGrid(size, 1, limits);
      expect(grid[0]).toBeGreaterThan(0);
      expect(grid[0]).toBeLessThanOrEqual(limits.maxComputeWorkgroupsPerDimension);
      for (const other of [1, 5, 300]) {
        const reductions = [
          planReduce({ layout: "rows", outputs: other, outer: 1, inner: size }, limits),
          planReduce({ layout: "columns", outputs: other, rows: size }, limits),
          planReduce({ layout: "columns", outputs: size, rows: other }, limits),
        ];
        for (const { passes } of reductions) for (const pass of passes) expectWithin(pass, limits);
        const sweep = {
          outer: 1,
          inner: other,
          levels: 2,
          folds: 1,
          moments: false,
          soft: null,
          stores: true,
          written: 100,
        };
        expectWithin(planSweep({ ...sweep, rows: size }, limits), limits);
      }
    }
  });
});

test("Arm's products stay in registers that it has", () => {
  const { matmul } = KERNELS;
  const strides = { offset: 0, batch: 0, row: 512, col: 1 };
  const info = { batch: 1, m: 512, n: 512, k: 512, a: strides, b: strides };
  const [pass] = matmul.plan(info, limitsOf("arm")).passes;
  expect(pass!.shader.name).toBe("matmul");
  expect(pass!.consts).toMatchObject({ ROWS4: 1, COLS4: 1 });
  expect(matmul.plan(info, limitsOf("nvidia")).passes[0]!.shader.name).toBe("matmulTiled");
});

test.each([
  [{ vendor: "nvidia", architecture: "turing" }, "nvidia"],
  [{ vendor: "apple", architecture: "metal-3" }, "apple"],
  [{ vendor: "AMD" }, "amd"],
  [{ vendor: "0x8086" }, "intel"],
  [{ vendor: "qualcomm", architecture: "adreno-6xx" }, "qualcomm"],
  [{ vendor: "arm", architecture: "valhall" }, "arm"],
  [{ vendor: "", description: "NVIDIA GeForce RTX 3060" }, "nvidia"],
  [{ vendor: "", device: "Mali-G78" }, "arm"],
  [{ vendor: "google", architecture: "swiftshader" }, "unknown"],
  [{}, "unknown"],
  [{ vendor: "charm", description: "a farm" }, "unknown"],
] as const)("%j is made by %s", (info, vendor) => {
  const none = { vendor: "", architecture: "", device: "", description: "", isFallback: false, features: [] };
  expect(vendorOf({ ...none, subgroupMinSize: undefined, subgroupMaxSize: undefined, ...info })).toBe(vendor);
});
