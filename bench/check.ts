/**
 * Whether an output is what it should be. A kernel that did not run, or ran on part of its output, must not look fast: so
 * outputs are filled with NaN before, every element is looked at, and many are computed again on the CPU.
 */

/** Elements that are computed again, beside the first and last ones. */
const SAMPLES = 2000;
const EDGES = 64;

export interface Expected {
  /** What element `index` should be, computed in f64. */
  readonly at: (index: number) => number;
  /** How far from it an element may be: a share of it, and at least `absolute`. Default 1e-5 and 1e-5. */
  readonly relative?: number;
  readonly absolute?: number;
}

/**
 * Compares an output with what it should be.
 *
 * @throws Error that tells how many elements are wrong, and the worst one
 */
export function checkOutput(output: ArrayLike<number>, length: number, expected: Expected): void {
  if (output.length !== length) throw new Error(`the output must have ${length} elements, got ${output.length}.`);
  for (let index = 0; index < length; index++) {
    if (!Number.isFinite(output[index]!)) throw new Error(`element ${index} must be finite, got ${output[index]}.`);
  }
  const { at, relative = 1e-5, absolute = 1e-5 } = expected;
  const excess = (index: number): number => {
    const wanted = at(index);
    return Math.abs(output[index]! - wanted) / Math.max(absolute, relative * Math.abs(wanted));
  };
  const indices = sampleOf(length);
  const wrong = indices.filter((index) => !(excess(index) <= 1));
  if (wrong.length === 0) return;
  const worst = wrong.reduce((a, b) => (excess(b) > excess(a) ? b : a));
  throw new Error(
    `${wrong.length} of ${indices.length} elements are wrong, worst at ${worst}: got ${output[worst]}, wanted ${at(worst)}.`,
  );
}

/** Both ends, and elements spread over all residues in between. */
function sampleOf(length: number): number[] {
  if (length <= SAMPLES + 2 * EDGES) return Array.from({ length }, (_, index) => index);
  const random = randomNumbers(length);
  const inside = Array.from({ length: SAMPLES }, () => Math.floor(random() * length));
  const edges = Array.from({ length: EDGES }, (_, index) => [index, length - 1 - index]).flat();
  return [...edges, ...inside];
}

/** Numbers in [0, 1) that are the same in every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** `count` numbers between `low` and `high`. */
export function randomArray(count: number, { low = -1, high = 1, seed = 1 } = {}): Float32Array<ArrayBuffer> {
  const random = randomNumbers(seed);
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) values[index] = low + (high - low) * random();
  return values;
}
