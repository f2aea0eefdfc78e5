/**
 * Every row of every op in dtype f64: what follows from f64 leaves is f64 itself, forward, in gradients and in theirs,
 * so nothing is rounded to f32 on the way; and the values are those of the f32 graph interpreted in double precision.
 */

import { describe, expect, test } from "vitest";
import { backward } from "../../src/autograd/backward";
import { isFloat } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import { topologicalOrder } from "../../src/graph/walk";
import { fromHost } from "../../src/ops";
import { interpret } from "../../src/reference/interpret";
import { ROUNDED_NUMBERS } from "../helpers/tolerance";
import { Draw } from "./case";
import { build, CASES, type OpCase } from "./cases";

interface Graph {
  readonly leaves: readonly Node[];
  /** The output, its gradients, and theirs. */
  readonly roots: readonly Node[];
}

/** A leaf of a node's shape and dtype: what its gradient is weighted with. */
function weightsOf(node: Node, seed: string): Node {
  const { host } = new Draw(seed).uniform(node.shape, 0.5, 1.5);
  return fromHost(Float64Array.from(host.data), host.shape, node.dtype, true);
}

/** A case's graph with its floats as f32 or as f64, both with the same numbers. */
function graphOf(opCase: OpCase, dtype: "f32" | "f64"): Graph {
  const { leaves, output } = build(opCase, { requiresGrad: opCase.grad, float: dtype });
  const floats = leaves.filter((leaf) => isFloat(leaf.dtype));
  for (const leaf of floats) leaf.hostData = Float64Array.from(leaf.hostData!);
  if (!output.requiresGrad) return { leaves, roots: [output] };
  const gradOut = weightsOf(output, "gradOut");
  const first = backward([output], [gradOut], floats).filter((grad) => grad !== null);
  const differentiable = first.filter((grad) => grad.requiresGrad);
  const seeds = differentiable.map((grad, i) => weightsOf(grad, `second ${i}`));
  const second = differentiable.length > 0 ? backward(differentiable, seeds, [...floats, gradOut]) : [];
  return { leaves, roots: [output, ...first, ...second.filter((grad) => grad !== null)] };
}

const evaluate = ({ roots }: Graph): ArrayLike<number>[] => {
  const values = interpret(roots, { leaf: (node) => node.hostData!, keepF64: true });
  return roots.map((root) => values.get(root)!);
};

/** Nodes of dtype f32 that are computed from f64 ones. */
function roundedNodes({ roots }: Graph): string[] {
  const isDouble = new Set<Node>();
  const rounded: string[] = [];
  for (const node of topologicalOrder(roots)) {
    const fromDouble = node.inputs.some((input) => isDouble.has(input));
    if (node.dtype === "f64" || fromDouble) isDouble.add(node);
    if (fromDouble && node.dtype === "f32") rounded.push(node.op.name);
  }
  return rounded;
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const scale = Array.from(expected).reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || a === e) continue;
    const isClose = Math.abs(a - e) <= ROUNDED_NUMBERS * (Math.abs(e) + Math.min(scale, 1e3));
    if (!isClose) expect.fail(`${what}[${i}]: got ${a}, in f32's graph ${e}`);
  }
}

describe.each(Object.entries(CASES).map(([op, cases]) => [op, cases] as const))("%s in f64", (_op, cases) => {
  test.each(cases.map((opCase) => [opCase.name, opCase] as const))("%s", (_name, opCase) => {
    const double = graphOf(opCase, "f64");
    const single = graphOf(opCase, "f32");
    expect(double.roots.map(({ shape }) => shape)).toEqual(single.roots.map(({ shape }) => shape));
    expect(roundedNodes(double), "computed in f32").toEqual([]);
    const expected = evaluate(single);
    evaluate(double).forEach((value, i) => expectClose(value, expected[i]!, `root ${i}`));
  });
});
