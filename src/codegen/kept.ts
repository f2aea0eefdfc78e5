/**
 * Elements of a sweep that one level computes at some cost and later ones need again: on software adapters they lie, until the end, in
 * the memory of an output. Writing and reading four numbers there takes less than, say, four exponentials.
 */

import type { Node } from "../graph/node";
import { topologicalOrder } from "../graph/walk";
import { computedFrom, opOf } from "../ops/op";
import type { Surroundings, SweepSpec } from "./launch";

/** Of each such element the level that computes it, and the output in whose memory it lies. */
export type Kept = ReadonlyMap<Node, { readonly level: number; readonly output: number }>;

/**
 * What to keep.
 *
 * @param stores outputs with a value an element, whose rows are whole vec4s
 * @param computes whether a level comes by an element where it may keep it; else nothing may count on its doing so
 */
export function keptElements(
  sweep: SweepSpec,
  around: Surroundings,
  { stores, computes }: { readonly stores: readonly Node[]; readonly computes: (level: number, node: Node) => boolean },
): Kept {
  const kept = new Map<Node, { level: number; output: number }>();
  const free = freeOutputs(sweep, around, stores);
  if (around.limits.adapterClass !== "software" || free.length === 0) return kept;
  const roots = [...sweep.folds.map((level) => level.map((fold) => fold.inputs[0]!)), stores];
  const inside = new Inside(sweep, around, roots.flat());
  const needed = roots.map((nodes) => inside.costlyFor(nodes));
  needed.forEach((nodes, level) => {
    const later = new Set(needed.slice(level + 1).flat());
    const known = new Set(inside.below([...kept.keys()]));
    // users come before what they are computed from: with them that is kept, too, unless others need it by itself
    for (const node of nodes.toReversed()) {
      if (free.length === 0 || known.has(node) || !later.has(node) || !computes(level, node)) continue;
      kept.set(node, { level, output: free.shift()! });
      for (const each of inside.below([node])) known.add(each);
    }
  });
  return kept;
}

/** Outputs whose memory nobody reads before they are stored. */
function freeOutputs(sweep: SweepSpec, around: Surroundings, stores: readonly Node[]): number[] {
  const isFree = (node: Node, output: number): boolean =>
    node.dtype === "f32" && stores.includes(node) && (sweep.variables[output] === null || !readsWritten(sweep, around));
  return sweep.outputs.flatMap((node, output) => (isFree(node, output) ? [output] : []));
}

/** Whether something that a sweep reads may lie in a buffer that it writes. */
function readsWritten({ folds, outputs, members }: SweepSpec, around: Surroundings): boolean {
  const isLeaf = (node: Node): boolean => !members.has(node) && around.isLoaded(node);
  return topologicalOrder([...folds.flat(), ...outputs], isLeaf, computedFrom).some((node) =>
    around.sharesOutputBuffer(node),
  );
}

/** The nodes that a sweep computes for each element. */
class Inside {
  /** What somebody needs the element of another place of. */
  private readonly elsewhere: ReadonlySet<Node>;

  constructor(
    private readonly sweep: SweepSpec,
    private readonly around: Surroundings,
    roots: readonly Node[],
  ) {
    this.elsewhere = new Set(this.below(this.below(roots).filter(isView).flatMap(computedFrom)));
  }

  /** Some nodes and what they are computed from, inputs before users. */
  below(nodes: readonly Node[]): Node[] {
    return topologicalOrder(
      nodes.filter((node) => this.has(node)),
      undefined,
      (node) => computedFrom(node).filter((input) => this.has(input)),
    );
  }

  /** Those that something costly goes into, needed at their own places only; inputs before users. */
  costlyFor(nodes: readonly Node[]): Node[] {
    const { shape } = this.sweep;
    const costly = new Set<Node>();
    for (const node of this.below(nodes))
      if (isCostly(node) || computedFrom(node).some((input) => costly.has(input))) costly.add(node);
    return [...costly].filter(
      (node) => node.dtype === "f32" && node.shape.join() === shape.join() && !this.elsewhere.has(node),
    );
  }

  private has(node: Node): boolean {
    const { members } = this.sweep;
    const member = members.get(node);
    return member ? member.kind === "element" : !this.around.isLoaded(node) && !this.around.isUniform(node);
  }
}

function isCostly(node: Node): boolean {
  const { lowering } = opOf(node);
  return (lowering.kind === "pointwise" || lowering.kind === "generator") && lowering.dear === true;
}

/** Whether a node reads elements at other places than its own. */
const isView = (node: Node): boolean => !/^(pointwise|alias|generator)$/.test(opOf(node).lowering.kind);
