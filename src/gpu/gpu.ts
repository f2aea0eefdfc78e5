/**
 * A GPU: memory, pipelines, bind groups, submits and reads. The only folder that names GPU* types.
 * Takes WGSL text, byte ranges and lists of commands; gives bytes. Knows nothing of tensors, ops or plans.
 * After a loss every call that could compute or read throws DeviceLostError; what WebGPU reports late, the next read throws.
 */

import { type FlywheelError, InternalError } from "../errors";
import {
  type AdapterClass,
  type BrowserInfo,
  classify,
  describeAdapter,
  type GpuLimits,
  readLimits,
  requestDevice,
  type RequestOptions,
} from "./adapter";
import type { AdapterInfo } from "./adapterInfo";
import { type BindGroupHandle, BindGroupCache, type Binding } from "./bindGroup";
import { type GpuCounters, newCounters } from "./counters";
import { admit, type Command, encode, submit } from "./encode";
import { Faults, type Ticket } from "./faults";
import { type BufferRange, checkRange, type GpuContext, type GpuMemory, MemoryPool } from "./memory";
import { type MemoryUse, sumByName } from "./memoryUse";
import { type Pipeline, PipelineCache } from "./pipeline";
import { type Filled, Readback, type StagedBlock } from "./readback";
import { Sequence } from "./sequence";
import { timeCommands, type Timings } from "./timing";

export type { AdapterClass, GpuLimits, RequestOptions } from "./adapter";
export type { AdapterInfo } from "./adapterInfo";
export type { BindGroupHandle, Binding } from "./bindGroup";
export type { GpuCounters } from "./counters";
export type { Command, CopyCommand, DispatchCommand } from "./encode";
export type { BufferRange, GpuMemory } from "./memory";
export type { MemoryUse, NamedMemory } from "./memoryUse";
export type { BindingLayout, BindingType, Pipeline } from "./pipeline";
export type { StagedBlock } from "./readback";
export type { DispatchTime, Timings } from "./timing";

/** Browsers copy what is written to memory that they share with the GPU process: not all of a large tensor at once. */
const WRITE_BYTE_LENGTH = 32 * 2 ** 20;

export interface SubmitOptions {
  /** Copied, after all commands, into a staged block that may be read later. */
  readonly stage?: readonly BufferRange[];
}

export class Gpu {
  /** What is known of the adapter. */
  readonly info: AdapterInfo;
  readonly adapterClass: AdapterClass;
  readonly limits: GpuLimits;
  /** Resolves with the reason when the device is lost or destroyed; never rejects. */
  readonly lost: Promise<string>;
  /** Wraps each dispatch in a debug group named after its kernel, for GPU debuggers. */
  debugGroups = false;

  private readonly context: GpuContext;
  private readonly faults: Faults;
  private readonly sequence = new Sequence((error) => {
    this.faults.recordRefusal(error);
  });
  private readonly memory: MemoryPool;
  private readonly pipelines: PipelineCache;
  private readonly bindGroups: BindGroupCache;
  private readonly readback: Readback;
  private peakByteLength = 0;

  /**
   * The best adapter's device, with the features that some kernels can use and the largest buffers it offers.
   * @throws DeviceError when there is none
   */
  static async request(options: RequestOptions = {}): Promise<Gpu> {
    const { device, info } = await requestDevice(options);
    return new Gpu(device, info, true);
  }

  /**
   * Works on a device that somebody else made, and that `destroy` leaves to them.
   * @param info what is known of its adapter; wins over what the device says
   */
  static fromDevice(device: GPUDevice, info: Partial<BrowserInfo> = {}): Gpu {
    return new Gpu(device, { ...describeAdapter(device), ...info }, false);
  }

  private constructor(
    readonly device: GPUDevice,
    info: BrowserInfo,
    private readonly ownsDevice: boolean,
  ) {
    this.adapterClass = classify(info);
    this.limits = readLimits(device, this.adapterClass, info);
    const { maxStorageBufferBindingSize } = this.limits;
    this.info = { ...info, isSoftware: this.adapterClass === "software", maxStorageBufferBindingSize };
    this.faults = new Faults(device, () => this.heldByteLength, ownsDevice);
    this.lost = this.faults.lost;
    this.context = {
      device,
      limits: this.limits,
      counters: newCounters(),
      faults: this.faults,
      sequence: this.sequence,
      onCreate: (byteLength) => {
        this.peakByteLength = Math.max(this.peakByteLength, this.heldByteLength + byteLength);
      },
    };
    this.bindGroups = new BindGroupCache(this.context);
    this.memory = new MemoryPool(this.context, (memory) => {
      this.bindGroups.evictBuffer(memory);
    });
    this.pipelines = new PipelineCache(this.context);
    this.readback = new Readback(this.context);
    void this.lost.then(() => {
      this.sequence.cancel();
    });
  }

