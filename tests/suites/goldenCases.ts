/** The cases of `tests/goldens/ops`, and the graph of each through the public API. */

import { defaultDevice } from "../../src/device";
import { grad } from "../../src/gradient";
import { Tensor } from "../../src/tensor";
import type { Args, Result } from "./call";
import { callGolden } from "./calls";
import { type Golden, type GoldenTensor, goldenTensor } from "./golden";

/** dtype in which floats are computed. */
export type Float = "f32" | "f64";

/** One case of an op or function. */
export interface GoldenCase {
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

/** File -> its cases. */
export const families = import.meta.glob<readonly GoldenCase[]>("../goldens/ops/*.json", {
  eager: true,
  import: "default",
});

export const goldenCases: readonly GoldenCase[] = Object.values(families).flat();

/** WGSL lets a GPU flush subnormal numbers to 0: there is no defined answer. */
export const hasAnswer = ({ name }: GoldenCase): boolean => name !== "subnormal" || defaultDevice().kind === "cpu";

/** The dtype of an answer where floats are f64: what comes of no float, or is cast, stays f32. */
const inFloat = (answer: GoldenTensor, { inputs, args }: GoldenCase, float: Float): GoldenTensor =>
  answer.dtype === "f32" && args["dtype"] === undefined && inputs.some((input) => input?.dtype === "f32")
    ? { ...answer, dtype: float }
    : answer;

/** All results of a case, not yet computed, and what PyTorch says they are. */
export async function resultsOf(golden: GoldenCase, float: Float = "f32"): Promise<Golden[]> {
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
  const goldens = [{ name: "output", actual: output, golden: inFloat(golden.output, golden, float) }];
  const others: Record<string, GoldenTensor | null> = {
    ...golden.extra,
    ...(golden.indices && { indices: golden.indices }),
  };
  for (const [name, expected] of Object.entries(others)) {
    if (expected !== null) goldens.push({ name, actual: results[name]!, golden: inFloat(expected, golden, float) });
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
      goldens.push({ name: `gradient ${i}`, actual: found[i]!, golden: { ...expected, dtype: float } }),
    );
  }
  return goldens;
}

/** A result's tensors by the names that goldens have for them: `output`, then `1`, `2`, ... in a list. */
function named(result: Result): Record<string, Tensor | undefined> {
  if (result instanceof Tensor) return { output: result };
  const all = Object.fromEntries(Object.entries(result)) as Record<string, Tensor | undefined>;
  return { ...all, output: all["output"] ?? all["values"] ?? all["0"] };
}
