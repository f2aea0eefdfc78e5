/** Which kernels of a step are shown one by one. */

import { expect, test } from "vitest";
import { shownOf, timesText } from "../../demo/kernelTimes";

const kernels = (count: number): Parameters<typeof shownOf>[0] =>
  Array.from({ length: count }, (_, i) => ({ kernel: `k${i}`, launches: 2, timeMs: count - i, flops: 10, bytes: i }));

test("shows a few kernels all, and sums up what is beyond", () => {
  expect(shownOf(kernels(10))).toEqual(kernels(10));
  const shown = shownOf(kernels(12));
  expect(shown).toHaveLength(10);
  expect(shown.slice(0, 9)).toEqual(kernels(12).slice(0, 9));
  expect(shown[9]).toEqual({ kernel: "3 others", launches: 6, timeMs: 6, flops: 30, bytes: 30 });
});

test("says what a step took, in a sentence", () => {
  const event = { type: "times", step: 7, timeMs: 1234.56, kernels: kernels(3) } as const;
  expect(timesText(event)).toBe("Step 7: 1,230 ms in 6 launches of 3 kernels.");
});
