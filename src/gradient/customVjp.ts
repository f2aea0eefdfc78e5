/** Functions with a gradient rule of their own. */

import * as ops from "../ops";
import { operandsOf, Tensor, wrap } from "../tensor";

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
