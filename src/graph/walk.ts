/** Walks over graphs. All are iterative: a graph may be deeper than the stack. */

import type { Node } from "./node";

const allInputs = (node: Node): readonly Node[] => node.inputs;

/**
 * Nodes below `roots`, inputs before users, each once, in a fixed order.
 * @param isLeaf where to stop: the node itself is listed, its inputs are not
 * @param inputsOf which inputs count
 */
export function topologicalOrder(
  roots: readonly Node[],
  isLeaf: (node: Node) => boolean = () => false,
  inputsOf: (node: Node) => readonly Node[] = allInputs,
): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ node: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const inputs = isLeaf(top.node) ? [] : inputsOf(top.node);
      if (top.next === inputs.length) {
        order.push(top.node);
        stack.pop();
        continue;
      }
      const input = inputs[top.next++]!;
      if (seen.has(input)) continue;
      seen.add(input);
      stack.push({ node: input, next: 0 });
    }
  }
  return order;
}
