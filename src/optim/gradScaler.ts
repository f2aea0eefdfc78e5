/** Scales losses so that gradients of f16 do not vanish, and finds the scale by trying. */

import { stack } from "../combine";
import { DTypeError, ValueError } from "../errors";
import { cannotReplay, hostScalar } from "../hostState";
import { checkNumber, checkOptionNames, checkSwitch, describe } from "../options";
import { Buffer } from "../parameter";
import { Tensor } from "../tensor";
import { Optimizer } from "./optimizer";

/** Options of GradScaler, PyTorch's names. */
export interface GradScalerOptions {
  /** First scale; default 2^16. */
  readonly initScale?: number;
  /** Factor after `growthInterval` steps in a row without infinity or NaN; above 1, default 2. */
  readonly growthFactor?: number;
  /** Factor after a step with infinity or NaN; below 1, default 0.5. */
  readonly backoffFactor?: number;
  /** Default 2000. */
  readonly growthInterval?: number;
  /** Whether it does anything; default true. Without it, `step` is the optimizer's. */
  readonly enabled?: boolean;
}

/** What a GradScaler must remember, in PyTorch's words; empty where it is not enabled. */
export interface GradScalerState {
  scale: number;
  growth_factor: number;
  backoff_factor: number;
  growth_interval: number;
  _growth_tracker: number;
}

const DEFAULTS = { initScale: 2 ** 16, growthFactor: 2, backoffFactor: 0.5, growthInterval: 2000, enabled: true };

/** Losses, alone or in lists. */
type Scalable = Tensor | readonly Scalable[];

/** What became of an optimizer since the last `update`. */
interface Record {
  stage: "ready" | "unscaled" | "stepped";
  /** Whether a gradient was not finite: a tensor until somebody has read it; null before gradients were looked at. */
  found: Tensor | boolean | null;
}

/**
 * Multiplies losses by a scale, so that small gradients are numbers that f16 has; divides gradients by it before a step, and leaves out
 * the steps whose gradients are not finite. The scale is halved after such a step, and doubled after many good ones. **Experimental**,
 * as f16 is.
 *
 * - `scale(outputs)`: the outputs times the scale; a tensor, or tensors in lists.
 * - `unscale(optimizer)`: divides the gradients, for those who clip them before the step.
 * - `step(optimizer)`: the optimizer's step, unless a gradient is infinite or NaN. It reads that from the device: await it.
 * - `update()`: the scale for the next step, once a step, after all optimizers'.
 * - `getScale()`, `stateDict()`, `loadStateDict(state)`, and PyTorch's other getters and setters.
 *
 * @param options see GradScalerOptions
 * @throws ValueError if a factor is on the wrong side of 1
 * @see torch.amp.GradScaler
 *
 * @example
 * const scaler = new GradScaler();
 * optimizer.zeroGrad();
 * const loss = autocast(() => F.crossEntropy(model.forward(images), labels));
 * scaler.scale(loss).backward();
 * await scaler.step(optimizer);
 * await scaler.update();
 */
export class GradScaler {
  private readonly enabled: boolean;
  private growthFactor: number;
  private backoffFactor: number;
  private growthInterval: number;
  private current: number;
  private growthTracker = 0;
  /** Whether anything was scaled: PyTorch makes its scale only then. */
  private isInUse = false;
  private records = new Map<Optimizer, Record>();
  /** Whether a step waits for the device: what is scaled or divided meanwhile would mix with it. */
  private isStepping = false;
  /** What is known of each optimizer's gradients: state, so that it can be read whatever is written to them afterwards. */
  private readonly flags = new WeakMap<Optimizer, Buffer>();

  constructor(options: GradScalerOptions = {}) {
    checkOptionNames("GradScaler", options, Object.keys(DEFAULTS));
    const { initScale, growthFactor, backoffFactor, growthInterval, enabled } = { ...DEFAULTS, ...options };
    checkSwitch("GradScaler", "enabled", enabled);
    for (const [name, value] of Object.entries({ initScale, growthFactor, backoffFactor, growthInterval }))
      checkNumber("GradScaler", name, value);
    if (enabled) {
      checkGrowth("GradScaler", growthFactor);
      checkBackoff("GradScaler", backoffFactor);
    }
    this.enabled = enabled;
    this.current = Math.fround(initScale);
    this.growthFactor = growthFactor;
    this.backoffFactor = backoffFactor;
    this.growthInterval = growthInterval;
  }

  /**
   * The outputs times the scale.
   *
   * @throws DTypeError for what is neither a tensor nor a list of them
   * @throws ValueError while a step is on its way
   * @see torch.amp.GradScaler.scale
   */
  scale<T extends Scalable>(outputs: T): T {
    if (!this.enabled) return outputs;
    this.checkSettled("scale");
    this.isInUse = true;
    return this.scaled(outputs) as T;
  }

