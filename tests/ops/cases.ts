/** All cases by the op they are about, for the loops over the registry. */

import type { OpCase } from "./case";

/** Every family's file beside this one. */
const tables = Object.values(
  import.meta.glob<Readonly<Record<string, readonly OpCase[]>>>("./*.cases.ts", { eager: true, import: "cases" }),
);

/** op -> its cases. An op may have rows in several files. */
export const CASES: Readonly<Record<string, readonly OpCase[]>> = Object.fromEntries(
  [...new Set(tables.flatMap((table) => Object.keys(table)))].map((op) => [
    op,
    tables.flatMap((table) => table[op] ?? []),
  ]),
);

/** Ops that no case can be about, and why. */
export const WITHOUT_CASES: Readonly<Record<string, string>> = {
  data: "every case's inputs are data",
  scalar: "numbers in cases are scalars",
  table: "the cases of interpolation have some: see resample.cases.ts",
  variable: "its value lives in the runtime: see tests/suites/state.ts",
  momentumSgd: "works in place: see update.test.ts",
  ema: "works in place: see update.test.ts",
  momentumSgdEma: "works in place: see update.test.ts",
  adam: "works in place: see tests/suites/optimizers.ts",
  rmsProp: "works in place: see tests/suites/optimizers.ts",
  lars: "works in place: see tests/suites/optimizers.ts",
  gradNorm: "works in place: see tests/suites/clipping.ts",
  clipFactor: "works in place: see tests/suites/clipping.ts",
  clipGradNorm: "works in place: see tests/suites/clipping.ts",
  clipGradValue: "works in place: see tests/suites/clipping.ts",
};

export { build, type OpCase } from "./case";
