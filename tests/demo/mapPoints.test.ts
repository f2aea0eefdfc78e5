/** Points of the map: on the canvas, found under a pointer, and stepped through by arrow keys. */

import { expect, test } from "vitest";
import { fitted, nextPoint, pointAt, tipPlace } from "../../demo/map/points";

const points = (...places: [number, number][]): Float32Array<ArrayBuffer> => Float32Array.from(places.flat());

test("fills the canvas up to its margin, alike in both directions", () => {
  const places = points([-2, 10], [2, 10], [0, 11]);
  expect(fitted(places, { width: 200, height: 100 }, 10)).toEqual(points([10, 27.5], [190, 27.5], [100, 72.5]));
  expect(fitted(places, { width: 200, height: 40 }, 10)).toEqual(points([60, 10], [140, 10], [100, 30]));
});

test("one point, several on one place, none, and a canvas that is not there yet stay finite", () => {
  const size = { width: 200, height: 100 };
  expect(fitted(points([3, 3]), size, 10)).toEqual(points([100, 50]));
  expect(fitted(points([3, 3], [3, 3]), size, 10)).toEqual(points([100, 50], [100, 50]));
  expect(fitted(points(), size, 10)).toEqual(points());
  expect([...fitted(points([0, 0], [1, 1]), { width: 1, height: 1 }, 10)].every(Number.isFinite)).toBe(true);
});

test("finds the nearest point within reach", () => {
  const some = points([10, 10], [20, 10], [90, 90]);
  expect(pointAt(some, 14, 10, 12)).toBe(0);
  expect(pointAt(some, 16, 10, 12)).toBe(1);
  expect(pointAt(some, 20, 22, 12)).toBe(1); // as far as it reaches
  expect(pointAt(some, 20, 23, 12)).toBeNull();
  expect(pointAt(points(), 0, 0, 12)).toBeNull();
});

test("an arrow key leads to the nearest point in its direction", () => {
  //  0 . 1 . . 2
  //  . . . . . .
  //  . 3 . . . .
  const some = points([0, 0], [20, 0], [50, 0], [10, 20]);
  const next = (from: number, right: number, down: number, beyond = 0): number | null =>
    nextPoint(some, from, { right, down, beyond });
  expect(next(0, 1, 0)).toBe(1);
  expect(next(1, 1, 0)).toBe(2);
  expect(next(2, 1, 0)).toBeNull();
  expect(next(2, -1, 0)).toBe(1);
  expect(next(0, 0, 1)).toBe(3);
  expect(next(0, 0, -1)).toBeNull();
  expect(next(3, 0, -1)).toBe(0); // as far as 1: the first
  expect(next(0, 1, 0, 30), "past the near ones").toBe(2);
});

test("a tip lies beside its point, and never beyond an edge", () => {
  const tip = { width: 190, height: 80 };
  const place = (x: number, y: number, width = 304, height = 320): [number, number] =>
    tipPlace([x, y], tip, { width, height, gap: 14 });
  expect(place(100, 100, 800)).toEqual([114, 114]);
  expect(place(700, 300, 800)).toEqual([700 - 14 - 190, 300 - 14 - 80]);
  expect(place(153, 10), "just right of the middle of a phone").toEqual([0, 24]);
  expect(place(151, 10), "just left of it").toEqual([304 - 190, 24]);
  expect(place(10, 10, 100, 50), "wider than there is room").toEqual([0, 0]);
});