  private scaled(outputs: Scalable): Scalable {
    if (outputs instanceof Tensor) return outputs.mul(hostScalar(() => this.current, "f32", outputs.device));
    if (Array.isArray(outputs)) return (outputs as readonly Scalable[]).map((each) => this.scaled(each));
    throw new DTypeError(`scale: it takes a tensor, or a list of tensors, got ${describe(outputs)}. Pass the loss.`);
  }

  /**
   * Divides the gradients of an optimizer's parameters by the scale, in place. `step` does it where nobody did.
   *
   * @throws ValueError after `unscale` or `step` of the same optimizer, until `update`, before anything was scaled, and while a step is on its way
   * @see torch.amp.GradScaler.unscale_
   *
   * @example
   * scaler.unscale(optimizer);
   * nn.utils.clipGradNorm_(model.parameters(), 1);
   * await scaler.step(optimizer);
   */
  unscale(optimizer: Optimizer): void {
    if (!this.enabled) return;
    checkOptimizer("unscale", optimizer);
    cannotReplay("must not divide gradients with a GradScaler, which notes on the host that it did");
    this.checkSettled("unscale");
    this.checkInUse("unscale");
    const record = this.recordOf(optimizer);
    if (record.stage !== "ready") {
      const after = record.stage === "unscaled" ? "unscale" : "step";
      throw new ValueError(
        `unscale: it must come first and once a step, got it after ${after} of the same optimizer. Call update() in between.`,
      );
    }
    record.found = this.divideGradients(optimizer);
    record.stage = "unscaled";
  }

  /** Divides all gradients; gives whether one was not finite before, null for no gradients. */
  private divideGradients(optimizer: Optimizer): Tensor | null {
    const inverse = (): number => Math.fround(1 / this.current);
    const parameters = optimizer.paramGroups.flatMap(({ params }) => params).filter(({ grad }) => grad !== null);
    if (parameters.length === 0) return null;
    const isWrong = parameters.map(({ grad }) => grad!.detach().isfinite().logicalNot().any());
    const flag = this.flagOf(optimizer, stack(isWrong).any());
    for (const parameter of parameters)
      parameter.grad = parameter.grad!.detach().mul(hostScalar(inverse, "f32", parameter.device));
    return flag;
  }

  private flagOf(optimizer: Optimizer, value: Tensor): Buffer {
    let flag = this.flags.get(optimizer);
    if (flag) flag.assign(value);
    else this.flags.set(optimizer, (flag = new Buffer(value)));
    return flag;
  }

  /**
   * The optimizer's step, unless one of its gradients is infinite or NaN; divides the gradients first, where `unscale` did not.
   *
   * @throws ValueError a second time before `update`, for no gradients, before anything was scaled, and while another step is on its way
   * @see torch.amp.GradScaler.step
   */
  async step(optimizer: Optimizer): Promise<void> {
    checkOptimizer("step", optimizer);
    if (!this.enabled) {
      optimizer.step();
      return;
    }
    cannotReplay("must not step with a GradScaler, which reads from the device whether gradients are finite");
    this.checkSettled("step");
    this.checkInUse("step");
    const record = this.recordOf(optimizer);
    if (record.stage === "stepped") {
      throw new ValueError("step: it must come once a step, got it twice for one optimizer. Call update() in between.");
    }
    if (record.stage === "ready") this.unscale(optimizer);
    if (record.found === null) {
      throw new ValueError(
        "step: some parameter must have a gradient, got an optimizer without one. Call backward first.",
      );
    }
    record.stage = "stepped";
    const { engine } = optimizer.device;
    this.isStepping = true;
    try {
      engine.endStep(); // losses too: read with the flag alone, they would run the forward pass again
      if (await read(record)) engine.endStep();
      else optimizer.step();
    } finally {
      this.isStepping = false;
    }
  }

  /**
   * Sets the scale for the next step: less after gradients that were not finite, more after many that were.
   *
   * @param newScale a scale to go on with instead
   * @throws ValueError if no optimizer looked at its gradients since the last one, before anything was scaled, and while a step is on its way
   * @see torch.amp.GradScaler.update
   */
  async update(newScale?: number): Promise<void> {
    if (!this.enabled) return;
    this.checkSettled("update");
    this.checkInUse("update");
    const records = [...this.records.values()].filter(({ found }) => found !== null);
    if (newScale !== undefined) {
      checkNumber("update", "newScale", newScale);
      this.current = Math.fround(newScale);
    } else if (records.length === 0) {
      throw new ValueError(
        "update: there must have been a step since the last one, got none. Call step(optimizer) first.",
      );
    } else {
      const known = records.map(({ found }) => found);
      // where all is known, nothing waits: the scale is there also for those who do not
      const found = known.every((each) => typeof each === "boolean") ? known : await Promise.all(records.map(read));
      this.adapt(found.includes(true));
    }
    this.records = new Map();
  }

