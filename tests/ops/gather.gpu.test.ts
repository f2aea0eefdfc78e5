/** Indices that only the GPU knows: one from outside shows as NaN, since a shader cannot throw. */

import { expect, it } from "vitest";
import { add, fromHost, gather } from "../../src/ops";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend } from "../../src/runtime/webgpuBackend";

const x = fromHost(Float32Array.of(1, 2, 3), [3]);

it("gives NaN for a computed index from outside", async () => {
  const engine = new Engine(await createWebGpuBackend());
  const index = add(fromHost(Int32Array.of(0, 1, 2, -2, 7), [5], "i32"), 1);
  expect([...(await engine.read([gather(x, 0, index)]))[0]!]).toEqual([2, 3, NaN, NaN, NaN]);
});

it("throws for an index on the host from outside", () => {
  expect(() => gather(x, 0, fromHost(Int32Array.of(0, 3), [2], "i32"))).toThrow(
    "gather: index must be in 0..2, got 3.",
  );
});
