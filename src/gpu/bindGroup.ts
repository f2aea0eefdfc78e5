/** Bind groups, cached by what they bind. Checks at creation what WebGPU would report late or not at all. */

import { InternalError } from "../errors";
import { type BufferRange, checkRange, type GpuContext, type GpuMemory, roundUp } from "./memory";
import type { BindingLayout, BindingType, Pipeline } from "./pipeline";

export interface Binding {
  readonly binding: number;
  readonly range: BufferRange;
}

/**
 * A bind group that a plan may keep. It fits every pipeline with the same layout.
 * Stale once one of its buffers was destroyed: `isStale` says so without a lookup.
 */
export interface BindGroupHandle {
  readonly layout: BindingLayout;
  readonly raw: GPUBindGroup;
  readonly bindings: readonly Binding[];
  readonly isStale: boolean;
}

interface Entry extends BindGroupHandle {
  isStale: boolean;
  readonly hash: number;
}

const DEFAULT_CAPACITY = 4096;

export class BindGroupCache {
  /** Least recently used first. */
  private readonly entries = new Set<Entry>();
  private readonly byHash = new Map<number, Entry[]>();
  private readonly byBuffer = new Map<number, Set<Entry>>();

  constructor(
    private readonly context: GpuContext,
    private readonly capacity = DEFAULT_CAPACITY,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(pipeline: Pipeline, bindings: readonly Binding[]): BindGroupHandle {
    const hash = hashOf(bindings);
    const cached = this.byHash.get(hash)?.find((entry) => entry.layout === pipeline.layout && same(entry, bindings));
    const entry = cached ?? this.create(pipeline, bindings, hash);
    this.entries.delete(entry);
    this.entries.add(entry);
    return entry;
  }

  /** Forgets the bind groups of a destroyed buffer. */
  evictBuffer({ id }: GpuMemory): void {
    for (const entry of this.byBuffer.get(id) ?? []) {
      entry.isStale = true;
      this.remove(entry);
    }
  }

  private create({ label, layout }: Pipeline, bindings: readonly Binding[], hash: number): Entry {
    const { device, counters } = this.context;
    this.check(label, layout, bindings);
    const raw = device.createBindGroup({
      label,
      layout: layout.raw,
      entries: bindings.map(({ binding, range }) => ({
        binding,
        resource: { buffer: range.buffer.raw, offset: range.byteOffset, size: roundUp(range.byteLength, 4) },
      })),
    });
    counters.bindGroupsCreated++;
    const entry: Entry = { layout, raw, bindings: copyOf(bindings), isStale: false, hash };
    this.insert(entry);
    for (const oldest of this.entries) {
      if (this.entries.size <= this.capacity) break;
      this.remove(oldest);
    }
    return entry;
  }

  private insert(entry: Entry): void {
    this.entries.add(entry);
    const sameHash = this.byHash.get(entry.hash);
    if (sameHash) sameHash.push(entry);
    else this.byHash.set(entry.hash, [entry]);
    for (const { range } of entry.bindings) {
      const sameBuffer = this.byBuffer.get(range.buffer.id);
      if (sameBuffer) sameBuffer.add(entry);
      else this.byBuffer.set(range.buffer.id, new Set([entry]));
    }
  }

  private remove(entry: Entry): void {
    this.entries.delete(entry);
    const others = this.byHash.get(entry.hash)!.filter((other) => other !== entry);
    if (others.length > 0) this.byHash.set(entry.hash, others);
    else this.byHash.delete(entry.hash);
    for (const { range } of entry.bindings) {
      const sameBuffer = this.byBuffer.get(range.buffer.id);
      sameBuffer?.delete(entry);
      if (sameBuffer?.size === 0) this.byBuffer.delete(range.buffer.id);
    }
  }

  private check(label: string, { types }: BindingLayout, bindings: readonly Binding[]): void {
    const given = new Set(bindings.map(({ binding }) => binding));
    if (bindings.length !== types.size || [...types.keys()].some((binding) => !given.has(binding))) {
      const show = (numbers: Iterable<number>): string => `[${[...numbers].join(", ")}]`;
      const got = show(bindings.map(({ binding }) => binding));
      throw new InternalError(`${label}: bindings ${show(types.keys())} must be bound, got ${got}.`);
    }
    for (const binding of bindings) this.checkBinding(label, types.get(binding.binding)!, binding);
    for (const [i, a] of bindings.entries()) {
      for (const b of bindings.slice(0, i)) checkPair(label, types, a, b);
    }
  }

  private checkBinding(label: string, type: BindingType, { binding, range }: Binding): void {
    const what = `${label}: binding ${binding}`;
    checkRange(what, range);
    const { bindingOffsetAlignment, maxStorageBufferBindingSize, maxUniformBufferBindingSize } = this.context.limits;
    const most = type === "uniform" ? maxUniformBufferBindingSize : maxStorageBufferBindingSize;
    const { byteOffset, byteLength } = range;
    if (byteOffset % bindingOffsetAlignment !== 0) {
      throw new InternalError(`${what} must start at a multiple of ${bindingOffsetAlignment}, got ${byteOffset}.`);
    }
    if (byteLength < 1 || byteLength > most) {
      throw new InternalError(`${what} must have 1 to ${most} bytes, got ${byteLength}. Split the buffer.`);
    }
  }
}

/** WebGPU tracks usage per whole buffer: never written and read in one dispatch; written twice only where disjoint. */
function checkPair(label: string, types: ReadonlyMap<number, BindingType>, a: Binding, b: Binding): void {
  if (a.range.buffer !== b.range.buffer) return;
  const writesA = types.get(a.binding) === "read_write";
  const writesB = types.get(b.binding) === "read_write";
  const overlap =
    a.range.byteOffset < b.range.byteOffset + b.range.byteLength &&
    b.range.byteOffset < a.range.byteOffset + a.range.byteLength;
  if (writesA !== writesB || (writesA && overlap)) {
    throw new InternalError(
      `${label}: one buffer must not be written through one binding and used through another, ` +
        `got bindings ${b.binding} and ${a.binding}${overlap ? ", which overlap" : ""}.`,
    );
  }
}

/** Numbers only: it runs for every launch of a plan that keeps no handles. */
function hashOf(bindings: readonly Binding[]): number {
  let hash = 0;
  for (const { binding, range } of bindings) {
    hash = (Math.imul(hash, 31) + binding) | 0;
    hash = (Math.imul(hash, 31) + range.buffer.id) | 0;
    hash = (Math.imul(hash, 31) + range.byteOffset) | 0;
    hash = (Math.imul(hash, 31) + range.byteLength) | 0;
  }
  return hash;
}

function same(entry: Entry, bindings: readonly Binding[]): boolean {
  if (entry.bindings.length !== bindings.length) return false;
  for (let i = 0; i < bindings.length; i++) {
    const a = entry.bindings[i]!;
    const b = bindings[i]!;
    if (
      a.binding !== b.binding ||
      a.range.buffer !== b.range.buffer ||
      a.range.byteOffset !== b.range.byteOffset ||
      a.range.byteLength !== b.range.byteLength
    ) {
      return false;
    }
  }
  return true;
}

/** A copy: the caller may reuse its objects. */
function copyOf(bindings: readonly Binding[]): Binding[] {
  return bindings.map(({ binding, range: { buffer, byteOffset, byteLength } }) => ({
    binding,
    range: { buffer, byteOffset, byteLength },
  }));
}
