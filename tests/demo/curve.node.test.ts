import { expect, test } from "vitest";
import { columnsOf, Curve } from "../../demo/curve";

/** A curve with a point at each step from 1. */
function curveOf(steps: number): Curve {
  const curve = new Curve();
  for (let step = 1; step <= steps; step++) curve.add(step, step / 2);
  return curve;
}

test("a short curve keeps every point", () => {
  const { points } = curveOf(2000);
  expect(points.map(({ step }) => step)).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
});

test.each([2001, 2002, 3999, 12_345, 1_000_000])(
  "of %i points it keeps the first, the last, and some between",
  (count) => {
    const { points } = curveOf(count);
    expect(points.length).toBeLessThanOrEqual(2000);
    expect(points.length).toBeGreaterThan(990);
    expect(points[0]).toMatchObject({ step: 1, value: 0.5 });
    expect(points.at(-1)).toMatchObject({ step: count, value: count / 2 });
    const gaps = points.slice(1).map(({ step }, i) => step - points[i]!.step);
    const last = gaps.pop()!;
    expect(new Set(gaps).size, "different gaps").toBe(1);
    expect(last).toBeLessThanOrEqual(gaps[0]!);
  },
);

test("is bounded at every moment", () => {
  const curve = new Curve();
  let most = 0;
  for (let step = 1; step <= 20_000; step++) {
    curve.add(step, 0);
    most = Math.max(most, curve.points.length);
    if (curve.points.at(-1)!.step !== step) throw new Error(`lost its last point at step ${step}`);
  }
  expect(most).toBe(2000);
});

test("a second value at a step takes the place of the first", () => {
  const curve = new Curve();
  for (const [step, value] of [
    [1, 1],
    [1, 2],
    [2, 3],
  ] as const)
    curve.add(step, value);
  expect(curve.points.map(({ value }) => value)).toEqual([2, 3]);
});

test("a curve of few points keeps them all beside a long one", () => {
  const sparse = new Curve();
  for (let step = 0; step <= 10_000; step += 50) sparse.add(step, step);
  const [steps, dense, few] = columnsOf([curveOf(10_000), sparse]);
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
  expect(few!.filter((value) => value !== null)).toEqual(Array.from({ length: 201 }, (_, i) => 50 * i));
  expect(few![steps.indexOf(150)]).toBe(150);
  expect(dense![steps.indexOf(0)]).toBe(null);
  expect(dense!.at(-1)).toBe(5000);
});

test("no curves, and empty ones, are no columns of values", () => {
  expect(columnsOf([])).toEqual([[]]);
  expect(columnsOf([new Curve(), new Curve()])).toEqual([[], [], []]);
});
