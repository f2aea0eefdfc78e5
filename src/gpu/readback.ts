/**
 * The way back: bytes are copied into staging buffers in the submit that computes them, and mapped when somebody asks.
 * Reads take a staging buffer from a pool; scalars of a step go to a ring, where most are overwritten unread.
 */

import { FlywheelError, InternalError, OutOfMemoryError } from "../errors";
import type { Ticket } from "./faults";
import { type BufferRange, checkRange, createBuffer, type GpuContext, roundUp, sizeClass } from "./memory";

const RING_LENGTH = 8;
/** Free staging buffers kept for the next read, bytes. */
const MAX_FREE_BYTE_LENGTH = 256 * 2 ** 20;

export interface Staging {
  readonly raw: GPUBuffer;
  readonly byteLength: number;
}

/** A staging buffer and what was copied into it. */
export interface Filled {
  readonly staging: Staging;
  readonly ranges: readonly BufferRange[];
  readonly offsets: readonly number[];
  readonly byteLength: number;
}

/** Scalars of one step, read if somebody wants them. */
export interface StagedBlock {
  /** Where each staged range begins in what `read` gives, bytes. */
  readonly offsets: readonly number[];
  /** False once the ring came round and overwrote it unread. */
  readonly valid: boolean;
  /**
   * The staged ranges, one after the other at `offsets`. Calling it again gives the same bytes.
   * @throws InternalError if it is no longer valid; DeviceLostError; errors of the step and of what ran beside it
   */
  read(): Promise<ArrayBuffer>;
}

export class Readback {
  private free: Staging[] = [];
  freeByteLength = 0;
  private readonly ring: RingSlot[] = [];
  private ringNext = 0;
  private readonly all = new Set<Staging>();
  byteLength = 0;

  constructor(private readonly context: GpuContext) {}

  /** @throws DeviceLostError */
  assertAlive(): void {
    this.context.faults.assertAlive("read");
  }

  /** Takes staging buffers that hold all ranges: one, unless together they exceed the largest buffer. */
  take(ranges: readonly BufferRange[]): Filled[] {
    const filled: Filled[] = [];
    const { maxBufferSize } = this.context.limits;
    let first = 0;
    let byteLength = 0;
    const close = (end: number): void => {
      if (end > first) filled.push(this.fill(ranges.slice(first, end)));
      first = end;
      byteLength = 0;
    };
    for (const range of ranges) checkRange("read", range);
    ranges.forEach((range, i) => {
      if (byteLength + range.byteLength + 4 > maxBufferSize) close(i);
      byteLength += roundUp(range.byteLength, 4);
    });
    close(ranges.length);
    return filled;
  }

  /** Copies what was taken for. */
  encode(encoder: GPUCommandEncoder, { staging, ranges, offsets }: Filled): void {
    ranges.forEach(({ buffer, byteOffset, byteLength }, i) => {
      if (byteLength === 0) return;
      encoder.copyBufferToBuffer(buffer.raw, byteOffset, staging.raw, offsets[i]!, roundUp(byteLength, 4));
    });
  }

  /** Maps, copies out and gives the staging buffer back; destroys it where that fails. */
  async collect(filled: Filled, ticket: Ticket): Promise<ArrayBuffer[]> {
    const { ranges, offsets } = filled;
    const bytes = await this.map(filled.staging, filled.byteLength, ticket, (mapped) =>
      ranges.map(({ byteLength }, i) => mapped.slice(offsets[i], offsets[i]! + byteLength)),
    ).catch((error: unknown) => {
      this.destroy(filled.staging);
      throw error;
    });
    this.give(filled.staging);
    return bytes;
  }

  /** Gives a staging buffer back unread. */
  give(staging: Staging): void {
    this.free.push(staging);
    this.freeByteLength += staging.byteLength;
    while (this.freeByteLength > MAX_FREE_BYTE_LENGTH) {
      const oldest = this.free.shift()!;
      this.freeByteLength -= oldest.byteLength;
      this.destroy(oldest);
    }
  }

  /** Takes the next slot of the ring that nobody is reading for some ranges; what nobody read there is overwritten. */
  stage(ranges: readonly BufferRange[]): RingBlock {
    for (const range of ranges) checkRange("stage", range);
    const { offsets, byteLength } = layOut(ranges);
    const slot = this.nextSlot();
    slot.block?.overwrite();
    if (!slot.staging || slot.staging.byteLength < byteLength) {
      if (slot.staging) this.destroy(slot.staging);
      slot.staging = this.create(byteLength);
    }
    return (slot.block = new RingBlock(this, slot, { staging: slot.staging, ranges, offsets, byteLength }));
  }

  /** Sizes of the staging buffers that are not free: those on their way to the host, and those of the ring. */
  *inUse(): Iterable<number> {
    const waiting = new Set(this.free);
    for (const staging of this.all) if (!waiting.has(staging)) yield staging.byteLength;
  }

