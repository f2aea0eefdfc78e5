/** The text by which plans are found: equal for programs of equal structure, whatever their values. */

import type { Node, VariableRef } from "../graph/node";
import { isUniform } from "../schedule/fuse";
import { computedFrom } from "../ops/op";
import type { Task } from "../schedule/task";

/**
 * @param nodes the task's nodes, inputs first
 */
export function planKey(task: Task, nodes: readonly Node[]): string {
  const parts: (string | number)[] = [];
  const place = new Map<Node, number>();
  const variables = new Numbering<VariableRef>();
  const buffers = new Numbering<unknown>();
  const firstVersion = new Map<VariableRef, number>();
  const versioned = (variable: VariableRef, version: number): void => {
    if (!firstVersion.has(variable)) firstVersion.set(variable, version);
    parts.push("v", variables.of(variable), buffers.of(task.bufferOf(variable)), version - firstVersion.get(variable)!);
  };
  nodes.forEach((node, index) => {
    place.set(node, index);
    parts.push(node.signature);
    if (node.variable) versioned(node.variable, node.version);
    else if (node.hasValue) parts.push(isUniform(node) ? "s" : "m");
    else for (const input of computedFrom(node)) parts.push(place.get(input)!);
    parts.push(";");
  });
  for (const effect of task.effects) {
    if (effect.kind === "assign") {
      parts.push("a", place.get(effect.value)!, effect.start ? place.get(effect.start)! : "-");
      versioned(effect.variable, effect.version);
    } else {
      parts.push("u", place.get(effect.node)!);
      for (const { variable, version } of effect.reads) versioned(variable, version);
      for (const { variable, version } of effect.writes) versioned(variable, version);
    }
  }
  for (const { node, want } of task.outputs) parts.push("o", place.get(node)!, want);
  return parts.join(" ");
}

/** Small numbers for things, in the order in which they come. */
class Numbering<T> {
  private readonly numbers = new Map<T, number>();

  of(thing: T): number {
    let number = this.numbers.get(thing);
    if (number === undefined) this.numbers.set(thing, (number = this.numbers.size));
    return number;
  }
}
