/** Whether gradients are tracked: switched for the length of a function, or from now on. */

import { AutogradError } from "../errors";
import { gradEnabled, setGradMode, withGradMode } from "../graph/gradMode";
import { checkIsFunction } from "../options";

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

/**
 * Runs `body` without tracking gradients: `noGrad` under another name, as nothing is gained by knowing that they never will be.
 *
 * @see torch.inference_mode
 */
export const inferenceMode = <T>(body: () => T): T => withMode("inferenceMode", false, body);

/** Whether what is computed now tracks gradients. @see torch.is_grad_enabled */
export const isGradEnabled = (): boolean => gradEnabled();

/**
 * Tracks gradients from now on, or no longer. For the length of a function, `noGrad` and `enableGrad` are safer.
 *
 * @see torch.set_grad_enabled
 *
 * @example
 * setGradEnabled(isTraining);
 */
export function setGradEnabled(mode: boolean): void {
  setGradMode(mode);
}

function withMode<T>(name: string, tracked: boolean, body: () => T): T {
  checkIsFunction(name, "the body", body);
  const result = withGradMode(tracked, body);
  if (result instanceof Promise) {
    result.catch(() => undefined); // what goes wrong later does not matter any more
    throw new AutogradError(
      `${name}: the function must not be async, got one that returns a promise. Await inside of several ${name} calls instead.`,
    );
  }
  return result;
}
