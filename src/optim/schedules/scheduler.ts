/**
 * Learning rate schedules, in PyTorch's chainable form: each step changes the rate that is set, so that two schedules on one
 * optimizer multiply and a rate set by hand is kept. Where nothing else sets rates, they follow the formula of each class.
 */

import { ValueError } from "../../errors";
import { cannotReplay, hostAction } from "../../hostState";
import { describe } from "../../options";
import { Optimizer } from "../optimizer";

/** What a scheduler must remember, in PyTorch's words. */
export interface SchedulerState {
  last_epoch: number;
  base_lrs?: number[];
  /** The rates that were set when the state was taken. */
  _last_lr: number[];
}

/**
 * Base of all schedules: what counts steps and writes rates.
 *
 * @see torch.optim.lr_scheduler.LRScheduler
 */
export abstract class LRScheduler {
  /** How often `step` was called. */
  lastEpoch = 0;

  /** @throws ValueError if it is given something else than an optimizer */
  constructor(readonly optimizer: Optimizer) {
    checkOptimizer(this.constructor.name, optimizer);
  }

  /** Moves on by one. Call it after `optimizer.step()`. @see torch.optim.lr_scheduler.LRScheduler.step */
  abstract step(epoch?: number): void;

  /** Does what a step does; a compiled function repeats it at every call. @param epoch what `step` was given */
  protected moving(epoch: number | undefined, move: () => void): void {
    if (epoch !== undefined) cannotReplay("moves a schedule to an epoch of its own: call step() without one");
    hostAction(move);
  }

  /** The rates that are set now, one a group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** Steps so far and the rates that are set now. @see torch.optim.lr_scheduler.LRScheduler.state_dict */
  stateDict(): SchedulerState {
    return { last_epoch: this.lastEpoch, _last_lr: this.getLastLr() };
  }

  /**
   * Takes back what `stateDict` gave, and sets the rates of that time.
   *
   * @throws ValueError if it has not one rate per group; nothing is written then
   */
  loadStateDict(state: SchedulerState): void {
    const { last_epoch, _last_lr } = checkedState(state);
    setRates(this.optimizer, _last_lr);
    this.lastEpoch = last_epoch;
  }
}

export function checkOptimizer(name: string, optimizer: unknown): void {
  if (optimizer instanceof Optimizer) return;
  throw new ValueError(
    `${name}: there must be an optimizer, got ${describe(optimizer)}. Pass the one whose rates it sets.`,
  );
}

/** Callers without types may pass what a file had, whatever it is. */
export function checkedState<S extends SchedulerState>(state: S): S {
  const { _last_lr, last_epoch, base_lrs = [] } = Object(state) as Partial<SchedulerState>;
  const areRates = (rates: unknown): boolean =>
    Array.isArray(rates) && rates.every((lr) => typeof lr === "number" && lr >= 0 && lr < Infinity);
  const isCount = Number.isInteger(last_epoch) && last_epoch! >= -1; // -1: a part of a sequence that has not begun
  if (areRates(_last_lr) && areRates(base_lrs) && isCount) return state;
  throw new ValueError(
    `loadStateDict: the state must have last_epoch, a whole number, and _last_lr and base_lrs, finite numbers of 0 or more, ` +
      `got ${JSON.stringify({ last_epoch, _last_lr, base_lrs })}. Pass what stateDict() gave.`,
  );
}

/** Sets the rates of saved groups. */
export function setRates({ paramGroups }: Optimizer, lrs: readonly number[]): void {
  checkRates(lrs.length === paramGroups.length, "_last_lr", lrs, paramGroups.length);
  paramGroups.forEach((group, index) => (group.lr = lrs[index]!));
}

function checkRates(holds: boolean, name: string, rates: readonly number[], groupCount: number): void {
  if (holds) return;
  throw new ValueError(
    `loadStateDict: ${name} must have one rate per group, got ${rates.length} for ${groupCount}. Build the optimizer with the same groups.`,
  );
}

