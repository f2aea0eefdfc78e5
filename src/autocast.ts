/** Mixed precision: products in f16, sums in f32. */

import { AutogradError } from "./errors";
import { autocastEnabled, withAutocast } from "./graph/autocastMode";
import { checkIsFunction, checkOptionNames, checkSwitch } from "./options";

/** Options of `autocast`. */
export interface AutocastOptions {
  /** Whether it does anything; default true. False switches it off inside of another. */
  readonly enabled?: boolean;
}

/**
 * Runs `body` in mixed precision: matrix products, linear layers and convolutions take f16 and give f16, whatever their operands are;
 * exponentials, logarithms, powers, sums, norms, softmax, layer and group normalisation and losses take f32 and give f32. All else goes by
 * its operands, `dot`, `inner` and `tensordot` too. Ours: `binaryCrossEntropy` is f32, where PyTorch refuses it. Parameters stay f32: they
 * are cast once a call. Backward and the optimizer's step belong outside. **Experimental**, as f16 is; see docs/DTYPES.md.
 *
 * @param body not async: the mode is global and comes back when `body` returns
 * @returns what `body` returns
 * @throws DTypeError from the first op on a GPU without `shader-f16`
 * @throws AutogradError if `body` is async
 * @see torch.autocast, whose lists of ops for CUDA these are, but for what is called ours
 *
 * @example
 * const scaler = new GradScaler();
 * const loss = autocast(() => F.crossEntropy(model.forward(images), labels));
 * scaler.scale(loss).backward();
 * await scaler.step(optimizer);
 * await scaler.update();
 */
export function autocast<T>(body: () => T, options: AutocastOptions = {}): T {
  checkIsFunction("autocast", "the body", body);
  checkOptionNames("autocast", options, ["enabled"]);
  const { enabled = true } = options;
  checkSwitch("autocast", "enabled", enabled);
  const result = withAutocast(enabled, body);
  if (result instanceof Promise) {
    result.catch(() => undefined); // what goes wrong later does not matter any more
    throw new AutogradError(
      "autocast: the function must not be async, got one that returns a promise. Await inside of several autocast calls instead.",
    );
  }
  return result;
}

/** Whether `autocast` is on. @see torch.is_autocast_enabled */
export const isAutocastEnabled = (): boolean => autocastEnabled();
