/**
 * The order in which work reaches the device. Pipelines compile in the background, all at once; work that needs one which is not
 * there yet waits for it, and all that was asked for later waits behind it. Once everything is compiled, work goes out as it comes.
 */

import type { Pipeline } from "./pipeline";

/** Work that waits, and the pipelines that it needs. */
interface Waiting {
  readonly pipelines: readonly Pipeline[];
  start(): void;
  cancel(): void;
}

const isCompiling = ({ state }: Pipeline): boolean => state === "compiling";

export class Sequence {
  private readonly waiting: Waiting[] = [];

  /** @param fail is told what work without a result throws when its turn comes */
  constructor(private readonly fail: (error: unknown) => void) {}

  /** Whether what is asked for now has to wait. */
  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** Whether work that needs these pipelines has to wait. */
  mustWait(pipelines: readonly Pipeline[]): boolean {
    return this.isWaiting || pipelines.some(isCompiling);
  }

  /**
   * Does `work` after all that was asked for before, once the pipelines are there or have failed: at once, where they are.
   *
   * @returns what `work` returns; rejects where the device is destroyed before its turn
   */
  run<T>(work: () => Promise<T>, pipelines: readonly Pipeline[] = []): Promise<T> {
    if (!this.mustWait(pipelines)) return work();
    return new Promise((resolve, reject) => {
      this.waiting.push({
        pipelines,
        start: () => {
          // what `work` throws rejects, too
          new Promise<T>((done) => {
            done(work());
          }).then(resolve, reject);
        },
        cancel: () => {
          reject(new Error("the device was destroyed"));
        },
      });
    });
  }

  /** The same for work without a result. */
  do(work: () => void): void {
    this.push(work, () => undefined);
  }

  /** The same for what must happen, in its turn or when all is over: the end of a buffer. */
  end(work: () => void): void {
    this.push(work, work);
  }

  private push(work: () => void, cancel: () => void): void {
    if (!this.isWaiting) {
      work();
      return;
    }
    const start = (): void => {
      try {
        work();
      } catch (error) {
        this.fail(error);
      }
    };
    this.waiting.push({ pipelines: [], start, cancel });
  }

  /** Does what can be done by now: to be called when a pipeline is there or has failed. */
  advance(): void {
    while (this.waiting.length > 0 && !this.waiting[0]!.pipelines.some(isCompiling)) this.waiting.shift()!.start();
  }

  /** Nothing that waits will be done. */
  cancel(): void {
    for (const each of this.waiting.splice(0)) each.cancel();
  }
}
