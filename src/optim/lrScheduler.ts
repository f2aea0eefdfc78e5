/**
 * Learning rate schedules, in PyTorch's chainable form: each step changes the rate that is set, so that two schedules on one
 * optimizer multiply and a rate set by hand is kept. Where nothing else sets rates, they follow the formula of each class.
 */

import { ValueError } from "../errors";
import { checkOptionNames } from "../options";
import type { Optimizer } from "./optimizer";

/** What a scheduler must remember, in PyTorch's words. */
export interface SchedulerState {
  last_epoch: number;
  base_lrs: number[];
  /** The rates that were set when the state was taken. */
  _last_lr: number[];
}

/** Base of all schedules: counts steps, writes rates. */
export abstract class LRScheduler {
  /** Rates of the groups when the schedule began. Groups added later have none. */
  protected baseLrs: number[];
  /** How often `step` was called. */
  lastEpoch = 0;

  constructor(readonly optimizer: Optimizer) {
    for (const group of optimizer.paramGroups) group.initialLr ??= group.lr;
    this.baseLrs = optimizer.paramGroups.map((group) => group.initialLr!);
  }

  /** The rate of group `index` after `epoch` steps, where nothing else sets it. */
  protected abstract lrAt(epoch: number, baseLr: number, index: number): number;

  /** The rate that `lr` becomes with step `epoch`; at 0 the schedule begins. */
  protected abstract next(
    epoch: number,
    lr: number,
    group: { readonly index: number; readonly baseLr?: number },
  ): number;

  /**
   * Moves on by one, or to `epoch` as if nothing else had set rates. Call it after `optimizer.step()`.
   *
   * @see torch.optim.lr_scheduler.LRScheduler.step
   */
  step(epoch?: number): void {
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    if (epoch === undefined) this.advance();
    else
      this.optimizer.paramGroups.slice(0, this.baseLrs.length).forEach((group, index) => {
        group.lr = this.lrAt(epoch, this.baseLrs[index]!, index);
      });
  }

  /** The rates that are set now, one a group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** Steps so far, base rates and the rates that are set now. @see torch.optim.lr_scheduler.LRScheduler.state_dict */
  stateDict(): SchedulerState {
    return { last_epoch: this.lastEpoch, base_lrs: [...this.baseLrs], _last_lr: this.getLastLr() };
  }

  /**
   * Takes back what `stateDict` gave, and sets the rates of that time.
   *
   * @throws ValueError if it has not one rate per group; nothing is written then
   */
  loadStateDict({ last_epoch, base_lrs, _last_lr }: SchedulerState): void {
    const { paramGroups } = this.optimizer;
    if (base_lrs.length > paramGroups.length || _last_lr.length !== paramGroups.length) {
      throw new ValueError(
        `loadStateDict: base_lrs and _last_lr must have one rate per group, got ${base_lrs.length} and ${_last_lr.length} for ` +
          `${paramGroups.length}. Build the optimizer with the same groups.`,
      );
    }
    this.lastEpoch = last_epoch;
    this.baseLrs = [...base_lrs];
    paramGroups.forEach((group, index) => (group.lr = _last_lr[index]!));
  }

  /** Sets the rates of `lastEpoch`. Subclasses call it once their options are set: the first step trains with the rate of epoch 0. */
  protected advance(): void {
    this.optimizer.paramGroups.forEach((group, index) => {
      const baseLr = this.baseLrs[index];
      group.lr = this.next(this.lastEpoch, group.lr, { index, ...(baseLr !== undefined && { baseLr }) });
    });
  }
}

/**
 * `lr = base * gamma ^ floor(epoch / stepSize)`
 *
 * @param stepSize steps between two drops
 * @param options.gamma factor of each drop; default 0.1
 * @see torch.optim.lr_scheduler.StepLR
 *
 * @example
 * const scheduler = new StepLR(optimizer, 30, { gamma: 0.1 });
 */
export class StepLR extends LRScheduler {
  private readonly gamma: number;

