/**
 * Reverse-mode differentiation: graph in, graph out. Walks back from an output, asks each op for the gradients of its
 * inputs, and adds up what arrives at a node on several ways. Runs nothing; the result can be differentiated again.
 */

import { AutogradError, ShapeError, StaleTensorError } from "../errors";
import { withAutocast } from "../graph/autocastMode";
import type { Node } from "../graph/node";
import { noteRole } from "../graph/origin";
import { sameShape, showShape } from "../graph/shape";
import { topologicalOrder } from "../graph/walk";
import { add } from "../ops/arithmetic";
import { opOf } from "../ops/op";
import { hooked } from "./hooks";
import { Recomputed } from "./recomputed";

/**
 * Gradients of `outputs` with respect to `targets`, weighted with `gradOuts` and added up.
 * @param gradOuts the gradients that arrive at the outputs; of their shapes
 * @returns one per target; null where no output depends on it
 * @throws AutogradError if an output needs no gradient; StaleTensorError if its history was dropped
 */
export const backward = (
  outputs: readonly Node[],
  gradOuts: readonly Node[],
  targets: readonly Node[],
): (Node | null)[] => withAutocast(false, () => walkBack(outputs, gradOuts, targets)); // gradients have the dtypes that are there

function walkBack(outputs: readonly Node[], gradOuts: readonly Node[], targets: readonly Node[]): (Node | null)[] {
  outputs.forEach((output, i) => checkOutput(output, gradOuts[i]!));
  const wanted = new Set(targets);
  const order = topologicalOrder(outputs, (node) => !node.requiresGrad).filter((node) => node.requiresGrad);
  const reaching = reachingNodes(order, wanted);
  const grads = new Map<Node, Node>();
  const recomputed = new Recomputed();
  outputs.forEach((output, i) => accumulate(grads, output, gradOuts[i]!));
  for (const node of order.toReversed()) {
    const arrived = grads.get(node);
    if (!arrived || !reaching.has(node)) continue;
    const grad = hooked(node, arrived);
    grads.set(node, grad);
    if (!(node.historyLost && wanted.has(node))) {
      for (const [input, result] of gradientsOf(node, grad, reaching, recomputed)) accumulate(grads, input, result);
    }
    if (!wanted.has(node)) grads.delete(node);
  }
  return targets.map((target) => grads.get(target) ?? null);
}

/** Gradients of one output. */
export const gradients = (output: Node, gradOut: Node, targets: readonly Node[]): (Node | null)[] =>
  backward([output], [gradOut], targets);

/** Contributions that arrive at a node on several ways add up. */
function accumulate(grads: Map<Node, Node>, node: Node, grad: Node): void {
  const before = grads.get(node);
  const sum = before ? add(before, grad) : grad;
  noteRole(sum, { kind: "gradient", of: node, input: null });
  grads.set(node, sum);
}

function checkOutput(output: Node, gradOut: Node): void {
  if (!output.requiresGrad) {
    throw new AutogradError(
      `backward: the output must depend on something that needs gradients, got ${showShape(output.shape)} of ${output.op.name}. ` +
        `Set requiresGrad on a tensor it is computed from, outside noGrad and detach.`,
    );
  }
  if (!sameShape(output.shape, gradOut.shape)) {
    throw new ShapeError(
      `backward: the gradient must have the output's shape, got ${showShape(gradOut.shape)} for ${showShape(output.shape)}. ` +
        `Pass a gradient of that shape, or reduce the output to a scalar.`,
    );
  }
}

/** Nodes from which a target is reached, targets included: gradients of the others are not computed. */
function reachingNodes(order: readonly Node[], targets: ReadonlySet<Node>): Set<Node> {
  const reaching = new Set<Node>();
  for (const node of order) {
    // where gradients went from here is not known any more: whether it matters is reported on arrival
    const isLost = node.historyLost && !targets.has(node);
    if (targets.has(node) || isLost || node.inputs.some((input) => reaching.has(input))) reaching.add(node);
  }
  return reaching;
}

/** What comes through `node` to the gradients of its inputs. */
function gradientsOf(node: Node, grad: Node, reaching: ReadonlySet<Node>, recomputed: Recomputed): [Node, Node][] {
  if (node.historyLost) {
    throw new StaleTensorError(
      `backward: what the output is computed from must still be known, got ${node.op.name} ${showShape(node.shape)} whose history was ` +
        `released at the end of its step. Call backward before step(), or compute the output again.`,
    );
  }
  const needs = node.inputs.map((input) => reaching.has(input));
  const { vjp } = opOf(node);
  if (!vjp || !needs.includes(true)) return [];
  const results = recomputed.inRuleOf(node, () =>
    vjp(grad, { inputs: node.inputs, output: node, attrs: node.attrs, needs }),
  );
  return node.inputs.flatMap((of, input) => {
    const result = results[input];
    if (!needs[input] || !result) return [];
    noteRole(result, { kind: "gradient", of: node, input });
    return [[of, result] as [Node, Node]];
  });
}
