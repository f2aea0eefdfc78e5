/** How far something long is, and how long it will take: of what comes in pieces of about the same length. Draws nothing. */

import type { Piece, PieceEvent } from "./protocol";

/** How far it is. */
export interface HowFar {
  /** 0 to 1. */
  readonly share: number;
  /** Null before there is a rate to tell. */
  readonly secondsLeft: number | null;
}

/** Hears how much is done, of how much. */
export type OnProgress = (done: number, count: number) => void;

/** Shortest time between two tellings, by default. */
const TELL_MS = 250;

export class Progress {
  /** The first piece compiles kernels: its time says nothing of the others'. */
  private first: { readonly done: number; readonly timeMs: number } | null = null;
  private toldMs = -Infinity;

  /**
   * @param tell hears of it, not too often, and of the end
   * @param now in ms
   * @param everyMs shortest time between two tellings
   */
  constructor(
    private readonly tell: (howFar: HowFar) => void,
    private readonly now: () => number = () => performance.now(),
    private readonly everyMs = TELL_MS,
  ) {}

  /**
   * @param done pieces that are done, of as many as `count`
   */
  at(done: number, count: number): void {
    const timeMs = this.now();
    this.first ??= { done, timeMs };
    if (done < count && timeMs - this.toldMs < this.everyMs) return;
    this.toldMs = timeMs;
    const since = done - this.first.done;
    const secondsLeft = since > 0 ? ((timeMs - this.first.timeMs) / since / 1000) * (count - done) : null;
    this.tell({ share: count === 0 ? 1 : done / count, secondsLeft });
  }
}

/** Tells how far a piece is. */
export function following(piece: Piece, emit: (event: PieceEvent) => void): OnProgress {
  const progress = new Progress((howFar) => emit({ type: "piece", piece, ...howFar }));
  return (done, count) => progress.at(done, count);
}
