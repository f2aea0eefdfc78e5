/** What the page "Momentum" makes of addresses, numbers and grids. */

import { describe, expect, test } from "vitest";
import { contour, levelsOf } from "../../demo/momentum/contour";
import { choice, presetsOf, shape, slider, toggle, valuesFrom, valuesInto } from "../../demo/momentum/settings";
import { added, aroundZero, coefficient, drawable, shown, tick, verbatim } from "../../demo/momentum/words";

const CONTROLS = {
  lr: slider("learning rate", 0.01, [0.001, 0.06, 0.001]),
  noise: slider("noise", 3, [-1, 8, 0.5], "°C"),
  nesterov: toggle("Nesterov", false),
  loss: choice("loss", "dents", { dents: "two dents", ravine: "a ravine" }),
};

describe("settings", () => {
  const read = (text: string) => valuesFrom(new URLSearchParams(text), "sgd", CONTROLS);

  test("are the text's constants where the address is silent or wrong", () => {
    const presets = { lr: 0.01, noise: 3, nesterov: false, loss: "dents" };
    expect(presetsOf(CONTROLS)).toEqual(presets);
    for (const text of [
      "",
      "hill.lr=0.05",
      "lr=0.05",
      "sgd.lr=&sgd.noise=x&sgd.nesterov=1&sgd.loss=toString",
      "sgd.lr=NaN",
    ])
      expect(read(text), text).toEqual(presets);
  });

  test("are what a slider can be", () => {
    expect(read("sgd.lr=0.0234&sgd.noise=-9").lr).toBe(0.023);
    expect(read("sgd.lr=0.0234&sgd.noise=-9").noise).toBe(-1);
    expect(read("sgd.lr=1e9").lr).toBe(0.06);
  });

  test("of a loss are read as others are", () => {
    const controls = { a: shape("a", 2, [0.5, 4, 0.1]) };
    const a = (text: string): number => valuesFrom(new URLSearchParams(text), "sgd", controls).a;
    expect(controls.a.isShape).toBe(true);
    expect(CONTROLS.lr.isShape).toBe(undefined);
    expect(["", "sgd.a=x", "sgd.a=", "sgd.a=3.14", "sgd.a=-7", "sgd.a=1e9"].map(a)).toEqual([2, 2, 2, 3.1, 0.5, 4]);
  });

  test("come back from the address that they were put into, beside those of others", () => {
    const values = { lr: 0.02, noise: 3, nesterov: true, loss: "ravine" } as const;
    const search = new URLSearchParams("hill.lr=0.05&sgd.noise=7");
    valuesInto(search, "sgd", CONTROLS, values);
    expect(search.toString()).toBe("hill.lr=0.05&sgd.lr=0.02&sgd.nesterov=true&sgd.loss=ravine");
    expect(valuesFrom(search, "sgd", CONTROLS)).toEqual(values);
  });
});

test.each([
  [0, "0"],
  [0.0123456, "0.0123"],
  [-1.5, "−1.5"],
  [123456, "1.23e5"],
  [-2.4e-12, "−2.4e−12"],
  [1e-20, "1e−20"],
  [Infinity, "Infinity"],
])("%f is shown as %s", (value, text) => {
  expect(shown(value)).toBe(text);
  if (value !== 123456 && value !== 0.0123456) expect(tick(value)).toBe(text);
});

test.each([
  [0.3, "0.3", "+ 0.3", "0.3"],
  [-1.25, "−1.25", "− 1.25", "−1.25"],
  [1, "1", "+ 1", ""],
  [0, "0", "+ 0", "0"],
  [-0, "0", "+ 0", "0"],
])("%f stands in a formula as %s, is added as %s, and multiplies as '%s'", (value, number, sum, product) => {
  expect(verbatim(value)).toBe(number);
  expect(added(value)).toBe(sum);
  expect(coefficient(value)).toBe(product);
});

test("a chart leaves out what its axes cannot hold", () => {
  expect([2, -1e299, 1e301, -Infinity, NaN].map(drawable)).toEqual([2, -1e299, null, null, null]);
});

test("an axis shows 0 and all values", () => {
  expect(aroundZero(2, 10)[0]).toBe(0);
  expect(aroundZero(2, 10)[1]).toBeGreaterThan(10);
  expect(aroundZero(-4, -1)[0]).toBeLessThan(-4);
  expect(aroundZero(-4, -1)[1]).toBeGreaterThanOrEqual(0);
  for (const [low, high] of [aroundZero(null, null), aroundZero(0, 0)]) expect(low).toBeLessThan(high);
});

describe("contour lines", () => {
  test("of a circle lie on it, and close", () => {
    const size = 41; // from -2 to 2
    const at = (index: number): number => index / 10 - 2;
    const values = Array.from({ length: size * size }, (_, i) => at(i % size) ** 2 + at(Math.floor(i / size)) ** 2);
    const lines = contour(values, size, 1);
    expect(lines.length).toBeGreaterThan(50);
    const ends = lines.flatMap(([x0, y0, x1, y1]) => [
      [x0, y0],
      [x1, y1],
    ]);
    for (const [x, y] of ends) expect(Math.hypot(at(x!), at(y!))).toBeCloseTo(1, 2); // linear between places 0.1 apart
    const counts = new Map<string, number>();
    for (const end of ends) {
      const name = end.map((each) => each.toFixed(6)).join();
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(
      [...counts.values()].filter((count) => count % 2 !== 0),
      "ends that meet no other",
    ).toEqual([]);
  });

  test("of a saddle are two, and of a plain there are none", () => {
    expect(contour([0, 1, 1, 0], 2, 0.5)).toHaveLength(2);
    expect(contour([1, 1, 1, 1], 2, 0.5)).toHaveLength(0);
  });

  test("are closer together near the lowest value", () => {
    const levels = levelsOf(-1, 3, 7);
    expect(levels).toHaveLength(7);
    expect(levels[0]).toBeGreaterThan(-1);
    expect(levels.at(-1)).toBeLessThan(3);
    expect(levels[1]! - levels[0]!).toBeLessThan(levels[6]! - levels[5]!);
  });
});
