/** All cases by the op they are about, for the loops over the registry. */

import type { OpCase } from "./case";
import { kernelCases } from "./kernel.cases";
import { pointwiseCases } from "./pointwise.cases";
import { reduceCases } from "./reduce.cases";
import { viewCases } from "./views.cases";

export const CASES: Readonly<Record<string, readonly OpCase[]>> = {
  ...pointwiseCases,
  ...viewCases,
  ...reduceCases,
  ...kernelCases,
};

/** Ops that no case can be about, and why. */
export const WITHOUT_CASES: Readonly<Record<string, string>> = {
  data: "every case's inputs are data",
  scalar: "numbers in cases are scalars",
  variable: "its value lives in the runtime: see tests/suites/state.ts",
  momentumSgd: "works in place: see update.test.ts",
  ema: "works in place: see update.test.ts",
  momentumSgdEma: "works in place: see update.test.ts",
};

export { build, type OpCase, type Tolerance } from "./case";