  /** In f32, as PyTorch's kernel. */
  private adapt(wasFound: boolean): void {
    if (wasFound) {
      this.current = Math.fround(this.current * this.backoffFactor);
      this.growthTracker = 0;
      return;
    }
    this.growthTracker++;
    if (this.growthTracker !== this.growthInterval) return;
    const grown = Math.fround(this.current * this.growthFactor);
    if (Number.isFinite(grown)) this.current = grown;
    this.growthTracker = 0;
  }

  private recordOf(optimizer: Optimizer): Record {
    let record = this.records.get(optimizer);
    if (!record) this.records.set(optimizer, (record = { stage: "ready", found: null }));
    return record;
  }

  private checkSettled(op: string): void {
    if (!this.isStepping) return;
    throw new ValueError(
      `${op}: steps must be over first, got it while one is on its way. Write await scaler.step(optimizer).`,
    );
  }

  private checkInUse(op: string): void {
    if (this.isInUse) return;
    throw new ValueError(
      `${op}: a loss must be scaled first, got a GradScaler that has scaled none. Call scale(loss).backward().`,
    );
  }

  /** The scale; 1 where it is not enabled. @see torch.amp.GradScaler.get_scale */
  getScale(): number {
    return this.enabled ? this.current : 1;
  }

  /** @see torch.amp.GradScaler.get_growth_factor */
  getGrowthFactor(): number {
    return this.growthFactor;
  }

  /** @throws ValueError if it is not above 1. @see torch.amp.GradScaler.set_growth_factor */
  setGrowthFactor(value: number): void {
    checkNumber("setGrowthFactor", "growthFactor", value);
    checkGrowth("setGrowthFactor", value);
    this.growthFactor = value;
  }

  /** @see torch.amp.GradScaler.get_backoff_factor */
  getBackoffFactor(): number {
    return this.backoffFactor;
  }

  /** @throws ValueError if it is not below 1. @see torch.amp.GradScaler.set_backoff_factor */
  setBackoffFactor(value: number): void {
    checkNumber("setBackoffFactor", "backoffFactor", value);
    checkBackoff("setBackoffFactor", value);
    this.backoffFactor = value;
  }

  /** @see torch.amp.GradScaler.get_growth_interval */
  getGrowthInterval(): number {
    return this.growthInterval;
  }

  /** @see torch.amp.GradScaler.set_growth_interval */
  setGrowthInterval(value: number): void {
    checkNumber("setGrowthInterval", "growthInterval", value);
    this.growthInterval = value;
  }

  /** Whether it does anything. @see torch.amp.GradScaler.is_enabled */
  isEnabled(): boolean {
    return this.enabled;
  }

  /** Scale, factors and counts, in PyTorch's words; empty where it is not enabled. @see torch.amp.GradScaler.state_dict */
  stateDict(): GradScalerState | Partial<GradScalerState> {
    if (!this.enabled) return {};
    return {
      scale: this.current,
      growth_factor: this.growthFactor,
      backoff_factor: this.backoffFactor,
      growth_interval: this.growthInterval,
      _growth_tracker: this.growthTracker,
    };
  }

  /**
   * Takes back what `stateDict` gave. Does nothing where it is not enabled.
   *
   * @throws ValueError if a number is missing, as from a GradScaler that was not enabled
   * @see torch.amp.GradScaler.load_state_dict
   */
  loadStateDict(state: Partial<GradScalerState>): void {
    if (!this.enabled) return;
    const names = ["scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"] as const;
    const missing = names.filter((name) => typeof (state as Partial<GradScalerState> | undefined)?.[name] !== "number");
    if (missing.length > 0) {
      throw new ValueError(
        `loadStateDict: a GradScaler's state must have the numbers ${names.join(", ")}, got none for ${missing.join(", ")}. ` +
          "Pass what stateDict() gave; that of a GradScaler that is not enabled is empty.",
      );
    }
    const complete = state as GradScalerState;
    this.current = Math.fround(complete.scale);
    this.growthFactor = complete.growth_factor;
    this.backoffFactor = complete.backoff_factor;
    this.growthInterval = complete.growth_interval;
    this.growthTracker = complete._growth_tracker;
  }
}

/** Whether a gradient was not finite, once it is known. */
async function read(record: Record): Promise<boolean> {
  if (record.found instanceof Tensor) record.found = (await record.found.item()) !== 0;
  return record.found === true;
}

function checkGrowth(op: string, value: number): void {
  if (value > 1) return;
  throw new ValueError(`${op}: growthFactor must be above 1, got ${value}. PyTorch's is 2.`);
}

function checkBackoff(op: string, value: number): void {
  if (value < 1) return;
  throw new ValueError(`${op}: backoffFactor must be below 1, got ${value}. PyTorch's is 0.5.`);
}

/** Callers without types may pass anything. */
function checkOptimizer(op: string, optimizer: unknown): void {
  if (optimizer instanceof Optimizer) return;
  throw new DTypeError(
    `${op}: it takes an optimizer, got ${describe(optimizer)}. Pass the one whose parameters the loss trains.`,
  );
}
