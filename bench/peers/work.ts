/** One row of the comparison: what goes in, and whether what comes out is right. */

import { checkOutput, type Expected, randomArray } from "../check";
import type { HostTensor, Inputs, Kind, Outputs } from "./library";

/** What the first runs of a task have given. */
export interface Results {
  /** By run. */
  readonly reads: readonly Outputs[];
  /** After them. */
  readonly state: Outputs | null;
}

export interface Work<K extends Kind = Kind> {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  readonly kind: K;
  /** Of one run. */
  readonly flops: number;
  /** How many runs are looked at: of training three, as what follows from a wrong gradient is a wrong second loss. */
  readonly checkedRuns: number;
  /** Whether it is left out unless it is asked for by name. */
  readonly isLong?: boolean;
  /** A smaller work of the same kind: checked in place of this one, which would take minutes in plain loops. */
  readonly standIn?: Work<K>;
  /** The same ones each time. */
  readonly inputs: () => Inputs[K];
  /** @throws Error that says what is wrong */
  readonly check: (results: Results) => void;
}

/** A work whose inputs, and what must come out of them, are made once, when they are first needed. */
export function defineWork<K extends Kind, E>({
  inputs,
  expected,
  compare,
  ...work
}: Omit<Work<K>, "check"> & {
  readonly expected: (inputs: Inputs[K]) => E;
  readonly compare: (expected: E, results: Results) => void;
}): Work<K> {
  const inputsOnce = once(inputs);
  const expectedOnce = once(() => expected(inputsOnce()));
  return { ...work, inputs: inputsOnce, check: (results) => compare(expectedOnce(), results) };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Numbers between `low` and `high`, the same in every run. */
export const random = (
  shape: readonly number[],
  options: { seed: number; low?: number; high?: number },
): HostTensor => ({ shape, data: randomArray(sizeOf(shape), options) });

/** What outputs must be, by name. */
export type ExpectedOutputs = Readonly<Record<string, Expected & { readonly length: number }>>;

/** Compares outputs with what they should be; names what is wrong. */
export function checkOutputs(outputs: Outputs | null, expected: ExpectedOutputs): void {
  for (const [name, { length, ...wanted }] of Object.entries(expected)) {
    const output = outputs?.[name];
    if (!output) throw new Error(`${name}: must be among the outputs, got ${Object.keys(outputs ?? {}).join(", ")}.`);
    try {
      checkOutput(output, length, wanted);
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

/** How many runs are to be looked at before a work is timed. */
export const runsToCheck = ({ checkedRuns, standIn }: Pick<Work, "checkedRuns" | "standIn">): number =>
  standIn ? 1 : checkedRuns;

/** What is wrong with results; null if nothing is. Where another work stands in, only whether they are finite. */
export function complaintOf(work: Pick<Work, "check" | "standIn">, results: Results): string | null {
  if (work.standIn) return results.reads.map(notFinite).find((complaint) => complaint !== null) ?? null;
  try {
    work.check(results);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What is wrong with what any run has given: of an op all is looked at, of training whether it is finite. */
export function complaintAfter(work: Pick<Work, "check" | "checkedRuns" | "standIn">, read: Outputs): string | null {
  return work.checkedRuns === 1 ? complaintOf(work, { reads: [read], state: null }) : notFinite(read);
}

function notFinite(read: Outputs): string | null {
  const wrong = Object.keys(read).find((name) => !Array.from(read[name]!).every(Number.isFinite));
  return wrong === undefined ? null : `${wrong}: must be finite, got NaN or infinity.`;
}
