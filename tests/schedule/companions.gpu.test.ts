/** The gradients of a convolution's weight and bias: one kernel makes both. */

import { beforeAll, describe, expect, test } from "vitest";
import { backward } from "../../src/autograd/backward";
import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { Draw } from "../ops/case";
import { mismatch } from "../ops/compare";

let backend: WebGpuBackend;
let engine: Engine;
beforeAll(async () => {
  backend = await createWebGpuBackend();
  engine = new Engine(backend);
});

const drawn = (name: string, shape: readonly number[]): Node => {
  const { host } = new Draw(name).uniform(shape, -1, 1);
  return ops.fromHost(host.data, host.shape, "f32", true);
};

/** Gradients of weight and bias. */
function gradients(input: readonly number[], weight: readonly number[], groups = 1): Node[] {
  const [x, w, b] = [drawn("x", input), drawn("w", weight), drawn("b", [weight[0]!])];
  const y = ops.conv2d(x, w, b, { groups, padding: 1 });
  const { host } = new Draw("g").uniform(y.shape, -1, 1);
  return backward([y], [ops.fromHost(host.data, host.shape)], [w, b]) as Node[];
}

describe("gradients of weight and bias", () => {
  test.each([
    ["whole", [3, 32, 6, 7], [64, 32, 3, 3], 1, ["conv2dGradWeight"]],
    ["one channel", [2, 1, 5, 5], [1, 1, 3, 3], 1, null],
    ["groups", [2, 6, 5, 5], [9, 2, 3, 3], 3, null],
    ["split", [16, 1, 28, 28], [16, 1, 3, 3], 1, ["conv2dGradWeight", "sumPartials"]],
    ["split, odd", [9, 3, 17, 13], [5, 3, 3, 3], 1, null],
  ] as const)("%s", async (name, input, weight, groups, labels) => {
    const grads = gradients(input, weight, groups);
    const launches = backend.launchesOf(engine.programFor(grads)).map(({ label }) => label);
    if (labels) expect(launches).toEqual(labels);
    expect(launches).not.toContain("reduceRows");
    expect(await mismatch(engine, grads, name)).toBeNull();
  });

  test("written to state, each to its own", async () => {
    const grads = gradients([4, 3, 6, 6], [8, 3, 3, 3]);
    const states = grads.map(({ shape }, i) => engine.createZeros(`state ${i}`, shape));
    engine.flush();
    states.forEach((state, i) => {
      engine.assign(state, grads[i]!);
    });
    const labels = backend.launchesOf(engine.programFor(states.map(({ node }) => node))).map(({ label }) => label);
    expect(labels).not.toContain("elementwise");
    const wanted = await engine.read(gradients([4, 3, 6, 6], [8, 3, 3, 3]));
    const got = await engine.read(states.map(({ node }) => node));
    got.forEach((values, i) => {
      expect([...values]).toEqual([...wanted[i]!]);
    });
  });

  test("a weight's gradient that needs the bias' is made after it", async () => {
    const [x, g] = [drawn("x", [2, 3, 5, 5]), drawn("g", [2, 4, 5, 5])];
    const ofBias = ops.sum(g, [0, 2, 3]);
    const moved = ops.mul(x, ops.sum(ofBias));
    const weight = drawn("w", [4, 3, 3, 3]);
    const y = ops.conv2d(moved, weight, null, { padding: 1 });
    const [ofWeight] = backward([y], [g], [weight]) as Node[];
    expect(await mismatch(engine, [ofWeight!, ofBias], "one after the other")).toBeNull();
  });
});
