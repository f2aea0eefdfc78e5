/** The 1cycle policy: the rate climbs to its highest and then falls far below the first, while momentum does the opposite. */

import { ValueError } from "../../errors";
import { checkChoice, checkOptionNames, describe } from "../../options";
import type { Optimizer } from "../optimizer";
import { checkMomentum, setMomentum } from "./momentum";
import { checkOptimizer, perGroup, RateScheduler } from "./scheduler";

/** Options of OneCycleLR, PyTorch's names. */
export interface OneCycleOptions {
  /** Steps of the whole cycle; needed unless `epochs` and `stepsPerEpoch` are given. */
  readonly totalSteps?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** Part of the cycle in which the rate climbs, in [0, 1]; default 0.3. */
  readonly pctStart?: number;
  /** Default `"cos"`. */
  readonly annealStrategy?: "cos" | "linear";
  /** Whether momentum, or Adam's beta1, falls while the rate climbs; default true. */
  readonly cycleMomentum?: boolean;
  /** Lowest momentum, one for all groups or one each; default 0.85. */
  readonly baseMomentum?: number | readonly number[];
  /** Highest momentum, one for all groups or one each; default 0.95. */
  readonly maxMomentum?: number | readonly number[];
  /** The first rate is `maxLr / divFactor`; default 25. */
  readonly divFactor?: number;
  /** The last rate is the first one divided by this; default 1e4. */
  readonly finalDivFactor?: number;
  /** Whether the fall takes two phases: as long as the climb back to the first rate, then on to the last; default false. */
  readonly threePhase?: boolean;
}

const OPTION_NAMES = [
  ...["totalSteps", "epochs", "stepsPerEpoch", "pctStart", "annealStrategy", "cycleMomentum"],
  ...["baseMomentum", "maxMomentum", "divFactor", "finalDivFactor", "threePhase"],
];

type Level = "initialLr" | "maxLr" | "minLr";
type Bound = "maxMomentum" | "baseMomentum";

/** A part of the cycle: where it ends, and what it goes between. */
interface Phase {
  readonly end: number;
  readonly lr: readonly [Level, Level];
  readonly momentum: readonly [Bound, Bound];
}

type Anneal = (start: number, end: number, part: number) => number;

const ANNEAL: Readonly<Record<"cos" | "linear", Anneal>> = {
  cos: (start, end, part) => end + ((start - end) / 2) * (Math.cos(Math.PI * part) + 1),
  linear: (start, end, part) => (end - start) * part + start,
};

/**
 * One cycle of rates and momentum. `step` is called after every batch, `totalSteps - 1` times or one more.
 *
 * @param maxLr highest rate, one for all groups or one each
 * @param options see OneCycleOptions; `totalSteps`, or `epochs` and `stepsPerEpoch`, must be given
 * @throws ValueError for counts that are no positive integers, `pctStart` outside [0, 1], an unknown strategy, lists of another
 *   length than the groups, or `cycleMomentum` with an optimizer that has no momentum; in `step`, beyond the end of the cycle
 * @see torch.optim.lr_scheduler.OneCycleLR; Smith & Topin 2018 (arXiv:1708.07120)
 *
 * @example
 * const scheduler = new OneCycleLR(optimizer, 0.1, { epochs: 10, stepsPerEpoch: batches.length });
 */
export class OneCycleLR extends RateScheduler {
  private readonly totalSteps: number;
  private readonly phases: readonly Phase[];
  private readonly anneal: Anneal;
  private readonly cycleMomentum: boolean;

  constructor(optimizer: Optimizer, maxLr: number | readonly number[], options: OneCycleOptions) {
    checkOptimizer("OneCycleLR", optimizer);
    if (typeof maxLr !== "number" && !Array.isArray(maxLr)) {
      throw new ValueError(
        `OneCycleLR: maxLr must be a number, or a list of one a group, got ${describe(maxLr)}. Write new OneCycleLR(optimizer, maxLr, { totalSteps }).`,
      );
    }
    if ((options as unknown) === undefined)
      throw new ValueError("OneCycleLR: options must say how long the cycle is, got none. Pass { totalSteps }.");
    checkOptionNames("OneCycleLR", options, OPTION_NAMES);
    const { annealStrategy = "cos", cycleMomentum = true, pctStart = 0.3, threePhase = false } = options;
    const totalSteps = totalStepsOf(options);
    checkChoices(optimizer, { annealStrategy, cycleMomentum, pctStart });
    setRates(optimizer, maxLr, options);
    if (cycleMomentum) setMomenta(optimizer, options);
    super(optimizer);
    this.totalSteps = totalSteps;
    this.phases = phasesOf(totalSteps, pctStart, threePhase);
    this.anneal = ANNEAL[annealStrategy];
    this.cycleMomentum = cycleMomentum;
    this.advance();
  }

