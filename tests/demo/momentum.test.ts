/** The figures of the page "Momentum": their numbers against closed forms, and against PyTorch 1.13 in f64. */

import { init, tensor } from "flywheel";
import { Parameter } from "flywheel/nn";
import { beforeAll, describe, expect, test } from "vitest";
import { movingAverages, temperatures, weightsOf, withoutBias } from "../../demo/momentum/averages";
import { descend, type Loss, lossesOf, type Run, settledAt } from "../../demo/momentum/descent";
import {
  bowl,
  curvatureOf,
  dents,
  DENTS,
  type DentsShape,
  hasTwoValleys,
  HILL,
  hilly,
  onGrid,
  ravine,
  RAVINE,
} from "../../demo/momentum/losses";
import { Recomputed, turns, whenIdle } from "../../demo/momentum/pause";

beforeAll(async () => {
  await init({ device: "cpu" });
});

/** The one weight of a path, by iteration. */
async function pathOf(run: Run, iterations = 100): Promise<number[]> {
  const [path] = await descend(bowl(2), [2], [run], iterations);
  return path!.map(([w]) => w!);
}

/** Largest difference of two paths between two iterations. */
const gap = (a: readonly number[], b: readonly number[], from: number, to: number): number =>
  Math.max(...a.slice(from, to + 1).map((each, i) => Math.abs(each - b[from + i]!)));

/** f64 rounds to 1e-16; a hundred steps on numbers up to 2 add up to less than this. */
const ROUNDING = 1e-13;

describe("exponentially weighted averages", () => {
  test("the first 100 weights at beta 0.9 sum to 0.9999734386", async () => {
    const { weights, sum } = await weightsOf(0.9, 100);
    expect(sum.toFixed(10)).toBe("0.9999734386");
    expect(Math.abs(sum - (1 - 0.9 ** 100))).toBeLessThan(ROUNDING);
    expect(weights).toHaveLength(100);
    expect(
      gap(
        weights,
        Array.from({ length: 100 }, (_, k) => 0.1 * 0.9 ** k),
        0,
        99,
      ),
    ).toBeLessThan(ROUNDING);
  });

  test.each([
    [0, 5],
    [0.5, 20],
    [0.98, 150],
    [0.99, 200],
  ])("the weights at beta %f sum to 1 - beta^n over %i terms", async (beta, terms) => {
    expect(Math.abs((await weightsOf(beta, terms)).sum - (1 - beta ** terms))).toBeLessThan(ROUNDING);
  });

  test("are v = beta v + (1 - beta) x, from 0, for each beta", async () => {
    const series = [3, -1, 4, 1, -5, 9];
    const averages = await movingAverages(series, [0.5, 0.98]);
    for (const [i, beta] of [0.5, 0.98].entries()) {
      let v = 0;
      const wanted = series.map((x) => (v = beta * v + (1 - beta) * x));
      expect(gap(averages[i]!, wanted, 0, 5)).toBeLessThan(ROUNDING);
    }
  });

  test("without bias, the average of a constant is that constant from the first day on", async () => {
    const [plain] = await movingAverages([7, 7, 7, 7], [0.98]);
    expect(plain![0]).toBeCloseTo(0.14, 12);
    expect(gap(await withoutBias(plain!, 0.98), [7, 7, 7, 7], 0, 3)).toBeLessThan(ROUNDING);
  });

  test("temperatures are the same for the same seed, and as noisy as told", async () => {
    const series = await temperatures(365, 3, 1);
    expect(await temperatures(365, 3, 1)).toEqual(series);
    expect(await temperatures(365, 3, 2)).not.toEqual(series);
    const calm = await temperatures(365, 0, 1);
    expect(calm[0]).toBe(12);
    const deviation = Math.sqrt(series.reduce((sum, each, day) => sum + (each - calm[day]!) ** 2, 0) / 365);
    expect(Math.abs(deviation / 3 - 1)).toBeLessThan(0.15); // four standard errors of 365 draws
  });
});

