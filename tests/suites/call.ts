/** What an entry of `calls/<family>.ts` is. */

import type { Tensor } from "../../src";

/** A golden's args; "nan", "inf" and "-inf" are numbers already. */
export type Args = Readonly<Record<string, unknown>>;

/** A tensor, several, or named ones: `output` or `values`, and `indices` or what the golden calls `extra`. */
export type Result = Tensor | readonly Tensor[] | object;

interface Callable {
  /** As a method, so that an entry may say which args it takes. */
  call(inputs: readonly Tensor[], args: object): Result | Promise<Result>;
}

/** A golden's call. */
export type Call = Callable["call"];

/** op -> its call, or the names of the args that come by position. */
export type Calls = Readonly<Record<string, Call | readonly string[]>>;
