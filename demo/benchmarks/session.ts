/** One run at a time, in a worker of its own that opens its device at once. Takes start and stop, gives states and the worker's events. */

import type { BenchEvent, Command } from "./protocol";

export type RunState = "idle" | "running" | "done" | "failed";

export class Session {
  state: RunState = "idle";
  private worker: Worker | null = null;

  constructor(
    private readonly onEvent: (event: BenchEvent) => void,
    private readonly onState: (state: RunState) => void,
  ) {
    this.openWorker(); // so that the page knows the adapter before it is asked to measure
  }

  start(command: Command): void {
    const worker = this.worker ?? this.openWorker();
    this.enter("running");
    worker.postMessage(command);
  }

  /** Ends a run where it is; what it has told so far stays. */
  stop(): void {
    this.end("done");
  }

  private openWorker(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "benchmarks" });
    worker.onmessage = ({ data }: MessageEvent<BenchEvent>) => this.receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      const message = event.message || "The worker that measures could not be loaded.";
      this.receive({ type: "error", message, isMissing: false });
    };
    this.worker = worker;
    return worker;
  }

  private receive(event: BenchEvent): void {
    this.onEvent(event);
    if (event.type === "done") this.end("done");
    if (event.type === "error") this.end("failed");
  }

  /** The device and its memory go with the worker. */
  private end(state: RunState): void {
    this.worker?.terminate();
    this.worker = null;
    this.enter(state);
  }

  private enter(state: RunState): void {
    this.state = state;
    this.onState(state);
  }
}
