/**
 * More workgroups than a dimension of a grid may have: 65,535. First each kernel in grids that are folded as far as they go,
 * on a GPU that plans as if the limit were lower; then real sizes, one a family, made of many tiny pieces.
 */

import { beforeAll, describe, expect, test } from "vitest";
import type { GpuLimits } from "../../src/gpu/gpu";
import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { allOps, apply } from "../../src/ops/op";
import { Engine } from "../../src/runtime/engine";
import type { WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { backendWith } from "../helpers/lowLimits";
import { build, CASES, type OpCase } from "../ops/cases";
import { mismatch } from "../ops/compare";

let backend: WebGpuBackend;
let engine: Engine;
beforeAll(async () => {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  backend = backendWith(device, {});
  engine = new Engine(backend);
});

const MOST = 65_535;
const setMost = (most: number): void => {
  Object.assign(backend.gpu.limits, { maxComputeWorkgroupsPerDimension: most } satisfies Partial<GpuLimits>);
};

/** Workgroups of the largest launch. */
const workgroupsOf = (output: Node): number =>
  Math.max(0, ...backend.launchesOf(engine.programFor([output])).map(({ grid: [x, y, z] }) => x * y * z));

describe("grids folded as far as they go", () => {
  const hasGrid = (name: string): boolean => ["kernel", "reduce"].includes(allOps().get(name)!.lowering.kind);

  let folded = 0;

  async function mistakeOf(name: string, opCase: OpCase): Promise<string | null> {
    setMost(MOST);
    const workgroups = workgroupsOf(build(opCase).output);
    if (workgroups < 2) return null;
    folded++;
    setMost(Math.ceil(Math.sqrt(workgroups)));
    const mistake = await mismatch(engine, [build(opCase).output], `${name}, ${opCase.name}`);
    setMost(MOST);
    return mistake && `${opCase.name}: ${mistake}`;
  }

  for (const [name, cases] of Object.entries(CASES).filter(([op]) => hasGrid(op))) {
    test(name, async () => {
      const mistakes: (string | null)[] = [];
      for (const opCase of cases) mistakes.push(await mistakeOf(name, opCase));
      expect(mistakes.filter((mistake) => mistake !== null)).toEqual([]);
    });
  }

  test("are what many of these cases have", () => {
    expect(folded).toBeGreaterThan(20);
  });
});

describe("more than 65,535 workgroups", () => {
  /** Small whole numbers that follow from the index. */
  const valueAt = (index: number): number => (index % 13) - 6;
  const values = (...shape: number[]): Node => {
    const data = new Float32Array(shape.reduce((count, size) => count * size));
    for (let i = 0; i < data.length; i++) data[i] = valueAt(i);
    return ops.fromHost(data, shape);
  };
  const indices = (count: number, size: number): Node =>
    ops.fromHost(Int32Array.from({ length: count }, (_, i) => i % size), [count, 1], "i32"); // prettier-ignore

  const MANY = 270_000;
  const geometry = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
  const table: Readonly<Record<string, readonly [make: () => Node, wanted: (index: number) => number]>> = {
    "sums of rows": [() => ops.sum(values(1_060_000, 2), 1), (i) => valueAt(2 * i) + valueAt(2 * i + 1)],
    "sums of columns": [() => ops.sum(values(2, 4_300_000), 0), (i) => valueAt(i) + valueAt(i + 4_300_000)],
    "products of matrices": [
      () => ops.matmul(values(MANY, 1, 2), values(MANY, 2, 1)),
      (i) => valueAt(2 * i) ** 2 + valueAt(2 * i + 1) ** 2,
    ],
    convolutions: [
      () => ops.conv2d(values(MANY, 1, 1, 2), values(1, 1, 1, 2)),
      (i) => valueAt(2 * i) * valueAt(0) + valueAt(2 * i + 1) * valueAt(1),
    ],
    "gradients of their input": [
      () => apply(ops.conv2dGradInputOp, [values(MANY, 1, 1, 1), values(1, 1, 1, 2)], { ...geometry, inputShape: [MANY, 1, 1, 2] }), // prettier-ignore
      (i) => valueAt(Math.floor(i / 2)) * valueAt(i % 2),
    ],
    "gradients of their weight": [
      () => apply(ops.conv2dGradWeightOp, [values(1, MANY, 1, 2), values(1, MANY, 1, 1)], { ...geometry, groups: MANY, weightShape: [MANY, 1, 1, 2] }), // prettier-ignore
      (i) => valueAt(i) * valueAt(Math.floor(i / 2)),
    ],
    "largest pixels": [
      () => ops.maxPool2d(values(4_300_000, 1, 2, 1), [2, 1]).values,
      (i) => Math.max(valueAt(2 * i), valueAt(2 * i + 1)),
    ],
    "places of the largest": [
      () => ops.topk(values(MANY, 2), 1).indices,
      (i) => Number(valueAt(2 * i + 1) > valueAt(2 * i)),
    ],
    "sums at an index": [
      () => ops.scatterAdd(values(4_300_000, 2), 1, indices(4_300_000, 2), values(4_300_000, 1)),
      (i) => valueAt(i) + (Math.floor(i / 2) % 2 === i % 2 ? valueAt(Math.floor(i / 2)) : 0),
    ],
    "running sums": [
      () => ops.cumsum(values(4_300_000, 2), 1),
      (i) => (i % 2 === 0 ? valueAt(i) : valueAt(i - 1) + valueAt(i)),
    ],
  };

  test.each(Object.entries(table))("%s", async (_name, [make, wanted]) => {
    const output = make();
    expect(workgroupsOf(output)).toBeGreaterThan(MOST);
    const [got] = await engine.read([output]);
    const off = got!.findIndex((value, i) => value !== wanted(i));
    expect(off < 0 ? null : { index: off, value: got![off], wanted: wanted(off) }).toBeNull();
  });
});
