/** Measures a training: how fast it goes, and what it asks of the device. Pauses and evaluations do not count. */

import type { Device } from "flywheel";

/** Steps at the start that compile kernels and fill caches; fewer if there are few. */
const WARM_UP = 5;

/** Steps that averages are over. */
const LAST = 20;

/** What one step asks of the device, on average; null where the device does not count it. */
export interface PerStep {
  readonly dispatchesPerStep: number | null;
  readonly submitsPerStep: number | null;
  readonly buffersCreatedPerStep: number | null;
}

type Counters = Readonly<Record<string, number>>;

export class Meter {
  private readonly doneMs: number[] = [];
  private readonly counted: Counters[] = [];
  private runningSinceMs: number | null = null;
  private activeMs = 0;
  private before: Counters = {};

  /**
   * Steps that do not count. Wait for the last of them before the next is queued: otherwise part of it counts.
   */
  readonly warmUp: number;

  constructor(
    private readonly device: Device,
    steps: number,
  ) {
    this.warmUp = Math.min(WARM_UP, Math.floor(steps / 2));
  }

  /** Time counts from now on. */
  resume(): void {
    this.runningSinceMs ??= performance.now();
  }

  /** Time does not count until `resume`. */
  pause(): void {
    this.activeMs = this.elapsedMs();
    this.runningSinceMs = null;
  }

  /** Call before a step is queued. */
  stepBegins(): void {
    this.before = { ...this.device.counters() };
  }

  /** Call once it is, and the loss of the one before has been read. */
  stepQueued(): void {
    const now = this.device.counters();
    this.counted.push(
      Object.fromEntries(Object.entries(now).map(([name, total]) => [name, total - (this.before[name] ?? 0)])),
    );
  }

  /** Call when the loss of a step has been read. */
  stepDone(): void {
    this.doneMs.push(this.elapsedMs());
  }

  /** Over the last steps; null while there is none after the warm-up. */
  recentStepsPerSecond(): number | null {
    const count = Math.min(LAST, this.doneMs.length - this.warmUp);
    return count < 1 ? null : this.rateOver(count);
  }

  /** Over all steps but the warm-up. */
  stepsPerSecond(): number {
    return this.rateOver(this.doneMs.length - this.warmUp);
  }

  /** Over the last steps but the warm-up. */
  perStep(): PerStep {
    const last = this.counted.slice(this.warmUp).slice(-LAST);
    const mean = (name: string): number | null =>
      last.every((counters) => name in counters)
        ? last.reduce((sum, counters) => sum + counters[name]!, 0) / last.length
        : null;
    return {
      dispatchesPerStep: mean("dispatches"),
      submitsPerStep: mean("submits"),
      buffersCreatedPerStep: mean("buffersCreated"),
    };
  }

  private rateOver(count: number): number {
    return (1000 * count) / (this.doneMs.at(-1)! - (this.doneMs.at(-1 - count) ?? 0));
  }

  private elapsedMs(): number {
    return this.activeMs + (this.runningSinceMs === null ? 0 : performance.now() - this.runningSinceMs);
  }
}
