/** Marks of classes: told apart by colour, in light and dark, and where colours are hard to tell, by shape. */

import { expect, test } from "vitest";
import { markOf } from "../../demo/map/marks";

type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

/** The page's cards, as style.css has them. */
const CARDS = { light: "#ffffff", dark: "#181b21" } as const;

/** What eyes without one kind of cones see of linear light: Machado, Oliveira and Fernandes 2009, severity 1. */
const EYES: Readonly<Record<string, Matrix>> = {
  "no red": [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  "no green": [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  "no blue": [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const times = (matrix: Matrix, x: Triple): Triple =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * x[i]!, 0)) as unknown as Triple;

/** Linear light, 0 to 1. */
function lightOf(color: string): Triple {
  const channels = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16) / 255);
  return channels.map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)) as unknown as Triple;
}

/** The contrast of two colours, 1 to 21: WCAG 2. */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number =>
    times(
      [
        [0.2126, 0.7152, 0.0722],
        [0, 0, 0],
        [0, 0, 0],
      ],
      lightOf(color),
    )[0];
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Oklab, in hundredths. */
function labOf(light: Triple): Triple {
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    light,
  ).map((x) => 100 * Math.cbrt(Math.max(0, x))) as unknown as Triple;
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  );
}

const distance = (a: Triple, b: Triple): number => Math.hypot(...labOf(a).map((x, i) => x - labOf(b)[i]!));

const marks = Array.from({ length: 10 }, (_, label) => markOf(label));
const pairs = marks.flatMap((a, i) => marks.slice(i + 1).map((b) => [a, b] as const));

test.each(["light", "dark"] as const)("ten classes stand out and apart in %s", (scheme) => {
  for (const mark of marks) expect(contrast(mark[scheme], CARDS[scheme]), mark[scheme]).toBeGreaterThan(3);
  for (const [a, b] of pairs)
    expect(distance(lightOf(a[scheme]), lightOf(b[scheme])), `${a[scheme]} ${b[scheme]}`).toBeGreaterThan(14);
});

test.each(Object.keys(EYES))("with %s, marks of one shape have colours apart", (eyes) => {
  const seen = (color: string): Triple => times(EYES[eyes]!, lightOf(color));
  const alike = pairs.filter(([a, b]) => a.path === b.path);
  expect(alike).toHaveLength(5);
  for (const [a, b] of alike)
    for (const scheme of ["light", "dark"] as const)
      expect(distance(seen(a[scheme]), seen(b[scheme])), `${a[scheme]} ${b[scheme]}`).toBeGreaterThan(15);
});

test("fifty classes have marks of their own", () => {
  const all = Array.from({ length: 50 }, (_, label) => JSON.stringify(markOf(label)));
  expect(new Set(all).size).toBe(50);
  expect(JSON.stringify(markOf(50))).toBe(all[0]);
});
