/** How slowly the key encoder follows, from step to step. */

import { ValueError } from "../errors";
import { hostAction } from "../hostState";
import { checkMomentum } from "./checks";

/** What a schedule must remember; the names are those of PyTorch's learning-rate schedules. */
export interface MomentumState {
  last_epoch: number;
  base: number;
}

/**
 * `m = 1 - (1 - base) (1 + cos(pi step / steps)) / 2`: from the model's own momentum up to 1 by half a cosine. Call `step()` after each
 * training step.
 *
 * @param model MoCo or MoCoV3, with the momentum that it starts from
 * @param steps until m is 1; it stays there
 * @throws ValueError if `steps` is no positive number
 * @see Chen, Xie and He 2021 (arXiv:2104.02057), section 4.1; BYOL (arXiv:2006.07733)
 *
 * @example
 * const momentum = new CosineMomentum(model, 10_000);
 * momentum.step();
 */
export class CosineMomentum {
  private base: number;
  private count = 0;

  constructor(
    private readonly model: { momentum: number },
    private readonly steps: number,
  ) {
    checkMomentum("CosineMomentum", model.momentum);
    if (!(steps > 0 && Number.isFinite(steps)))
      throw new ValueError(`CosineMomentum: steps must be positive, got ${steps}. Pass the training steps.`);
    this.base = model.momentum;
  }

  /** Sets the model's momentum for the next training step. */
  step(): void {
    hostAction(() => {
      this.count++;
      this.model.momentum = this.at(this.count);
    });
  }

  /** m of a step, counted from 0. */
  at(step: number): number {
    const part = Math.min(step / this.steps, 1);
    return 1 - (1 - this.base) * 0.5 * (1 + Math.cos(Math.PI * part));
  }

  stateDict(): MomentumState {
    return { last_epoch: this.count, base: this.base };
  }

  /** @throws ValueError for what `stateDict` never gave */
  loadStateDict({ last_epoch: count, base }: MomentumState): void {
    checkMomentum("CosineMomentum", base);
    if (!(Number.isInteger(count) && count >= 0))
      throw new ValueError(
        `CosineMomentum: last_epoch must be a whole number, got ${count}. Pass what stateDict() gave.`,
      );
    this.base = base;
    this.count = count;
    this.model.momentum = this.at(count);
  }
}