  constructor(
    optimizer: Optimizer,
    private readonly stepSize: number,
    options: { gamma?: number } = {},
  ) {
    super(optimizer);
    checkOptionNames(this.constructor.name, options, ["gamma"]);
    const { gamma = 0.1 } = options;
    checkCount("StepLR: stepSize", stepSize);
    this.gamma = gamma;
    this.advance();
  }

  protected override lrAt(epoch: number, baseLr: number): number {
    return baseLr * this.gamma ** Math.floor(epoch / this.stepSize);
  }

  protected override next(epoch: number, lr: number): number {
    return epoch > 0 && epoch % this.stepSize === 0 ? lr * this.gamma : lr;
  }
}

/**
 * `lr = base * gamma ^ (how many milestones are at or before epoch)`
 *
 * @param milestones steps at which the rate drops; a repeated one drops it twice
 * @param options.gamma factor of each drop; default 0.1
 * @see torch.optim.lr_scheduler.MultiStepLR
 *
 * @example
 * const scheduler = new MultiStepLR(optimizer, [120, 160]);
 */
export class MultiStepLR extends LRScheduler {
  private readonly gamma: number;

  constructor(
    optimizer: Optimizer,
    private readonly milestones: readonly number[],
    options: { gamma?: number } = {},
  ) {
    super(optimizer);
    checkOptionNames(this.constructor.name, options, ["gamma"]);
    const { gamma = 0.1 } = options;
    this.gamma = gamma;
    this.advance();
  }

  protected override lrAt(epoch: number, baseLr: number): number {
    return baseLr * this.gamma ** this.milestones.filter((milestone) => milestone <= epoch).length;
  }

  protected override next(epoch: number, lr: number): number {
    return lr * this.gamma ** this.milestones.filter((milestone) => milestone === epoch).length;
  }
}

/**
 * `lr = base * gamma ^ epoch`
 *
 * @param gamma factor of each step
 * @see torch.optim.lr_scheduler.ExponentialLR
 *
 * @example
 * const scheduler = new ExponentialLR(optimizer, 0.95);
 */
export class ExponentialLR extends LRScheduler {
  constructor(
    optimizer: Optimizer,
    private readonly gamma: number,
  ) {
    super(optimizer);
    this.advance();
  }

  protected override lrAt(epoch: number, baseLr: number): number {
    return baseLr * this.gamma ** epoch;
  }

  protected override next(epoch: number, lr: number): number {
    return epoch > 0 ? lr * this.gamma : lr;
  }
}

/**
 * `lr = etaMin + (base - etaMin) * (1 + cos(pi * epoch / tMax)) / 2`
 *
 * @param tMax steps from the base rate down to `etaMin`; further ones climb again, as in PyTorch
 * @param options.etaMin lowest rate; default 0
 * @see torch.optim.lr_scheduler.CosineAnnealingLR; Loshchilov & Hutter 2017 (arXiv:1608.03983)
 *
 * @example
 * const scheduler = new CosineAnnealingLR(optimizer, 300);
 */
export class CosineAnnealingLR extends LRScheduler {
  private readonly etaMin: number;

  constructor(
    optimizer: Optimizer,
    private readonly tMax: number,
    options: { etaMin?: number } = {},
  ) {
    super(optimizer);
    checkOptionNames("CosineAnnealingLR", options, ["etaMin"]);
    const { etaMin = 0 } = options;
    checkCount("CosineAnnealingLR: tMax", tMax);
    this.etaMin = etaMin;
    this.advance();
  }

  protected override lrAt(epoch: number, baseLr: number): number {
    return this.etaMin + ((baseLr - this.etaMin) * (1 + this.cosine(epoch))) / 2;
  }

  protected override next(epoch: number, lr: number, { baseLr }: { readonly baseLr?: number }): number {
    if (epoch === 0) return lr;
    // the step that leaves etaMin: there is no rate above it to scale
    if ((epoch - 1 - this.tMax) % (2 * this.tMax) === 0)
      return lr + (((baseLr ?? lr) - this.etaMin) * (1 - this.cosine(1))) / 2;
    return ((1 + this.cosine(epoch)) / (1 + this.cosine(epoch - 1))) * (lr - this.etaMin) + this.etaMin;
  }

