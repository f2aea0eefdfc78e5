/** Gradients as functions: switch tracking off, take gradients without touching `grad`, give a rule of one's own. */

import { backward } from "./autograd/backward";
import { AutogradError } from "./errors";
import { withGradMode } from "./graph/gradMode";
import * as ops from "./ops";
import { gradientSeed, operandsOf, Tensor, wrap } from "./tensor";

/**
 * Runs `body` without tracking gradients.
 *
 * @param body not async: tracking is global and comes back when `body` returns
 * @returns what `body` returns
 * @throws AutogradError if `body` is async
 * @see torch.no_grad
 *
 * @example
 * const keys = noGrad(() => encoder.forward(images));
 */
export const noGrad = <T>(body: () => T): T => withMode("noGrad", false, body);

/** Runs `body` with gradients tracked, inside of `noGrad`. @see torch.enable_grad */
export const enableGrad = <T>(body: () => T): T => withMode("enableGrad", true, body);

function withMode<T>(name: string, tracked: boolean, body: () => T): T {
  const result = withGradMode(tracked, body);
  if (result instanceof Promise) {
    throw new AutogradError(
      `${name}: the function must not be async, got one that returns a promise. Await inside of several ${name} calls instead.`,
    );
  }
  return result;
}

/** Options of `grad`. */
export interface GradOptions {
  /** Gradients of the outputs; needed where they are no scalars. */
  readonly gradOutputs?: Tensor | readonly (Tensor | null)[] | null;
  /** Whether the gradients can be differentiated again; default false. */
  readonly createGraph?: boolean;
  /** Whether inputs that the outputs do not depend on give null instead of an error; default false. */
  readonly allowUnused?: boolean;
}

/**
 * Gradients of outputs with respect to inputs, added up over the outputs. Touches no `grad`.
 *
 * @returns one tensor per input, of its shape
 * @throws AutogradError if an input requires no gradient or, without `allowUnused`, no output depends on it
 * @see torch.autograd.grad
 *
 * @example
 * const [dx] = grad(loss, [x], { createGraph: true });
 * const [ddx] = grad(dx.sum(), [x]);
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options?: GradOptions & { allowUnused?: false },
): Tensor[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions,
): (Tensor | null)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  { gradOutputs = null, createGraph = false, allowUnused = false }: GradOptions = {},
): (Tensor | null)[] {
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const seeds = gradOutputs instanceof Tensor ? [gradOutputs] : gradOutputs;
  operandsOf("grad", [...roots, ...inputs]); // one device
  inputs.forEach((input, index) => {
    if (input.requiresGrad) return;
    throw new AutogradError(
      `grad: inputs must require gradients, got input ${index} without. Call requiresGrad_() before it is used.`,
    );
  });
  const targets = inputs.map((input) => input.node);
  const gradients = withGradMode(createGraph, () =>
    backward(
      roots.map((root) => root.node),
      roots.map((root, index) => gradientSeed("grad", root, seeds?.[index])),
      targets,
    ),
  );
  return gradients.map((gradient, index) => {
    if (gradient) return wrap(gradient, inputs[index]!.device);
    if (allowUnused) return null;
    throw new AutogradError(
      `grad: outputs must depend on every input, got none that depends on input ${index}. Pass { allowUnused: true } for null.`,
    );
  });
}

/**
 * Turns a function into one that also gives its gradients.
 *
 * @param fn tensors in, a scalar out
 * @returns a function of the same tensors that gives the scalar, and a gradient per tensor
 * @throws AutogradError if the scalar does not depend on one of them
 * @see jax.value_and_grad
 *
 * @example
 * const { value, grads } = valueAndGrad((w, b) => F.mseLoss(x.matmul(w).add(b), y))(w, b);
 */
export function valueAndGrad(
  fn: (...inputs: Tensor[]) => Tensor,
  { createGraph = false }: { createGraph?: boolean } = {},
): (...inputs: Tensor[]) => { value: Tensor; grads: Tensor[] } {
  return (...inputs) => {
    const leaves = inputs.map((input) => (input.requiresGrad ? input : input.clone().requiresGrad_()));
    const value = fn(...leaves);
    return { value, grads: grad(value, leaves, { createGraph }) };
  };
}

/** Gradients of the inputs from that of the output; null for inputs that get none. */
export type Vjp = (gradOut: Tensor, inputs: readonly Tensor[], output: Tensor) => readonly (Tensor | null)[];

/**
 * A function with a gradient rule of its own.
 *
 * @param forward tensors in, a tensor out; how it computes it does not matter for the gradient
 * @param vjp from the output's gradient to the inputs'; of tensors, so it can be differentiated again
 * @returns `forward` with the rule
 * @throws ShapeError, on backward, if the rule gives another number of gradients or other shapes
 * @see torch.autograd.Function, jax.custom_vjp
 *
 * @example
 * const straightThrough = customVjp((x) => x.round(), (gradOut) => [gradOut]);
 */
export function customVjp(forward: (...inputs: Tensor[]) => Tensor, vjp: Vjp): (...inputs: Tensor[]) => Tensor {
  return (...inputs) => {
    const { device, node } = forward(...inputs);
    const result = ops.customVjp(node, operandsOf("customVjp", inputs), (gradOut, nodes, output) => {
      const [dy, y, ...xs] = [gradOut, output, ...nodes].map((each) => new Tensor(each, device));
      return vjp(dy!, xs, y!).map((gradient) => gradient?.node ?? null);
    });
    return wrap(result, device);
  };
}
