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
  private done = 0;
  private queued = 0;
  /** When the first step was done. */
  private firstMs = 0;
  /** When the last step of the warm-up was done. */
  private warmMs = 0;
  /** When the last steps were done, and the one before them. */
  private readonly recentMs: number[] = [0];
  /** What each of the last steps asked for. */
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

  /**
   * Call once it is, and the loss of the one before has been read.
   * @param counts whether what it asked of the device is what a step asks for
   */
  stepQueued(counts = true): void {
    this.queued++;
    if (this.queued <= this.warmUp || !counts) return;
    const now = this.device.counters();
    this.counted.push(
      Object.fromEntries(Object.entries(now).map(([name, total]) => [name, total - (this.before[name] ?? 0)])),
    );
    if (this.counted.length > LAST) this.counted.shift();
  }

  /** Call when the loss of a step has been read. */
  stepDone(): void {
    this.done++;
    this.recentMs.push(this.elapsedMs());
    if (this.recentMs.length > LAST + 1) this.recentMs.shift();
    if (this.done === 1) this.firstMs = this.recentMs.at(-1)!;
    if (this.done === this.warmUp) this.warmMs = this.recentMs.at(-1)!;
  }

  /** Over the last steps; null while there is none after the warm-up. */
  recentStepsPerSecond(): number | null {
    const count = Math.min(LAST, this.done - this.warmUp);
    return count < 1 ? null : this.rateSince(this.recentMs.at(-1 - count)!, count);
  }

  /** Of the first step, most of which compiles kernels. */
  firstStepSeconds(): number {
    return this.firstMs / 1000;
  }

  /** Over all steps but the warm-up. */
  stepsPerSecond(): number {
    return this.rateSince(this.warmMs, this.done - this.warmUp);
  }

  /** Over the last steps but the warm-up. */
  perStep(): PerStep {
    const last = this.counted;
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

  private rateSince(startMs: number, count: number): number {
    return (1000 * count) / (this.recentMs.at(-1)! - startMs);
  }

  private elapsedMs(): number {
    return this.activeMs + (this.runningSinceMs === null ? 0 : performance.now() - this.runningSinceMs);
  }
}
