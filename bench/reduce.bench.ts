/** Reductions: all of an array, its rows, its columns, and softmax, which goes over the rows more than once. */

import type { Tensor } from "flywheel";
import { type Expected, randomArray } from "./check";
import type { Row } from "./harness";
import { resident, tensorRow } from "./rows";

const ROWS = 4096;
const COLS = 1024;
const COUNT = ROWS * COLS;

export async function rows(): Promise<Row[]> {
  const values = randomArray(COUNT, { low: 0 }); // sums that do not cancel
  const x = await resident(values, [ROWS, COLS]);
  const sumOf = (begin: number, count: number, step: number): number => {
    let sum = 0;
    for (let index = begin, i = 0; i < count; i++, index += step) sum += values[index]!;
    return sum;
  };
  const row = (
    work: string,
    { written, passes = 1 }: { written: number; passes?: number },
    compute: () => Tensor,
    at: Expected["at"],
  ): Row =>
    tensorRow({
      ...{ work, way: "default", compute },
      flops: passes * COUNT,
      bytes: 4 * (COUNT + written),
      expected: { at, relative: 1e-4, absolute: 1e-9 },
    });
  return [
    row("sum of 4 M", { written: 1 }, () => x.sum(), () => sumOf(0, COUNT, 1)), // prettier-ignore
    row("sum of rows, 4096x1024", { written: ROWS }, () => x.sum(1), (i) => sumOf(i * COLS, COLS, 1)), // prettier-ignore
    row("sum of columns, 4096x1024", { written: COLS }, () => x.sum(0), (i) => sumOf(i, ROWS, COLS)), // prettier-ignore
    // per element: maximum, difference, exponential, sum, quotient
    row("softmax of rows, 4096x1024", { written: COUNT, passes: 5 }, () => x.softmax(1), softmaxAt),
  ];

  function softmaxAt(index: number): number {
    const begin = index - (index % COLS);
    let sum = 0;
    for (let i = begin; i < begin + COLS; i++) sum += Math.exp(values[i]!);
    return Math.exp(values[index]!) / sum;
  }
}
