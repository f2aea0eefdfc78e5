/** What a device says of its memory; plain data, so that whoever reports it need not know a GPU. */

/** Memory in use under one name. */
export interface NamedMemory {
  /**
   * `"tensor"` (results), `"data"` (what came from the host and stays), `"slot"` (values inside plans), `"params"` (numbers that plans
   * are given), `"scalars"`, `"staging"` (on its way to the host), or the name of state: an arena's, a parameter's, a buffer's, `"state"` where it has none.
   */
  readonly name: string;
  /** Sizes as they were allocated, which is up to an eighth more than was asked for. */
  readonly byteLength: number;
  /** Buffers of that name. */
  readonly count: number;
}

/** Memory that a device holds, in bytes. */
export interface MemoryUse {
  /** All that is held: what is in use, and what is pooled. */
  readonly liveByteLength: number;
  /** Of that, what was freed and waits for the next allocation of its size. */
  readonly pooledByteLength: number;
  /** The most that was held at once, since the device opened or `resetPeakMemory`. */
  readonly peakByteLength: number;
  /** What is in use, by name, the largest first: the sum of it and of what is pooled is all that is held. */
  readonly byName: readonly NamedMemory[];
}

/** Adds up memory by name, the largest first. */
export function sumByName(parts: Iterable<Omit<NamedMemory, "count">>): NamedMemory[] {
  const sums = new Map<string, NamedMemory>();
  for (const { name, byteLength } of parts) {
    const sum = sums.get(name) ?? { name, byteLength: 0, count: 0 };
    sums.set(name, { name, byteLength: sum.byteLength + byteLength, count: sum.count + 1 });
  }
  return [...sums.values()].sort((a, b) => b.byteLength - a.byteLength || (a.name < b.name ? -1 : 1));
}
