/** f16 on the host: all bit patterns, and rounding against the definition. */

import { describe, expect, it } from "vitest";
import { fromHalfBits, halfBits, halfValue, roundAllToHalf, roundToHalf, toHalfBits } from "../../src/graph/half";

const ALL = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);
const isNaNBits = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;

describe("f16 on the host", () => {
  it("gives back all bit patterns, and NaN for NaN", () => {
    const values = fromHalfBits(ALL);
    const bits = toHalfBits(values);
    const wrong = [...ALL].filter((each) => (isNaNBits(each) ? !isNaNBits(bits[each]!) : bits[each] !== each));
    expect(wrong).toEqual([]);
    expect([...ALL].every((each) => isNaNBits(each) === Number.isNaN(values[each]))).toBe(true);
  });

  it("knows what some bits stand for", () => {
    const known: [number, number][] = [
      [0x0000, 0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0x3c00, 1],
      [0x3c01, 1 + 2 ** -10],
      [0x7bff, 65504],
      [0x7c00, Infinity],
      [0xc000, -2],
      [0xfc00, -Infinity],
    ];
    for (const [bits, value] of known) {
      expect(halfValue(bits)).toBe(value);
      expect(halfBits(value)).toBe(bits);
    }
    expect(Object.is(halfValue(0x8000), -0)).toBe(true);
    expect(halfBits(-0)).toBe(0x8000);
    expect(isNaNBits(halfBits(NaN))).toBe(true);
  });

  it("rounds midpoints to even, and all else to the nearest, of every pair of neighbours", () => {
    const wrong: number[] = [];
    for (const sign of [0, 0x8000]) {
      for (let low = 0; low < 0x7bff; low++) {
        const high = low + 1;
        const [a, b] = [halfValue(low), halfValue(high)];
        const middle = (a + b) / 2; // an f32, as are its neighbours but one in a thousand of the gap away
        const nudge = (b - a) / 1024;
        const even = low % 2 === 0 ? low : high;
        const s = sign ? -1 : 1;
        const found = [middle, middle - nudge, middle + nudge].map((value) => halfBits(s * value));
        if (found.join() !== [even, low, high].map((bits) => bits | sign).join()) wrong.push(low | sign);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("overflows from 65520, half a step beyond the largest", () => {
    expect(roundToHalf(65519.996)).toBe(65504);
    expect(roundToHalf(-65519.996)).toBe(-65504);
    expect(roundToHalf(65520)).toBe(Infinity);
    expect(roundToHalf(-65520)).toBe(-Infinity);
    expect(roundToHalf(1e39)).toBe(Infinity);
    expect(roundToHalf(3.4e38)).toBe(Infinity);
  });

  it("keeps subnormals, and lets go of what is no more than half of the least", () => {
    expect(roundToHalf(2 ** -25)).toBe(0); // a tie, to even
    expect(Object.is(roundToHalf(-(2 ** -25)), -0)).toBe(true);
    expect(roundToHalf(2 ** -25 * 1.0001)).toBe(2 ** -24);
    expect(roundToHalf(3 * 2 ** -25)).toBe(2 ** -23); // a tie, to even
    expect(roundToHalf(1023.5 * 2 ** -24)).toBe(2 ** -14); // to the least that is normal
    expect(roundToHalf(1e-40)).toBe(0);
  });

  it("rounds by way of f32, as PyTorch does", () => {
    // in f64 just above a midpoint, in f32 on it
    expect(roundToHalf(1 + 2 ** -11 + 2 ** -40)).toBe(1);
  });

  it("rounds arrays in place", () => {
    const data = Float32Array.of(0.1, 1e6, NaN, -0);
    roundAllToHalf(data);
    expect([...data]).toEqual([0.0999755859375, Infinity, NaN, -0]);
  });
});
