/**
 * How a golden of `tests/goldens/ops` is called through the public API.
 *
 * Most need no word here. A golden's op is looked up as a method of Tensor, then in F, then among the free functions of the
 * package. It gets the golden's inputs, then the args named in POSITIONAL in the golden's order, then an options object of
 * all other args, if there are any. Where a function differs, `calls/<family>.ts` has an entry: the names of the args that
 * come by position, in the function's order, or a function that makes the call.
 */

import * as flywheel from "../../src";
import { Tensor } from "../../src";
import type { Args, Calls, Result } from "./call";
import { type GoldenValue, toNumber } from "./golden";

/** Args that come by position unless an entry says otherwise. */
const POSITIONAL = ["dim", "dims", "dim0", "dim1", "shape", "kernelSize", "outputSize"];

const tables = Object.entries(import.meta.glob<Calls>("./calls/*.ts", { eager: true, import: "calls" }));

/** The entries of all families. */
export const CALLS: Calls = Object.fromEntries(tables.flatMap(([, table]) => Object.entries(table)));

/** What several families have an entry for. */
export const repeatedCalls = (): string[] => {
  const names = tables.flatMap(([, table]) => Object.keys(table));
  return names.filter((name, i) => names.indexOf(name) !== i);
};

type Loose = (this: unknown, ...args: unknown[]) => Result;

const methods = Tensor.prototype as unknown as Readonly<Record<string, Loose | undefined>>;
const functional = flywheel.F as unknown as Readonly<Record<string, Loose | undefined>>;
const free = flywheel as unknown as Readonly<Record<string, Loose | undefined>>;

/** The method or function of this name. */
function publicFunction(op: string): (operands: readonly unknown[]) => Result {
  const method = methods[op];
  if (method) return ([x, ...rest]) => method.apply(x, rest);
  const found = functional[op] ?? free[op];
  if (!found) {
    throw new Error(
      `No method of Tensor, function of F or free function is called ${op}: export it, or add an entry to tests/suites/calls that says how to call it.`,
    );
  }
  return (operands) => found(...operands);
}

/** Calls a golden's op. */
export function callGolden(op: string, inputs: readonly Tensor[], recorded: Args): Result | Promise<Result> {
  const args = Object.fromEntries(Object.entries(recorded).map(([name, value]) => [name, decoded(value)]));
  const entry = CALLS[op] ?? Object.keys(args).filter((name) => POSITIONAL.includes(name));
  if (typeof entry === "function") return entry(inputs, args);
  const options = Object.fromEntries(Object.entries(args).filter(([name]) => !entry.includes(name)));
  const hasOptions = Object.keys(options).length > 0;
  const last = hasOptions ? entry.length : entry.findLastIndex((name) => name in args) + 1;
  const positional = entry.slice(0, last).map((name) => args[name]);
  return publicFunction(op)([...inputs, ...positional, ...(hasOptions ? [options] : [])]);
}

const decoded = (value: unknown): unknown =>
  value === "nan" || value === "inf" || value === "-inf" ? toNumber(value satisfies GoldenValue) : value;
