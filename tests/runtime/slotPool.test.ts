/** Slots that plans share: the same memory for the same sizes, and none that no plan needs. */

import { expect, test } from "vitest";
import type { Gpu, GpuMemory } from "../../src/gpu/gpu";
import { SlotPool } from "../../src/runtime/slotPool";

/** Memory without a GPU. */
function fakeGpu(): { gpu: Gpu; live: Set<GpuMemory> } {
  const live = new Set<GpuMemory>();
  const allocate = (byteLength: number): GpuMemory => {
    const memory = { byteLength, fault: null } as unknown as GpuMemory;
    live.add(memory);
    return memory;
  };
  return { gpu: { allocate, free: (memory: GpuMemory) => live.delete(memory) } as unknown as Gpu, live };
}

test("plans share slots of one size, in order", () => {
  const { gpu, live } = fakeGpu();
  const pool = new SlotPool(gpu);
  const [a, b, c] = pool.take([1024, 1024, 4096]);
  expect(pool.take([4096, 1024])).toEqual([c, a]);
  expect(pool.take([1024, 1024])[1]).toBe(b);
  expect(live.size).toBe(3);
});

test("trimming keeps what some plan needs, and nothing else", () => {
  const { gpu, live } = fakeGpu();
  const pool = new SlotPool(gpu);
  const [a, b, c, d] = pool.take([1024, 1024, 1024, 4096]);
  pool.trim([[1024], [1024, 1024]]);
  expect([...live]).toEqual([a, b]);
  expect(pool.take([1024, 1024])).toEqual([a, b]);
  expect(pool.take([4096])[0]).not.toBe(d);
  expect(live.has(c!)).toBe(false);
  pool.trim([]);
  expect(live.size).toBe(0);
});

test("memory that there was no room for is replaced", () => {
  const { gpu, live } = fakeGpu();
  const pool = new SlotPool(gpu);
  const [bad] = pool.take([1024]);
  (bad as { fault: unknown }).fault = new Error("no room");
  const [good] = pool.take([1024]);
  expect(good).not.toBe(bad);
  expect([...live]).toEqual([good]);
});
