/** Adam and AdamW: one dispatch updates a whole arena of parameters. */

import { ValueError } from "../errors";
import { type ParameterArena, SegmentState } from "../parameterArena";
import type { Tensor } from "../tensor";
import { ArenaOptimizer, type Member, segmentWord } from "./arenaOptimizer";
import { checkGroupNames, checkNotNegative, type CommonOptions, type ParamGroups, withDefaults } from "./optimizer";

/** Options of Adam and AdamW, PyTorch's names. */
export interface AdamOptions extends CommonOptions {
  /** How slowly the averages of the gradient and of its square move, each in [0, 1); default `[0.9, 0.999]`. */
  betas: readonly [number, number];
  /** Added to the root of the second average; default 1e-8. */
  eps: number;
  /** Weight decay. Adam adds it to the gradient, default 0; AdamW takes it off the parameter, default 0.01. */
  weightDecay: number;
  /** Whether the step divides by the largest second average so far; default false. */
  amsgrad: boolean;
  /** Whether the objective is maximised; default false. */
  maximize: boolean;
}

/** What Adam keeps for a parameter, as PyTorch saves it. */
export interface AdamState {
  /** Steps in which it had a gradient, `[]`. */
  step: Tensor;
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
  /** With amsgrad. */
  max_exp_avg_sq?: Tensor;
}

const DEFAULTS: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
};

/** Callers without types may pass anything. */
const isPairBelowOne = (betas: unknown): boolean =>
  Array.isArray(betas) && betas.length === 2 && betas.every((beta) => beta >= 0 && beta < 1);

/** What Adam and AdamW share: all but where weight decay goes. */
abstract class MomentOptimizer extends ArenaOptimizer<AdamOptions, AdamState> {
  protected override readonly slotNames = ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];
  /** Whether weight decay shrinks the parameter, instead of entering the gradient. */
  protected abstract readonly isDecoupled: boolean;

  protected override checkOptions(options: AdamOptions): void {
    const { name } = this.constructor;
    checkGroupNames(name, options, Object.keys(DEFAULTS));
    const { lr, betas, eps, weightDecay } = options;
    checkNotNegative(name, { lr, eps, weightDecay });
    if (!isPairBelowOne(betas)) {
      throw new ValueError(
        `${name}: betas must be two numbers in [0, 1), got ${JSON.stringify(betas)}. Pass [0.9, 0.999].`,
      );
    }
  }

  protected override slotsFor({ amsgrad }: AdamOptions): readonly string[] {
    return amsgrad ? this.slotNames : this.slotNames.slice(0, 2);
  }

  protected override updateArena(arena: ParameterArena, members: readonly (Member<AdamOptions> | null)[]): void {
    const slots = {
      expAvg: this.slot(arena, "exp_avg"),
      expAvgSq: this.slot(arena, "exp_avg_sq"),
      maxExpAvgSq: this.slotIfAny(arena, members, "max_exp_avg_sq"),
    };
    arena.adam(slots, {
      segments: members.map((member) => (member ? segmentWord(member.group, SegmentState.live) : SegmentState.none)),
      rates: members.map((member) => (member ? ratesOf(member) : [0, 1])),
      groups: this.paramGroups.map((group) => this.groupRow(group)),
    });
  }

  private groupRow({ lr, betas: [beta1, beta2], eps, weightDecay, amsgrad, maximize }: AdamOptions): number[] {
    const [inGradient, keep] = this.isDecoupled ? [0, 1 - lr * weightDecay] : [weightDecay, 1];
    const flags = [Number(maximize), Number(amsgrad)];
    return [beta1, 1 - beta1, beta2, 1 - beta2, eps, inGradient, keep, ...flags, 0, 0, 0];
  }
}

/** Step size and bias correction of a parameter, whose step count is its own; in f64. */
function ratesOf({ options: { lr, betas }, state: { steps } }: Member<AdamOptions>): [number, number] {
  return [lr / (1 - betas[0] ** steps), Math.sqrt(1 - betas[1] ** steps)];
}

/**
 * Steps along averages of the gradient, divided by the root of its average square. With t the number of gradients that a
 * parameter has had:
 *
 *     g = grad + weightDecay * p                       (-grad with maximize)
 *     m = beta1 * m + (1 - beta1) * g
 *     v = beta2 * v + (1 - beta2) * g^2
 *     w = v                                            (the largest v so far with amsgrad)
 *     p = p - lr / (1 - beta1^t) * m / (sqrt(w) / sqrt(1 - beta2^t) + eps)
 *
 * @param params parameters, or groups that override options
 * @param options.lr learning rate; default 1e-3
 * @param options.betas, eps, weightDecay, amsgrad, maximize see AdamOptions
 * @throws ValueError if a number is outside its range, or there are no parameters
 * @see torch.optim.Adam; Kingma & Ba 2015 (arXiv:1412.6980); shaders/adam.wgsl
 *
 * @example
 * const optimizer = new Adam(model.parameters(), { lr: 3e-4 });
 */
export class Adam extends MomentOptimizer {
  protected override readonly isDecoupled = false;

  constructor(params: ParamGroups<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, withDefaults("Adam", options, DEFAULTS));
  }
}

/**
 * Adam with weight decay apart from the gradient: `p = p * (1 - lr * weightDecay)`, then Adam's step without decay.
 *
 * @param params parameters, or groups that override options
 * @param options.lr learning rate; default 1e-3
 * @param options.weightDecay default 0.01
 * @param options.betas, eps, amsgrad, maximize see AdamOptions
 * @throws ValueError if a number is outside its range, or there are no parameters
 * @see torch.optim.AdamW; Loshchilov & Hutter 2019 (arXiv:1711.05101); shaders/adam.wgsl
 *
 * @example
 * const optimizer = new AdamW(
 *   [{ params: weights }, { params: biasesAndNorms, weightDecay: 0 }],
 *   { lr: 3e-4, weightDecay: 0.05 },
 * );
 */
export class AdamW extends MomentOptimizer {
  protected override readonly isDecoupled = true;

  constructor(params: ParamGroups<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, withDefaults("AdamW", options, { ...DEFAULTS, weightDecay: 0.01 }));
  }
}
