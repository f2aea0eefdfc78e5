/** Places of features in a plane, by UMAP: alike ones lie close. The same features get the same places. Draws nothing. */

import { ValueError } from "flywheel";
import { UMAP } from "umap-js";

/** Features of some images, each of length 1. */
export interface Directions {
  readonly count: number;
  readonly dim: number;
  /** `[count, dim]` */
  readonly features: Float32Array;
}

/** x and y of each image, by turns. */
export type Places = Float32Array<ArrayBuffer>;

/** Features that each one is kept close to; fewer if there are few. */
const NEIGHBOURS = 15;

/** Two points have no layout but a line. */
const FEWEST = 3;

const SEED = 1;

/** A layout under way: call `step` until it is done. */
export class Layout {
  private readonly umap: UMAP;
  /** Steps until it is done. */
  readonly steps: number;
  private done = 0;

  /** Finds the neighbours of each, which takes some time. */
  constructor({ count, dim, features }: Directions) {
    if (count < FEWEST)
      throw new ValueError(`A map needs at least ${FEWEST} test images, got ${count}. Choose data with more.`);
    const rows = Array.from({ length: count }, (_, row) => [...features.subarray(row * dim, (row + 1) * dim)]);
    this.umap = new UMAP({
      nNeighbors: Math.min(NEIGHBOURS, count - 1),
      distanceFn: cosineDistance,
      random: seededRandom(SEED),
    });
    this.steps = this.umap.initializeFit(rows);
  }

  get stepsDone(): number {
    return this.done;
  }

  get isDone(): boolean {
    return this.done >= this.steps;
  }

  step(): void {
    this.umap.step();
    this.done++;
  }

  /** As they are by now. */
  places(): Places {
    return Float32Array.from(this.umap.getEmbedding().flat());
  }
}

/** Of vectors of length 1. */
function cosineDistance(a: readonly number[], b: readonly number[]): number {
  let product = 0;
  for (let i = 0; i < a.length; i++) product += a[i]! * b[i]!;
  return Math.max(0, 1 - product); // rounding may take it below
}

/** Numbers from 0 to 1, always the same ones for a seed from 1: Lehmer's generator, with the factor of Park, Miller and Stockmeyer (1993). */
export function seededRandom(seed: number): () => number {
  const modulus = 2 ** 31 - 1;
  let state = seed;
  return () => {
    state = (48_271 * state) % modulus; // never 0, and exact: the product is below 2^53
    return (state - 1) / (modulus - 1);
  };
}
