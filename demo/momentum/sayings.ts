/** What the figures say of a computed path, from the path itself. */

import { lossesOf, type Path } from "./descent";
import { curvatureOf, hasTwoValleys, type HillShape, hilly } from "./losses";
import { shown } from "./words";

/** What SGD goes down the bowl with, and how steep the bowl is. */
export interface Options {
  /** Of `y = (a x)^2`. */
  readonly a: number;
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly nesterov: boolean;
}

/** Iterations at the end of a path that tell whether it swings ever wider. */
const LAST = 5;

/**
 * How x moved, read off its path.
 *
 * @example
 * wayOf([[2], [-1.2], [0.72]]); // "swings across 0 in these 2 iterations"
 */
export function wayOf(path: Path): string {
  const xs = path.map(([x]) => x!);
  const [start, end] = [xs[0]!, xs.at(-1)!];
  const iterations = xs.length - 1;
  if (xs.every((x) => x === 0)) return "stays at 0, where it began";
  const lost = lostAt(path);
  if (lost !== null) return `diverges: at iteration ${lost} it is beyond what a number can hold`;
  if (widens(xs)) return `diverges: it swings ever wider, to ${shown(end)} at iteration ${iterations}`;
  const crossings = crossingsOf(xs);
  const way = crossings === 0 ? "stays on one side of 0" : crossings === 1 ? "crosses 0 once" : "swings across 0";
  const isFarther = Math.abs(end) > Math.abs(start);
  return `${way} in these ${iterations} iterations${isFarther ? `, and ends farther from 0 than it began, at ${shown(end)}` : ""}`;
}

/** The iteration from which on a path is no numbers any more; null if it stays within them. */
export function lostAt(path: Path): number | null {
  const at = path.findIndex((w) => !w.every(Number.isFinite));
  return at === -1 ? null : at;
}

/** How often a list changes its sign. */
function crossingsOf(xs: readonly number[]): number {
  const signs = xs.filter((x) => x !== 0).map(Math.sign);
  return signs.filter((sign, i) => i > 0 && sign !== signs[i - 1]).length;
}

/** Whether a list ends with numbers that grow and change their sign each time. */
function widens(xs: readonly number[]): boolean {
  const last = xs.slice(-LAST - 1);
  return last.slice(1).every((x, i) => x * last[i]! < 0 && Math.abs(x) > Math.abs(last[i]!));
}

/**
 * The momentum above which x swings, for a bowl of curvature c: where the roots of `r^2 - (1 + mu - c lr) r + mu` meet.
 *
 * @returns null where there is none: the formula is plain momentum's, and beyond `c lr = 1` x swings without momentum, too
 */
export function borderOf({ a, lr, momentum, dampening, nesterov }: Options): number | null {
  const isPlain = momentum === 0 || (dampening === 0 && !nesterov);
  const steepness = curvatureOf(a) * lr;
  return isPlain && steepness < 1 ? (1 - Math.sqrt(steepness)) ** 2 : null;
}

/** How far to look to both sides: a place less than half of it from a minimum is lower than both. */
const LOOK = 0.1;

/** Where on a hill a ball is that ended at w, in words. */
export async function placeOnHill(w: number, shape: HillShape): Promise<string> {
  const [left, here, right] = await lossesOf(hilly(shape), [[w - LOOK], [w], [w + LOOK]]);
  if (here! < Math.min(left!, right!)) return `in the ${valleyAt(w, shape)}`;
  if (here! > Math.max(left!, right!)) return "on the top between the valleys";
  return "still on the slope";
}

/** Which valley the one around w is. Of two, one is left of 0 and one right, and the hill tilts down to the deep one. */
function valleyAt(w: number, shape: HillShape): string {
  if (!hasTwoValleys(shape)) return "only valley";
  if (shape.tilt === 0) return `${w < 0 ? "left" : "right"} valley`;
  return w < 0 === shape.tilt > 0 ? "deep valley" : "shallow valley";
}
