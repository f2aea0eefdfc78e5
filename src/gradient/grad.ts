/** Gradients as values, without touching `grad`. */

import { backward } from "../autograd/backward";
import { AutogradError } from "../errors";
import { withGradMode } from "../graph/gradMode";
import { checkOptionNames } from "../options";
import { checkTensorList, gradientSeed, operandsOf, Tensor, wrap } from "../tensor";

/** Options of `grad`. */
export interface GradOptions {
  /** Gradients of the outputs; needed where they are no scalars. */
  readonly gradOutputs?: Tensor | readonly (Tensor | null)[] | null;
  /** Whether the gradients can be differentiated again; default false. */
  readonly createGraph?: boolean;
  /** Whether inputs that the outputs do not depend on give null instead of an error; default false. */
  readonly allowUnused?: boolean;
  /** Taken as PyTorch has it, and without effect: graphs are values here, and `grad` frees nothing. */
  readonly retainGraph?: boolean;
}

/**
 * Gradients of outputs with respect to inputs, added up over the outputs. Touches no `grad`.
 *
 * @param inputs one tensor, or several
 * @param options.gradOutputs, createGraph, allowUnused, retainGraph see GradOptions
 * @returns one tensor per input, of its shape
 * @throws AutogradError if an input requires no gradient or, without `allowUnused`, no output depends on it
 * @see torch.autograd.grad
 *
 * @example
 * const [dx] = grad(loss, x, { createGraph: true });
 * const [ddx] = grad(dx.sum(), x);
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options?: GradOptions & { allowUnused?: false },
): Tensor[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions,
): (Tensor | null)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  checkOptionNames("grad", options, ["gradOutputs", "createGraph", "allowUnused", "retainGraph"]);
  const { gradOutputs = null, createGraph = false, allowUnused = false } = options;
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const wanted = inputs instanceof Tensor ? [inputs] : inputs;
  const seeds = gradOutputs instanceof Tensor ? [gradOutputs] : gradOutputs;
  checkTensorList("grad", roots);
  checkTensorList("grad", wanted);
  operandsOf("grad", [...roots, ...wanted]); // one device
  wanted.forEach((input, index) => {
    if (input.requiresGrad) return;
    throw new AutogradError(
      `grad: inputs must require gradients, got input ${index} without. Call requiresGrad_() before it is used.`,
    );
  });
  const targets = wanted.map((input) => input.node);
  const gradients = withGradMode(createGraph, () =>
    backward(
      roots.map((root) => root.node),
      roots.map((root, index) => gradientSeed("grad", root, seeds?.[index])),
      targets,
    ),
  );
  return gradients.map((gradient, index) => {
    if (gradient) return wrap(gradient, wanted[index]!.device);
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
  options: { createGraph?: boolean } = {},
): (...inputs: Tensor[]) => { value: Tensor; grads: Tensor[] } {
  checkOptionNames("valueAndGrad", options, ["createGraph"]);
  const { createGraph = false } = options;
  return (...inputs) => {
    const leaves = inputs.map((input) => (input.requiresGrad ? input : input.clone().requiresGrad_()));
    const value = fn(...leaves);
    return { value, grads: grad(value, leaves, { createGraph }) };
  };
}
