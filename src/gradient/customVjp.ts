/** Functions with a gradient rule of their own. */

import { AutogradError } from "../errors";
import * as ops from "../ops";
import { checkIsFunction, describe } from "../options";
import { operandsOf, Tensor, wrap } from "../tensor";

/** Gradients of the inputs from that of the output; null for inputs that get none. */
export type Vjp = (gradOut: Tensor, inputs: readonly Tensor[], output: Tensor) => readonly (Tensor | null)[];

/**
 * A function with a gradient rule of its own.
 *
 * @param forward tensors in, a tensor out; how it computes it does not matter for the gradient
 * @param vjp from the output's gradient to the inputs', null for those that get none; of tensors, so it can be differentiated again
 * @returns `forward` with the rule
 * @throws AutogradError if `forward` returns no tensor
 * @throws ShapeError, DTypeError, DeviceError, on backward, if the rule gives another number of gradients, or others than the inputs'
 * @see torch.autograd.Function, jax.custom_vjp
 *
 * @example
 * const straightThrough = customVjp((x) => x.round(), (gradOut) => [gradOut]);
 */
export function customVjp(forward: (...inputs: Tensor[]) => Tensor, vjp: Vjp): (...inputs: Tensor[]) => Tensor {
  checkIsFunction("customVjp", "forward", forward);
  checkIsFunction("customVjp", "vjp", vjp);
  return (...inputs) => {
    const value: unknown = forward(...inputs);
    if (!(value instanceof Tensor)) {
      throw new AutogradError(
        `customVjp: the function must return a tensor, got ${describe(value)}. Return one tensor, and await outside.`,
      );
    }
    const { device } = value;
    const [node, ...operands] = operandsOf("customVjp", [value, ...inputs]);
    const result = ops.customVjp(node, operands, (gradOut, nodes, output) => {
      const [dy, y, ...xs] = [gradOut, output, ...nodes].map((each) => new Tensor(each, device));
      const given = vjp(dy!, xs, y!);
      checkRule(given);
      const [, ...gradients] = operandsOf("customVjp", [dy!, ...given]);
      return gradients;
    });
    return wrap(result, device);
  };
}

/** Callers without types may give the one gradient, without a list around it. */
function checkRule(gradients: unknown): void {
  if (Array.isArray(gradients)) return;
  throw new AutogradError(
    `customVjp: the rule must return a list of gradients, one an input, got ${describe(gradients)}. Write (gradOut) => [gradOut].`,
  );
}
