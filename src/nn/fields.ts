/**
 * What the fields of a module contribute to its tree: themselves, or their elements where they are arrays. State that was
 * there once and is a plain tensor now, or that lies where nobody looks, would silently not be trained or saved: an error.
 */

import { DTypeError, ValueError } from "../errors";
import { describe } from "../options";
import { Buffer, Counter, Parameter } from "../parameter";
import { Tensor } from "../tensor";

/** State that fields hold. */
export type State = Parameter | Buffer | Counter;

type StateName = "Parameter" | "Buffer" | "Counter";

/** What state each field of a module has held, as far as walks over it have seen. Not a field: copies start anew. */
const seen = new WeakMap<object, Map<string, StateName>>();

/** `numBatchesTracked` -> `num_batches_tracked` */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What the walk over fields asks of modules. */
interface Tree {
  modules(): Iterable<object>;
  parameters(): readonly Parameter[];
}

type Kind<M> = abstract new (...args: never[]) => M;

/**
 * State and modules among the fields of a module, by PyTorch's names, in the order of the fields.
 *
 * @param kind the class of modules
 * @throws DTypeError if a field held state before and holds a tensor or the like now
 * @throws ValueError if a plain object, a map, a set or a list of lists holds parameters or modules that are in no field
 */
export function membersOf<M extends Tree>(owner: M, kind: Kind<M>): [name: string, member: State | M][] {
  const before = seen.get(owner) ?? new Map<string, StateName>();
  const members: [string, State | M][] = [];
  const hidden: [field: string, container: object, inside: unknown[]][] = [];
  const take = (name: string, field: string, value: unknown): void => {
    const state = stateName(value);
    if (state) before.set(field, state);
    if (state || value instanceof kind) {
      members.push([name, value as State | M]);
    } else if (value !== null && value !== undefined) {
      checkKept(owner, field, value, before.get(field));
      if (typeof value !== "object") return;
      const inside = [...heldBy(value, kind)];
      if (inside.length > 0) hidden.push([field, value, inside]);
    }
  };
  for (const [field, value] of Object.entries(owner) as [string, unknown][]) {
    if (!Array.isArray(value)) {
      take(snakeCase(field), field, value);
      continue;
    }
    value.forEach((item: unknown, index) => {
      if (typeof item === "object") take(`${snakeCase(field)}.${index}`, `${field}[${index}]`, item);
    });
  }
  if (before.size > 0) seen.set(owner, before);
  if (hidden.length > 0) checkHidden(owner, kind, members, hidden);
  return members;
}

function stateName(value: unknown): StateName | null {
  if (typeof value !== "object" || value === null) return null;
  if (value instanceof Parameter) return "Parameter";
  if (value instanceof Buffer) return "Buffer";
  return value instanceof Counter ? "Counter" : null;
}

/** Checks that a field which holds neither state nor a module never held state. */
function checkKept(owner: object, field: string, value: unknown, before: StateName | undefined): void {
  if (!before) return;
  const got = value instanceof Tensor ? `a plain ${value.toString()}` : describe(value);
  const way = before === "Counter" ? `this.${field}.value = ...` : `this.${field}.assign(value)`;
  throw new DTypeError(
    `${owner.constructor.name}: ${field} was a ${before} and must stay one, got ${got}. Write ${way}, or set it to another ${before} or null.`,
  );
}

/** Checks that what plain objects and the like hold is found elsewhere: they may only be other ways to it. */
function checkHidden<M extends Tree>(
  owner: M,
  kind: Kind<M>,
  members: readonly (readonly [string, State | M])[],
  hidden: readonly (readonly [field: string, container: object, inside: readonly unknown[]])[],
): void {
  const found = new Set<unknown>();
  for (const [, member] of members) {
    found.add(member);
    if (member instanceof kind) for (const below of [...member.modules(), ...member.parameters()]) found.add(below);
  }
  for (const [field, container, inside] of hidden) {
    if (inside.every((member) => found.has(member))) continue;
    throw new ValueError(
      `${owner.constructor.name}: modules and parameters must be fields, or in arrays that are fields, got some in ${field}, ${shownContainer(container)}. ` +
        "Use a ModuleDict, ModuleList or ParameterList, or a #private field for what is no part of the module.",
    );
  }
}

/** Modules and parameters in a plain object, a map, a set or a list, however deep. */
function* heldBy<M>(value: object, kind: Kind<M>, depth = 4): Generator {
  for (const item of itemsOf(value)) {
    if (typeof item !== "object" || item === null) continue;
    if (item instanceof Parameter || item instanceof kind) yield item;
    else if (depth > 1) yield* heldBy(item, kind, depth - 1);
  }
}

function itemsOf(value: object): Iterable<unknown> {
  if (value instanceof Map || value instanceof Set) return value.values();
  if (Array.isArray(value)) return value as unknown[];
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? (Object.values(value) as unknown[]) : [];
}

function shownContainer(value: object): string {
  if (Array.isArray(value)) return "a list in a list";
  if (value instanceof Map) return "a Map";
  return value instanceof Set ? "a Set" : "a plain object";
}
