/** Places of features on the map: the same every time, finite, and alike features close together. */

import { expect, test } from "vitest";
import { ValueError } from "../../src";
import { type Directions, Layout, type Places, seededRandom } from "../../demo/map/layout";

/** Features around some directions, the next one around the next. */
function around(centres: number, count: number, spread: number): Directions {
  const [dim, random] = [8, seededRandom(7)];
  const features = new Float32Array(count * dim);
  for (let row = 0; row < count; row++) {
    const values = Array.from({ length: dim }, (_, i) => spread * (random() - 0.5) + (i === row % centres ? 1 : 0));
    const length = Math.hypot(...values);
    features.set(
      values.map((value) => value / length),
      row * dim,
    );
  }
  return { count, dim, features };
}

function placesOf(directions: Directions): Places {
  const layout = new Layout(directions);
  while (!layout.isDone) layout.step();
  return layout.places();
}

const at = (places: Places, i: number): [number, number] => [places[2 * i]!, places[2 * i + 1]!];
const distance = ([x, y]: [number, number], [u, v]: [number, number]): number => Math.hypot(x - u, y - v);

test("the same features get the same places, others do not", () => {
  const places = placesOf(around(2, 40, 0.5));
  expect(placesOf(around(2, 40, 0.5))).toEqual(places);
  expect(placesOf(around(2, 40, 0.6))).not.toEqual(places);
});

test("two groups of features lie apart", () => {
  const count = 80;
  const places = placesOf(around(2, count, 0.5));
  expect(places).toHaveLength(2 * count);
  for (let i = 0; i < count; i++) {
    const others = Array.from({ length: count }, (_, j) => j).filter((j) => j !== i);
    const nearest = others.sort(
      (a, b) => distance(at(places, i), at(places, a)) - distance(at(places, i), at(places, b)),
    );
    expect(nearest[0]! % 2, `nearest to ${i}`).toBe(i % 2);
  }
});

test.each([
  ["three", around(3, 3, 0)],
  ["fewer than neighbours are asked for", around(2, 9, 1)],
  ["all alike", around(1, 30, 0)],
  ["zeros, of an encoder that is dead", { count: 20, dim: 4, features: new Float32Array(80) }],
])("places are finite: %s", (_, directions) => {
  const places = placesOf(directions);
  expect(places).toHaveLength(2 * directions.count);
  expect(places.every(Number.isFinite)).toBe(true);
});

test("says how far it is", () => {
  const layout = new Layout(around(2, 20, 1));
  expect([layout.stepsDone, layout.isDone]).toEqual([0, false]);
  const done: number[] = [];
  while (!layout.isDone) {
    layout.step();
    done.push(layout.stepsDone);
  }
  expect(layout.steps).toBeGreaterThan(100);
  expect(done).toEqual(Array.from({ length: layout.steps }, (_, i) => i + 1));
});

test("two images are too few for a map", () => {
  const layOut = (): unknown => new Layout(around(2, 2, 0));
  expect(layOut).toThrow(ValueError);
  expect(layOut).toThrow("A map needs at least 3 test images, got 2. Choose data with more.");
});

test("seeded numbers are even, and their seed's", () => {
  const numbers = (seed: number): number[] => Array.from({ length: 10_000 }, seededRandom(seed));
  expect(numbers(1)).toEqual(numbers(1));
  expect(numbers(1)[0]).not.toBe(numbers(2)[0]);
  const tenths = Array.from({ length: 10 }, (_, i) => numbers(3).filter((x) => Math.floor(10 * x) === i).length);
  for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
