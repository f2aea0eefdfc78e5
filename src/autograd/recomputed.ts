/**
 * What one backward pass computes again. Gradient rules ask for values of the forward pass, and whoever asks makes the plan
 * hold them until then. In a region, the rules get copies of those nodes instead, built from what went into the region; copies
 * are younger than the gradients that arrived there, so they run after those, and the first values need not be held.
 */

import { type Node, nextNodeId } from "../graph/node";
import { currentRegion, type Region } from "../graph/region";
import { topologicalOrder } from "../graph/walk";
import { copyOf } from "../ops/custom";

type Results = readonly (Node | null)[];

export class Recomputed {
  /** By region: what its values are as its gradient rules see them. */
  private readonly copies = new Map<Region, Map<Node, Node>>();

  /** The results of a node's gradient rule, with values of the node's region computed again, unless it is still being built. */
  inRuleOf(node: Node, rule: () => Results): Results {
    const firstNew = nextNodeId();
    const results = rule();
    const { region } = node;
    const isOver = region !== null && !currentRegion()?.isWithin(region);
    return isOver ? this.rewritten(results, region, firstNew) : results;
  }

  /** The same gradients, as functions of copies. */
  private rewritten(results: Results, region: Region, firstNew: number): Results {
    const isOld = (node: Node): boolean => node.hasValue || node.id < firstNew;
    const order = topologicalOrder(
      results.filter((result) => result !== null),
      isOld,
    );
    const old = order.filter(isOld);
    const seen = this.again(old, region);
    const places = new Map(old.map((node, i) => [node, seen[i]!]));
    for (const node of order) if (!places.has(node)) places.set(node, onInputs(node, places));
    return results.map((result) => result && places.get(result)!);
  }

  /** Nodes as the rules of a region see them: those of the region are copied, and what lies around it as its own region sees it. */
  private again(nodes: readonly Node[], region: Region | null): readonly Node[] {
    if (!region) return nodes;
    const known = this.copies.get(region) ?? new Map<Node, Node>();
    this.copies.set(region, known);
    const isOutside = (node: Node): boolean => !isComputedIn(node, region);
    const order = topologicalOrder(nodes, (node) => known.has(node) || isOutside(node)).filter(
      (node) => !known.has(node),
    );
    const outside = order.filter(isOutside);
    const seen = this.again(outside, region.outer);
    outside.forEach((node, i) => known.set(node, seen[i]!));
    for (const node of order) if (!known.has(node)) known.set(node, copyOf(node, inputsIn(node, known)));
    return nodes.map((node) => known.get(node)!);
  }
}

/** Whether a region computes the node: values that are there anyway, and leaves that gradients are taken of, stay what they are. */
function isComputedIn(node: Node, region: Region): boolean {
  if (node.hasValue || !node.region?.isWithin(region)) return false;
  return !node.requiresGrad || node.inputs.some((input) => input.requiresGrad);
}

const inputsIn = (node: Node, places: ReadonlyMap<Node, Node>): Node[] =>
  node.inputs.map((input) => places.get(input)!);

/** The node itself where its inputs are what they were. */
function onInputs(node: Node, places: ReadonlyMap<Node, Node>): Node {
  const inputs = inputsIn(node, places);
  return inputs.every((input, i) => input === node.inputs[i]) ? node : copyOf(node, inputs);
}
