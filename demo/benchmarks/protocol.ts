/** What page and worker tell one another: plain data, no functions. A worker opens the device by itself, and runs once. */

import type { BenchmarkId } from "./catalogue";
import type { Machine, Measures, SamplesMs } from "./result";

/** Page to worker. */
export interface Command {
  readonly ids: readonly BenchmarkId[];
  readonly rounds: number;
}

/** Worker to page. */
export type BenchEvent = AdapterEvent | ProgressEvent | MeasuresEvent | RefusalEvent | DoneEvent | FailureEvent;

/** The first event where there is a GPU. */
export interface AdapterEvent extends Pick<Machine, "adapter" | "isSoftware"> {
  readonly type: "adapter";
  /** Of flywheel. */
  readonly version: string;
}

/** What is under way. */
export interface ProgressEvent {
  readonly type: "progress";
  readonly text: string;
  /** Done, 0 to 1. */
  readonly share: number;
  /** Null before it is known. */
  readonly leftMs: number | null;
}

/** All that is measured so far; nothing if what was has failed since. */
export interface MeasuresEvent extends Measures {
  readonly type: "measures";
  readonly samplesMs: SamplesMs;
}

/** A benchmark that is left out, and why; the run goes on. */
export interface RefusalEvent {
  readonly type: "refusal";
  /** A sentence for the user. */
  readonly message: string;
}

/** The last event of a run that ends well. */
export interface DoneEvent {
  readonly type: "done";
}

/** The last event of one that does not. */
export interface FailureEvent {
  readonly type: "error";
  /** A sentence for the user. */
  readonly message: string;
  /** No device could be opened. */
  readonly isMissing: boolean;
}
