/** The same training twice, as it is and compiled: what both leave behind must be the same bits. */

import { expect } from "vitest";
import { compile, type Compiled, type CompiledResult, defaultDevice, manualSeed, Tensor } from "../../src";

/** A function as it is, or compiled. */
export type Wrap = <Args extends readonly unknown[], Result extends CompiledResult>(
  fn: (...args: Args) => Result,
) => (...args: Args) => Result;

/** Some training. */
export interface Subject {
  /** Call number `index`, and what it gives: tensors in lists and objects. */
  call(index: number): unknown;
  /** State that calls leave behind. */
  readonly state: () => readonly Tensor[];
  /** What they leave on the host. */
  readonly host?: () => unknown;
}

export interface TwinOptions {
  /** Default 10. */
  readonly calls?: number;
  /** Calls that a GPU must have replayed, at least; default 6. */
  readonly replayed?: number;
}

async function valuesIn(value: unknown): Promise<unknown> {
  if (value instanceof Tensor) return [...(await value.data())];
  if (Array.isArray(value)) return Promise.all(value.map(valuesIn));
  if (typeof value !== "object" || value === null) return value;
  const entries = await Promise.all(Object.entries(value).map(async ([name, item]) => [name, await valuesIn(item)]));
  return Object.fromEntries(entries) as unknown;
}

/** Everything that a training gives and leaves behind. */
async function outcomeOf(make: (wrap: Wrap) => Subject, wrap: Wrap, calls: number): Promise<unknown[]> {
  manualSeed(11);
  const subject = make(wrap);
  const outcome: unknown[] = [];
  for (let index = 0; index < calls; index++) outcome.push(await valuesIn(await subject.call(index)));
  outcome.push(await valuesIn(subject.state()), subject.host?.() ?? null);
  return outcome;
}

/**
 * Runs a training as it is and compiled, and expects the same of both. @returns the compiled functions
 *
 * @param make builds it anew; whatever it wraps is compiled the second time
 */
export async function expectTwins(
  make: (wrap: Wrap) => Subject,
  { calls = 10, replayed = 6 }: TwinOptions = {},
): Promise<Compiled<never, unknown>[]> {
  const expected = await outcomeOf(make, (fn) => fn, calls);
  const compiled: Compiled<never, unknown>[] = [];
  const wrap: Wrap = (fn) => {
    const made = compile(fn, { onFallback: (reason) => expect.fail(`fell back: ${reason}`) });
    compiled.push(made);
    return made;
  };
  expect(await outcomeOf(make, wrap, calls)).toEqual(expected);
  const replays = compiled.reduce((total, { status }) => total + status.replayed, 0);
  if (defaultDevice().kind === "webgpu") expect(replays, "calls replayed").toBeGreaterThanOrEqual(replayed);
  else expect(replays).toBe(0);
  return compiled;
}
