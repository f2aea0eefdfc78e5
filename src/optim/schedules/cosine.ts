/** Cosine schedules: down to a lowest rate, once or again and again. */

import { ValueError } from "../../errors";
import { checkNumber, checkOptionNames } from "../../options";
import type { Optimizer } from "../optimizer";
import { checkCount, checkedState, RateScheduler, type SchedulerState } from "./scheduler";

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
export class CosineAnnealingLR extends RateScheduler {
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

/** What CosineAnnealingWarmRestarts must remember besides. */
export interface WarmRestartsState extends SchedulerState {
  /** Steps since the last restart. */
  T_cur: number;
  /** Steps from that restart to the next. */
  T_i: number;
}

/**
 * `lr = etaMin + (base - etaMin) * (1 + cos(pi * tCur / tI)) / 2`, where `tCur` counts from the last restart and `tI` is how many
 * steps there are to the next one: `t0` at first, `tMult` times as many after each restart.
 *
 * @param t0 steps to the first restart, an integer
 * @param options.tMult an integer; default 1
 * @param options.etaMin lowest rate; default 0
 * @throws ValueError if `t0` or `tMult` is no positive integer
 * @see torch.optim.lr_scheduler.CosineAnnealingWarmRestarts; Loshchilov & Hutter 2017 (arXiv:1608.03983)
 *
 * @example
 * const scheduler = new CosineAnnealingWarmRestarts(optimizer, 10, { tMult: 2 }); // restarts at 10, 30, 70 ...
 */
export class CosineAnnealingWarmRestarts extends RateScheduler {
  private readonly tMult: number;
  private readonly etaMin: number;
  private tCur = 0;
  private tI: number;

  constructor(
    optimizer: Optimizer,
    private readonly t0: number,
    options: { tMult?: number; etaMin?: number } = {},
  ) {
    super(optimizer);
    checkOptionNames("CosineAnnealingWarmRestarts", options, ["tMult", "etaMin"]);
    const { tMult = 1, etaMin = 0 } = options;
    for (const [name, count] of Object.entries({ t0, tMult })) {
      if (Number.isInteger(count) && count >= 1) continue;
      throw new ValueError(
        `CosineAnnealingWarmRestarts: ${name} must be a positive integer, got ${count}. Pass a number of steps, or a factor.`,
      );
    }
    this.tI = t0;
    this.tMult = tMult;
    this.etaMin = etaMin;
    this.advance();
  }

  /**
   * Moves on by one, or to `epoch`, which may lie between two integers: `scheduler.step(epoch + batch / batches)`.
   *
   * @throws ValueError for a negative `epoch`
   */
  override step(epoch?: number): void {
    this.moving(epoch, () => {
      if (epoch !== undefined) this.moveTo(epoch);
      else if (this.lastEpoch < 0) this.moveTo(0);
      else this.moveOn();
      this.advance();
    });
  }

  private moveOn(): void {
    this.lastEpoch++;
    this.tCur++;
    if (this.tCur < this.tI) return;
    this.tCur -= this.tI;
    this.tI *= this.tMult;
  }

  private moveTo(epoch: number): void {
    if (!(epoch >= 0)) {
      throw new ValueError(
        `CosineAnnealingWarmRestarts: epoch must not be negative, got ${epoch}. Pass the steps since the beginning.`,
      );
    }
    const { t0, tMult } = this;
    // the last restart was after t0 + t0 * tMult + ... steps, as many terms as there were restarts
    const restarts =
      tMult === 1 ? Math.floor(epoch / t0) : Math.trunc(Math.log((epoch / t0) * (tMult - 1) + 1) / Math.log(tMult));
    const start = tMult === 1 ? restarts * t0 : (t0 * (tMult ** restarts - 1)) / (tMult - 1);
    this.tCur = epoch - start;
    this.tI = t0 * tMult ** restarts;
    this.lastEpoch = Math.floor(epoch);
  }

  protected override lrAt(_epoch: number, baseLr: number): number {
    return this.etaMin + ((baseLr - this.etaMin) * (1 + Math.cos((Math.PI * this.tCur) / this.tI))) / 2;
  }

  /** Not chainable, as in PyTorch: it sets the rate from the base rate. */
  protected override next(epoch: number, lr: number, { baseLr }: { readonly baseLr?: number }): number {
    return baseLr === undefined ? lr : this.lrAt(epoch, baseLr);
  }

  override stateDict(): WarmRestartsState {
    return { ...super.stateDict(), T_cur: this.tCur, T_i: this.tI };
  }

  override loadStateDict(state: WarmRestartsState): void {
    const { T_cur, T_i } = checkedState(state) as Partial<WarmRestartsState>;
    checkNumber("loadStateDict", "T_cur", T_cur);
    checkNumber("loadStateDict", "T_i", T_i);
    super.loadStateDict(state);
    this.tCur = state.T_cur;
    this.tI = state.T_i;
  }
}
