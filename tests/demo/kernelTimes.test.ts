/** Which kernels of a step are shown one by one. */

import { expect, test } from "vitest";
import { shownOf } from "../../demo/kernelTimes";

const kernels = (count: number): Parameters<typeof shownOf>[0] =>
  Array.from({ length: count }, (_, i) => ({ kernel: `k${i}`, launches: 2, timeMs: count - i, flops: 10, bytes: i }));

test("shows a few kernels all, and sums up what is beyond", () => {
  expect(shownOf(kernels(10))).toEqual(kernels(10));
  const shown = shownOf(kernels(12));
  expect(shown).toHaveLength(10);
  expect(shown.slice(0, 9)).toEqual(kernels(12).slice(0, 9));
  expect(shown[9]).toEqual({ kernel: "3 others", launches: 6, timeMs: 6, flops: 30, bytes: 30 });
});