  private cosine(epoch: number): number {
    return Math.cos((Math.PI * epoch) / this.tMax);
  }
}

/**
 * `lr = base * (startFactor + (endFactor - startFactor) * min(epoch, totalIters) / totalIters)`
 *
 * @param options.startFactor default 1/3
 * @param options.endFactor default 1
 * @param options.totalIters steps from one to the other; default 5
 * @throws ValueError if `startFactor` is not in (0, 1] or `endFactor` not in [0, 1]
 * @see torch.optim.lr_scheduler.LinearLR
 *
 * @example
 * const warmUp = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 10 });
 */
export class LinearLR extends LRScheduler {
  private readonly startFactor: number;
  private readonly endFactor: number;
  private readonly totalIters: number;

  constructor(optimizer: Optimizer, options: { startFactor?: number; endFactor?: number; totalIters?: number } = {}) {
    super(optimizer);
    checkOptionNames("LinearLR", options, ["startFactor", "endFactor", "totalIters"]);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    if (!(startFactor > 0 && startFactor <= 1) || !(endFactor >= 0 && endFactor <= 1)) {
      throw new ValueError(
        `LinearLR: startFactor must be in (0, 1] and endFactor in [0, 1], got ${startFactor} and ${endFactor}. Raise the optimizer's lr instead.`,
      );
    }
    checkCount("LinearLR: totalIters", totalIters);
    this.startFactor = startFactor;
    this.endFactor = endFactor;
    this.totalIters = totalIters;
    this.advance();
  }

  protected override lrAt(epoch: number, baseLr: number): number {
    return baseLr * this.factor(epoch);
  }

  protected override next(epoch: number, lr: number): number {
    if (epoch === 0) return lr * this.startFactor;
    return epoch > this.totalIters ? lr : (lr * this.factor(epoch)) / this.factor(epoch - 1);
  }

  private factor(epoch: number): number {
    const done = Math.min(epoch, this.totalIters) / this.totalIters;
    return this.startFactor + (this.endFactor - this.startFactor) * done;
  }
}

/**
 * `lr = base * lrLambda(epoch)`
 *
 * @param lrLambda the factor after `epoch` steps; one for all groups, or one a group
 * @throws ValueError if a list has not one function a group
 * @see torch.optim.lr_scheduler.LambdaLR
 *
 * @example
 * const warmUp = new LambdaLR(optimizer, (epoch) => Math.min(1, (epoch + 1) / 5));
 */
export class LambdaLR extends LRScheduler {
  private readonly lambdas: readonly ((epoch: number) => number)[];

  constructor(optimizer: Optimizer, lrLambda: ((epoch: number) => number) | readonly ((epoch: number) => number)[]) {
    super(optimizer);
    const groupCount = optimizer.paramGroups.length;
    this.lambdas = typeof lrLambda === "function" ? Array.from({ length: groupCount }, () => lrLambda) : lrLambda;
    if (this.lambdas.length !== groupCount) {
      throw new ValueError(
        `LambdaLR: there must be one function per group, got ${this.lambdas.length} for ${groupCount}. Pass one, or one each.`,
      );
    }
    this.advance();
  }

  protected override lrAt(epoch: number, baseLr: number, index: number): number {
    return baseLr * this.lambdas[index]!(epoch);
  }

  /** Not chainable, as in PyTorch: it sets the rate from the base rate. */
  protected override next(
    epoch: number,
    lr: number,
    { index, baseLr }: { readonly index: number; readonly baseLr?: number },
  ): number {
    return baseLr === undefined ? lr : this.lrAt(epoch, baseLr, index);
  }
}

function checkCount(what: string, count: number): void {
  if (!(count > 0)) throw new ValueError(`${what} must be positive, got ${count}. Pass a number of steps.`);
}