  override step(epoch?: number): void {
    this.moving(epoch, () => {
      const next = epoch ?? this.lastEpoch + 1;
      if (next > this.totalSteps) {
        throw new ValueError(
          `OneCycleLR: there must be at most ${this.totalSteps} steps, got one more. Raise totalSteps, or stop calling step().`,
        );
      }
      super.step(next);
    });
  }

  /** Not chainable, as in PyTorch. Groups that were added later have no rates to go between. */
  protected override next(epoch: number, lr: number, { index }: { readonly index: number }): number {
    const group = this.optimizer.paramGroups[index]!;
    if (group.maxLr === undefined) return lr;
    const { phase, part } = this.placeOf(epoch);
    const between = ([start, end]: readonly [Level | Bound, Level | Bound]): number =>
      this.anneal(group[start]!, group[end]!, part);
    if (this.cycleMomentum) setMomentum(group, between(phase.momentum));
    return between(phase.lr);
  }

  /** The phase that a step lies in, and how far in it. */
  private placeOf(epoch: number): { phase: Phase; part: number } {
    const index = this.phases.findIndex(({ end }, i) => epoch <= end || i === this.phases.length - 1);
    const phase = this.phases[index]!;
    const start = index === 0 ? 0 : this.phases[index - 1]!.end;
    return { phase, part: (epoch - start) / (phase.end - start) };
  }
}

function totalStepsOf({ totalSteps, epochs, stepsPerEpoch }: OneCycleOptions): number {
  const given = totalSteps === undefined ? { epochs, stepsPerEpoch } : { totalSteps };
  for (const [name, count] of Object.entries(given)) {
    if (Number.isInteger(count) && count! > 0) continue;
    throw new ValueError(
      `OneCycleLR: ${name} must be a positive integer, got ${count}. Pass totalSteps, or epochs and stepsPerEpoch.`,
    );
  }
  return totalSteps ?? epochs! * stepsPerEpoch!;
}

function checkChoices(
  optimizer: Optimizer,
  { annealStrategy, cycleMomentum, pctStart }: Pick<OneCycleOptions, "annealStrategy" | "cycleMomentum" | "pctStart">,
): void {
  if (!(pctStart! >= 0 && pctStart! <= 1)) {
    throw new ValueError(`OneCycleLR: pctStart must be in [0, 1], got ${pctStart}. The default is 0.3.`);
  }
  checkChoice("OneCycleLR", "annealStrategy", annealStrategy, Object.keys(ANNEAL));
  if (cycleMomentum) checkMomentum("OneCycleLR", optimizer);
}

function setRates(
  optimizer: Optimizer,
  maxLr: number | readonly number[],
  { divFactor = 25, finalDivFactor = 1e4 }: OneCycleOptions,
): void {
  const highest = perGroup("OneCycleLR: maxLr", maxLr, optimizer);
  optimizer.paramGroups.forEach((group, index) => {
    group.initialLr = highest[index]! / divFactor;
    group.maxLr = highest[index]!;
    group.minLr = group.initialLr / finalDivFactor;
  });
}

function setMomenta(optimizer: Optimizer, { baseMomentum = 0.85, maxMomentum = 0.95 }: OneCycleOptions): void {
  const lowest = perGroup("OneCycleLR: baseMomentum", baseMomentum, optimizer);
  const highest = perGroup("OneCycleLR: maxMomentum", maxMomentum, optimizer);
  optimizer.paramGroups.forEach((group, index) => {
    group.maxMomentum = highest[index]!;
    group.baseMomentum = lowest[index]!;
  });
}

function phasesOf(totalSteps: number, pctStart: number, threePhase: boolean): readonly Phase[] {
  const top = pctStart * totalSteps - 1;
  const climb: Phase = { end: top, lr: ["initialLr", "maxLr"], momentum: ["maxMomentum", "baseMomentum"] };
  const last = totalSteps - 1;
  if (!threePhase) return [climb, { end: last, lr: ["maxLr", "minLr"], momentum: ["baseMomentum", "maxMomentum"] }];
  return [
    climb,
    { end: 2 * pctStart * totalSteps - 2, lr: ["maxLr", "initialLr"], momentum: ["baseMomentum", "maxMomentum"] },
    { end: last, lr: ["initialLr", "minLr"], momentum: ["maxMomentum", "maxMomentum"] },
  ];
}
