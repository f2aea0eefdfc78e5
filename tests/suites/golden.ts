/** PyTorch goldens as tensors of the default device, and comparing with them. */

import { expect } from "vitest";
import { defaultDevice } from "../../src/device";
import { tensor } from "../../src/creation";
import { allocateHost, type DType, type TypedArray } from "../../src/graph/dtype";
import { sizeOf } from "../../src/graph/shape";
import { read, type Tensor } from "../../src/tensor";

export type GoldenValue = number | string;

/** A tensor as the JSON files hold it. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: readonly GoldenValue[];
  /** The op sees the tensor through this permutation. */
  readonly permute?: readonly number[];
}

const SPECIAL: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, "-inf": -Infinity };

export const toNumber = (value: GoldenValue): number => (typeof value === "string" ? SPECIAL[value]! : value);

export function goldenValues({ dtype, shape, data }: GoldenTensor): TypedArray {
  const values = allocateHost(dtype as DType, sizeOf(shape));
  data.forEach((value, i) => (values[i] = toNumber(value)));
  return values;
}

/** A golden on the default device. */
export const goldenTensor = (golden: GoldenTensor): Tensor =>
  tensor(goldenValues(golden), { shape: golden.shape, dtype: golden.dtype as DType });

/** How far a result may stray: relative to each value, and to the largest one, where sums cancel. */
export interface Tolerance {
  readonly relative: number;
  readonly ofLargest: number;
}

/** The CPU rounds once an op, from f64; a GPU computes in f32, and may be 2 or 3 ulp off in exp, log and the like. */
const TOLERANCE: Readonly<Record<"cpu" | "webgpu", Tolerance>> = {
  cpu: { relative: 1e-6, ofLargest: 2e-7 },
  webgpu: { relative: 2e-5, ofLargest: 2e-6 },
};

export const deviceTolerance = (): Tolerance => TOLERANCE[defaultDevice().kind];

/** The first value that is off; null if none is. */
export function firstOff(actual: TypedArray, expected: TypedArray, { relative, ofLargest }: Tolerance): string | null {
  if (actual.length !== expected.length) return `${actual.length} values for ${expected.length}`;
  const isFloat = expected instanceof Float32Array || expected instanceof Float64Array;
  const largest = Array.from(expected).reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    0,
  );
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (a === e || Object.is(a, e)) continue;
    const isClose =
      isFloat && Number.isFinite(e) && Math.abs(a - e) <= relative * Math.abs(e) + ofLargest * Math.min(largest, 1e3);
    if (!isClose) return `[${i}]: got ${a}, expected ${e}`;
  }
  return null;
}

/** Reads tensors in one go and compares each with its golden. */
export async function expectGoldens(
  pairs: readonly { name: string; actual: Tensor; golden: GoldenTensor }[],
  tolerance: Tolerance = deviceTolerance(),
): Promise<void> {
  for (const { name, actual, golden } of pairs) {
    expect(actual.shape, `${name}: shape`).toEqual(golden.shape);
    expect(actual.dtype, `${name}: dtype`).toBe(golden.dtype);
  }
  const values = await read(pairs.map(({ actual }) => actual));
  pairs.forEach(({ name, golden }, i) => {
    expect(firstOff(values[i]!, goldenValues(golden), tolerance), name).toBeNull();
  });
}
