/**
 * What tests each op of the registry: rows of cases, a golden of PyTorch's, a check of its gradient. What is missing fails here by
 * name, with the place where it belongs.
 */

import { describe, expect, test } from "vitest";
import { topologicalOrder } from "../../src/graph/walk";
import { allOps } from "../../src/ops/op";
import { lacking, strayExemptions } from "../suites/coverage";
import { openTestDevice } from "../suites/device";
import { goldenCases, resultsOf } from "../suites/goldenCases";
import { build, CASES, WITHOUT_CASES } from "./cases";

/** Ops that no golden's graph has, and why. */
const WITHOUT_GOLDENS: Readonly<Record<string, string>> = {
  ...WITHOUT_CASES,
  randomBits: "PyTorch has other generators: random.test.ts knows Philox's published words",
  ...Object.fromEntries(
    ["fixedWeight", "raceKey"].map((name) => [name, "part of multinomial, as random: tests/suites/randomness.ts"]),
  ),
  augment: "has goldens of its own, of torchvision: tests/suites/augmentGoldens.ts",
  mulHigh: "PyTorch has none: rows compare it with 64-bit products",
};

/** Ops with a gradient that differences cannot check, and why. */
const WITHOUT_GRADIENT_CHECK: Readonly<Record<string, string>> = {
  cast: "has one between f32 and f64 only, and rows have no f64: see tests/tensor/f64.test.ts",
};

await openTestDevice("cpu");

const names = [...allOps().keys()];

/** Ops in the graphs of all goldens, gradients included. */
async function opsOfGoldens(): Promise<Set<string>> {
  const found = new Set<string>();
  for (const golden of goldenCases) {
    const results = await resultsOf(golden);
    for (const { op } of topologicalOrder(results.map(({ actual }) => actual.node))) found.add(op.name);
  }
  return found;
}

/** Whether some row's gradient goes through the op. */
const hasGradientCheck = (name: string): boolean =>
  (CASES[name] ?? []).some(
    (opCase) =>
      opCase.grad &&
      topologicalOrder([build(opCase, { requiresGrad: true }).output]).some(
        ({ op, requiresGrad }) => op.name === name && requiresGrad,
      ),
  );

describe("every op", () => {
  test("has rows in tests/ops/*.cases.ts, or a reason in WITHOUT_CASES", () => {
    expect(names.filter((name) => !CASES[name] && !(name in WITHOUT_CASES))).toEqual([]);
  });

  test("is in the graph of a golden, or has a reason in WITHOUT_GOLDENS", async () => {
    const found = await opsOfGoldens();
    const missing = names.filter((name) => !found.has(name) && !(name in WITHOUT_GOLDENS));
    expect(missing, "add goldens to tests/goldens/generators").toEqual([]);
  });

  test("has a row whose gradient is checked, or a reason in WITHOUT_GRADIENT_CHECK", () => {
    const missing = [...allOps().values()].filter(
      ({ name, vjp }) => vjp && !hasGradientCheck(name) && !(name in WITHOUT_GRADIENT_CHECK),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  test("that has a reason exists, and needs it", () => {
    const reasons = [...Object.keys(WITHOUT_GOLDENS), ...Object.keys(WITHOUT_GRADIENT_CHECK)];
    expect(reasons.filter((name) => !allOps().has(name))).toEqual([]);
    expect(Object.keys(WITHOUT_CASES).filter((name) => CASES[name])).toEqual([]);
    expect(Object.keys(WITHOUT_GRADIENT_CHECK).filter(hasGradientCheck)).toEqual([]);
  });
});

describe("goldens", () => {
  test.each([...new Set(goldenCases.map(({ op }) => op))])("of %s are of every kind", (op) => {
    const where = "add cases to tests/goldens/generators, or a reason to `exempt` in tests/suites/calls";
    expect(lacking(op), where).toEqual([]);
  });

  test("are many", () => {
    expect(strayExemptions()).toEqual([]);
    expect(goldenCases.length).toBeGreaterThanOrEqual(1200);
  });
});
