import { expect, test } from "vitest";
import { showBytes, sizeClass } from "../../src/gpu/memory.ts";

test("a size class holds what was asked for, wastes at most an eighth, and is a multiple of 256", () => {
  for (let byteLength = 2048; byteLength < 2 ** 36; byteLength = Math.ceil(byteLength * 1.01) + 1) {
    const size = sizeClass(byteLength);
    expect(size).toBeGreaterThanOrEqual(byteLength);
    expect(size).toBeLessThanOrEqual(byteLength * 1.125);
    expect(size % 256).toBe(0);
    expect(sizeClass(size)).toBe(size);
  }
});

test("small sizes share a class of 256", () => {
  expect([0, 1, 255, 256, 257].map(sizeClass)).toEqual([256, 256, 256, 256, 512]);
});

test("near sizes share a class", () => {
  const classes = new Set<number>();
  for (let byteLength = 2 ** 20; byteLength < 2 ** 21; byteLength += 4096) classes.add(sizeClass(byteLength));
  expect(classes.size).toBeLessThanOrEqual(9);
});

test("bytes are shown with a unit", () => {
  expect([0, 20, 1024, 1.5 * 2 ** 30].map(showBytes)).toEqual(["0 B", "20 B", "1.00 KiB", "1.50 GiB"]);
});
