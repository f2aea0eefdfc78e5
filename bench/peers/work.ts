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
  /** The same ones each time. */
  readonly inputs: () => Inputs[K];
  /** @throws Error that says what is wrong */
  readonly check: (results: Results) => void;
}

/** A work's definition: `checkOf` gets the inputs. */
export interface WorkDefinition<K extends Kind> extends Omit<Work<K>, "check"> {
  readonly checkOf: (inputs: Inputs[K], results: Results) => void;
}

/** A work whose inputs are made once, when they are first needed. */
export function defineWork<K extends Kind>({ checkOf, inputs, ...work }: WorkDefinition<K>): Work<K> {
  let made: Inputs[K] | undefined;
  const madeOnce = (): Inputs[K] => (made ??= inputs());
  return { ...work, inputs: madeOnce, check: (results) => checkOf(madeOnce(), results) };
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Numbers between `low` and `high`, the same in every run. */
export const random = (
  shape: readonly number[],
  options: { seed: number; low?: number; high?: number },
): HostTensor => ({ shape, data: randomArray(sizeOf(shape), options) });

/** Compares outputs, by name, with what they should be; names what is wrong. */
export function checkOutputs(
  outputs: Outputs | null,
  expected: Readonly<Record<string, Expected & { length: number }>>,
) {
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

/** What is wrong with results; null if nothing is. */
export function complaintOf({ check }: Pick<Work, "check">, results: Results): string | null {
  try {
    check(results);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What is wrong with what any run has given: of an op all is looked at, of training whether it is finite. */
export function complaintAfter(work: Pick<Work, "check" | "checkedRuns">, read: Outputs): string | null {
  if (work.checkedRuns === 1) return complaintOf(work, { reads: [read], state: null });
  const isFinite = Object.values(read).every((values) => Array.from(values).every(Number.isFinite));
  return isFinite ? null : "after the samples it must be finite, got NaN or infinity.";
}
