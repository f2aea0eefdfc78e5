/** Averages of a model over its training: equal ones, moving ones, or any. */

import { ValueError } from "../errors";
import { cannotReplay } from "../hostState";
import { copyOf } from "../nn/copy";
import { Module } from "../nn/module";
import { checkOptionNames } from "../options";
import { type Buffer, Counter, type Parameter } from "../parameter";
import type { Tensor } from "../tensor";
import { Followers } from "./follow";

/** A model: a module with a `forward` of any kind. */
type Model = Module & { forward(...inputs: never[]): unknown };

/** Options of AveragedModel. */
export interface AveragedModelOptions {
  /** Averages exponentially, `decay * averaged + (1 - decay) * current`, in one dispatch per arena. In [0, 1]. */
  readonly decay?: number;
  /** Averages by a function of one's own, in a dispatch per tensor. `numAveraged` is how many updates there were. */
  readonly avgFn?: (averaged: Tensor, current: Tensor, numAveraged: number) => Tensor;
  /** Whether buffers are averaged too; else they stay as they were when the copy was made. Default false. */
  readonly useBuffers?: boolean;
}

/**
 * A copy of a model whose parameters are the average of the model's over all updates so far. The first update copies; by
 * default all count the same, `averaged + (current - averaged) / (numAveraged + 1)`.
 *
 * - `module`: the copy.
 * - `nAveraged`: how many updates there were.
 *
 * Equal and exponential averages take one dispatch for an arena of parameters, whatever the number of tensors. Buffers, such as
 * BatchNorm's running statistics, are left alone, or averaged by the same rule, each on its own; integers are cut off towards 0.
 * Counts of batches are copied where `avgFn` is given.
 *
 * @shape those of the model
 * @param model is copied: layers, parameters and buffers anew, all else shared
 * @param options see AveragedModelOptions; `decay` or `avgFn`, not both
 * @throws ValueError if `decay` is not in [0, 1] or comes with `avgFn`, or the model holds parameters in something that
 *   cannot be copied
 * @see torch.optim.swa_utils.AveragedModel; Izmailov et al. 2018 (arXiv:1803.05407); shaders/ema.wgsl
 *
 * @example
 * const averaged = new AveragedModel(model, { decay: 0.999 });
 * for (const batch of batches) {
 *   train(model, batch);
 *   averaged.updateParameters(model);
 * }
 * averaged.eval().forward(images);
 */
export class AveragedModel<M extends Model> extends Module {
  readonly module: M;
  readonly nAveraged = new Counter(0);
  private readonly options: AveragedModelOptions;
  private readonly followers: Followers;
  /** Not a field that holds a module: it is no part of this one. */
  private readonly isSource: (model: Model) => boolean;

  constructor(model: M, options: AveragedModelOptions = {}) {
    super();
    checkOptionNames("AveragedModel", options, ["decay", "avgFn", "useBuffers"]);
    const { decay, avgFn } = options;
    if (decay !== undefined && !(decay >= 0 && decay <= 1 && !avgFn)) {
      throw new ValueError(
        `AveragedModel: decay must be in [0, 1] and come without avgFn, got ${decay}${avgFn ? " with one" : ""}. Pass one of them.`,
      );
    }
    this.options = options;
    this.module = copyOf("AveragedModel", model);
    this.followers = new Followers("AveragedModel", model.parameters(), this.module.parameters());
    this.isSource = (other) => other === model;
  }

  forward(...inputs: Parameters<M["forward"]>): ReturnType<M["forward"]> {
    return this.module.forward(...inputs) as ReturnType<M["forward"]>;
  }

  /**
   * Takes the model as it is now into the average. It runs with the next step or read.
   *
   * @param model the one that was copied, or another of the same layers, in a dispatch per tensor
   * @throws ValueError if it has other parameters
   * @see torch.optim.swa_utils.AveragedModel.update_parameters
   */
  updateParameters(model: M): void {
    const { avgFn, useBuffers = false } = this.options;
    const isFused = !avgFn && this.isSource(model);
    if (isFused) this.followers.run(() => this.keep);
    else this.averageEach(model.parameters(), this.module.parameters());
    if (!isFused || useBuffers) cannotReplay("averages a model tensor by tensor: call updateParameters outside");
    if (useBuffers) {
      this.averageEach(model.buffers(), this.module.buffers());
      this.averageCounters(model);
    }
    this.nAveraged.update((count) => count + 1);
  }

  /** How much of the average an update leaves. */
  private get keep(): number {
    const { value: n } = this.nAveraged;
    return n === 0 ? 0 : (this.options.decay ?? n / (n + 1));
  }

  private averageEach(current: readonly (Parameter | Buffer)[], averaged: readonly (Parameter | Buffer)[]): void {
    if (current.length !== averaged.length) {
      throw new ValueError(
        `AveragedModel: the model must have the parameters of the one that was copied, got ${current.length} for ${averaged.length}. Pass that one.`,
      );
    }
    averaged.forEach((average, index) => {
      average.assign(this.averageOf(average.detach(), current[index]!.detach()).to(average.dtype));
    });
  }

  private averageOf(averaged: Tensor, current: Tensor): Tensor {
    const { value: n } = this.nAveraged;
    const { avgFn, decay } = this.options;
    if (n === 0) return current;
    if (avgFn) return avgFn(averaged, current, n);
    if (decay !== undefined) return averaged.mul(decay).add(current.mul(1 - decay));
    return averaged.add(current.sub(averaged).div(n + 1));
  }

  /** Counts are the host's. */
  private averageCounters(model: Model): void {
    const current = [...countersOf(model)];
    [...countersOf(this.module)].forEach((counter, index) => {
      const { value } = current[index]!;
      const { keep } = this;
      counter.value = this.options.avgFn ? value : Math.trunc(Math.fround(counter.value * keep + value * (1 - keep)));
    });
  }
}

function* countersOf(model: Model): Generator<Counter> {
  for (const module of model.modules())
    for (const value of Object.values(module) as unknown[]) if (value instanceof Counter) yield value;
}
