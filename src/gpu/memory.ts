/** GPU memory: buffers, and a pool of freed ones so that allocating the same sizes again creates nothing. */

import { InternalError, OutOfMemoryError } from "../errors";
import type { GpuLimits } from "./adapter";
import type { GpuCounters } from "./counters";
import type { Faults } from "./faults";
import type { Sequence } from "./sequence";

/** One GPUBuffer. Its content is undefined when it is allocated. */
export class GpuMemory {
  state: "live" | "pooled" | "destroyed" = "live";
  /** Who has it now: what it is for, or the name of the state in it. */
  label = "";
  /** Set when the GPU had no room for it: nothing can be done with it but free it. */
  fault: OutOfMemoryError | null = null;

  constructor(
    /** Names the GPUBuffer: never given to another one. */
    readonly id: number,
    /** Size of the GPUBuffer: what was asked for, rounded up. */
    readonly byteLength: number,
    readonly raw: GPUBuffer,
  ) {}
}

/** A part of a buffer. */
export interface BufferRange {
  readonly buffer: GpuMemory;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** What the parts of gpu/ share. */
export interface GpuContext {
  readonly device: GPUDevice;
  readonly limits: GpuLimits;
  readonly counters: GpuCounters;
  readonly faults: Faults;
  /** What goes to the device's queue, or ends what it uses, goes through it. */
  readonly sequence: Sequence;
  /** Called when a buffer was created, before its bytes count as held. */
  readonly onCreate: (byteLength: number) => void;
}

const MIB = 2 ** 20;

export const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** The size a buffer gets: eight classes per power of two, so at most an eighth is wasted; multiples of 256. */
export function sizeClass(byteLength: number): number {
  const exponent = Math.floor(Math.log2(Math.max(byteLength, 256)));
  return roundUp(Math.max(byteLength, 1), Math.max(256, 2 ** (exponent - 3)));
}

/** "1.50 GiB", "20 B": for messages. */
export function showBytes(byteLength: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(byteLength, 1)) / 10));
  return power === 0 ? `${byteLength} B` : `${(byteLength / 1024 ** power).toFixed(2)} ${units[power]}`;
}

/**
 * Checks a range before it is used.
 * @throws OutOfMemoryError if the GPU had no room for its buffer
 * @throws InternalError if its buffer was freed, or if it lies outside it
 */
export function checkRange(what: string, { buffer, byteOffset, byteLength }: BufferRange): void {
  if (buffer.fault) throw buffer.fault;
  if (buffer.state !== "live") {
    throw new InternalError(
      `${what}: a buffer in use must be live, got buffer ${buffer.id}, which is ${buffer.state}.`,
    );
  }
  const inside = byteOffset >= 0 && byteLength >= 0 && byteOffset + byteLength <= buffer.byteLength;
  if (!inside || byteOffset % 4 !== 0) {
    throw new InternalError(
      `${what}: a range must start at a multiple of 4 and lie in its buffer, ` +
        `got [${byteOffset}, ${byteOffset + byteLength}) of ${buffer.byteLength} bytes.`,
    );
  }
}

/** Creates a buffer and watches for memory running out, which the GPU tells only later. */
export function createBuffer(
  { device, limits, counters, faults, onCreate }: GpuContext,
  descriptor: GPUBufferDescriptor,
  heldByteLength: number,
  onFault: (error: OutOfMemoryError) => void = () => undefined,
): GPUBuffer {
  const outOfMemory = (reason: string): OutOfMemoryError =>
    new OutOfMemoryError(
      `${descriptor.label ?? "allocate"}: the GPU must have room for ${showBytes(descriptor.size)}, got "${reason}" ` +
        `with ${showBytes(heldByteLength)} held. Use a smaller batch, or free tensors with dispose().`,
      descriptor.size,
      heldByteLength,
    );
  if (descriptor.size > limits.maxBufferSize) {
    throw outOfMemory(`maxBufferSize is ${showBytes(limits.maxBufferSize)}`);
  }
  device.pushErrorScope("out-of-memory");
  let buffer: GPUBuffer | null = null;
  try {
    buffer = device.createBuffer(descriptor);
    counters.buffersCreated++;
    onCreate(descriptor.size);
    return buffer;
  } catch (error) {
    if (error instanceof RangeError) throw outOfMemory(error.message);
    throw error;
  } finally {
    faults.watchScope((error) => {
      const fault = outOfMemory(error.message);
      if (buffer) onFault(fault);
      return fault;
    });
  }
}

