/**
 * Which pending writes a read runs. Those that it needs, of course; and those that nobody can miss the old value of, such
 * as gradients, since they share most of their work with the loss. The others wait: a queue that is overwritten too early
 * is missed by a later backward().
 */

import type { Node, VariableRef } from "../graph/node";
import { topologicalOrder } from "../graph/walk";
import { Arena } from "./arena";
import { type Effect, rootsOf, writesOf } from "./program";

type Versions = readonly { readonly variable: VariableRef; readonly version: number }[];

/** The part of `pending` to run when `nodes` are read; what is left out can run later, in its order. */
export function neededFor(nodes: readonly Node[], pending: readonly Effect[]): readonly Effect[] {
  if (pending.length === 0) return pending;
  const leaves = new LeavesBelow([...nodes, ...pending.flatMap(rootsOf)]);
  const reads = new Map(pending.map((effect) => [effect, readsOf(effect, leaves)]));
  const read = leaves.of(nodes);
  const needed = closure(pending, reads, read);
  const harmless = new Set(pending.filter((effect) => effect.kind === "assign" && !effect.overwritesRead));
  const together = closure(pending, reads, [...read, ...[...harmless].flatMap(writesOf)]);
  const isFine = [...together].every((effect) => needed.has(effect) || harmless.has(effect));
  return pending.filter((effect) => (isFine ? together : needed).has(effect));
}

/** Variables, with versions, that graphs read. One walk serves all roots: each node has the set of its leaves as bits. */
class LeavesBelow {
  private readonly leaves: Node[] = [];
  private readonly bits = new Map<Node, bigint>();

  constructor(roots: readonly Node[]) {
    for (const node of topologicalOrder(roots, (each) => each.hasValue)) this.bits.set(node, this.bitsOf(node));
  }

  private bitsOf(node: Node): bigint {
    if (!node.hasValue) return node.inputs.reduce((all, input) => all | this.bits.get(input)!, 0n);
    if (!node.variable || node.variable instanceof Arena) return 0n;
    return 1n << BigInt(this.leaves.push(node) - 1);
  }

  of(roots: readonly Node[]): Versions {
    const all = roots.reduce((bits, root) => bits | this.bits.get(root)!, 0n);
    return this.leaves
      .filter((_, index) => (all >> BigInt(index)) & 1n)
      .map(({ variable, version }) => ({ variable: variable!, version }));
  }
}

/** Versions that an effect reads; a write of some rows reads the others. */
function readsOf(effect: Effect, leaves: LeavesBelow): Versions {
  const below = leaves.of(rootsOf(effect));
  if (effect.kind === "update") return [...below, ...effect.reads];
  return effect.start ? [...below, { variable: effect.variable, version: effect.previous }] : below;
}

/** Effects that must run so that `versions` can be read, and so that none that is left out finds its operands overwritten. */
function closure(
  pending: readonly Effect[],
  reads: ReadonlyMap<Effect, Versions>,
  versions: Versions,
): ReadonlySet<Effect> {
  const needed = new Set<Effect>();
  /** Versions up to which variables must be made, and up to which they will be overwritten. */
  const wanted = new Map<VariableRef, number>();
  const overwritten = new Map<VariableRef, number>();
  const isNeeded = (effect: Effect): boolean =>
    writesOf(effect).some(({ variable, version }) => version <= (wanted.get(variable) ?? -1)) ||
    reads.get(effect)!.some(({ variable, version }) => version < (overwritten.get(variable) ?? -1));
  raise(wanted, versions);
  for (let before = -1; before !== needed.size;) {
    before = needed.size;
    for (const effect of pending.toReversed()) {
      if (needed.has(effect) || !isNeeded(effect)) continue;
      needed.add(effect);
      raise(wanted, reads.get(effect)!);
      raise(wanted, writesOf(effect));
      raise(overwritten, writesOf(effect));
    }
  }
  return needed;
}

function raise(versions: Map<VariableRef, number>, to: Versions): void {
  for (const { variable, version } of to) versions.set(variable, Math.max(version, versions.get(variable) ?? -1));
}
