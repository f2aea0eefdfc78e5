/** Values that a kernel would need at several coordinates must not be computed once for each of them, and again below. */

import { init, ones, tensor, type Tensor } from "flywheel";
import { launchesOf } from "flywheel/dev";
import { beforeAll, expect, test } from "vitest";

beforeAll(async () => {
  await init({ device: "webgpu" });
});

const longest = (x: Tensor): number => Math.max(...launchesOf(x).map(({ wgsl }) => wgsl.length));

test("a running sum by doubling grows by launches, not by text", async () => {
  const lengths = [64, 1024, 16384].map((n) => longest(ones([n]).cumsum(0)));
  expect(Math.max(...lengths)).toBeLessThan(10_000);
  const sums = await ones([1024]).cumsum(0).data();
  expect([...sums]).toEqual(Array.from({ length: 1024 }, (_, i) => i + 1));
});

test("so does a chain of stencils", async () => {
  let x = tensor(Float32Array.from({ length: 64 }, (_, i) => Number(i === 32)));
  const padded = (y: Tensor): Tensor =>
    y
      .add(y.flip(0))
      .mul(0.5)
      .add(y.narrow(0, 0, 1));
  for (let step = 0; step < 16; step++) x = padded(x);
  expect(longest(x)).toBeLessThan(10_000);
  expect((await x.data()).length).toBe(64);
});
