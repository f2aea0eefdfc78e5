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
import type { Args, Call, Calls, Result } from "./call";
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
  const args = decodedArgs(recorded);
  const entry = entryOf(op, args);
  if (typeof entry === "function") return entry(inputs, args);
  return publicFunction(op)(byPosition(entry, inputs, args));
}

const decodedArgs = (recorded: Args): Args =>
  Object.fromEntries(Object.entries(recorded).map(([name, value]) => [name, decoded(value)]));

const entryOf = (op: string, args: Args): Call | readonly string[] =>
  CALLS[op] ?? Object.keys(args).filter((name) => POSITIONAL.includes(name));

/** Inputs, then the args that come by position, then an object of all others. */
function byPosition(entry: readonly string[], inputs: readonly Tensor[], args: Args): unknown[] {
  const options = Object.fromEntries(Object.entries(args).filter(([name]) => !entry.includes(name)));
  const hasOptions = Object.keys(options).length > 0;
  const last = hasOptions ? entry.length : entry.findLastIndex((name) => name in args) + 1;
  const positional = entry.slice(0, last).map((name) => args[name]);
  return [...inputs, ...positional, ...(hasOptions ? [options] : [])];
}

/** The operands of a golden's call; and the call itself, where it is no plain one of a method or function of the op's name. */
export function operandsOfGolden(
  op: string,
  inputs: readonly Tensor[],
  recorded: Args,
): { operands: readonly unknown[]; call?: (operands: readonly unknown[]) => unknown } {
  const args = decodedArgs(recorded);
  const entry = entryOf(op, args);
  if (typeof entry !== "function") return { operands: byPosition(entry, inputs, args) };
  const rest = methods[op] && operandsOfMethod(op, entry, inputs, args);
  if (rest) return { operands: [inputs[0], ...rest] };
  const names = Object.keys(args);
  return {
    operands: [...inputs, ...names.map((name) => args[name])],
    call: (operands) => {
      const given = Object.fromEntries(names.map((name, i) => [name, operands[inputs.length + i]]));
      return entry(operands.slice(0, inputs.length) as Tensor[], given);
    },
  };
}

/** What an entry passes to the method of its op; null where it calls something else. */
function operandsOfMethod(op: string, entry: Call, inputs: readonly Tensor[], args: Args): readonly unknown[] | null {
  let found: readonly unknown[] | null = null;
  const listen =
    (name: string | symbol) =>
    (...operands: readonly unknown[]) => {
      if (name === op) found = operands;
      return {};
    };
  const [x, ...others] = inputs;
  const listening = new Proxy(x!, { get: (_, name) => listen(name) });
  try {
    void entry([listening, ...others], args);
  } catch {
    return null; // it calls a function, to which this is no tensor
  }
  return found;
}

const decoded = (value: unknown): unknown =>
  value === "nan" || value === "inf" || value === "-inf" ? toNumber(value satisfies GoldenValue) : value;
