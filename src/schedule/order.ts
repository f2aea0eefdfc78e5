/**
 * Puts units into an order in which every read sees the version it means: after the write that makes it, before the
 * write that replaces it. Takes units in any order. Where it is free to, it runs first what was built first, as if each op had
 * run when it was called: the gradients of the last layers are done with before those of the first begin, and less is held.
 */

import { StaleTensorError } from "../errors";
import type { Node, VariableRef } from "../graph/node";
import type { Fusion, Unit } from "./fuse";
import type { Task } from "./task";

interface Access {
  readonly variable: VariableRef;
  readonly version: number;
}

/** Variables at their versions that a unit reads. */
function readsOf(unit: Unit, memory: readonly Node[], fusion: Fusion, task: Task): Access[] {
  const effect = unit.effect === null ? null : task.effects[unit.effect]!;
  if (effect?.kind === "update") return [...effect.reads];
  return memory.flatMap((node) => {
    const { variable, version } = node;
    return variable && !readsCopy(unit, node, fusion) ? [{ variable, version }] : [];
  });
}

/** Whether a unit reads a variable from a copy: all do where there is one, but the one that makes it. */
const readsCopy = (unit: Unit, leaf: Node, fusion: Fusion): boolean => fusion.isCopied(leaf) && unit.root !== leaf;

const writesOf = (unit: Unit, task: Task): readonly Access[] =>
  unit.outputs.flatMap(({ effect: index }) => {
    const effect = index === null ? null : task.effects[index]!;
    if (!effect) return [];
    return effect.kind === "update" ? effect.writes : [effect];
  });

export const memoryRead = (unit: Unit, fusion: Fusion): Node[] => [
  ...new Set([...fusion.loadsOf(unit), ...unit.operands.map((operand) => fusion.memoryOf(operand))]),
];

/**
 * The order; or, where writes cross (one value needs a variable before a write, and what comes after it another), leaves
 * that must be read from copies for there to be one.
 */
export function orderUnits(fusion: Fusion, task: Task): { order: Unit[] } | { crossed: Node[] } {
  const { units } = fusion;
  const makers = new Map<Node, Unit>();
  const writers = new Map<VariableRef, { version: number; unit: Unit }[]>();
  for (const unit of units) {
    for (const { node, effect } of unit.outputs) if (effect === null) makers.set(node, unit);
    for (const { variable, version } of writesOf(unit, task)) {
      writers.set(
        variable,
        [...(writers.get(variable) ?? []), { version, unit }].sort((a, b) => a.version - b.version),
      );
    }
  }
  const before = new Map<Unit, Unit[]>(units.map((unit) => [unit, []]));
  for (const unit of units) {
    const memory = memoryRead(unit, fusion);
    for (const node of memory) {
      const maker = makers.get(node);
      if (maker && maker !== unit) before.get(unit)!.push(maker);
    }
    for (const { variable, version } of readsOf(unit, memory, fusion, task)) {
      const list = writers.get(variable) ?? [];
      const maker = list.find((writer) => writer.version === version)?.unit;
      const next = list.find((writer) => writer.version > version)?.unit;
      if (maker && maker !== unit) before.get(unit)!.push(maker);
      if (next && next !== unit) before.get(next)!.push(unit);
    }
    for (const { variable, version } of writesOf(unit, task)) {
      const earlier = (writers.get(variable) ?? []).filter((writer) => writer.version < version).at(-1)?.unit;
      if (earlier && earlier !== unit) before.get(unit)!.push(earlier);
    }
  }
  const asBuilt = units.toSorted((a, b) => a.root.id - b.root.id);
  const result = sorted(asBuilt, before);
  if ("order" in result) return result;
  const isCrossed = (unit: Unit, { variable, version }: Node): boolean =>
    variable !== null &&
    (writers.get(variable) ?? []).some((writer) => writer.version > version && result.cycle.includes(writer.unit)) &&
    (unit.effect === null || task.effects[unit.effect]!.kind === "assign");
  const crossed = result.cycle.flatMap((unit) =>
    memoryRead(unit, fusion).filter((node) => !fusion.isCopied(node) && isCrossed(unit, node)),
  );
  if (crossed.length === 0) throw crossedWrites(result.cycle[0]!);
  return { crossed };
}

function sorted(
  units: readonly Unit[],
  before: ReadonlyMap<Unit, readonly Unit[]>,
): { order: Unit[] } | { cycle: Unit[] } {
  const order: Unit[] = [];
  const state = new Map<Unit, "open" | "done">();
  for (const root of units) {
    const stack: { unit: Unit; next: number }[] = state.has(root) ? [] : [{ unit: root, next: 0 }];
    if (stack.length > 0) state.set(root, "open");
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const list = before.get(top.unit)!;
      if (top.next === list.length) {
        state.set(top.unit, "done");
        order.push(top.unit);
        stack.pop();
        continue;
      }
      const needed = list[top.next++]!;
      if (state.get(needed) === "open") {
        const open = stack.map(({ unit }) => unit);
        return { cycle: open.slice(open.indexOf(needed)) };
      }
      if (state.has(needed)) continue;
      state.set(needed, "open");
      stack.push({ unit: needed, next: 0 });
    }
  }
  return { order };
}

const crossedWrites = (unit: Unit): StaleTensorError =>
  new StaleTensorError(
    `${unit.root.op.name}: one value must not need a variable both before and after a write, got such a pair of reads. ` +
      `Call keep(tensor) or realize(tensor) on the value from before the write.`,
  );
