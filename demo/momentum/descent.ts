/** Gradient descent by flywheel's own SGD and autograd, step by step, on losses of one or two weights. */

import { stack, tensor, type Tensor } from "flywheel";
import { Parameter } from "flywheel/nn";
import { SGD, type SGDOptions } from "flywheel/optim";
import { type Pause, UNPAUSED } from "./pause";

const F64 = { dtype: "f64" } as const;

/** A loss of weights. @shape `[..., weights] -> [...]` */
export type Loss = (w: Tensor) => Tensor;

/** One descent: SGD's options, and perhaps another learning rate later. */
export interface Run extends Pick<SGDOptions, "lr"> {
  readonly momentum?: number;
  readonly dampening?: number;
  readonly nesterov?: boolean;
  readonly classical?: boolean;
  /** The rate after so many iterations. */
  readonly later?: { readonly after: number; readonly lr: number };
}

/** Where a descent was before each iteration and after the last: `[iterations + 1, weights]`. */
export type Path = readonly (readonly number[])[];

/**
 * Several descents from one start, side by side: each a group of one optimizer, so that one backward serves all.
 *
 * @param start the weights
 * @returns a path for each run
 * @throws ValueError for options that SGD refuses
 *
 * @example
 * const [path] = await descend(bowl, [2], [{ lr: 0.01, momentum: 0.9 }], 100);
 * path.at(-1); // near [0]
 */
export async function descend(
  loss: Loss,
  start: readonly number[],
  runs: readonly Run[],
  iterations: number,
  pause: Pause = UNPAUSED,
): Promise<Path[]> {
  const weights = runs.map(() => new Parameter(tensor(Float64Array.from(start), F64)));
  const groups = runs.map(({ later: _, ...options }, i) => ({ params: [weights[i]!], ...options }));
  const optimizer = new SGD(groups, { lr: 0 }); // each group has its own
  const paths: number[][][] = runs.map(() => [[...start]]);
  for (let iteration = 0; iteration < iterations; iteration++) {
    runs.forEach(({ later }, i) => {
      if (later?.after === iteration) optimizer.paramGroups[i]!.lr = later.lr;
    });
    optimizer.zeroGrad();
    loss(stack(weights)).sum().backward(); // a sum: each run's gradient is its own
    optimizer.step();
    const now = await Promise.all(weights.map((w) => w.data()));
    now.forEach((w, i) => paths[i]!.push(Array.from(w, Number)));
    await pause();
  }
  return paths;
}

/** The loss at each place of a path. */
export async function lossesOf(loss: Loss, path: Path): Promise<number[]> {
  const places = tensor(Float64Array.from(path.flat()), { ...F64, shape: [path.length, path[0]!.length] });
  return Array.from(await loss(places).data(), Number);
}

/** The iteration from which on a path stays within `distance` of a place; null if it does not. */
export function settledAt(path: Path, place: readonly number[], distance: number): number | null {
  const isNear = (w: readonly number[]): boolean => Math.hypot(...w.map((each, i) => each - place[i]!)) <= distance;
  const last = path.findLastIndex((w) => !isNear(w)); // NaN is near nothing
  return last === path.length - 1 ? null : last + 1;
}
