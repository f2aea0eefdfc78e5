import { expect, test } from "vitest";
import { multiplyAdd, transposed } from "../../src/ops/gemm";

const sines = (count: number, seed: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.sin(seed + i));

/** The definition. */
function naive(a: Float64Array, b: Float64Array, m: number, n: number, k: number): number[] {
  return Array.from({ length: m * n }, (_, index) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += a[Math.floor(index / n) * k + i]! * b[i * n + (index % n)]!;
    return sum;
  });
}

test.each([
  [1, 1, 1],
  [4, 4, 4],
  [5, 4, 3],
  [4, 7, 2],
  [9, 11, 13],
  [3, 3, 0],
  [0, 5, 2],
  [5, 0, 2],
])("multiplyAdd of %i x %i x %i", (m, n, k) => {
  const [a, b] = [sines(m * k, 1), sines(k * n, 2)];
  const out = new Float64Array(m * n + 2).fill(1);
  multiplyAdd({ out, outStart: 1, a, aStart: 0, b, bStart: 0 }, m, n, k);
  naive(a, b, m, n, k).forEach((value, i) => expect(out[1 + i]).toBeCloseTo(1 + value, 12));
  expect([out[0], out[m * n + 1]]).toEqual([1, 1]);
});

test("transposed", () => {
  expect([...transposed(Float64Array.of(0, 1, 2, 3, 4, 5, 6), 1, 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
});
