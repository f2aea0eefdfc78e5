/** Looking for the first NaN: slow, for when a loss has become one. */

import { isTracing, setTracing } from "../graph/origin";
import { enginesSeen } from "../runtime/engine";
import { read, Tensor } from "../tensor";

/**
 * Looks for NaN from now on, or no longer. They are looked for in each result of a call, in parameters and data that are read,
 * and in each gradient on its way back; the first is thrown as AnomalyError by the next read. Everything is brought to the host
 * for that, so it is very slow.
 *
 * @see torch.autograd.set_detect_anomaly
 *
 * @example
 * setDetectAnomaly(true);
 * loss.backward();
 * await loss.item(); // throws: detectAnomaly: gradients must have no NaN, got one ... of sqrt, made at train.ts:12:30
 */
export function setDetectAnomaly(mode: boolean): void {
  setTracing(mode);
  if (!mode) enginesSeen().forEach((engine) => engine.forgetAnomaly());
}

/** Whether NaN are looked for. @see torch.is_anomaly_enabled */
export const isAnomalyEnabled = (): boolean => isTracing();

/** Calls of `detectAnomaly` that have not ended, which may overlap, and whether NaN were looked for before the first. */
let searches = 0;
let wasOn = false;

/**
 * Runs a function and names the first op whose result, or whose gradient, has a NaN, and the line where it was made. What the
 * function left to be computed is computed too: losses, gradients, and the tensors that it returns.
 *
 * @param body may be async; the whole step, say
 * @returns what `body` returns
 * @throws AnomalyError, whose `op`, `phase` and `stackOfOp` say where the first NaN came from
 * @see torch.autograd.detect_anomaly
 *
 * @example
 * await detectAnomaly(() => {
 *   const loss = F.mseLoss(model.forward(x), y);
 *   loss.backward();
 *   return loss;
 * });
 */
export async function detectAnomaly<T>(body: () => T): Promise<Awaited<T>> {
  if (searches++ === 0) wasOn = isTracing();
  setTracing(true);
  try {
    const result = await body();
    await read(tensorsIn(result));
    for (const engine of enginesSeen()) await engine.readPending();
    return result;
  } finally {
    if (--searches === 0) setDetectAnomaly(wasOn);
  }
}

/** Tensors that a function returns: one, or those in lists and objects. */
function tensorsIn(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  if (typeof result !== "object" || result === null || ArrayBuffer.isView(result)) return [];
  return Object.values(result).flatMap((value) => (value instanceof Tensor ? [value] : []));
}
