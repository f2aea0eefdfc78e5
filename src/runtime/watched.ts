/**
 * Plain values that lie in modules and optimizers, and that graphs are built with: sizes, probabilities, modes. A recording is
 * replayed only while they are what they were. Every module is watched, used or not: who reads which field is not known.
 */

/** Values of an object, in an order of their own; equal while nothing has changed. */
export type View<T> = (object: T) => readonly unknown[];

interface Watched {
  readonly object: WeakRef<object>;
  /** Values that must not change between a recording and its replay. */
  readonly fixed: View<object>;
  /** Values that a replay reads anew: only what it repeats may change them while a function is recorded. */
  readonly free: View<object>;
  readonly name: string;
}

const watched = new Set<Watched>();
const forget = new FinalizationRegistry<Watched>((entry) => watched.delete(entry));

/**
 * Watches an object for as long as it lives.
 *
 * @param views.fixed values that a recording is built on
 * @param views.free values that are read at every replay; default: none
 */
export function watch<T extends object>(
  object: T,
  { fixed, free = () => [] }: { readonly fixed: View<T>; readonly free?: View<T> },
): void {
  const { name } = object.constructor;
  const entry = { object: new WeakRef(object), fixed: fixed as View<object>, free: free as View<object>, name };
  watched.add(entry);
  forget.register(object, entry);
}

/** What all watched objects hold at one moment. */
export class Snapshot {
  private readonly entries: readonly { readonly of: Watched; readonly values: readonly unknown[] }[];

  constructor(private readonly kind: "fixed" | "free") {
    const entries: { of: Watched; values: readonly unknown[] }[] = [];
    for (const of of watched) {
      const object = of.object.deref();
      if (object) entries.push({ of, values: of[kind](object) });
    }
    this.entries = entries.filter(({ values }) => values.length > 0);
  }

  /** The class of an object that holds something else by now; null while all is the same. Objects that are gone do not count. */
  changed(): string | null {
    const { kind } = this;
    for (const { of, values } of this.entries) {
      const object = of.object.deref();
      if (object && !sameValues(of[kind](object), values)) return of.name;
    }
    return null;
  }
}

function sameValues(now: readonly unknown[], before: readonly unknown[]): boolean {
  if (now.length !== before.length) return false;
  for (let i = 0; i < now.length; i++) if (!Object.is(now[i], before[i])) return false;
  return true;
}

/** The values of an object's fields, those in lists and plain objects among them; objects of classes count as themselves. */
export function fieldsOf(object: object, skipped?: ReadonlySet<string>): unknown[] {
  const values: unknown[] = [];
  for (const name of Object.keys(object)) {
    values.push(name); // a new field counts
    if (!skipped?.has(name)) pushValues(values, (object as Record<string, unknown>)[name], MAX_DEPTH);
  }
  return values;
}

const MAX_DEPTH = 3;

function pushValues(values: unknown[], value: unknown, depth: number): void {
  values.push(value);
  if (typeof value !== "object" || value === null || depth === 0) return;
  if (Array.isArray(value)) for (const item of value as unknown[]) pushValues(values, item, depth - 1);
  else if (Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value) as unknown[]) pushValues(values, item, depth - 1);
}
