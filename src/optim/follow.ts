/** The momentum encoder's update: one module's parameters follow another's as an exponential moving average. */

import { ValueError } from "../errors";
import type { Parameter } from "../parameter";
import { arenasOf, ParameterArena } from "../parameterArena";

/**
 * `key = key * m + query * (1 - m)` over all parameters: one dispatch per arena, which a pending SGD update shares.
 *
 * @param query parameters that are trained
 * @param key parameters that follow, of the same shapes
 * @throws ValueError if there are not as many of both
 * @see shaders/ema.wgsl
 */
export class MomentumUpdate {
  /** Arenas of the query encoder, each with the key encoder's of the same layout. */
  private readonly arenas: readonly { readonly param: ParameterArena; readonly key: ParameterArena }[];

  constructor(
    private readonly query: readonly Parameter[],
    private readonly key: readonly Parameter[],
  ) {
    if (query.length !== key.length) {
      throw new ValueError(
        `MoCo: both encoders must have the same parameters, got ${query.length} and ${key.length}. Build them by the same function.`,
      );
    }
    const partner = new Map(query.map((parameter, index) => [parameter, key[index]!]));
    const arenas = arenasOf(query);
    // An arena that other modules share cannot be followed as a whole.
    const isOurs =
      arenas.every((arena) => arena.parameters.every((parameter) => partner.has(parameter))) &&
      key.every(({ variable }) => !variable.home);
    this.arenas = isOurs ? arenas.map((param) => ({ param, key: followerOf(param, partner) })) : [];
  }

  /** Moves the key encoder. `m` is in [0, 1]; `1 - m` is rounded once, from f64. */
  run(m: number): void {
    for (const { param, key } of this.arenas) key.follow(param, m);
    if (this.arenas.length > 0) return;
    this.key.forEach((key, index) => {
      key.assign(
        key
          .detach()
          .mul(m)
          .add(this.query[index]!.detach().mul(1 - m)),
      );
    });
  }
}

/** An arena of the layout of `param` that holds each parameter's partner. */
const followerOf = (param: ParameterArena, partner: ReadonlyMap<Parameter, Parameter>): ParameterArena =>
  new ParameterArena(
    "key parameters",
    param.layout,
    param.parameters.map((parameter) => partner.get(parameter)!),
  );