/** A schedule with a rule for each group's rate. */
export abstract class RateScheduler extends LRScheduler {
  /** Rates of the groups when the schedule began. Groups added later have none. */
  protected baseLrs: number[];

  constructor(optimizer: Optimizer) {
    super(optimizer);
    for (const group of optimizer.paramGroups) group.initialLr ??= group.lr;
    this.baseLrs = optimizer.paramGroups.map((group) => group.initialLr!);
  }

  /** The rate of group `index` after `epoch` steps, where nothing else sets it; null where it follows from the one before only. */
  protected lrAt(_epoch: number, _baseLr: number, _index: number): number | null {
    return null;
  }

  /** The rate that `lr` becomes with step `epoch`; at 0 the schedule begins. */
  protected abstract next(
    epoch: number,
    lr: number,
    group: { readonly index: number; readonly baseLr?: number },
  ): number;

  /** Moves on by one, or to `epoch` as if nothing else had set rates. Call it after `optimizer.step()`. */
  override step(epoch?: number): void {
    this.moving(epoch, () => {
      this.lastEpoch = epoch ?? this.lastEpoch + 1;
      if (epoch === undefined) this.advance();
      else this.jumpTo(epoch);
    });
  }

  private jumpTo(epoch: number): void {
    this.optimizer.paramGroups.slice(0, this.baseLrs.length).forEach((group, index) => {
      const baseLr = this.baseLrs[index]!;
      group.lr = this.checked(this.lrAt(epoch, baseLr, index) ?? this.next(epoch, group.lr, { index, baseLr }));
    });
  }

  /** Options that make no rate would only show in the losses. */
  private checked(lr: number): number {
    if (typeof lr === "number" && !Number.isNaN(lr)) return lr;
    throw new ValueError(
      `${this.constructor.name}: the rate must be a number, got ${describe(lr)} at step ${this.lastEpoch}. Check the options.`,
    );
  }

  /** Steps so far, base rates and the rates that are set now. */
  override stateDict(): SchedulerState {
    return { ...super.stateDict(), base_lrs: [...this.baseLrs] };
  }

  override loadStateDict(state: SchedulerState): void {
    const { base_lrs: baseLrs = this.baseLrs } = checkedState(state);
    const { length } = this.optimizer.paramGroups;
    checkRates(baseLrs.length <= length && baseLrs.length >= this.baseLrs.length, "base_lrs", baseLrs, length);
    super.loadStateDict(state);
    this.baseLrs = [...baseLrs];
  }

  /** Sets the rates of `lastEpoch`. Subclasses call it once their options are set: the first step trains with the rate of epoch 0. */
  protected advance(): void {
    this.optimizer.paramGroups.forEach((group, index) => {
      const baseLr = this.baseLrs[index];
      group.lr = this.checked(this.next(this.lastEpoch, group.lr, { index, ...(baseLr !== undefined && { baseLr }) }));
    });
  }
}

/** Checks that a number of steps is positive. */
export function checkCount(what: string, count: number): void {
  if (typeof count !== "number" || !(count > 0))
    throw new ValueError(`${what} must be positive, got ${describe(count)}. Pass a number of steps.`);
}

/** Checks that a list is one. Callers without types may pass anything. */
export function checkList(what: string, list: unknown, wayOut: string): void {
  if (!Array.isArray(list)) throw new ValueError(`${what} must be a list, got ${describe(list)}. ${wayOut}`);
}

/** One value a group, from one for all or a list of one each. */
export function perGroup(
  what: string,
  value: number | readonly number[],
  { paramGroups }: Optimizer,
): readonly number[] {
  if (typeof value === "number") return paramGroups.map(() => value);
  if (Array.isArray(value) && value.length === paramGroups.length) return value as readonly number[];
  const got = Array.isArray(value) ? String(value.length) : describe(value);
  throw new ValueError(
    `${what} must be a number or one per group, got ${got} for ${paramGroups.length} groups. Pass one, or one each.`,
  );
}
