/**
 * Which rows make the next batch: all of them once an epoch, in a random order that follows from a seed and the number of
 * the epoch. So a few numbers say where a training is, and it goes on from them in mid-epoch.
 */

import { StateDictError, ValueError } from "../errors";
import { checkCounts, checkOptionNames, describe } from "../options";
import { defaultGenerator, Generator, permutation } from "../random";

/** Options of `EpochSampler`. */
export interface EpochSamplerOptions {
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Whether the rows that do not fill a batch at the end of an epoch are left out; default true, as MoCo. */
  readonly dropLast?: boolean;
  /** Whether rows come in a random order; default true. */
  readonly shuffle?: boolean;
  /** Integer, 0 to 2^53, of which the orders follow; default: drawn from the device's generator, which `manualSeed` seeds. */
  readonly seed?: number;
}

/** Where a sampler is: part of a checkpoint, and fit for JSON. */
export interface EpochSamplerState {
  /** Epochs that are over. */
  readonly epoch: number;
  /** Rows of this epoch that were given out. */
  readonly position: number;
  readonly seed: number;
  readonly count: number;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly shuffle: boolean;
}

/** Where the words of orders begin: far from those that a generator of the same seed draws. */
const FIRST_BLOCK = 2 ** 52;

/**
 * Batches of row numbers, epoch after epoch. `next` gives them without end; a loop over the sampler gives what is left of the
 * current epoch, the whole of it at its start.
 *
 * @param count number of rows
 * @param options see EpochSamplerOptions
 * @throws ValueError if counts or the seed are no such integers, or a batch has more rows than there are and `dropLast` leaves none
 * @see torch.utils.data.RandomSampler and BatchSampler
 *
 * @example
 * const sampler = new EpochSampler(train.count, { batchSize: 256, seed: 0 });
 * for (let epoch = 0; epoch < 200; epoch++) {
 *   for (const rows of sampler) trainOn(tensor(rows)); // i32 [256]
 * }
 */
export class EpochSampler implements Iterable<Int32Array> {
  readonly batchSize: number;
  private readonly dropLast: boolean;
  private readonly shuffle: boolean;
  private seed: number;
  private epochsOver = 0;
  private given = 0;
  /** Of the current epoch, once somebody asks for it. */
  private order: Int32Array | null = null;

  constructor(
    readonly count: number,
    options: EpochSamplerOptions,
  ) {
    checkOptionNames("EpochSampler", options, ["batchSize", "dropLast", "shuffle", "seed"]);
    const given = Object(options) as EpochSamplerOptions; // callers without types may pass none
    const { batchSize, dropLast = true, shuffle = true } = given;
    checkCounts("EpochSampler", { count, batchSize });
    if (dropLast && batchSize > count) {
      throw new ValueError(
        `EpochSampler: batchSize must be at most the count, got ${batchSize} of ${count}. Take smaller batches, or dropLast: false.`,
      );
    }
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    this.shuffle = shuffle;
    const { seed = drawnSeed() } = given;
    new Generator(seed); // checks it
    this.seed = seed;
  }

  /** Epochs that are over. */
  get epoch(): number {
    return this.epochsOver;
  }

  /** Rows of this epoch that were given out. */
  get position(): number {
    return this.given;
  }

  /** Batches of a whole epoch. */
  get batchesPerEpoch(): number {
    const batches = this.count / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Rows of the next batch, `[batchSize]`, or fewer at the end of an epoch without `dropLast`. */
  next(): Int32Array {
    this.order ??= this.orderOf(this.epochsOver);
    const rows = this.order.slice(this.given, this.given + this.batchSize);
    this.given += rows.length;
    if (this.given + (this.dropLast ? this.batchSize : 1) > this.count) {
      this.epochsOver++;
      this.given = 0;
      this.order = null;
    }
    return rows;
  }

  /** The batches that are left of the current epoch. Who leaves the loop early goes on from there. */
  *[Symbol.iterator](): IterableIterator<Int32Array> {
    const epoch = this.epochsOver;
    while (this.epochsOver === epoch) yield this.next();
  }

  private orderOf(epoch: number): Int32Array {
    const { count, seed } = this;
    if (!this.shuffle) return Int32Array.from({ length: count }, (_, row) => row);
    const offset = FIRST_BLOCK + epoch * Math.ceil(count / 4); // four words a block, less than one word a row
    return permutation(count, new Generator().setState({ seed, offset }));
  }

  /** Where it is, for a checkpoint. */
  stateDict(): EpochSamplerState {
    const { epoch, position, seed, count, batchSize, dropLast, shuffle } = this;
    return { epoch, position, seed, count, batchSize, dropLast, shuffle };
  }

  /**
   * Goes on from a state, in mid-epoch too: the same batches follow.
   *
   * @throws StateDictError if it is the state of another kind of sampler, or none
   */
  loadStateDict(state: EpochSamplerState): void {
    const { count, batchSize, dropLast, shuffle } = this;
    const { epoch, position, seed, ...kind } = Object(state) as Partial<EpochSamplerState>;
    for (const [name, own] of Object.entries({ count, batchSize, dropLast, shuffle })) {
      const got: unknown = kind[name as keyof typeof kind];
      if (got !== own) {
        throw new StateDictError(
          `EpochSampler: ${name} of the state must be the sampler's ${own}, got ${describe(got)}. Make the sampler as it was saved.`,
        );
      }
    }
    for (const [name, value] of Object.entries({ epoch, position, seed })) {
      if (!Number.isSafeInteger(value) || value! < 0) throw stateError(name, "be an integer from 0 to 2^53", value);
    }
    if (FIRST_BLOCK + (epoch! + 1) * Math.ceil(count / 4) > 2 ** 53)
      throw stateError("epoch", "be one whose order can be drawn", epoch);
    const isStart = position! % batchSize === 0 && position! + (dropLast ? batchSize : 1) <= count;
    if (!isStart) throw stateError("position", `be where a batch of ${batchSize} of ${count} rows starts`, position);
    this.seed = seed!;
    this.epochsOver = epoch!;
    this.given = position!;
    this.order = null;
  }
}

const stateError = (name: string, what: string, value: unknown): StateDictError =>
  new StateDictError(
    `EpochSampler: ${name} of the state must ${what}, got ${describe(value)}. Pass what stateDict() gave.`,
  );

/** 53 bits of the default generator. */
function drawnSeed(): number {
  const [low, high] = defaultGenerator().drawOnHost(2) as unknown as [number, number];
  return (high % 2 ** 21) * 2 ** 32 + low;
}
