/** Notes results whose bound is wider than 1e-5 of their values; `scripts/wideReporter.mjs` prints them when the run ends. */

import { beforeEach } from "vitest";
import { type Bounded, WIDE, widthOf } from "./tolerance";

/** A result with a wide bound: where it is, how wide, and the op at which it became so. */
export interface WideBound {
  readonly name: string;
  readonly width: number;
  readonly because: string;
}

declare module "vitest" {
  interface TaskMeta {
    wide?: WideBound[];
    /** Results compared by the formula, wide or not. */
    compared?: number;
  }
}

let meta: { wide?: WideBound[]; compared?: number } = {};

beforeEach(({ task }) => {
  meta = task.meta;
});

/** To be called for each result that the running test compares. */
export function noteWide(name: string, { values, bounds, because }: Bounded): void {
  meta.compared = (meta.compared ?? 0) + 1;
  const width = widthOf(bounds, values);
  if (width > WIDE) (meta.wide ??= []).push({ name, width, because });
}