  /** Destroys the staging buffers that wait for a read. */
  trim(): void {
    for (const staging of this.free) this.destroy(staging);
    this.free = [];
    this.freeByteLength = 0;
  }

  destroyAll(): void {
    for (const staging of this.all) this.destroy(staging);
    this.free = [];
    this.freeByteLength = 0;
  }

  /** Maps a staging buffer while `use` copies out of it. */
  async map<T>(staging: Staging, byteLength: number, ticket: Ticket, use: (mapped: ArrayBuffer) => T): Promise<T> {
    const { faults, counters, sequence } = this.context;
    const size = roundUp(byteLength, 4);
    await faults.finish(
      sequence.run(() => staging.raw.mapAsync(GPUMapMode.READ, 0, size).then(() => undefined)),
      ticket,
    );
    try {
      await faults.settle(ticket);
      const result = use(staging.raw.getMappedRange(0, size));
      counters.bytesRead += byteLength;
      return result;
    } catch (error) {
      if (error instanceof FlywheelError) throw error;
      if (error instanceof RangeError) throw noRoom(byteLength, error);
      return await faults.explain(ticket, error); // the GPU process died since: nothing is mapped any more
    } finally {
      staging.raw.unmap();
    }
  }

  private fill(ranges: readonly BufferRange[]): Filled {
    const { offsets, byteLength } = layOut(ranges);
    const size = this.sizeFor(byteLength);
    const index = this.free.findIndex((staging) => staging.byteLength === size);
    if (index < 0) return { staging: this.create(byteLength), ranges, offsets, byteLength };
    const [staging] = this.free.splice(index, 1);
    this.freeByteLength -= size;
    return { staging: staging!, ranges, offsets, byteLength };
  }

  private sizeFor(byteLength: number): number {
    return Math.max(roundUp(byteLength, 4), Math.min(sizeClass(byteLength), this.context.limits.maxBufferSize));
  }

  private create(byteLength: number): Staging {
    const size = this.sizeFor(byteLength);
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = {
      raw: createBuffer(this.context, { label: "read", size, usage }, this.byteLength),
      byteLength: size,
    };
    this.all.add(staging);
    this.byteLength += size;
    return staging;
  }

  private destroy(staging: Staging): void {
    if (!this.all.delete(staging)) return;
    this.byteLength -= staging.byteLength;
    this.context.sequence.end(() => {
      staging.raw.destroy();
    });
  }

  /** The one that was filled longest ago; a new one while the ring is short, or when all are being read. */
  private nextSlot(): RingSlot {
    const { length } = this.ring;
    for (let i = 0; length >= RING_LENGTH && i < length; i++) {
      const index = (this.ringNext + i) % length;
      const slot = this.ring[index]!;
      if (slot.isReading) continue;
      this.ringNext = index + 1;
      return slot;
    }
    const slot: RingSlot = { staging: null, block: null, isReading: false };
    this.ring.push(slot);
    return slot;
  }
}

interface RingSlot {
  staging: Staging | null;
  block: RingBlock | null;
  isReading: boolean;
}

class RingBlock implements StagedBlock {
  valid = true;
  /** Of the submit that filled it. */
  ticket: Ticket = { seen: 0, checks: [] };
  private bytes: Promise<ArrayBuffer> | null = null;

  constructor(
    private readonly readback: Readback,
    private readonly slot: RingSlot,
    readonly filled: Filled,
  ) {}

  get offsets(): readonly number[] {
    return this.filled.offsets;
  }

  async read(): Promise<ArrayBuffer> {
    this.readback.assertAlive();
    if (!this.valid) {
      throw new InternalError(
        "read: a staged block must be read before the ring comes round, got one that was overwritten.",
      );
    }
    this.bytes ??= this.map();
    return this.bytes;
  }

  /** The ring came round. What was read stays. */
  overwrite(): void {
    this.valid = this.bytes !== null;
  }

  private async map(): Promise<ArrayBuffer> {
    const { slot } = this;
    const { staging, byteLength } = this.filled;
    slot.isReading = true;
    try {
      return await this.readback.map(staging, byteLength, this.ticket, (mapped) => mapped.slice(0, byteLength));
    } finally {
      slot.isReading = false;
    }
  }
}

const noRoom = (byteLength: number, { message }: RangeError): OutOfMemoryError =>
  new OutOfMemoryError(`read: the host must have room for ${byteLength} bytes, got "${message}".`, byteLength, 0);

/** One range after the other, each at a multiple of 4. */
function layOut(ranges: readonly BufferRange[]): { offsets: number[]; byteLength: number } {
  let byteLength = 0;
  const offsets = ranges.map((range) => {
    const offset = byteLength;
    byteLength += roundUp(range.byteLength, 4);
    return offset;
  });
  return { offsets, byteLength };
}
