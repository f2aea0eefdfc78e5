/** Activation checkpointing: less memory for more work. */

import { AutogradError } from "../errors";
import { currentRegion, Region, withRegion } from "../graph/region";
import { checkIsFunction } from "../options";

/**
 * Calls a function whose values the backward pass computes again instead of holding them: PyTorch's activation checkpointing.
 * What goes in and what comes out is held; what lies between is not. Gradients are those of `fn(...inputs)`, to the bit.
 *
 * The graph is computed again, not the function: random draws are the same, `fn` may use tensors and parameters from around
 * it, and what it writes is written once, so that BatchNorm's running statistics move once, where PyTorch's move twice. On a GPU
 * memory is saved; the CPU device computes gradients in another order, and gains little.
 *
 * @param fn tensors in, any result; not async
 * @param inputs what it is called with
 * @returns what `fn` returns
 * @throws AutogradError if `fn` is async
 * @see torch.utils.checkpoint.checkpoint; Chen et al. 2016 (arXiv:1604.06174)
 *
 * @example
 * for (const block of this.blocks) x = recompute((y) => block.forward(y), x);
 */
export function recompute<Inputs extends readonly unknown[], Result>(
  fn: (...inputs: Inputs) => Result,
  ...inputs: Inputs
): Result {
  checkIsFunction("recompute", "fn", fn);
  const result = withRegion(new Region(currentRegion()), () => fn(...inputs));
  if (result instanceof Promise) {
    result.catch(() => undefined); // what goes wrong later does not matter any more
    throw new AutogradError(
      "recompute: the function must not be async, got one that returns a promise. Await outside of it.",
    );
  }
  return result;
}