/** Allocates and frees; freed buffers wait, by size, for the next one that asks. */
export class MemoryPool {
  liveByteLength = 0;
  pooledByteLength = 0;

  private peakLiveByteLength = 0;
  private nextId = 1;
  /** Oldest first, so that eviction takes what has waited longest. */
  private readonly pooled = new Set<GpuMemory>();
  private readonly pooledBySize = new Map<number, GpuMemory[]>();
  private readonly live = new Set<GpuMemory>();

  constructor(
    private readonly context: GpuContext,
    /** Called when a buffer is destroyed, for caches that mention it. */
    private readonly onDestroy: (memory: GpuMemory) => void,
  ) {}

  allocate(byteLength: number, label: string): GpuMemory {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0) {
      throw new InternalError(`allocate: byteLength must be a whole number, got ${byteLength} for ${label}.`);
    }
    const { maxBufferSize } = this.context.limits;
    const rounded = sizeClass(byteLength);
    // Near the limit the class may overshoot it; an odd limit is no multiple of 4.
    const size =
      rounded <= maxBufferSize ? rounded : Math.max(roundUp(byteLength, 4), maxBufferSize - (maxBufferSize % 4));
    const memory = this.reuse(size) ?? this.create(size, label);
    memory.state = "live";
    memory.label = label;
    this.live.add(memory);
    this.liveByteLength += size;
    this.peakLiveByteLength = Math.max(this.peakLiveByteLength, this.liveByteLength);
    this.evict();
    return memory;
  }

  free(memory: GpuMemory): void {
    if (memory.state === "destroyed" && this.context.faults.lossReason !== null) return; // gone with its device
    if (memory.state !== "live") {
      throw new InternalError(`free: a buffer is freed once, got buffer ${memory.id}, which is ${memory.state}.`);
    }
    this.live.delete(memory);
    this.liveByteLength -= memory.byteLength;
    if (memory.fault) {
      this.destroy(memory);
      return;
    }
    memory.state = "pooled";
    this.pooled.add(memory);
    this.pooledByteLength += memory.byteLength;
    const sameSize = this.pooledBySize.get(memory.byteLength);
    if (sameSize) sameSize.push(memory);
    else this.pooledBySize.set(memory.byteLength, [memory]);
    this.evict();
  }

  /** What is live, by label. */
  *labelled(): Iterable<{ name: string; byteLength: number }> {
    for (const { label, byteLength } of this.live) yield { name: label, byteLength };
  }

  /** Destroys the buffers that wait in the pool. */
  trim(): void {
    for (const memory of this.pooled) this.drop(memory);
    this.pooledBySize.clear();
  }

  /** Destroys everything. */
  destroyAll(): void {
    this.trim();
    for (const memory of this.live) this.destroy(memory);
    this.live.clear();
    this.liveByteLength = 0;
  }

  private reuse(size: number): GpuMemory | undefined {
    const memory = this.pooledBySize.get(size)?.pop();
    if (!memory) return undefined;
    this.pooled.delete(memory);
    this.pooledByteLength -= size;
    return memory;
  }

  private create(size: number, label: string): GpuMemory {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const held = this.liveByteLength + this.pooledByteLength;
    const raw = createBuffer(this.context, { label, size, usage }, held, (error) => {
      memory.fault = error;
      this.trim(); // so that a second, smaller try has what room there is
    });
    const memory = new GpuMemory(this.nextId++, size, raw);
    return memory;
  }

  /** Keeps what is held flat: never more than twice the most that was live at once, and a little. */
  private evict(): void {
    const most = 2 * this.peakLiveByteLength + 64 * MIB;
    for (const memory of this.pooled) {
      if (this.liveByteLength + this.pooledByteLength <= most) return;
      const sameSize = this.pooledBySize.get(memory.byteLength)!;
      sameSize.splice(sameSize.indexOf(memory), 1);
      this.drop(memory);
    }
  }

  private drop(memory: GpuMemory): void {
    this.pooled.delete(memory);
    this.pooledByteLength -= memory.byteLength;
    this.destroy(memory);
  }

  private destroy(memory: GpuMemory): void {
    memory.state = "destroyed";
    this.context.sequence.end(() => {
      memory.raw.destroy();
    });
    this.onDestroy(memory);
  }
}
