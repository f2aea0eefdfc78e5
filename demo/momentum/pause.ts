/** Lets long computations share the page's thread: they pause now and then, and only the latest one that was asked for runs. */

import { nextTask } from "../gate";

/** Called between the steps of a computation. */
export type Pause = () => Promise<void>;

/** Never pauses. */
export const UNPAUSED: Pause = () => Promise.resolve();

/** How long a computation holds the thread at a time: half a frame. */
const TURN_MS = 8;

/** A pause for one computation. */
export function turns(): Pause {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < TURN_MS) return;
    await nextTask();
    sinceMs = performance.now();
  };
}

/** All computations of the page, one after the other. */
let queue: Promise<void> = Promise.resolve();

/** Resolves once nothing waits any more. */
export async function whenIdle(): Promise<void> {
  for (let last = null; last !== queue;) await (last = queue);
}

/** A computation that runs anew when asked to. Asked several times while it waits, it runs once. */
export class Recomputed {
  private isWaiting = false;

  /** @param job must not reject */
  constructor(private readonly job: (pause: Pause) => Promise<void>) {}

  /** @param afterMs how long more requests may come that count as one */
  ask(afterMs = 0): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    queue = queue.then(async () => {
      await (afterMs > 0 ? new Promise((resolve) => setTimeout(resolve, afterMs)) : nextTask());
      this.isWaiting = false;
      await this.job(turns());
    });
  }
}
