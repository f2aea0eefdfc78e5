/** InfoNCE over a queue whose products no binding could hold: loss and gradient against f64, row by row. */

import { F, init, manualSeed, randn, type Tensor } from "flywheel";
import { beforeAll, describe, expect, test } from "vitest";
import { gpuCallsOf } from "../helpers/gpuCalls";

beforeAll(async () => {
  await init({ device: "webgpu" });
});

const units = (n: number, dim: number): Tensor => F.normalize(randn([n, dim]), { dim: 1 });

interface Rows {
  readonly query: ArrayLike<number>;
  readonly own: ArrayLike<number>;
  readonly keys: ArrayLike<number>;
  readonly dim: number;
  readonly temperature: number;
}

/** Loss and gradient of one query, from f64. */
function expected({ query, own, keys, dim, temperature }: Rows, row: number): { loss: number; gradient: number[] } {
  const count = keys.length / dim;
  const dot = (list: ArrayLike<number>, at: number): number => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += query[row * dim + d]! * list[at * dim + d]!;
    return sum / temperature;
  };
  const positive = dot(own, row);
  const scores = Float64Array.from({ length: count }, (_, j) => dot(keys, j));
  const largest = scores.reduce((a, b) => Math.max(a, b), positive);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), Math.exp(positive - largest));
  const gradient = new Array<number>(dim).fill(0);
  const addKey = (list: ArrayLike<number>, at: number, weight: number): void => {
    for (let d = 0; d < dim; d++) gradient[d]! += (weight * list[at * dim + d]!) / temperature;
  };
  scores.forEach((score, j) => {
    addKey(keys, j, Math.exp(score - largest) / total);
  });
  addKey(own, row, Math.exp(positive - largest) / total - 1);
  return { loss: largest + Math.log(total) - positive, gradient };
}

interface Sizes {
  readonly n: number;
  readonly k: number;
  readonly dim: number;
  /** Length of the vectors. */
  readonly length?: number;
}

async function trained({ n, k, dim, length = 1 }: Sizes, streaming?: boolean) {
  const temperature = 0.07;
  const [query, own, keys] = [units(n, dim), units(n, dim), units(k, dim)].map((x) => x.mul(length));
  const leaf = query!.detach().requiresGrad_();
  const losses = F.infoNCE(leaf, own!, keys!, { temperature, reduction: "none", streaming });
  losses.sum().backward();
  const [loss, gradient] = await Promise.all([losses.data(), leaf.grad!.data()]);
  const [q, o, c] = await Promise.all([leaf.data(), own!.data(), keys!.data()]);
  return { loss, gradient, rows: { query: q, own: o, keys: c, dim, temperature } };
}

test("1024 queries and 65536 keys, at default limits", { timeout: 300_000 }, async () => {
  manualSeed(0);
  const [n, dim] = [1024, 128];
  const { loss, gradient, rows } = await trained({ n, k: 65536, dim });
  for (const row of [0, 517, 1023]) {
    const want = expected(rows, row);
    expect(Math.abs(loss[row]! - want.loss)).toBeLessThan(1e-5 * want.loss);
    const size = Math.hypot(...want.gradient);
    const off = want.gradient.map((value, d) => value - gradient[row * dim + d]!);
    expect(Math.hypot(...off)).toBeLessThan(1e-5 * size);
  }
});

describe.each([true, false])("streaming: %s", (streaming) => {
  test("many keys", { timeout: 300_000 }, async () => {
    manualSeed(2);
    const [n, dim] = [40, 64];
    const { loss, gradient, rows } = await trained({ n, k: 20_000, dim }, streaming);
    for (const row of [0, 39]) {
      const want = expected(rows, row);
      expect(Math.abs(loss[row]! - want.loss)).toBeLessThan(1e-5 * want.loss);
      const off = want.gradient.map((value, d) => value - gradient[row * dim + d]!);
      expect(Math.hypot(...off)).toBeLessThan(1e-5 * Math.hypot(...want.gradient));
    }
  });

  test("scores of ten thousand, as near as their own rounding", async () => {
    manualSeed(1);
    const { loss, rows } = await trained({ n: 16, k: 300, dim: 32, length: 30 }, streaming); // 30 * 30 / 0.07
    for (let row = 0; row < 16; row++) {
      const want = expected(rows, row);
      expect(Math.abs(loss[row]! - want.loss)).toBeLessThanOrEqual(4 * 2 ** -23 * (900 / 0.07));
    }
  });
});

test("a loss without its gradient holds no products of queries and keys", async () => {
  const [query, own, keys] = [units(64, 128), units(64, 128), units(4096, 128)];
  for (const each of [query, own, keys]) await each.realize();
  const calls = await gpuCallsOf(async () => {
    await F.infoNCE(query, own, keys).item();
  });
  expect(calls.kernels).toEqual(["reduceRows", "contrast", "contrastTotals", "reduceRows"]);
});
