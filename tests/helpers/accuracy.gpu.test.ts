/** The accuracies that `tolerance` states for functions on a GPU, tried on dense inputs. */

import { beforeAll, describe, expect, test } from "vitest";
import { allocateHost, type HostArray } from "../../src/graph/dtype";
import { fromHost } from "../../src/ops";
import { allOps, apply, type Op } from "../../src/ops/op";
import type { NoAttrs } from "../../src/ops/pointwise";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend } from "../../src/runtime/webgpuBackend";
import { Draw } from "../ops/case";
import { ACCURACY, allowedBy } from "./tolerance";

let engine: Engine;
beforeAll(async () => {
  engine = new Engine(await createWebGpuBackend());
});

const COUNT = 2 ** 15;

/** Dense around 0, over some hundreds, and over exponents whose intermediate results are normal numbers. */
function spread(seed: string): HostArray {
  const draw = new Draw(seed);
  const data = new Float32Array(3 * COUNT);
  const near = draw.uniform([COUNT], -8, 8).host.data;
  data.set(near);
  data.set(draw.uniform([COUNT], -120, 120).host.data, COUNT);
  const exponents = draw.uniform([COUNT], -60, 60).host.data;
  data.set(
    exponents.map((exponent: number, i: number) => Math.sign(near[i]!) * 2 ** exponent),
    2 * COUNT,
  );
  return { shape: [data.length], dtype: "f32", data };
}

/** As many inputs as the op takes. */
function inputsOf(op: Op): HostArray[] {
  const one: HostArray = { shape: [1], dtype: "f32", data: Float32Array.of(1) };
  try {
    op.evaluate([one], { ...one }, {});
    return [spread(op.name)];
  } catch {
    return [spread(op.name), spread(`${op.name} 2`)];
  }
}

/** Choices and conversions take other dtypes; `everyOp.gpu` looks at them. */
const OTHERWISE = ["where", "cast"];

const tried = [...allOps().values()].filter(({ name }) => name in ACCURACY && !OTHERWISE.includes(name));

describe("accuracy on a GPU", () => {
  test.each(tried.map((op) => [op.name, op] as const))("of %s", async (name, op) => {
    const inputs = inputsOf(op);
    const leaves = inputs.map(({ data, shape }) => fromHost(data, shape));
    const node = apply(op as Op<NoAttrs>, leaves, {});
    const exact = allocateHost("f32", node.shape[0]!, true);
    op.evaluate(inputs, { shape: node.shape, dtype: node.dtype, data: exact }, {});
    const [got] = await engine.read([node]);
    const isNormal = (value: number): boolean => Math.abs(value) > 2 ** -126 && Math.abs(value) < 2 ** 127.9;
    const indices = [...exact.keys()].filter((i) => isNormal(exact[i]!));
    const off = indices.find((i) => {
      const operands = inputs.map(({ data }) => data[i]!);
      return !(Math.abs(got![i]! - exact[i]!) <= allowedBy(name, exact[i]!, operands));
    });
    const where = off === undefined ? "" : `${name}(${inputs.map(({ data }) => data[off]).join()}): ${got![off]}, exact ${exact[off]}`; // prettier-ignore
    expect(where).toBe("");
    expect(indices.length).toBeGreaterThan(COUNT / 2);
  });
});
