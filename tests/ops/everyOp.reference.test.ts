/** The CPU reference against PyTorch: values and gradients of every golden, to the last bit or two. */

import { describe, expect, test } from "vitest";
import { backward } from "../../src/autograd/backward";
import type { TypedArray } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import { interpret } from "../../src/reference/interpret";
import { BUILDERS, buildGolden, ELSEWHERE, type Golden, type GoldenTensor, goldens, leafOf, valuesOf } from "./golden";

/** Goldens are rounded once from f64; the reference rounds after each op, so composed ones stray by a few ULP. */
const RELATIVE = 1e-6;
/** Where sums cancel: an ULP of the largest term. */
const ABSOLUTE = 2e-7;

const run = (roots: readonly Node[]): TypedArray[] => {
  const values = interpret(roots, { leaf: (node) => node.hostData! });
  return roots.map((root) => values.get(root)!);
};

function mismatch(actual: TypedArray, golden: GoldenTensor): string | null {
  const expected = valuesOf(golden);
  if (actual.length !== expected.length) return `${actual.length} values for ${expected.length}`;
  const scale = golden.dtype === "f32" ? largest(expected) : 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || a === e) continue;
    const isClose =
      golden.dtype === "f32" &&
      Number.isFinite(e) &&
      Math.abs(a - e) <= RELATIVE * Math.abs(e) + ABSOLUTE * Math.min(scale, 1e3);
    if (!isClose) return `[${i}]: got ${a}, PyTorch ${e}`;
  }
  return null;
}

const largest = (values: TypedArray): number =>
  Array.from(values).reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);

function checkGradients(golden: Golden, leaves: readonly (Node | null)[], output: Node): void {
  if (!golden.gradOut || !golden.gradInputs) return;
  const targets = leaves.flatMap((leaf, i) => (leaf && golden.gradInputs![i] ? [leaf] : []));
  const expected = golden.gradInputs.filter((grad) => grad !== null);
  const found = backward([output], [leafOf(golden.gradOut)], targets);
  expect(found.map((grad) => grad?.shape)).toEqual(expected.map((grad) => grad.shape));
  run(found as Node[]).forEach((values, i) => expect(mismatch(values, expected[i]!), `gradient ${i}`).toBeNull());
}

const all = goldens().filter(({ op }) => !ELSEWHERE.has(op));

for (const op of new Set(all.map((golden) => golden.op))) {
  describe(op, () => {
    const cases = all.filter((golden) => golden.op === op);
    test.each(cases.map((golden) => [golden.name, golden] as const))("%s", (_name, golden) => {
      expect(BUILDERS[op], `no builder for goldens of ${op}`).toBeDefined();
      const { output, indices, leaves } = buildGolden(golden);
      expect(output.shape).toEqual(golden.output.shape);
      expect(output.dtype).toBe(golden.output.dtype);
      expect(mismatch(run([output])[0]!, golden.output)).toBeNull();
      if (golden.indices) expect(mismatch(run([indices!])[0]!, golden.indices)).toBeNull();
      checkGradients(golden, leaves, output);
    });
  });
}
