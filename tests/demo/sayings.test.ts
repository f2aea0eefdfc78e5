/** What the page "Momentum" says of a path: seen on SGD's own paths, and on the bowl's closed form. */

import { init } from "flywheel";
import { beforeAll, describe, expect, test } from "vitest";
import { descend, type Path, type Run } from "../../demo/momentum/descent";
import { bowl, HILL, hilly, type HillShape } from "../../demo/momentum/losses";
import { borderOf, lostAt, placeOnHill, wayOf } from "../../demo/momentum/sayings";

beforeAll(async () => {
  await init({ device: "cpu" });
});

async function ended(run: Run, { x0 = 2, iterations = 100, a = 2 } = {}): Promise<Path> {
  const [path] = await descend(bowl(a), [x0], [run], iterations);
  return path!;
}

describe("the way on the bowl", () => {
  test.each<[Run, string]>([
    [{ lr: 0.01, momentum: 0.9 }, "swings across 0 in these 100 iterations"],
    [{ lr: 0.01 }, "stays on one side of 0 in these 100 iterations"],
    [{ lr: 0.2 }, "swings across 0 in these 100 iterations"], // each step multiplies x by -0.6
    [{ lr: 0.02, momentum: 0.5, dampening: 0.9 }, "stays on one side of 0 in these 100 iterations"],
    [
      { lr: 0.25, momentum: 0.99, dampening: 1 }, // one push of 4, which fades by 1 in 100: 2 - 400 (1 - 0.99^100)
      "crosses 0 once in these 100 iterations, and ends farther from 0 than it began, at −252",
    ],
  ])("of %j: %s", async (run, words) => {
    expect(wayOf(await ended(run))).toBe(words);
  });

  test("diverges where x swings ever wider, and not where it only swings as wide", async () => {
    expect(wayOf(await ended({ lr: 0.26 }))).toBe("diverges: it swings ever wider, to 4400 at iteration 100"); // 2 * 1.08^100
    expect(wayOf(await ended({ lr: 0.25, momentum: 0.8, nesterov: true }))).toMatch(/^diverges: /);
    expect(wayOf(await ended({ lr: 0.25 }))).toBe("swings across 0 in these 100 iterations"); // from 2 to -2 and back
  });

  test("diverges, too, where x grows beyond what a number can hold", async () => {
    const path = await ended({ lr: 0.26, momentum: 0.99, nesterov: true }, { a: 4, iterations: 300 });
    const lost = lostAt(path)!;
    expect(path.slice(0, lost).every(([x]) => Number.isFinite(x))).toBe(true);
    expect(path[lost]!.every(Number.isFinite)).toBe(false);
    expect(lost).toBeGreaterThan(200); // x grows by 15 a step: 15^262 = 2^1024
    expect(wayOf(path)).toBe(`diverges: at iteration ${lost} it is beyond what a number can hold`);
    expect(lostAt(await ended({ lr: 0.26 }))).toBe(null);
  });

  test("is no way at all from 0", async () => {
    expect(wayOf(await ended({ lr: 0.01, momentum: 0.9 }, { x0: 0 }))).toBe("stays at 0, where it began");
  });

  test.each([2, 1.2, 3])("changes at the border, in the bowl (%f x)^2", async (a) => {
    const run = { lr: 0.2 / a ** 2, momentum: 0.1, dampening: 0, nesterov: false };
    const border = borderOf({ a, ...run })!;
    expect(border).toBeCloseTo((1 - Math.sqrt(0.4)) ** 2, 8);
    const way = async (momentum: number): Promise<string> => wayOf(await ended({ ...run, momentum }, { a }));
    expect(await way(border - 0.01)).toMatch(/^stays on one side/);
    expect(await way(border + 0.01)).toMatch(/^swings across/);
  });

  test("has no border where the formula does not hold", () => {
    const plain = { a: 2, lr: 0.05, momentum: 0.5, dampening: 0, nesterov: false };
    expect(borderOf({ ...plain, lr: 0.125 })).toBe(null);
    expect(borderOf({ ...plain, lr: 0.2 })).toBe(null);
    expect(borderOf({ ...plain, a: 3.5 })).toBe(null); // 2 a^2 lr = 1.2
    expect(borderOf({ ...plain, dampening: 0.1 })).toBe(null);
    expect(borderOf({ ...plain, nesterov: true })).toBe(null);
    expect(borderOf({ ...plain, momentum: 0, dampening: 0.1 })).not.toBe(null); // no momentum: nothing to dampen
  });
});

test("a ball is in a valley only near its lowest place", async () => {
  const [shallow, top, deep] = [1.33006, 0.1518, -1.48186]; // where w^3 - 2 w + 0.3 = 0
  for (const away of [0, 0.04, -0.04]) {
    expect(await placeOnHill(shallow + away, HILL)).toBe("in the shallow valley");
    expect(await placeOnHill(deep + away, HILL)).toBe("in the deep valley");
  }
  expect(await placeOnHill(top, HILL)).toBe("on the top between the valleys");
  for (const w of [2.24, 0.8, 1.2, 1.46, -1, -1.6, -2.4]) expect(await placeOnHill(w, HILL)).toBe("still on the slope");
  const [slow] = await descend(hilly(HILL), [2.4], [{ lr: 0.001 }], 20);
  expect(await placeOnHill(slow!.at(-1)![0]!, HILL)).toBe("still on the slope");
});

test.each<[HillShape, number, string]>([
  [{ ...HILL, tilt: -0.3 }, 1.48186, "in the deep valley"],
  [{ ...HILL, tilt: -0.3 }, -1.33006, "in the shallow valley"],
  [{ ...HILL, tilt: 0 }, -Math.SQRT2, "in the left valley"],
  [{ ...HILL, tilt: 0 }, Math.SQRT2, "in the right valley"],
  [{ walls: 0.25, top: 0, tilt: 1 }, -1, "in the only valley"],
  [{ walls: 0.25, top: 0, tilt: -1 }, 1, "in the only valley"],
  [{ walls: 0.5, top: 1, tilt: 0 }, 1, "in the right valley"],
  [{ walls: 0.5, top: 1, tilt: 0 }, Math.SQRT2, "still on the slope"],
  [{ walls: 0.5, top: 1, tilt: 0 }, 0, "on the top between the valleys"],
])("on a hill of shape %j a ball at %f is %s", async (shape, w, words) => {
  expect(await placeOnHill(w, shape)).toBe(words);
});
