/** RMSprop: one dispatch updates a whole arena of parameters. */

import { type ParameterArena, SegmentState } from "../parameterArena";
import type { Tensor } from "../tensor";
import { ArenaOptimizer, type Member, segmentWord } from "./arenaOptimizer";
import { checkGroupNames, checkNotNegative, type CommonOptions, type ParamGroups, withDefaults } from "./optimizer";

/** Options of RMSprop, PyTorch's names. */
export interface RMSpropOptions extends CommonOptions {
  /** How slowly the average of the squared gradient moves; default 0.99. */
  alpha: number;
  /** Added to its root; default 1e-8. */
  eps: number;
  /** Factor of the parameter that is added to its gradient; default 0. */
  weightDecay: number;
  /** Default 0. */
  momentum: number;
  /** Whether the gradient's variance takes the place of its square; default false. */
  centered: boolean;
  /** Whether the objective is maximised; default false. */
  maximize: boolean;
}

/** What RMSprop keeps for a parameter, as PyTorch saves it. */
export interface RMSpropState {
  /** Steps in which it had a gradient, `[]`. */
  step: Tensor;
  square_avg: Tensor;
  /** With momentum. */
  momentum_buffer?: Tensor;
  /** If centered. */
  grad_avg?: Tensor;
}

const DEFAULTS: RMSpropOptions = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  maximize: false,
};

/**
 * Steps along the gradient, divided by the root of its average square:
 *
 *     g = grad + weightDecay * p               (-grad with maximize)
 *     s = alpha * s + (1 - alpha) * g^2
 *     a = alpha * a + (1 - alpha) * g          (if centered: s - a^2 for s below)
 *     v = momentum * v + g / (sqrt(s) + eps)
 *     p = p - lr * v
 *
 * @param params parameters, or groups that override options
 * @param options.lr learning rate; default 1e-2
 * @param options.alpha, eps, weightDecay, momentum, centered, maximize see RMSpropOptions
 * @throws ValueError if a number is negative, or there are no parameters
 * @see torch.optim.RMSprop; Graves 2013 (arXiv:1308.0850) for the centered form; shaders/rmsProp.wgsl
 *
 * @example
 * const optimizer = new RMSprop(model.parameters(), { lr: 1e-3, momentum: 0.9 });
 */
export class RMSprop extends ArenaOptimizer<RMSpropOptions, RMSpropState> {
  protected override readonly slotNames = ["square_avg", "momentum_buffer", "grad_avg"];

  constructor(params: ParamGroups<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    super(params, withDefaults("RMSprop", options, DEFAULTS));
  }

  protected override checkOptions(options: RMSpropOptions): void {
    checkGroupNames("RMSprop", options, Object.keys(DEFAULTS));
    const { lr, alpha, eps, weightDecay, momentum } = options;
    checkNotNegative("RMSprop", { lr, alpha, eps, weightDecay, momentum });
  }

  protected override slotsFor({ momentum, centered }: RMSpropOptions): readonly string[] {
    return ["square_avg", ...(momentum > 0 ? ["momentum_buffer"] : []), ...(centered ? ["grad_avg"] : [])];
  }

  protected override updateArena(arena: ParameterArena, members: readonly (Member<RMSpropOptions> | null)[]): void {
    const slots = {
      squareAvg: this.slot(arena, "square_avg"),
      momentumBuffer: this.slotIfAny(arena, members, "momentum_buffer"),
      gradAvg: this.slotIfAny(arena, members, "grad_avg"),
    };
    arena.rmsProp(slots, {
      segments: members.map((member) => (member ? segmentWord(member.group, SegmentState.live) : SegmentState.none)),
      groups: this.paramGroups.map(({ lr, alpha, eps, weightDecay, momentum, centered, maximize }) => [
        ...[lr, alpha, 1 - alpha, eps, weightDecay, momentum],
        ...[Number(centered), Number(maximize)],
      ]),
    });
  }
}
