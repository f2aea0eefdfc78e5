/**
 * One training run at a time, in a worker of its own. Takes start, pause, resume and reset; gives states and the
 * worker's events. Draws nothing.
 *
 * A run that goes on from a save has its worker beside the one that there is, until the save is found right.
 */

import type { Command, FailureEvent, ImagesSource, Request, TrainingEvent } from "./protocol";
import type { TrainingOptions } from "./training";

export type SessionState = "idle" | "checking" | "running" | "paused" | "done" | "failed";

/** What listeners hear: the worker's events, and changes of state. */
export type SessionEvent = TrainingEvent | { readonly type: "state"; readonly state: SessionState };

interface StartOptions {
  readonly images?: ImagesSource;
  readonly features?: boolean;
  readonly linearProbe?: boolean;
  readonly report?: string | null;
  readonly checkpoints?: boolean;
  readonly watch?: boolean;
}

/** A save that is being checked. */
interface Check {
  readonly worker: Worker;
  /** What the session goes back to if the save is not right. */
  before: "idle" | "done" | "failed";
  /** What the worker told so far. */
  readonly held: TrainingEvent[];
}

/** Fashion-MNIST, which comes with the page. */
const embeddedImages = (): ImagesSource => ({
  kind: "fashionMnist",
  dataUrl: new URL(`${import.meta.env.BASE_URL}data/fashion-mnist/`, location.href).href,
});

export class Session {
  state: SessionState = "idle";
  private worker: Worker | null = null;
  private check: Check | null = null;
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
   * @param given.checkpoints whether one is wanted at each evaluation
   * @param given.watch whether the queue and the device are to be told of
   */
  start(options: TrainingOptions, given: StartOptions = {}): void {
    this.endCheck();
    this.endWorker();
    this.worker = workerFor((event) => this.receive(event));
    this.enter("running");
    this.send(startCommand(options, given, null));
  }

  /**
   * Goes on from a save. What there is stays as it is until a `loaded` event tells that the save is right, and is thrown away then; after an
   * `error` event it simply stays. Does nothing while a run is under way.
   * @param given as `start` takes it
   */
  goOn(options: TrainingOptions, save: Blob, given: StartOptions = {}): void {
    const { state } = this;
    if (state === "running" || state === "paused" || state === "checking") return;
    const worker = workerFor((event) => this.receiveOf(check, event));
    const check: Check = { worker, before: state, held: [] };
    this.check = check;
    this.enter("checking");
    worker.postMessage(startCommand(options, given, save));
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

  /** Throws the run away; its device and memory go with the worker. While a save is checked: only that. */
  reset(): void {
    const before = this.endCheck();
    if (before === null) this.endWorker();
    this.enter(before ?? "idle");
  }

  private receive(event: TrainingEvent): void {
    this.emit(event);
    if (event.type === "done") this.enter("done");
    if (event.type !== "error") return;
    this.endWorker();
    if (this.check) this.check.before = "failed";
    else this.enter("failed");
  }

  /** Nobody hears of a save before it is found right, but how far its pieces are. */
  private receiveOf(check: Check, event: TrainingEvent): void {
    if (this.worker === check.worker) {
      this.receive(event);
    } else if (event.type === "loaded") {
      this.check = null;
      this.endWorker();
      this.worker = check.worker;
      this.emit(event);
      this.enter("running");
      for (const each of check.held) this.receive(each);
    } else if (event.type === "error") {
      this.enter(this.endCheck()!);
      this.emit(check.before === "done" ? withWayOut(event) : event);
    } else if (event.type === "piece") {
      this.emit(event);
    } else {
      check.held.push(event);
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

  /** Gives up a save that is being checked. @returns the state to go back to; null if there was none */
  private endCheck(): Check["before"] | null {
    const before = this.check?.before ?? null;
    this.check?.worker.terminate();
    this.check = null;
    return before;
  }
}

/** Two runs lie on the device while a save is checked. */
const withWayOut = (event: FailureEvent): FailureEvent =>
  event.name === "OutOfMemoryError"
    ? {
        ...event,
        message: `${event.message} Reset gives back what the run that is over holds: open the save again then.`,
      }
    : event;

/** A worker that waits for its run. */
function workerFor(receive: (event: TrainingEvent) => void): Worker {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "training" });
  worker.onmessage = ({ data }: MessageEvent<TrainingEvent>) => receive(data);
  worker.onerror = (event) => {
    event.preventDefault();
    const message = event.message || "The training worker could not be loaded.";
    receive({ type: "error", name: "Error", message, isUsage: false });
  };
  return worker;
}

function startCommand(
  options: TrainingOptions,
  { report = null, features = false, linearProbe = false, checkpoints = false, watch = true, images }: StartOptions,
  resume: Blob | null,
): Command {
  const tuningUrl = report && new URL(`${report}/tuning`, location.href).href;
  const wanted = { features, linearProbe, checkpoints, watch };
  return { type: "start", options, ...wanted, images: images ?? embeddedImages(), tuningUrl, resume };
}
