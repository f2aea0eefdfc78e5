/** Division by reciprocals, as shaders/lib/index.wgsl does it: exact wherever the code generator uses it. */

import * as fc from "fast-check";
import { expect, it } from "vitest";

const LIMIT = 2 ** 21;

/** `quotient` of shaders/lib/index.wgsl, rounding where f32 rounds. */
const quotient = (n: number, divisor: number): number =>
  Math.trunc(Math.fround(Math.fround(n + 0.5) * Math.fround(1 / divisor)));

it("divides exactly below the limit", () => {
  for (let divisor = 1; divisor <= 2048; divisor++) {
    // around multiples of the divisor, where a rounding error would show
    for (let times = 0; times <= 64; times++) {
      const multiple = Math.floor((times / 64) * ((LIMIT - 2) / divisor)) * divisor;
      for (const n of [multiple - 1, multiple, multiple + 1]) {
        if (n >= 0 && n < LIMIT && quotient(n, divisor) !== Math.floor(n / divisor))
          expect.fail(`${n} / ${divisor} gives ${quotient(n, divisor)}`);
      }
    }
  }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LIMIT - 1 }), fc.integer({ min: 1, max: LIMIT }), (n, divisor) => {
      expect(quotient(n, divisor)).toBe(Math.floor(n / divisor));
    }),
    { numRuns: 5000 },
  );
});
