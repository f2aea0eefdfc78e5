/**
 * What a compiled function does on the host, noted while it is recorded so that a replay can do it again: actions, and where
 * numbers and arrays come from that change from call to call. Outside of a recording all of this just runs.
 */

import type { DType, TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import type { Shape } from "../graph/shape";
import { fromHost, scalar } from "../ops/leaf";
import type { Recording } from "./recording";

let current: Recording | null = null;
/** Actions that are running, one in the other. */
let depth = 0;

/** The recording under way; null while there is none, or while an action runs, which a replay repeats as a whole. */
export const recording = (): Recording | null => (depth === 0 ? current : null);

/** The recording under way, actions or not. */
export const recordingAround = (): Recording | null => current;

/** Runs `body` while `into` notes what it does. */
export function record<T>(into: Recording, body: () => T): T {
  current = into;
  try {
    return body();
  } finally {
    current = null;
  }
}

/**
 * Runs something that changes state of the host, or pushes an update of arenas, now and at every replay. It may read whatever
 * it likes; what it computes reaches graphs by `hostScalar` and `hostArray` only.
 */
export function hostAction(run: () => void): void {
  const into = recording();
  into?.beforeAction();
  depth++;
  try {
    run();
  } finally {
    depth--;
  }
  into?.action(run);
}

/** A number that is another one at every call, as a node of rank 0. @param read gives it; in order with the actions */
export function hostScalar(read: () => number, dtype: DType = "f32"): Node {
  const node = scalar(read(), dtype);
  recording()?.source(node, { read, dtype, shape: null });
  return node;
}

/** An array that is another one at every call. @param read gives a new one, of the shape's size and the dtype's kind */
export function hostArray(read: () => TypedArray, shape: Shape, dtype: DType): Node {
  const node = fromHost(read(), shape, dtype);
  recording()?.source(node, { read, dtype, shape });
  return node;
}

/** Runs a check that throws, now; calls that it would refuse are not replayed, so that they throw where they should. */
export function hostCheck(check: () => void): void {
  check();
  recording()?.guard(() => {
    try {
      check();
      return true;
    } catch {
      return false;
    }
  });
}

/** Notes what a recording takes for granted: a replay is for calls for which it holds. */
export function hostGuard(holds: () => boolean): void {
  recording()?.guard(holds);
}

/** Notes a value that an action was given and would be given again at every replay, so that it is missed if it changes. */
export function hostConstant(name: string, value: number | string): void {
  recording()?.constant(name, value);
}

/** Notes why what runs now cannot be replayed. @param reason completes "fn ..." */
export function cannotReplay(reason: string): void {
  recording()?.refuse(reason);
}
