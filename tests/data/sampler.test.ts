import { describe, expect, test } from "vitest";
import { EpochSampler, type EpochSamplerState } from "../../src/data";
import { StateDictError, ValueError } from "../../src/errors";
import { defaultGenerator, Generator, manualSeed, permutation } from "../../src/random";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

const batches = (sampler: EpochSampler, count: number): number[][] =>
  Array.from({ length: count }, () => [...sampler.next()]);

const ascending = (rows: Iterable<number>): number[] => [...rows].toSorted((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, row) => row);

describe("EpochSampler", () => {
  test("gives every row once an epoch, each epoch in another order", () => {
    const sampler = new EpochSampler(12, { batchSize: 4, seed: 7 });
    const epochs = [0, 1].map(() => batches(sampler, 3).flat());
    for (const rows of epochs) expect(ascending(rows)).toEqual(upTo(12));
    expect(epochs[1]).not.toEqual(epochs[0]);
    expect(epochs[0]).not.toEqual(upTo(12));
    expect([sampler.epoch, sampler.position, sampler.batchesPerEpoch]).toEqual([2, 0, 3]);
  });

  test("gives the permutation of its own words", () => {
    const order = permutation(10, new Generator().setState({ seed: 5, offset: 2 ** 52 + 3 }));
    const sampler = new EpochSampler(10, { batchSize: 10, seed: 5 });
    sampler.next();
    expect(sampler.next()).toEqual(order); // of epoch 1
  });

  test("leaves out what fills no batch, or gives it last", () => {
    expect(batches(new EpochSampler(11, { batchSize: 4, seed: 0 }), 3).map((rows) => rows.length)).toEqual([4, 4, 4]);
    const whole = new EpochSampler(11, { batchSize: 4, dropLast: false, seed: 0 });
    const rows = batches(whole, 3);
    expect(rows.map(({ length }) => length)).toEqual([4, 4, 3]);
    expect(ascending(rows.flat())).toEqual(upTo(11));
    expect(whole.batchesPerEpoch).toBe(3);
    expect([...new EpochSampler(3, { batchSize: 4, dropLast: false, seed: 0 })]).toHaveLength(1);
  });

  test("gives rows in order without shuffling", () => {
    const sampler = new EpochSampler(5, { batchSize: 2, shuffle: false, dropLast: false });
    expect([...sampler].map((rows) => [...rows])).toEqual([[0, 1], [2, 3], [4]]);
  });

  test("a loop gives what is left of the epoch, and goes on where it was left", () => {
    const sampler = new EpochSampler(12, { batchSize: 4, seed: 1 });
    const whole = batches(new EpochSampler(12, { batchSize: 4, seed: 1 }), 6);
    const seen: number[][] = [];
    for (const rows of sampler) {
      seen.push([...rows]);
      break;
    }
    for (const rows of sampler) seen.push([...rows]);
    expect(seen).toEqual(whole.slice(0, 3));
    for (const rows of sampler) seen.push([...rows]);
    expect(seen).toEqual(whole);
  });

  test.each([true, false])("goes on from a state at every place, dropLast %s", (dropLast) => {
    const sampler = new EpochSampler(11, { batchSize: 4, dropLast, seed: 3 });
    for (let step = 0; step < 8; step++) {
      const state = JSON.parse(JSON.stringify(sampler.stateDict())) as EpochSamplerState;
      const after = new EpochSampler(11, { batchSize: 4, dropLast, seed: 99 });
      after.next(); // somewhere else
      after.loadStateDict(state);
      expect(after.stateDict()).toEqual(state);
      const ahead = new EpochSampler(11, { batchSize: 4, dropLast, seed: 3 });
      batches(ahead, step);
      expect(batches(after, 7)).toEqual(batches(ahead, 7));
      sampler.next();
    }
  });

  test("takes its seed from the default generator", () => {
    const drawn = (seed: number): number[][] => {
      manualSeed(seed);
      return batches(new EpochSampler(20, { batchSize: 5 }), 4);
    };
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    manualSeed(1);
    const [a, b] = [new EpochSampler(20, { batchSize: 5 }), new EpochSampler(20, { batchSize: 5 })];
    expect(a.stateDict().seed).not.toBe(b.stateDict().seed);
    const { offset } = defaultGenerator().getState();
    a.next();
    expect(defaultGenerator().getState().offset).toBe(offset); // nobody else's draws change
  });

  test("says what is wrong", () => {
    expect(() => new EpochSampler(0, { batchSize: 1 })).toThrow(
      "EpochSampler: count must be a positive integer, got 0.",
    );
    for (const make of [() => new EpochSampler(5, undefined as never), () => new EpochSampler(5, {} as never)]) {
      expect(make).toThrow(ValueError);
      expect(make).toThrow("batchSize must be a positive integer, got undefined.");
    }
    expect(() => new EpochSampler(4, { batchSize: 1.5 })).toThrow(ValueError);
    expect(() => new EpochSampler(4, { batchSize: 5 })).toThrow("batchSize must be at most the count, got 5 of 4.");
    expect(() => new EpochSampler(4, { batchSize: 2, seed: -1 })).toThrow(ValueError);
    expect(() => new EpochSampler(4, { batchSize: 2, drop_last: true } as never)).toThrow("Write dropLast.");

    const sampler = new EpochSampler(11, { batchSize: 4, seed: 0 });
    sampler.next();
    const state = sampler.stateDict();
    const wrong: [object, string][] = [
      [{ batchSize: 2 }, "batchSize of the state must be the sampler's 4, got 2."],
      [{ count: 12 }, "count of the state must be the sampler's 11, got 12."],
      [{ dropLast: false }, "dropLast of the state must be the sampler's true, got false."],
      [{ position: 3 }, "position of the state must be where a batch of 4 of 11 rows starts, got 3."],
      [{ position: 8 }, "position of the state must be where a batch"],
      [{ epoch: 0.5 }, "epoch of the state must be an integer from 0 to 2^53, got 0.5."],
      [{ seed: undefined }, "seed of the state must be an integer from 0 to 2^53, got undefined."],
    ];
    for (const [change, message] of wrong) {
      expect(() => sampler.loadStateDict({ ...state, ...change })).toThrow(message);
      expect(() => sampler.loadStateDict({ ...state, ...change })).toThrow(StateDictError);
    }
    expect(() => sampler.loadStateDict(null as never)).toThrow(StateDictError);
    expect(sampler.stateDict()).toEqual(state);
  });
});
