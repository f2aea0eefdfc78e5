/** Every golden of `tests/goldens/ops` through the public API: values and gradients, against PyTorch. */

import { describe, expect, test } from "vitest";
import { repeatedCalls } from "./calls";
import { expectGoldens } from "./golden";
import { families, type Float, type GoldenCase, goldenCases, hasAnswer, resultsOf } from "./goldenCases";

/**
 * Declares one test a golden. In f64, on the CPU, only those whose numbers f32 can hold.
 *
 * @param options.every 4: one of four goldens of each op, the first among them
 */
export function everyOp({ float = "f32", every = 1 }: { float?: Float; every?: number } = {}): void {
  for (const op of new Set(goldenCases.map((golden) => golden.op))) {
    describe(op, () => {
      const goldens = goldenCases.filter((each) => each.op === op && hasAnswer(each));
      for (const golden of goldens.filter((_, i) => i % every === 0)) {
        if (float === "f64" && !fits(golden)) continue;
        test(golden.name, async () => expectGoldens(await resultsOf(golden, float)));
      }
    });
  }

  test("no op is in two families", () => {
    const names = Object.values(families).flatMap((cases) => [...new Set(cases.map(({ op }) => op))]);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(repeatedCalls()).toEqual([]);
  });
}

/** Whether all answers are numbers of f32: in f64 some are that overflow or underflow in f32. */
const fits = ({ name, output, gradInputs = [], extra = {} }: GoldenCase): boolean =>
  name !== "subnormal" &&
  [output, ...gradInputs, ...Object.values(extra)].every(
    (answer) => answer === null || answer.data.every((value) => typeof value === "number"),
  );
