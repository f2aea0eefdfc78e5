/** Schedules by a function of one's own. */

import { ValueError } from "../../errors";
import { describe } from "../../options";
import type { Optimizer } from "../optimizer";
import { RateScheduler } from "./scheduler";

/** A factor from how many steps there were; one for all groups, or one a group. */
export type LrLambda = ((epoch: number) => number) | readonly ((epoch: number) => number)[];

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
export class LambdaLR extends RateScheduler {
  private readonly lambdas: readonly ((epoch: number) => number)[];

  constructor(optimizer: Optimizer, lrLambda: LrLambda) {
    super(optimizer);
    this.lambdas = lambdasFor("LambdaLR", optimizer, lrLambda);
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

/**
 * `lr = lr * lrLambda(epoch)` at every step after the first
 *
 * @param lrLambda the factor of step `epoch`; one for all groups, or one a group
 * @throws ValueError if a list has not one function a group
 * @see torch.optim.lr_scheduler.MultiplicativeLR
 *
 * @example
 * const scheduler = new MultiplicativeLR(optimizer, () => 0.95);
 */
export class MultiplicativeLR extends RateScheduler {
  private readonly lambdas: readonly ((epoch: number) => number)[];

  constructor(optimizer: Optimizer, lrLambda: LrLambda) {
    super(optimizer);
    this.lambdas = lambdasFor("MultiplicativeLR", optimizer, lrLambda);
    this.advance();
  }

  protected override next(epoch: number, lr: number, { index }: { readonly index: number }): number {
    return epoch > 0 && index < this.lambdas.length ? lr * this.lambdas[index]!(epoch) : lr;
  }
}

/** One function a group. */
function lambdasFor(name: string, optimizer: Optimizer, lrLambda: LrLambda): readonly ((epoch: number) => number)[] {
  const groupCount = optimizer.paramGroups.length;
  const lambdas = typeof lrLambda === "function" ? Array.from({ length: groupCount }, () => lrLambda) : lrLambda;
  const isList = areFunctions(lambdas);
  if (isList && lambdas.length === groupCount) return lambdas;
  throw new ValueError(
    `${name}: there must be one function per group, got ${isList ? lambdas.length : describe(lambdas)} for ${groupCount}. Pass one, or one each.`,
  );
}

/** Callers without types may pass anything. */
const areFunctions = (list: unknown): boolean =>
  Array.isArray(list) && list.every((each) => typeof each === "function");
