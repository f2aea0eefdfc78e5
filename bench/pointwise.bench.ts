/** A chain of ten pointwise ops: one launch that reads and writes once, or ten. */

import type { Tensor } from "flywheel";
import { randomArray } from "./check";
import type { Row } from "./harness";
import { resident, tensorRow } from "./rows";

const COUNT = 2 ** 22;

const CHAIN: readonly (readonly [onTensor: (x: Tensor) => Tensor, onNumber: (x: number) => number])[] = [
  [(x) => x.mul(1.5), (x) => x * 1.5],
  [(x) => x.add(0.25), (x) => x + 0.25],
  [(x) => x.relu(), (x) => Math.max(x, 0)],
  [(x) => x.sub(0.5), (x) => x - 0.5],
  [(x) => x.abs(), (x) => Math.abs(x)],
  [(x) => x.square(), (x) => x * x],
  [(x) => x.minimum(0.75), (x) => Math.min(x, 0.75)],
  [(x) => x.neg(), (x) => -x],
  [(x) => x.add(2), (x) => x + 2],
  [(x) => x.mul(0.125), (x) => x * 0.125],
];

export async function rows(): Promise<Row[]> {
  const values = randomArray(COUNT);
  const x = await resident(values, [COUNT]);
  const work = {
    work: "chain of 10 ops, 4 M elements",
    flops: CHAIN.length * COUNT,
    bytes: 8 * COUNT,
    expected: { at: (index: number) => CHAIN.reduce((value, [, onNumber]) => onNumber(value), values[index]!) },
  };
  return [
    tensorRow({ ...work, way: "fused", compute: () => CHAIN.reduce((value, [onTensor]) => onTensor(value), x) }),
    tensorRow({ ...work, way: "an op at a time", compute: () => CHAIN.reduce(realized, x) }),
  ];

  /** One op whose input is memory, not a graph; frees the input, once the op is queued. */
  function realized(value: Tensor, [onTensor]: (typeof CHAIN)[number]): Tensor {
    const result = onTensor(value);
    void result.realize();
    if (value !== x) value.dispose();
    return result;
  }
}
