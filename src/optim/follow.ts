/** Parameters that follow others as an exponential moving average: MoCo's key encoder, and averages of a model in training. */

import { ValueError } from "../errors";
import { sameShape, showShape } from "../graph/shape";
import { hostAction, hostCheck, hostConstant, hostGuard, hostScalar } from "../hostState";
import type { Parameter } from "../parameter";
import { arenasOf, ParameterArena } from "../parameterArena";
import type { Tensor } from "../tensor";

/**
 * `follower = follower * m + leader * (1 - m)` over all parameters: one dispatch per arena, which a pending SGD update shares.
 *
 * @param name of what is told to do so, for errors
 * @param leaders parameters that are trained
 * @param followers parameters that follow, of the same shapes
 * @throws ValueError if there are not as many of both, shapes differ, or one is on both sides
 * @see shaders/ema.wgsl
 */
export class Followers {
  /** Arenas of the leaders, each with the followers' of the same layout. */
  private readonly arenas: readonly { readonly leader: ParameterArena; readonly follower: ParameterArena }[];

  constructor(
    private readonly name: string,
    private readonly leaders: readonly Parameter[],
    private readonly followers: readonly Parameter[],
  ) {
    if (leaders.length !== followers.length) {
      throw new ValueError(
        `${name}: both models must have the same parameters, got ${leaders.length} and ${followers.length}. Build them by the same function.`,
      );
    }
    const own = new Set(leaders);
    leaders.forEach(({ shape }, index) => {
      const follower = followers[index]!;
      if (own.has(follower)) {
        throw new ValueError(
          `${name}: both models must have parameters of their own, got ${follower.variable.name || "one"} in both. Make each model anew.`,
        );
      }
      if (sameShape(shape, follower.shape)) return;
      throw new ValueError(
        `${name}: both models must have the same parameters, got ${showShape(shape)} and ${showShape(follower.shape)}. Build them by the same function.`,
      );
    });
    const partner = new Map(leaders.map((parameter, index) => [parameter, followers[index]!]));
    const arenas = arenasOf(leaders);
    // An arena that other modules share cannot be followed as a whole.
    const isOurs =
      arenas.every((arena) => arena.parameters.every((parameter) => partner.has(parameter))) &&
      followers.every(({ variable }) => !variable.home);
    this.arenas = isOurs ? arenas.map((leader) => ({ leader, follower: followerOf(leader, partner) })) : [];
  }

  /**
   * Moves the followers.
   *
   * @param m in [0, 1]; at 0 they become copies. `1 - m` is rounded once, from f64. As a function, it is asked at every call
   */
  run(m: number | (() => number)): void {
    if (typeof m === "number") hostConstant(this.name, m);
    const current = typeof m === "number" ? () => m : m;
    if (this.arenas.length === 0) {
      this.runEach(current);
      return;
    }
    hostCheck(() => {
      for (const arena of this.arenas.flatMap(({ leader, follower }) => [leader, follower]))
        arena.checkThere(this.name);
    });
    hostAction(() => {
      for (const { leader, follower } of this.arenas) follower.follow(leader, current());
    });
  }

  /** In a dispatch per tensor. */
  private runEach(m: () => number): void {
    const isCopy = m() === 0;
    hostGuard(() => (m() === 0) === isCopy);
    this.followers.forEach((follower, index) => {
      const { dtype, device } = follower;
      const leader = this.leaders[index]!.detach();
      const times = (x: Tensor, factor: () => number): Tensor => x.mul(hostScalar(factor, dtype, device));
      follower.assign(isCopy ? leader : times(follower.detach(), m).add(times(leader, () => 1 - m())));
    });
  }
}

/** An arena of the layout of `leader` that holds each parameter's partner. */
const followerOf = (leader: ParameterArena, partner: ReadonlyMap<Parameter, Parameter>): ParameterArena =>
  new ParameterArena(
    "following parameters",
    leader.layout,
    leader.parameters.map((parameter) => partner.get(parameter)!),
  );