describe("SGD on y = (2x)^2", () => {
  test.each([0.01, 0.03, 0.2])("without momentum and with lr %f, x shrinks by 1 - 8 lr", async (lr) => {
    const path = await pathOf({ lr });
    expect(path).toHaveLength(101);
    expect(
      gap(
        path,
        Array.from({ length: 101 }, (_, i) => 2 * (1 - 8 * lr) ** i),
        0,
        100,
      ),
    ).toBeLessThan(ROUNDING);
  });

  test("with momentum, x swings as the closed form does", async () => {
    // x[t+1] = (1 + mu - 8 lr) x[t] - mu x[t-1]: a swing of radius sqrt(mu), as its roots are complex
    const [lr, mu] = [0.01, 0.9];
    const radius = Math.sqrt(mu);
    const angle = Math.acos((1 + mu - 8 * lr) / (2 * radius));
    const slope = (1 - 8 * lr) / (radius * Math.sin(angle)) - 1 / Math.tan(angle); // so that x[1] = 2 (1 - 8 lr)
    const wanted = Array.from(
      { length: 101 },
      (_, t) => 2 * radius ** t * (Math.cos(angle * t) + slope * Math.sin(angle * t)),
    );
    expect(gap(await pathOf({ lr, momentum: mu }), wanted, 0, 100)).toBeLessThan(ROUNDING);
  });

  test.each([
    [{ lr: 0.01 }, 0.00047842374931399617],
    [{ lr: 0.01, momentum: 0.9 }, -0.00971193791535302],
    [{ lr: 0.01, momentum: 0.9, dampening: 0.5 }, 0.0048391142389051685],
    [{ lr: 0.01, momentum: 0.9, nesterov: true }, -0.00016019151094071398],
  ])("ends with %j where PyTorch does", async (run, end) => {
    expect(Math.abs((await pathOf(run)).at(-1)! - end)).toBeLessThan(ROUNDING);
  });

  test("the loss is that of each place", async () => {
    const path = [[2], [-1], [0.5]];
    expect(await lossesOf(bowl(2), path)).toEqual([16, 4, 1]);
  });

  test("a path has settled once it stays near", () => {
    expect(settledAt([[2], [0], [1], [0.1], [0]], [0], 0.1)).toBe(3);
    expect(settledAt([[2], [0], [1]], [0], 0.1)).toBe(null);
    expect(settledAt([[2], [NaN]], [0], 0.1)).toBe(null);
  });
});

describe("both forms of momentum", () => {
  const form = (classical: boolean, later?: Run["later"]): Run => ({
    lr: 0.01,
    momentum: 0.9,
    classical,
    ...(later && { later }),
  });

  test("go the same way at a constant rate", async () => {
    const [classical, torch] = await Promise.all([pathOf(form(true)), pathOf(form(false))]);
    expect(gap(classical, torch, 0, 100)).toBeLessThan(ROUNDING);
  });

  test("part where the rate changes, each by its own rule", async () => {
    const later = { after: 30, lr: 0.001 };
    const [classical, torch] = await Promise.all([pathOf(form(true, later)), pathOf(form(false, later))]);
    expect(gap(classical, torch, 0, 30)).toBeLessThan(ROUNDING);
    expect(gap(classical, torch, 31, 31)).toBeGreaterThan(0.01);

    let [w, v] = [2, 0];
    const wanted = [w];
    for (let t = 0; t < 100; t++) {
      v = 0.9 * v - (t < 30 ? 0.01 : 0.001) * 8 * w;
      wanted.push((w += v));
    }
    expect(gap(classical, wanted, 0, 100)).toBeLessThan(ROUNDING);

    [w, v] = [2, 0];
    const wantedOfTorch = [w];
    for (let t = 0; t < 100; t++) {
      v = 0.9 * v + 8 * w;
      wantedOfTorch.push((w -= (t < 30 ? 0.01 : 0.001) * v));
    }
    expect(gap(torch, wantedOfTorch, 0, 100)).toBeLessThan(ROUNDING);
  });

  test("PyTorch's is where PyTorch is after the rate has changed", async () => {
    const path = await pathOf(form(false, { after: 30, lr: 0.001 }));
    const seen = [1, 2, 30, 31, 32, 50, 100].map((iteration) => path[iteration]!);
    const wanted = [
      1.84, 1.5488, -0.26712632795148933, -0.2731353491612003, -0.2763583854566506, -0.10586678498659916,
      0.0025855389929085077,
    ];
    expect(gap(seen, wanted, 0, 6)).toBeLessThan(ROUNDING);
  });
});

