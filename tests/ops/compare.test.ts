/** What the comparisons of the tests let pass. */

import { expect, test } from "vitest";
import { firstOff } from "../suites/golden";
import { isClose } from "./compare";

test("infinity and NaN are close to nothing but themselves", () => {
  const tolerance = { abs: 1e-3, rel: 1e-3 };
  for (const want of [Infinity, -Infinity, NaN]) {
    for (const got of [Infinity, -Infinity, NaN, 0, 1, 3e38]) {
      expect(isClose(got, want, tolerance), `${got} for ${want}`).toBe(Object.is(got, want));
      const off = firstOff(Float32Array.of(got), Float32Array.of(want), { relative: 1e-3, ofLargest: 1e-3 });
      expect(off === null, `${got} for ${want}`).toBe(Object.is(got, want));
    }
  }
  expect(isClose(Infinity, 1, tolerance)).toBe(false);
  expect(isClose(NaN, 1, tolerance)).toBe(false);
  expect(isClose(1.0005, 1, tolerance)).toBe(true);
  expect(isClose(-0, 0, tolerance)).toBe(true);
});
