/** PyTorch goldens as tensors of the default device, and comparing with them. */

import { expect } from "vitest";
import { defaultDevice } from "../../src/device";
import { tensor } from "../../src/creation";
import { allocateHost, type DType, type TypedArray } from "../../src/graph/dtype";
import { sizeOf } from "../../src/graph/shape";
import { read, type Tensor } from "../../src/tensor";
import { boundsOfState, ErrorAnalysis, firstOff, withGoldens } from "../helpers/tolerance";
import { noteWide } from "../helpers/wide";

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

export interface Golden {
  readonly name: string;
  readonly actual: Tensor;
  readonly golden: GoldenTensor;
}

export interface Past {
  /** Steps that have written the state which these results are made of. */
  readonly steps?: number;
  /** How far PyTorch in f32 strays from PyTorch in f64, where that is known: absolutely. */
  readonly spread?: number;
}

/** Reads tensors in one go and compares each with its golden, as `tests/helpers/tolerance` says. */
export async function expectGoldens(goldens: readonly Golden[], past: Past = {}): Promise<void> {
  for (const { name, actual, golden } of goldens) {
    expect(actual.shape, `${name}: shape`).toEqual(golden.shape);
    expect(actual.dtype, `${name}: dtype`).toBe(golden.dtype);
  }
  const bounds = await boundsFor(goldens, past);
  const values = await read(goldens.map(({ actual }) => actual));
  goldens.forEach(({ name, golden }, i) => {
    expect(firstOff(values[i]!, goldenValues(golden), bounds[i]!), name).toBeNull();
  });
}

async function boundsFor(goldens: readonly Golden[], { steps = 0, spread = 0 }: Past): Promise<Float64Array[]> {
  const device = defaultDevice();
  const options = { device: device.kind, to: "exact", steps, spread } as const;
  const nodes = goldens.map(({ actual }) => actual.node);
  const analysis = new ErrorAnalysis(nodes.filter((node) => !node.hasValue));
  const leaves = await device.engine.read(analysis.absent);
  const found = analysis.run({ ...options, leaf: (node) => node.hostData ?? leaves[analysis.absent.indexOf(node)]! });
  return goldens.map(({ name, golden }, i) => {
    const want = goldenValues(golden);
    const bounded = nodes[i]!.hasValue
      ? {
          values: want,
          bounds: boundsOfState(want, { ...options, steps: Math.max(steps, 1) }),
          because: "state",
        }
      : found.shift()!;
    noteWide(name, bounded);
    return withGoldens(bounded.bounds, want);
  });
}
