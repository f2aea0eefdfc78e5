/**
 * Where nodes come from, remembered only while somebody looks for anomalies: the line that made a node, the gradient rule it is
 * part of, and which values a user can see, so that a NaN in one of them can be named.
 */

/** A node, as far as its origin matters. */
interface Made {
  readonly op: { readonly name: string };
  readonly origin: Origin | null;
}

export interface Origin {
  /** The stack where the node was made. */
  readonly stack: string;
}

/** What a value is to the user: the result of a call, or a gradient on its way. */
export type Role =
  | { readonly kind: "result" }
  /** What the rule of `of` gave for one of its inputs; or, for null, the sum of what arrived at its result. */
  | { readonly kind: "gradient"; readonly of: Made; readonly input: number | null };

/** Frames that are remembered: user code may lie deep. */
const STACK_DEPTH = 64;

let tracing = false;
let roles = new WeakMap<Made, Role>();

/** Whether origins are remembered. */
export const isTracing = (): boolean => tracing;

/** Remembers origins from now on, or no longer. What was made until then and is still to be computed is nobody's concern later. */
export function setTracing(mode: boolean): void {
  tracing = mode;
  if (!mode) roles = new WeakMap();
}

/** The origin of a node that is being made; null while nobody looks for anomalies. */
export function originHere(): Origin | null {
  if (!tracing) return null;
  const limits = Error as { stackTraceLimit?: number };
  const before = limits.stackTraceLimit;
  limits.stackTraceLimit = STACK_DEPTH;
  const stack = new Error().stack ?? "";
  if (before !== undefined) limits.stackTraceLimit = before;
  return { stack };
}

/** Notes that a user can see a value: as what, the first time counts. */
export function noteRole(node: Made, role: Role): void {
  if (tracing && !roles.has(node)) roles.set(node, role);
}

export const roleOf = (node: Made): Role | undefined => roles.get(node);

/** Where this library's files lie, as stacks name them. */
function libraryPath(): string {
  const { url } = import.meta; // apart from `new URL`, which bundlers take for a file to copy
  const folder = new URL("../", url);
  return folder.protocol === "file:" ? folder.pathname : folder.href;
}

/** A line of a stack that names a place: `file.ts:12:5`. */
const isFrame = (line: string): boolean => /:\d+:\d+\)?$/.test(line);

/** What a stack says of a call into the library. */
export interface CallSite {
  /** The user's line, `file.ts:12:5`; null where library and user code are one file. */
  readonly place: string | null;
  /** The function of the library that was called there. */
  readonly called: string | null;
}

/** The first line of a stack that is not the library's, and what it called. */
export function callSite(stack: string): CallSite {
  const frames = stack.split("\n").filter(isFrame);
  const own = libraryPath();
  const index = frames.findIndex((frame) => !frame.includes(own));
  if (index < 0) return { place: null, called: null };
  const place = /([^\s(@]+:\d+:\d+)\)?$/.exec(frames[index]!)?.[1] ?? null;
  const call = frames[index - 1] ?? "";
  const called = /^\s*at (?:new )?(\S+) \(/.exec(call)?.[1] ?? /^([^@]*)@/.exec(call)?.[1];
  return { place, called: called?.split(".").at(-1) ?? null };
}