describe("losses with a local minimum", () => {
  const ends = async (loss: Loss, start: number[], lr: number): Promise<number[][]> =>
    (await descend(loss, start, [{ lr }, { lr, momentum: 0.9 }], 200)).map((path) => [...path.at(-1)!]);

  test("hold plain descent, and let momentum roll on", async () => {
    const [plain, rolled] = await ends(hilly(HILL), [2.2], 0.03);
    expect(plain![0]).toBeCloseTo(1.332, 3);
    expect(rolled![0]).toBeCloseTo(-1.483, 2);
    const [low, high] = await lossesOf(hilly(HILL), [rolled!, plain!]);
    expect(low).toBeLessThan(high!);
  });

  test("do so in two dimensions", async () => {
    const [plain, rolled] = await ends(dents(DENTS), [1.3, -0.9], 0.05);
    expect(plain![0]).toBeGreaterThan(0.7);
    expect(rolled![0]).toBeLessThan(-0.9);
    const [low, high] = await lossesOf(dents(DENTS), [rolled!, plain!]);
    expect(low).toBeLessThan(high!);
  });

  test("a grid holds the loss at its places, from the lower left on", async () => {
    const values = await onGrid(ravine(RAVINE), { halfWidth: 3, halfHeight: 2, columns: 5, rows: 3 });
    const at = (x: number, y: number): number => 0.2 * x * x + 15 * y * y;
    const wanted = [-2, 0, 2].flatMap((y) => [-3, -1.5, 0, 1.5, 3].map((x) => at(x, y)));
    expect(values).toHaveLength(15);
    expect(gap([...values], wanted, 0, 14)).toBeLessThan(1e-4); // f32 rounds 62 to 8e-6, a few times
  });
});

/** A loss and its gradient at a place, by autograd. */
async function slopeAt(loss: Loss, place: readonly number[]): Promise<{ value: number; gradient: number[] }> {
  const w = new Parameter(tensor(Float64Array.from(place), { dtype: "f64" }));
  const at = loss(w);
  at.backward();
  const [value, gradient] = await Promise.all([at.item(), w.grad!.data()]);
  return { value, gradient: Array.from(gradient, Number) };
}

