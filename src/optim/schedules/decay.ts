/** Schedules that lower or raise rates by a factor: at some steps, at every step, or over a number of steps. */

import { ValueError } from "../../errors";
import { checkOptionNames, describe } from "../../options";
import type { Optimizer } from "../optimizer";
import { checkCount, checkList, RateScheduler } from "./scheduler";

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
export class StepLR extends RateScheduler {
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
export class MultiStepLR extends RateScheduler {
  private readonly gamma: number;

  constructor(
    optimizer: Optimizer,
    private readonly milestones: readonly number[],
    options: { gamma?: number } = {},
  ) {
    super(optimizer);
    checkOptionNames(this.constructor.name, options, ["gamma"]);
    checkList("MultiStepLR: milestones", milestones, "Pass the steps at which the rate drops.");
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
 * @throws ValueError if it is no number
 * @see torch.optim.lr_scheduler.ExponentialLR
 *
 * @example
 * const scheduler = new ExponentialLR(optimizer, 0.95);
 */
export class ExponentialLR extends RateScheduler {
  constructor(
    optimizer: Optimizer,
    private readonly gamma: number,
  ) {
    super(optimizer);
    if (typeof gamma !== "number") {
      throw new ValueError(`ExponentialLR: gamma must be a number, got ${describe(gamma)}. Pass 0.95, say.`);
    }
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
 * `lr = base * factor` for `totalIters` steps, then `base`
 *
 * @param options.factor in (0, 1]; default 1/3
 * @param options.totalIters steps with the lower rate; default 5
 * @throws ValueError if `factor` is not in (0, 1], or `totalIters` is not positive
 * @see torch.optim.lr_scheduler.ConstantLR
 *
 * @example
 * const warmUp = new ConstantLR(optimizer, { factor: 0.1, totalIters: 500 });
 */
export class ConstantLR extends RateScheduler {
  private readonly factor: number;
  private readonly totalIters: number;

  constructor(optimizer: Optimizer, options: { factor?: number; totalIters?: number } = {}) {
    super(optimizer);
    checkOptionNames("ConstantLR", options, ["factor", "totalIters"]);
    const { factor = 1 / 3, totalIters = 5 } = options;
    if (!(factor > 0 && factor <= 1)) {
      throw new ValueError(`ConstantLR: factor must be in (0, 1], got ${factor}. Raise the optimizer's lr instead.`);
    }
    checkCount("ConstantLR: totalIters", totalIters);
    this.factor = factor;
    this.totalIters = totalIters;
    this.advance();
  }

  protected override lrAt(epoch: number, baseLr: number): number {
    return baseLr * (epoch >= this.totalIters ? 1 : this.factor);
  }

  protected override next(epoch: number, lr: number): number {
    if (epoch === 0) return lr * this.factor;
    return epoch === this.totalIters ? lr * (1 / this.factor) : lr;
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
 * // 10 steps up, then a cosine down
 * const warmUp = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 10 });
 * const decay = new CosineAnnealingLR(optimizer, 290);
 * const scheduler = new SequentialLR(optimizer, [warmUp, decay], [10]);
 */
export class LinearLR extends RateScheduler {
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
 * `lr = base * (1 - min(epoch, totalIters) / totalIters) ^ power`
 *
 * @param options.totalIters steps down to 0; default 5
 * @param options.power default 1
 * @throws ValueError if `totalIters` is not positive
 * @see torch.optim.lr_scheduler.PolynomialLR
 *
 * @example
 * const scheduler = new PolynomialLR(optimizer, { totalIters: 300, power: 0.9 });
 */
export class PolynomialLR extends RateScheduler {
  private readonly totalIters: number;
  private readonly power: number;

  constructor(optimizer: Optimizer, options: { totalIters?: number; power?: number } = {}) {
    super(optimizer);
    checkOptionNames("PolynomialLR", options, ["totalIters", "power"]);
    const { totalIters = 5, power = 1 } = options;
    checkCount("PolynomialLR: totalIters", totalIters);
    this.totalIters = totalIters;
    this.power = power;
    this.advance();
  }

  protected override lrAt(epoch: number, baseLr: number): number {
    return baseLr * this.left(epoch) ** this.power;
  }

  protected override next(epoch: number, lr: number): number {
    if (epoch === 0 || epoch > this.totalIters) return lr;
    return lr * (this.left(epoch) / this.left(epoch - 1)) ** this.power;
  }

  /** The part of the way that is still to go. */
  private left(epoch: number): number {
    return 1 - Math.min(epoch, this.totalIters) / this.totalIters;
  }
}
