/** Schedules made of others: one after the other, or all at once. */

import { ValueError } from "../../errors";
import type { Optimizer } from "../optimizer";
import { checkedState, checkList, LRScheduler, type SchedulerState } from "./scheduler";

/** What composed schedules must remember: the state of each part. */
export interface ComposedState extends SchedulerState {
  _schedulers: SchedulerState[];
}

/** Schedules that share an optimizer. */
abstract class ComposedScheduler extends LRScheduler {
  constructor(
    optimizer: Optimizer,
    protected readonly schedulers: readonly LRScheduler[],
  ) {
    super(optimizer);
    const { name } = this.constructor;
    checkList(`${name}: schedulers`, schedulers, "Pass schedules of one optimizer.");
    if (schedulers.some((scheduler) => scheduler.optimizer !== optimizer)) {
      throw new ValueError(`${name}: all schedules must be of one optimizer, got several. Build them on the same one.`);
    }
  }

  override stateDict(): ComposedState {
    return { ...super.stateDict(), _schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  override loadStateDict(state: ComposedState): void {
    checkList("loadStateDict: _schedulers", checkedState(state)._schedulers, "Pass what stateDict() gave.");
    if (state._schedulers.length !== this.schedulers.length) {
      throw new ValueError(
        `loadStateDict: there must be a state per schedule, got ${state._schedulers.length} for ${this.schedulers.length}. Build it of the same schedules.`,
      );
    }
    this.schedulers.forEach((scheduler, index) => {
      scheduler.loadStateDict(state._schedulers[index]!);
    });
    super.loadStateDict(state); // last, since each part sets the rates of its own time
  }
}

/**
 * One schedule after the other, each from its beginning: `schedulers[i]` takes over at step `milestones[i - 1]`.
 *
 * @param schedulers schedules of the same optimizer, none of them composed
 * @param milestones steps at which the next one begins, ascending; one fewer than there are schedules
 * @throws ValueError if there are no schedules, they are of several optimizers, one is composed itself, or the milestones are too many or too few
 * @see torch.optim.lr_scheduler.SequentialLR
 *
 * @example
 * const warmUp = new LinearLR(optimizer, { startFactor: 0.01, totalIters: 500 });
 * const decay = new CosineAnnealingLR(optimizer, 9500);
 * const scheduler = new SequentialLR(optimizer, [warmUp, decay], [500]);
 */
export class SequentialLR extends ComposedScheduler {
  constructor(
    optimizer: Optimizer,
    schedulers: readonly LRScheduler[],
    private readonly milestones: readonly number[],
  ) {
    super(optimizer, schedulers);
    checkList("SequentialLR: milestones", milestones, "Pass the steps between the schedules.");
    if (milestones.length !== schedulers.length - 1) {
      throw new ValueError(
        `SequentialLR: there must be one milestone fewer than schedules, got ${milestones.length} for ${schedulers.length}. Pass the steps between them.`,
      );
    }
    const composed = schedulers.find((scheduler) => scheduler instanceof ComposedScheduler);
    if (composed) {
      throw new ValueError(
        `SequentialLR: schedules must be single ones, which can begin anew, got a ${composed.constructor.name}. List its parts.`,
      );
    }
    // building the schedules has set rates: all but the first shall not have begun
    for (const group of optimizer.paramGroups) group.lr = group.initialLr ?? group.lr;
    for (const scheduler of schedulers) scheduler.lastEpoch--;
    schedulers[0]!.step();
  }

  override step(): void {
    this.moving(undefined, () => {
      this.lastEpoch++;
      const index = this.milestones.filter((milestone) => milestone <= this.lastEpoch).length;
      const scheduler = this.schedulers[index]!;
      if (index > 0 && this.milestones[index - 1] === this.lastEpoch) scheduler.step(0);
      else scheduler.step();
    });
  }
}

/**
 * Several schedules at once: each changes the rate that the one before it has set.
 *
 * @param schedulers schedules of one optimizer, of the chainable kinds
 * @throws ValueError if there are none, or they are of several optimizers
 * @see torch.optim.lr_scheduler.ChainedScheduler
 *
 * @example
 * const scheduler = new ChainedScheduler([
 *   new ConstantLR(optimizer, { factor: 0.1, totalIters: 2 }),
 *   new ExponentialLR(optimizer, 0.9),
 * ]);
 */
export class ChainedScheduler extends ComposedScheduler {
  constructor(schedulers: readonly LRScheduler[]) {
    checkList("ChainedScheduler: schedulers", schedulers, "The optimizer is theirs.");
    const [first] = schedulers;
    if (!first) throw new ValueError("ChainedScheduler: there must be schedules, got an empty list. Pass some.");
    super(first.optimizer, schedulers);
  }

  override step(): void {
    this.moving(undefined, () => {
      this.lastEpoch++;
      for (const scheduler of this.schedulers) scheduler.step();
    });
  }

  /** Takes back what `stateDict` gave, or PyTorch's, which leaves the count to the parts. */
  override loadStateDict(state: ComposedState): void {
    const given = Object(state) as Partial<ComposedState>;
    super.loadStateDict({ ...state, last_epoch: given.last_epoch ?? given._schedulers?.[0]?.last_epoch ?? 0 });
  }
}
