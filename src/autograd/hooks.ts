/** Functions that see gradients on their way through a backward pass, and may change them. */

import { noteChange } from "../graph/configuration";
import type { Node, VariableRef } from "../graph/node";

/** What gradients go through; gives the same node, or another of its shape and dtype. */
type Hook = (gradient: Node) => Node;

/** What registering a hook gives. */
export interface HookHandle {
  /** Takes the hook away; once it is gone, does nothing. */
  remove(): void;
}

/** By what graphs read: a node, or a variable whatever its version. */
const hooks = new WeakMap<Node | VariableRef, Set<{ readonly hook: Hook }>>();

/** Puts the gradients of a node through `hook`, after the hooks that are there already. */
export function hookGradient(node: Node | VariableRef, hook: Hook): HookHandle {
  noteChange();
  const entry = { hook };
  const list = hooks.get(node) ?? new Set();
  hooks.set(node, list.add(entry));
  const remove = (): void => {
    if (list.delete(entry)) noteChange();
  };
  return { remove };
}

/** The gradient of a node as its hooks leave it. */
export function hooked(node: Node, gradient: Node): Node {
  const list = hooks.get(node.variable ?? node) ?? [];
  return [...list].reduce((current, { hook }) => hook(current), gradient);
}
