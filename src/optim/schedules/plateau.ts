/** A schedule that lowers rates when a measurement stops to improve. */

import { cannotReplay } from "../../hostState";
import { ValueError } from "../../errors";
import { checkChoice, checkOptionNames, describe } from "../../options";
import type { Optimizer } from "../optimizer";
import { checkedState, checkOptimizer, perGroup, setRates } from "./scheduler";

/** Options of ReduceLROnPlateau, PyTorch's names. */
export interface PlateauOptions {
  /** Whether lower or higher is better; default `"min"`. */
  readonly mode?: "min" | "max";
  /** Factor of each drop, below 1; default 0.1. */
  readonly factor?: number;
  /** Steps without improvement that are still fine; default 10. */
  readonly patience?: number;
  /** How much counts as an improvement; default 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is a part of the best value or a difference from it; default `"rel"`. */
  readonly thresholdMode?: "rel" | "abs";
  /** Steps after a drop in which nothing counts; default 0. */
  readonly cooldown?: number;
  /** Lowest rate, one for all groups or one each; default 0. */
  readonly minLr?: number | readonly number[];
  /** Drops by less are left out; default 1e-8. */
  readonly eps?: number;
}

const OPTION_NAMES = ["mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "eps"];

/** What ReduceLROnPlateau must remember, in PyTorch's words. JSON knows no infinity: a `best` of null is the worst there is. */
export interface PlateauState {
  best: number | null;
  num_bad_epochs: number;
  cooldown_counter: number;
  last_epoch: number;
  /** The rates that were set when the state was taken. */
  _last_lr: number[];
}

/**
 * Multiplies all rates with `factor` once a measurement has not improved for more than `patience` steps.
 *
 * @param options see PlateauOptions
 * @throws ValueError if `factor` is not below 1, a mode is unknown, or `minLr` has not one rate a group
 * @see torch.optim.lr_scheduler.ReduceLROnPlateau
 *
 * @example
 * const scheduler = new ReduceLROnPlateau(optimizer, { patience: 3 });
 * scheduler.step(await validationLoss.item()); // once an epoch
 */
export class ReduceLROnPlateau {
  /** How often `step` was called. */
  lastEpoch = 0;
  private readonly options: Required<Omit<PlateauOptions, "minLr">>;
  private readonly minLrs: readonly number[];
  private best: number;
  private badEpochs = 0;
  private cooldownLeft = 0;

  constructor(
    readonly optimizer: Optimizer,
    options: PlateauOptions = {},
  ) {
    checkOptionNames("ReduceLROnPlateau", options, OPTION_NAMES);
    checkOptimizer("ReduceLROnPlateau", optimizer);
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4 } = options;
    const { thresholdMode = "rel", cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    checkOptions(mode, thresholdMode, factor);
    this.options = { mode, factor, patience, threshold, thresholdMode, cooldown, eps };
    this.minLrs = perGroup("ReduceLROnPlateau: minLr", minLr, optimizer);
    this.best = worst(mode);
  }

  /**
   * Takes the measurement of an epoch, and lowers the rates if it is time.
   *
   * @throws ValueError if it is no number: a tensor's is `await tensor.item()`
   */
  step(metrics: number): void {
    if (typeof metrics !== "number") {
      throw new ValueError(
        `ReduceLROnPlateau: metrics must be a number, got ${describe(metrics)}. Pass await loss.item().`,
      );
    }
    cannotReplay("gives a measurement to ReduceLROnPlateau: do that outside");
    this.lastEpoch++;
    if (this.isBetter(metrics)) {
      this.best = metrics;
      this.badEpochs = 0;
    } else this.badEpochs++;
    if (this.cooldownLeft > 0) {
      this.cooldownLeft--;
      this.badEpochs = 0; // bad ones do not count yet
    }
    if (this.badEpochs <= this.options.patience) return;
    this.lowerRates();
    this.cooldownLeft = this.options.cooldown;
    this.badEpochs = 0;
  }

  private isBetter(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const sign = mode === "min" ? -1 : 1;
    const bound = thresholdMode === "rel" ? this.best * (1 + sign * threshold) : this.best + sign * threshold;
    return mode === "min" ? value < bound : value > bound;
  }

  private lowerRates(): void {
    this.optimizer.paramGroups.forEach((group, index) => {
      const lr = Math.max(group.lr * this.options.factor, this.minLrs[index] ?? 0);
      if (group.lr - lr > this.options.eps) group.lr = lr;
    });
  }

  /** The rates that are set now, one a group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** What the next step depends on. @see torch.optim.lr_scheduler.ReduceLROnPlateau.state_dict */
  stateDict(): PlateauState {
    return {
      best: this.best,
      num_bad_epochs: this.badEpochs,
      cooldown_counter: this.cooldownLeft,
      last_epoch: this.lastEpoch,
      _last_lr: this.getLastLr(),
    };
  }

  /**
   * Takes back what `stateDict` gave, and sets the rates of that time. PyTorch's has none before its first step.
   *
   * @throws ValueError if it has not one rate per group; nothing is written then
   */
  loadStateDict(state: PlateauState): void {
    const { _last_lr: rates = this.getLastLr() } = Object(state) as Partial<PlateauState>;
    checkedState({ ...state, _last_lr: rates });
    setRates(this.optimizer, rates);
    this.best = state.best ?? worst(this.options.mode);
    this.badEpochs = state.num_bad_epochs;
    this.cooldownLeft = state.cooldown_counter;
    this.lastEpoch = state.last_epoch;
  }
}

const worst = (mode: "min" | "max"): number => (mode === "min" ? Infinity : -Infinity);

function checkOptions(mode: string, thresholdMode: string, factor: number): void {
  checkChoice("ReduceLROnPlateau", "mode", mode, ["min", "max"]);
  checkChoice("ReduceLROnPlateau", "thresholdMode", thresholdMode, ["rel", "abs"]);
  if (!(factor < 1)) {
    throw new ValueError(`ReduceLROnPlateau: factor must be below 1, got ${factor}. The default is 0.1.`);
  }
}