describe("the shape of a loss", () => {
  const near = (got: number, wanted: number): void =>
    expect(Math.abs(got - wanted)).toBeLessThan(ROUNDING * Math.max(1, Math.abs(wanted)));

  async function check(
    loss: Loss,
    place: readonly number[],
    value: number,
    gradient: readonly number[],
  ): Promise<void> {
    const slope = await slopeAt(loss, place);
    near(slope.value, value);
    expect(slope.gradient).toHaveLength(gradient.length);
    gradient.forEach((each, i) => near(slope.gradient[i]!, each));
  }

  test.each([0.5, 1, 2, 3.7])("of the bowl (%f x)^2 is its value and its gradient, 2 a^2 x", async (a) => {
    for (const x of [-1.3, 0, 2]) await check(bowl(a), [x], (a * x) ** 2, [2 * a * a * x]);
    near(curvatureOf(a), 2 * a * a);
  });

  test("of a bowl says how fast SGD goes down it", async () => {
    const [path] = await descend(bowl(3), [2], [{ lr: 0.02 }], 10);
    near(path!.at(-1)![0]!, 2 * (1 - 18 * 0.02) ** 10);
  });

  test.each([
    HILL,
    { walls: 0.5, top: 1.5, tilt: -0.7 },
    { walls: 0.2, top: 0, tilt: 1 },
    { walls: 0.31, top: 0.6, tilt: 0 },
  ])("of the hill %j is its value and its gradient", async ({ walls, top, tilt }) => {
    for (const w of [-2.2, 0, 0.7])
      await check(hilly({ walls, top, tilt }), [w], walls * w ** 4 - top * w ** 2 + tilt * w, [
        4 * walls * w ** 3 - 2 * top * w + tilt,
      ]);
  });

  test("of the hill says whether it has two valleys, as its slope does", () => {
    const slopes = ({ walls, top, tilt }: typeof HILL): number[] =>
      Array.from({ length: 6001 }, (_, i) => (i - 3000.5) / 1000).map((w) => 4 * walls * w ** 3 - 2 * top * w + tilt);
    const valleys = (shape: typeof HILL): number =>
      slopes(shape).filter((slope, i, all) => i > 0 && all[i - 1]! < 0 && slope > 0).length;
    const counts = [0.2, 0.25, 0.5].flatMap((walls) =>
      [0, 0.5, 1, 1.5].flatMap((top) =>
        [-1, -0.4, 0, 0.3, 0.9].map((tilt) => {
          const shape = { walls, top, tilt };
          expect(valleys(shape), JSON.stringify(shape)).toBe(hasTwoValleys(shape) ? 2 : 1);
          return valleys(shape);
        }),
      ),
    );
    expect(new Set(counts)).toEqual(new Set([1, 2]));
  });

  test.each<DentsShape>([
    DENTS,
    {
      bowl: 0.25,
      dents: [
        { depth: 0.4, width: 2.1, x: 0.3, y: -1.7 },
        { depth: 2.6, width: 0.5, x: -0.9, y: 1.1 },
      ],
    },
    { bowl: 0, dents: [DENTS.dents[1], { depth: 0, width: 1, x: 0, y: 0 }] },
  ])("of the dents is their value and their gradient: %j", async (shape) => {
    for (const [x, y] of [
      [0, 0],
      [-0.7, 0.9],
      [1.3, -0.9],
    ] as const) {
      let [value, gradX, gradY] = [shape.bowl * (x * x + y * y), 2 * shape.bowl * x, 2 * shape.bowl * y];
      for (const dent of shape.dents) {
        const left = dent.depth * Math.exp(-((x - dent.x) ** 2 + (y - dent.y) ** 2) / dent.width);
        value -= left;
        gradX += (left * 2 * (x - dent.x)) / dent.width;
        gradY += (left * 2 * (y - dent.y)) / dent.width;
      }
      await check(dents(shape), [x, y], value, [gradX, gradY]);
    }
  });

  test.each([RAVINE, { along: 2, across: 3.5 }])("of the ravine %j is its value and its gradient", async (shape) => {
    const [x, y] = [-2.6, 1.4];
    const { along, across } = shape;
    await check(ravine(shape), [x, y], along * x * x + across * y * y, [2 * along * x, 2 * across * y]);
  });
});

describe("computations of the page", () => {
  test("let timers through", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const begunMs = performance.now();
    await descend(bowl(2), [2], [{ lr: 0.01 }], 300, turns());
    const tookMs = performance.now() - begunMs;
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(tookMs / 100); // one in ten: the machine may be busy
    expect(ticks).toBeGreaterThan(1);
  });

  test("run one after the other, and once if they are asked for while they wait", async () => {
    const told: string[] = [];
    const slow = new Recomputed(async (pause) => {
      told.push("slow begins");
      await descend(bowl(2), [2], [{ lr: 0.01 }], 20, pause);
      told.push("slow ends");
    });
    const quick = new Recomputed(async () => void told.push("quick"));
    slow.ask();
    for (let i = 0; i < 5; i++) quick.ask();
    slow.ask();
    await whenIdle();
    expect(told).toEqual(["slow begins", "slow ends", "quick"]);
    quick.ask();
    await whenIdle();
    expect(told.at(-1)).toBe("quick");
    expect(told).toHaveLength(4);
  });
});
