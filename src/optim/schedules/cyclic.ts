/** Rates that go up and down between two bounds, again and again. */

import { checkChoice, checkOptionNames } from "../../options";
import type { Optimizer } from "../optimizer";
import { checkMomentum, setMomentum } from "./momentum";
import { checkCount, checkOptimizer, perGroup, RateScheduler } from "./scheduler";

/** Options of CyclicLR, PyTorch's names. */
export interface CyclicOptions {
  /** Steps from the lower bound to the upper one; default 2000. */
  readonly stepSizeUp?: number;
  /** Steps back; default as many as up. */
  readonly stepSizeDown?: number;
  /**
   * What becomes of the height: `"triangular"` (the default) leaves it, `"triangular2"` halves it with each cycle, and
   * `"exp_range"` multiplies it with `gamma` at each step.
   */
  readonly mode?: "triangular" | "triangular2" | "exp_range";
  /** Default 1. */
  readonly gamma?: number;
  /** The factor of the height, in place of `mode`; of the cycle, which counts from 1, or of the step, as `scaleMode` says. */
  readonly scaleFn?: (count: number) => number;
  /** What `scaleFn` is given; default `"cycle"`. */
  readonly scaleMode?: "cycle" | "iterations";
  /** Whether momentum, or Adam's beta1, falls while the rate climbs; default true. */
  readonly cycleMomentum?: boolean;
  /** Lowest momentum, one for all groups or one each; default 0.8. */
  readonly baseMomentum?: number | readonly number[];
  /** Highest momentum, one for all groups or one each; default 0.9. */
  readonly maxMomentum?: number | readonly number[];
}

const OPTION_NAMES = [
  ...["stepSizeUp", "stepSizeDown", "mode", "gamma", "scaleFn", "scaleMode"],
  ...["cycleMomentum", "baseMomentum", "maxMomentum"],
];

/** A factor of the height, from the cycle and the step. */
type Scale = (cycle: number, epoch: number) => number;

/**
 * `lr = base + (max - base) * part * scale`, where `part` climbs from 0 to 1 in `stepSizeUp` steps, and falls again in
 * `stepSizeDown`. Momentum goes the other way. `step` is called after every batch.
 *
 * @param baseLr lower bound, one for all groups or one each; the first rate
 * @param maxLr upper bound, one for all groups or one each
 * @param options see CyclicOptions
 * @throws ValueError for counts that are not positive, an unknown mode, lists of another length than the groups, or
 *   `cycleMomentum` with an optimizer that has no momentum
 * @see torch.optim.lr_scheduler.CyclicLR; Smith 2017 (arXiv:1506.01186)
 *
 * @example
 * const scheduler = new CyclicLR(optimizer, 0.001, 0.1, { stepSizeUp: 4 * batches.length, mode: "triangular2" });
 */
export class CyclicLR extends RateScheduler {
  private readonly maxLrs: readonly number[];
  private readonly up: number;
  private readonly down: number;
  private readonly scale: Scale;
  /** Lowest and highest momentum of each group; null where it stays. */
  private readonly momenta: readonly (readonly [number, number])[] | null;

  constructor(
    optimizer: Optimizer,
    baseLr: number | readonly number[],
    maxLr: number | readonly number[],
    options: CyclicOptions = {},
  ) {
    checkOptimizer("CyclicLR", optimizer);
    checkOptionNames("CyclicLR", options, OPTION_NAMES);
    const { stepSizeUp = 2000, stepSizeDown = stepSizeUp, cycleMomentum = true } = options;
    checkCount("CyclicLR: stepSizeUp", stepSizeUp);
    checkCount("CyclicLR: stepSizeDown", stepSizeDown);
    const scale = scaleOf(options);
    const lowest = perGroup("CyclicLR: baseLr", baseLr, optimizer);
    const maxLrs = perGroup("CyclicLR: maxLr", maxLr, optimizer);
    const momenta = cycleMomentum ? momentaOf(optimizer, options) : null;
    optimizer.paramGroups.forEach((group, index) => (group.lr = lowest[index]!));
    super(optimizer);
    this.baseLrs = [...lowest]; // a schedule before this one may have left others
    this.maxLrs = maxLrs;
    this.up = stepSizeUp;
    this.down = stepSizeDown;
    this.scale = scale;
    this.momenta = momenta;
    this.advance();
  }

  /** Not chainable, as in PyTorch. Groups that were added later have no bounds to go between. */
  protected override next(
    epoch: number,
    lr: number,
    { index, baseLr }: { readonly index: number; readonly baseLr?: number },
  ): number {
    if (baseLr === undefined) return lr;
    const height = this.heightAt(epoch);
    const [low, high] = this.momenta?.[index] ?? [];
    if (high !== undefined) setMomentum(this.optimizer.paramGroups[index]!, high - (high - low!) * height);
    return baseLr + (this.maxLrs[index]! - baseLr) * height;
  }

  /** How far up a step is: 0 at the lower bound, 1 at the upper one of a cycle that nothing scales. */
  private heightAt(epoch: number): number {
    const total = this.up + this.down;
    const cycle = Math.floor(1 + epoch / total);
    const part = 1 + epoch / total - cycle; // of the cycle, in [0, 1)
    const top = this.up / total;
    return (part <= top ? part / top : (part - 1) / (top - 1)) * this.scale(cycle, epoch);
  }
}

function scaleOf({ mode = "triangular", gamma = 1, scaleFn, scaleMode = "cycle" }: CyclicOptions): Scale {
  checkChoice("CyclicLR", "scaleMode", scaleMode, ["cycle", "iterations"]);
  if (scaleFn) return scaleMode === "cycle" ? (cycle) => scaleFn(cycle) : (_cycle, epoch) => scaleFn(epoch);
  const scales: Readonly<Record<string, Scale>> = {
    triangular: () => 1,
    triangular2: (cycle) => 2 ** (1 - cycle),
    exp_range: (_cycle, epoch) => gamma ** epoch,
  };
  checkChoice("CyclicLR", "mode", mode, Object.keys(scales));
  return scales[mode]!;
}

function momentaOf(
  optimizer: Optimizer,
  { baseMomentum = 0.8, maxMomentum = 0.9 }: CyclicOptions,
): readonly (readonly [number, number])[] {
  checkMomentum("CyclicLR", optimizer);
  const lowest = perGroup("CyclicLR: baseMomentum", baseMomentum, optimizer);
  const highest = perGroup("CyclicLR: maxMomentum", maxMomentum, optimizer);
  return lowest.map((low, index) => [low, highest[index]!]);
}
