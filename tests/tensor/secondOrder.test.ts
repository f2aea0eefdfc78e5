/**
 * First and second derivatives of every function with a gradient, against differences in f64, at one small golden each.
 * `tests/suites/everyOp` compares the first with PyTorch; the second are nowhere else.
 */

import { expect, test } from "vitest";
import { GradcheckError } from "../../src/errors";
import { gradcheck, gradgradcheck } from "../../src/gradient";
import { Tensor } from "../../src/tensor";
import { callGolden } from "../suites/calls";
import { openTestDevice } from "../suites/device";
import { type GoldenTensor, goldenTensor } from "../suites/golden";
import { type GoldenCase, goldenCases } from "../suites/goldenCases";

await openTestDevice("cpu");

/** Functions that differences say nothing about, and why. */
const EXEMPT: Readonly<Record<string, string>> = {
  cast: "its gradient is that of another dtype, in which differences drown",
  maskedSelect: "its shape is awaited",
};

/** Goldens to take where the smallest are at kinks, or not what has to be looked at. */
const CHOSEN: Readonly<Record<string, string>> = {
  indexFill: "rows", // columns are filled with NaN
  maxUnpool2d: "permuted", // where places meet, the gradient is PyTorch's: each gets it
  median: "all",
  mode: "all different",
  nanmedian: "all",
  repeatInterleave: "rows", // counts are awaited
  sort: "permuted",
  logsigmoid: "kinks", // it has none, but what it is computed by has one at 0
  softplus: "kinks",
};

/** Fewer elements hide mistakes of place. */
const ENOUGH = 4;

const inputsOf = ({ inputs }: GoldenCase): GoldenTensor[] => inputs.filter((input) => input !== null);

/** Elements that a golden has gradients of. */
const elements = ({ gradInputs = [] }: GoldenCase): number =>
  gradInputs.reduce((sum, gradient) => sum + (gradient?.data.length ?? 0), 0);

/** How many derivatives a golden has. */
const cost = (golden: GoldenCase): number => elements(golden) * golden.output.data.length;

const isFinite = (golden: GoldenCase): boolean =>
  inputsOf(golden).every(({ data }) => data.every((value) => typeof value === "number"));

/** Whether inputs were drawn: those that were written may be at kinks, which are at round numbers and where two are equal. */
const isDrawn = ({ inputs, gradInputs = [] }: GoldenCase): boolean =>
  inputs.every((input, i) => {
    if (!input || !gradInputs[i]) return true;
    return (
      new Set(input.data).size === input.data.length &&
      input.data.every((value) => !Number.isInteger(4 * Number(value)))
    );
  });

/** The golden that is chosen, or the smallest one with enough elements, if possible one that was drawn. */
function goldenOf(op: string): GoldenCase {
  const cases = goldenCases.filter((golden) => golden.op === op && cost(golden) > 0 && isFinite(golden));
  const bySize = cases.sort((a, b) => cost(a) - cost(b));
  const enough = bySize.filter((golden) => elements(golden) >= ENOUGH);
  const found =
    op in CHOSEN ? cases.find(({ name }) => name === CHOSEN[op]) : (enough.find(isDrawn) ?? enough[0] ?? bySize.at(-1));
  if (found) return found;
  throw new Error(`${op} must have a golden with finite inputs and a gradient: add one, or mend CHOSEN.`);
}

/** What `gradcheck` takes. */
interface Checked {
  readonly fn: (...given: readonly Tensor[]) => Tensor[];
  readonly inputs: readonly Tensor[];
}

/** A golden as a function of the inputs that it has. */
function checkedOf(golden: GoldenCase): Checked {
  const { op, args, inputs, gradInputs = [] } = golden;
  const fn = (...given: readonly Tensor[]): Tensor[] => {
    const left = [...given];
    const seen = inputs.map((input) => {
      const x = input && left.shift()!;
      return x && input.permute ? x.permute(input.permute) : x;
    });
    const result = callGolden(op, seen as Tensor[], args);
    return result instanceof Tensor ? [result] : Object.values(result).filter((x) => x instanceof Tensor);
  };
  const leaves = inputs.flatMap((input, i) =>
    input ? [goldenTensor(input).requiresGrad_(Boolean(gradInputs[i]))] : [],
  );
  return { fn, inputs: leaves };
}

const OPS = [...new Set(goldenCases.filter((golden) => cost(golden) > 0).map(({ op }) => op))];

/** Whether a function has derivatives, of the first order and the second, that differences agree with; else an error, or false. */
async function agrees(op: string): Promise<boolean> {
  const { fn, inputs } = checkedOf(goldenOf(op));
  if (!fn(...inputs).some(({ requiresGrad }) => requiresGrad)) return false;
  return (await gradcheck(fn, inputs)) && (await gradgradcheck(fn, inputs));
}

test.each(OPS.filter((op) => !(op in EXEMPT)))("%s", async (op) => {
  expect(await agrees(op)).toBe(true);
});

test.each(Object.keys(EXEMPT))("%s is exempt, and has to be", async (op) => {
  expect(OPS).toContain(op);
  const problem = await agrees(op).catch((error: unknown) => error);
  expect(problem === false || problem instanceof GradcheckError, String(problem)).toBe(true);
});

test("goldens are chosen for functions that are checked", () => {
  expect(Object.keys(CHOSEN).filter((op) => !OPS.includes(op) || op in EXEMPT)).toEqual([]);
});
