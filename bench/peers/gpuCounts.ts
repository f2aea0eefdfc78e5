/**
 * Counts what a page asks of WebGPU, whatever library it is, by wrapping the prototypes. Must run before a library opens a
 * device.
 */

/** Running totals; `bytesAlive` and `peakBytes` are of all buffers that are not destroyed. */
export interface GpuCounts {
  dispatches: number;
  submits: number;
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  bytesUploaded: number;
  bytesRead: number;
  bytesAlive: number;
  peakBytes: number;
}

const NONE: GpuCounts = {
  dispatches: 0,
  submits: 0,
  buffersCreated: 0,
  bindGroupsCreated: 0,
  pipelinesCreated: 0,
  bytesUploaded: 0,
  bytesRead: 0,
  bytesAlive: 0,
  peakBytes: 0,
};

type Method = (this: object, ...args: unknown[]) => unknown;

/** What was counted since the page began, and the devices that were opened. */
export class GpuWatch {
  readonly counts: GpuCounts = { ...NONE };
  readonly devices: GPUDevice[] = [];
  /** Errors that nobody asked for: a shader that does not compile, memory that is not there, a device that went away. */
  readonly errors: string[] = [];
  private readonly alive = new WeakMap<object, number>();
  /** A buffer that is dropped without destroy() is gone when the collector has found it. */
  private readonly collected = new FinalizationRegistry<number>((byteLength) => this.release(byteLength));

  /** Wraps the prototypes of this page; where there is no WebGPU there is nothing to count. */
  constructor() {
    if (typeof GPUDevice === "undefined") return;
    const { counts } = this;
    after(GPUAdapter.prototype, "requestDevice", async (promise) => this.watchDevice((await promise) as GPUDevice));
    for (const name of ["dispatchWorkgroups", "dispatchWorkgroupsIndirect"]) {
      before(GPUComputePassEncoder.prototype, name, () => counts.dispatches++);
    }
    before(GPUQueue.prototype, "submit", () => counts.submits++);
    before(GPUQueue.prototype, "writeBuffer", (_, args) => (counts.bytesUploaded += writtenBytes(args)));
    before(GPUDevice.prototype, "createBindGroup", () => counts.bindGroupsCreated++);
    for (const name of ["createComputePipeline", "createComputePipelineAsync"]) {
      before(GPUDevice.prototype, name, () => counts.pipelinesCreated++);
    }
    after(GPUDevice.prototype, "createBuffer", (buffer, [descriptor]) =>
      this.addBuffer(buffer as GPUBuffer, descriptor as GPUBufferDescriptor),
    );
    before(GPUBuffer.prototype, "destroy", (buffer) => this.removeBuffer(buffer));
    before(GPUBuffer.prototype, "mapAsync", (buffer, args) => {
      const { size: byteLength } = buffer as GPUBuffer;
      const [mode, offset = 0, size = byteLength - Number(offset)] = args;
      if (mode === GPUMapMode.READ) counts.bytesRead += Number(size);
    });
  }

  /** Counts no more: what JavaScript takes is then the library's alone. Errors are still heard of. */
  stop(): void {
    for (const each of restore.splice(0)) each();
  }

  /** Starts a new peak. */
  resetPeak(): void {
    this.counts.peakBytes = this.counts.bytesAlive;
  }

  /** Waits until all devices have done what was submitted. */
  async idle(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.queue.onSubmittedWorkDone()));
  }

  private watchDevice(device: GPUDevice): void {
    this.devices.push(device);
    device.addEventListener("uncapturederror", ({ error }) => this.errors.push(error.message));
    void device.lost.then(({ message, reason }) => {
      if (reason !== "destroyed") this.errors.push(`the device was lost: ${message}`);
    });
  }

  private addBuffer(buffer: GPUBuffer, { size, mappedAtCreation = false }: GPUBufferDescriptor): void {
    this.counts.buffersCreated++;
    if (mappedAtCreation) this.counts.bytesUploaded += size;
    this.counts.bytesAlive += size;
    this.counts.peakBytes = Math.max(this.counts.peakBytes, this.counts.bytesAlive);
    this.alive.set(buffer, size);
    this.collected.register(buffer, size, buffer);
  }

  private removeBuffer(buffer: object): void {
    const byteLength = this.alive.get(buffer);
    if (byteLength === undefined) return; // destroyed before
    this.alive.delete(buffer);
    this.collected.unregister(buffer);
    this.release(byteLength);
  }

  private release(byteLength: number): void {
    this.counts.bytesAlive -= byteLength;
  }
}

/** Of writeBuffer: offset and size count elements of a typed array, bytes of a buffer. */
function writtenBytes([, , data, offset = 0, size]: unknown[]): number {
  const unit = ArrayBuffer.isView(data) && !(data instanceof DataView) ? (data as Float32Array).BYTES_PER_ELEMENT : 1;
  return size === undefined ? (data as ArrayBuffer).byteLength - Number(offset) * unit : Number(size) * unit;
}

/** Give the prototypes their own methods back. */
const restore: (() => void)[] = [];

/** Puts another method in a prototype's place, until counting stops. */
function replace(prototype: object, name: string, make: (original: Method) => Method): void {
  const methods = prototype as Record<string, Method>;
  const original = methods[name]!;
  methods[name] = make(original);
  restore.push(() => (methods[name] = original));
}

/** Runs `look` before each call of a prototype's method. */
function before(prototype: object, name: string, look: (self: object, args: unknown[]) => unknown): void {
  replace(
    prototype,
    name,
    (original) =>
      function (...args) {
        look(this, args);
        return original.apply(this, args);
      },
  );
}

/** Runs `look` on the result of each call, before the caller has it. */
function after(prototype: object, name: string, look: (result: unknown, args: unknown[]) => unknown): void {
  replace(
    prototype,
    name,
    (original) =>
      function (...args) {
        const result = original.apply(this, args);
        void look(result, args);
        return result;
      },
  );
}

/** By how much each total has grown, and the peak and the bytes alive as they are. */
export const countsSince = (start: GpuCounts, now: GpuCounts): GpuCounts => {
  const grown = Object.entries(now).map(([name, total]) => [name, Number(total) - start[name as keyof GpuCounts]]);
  const { bytesAlive, peakBytes } = now;
  return { ...(Object.fromEntries(grown) as GpuCounts), bytesAlive, peakBytes };
};
