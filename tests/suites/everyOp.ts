/** Every golden of `tests/goldens/ops` through the public API: values and gradients, against PyTorch. */

import { describe, expect, test } from "vitest";
import { defaultDevice } from "../../src/device";
import { grad } from "../../src/gradient";
import { Tensor } from "../../src/tensor";
import type { Args, Result } from "./call";
import { callGolden, repeatedCalls } from "./calls";
import { expectGoldens, type GoldenTensor, goldenTensor } from "./golden";

/** dtype in which floats are computed. */
type Float = "f32" | "f64";

interface Golden {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly (GoldenTensor | null)[];
  readonly args: Args;
  readonly output: GoldenTensor;
  readonly indices?: GoldenTensor;
  readonly extra?: Readonly<Record<string, GoldenTensor | null>>;
  readonly gradOut?: GoldenTensor;
  readonly gradInputs?: readonly (GoldenTensor | null)[];
}

const families = import.meta.glob<readonly Golden[]>("../goldens/ops/*.json", { eager: true, import: "default" });
const goldens = Object.values(families).flat();

/** WGSL lets a GPU flush subnormal numbers to 0: there is no defined answer. */
const hasAnswer = ({ name }: Golden): boolean => name !== "subnormal" || defaultDevice().kind === "cpu";

/** Declares one test a golden. In f64, on the CPU, only those whose numbers f32 can hold. */
export function everyOp({ float = "f32" }: { float?: Float } = {}): void {
  for (const op of new Set(goldens.map((golden) => golden.op))) {
    describe(op, () => {
      for (const golden of goldens.filter((each) => each.op === op && hasAnswer(each))) {
        if (float === "f64" && !fits(golden)) continue;
        test(golden.name, () => check(golden, float));
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
const fits = ({ name, output, gradInputs = [], extra = {} }: Golden): boolean =>
  name !== "subnormal" &&
  [output, ...gradInputs, ...Object.values(extra)].every(
    (answer) => answer === null || answer.data.every((value) => typeof value === "number"),
  );

/** The dtype of an answer where floats are f64: what comes of no float, or is cast, stays f32. */
const inFloat = (answer: GoldenTensor, { inputs, args }: Golden, float: Float): GoldenTensor =>
  answer.dtype === "f32" && args.dtype === undefined && inputs.some((input) => input?.dtype === "f32")
    ? { ...answer, dtype: float }
    : answer;

async function check(golden: Golden, float: Float): Promise<void> {
  const isDifferentiable = golden.gradInputs !== undefined;
  const leaves = golden.inputs.map((input) => {
    if (!input) return null;
    const leaf = input.dtype === "f32" ? goldenTensor(input).to(float) : goldenTensor(input);
    return isDifferentiable && input.dtype === "f32" ? leaf.requiresGrad_() : leaf;
  });
  const seen = leaves.map((leaf, i) =>
    leaf && golden.inputs[i]!.permute ? leaf.permute(golden.inputs[i]!.permute) : leaf,
  );
  const results = named(await callGolden(golden.op, seen as Tensor[], golden.args));
  const output = results["output"]!;
  const pairs = [{ name: "output", actual: output, golden: inFloat(golden.output, golden, float) }];
  const others: Record<string, GoldenTensor | null> = {
    ...golden.extra,
    ...(golden.indices && { indices: golden.indices }),
  };
  for (const [name, expected] of Object.entries(others)) {
    if (expected !== null) pairs.push({ name, actual: results[name]!, golden: inFloat(expected, golden, float) });
  }
  if (golden.gradOut && golden.gradInputs) {
    const wanted = leaves.flatMap((leaf, i) =>
      leaf && golden.gradInputs![i] ? [{ leaf, expected: golden.gradInputs![i] }] : [],
    );
    const found = grad(
      output,
      wanted.map(({ leaf }) => leaf),
      { gradOutputs: goldenTensor(golden.gradOut).to(output.dtype) },
    );
    wanted.forEach(({ expected }, i) =>
      pairs.push({ name: `gradient ${i}`, actual: found[i]!, golden: { ...expected, dtype: float } }),
    );
  }
  await expectGoldens(pairs);
}

/** A result's tensors by the names that goldens have for them: `output`, then `1`, `2`, ... in a list. */
function named(result: Result): Record<string, Tensor | undefined> {
  if (result instanceof Tensor) return { output: result };
  const all = Object.fromEntries(Object.entries(result)) as Record<string, Tensor | undefined>;
  return { ...all, output: all["output"] ?? all["values"] ?? all["0"] };
}
