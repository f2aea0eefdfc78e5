/** Where users bend the gradient: cut it, or give it themselves. */

import { InternalError, ShapeError } from "../errors";
import type { HostArray } from "../graph/dtype";
import { gradEnabled } from "../graph/gradMode";
import { Node } from "../graph/node";
import { sameShape, showShape } from "../graph/shape";
import { checkDType } from "./check";
import { apply, defineOp } from "./op";
import type { NoAttrs } from "./pointwise";

const sameValue = ([value]: readonly HostArray[], output: HostArray): void => output.data.set(value!.data);

export const detachOp = defineOp<NoAttrs>({
  name: "detach",
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  evaluate: sameValue,
  vjp: null,
  lowering: { kind: "alias" },
});

/** The same value, through which no gradient flows. */
export const detach = (x: Node): Node => apply(detachOp, [x], {});

/** The node itself where no gradient flows through it anyway. */
export const withoutGrad = (x: Node): Node => (x.requiresGrad ? detach(x) : x);

/** Gradients of the inputs from that of the value; null for inputs that get none. */
export type VjpRule = (gradOut: Node, inputs: readonly Node[], output: Node) => readonly (Node | null)[];

const rules = new WeakMap<Node, VjpRule>();

function runRule(gradOut: Node, output: Node): readonly (Node | null)[] {
  const rule = rules.get(output);
  if (!rule)
    throw new InternalError("customVjp: a node's rule must be known, got a node without one. Please report it.");
  const inputs = output.inputs.slice(1);
  const grads = rule(gradOut, inputs, output);
  if (grads.length !== inputs.length) {
    throw new ShapeError(
      `customVjp: the rule must return a gradient or null for each of the ${inputs.length} inputs, got ${grads.length}. Add null for the others.`,
    );
  }
  grads.forEach((grad, i) => {
    if (!grad) return;
    checkDType("customVjp", [grad], [inputs[i]!.dtype]);
    if (sameShape(grad.shape, inputs[i]!.shape)) return;
    throw new ShapeError(
      `customVjp: a gradient must have its input's shape, got ${showShape(grad.shape)} for input ${i} of ${showShape(inputs[i]!.shape)}. Sum over what was broadcast.`,
    );
  });
  return [null, ...grads];
}

export const customVjpOp = defineOp<NoAttrs>({
  name: "customVjp",
  infer: ([value]) => ({ shape: value!.shape, dtype: value!.dtype }),
  evaluate: sameValue,
  vjp: (gradOut, { output }) => runRule(gradOut, output),
  lowering: { kind: "alias" },
});

/** The same use of an op on other inputs, with the same gradient rule. */
export function copyOf(node: Node, inputs: readonly Node[]): Node {
  const copy = new Node(
    node.op,
    inputs,
    node.attrs,
    node.shape,
    node.dtype,
    node.requiresGrad && gradEnabled() && inputs.some((input) => input.requiresGrad),
  );
  const rule = rules.get(node);
  if (rule) rules.set(copy, rule);
  return copy;
}

/**
 * A value with a gradient rule of its own.
 * @param value computed from the inputs in any way; no gradient flows through it
 * @param inputs what the rule gives gradients of
 */
export function customVjp(value: Node, inputs: readonly Node[], rule: VjpRule): Node {
  const node = apply(customVjpOp, [withoutGrad(value), ...inputs], {});
  rules.set(node, rule);
  return node;
}
