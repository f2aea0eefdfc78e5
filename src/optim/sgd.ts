/** Stochastic gradient descent with momentum: one dispatch updates a whole arena of parameters. */

import { ValueError } from "../errors";
import { type ParameterArena, SegmentState } from "../parameterArena";
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

/** Options of SGD, PyTorch's names. */
export interface SGDOptions extends CommonOptions {
  /** Default 0. */
  momentum: number;
  /** Part of the gradient that does not enter the momentum; default 0. */
  dampening: number;
  /** Factor of the parameter that is added to its gradient; default 0. */
  weightDecay: number;
  /** Whether the step looks one momentum ahead; default false. */
  nesterov: boolean;
  /** Whether the objective is maximised; default false. */
  maximize: boolean;
  /**
   * Momentum as in older papers, with the rate inside: `v = momentum * v - lr * g; p += v`. Default false, which it becomes where a state of
   * PyTorch's is loaded: its momentum is of the other form.
   */
  classical: boolean;
}

const DEFAULTS: SGDOptions = {
  lr: REQUIRED,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
  classical: false,
};

/** Momentum of one parameter, as PyTorch saves it. */
export interface SGDState {
  momentum_buffer: Tensor;
}

/**
 * Momentum SGD, with everything that PyTorch's has:
 *
 *     g = grad + weightDecay * p              (-grad with maximize)
 *     v = momentum * v + (1 - dampening) * g  (v = g at a parameter's first gradient)
 *     p = p - lr * v                          (g + momentum * v for v with nesterov)
 *
 * @param params parameters, or groups that override options
 * @param options.lr learning rate; may be changed at any time in `paramGroups`
 * @param options.momentum, dampening, weightDecay, nesterov, maximize, classical see SGDOptions
 * @throws ValueError if a number is negative, nesterov has no momentum or has dampening, or there are no parameters
 * @see torch.optim.SGD; shaders/momentumSgd.wgsl
 *
 * @example
 * const optimizer = new SGD(model.parameters(), { lr: 0.06, momentum: 0.9, weightDecay: 5e-4 });
 * optimizer.zeroGrad();
 * loss.backward();
 * optimizer.step();
 */
export class SGD extends ArenaOptimizer<SGDOptions, SGDState> {
  protected override readonly countsSteps = false;
  protected override readonly slotNames = ["momentum_buffer"];
  /** PyTorch's momentum is its own form's, so a state of PyTorch's goes on in it. */
  protected override readonly unsaid = { classical: false } satisfies Partial<SGDOptions>;

  constructor(params: ParamGroups<SGDOptions>, options: Pick<SGDOptions, "lr"> & Partial<SGDOptions>) {
    super(params, withDefaults("SGD", options, DEFAULTS));
  }

  protected override checkOptions(options: SGDOptions): void {
    checkGroupNames("SGD", options, Object.keys(DEFAULTS));
    const { lr, momentum, weightDecay, dampening, nesterov, classical } = options;
    checkNotNegative("SGD", { lr, momentum, weightDecay });
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new ValueError(
        `SGD: nesterov must have momentum above 0 and no dampening, got momentum ${momentum} and dampening ${dampening}. Change one of them.`,
      );
    }
    if (classical && dampening !== 0) {
      throw new ValueError(`SGD: classical momentum has no dampening, got ${dampening}. Leave one of them out.`);
    }
  }

  /** Without momentum there is none to remember. */
  protected override slotsFor({ momentum }: SGDOptions): readonly string[] {
    return momentum === 0 ? [] : ["momentum_buffer"];
  }

  protected override updateArena(arena: ParameterArena, members: readonly (Member<SGDOptions> | null)[]): void {
    const segments = members.map((member) => {
      if (!member) return SegmentState.none;
      const isLive = member.state.slots.has("momentum_buffer");
      return segmentWord(member.group, isLive ? SegmentState.live : SegmentState.first);
    });
    const isAlike = this.areAlike(segments);
    const groups = this.paramGroups.map((group) => [
      group.lr,
      group.momentum,
      1 - group.dampening,
      group.weightDecay,
      Number(group.nesterov),
      Number(group.classical),
      Number(group.maximize),
      Number(isAlike && segments[0] === SegmentState.first),
    ]);
    arena.momentumSgd(this.slot(arena, "momentum_buffer"), { segments, groups }, { isAlike });
  }

  /** Whether all parameters of an arena are alike, so that nothing of each needs to be looked up. */
  private areAlike(segments: readonly number[]): boolean {
    const { momentum, nesterov, classical, maximize } = this.paramGroups[0]!;
    if (this.paramGroups.length > 1 || momentum === 0 || nesterov || classical || maximize) return false;
    return segments[0] !== SegmentState.none && segments.every((word) => word === segments[0]);
  }
}
