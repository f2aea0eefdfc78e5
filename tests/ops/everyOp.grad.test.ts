/**
 * Gradients of every differentiable op against central differences, in f64: of the op, and of its gradient.
 * The loss is a weighted sum of the output, so each gradient is checked in every place.
 */

import { describe, expect, test } from "vitest";
import { backward } from "../../src/autograd/backward";
import type { Node } from "../../src/graph/node";
import { sizeOf } from "../../src/graph/shape";
import { fromHost, mul, sum } from "../../src/ops";
import { allOps } from "../../src/ops/op";
import { interpret } from "../../src/reference/interpret";
import { DIFFERENCES } from "../helpers/tolerance";
import { Draw } from "./case";
import { build, CASES, type OpCase, WITHOUT_CASES } from "./cases";

const { step: STEP, tolerance: TOLERANCE } = DIFFERENCES;

const evaluate = (roots: readonly Node[]): Float64Array[] => {
  const values = interpret(roots, { leaf: (node) => node.hostData!, keepF64: true });
  return roots.map((root) => values.get(root) as Float64Array);
};

/** A leaf in f64 with the values of another. */
const inF64 = (leaf: Node): Node => {
  if (leaf.dtype === "f32") leaf.hostData = Float64Array.from(leaf.hostData!);
  return leaf;
};

/** A random leaf of a node's shape: what its gradient is weighted with. */
function weightsOf(node: Node, seed: string): Node {
  const { host } = new Draw(seed).uniform(node.shape, 0.5, 1.5);
  return inF64(fromHost(host.data, host.shape, "f32", true));
}

/** The scalar whose gradients are checked. */
const lossOf = (outputs: readonly Node[], seed: string): { loss: Node[]; weights: Node[] } => {
  const weights = outputs.map((output, i) => weightsOf(output, `${seed} ${i}`));
  return { loss: outputs.map((output, i) => sum(mul(output, weights[i]!))), weights };
};

const totalOf = (loss: readonly Node[]): number => evaluate(loss).reduce((total, values) => total + values[0]!, 0);

/** Moves one number of a leaf up and down, and looks at the loss. */
function difference(leaf: Node, index: number, loss: readonly Node[]): number {
  const data = leaf.hostData!;
  const before = data[index]!;
  data[index] = before + STEP;
  const high = totalOf(loss);
  data[index] = before - STEP;
  const low = totalOf(loss);
  data[index] = before;
  return (high - low) / (2 * STEP);
}

/** Compares the gradients of a loss with differences; null where all agree. */
function firstMismatch(loss: readonly Node[], leaves: readonly Node[]): string | null {
  const differentiable = loss.filter((part) => part.requiresGrad);
  const seeds = differentiable.map(() => fromHost(Float64Array.of(1), []));
  const grads = backward(differentiable, seeds, leaves);
  const found = evaluate(grads.filter((grad) => grad !== null));
  let next = 0;
  for (const [l, leaf] of leaves.entries()) {
    const grad = grads[l] ? found[next++]! : new Float64Array(sizeOf(leaf.shape));
    for (let i = 0; i < grad.length; i++) {
      const expected = difference(leaf, i, loss);
      const isClose = Math.abs(grad[i]! - expected) <= TOLERANCE * (1 + Math.abs(expected));
      if (!isClose) return `gradient of input ${l} at [${i}]: got ${grad[i]}, difference ${expected}`;
    }
  }
  return null;
}

function checkCase(opCase: OpCase): void {
  const { leaves, output } = build(opCase, { requiresGrad: true });
  const floats = leaves.filter((leaf) => leaf.dtype === "f32").map(inF64);
  if (!output.requiresGrad) return;
  const first = lossOf([output], "first");
  const inputs = [...floats, ...first.weights];
  expect(firstMismatch(first.loss, inputs), "first order").toBeNull();

  // the gradients are outputs of a graph themselves
  const gradOut = weightsOf(output, "gradOut");
  const grads = backward([output], [gradOut], floats).filter((grad) => grad !== null);
  const second = lossOf(grads, "second");
  expect(firstMismatch(second.loss, [...floats, gradOut]), "second order").toBeNull();
}

describe("every op", () => {
  test("has cases, or a reason for none", () => {
    const known = new Set([...Object.keys(CASES), ...Object.keys(WITHOUT_CASES)]);
    expect([...allOps().keys()].filter((op) => !known.has(op))).toEqual([]);
    expect([...known].filter((op) => !allOps().has(op))).toEqual([]);
  });

  test.each(Object.entries(CASES).map(([op, cases]) => [op, cases] as const))(
    "%s is what its cases use",
    (op, cases) => {
      const uses = (node: Node): boolean => node.op.name === op || node.inputs.some(uses);
      expect(cases.some((opCase) => uses(build(opCase).output))).toBe(true);
    },
  );
});

const differentiable = [...allOps().values()].filter((op) => op.vjp !== null && CASES[op.name]);

describe.each(differentiable.map(({ name }) => name))("gradient of %s", (op) => {
  const cases = CASES[op]!.filter((opCase) => opCase.grad);
  test.each(cases.map((opCase) => [opCase.name, opCase] as const))("%s", (_name, opCase) => checkCase(opCase));
});
