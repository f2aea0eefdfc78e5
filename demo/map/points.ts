/** Points of a map on a canvas: fitted to its size, found under a pointer, stepped through by arrow keys. Draws nothing. */

import type { Places } from "./layout";

/** Places in pixels, from the top left. */
export type Points = Places;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Places scaled alike in both directions, so that all are on the canvas, in its middle, and off its edges. */
export function fitted(places: Places, { width, height }: Size, margin: number): Points {
  const [x, y] = [endsOf(places, 0), endsOf(places, 1)];
  const scale = Math.min(
    Math.max(1, width - 2 * margin) / (x.high - x.low || 1),
    Math.max(1, height - 2 * margin) / (y.high - y.low || 1),
  );
  return places.map((value, i) =>
    i % 2 === 0 ? width / 2 + scale * (value - x.middle) : height / 2 + scale * (value - y.middle),
  );
}

function endsOf(places: Places, first: 0 | 1): { low: number; high: number; middle: number } {
  let [low, high] = [Infinity, -Infinity];
  for (let i = first; i < places.length; i += 2) {
    low = Math.min(low, places[i]!);
    high = Math.max(high, places[i]!);
  }
  return { low, high, middle: (low + high) / 2 };
}

/** The point that is nearest to a place; null if none is `within` that many pixels. */
export function pointAt(points: Points, x: number, y: number, within: number): number | null {
  return nearest(points, (i) => {
    const distance = Math.hypot(points[2 * i]! - x, points[2 * i + 1]! - y);
    return distance <= within ? distance : Infinity;
  });
}

/** Where an arrow key leads. */
interface Direction {
  /** 1 to the right, -1 to the left, or 0. */
  readonly right: number;
  /** 1 down, -1 up, or 0. */
  readonly down: number;
  /** Pixels that are passed over. */
  readonly beyond: number;
}

/** The nearest point in a direction, within 45 degrees of it; null if there is none. */
export function nextPoint(points: Points, from: number, { right, down, beyond }: Direction): number | null {
  return nearest(points, (i) => {
    const [x, y] = [points[2 * i]! - points[2 * from]!, points[2 * i + 1]! - points[2 * from + 1]!];
    const ahead = x * right + y * down;
    const aside = Math.abs(x * down) + Math.abs(y * right);
    return ahead > beyond && aside <= ahead ? Math.hypot(x, y) : Infinity;
  });
}

/** The point of the least cost; null if all cost infinitely much. */
function nearest(points: Points, costOf: (point: number) => number): number | null {
  let [found, least]: [number | null, number] = [null, Infinity];
  for (let i = 0; i < points.length / 2; i++) {
    const cost = costOf(i);
    if (cost < least) [found, least] = [i, cost];
  }
  return found;
}

/**
 * Where the left upper corner of a tip is best: beside its point, on the side with more room, and not beyond the edges of what it lies on.
 *
 * @param gap between point and tip
 */
export function tipPlace(
  [x, y]: readonly [x: number, y: number],
  tip: { readonly width: number; readonly height: number },
  { width, height, gap }: { readonly width: number; readonly height: number; readonly gap: number },
): [left: number, top: number] {
  const beside = (at: number, length: number, room: number): number => {
    const wanted = at > room / 2 ? at - gap - length : at + gap;
    return Math.max(0, Math.min(wanted, room - length));
  };
  return [beside(x, tip.width, width), beside(y, tip.height, height)];
}