  get isLost(): boolean {
    return this.faults.lossReason !== null;
  }

  get counters(): Readonly<GpuCounters> {
    return this.context.counters;
  }

  /** Bytes allocated and not freed. */
  get liveByteLength(): number {
    return this.memory.liveByteLength;
  }

  /** Bytes freed and kept for the next allocation. */
  get pooledByteLength(): number {
    return this.memory.pooledByteLength;
  }

  /** Bytes of the buffers that reads go through. */
  get stagingByteLength(): number {
    return this.readback.byteLength;
  }

  /** All bytes of GPU memory that this Gpu holds. */
  get heldByteLength(): number {
    return this.liveByteLength + this.pooledByteLength + this.stagingByteLength;
  }

  /** What is held and by whom, and the most that was held since the last `resetPeakMemory`. */
  memoryUse(): MemoryUse {
    const staging = [...this.readback.inUse()].map((byteLength) => ({ name: "staging", byteLength }));
    return {
      liveByteLength: this.heldByteLength,
      pooledByteLength: this.pooledByteLength + this.readback.freeByteLength,
      peakByteLength: this.peakByteLength,
      byName: sumByName([...this.memory.labelled(), ...staging]),
    };
  }

  /** From now on, the peak is that of what comes. */
  resetPeakMemory(): void {
    this.peakByteLength = this.heldByteLength;
  }

  /** Errors seen so far that WebGPU reported late. */
  get faultCount(): number {
    return this.faults.count;
  }

  /** Submits begun so far: the number of the last one. */
  get submitCount(): number {
    return this.faults.submits;
  }

  /**
   * Why nothing that submit number `submit` computed can be trusted, as far as is known by now; null where it can. A read
   * throws an error that WebGPU reported late once; what was computed in the meantime stays suspect for good.
   */
  faultOf(submit: number): FlywheelError | null {
    return this.faults.faultOf(submit);
  }

  /**
   * Memory of at least `byteLength` bytes, its content undefined.
   * @param label for the browser's messages
   * @throws OutOfMemoryError above `limits.maxBufferSize`, or when the host has no room; the GPU's own refusal comes with the
   *   next read
   * @throws DeviceLostError
   */
  allocate(byteLength: number, label: string): GpuMemory {
    this.faults.assertAlive("allocate");
    return this.memory.allocate(byteLength, label);
  }

  /** Gives memory back for the next allocation of its size. Commands already submitted still see it. */
  free(memory: GpuMemory): void {
    this.memory.free(memory);
  }

  /** Destroys what is kept only for reuse. */
  trim(): void {
    this.memory.trim();
    this.readback.trim();
  }

  /**
   * Writes bytes before the next submit runs. Up to 3 bytes after an odd length become 0.
   * @throws DeviceLostError
   */
  write(range: BufferRange, data: ArrayBufferView): void {
    this.faults.assertAlive("write");
    checkRange("write", range);
    const { buffer, byteOffset } = range;
    const { byteLength } = data;
    if (byteLength > range.byteLength) {
      throw new InternalError(`write: data must fit its range, got ${byteLength} for ${range.byteLength} bytes.`);
    }
    if (byteLength === 0) return;
    const given = new Uint8Array(data.buffer, data.byteOffset, byteLength);
    const bytes = this.sequence.isWaiting ? given.slice() : given; // it may change until its turn comes
    this.sequence.do(() => {
      writeBytes(this.device.queue, buffer.raw, byteOffset, bytes);
    });
    this.context.counters.writes++;
    this.context.counters.bytesUploaded += byteLength;
  }

  /**
   * A kernel's pipeline, cached by its text. It compiles in the background, beside others; what is submitted waits for it. That
   * it fails is thrown by the next read or `check`, and by every later submit that uses it.
   * @throws DeviceLostError
   */
  pipeline(label: string, wgsl: string): Pipeline {
    this.faults.assertAlive(label);
    return this.pipelines.get(label, wgsl);
  }

  /**
   * A bind group, cached by layout, buffers, offsets and lengths. Keep the handle with a plan and it costs nothing.
   * @throws InternalError for what WebGPU would reject
   */
  bindGroup(pipeline: Pipeline, bindings: readonly Binding[]): BindGroupHandle {
    this.faults.assertAlive(pipeline.label);
    return this.bindGroups.get(pipeline, bindings);
  }

  /**
   * Runs commands in order, in one submit, consecutive dispatches in one pass; as soon as their pipelines are there.
   * @returns the staged block, null without `stage`
   * @throws InternalError for what WebGPU would silently not run; then nothing was submitted
   * @throws DeviceLostError
   */
  submit(commands: readonly Command[], options: { readonly stage: readonly BufferRange[] }): StagedBlock;
  submit(commands: readonly Command[], options?: SubmitOptions): StagedBlock | null;
  submit(commands: readonly Command[], { stage }: SubmitOptions = {}): StagedBlock | null {
    this.faults.assertAlive("submit");
    const pipelines = admit(this.context, commands);
    const block = stage ? this.readback.stage(stage) : null;
    this.run(commands, pipelines, block ? [block.filled] : []);
    if (block) block.ticket = this.faults.ticket();
    return block;
  }

