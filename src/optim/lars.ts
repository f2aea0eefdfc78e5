/** LARS: momentum SGD with a rate for each layer, from the norms of its weights and gradients. Three dispatches an arena. */

import { LarsState, type ParameterArena } from "../parameterArena";
import type { Tensor } from "../tensor";
import { ArenaOptimizer, type Member, segmentWord } from "./arenaOptimizer";
import {
  checkGroupNames,
  checkNotNegative,
  type CommonOptions,
  type ParamGroups,
  REQUIRED,
  withDefaults,
} from "./optimizer";

/** Options of LARS. */
export interface LARSOptions extends CommonOptions {
  /** Default 0.9. */
  momentum: number;
  /** Factor of a weight that is added to its gradient; default 0. Parameters of one dimension have none. */
  weightDecay: number;
  /** How long a step may be beside the weights; default 0.001. */
  trustCoefficient: number;
}

/** What LARS keeps for a parameter. */
export interface LARSState {
  mu: Tensor;
}

const DEFAULTS: LARSOptions = { lr: REQUIRED, momentum: 0.9, weightDecay: 0, trustCoefficient: 0.001 };

/**
 * LARS as MoCo v3 and other self-supervised training with large batches have it. For weights of two dimensions or more:
 *
 *     g = grad + weightDecay * p
 *     d = g * trustCoefficient * |p| / |g|     (g where a norm is 0)
 *     mu = momentum * mu + d
 *     p = p - lr * mu
 *
 * Biases and the parameters of normalisation, which have one dimension, take `d = grad`: no decay, no adaptation.
 *
 * @param params parameters, or groups that override options
 * @param options.lr learning rate
 * @param options.momentum, weightDecay, trustCoefficient see LARSOptions
 * @throws ValueError if a number is negative, or there are no parameters
 * @see You et al. 2017 (arXiv:1708.03888); Chen et al. 2021 (arXiv:2104.02057); shaders/lars.wgsl
 *
 * @example
 * const optimizer = new LARS(model.parameters(), { lr: (0.3 * batchSize) / 256, weightDecay: 1e-6 });
 */
export class LARS extends ArenaOptimizer<LARSOptions, LARSState> {
  protected override readonly countsSteps = false;
  protected override readonly slotNames = ["mu"];

  constructor(params: ParamGroups<LARSOptions>, options: Pick<LARSOptions, "lr"> & Partial<LARSOptions>) {
    super(params, withDefaults("LARS", options, DEFAULTS));
  }

  protected override checkOptions(options: LARSOptions): void {
    checkGroupNames("LARS", options, Object.keys(DEFAULTS));
    const { lr, momentum, weightDecay, trustCoefficient } = options;
    checkNotNegative("LARS", { lr, momentum, weightDecay, trustCoefficient });
  }

  protected override slotsFor(): readonly string[] {
    return this.slotNames;
  }

  protected override updateArena(arena: ParameterArena, members: readonly (Member<LARSOptions> | null)[]): void {
    arena.lars(this.slot(arena, "mu"), {
      segments: members.map((member) => {
        if (!member) return LarsState.none;
        return segmentWord(member.group, member.parameter.ndim > 1 ? LarsState.adapted : LarsState.plain);
      }),
      groups: this.paramGroups.map((group) => [group.lr, group.momentum, group.weightDecay, group.trustCoefficient]),
    });
  }
}
