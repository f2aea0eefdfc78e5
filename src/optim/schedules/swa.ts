/** The schedule of stochastic weight averaging. */

import { ValueError } from "../../errors";
import { checkChoice, checkOptionNames } from "../../options";
import type { Optimizer } from "../optimizer";
import { checkOptimizer, perGroup, RateScheduler } from "./scheduler";

type Anneal = (part: number) => number;

/** How much of the way is behind, from the part of the steps that is. */
const ANNEAL: Readonly<Record<"cos" | "linear", Anneal>> = {
  cos: (part) => (1 - Math.cos(Math.PI * part)) / 2,
  linear: (part) => part,
};

/**
 * From the rates that are set to constant ones, at which an AveragedModel then averages.
 *
 * @param swaLr the rate at the end, one for all groups or one each
 * @param options.annealEpochs steps on the way there; default 10. 0 sets it at once
 * @param options.annealStrategy `"cos"` (default) or `"linear"`
 * @throws ValueError if `annealEpochs` is negative, the strategy is unknown, or a list has not one rate a group
 * @see torch.optim.swa_utils.SWALR; Izmailov et al. 2018 (arXiv:1803.05407)
 *
 * @example
 * const averaged = new AveragedModel(model);
 * const scheduler = new SWALR(optimizer, 0.05, { annealEpochs: 5 });
 */
export class SWALR extends RateScheduler {
  private readonly annealEpochs: number;
  private readonly anneal: Anneal;

  constructor(
    optimizer: Optimizer,
    swaLr: number | readonly number[],
    options: { annealEpochs?: number; annealStrategy?: "cos" | "linear" } = {},
  ) {
    checkOptimizer("SWALR", optimizer);
    checkOptionNames("SWALR", options, ["annealEpochs", "annealStrategy"]);
    const { annealEpochs = 10, annealStrategy = "cos" } = options;
    checkChoice("SWALR", "annealStrategy", annealStrategy, Object.keys(ANNEAL));
    if (!(Number.isInteger(annealEpochs) && annealEpochs >= 0)) {
      throw new ValueError(
        `SWALR: annealEpochs must be an integer that is not negative, got ${annealEpochs}. Pass a number of steps.`,
      );
    }
    const rates = perGroup("SWALR: swaLr", swaLr, optimizer);
    optimizer.paramGroups.forEach((group, index) => (group.swaLr = rates[index]!));
    super(optimizer);
    this.annealEpochs = annealEpochs;
    this.anneal = ANNEAL[annealStrategy];
    this.advance();
  }

  protected override lrAt(epoch: number, baseLr: number, index: number): number {
    const now = this.behind(epoch);
    return this.optimizer.paramGroups[index]!.swaLr! * now + baseLr * (1 - now);
  }

  protected override next(epoch: number, lr: number, { index }: { readonly index: number }): number {
    const { swaLr } = this.optimizer.paramGroups[index]!;
    if (swaLr === undefined) return lr; // of a group that was added later
    const before = this.behind(epoch - 1);
    const start = before === 1 ? swaLr : (lr - before * swaLr) / (1 - before); // the rate that it began at
    const now = this.behind(epoch);
    return swaLr * now + start * (1 - now);
  }

  private behind(step: number): number {
    if (this.annealEpochs === 0) return Number(step >= 0);
    return this.anneal(Math.min(Math.max(step / this.annealEpochs, 0), 1));
  }
}
