/**
 * One training run at a time, in a worker of its own. Takes start, pause, resume and reset; gives states and the
 * worker's events. Draws nothing.
 */

import type { Command, ImagesSource, Request, TrainingEvent } from "./protocol";
import type { TrainingOptions } from "./training";

export type SessionState = "idle" | "running" | "paused" | "done" | "failed";

/** What listeners hear: the worker's events, and changes of state. */
export type SessionEvent = TrainingEvent | { readonly type: "state"; readonly state: SessionState };

interface StartOptions {
  readonly images?: ImagesSource;
  readonly features?: boolean;
  readonly linearProbe?: boolean;
  readonly report?: string | null;
  readonly resume?: Blob | null;
  readonly checkpoints?: boolean;
  readonly watch?: boolean;
}

/** Fashion-MNIST, which comes with the page. */
const embeddedImages = (): ImagesSource => ({
  kind: "fashionMnist",
  dataUrl: new URL(`${import.meta.env.BASE_URL}data/fashion-mnist/`, location.href).href,
});

export class Session {
  state: SessionState = "idle";
  private worker: Worker | null = null;
  private readonly listeners = new Set<(event: SessionEvent) => void>();

  /** Calls `listener` with every event from now on; the result ends that. */
  subscribe(listener: (event: SessionEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Starts a run; one that is under way is thrown away.
   * @param given.images default: those that come with the page
   * @param given.features whether they are wanted at the end
   * @param given.linearProbe whether a probe on all training images is wanted at the end
   * @param given.report the terminal's address, if one asked for the run
   * @param given.resume a checkpoint to go on from
   * @param given.checkpoints whether one is wanted at each evaluation
   * @param given.watch whether the queue and the device are to be told of
   */
  start(
    options: TrainingOptions,
    {
      images = embeddedImages(),
      features = false,
      linearProbe = false,
      report = null,
      resume = null,
      checkpoints = false,
      watch = true,
    }: StartOptions = {},
  ): void {
    this.endWorker();
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "training" });
    worker.onmessage = ({ data }: MessageEvent<TrainingEvent>) => this.receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      const message = event.message || "The training worker could not be loaded.";
      this.receive({ type: "error", name: "Error", message, isUsage: false });
    };
    this.worker = worker;
    this.enter("running");
    const tuningUrl = report && new URL(`${report}/tuning`, location.href).href;
    this.send({ type: "start", options, features, linearProbe, images, tuningUrl, resume, checkpoints, watch });
  }

  /** Stops after the step that is under way. */
  pause(): void {
    if (this.state !== "running") return;
    this.send({ type: "pause" });
    this.enter("paused");
  }

  /** One more step of a run that is paused. */
  step(): void {
    if (this.state === "paused") this.send({ type: "step" });
  }

  resume(): void {
    if (this.state !== "paused") return;
    this.send({ type: "resume" });
    this.enter("running");
  }

  /** Asks for something, which comes as an event. */
  ask(what: Request): void {
    this.send({ type: "ask", what });
  }

  /** Throws the run away; its device and memory go with the worker. */
  reset(): void {
    this.endWorker();
    this.enter("idle");
  }

  private receive(event: TrainingEvent): void {
    this.emit(event);
    if (event.type === "done") this.enter("done");
    if (event.type === "error") {
      this.endWorker();
      this.enter("failed");
    }
  }

  private enter(state: SessionState): void {
    this.state = state;
    this.emit({ type: "state", state });
  }

  private emit(event: SessionEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  private send(command: Command): void {
    this.worker?.postMessage(command);
  }

  private endWorker(): void {
    this.worker?.terminate();
    this.worker = null;
  }
}