  /** The bytes of each range, as of now. Rejects like `submitAndRead`. */
  read(ranges: readonly BufferRange[]): Promise<ArrayBuffer[]> {
    return this.submitAndRead([], ranges);
  }

  /**
   * Runs commands and reads ranges, in one submit, made before this returns.
   * @throws DeviceLostError within 2 s of a loss
   * @throws OutOfMemoryError, KernelError, DeviceError: whatever WebGPU reported since the last read
   */
  async submitAndRead(commands: readonly Command[], ranges: readonly BufferRange[]): Promise<ArrayBuffer[]> {
    return this.submitForRead(commands, ranges);
  }

  /** The same, but what keeps it from submitting anything is thrown at once; what is found later rejects. */
  submitForRead(commands: readonly Command[], ranges: readonly BufferRange[]): Promise<ArrayBuffer[]> {
    this.faults.assertAlive("read");
    const filled = this.readback.take(ranges.filter(({ byteLength }) => byteLength > 0));
    try {
      const pipelines = admit(this.context, commands);
      if (filled.length > 0 || commands.length > 0) this.run(commands, pipelines, filled);
    } catch (error) {
      for (const { staging } of filled) this.readback.give(staging);
      throw error;
    }
    return this.collect(filled, ranges);
  }

  private async collect(filled: readonly Filled[], ranges: readonly BufferRange[]): Promise<ArrayBuffer[]> {
    const ticket = this.faults.ticket();
    const bytes = (await Promise.all(filled.map((one) => this.readback.collect(one, ticket)))).flat();
    if (filled.length === 0) await this.faults.settle(ticket);
    return ranges.map(({ byteLength }) => (byteLength > 0 ? bytes.shift()! : new ArrayBuffer(0)));
  }

  /** Waits until all submitted work is done and throws what `submitAndRead` would. */
  async check(): Promise<void> {
    const ticket = this.faults.ticket();
    await this.finished(ticket);
    // Chrome tells of errors outside of scopes in a task of its own, after the promise.
    await this.faults.guard(new Promise((resolve) => setTimeout(resolve)));
    await this.faults.settle(ticket);
  }

  /**
   * Resolves once all that was submitted has run.
   * @throws DeviceLostError
   */
  async workDone(): Promise<void> {
    await this.finished(this.faults.ticket());
  }

  private finished(ticket: Ticket): Promise<unknown> {
    return this.faults.finish(
      this.sequence.run(() => this.device.queue.onSubmittedWorkDone()),
      ticket,
    );
  }

  /**
   * Runs the commands once and measures each dispatch. Slower than `submit`: a pass for each. Up to 2048 run in their turn, where the
   * device has timestamps; else they come after what is submitted before this resolves.
   */
  async time(commands: readonly Command[]): Promise<Timings> {
    return timeCommands(this.context, commands);
  }

  /** Frees everything; every pending and later read rejects. A device made by `request` is destroyed. */
  destroy(): void {
    this.faults.lose("destroyed");
    this.sequence.cancel();
    this.memory.destroyAll();
    this.readback.destroyAll();
    if (this.ownsDevice) this.device.destroy();
  }

  private run(commands: readonly Command[], pipelines: readonly Pipeline[], filled: readonly Filled[]): void {
    const { debugGroups, sequence, context } = this;
    const own = sequence.mustWait(pipelines) ? [...commands] : commands; // the caller's list may change until its turn comes
    for (const { ranges } of filled) for (const { byteLength } of ranges) if (byteLength > 0) context.counters.copies++;
    submit(context, pipelines, (encoder) => {
      encode(encoder, own, { debugGroups });
      for (const one of filled) this.readback.encode(encoder, one);
    });
  }
}

/** Writes all bytes, and zeros up to the next multiple of 4. */
function writeBytes(queue: GPUQueue, buffer: GPUBuffer, byteOffset: number, bytes: Uint8Array): void {
  const whole = bytes.byteLength - (bytes.byteLength % 4);
  for (let done = 0; done < whole; done += WRITE_BYTE_LENGTH) {
    const length = Math.min(WRITE_BYTE_LENGTH, whole - done);
    queue.writeBuffer(buffer, byteOffset + done, bytes.buffer, bytes.byteOffset + done, length);
  }
  if (whole === bytes.byteLength) return;
  const tail = new Uint8Array(4);
  tail.set(bytes.subarray(whole));
  queue.writeBuffer(buffer, byteOffset + whole, tail);
}
