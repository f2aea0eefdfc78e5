/** Every golden of `tests/goldens/ops` through the public API: values and gradients, against PyTorch. */

import { describe, expect, test } from "vitest";
import { defaultDevice } from "../../src/device";
import { grad } from "../../src/gradient";
import { Tensor } from "../../src/tensor";
import type { Args, Result } from "./call";
import { callGolden, repeatedCalls } from "./calls";
import { deviceTolerance, expectGoldens, type GoldenTensor, goldenTensor, type Tolerance } from "./golden";

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

/** Cases that may stray further, or have no defined answer on a GPU and so no test there; and why. */
type Exceptions = (op: string, name: string) => Tolerance | "none" | undefined;

const exceptions: Exceptions = (op, name) => {
  const isGpu = defaultDevice().kind === "webgpu";
  if (isGpu && name === "subnormal") return "none"; // WGSL lets a GPU flush them to 0
  if (op === "batchNorm" && name === "far from zero") return { relative: 1e-3, ofLargest: 2e-4 }; // the mean of 1000 is rounded to 6e-5, and the spread is 0.3
  if (op === "layerNorm" && name === "far from zero") return { relative: 1e-3, ofLargest: 2e-4 }; // likewise
  if (op === "cosineEmbeddingLoss") return { relative: isGpu ? 2e-5 : 5e-6, ofLargest: 2e-6 }; // ten roundings, one an op
  return undefined;
};

/** Declares one test a golden. In f64, on the CPU, only those whose numbers f32 can hold. */
export function everyOp({ float = "f32" }: { float?: Float } = {}): void {
  for (const op of new Set(goldens.map((golden) => golden.op))) {
    describe(op, () => {
      for (const golden of goldens.filter((each) => each.op === op)) {
        const exception = exceptions(op, golden.name);
        if (exception === "none" || (float === "f64" && !fits(golden))) continue;
        test(golden.name, () => check(golden, float, exception));
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

async function check(golden: Golden, float: Float, tolerance: Tolerance = deviceTolerance()): Promise<void> {
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
  await expectGoldens(pairs, tolerance);
}

/** A result's tensors by the names that goldens have for them: `output`, then `1`, `2`, ... in a list. */
function named(result: Result): Record<string, Tensor | undefined> {
  if (result instanceof Tensor) return { output: result };
  const all = Object.fromEntries(Object.entries(result)) as Record<string, Tensor | undefined>;
  return { ...all, output: all["output"] ?? all["values"] ?? all["0"] };
}
