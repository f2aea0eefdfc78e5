/** The momentum encoder's update: one module's parameters follow another's as an exponential moving average. */

import { Followers } from "../optim/follow";
import type { Parameter } from "../parameter";

/**
 * `key = key * m + query * (1 - m)` over all parameters: one dispatch per arena, which a pending SGD update shares.
 *
 * @param query parameters that are trained
 * @param key parameters that follow, of the same shapes
 * @throws ValueError if there are not as many of both, shapes differ, or one is on both sides
 * @see shaders/ema.wgsl
 *
 * @example
 * const update = new MomentumUpdate(encoderQ.parameters(), encoderK.parameters());
 * update.run(0.999); // after each optimizer.step()
 */
export class MomentumUpdate extends Followers {
  constructor(query: readonly Parameter[], key: readonly Parameter[]) {
    super("MoCo", query, key);
  }
}
