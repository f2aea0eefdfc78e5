/** Cases of generators: values made of an element's own index. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { type Row, row, table } from "./case";

const SEED = [12345, 67890] as const;

/** Random bits from a given state; the offset is about to overflow its low word. */
const bits = (shape: readonly number[], offset: readonly [number, number] = [3, 0]): Row =>
  row(
    `bits ${shape.join("x") || "scalar"} from ${offset.join(" ")}`,
    () => [],
    () =>
      ops.randomBits(shape, {
        seedLow: ops.scalar(SEED[0], "u32"),
        seedHigh: ops.scalar(SEED[1], "u32"),
        offsetLow: ops.scalar(offset[0], "u32"),
        offsetHigh: ops.scalar(offset[1], "u32"),
      }),
  );

function bitsOf(shape: readonly number[]): Node {
  const state = { seedLow: 1, seedHigh: 2, offsetLow: 3, offsetHigh: 4 };
  const [seedLow, seedHigh, offsetLow, offsetHigh] = Object.values(state).map((value) => ops.scalar(value, "u32"));
  return ops.randomBits(shape, {
    seedLow: seedLow!,
    seedHigh: seedHigh!,
    offsetLow: offsetLow!,
    offsetHigh: offsetHigh!,
  });
}

export const cases = table({
  arange: [
    row(
      "odd",
      () => [],
      () => ops.iota(7),
    ),
    row(
      "f32",
      () => [],
      () => ops.arange(0.5, 9, 0.75),
    ),
    row(
      "down",
      () => [],
      () => ops.arange(9, -3, -2),
    ),
    row(
      "empty",
      () => [],
      () => ops.arange(3, 3),
    ),
    row(
      "transposed",
      () => [],
      () => ops.transpose(ops.reshape(ops.iota(15), [3, 5]), 0, 1),
    ),
  ],
  randomBits: [
    bits([7]),
    bits([3, 5]),
    bits([]),
    bits([0]),
    bits([1]),
    bits([130], [4294967290, 6]),
    row(
      "strided",
      () => [],
      () => ops.slice(bitsOf([33]), [1], [null], [3]),
    ),
    row(
      "uniform",
      () => [],
      () => ops.bitsToUniform(bitsOf([65])),
    ),
  ],
});
