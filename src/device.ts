/**
 * Devices: where tensors live and graphs run. `init` opens one and makes it the default; more can be open beside it.
 * Takes names and options, gives an engine on a backend. Knows neither tensors nor GPUs.
 */

import { checkChoice, checkOptionNames, describe } from "./options";
import { DEBUG_SWITCH, debugSwitch } from "./debugSwitch";
import { DeviceError, DeviceLostError, ValueError } from "./errors";
import type { AdapterInfo } from "./gpu/adapterInfo";
import type { DType } from "./graph/dtype";
import type { MemoryUse } from "./gpu/memoryUse";
import { CpuBackend } from "./runtime/cpuBackend";
import { Engine } from "./runtime/engine";
import type { Backend } from "./runtime/program";
import type { WebGpuBackend } from "./runtime/webgpuBackend";

export type { AdapterInfo } from "./gpu/adapterInfo";
export type { MemoryUse, NamedMemory } from "./gpu/memoryUse";

export type DeviceKind = "cpu" | "webgpu";

/** How to open a device. */
export interface DeviceOptions {
  /** A WebGPU device that the page already has; flywheel shares it and does not destroy it. */
  readonly gpuDevice?: unknown;
  /** On a computer with two GPUs: which. Default "high-performance". */
  readonly powerPreference?: "low-power" | "high-performance";
  /**
   * How large buffers and bindings may be: `"adapter"` (the default) asks for what the GPU offers, `"default"` for what every
   * WebGPU device has (256 MiB a buffer, 128 MiB a binding), to see how a program does elsewhere. A `gpuDevice` has its own.
   */
  readonly limits?: "adapter" | "default";
  /**
   * Whether a GPU checks indices as the CPU always does: without it, an index out of range gives NaN, in integers another entry,
   * and writes nothing. With it, the first read afterwards throws an IndexError that names the op and the index. Costs two
   * reductions and a copy to the host for each tensor of indices. Default false.
   */
  readonly debug?: boolean;
}

/** Names of DeviceOptions. */
const DEVICE_OPTIONS = ["gpuDevice", "powerPreference", "limits", "debug"];

/** What `init` takes. */
export interface InitOptions extends DeviceOptions {
  /** `"auto"` (the default) takes WebGPU where there is some, and the CPU, with a warning, where not. */
  readonly device?: "auto" | DeviceKind;
}

/** What a backend tells of itself beyond the contract. */
type DescribedBackend = Backend & {
  adapterInfo(): AdapterInfo;
  memory(): MemoryUse;
  resetPeakMemory(): void;
  /** Running totals: dispatches, submits, bytes uploaded and read, ... */
  counters(): Readonly<Record<string, number>>;
  /** Whether tensors of f16 may be there. */
  readonly hasF16: boolean;
  /** Whether the GPU behind it is gone. */
  readonly isLost?: boolean;
  destroy?(): void;
};

let nextId = 0;

/** A place where tensors live: the CPU reference or one GPU. */
export class Device {
  /** Names it among devices of its kind: `webgpu:0`. */
  readonly name: string;
  /** Remembers what is pending and decides when it runs. */
  readonly engine: Engine;
  private open = true;

  /** Use `init` or `openDevice`. */
  constructor(
    private readonly backend: DescribedBackend,
    { debug = false }: DeviceOptions = {},
  ) {
    this.name = `${backend.kind}:${nextId++}`;
    this.engine = new Engine(backend, debug);
  }

  get kind(): DeviceKind {
    return this.backend.kind;
  }

  /** Whether it holds tensors of this dtype: WebGPU has no f64, and f16 only where the adapter has `shader-f16`. */
  supports(dtype: DType): boolean {
    if (dtype === "f64") return this.kind === "cpu";
    return dtype !== "f16" || this.backend.hasF16;
  }

  /** What is known of the adapter; strings are empty where the browser does not tell. */
  adapterInfo(): AdapterInfo {
    return this.backend.adapterInfo();
  }

  /**
   * Memory that the device holds, in bytes: all of it, what is pooled for reuse, the peak, and what is in use by name. On the CPU
   * only state counts; values of tensors belong to JavaScript's collector.
   *
   * @example
   * const { liveByteLength, peakByteLength, byName } = device.memory();
   * console.table(byName); // "params", "slot", "data" ...: bytes and buffers of each, the largest first
   */
  memory(): MemoryUse {
    return this.backend.memory();
  }

  /**
   * Lets `peakByteLength` start anew from what is held now.
   *
   * @see torch.cuda.reset_peak_memory_stats
   */
  resetPeakMemory(): void {
    this.backend.resetPeakMemory();
  }

  /** Running totals of what the device has done: take the difference of two readings. */
  counters(): Readonly<Record<string, number>> {
    return this.backend.counters();
  }

  /** Runs all pending writes, so that memory holds the latest version of all state. */
  flush(): void {
    this.engine.flush();
  }

  /** Frees everything on the device. Its tensors can no longer be read. */
  destroy(): void {
    if (!this.open) return;
    this.open = false;
    if (current === this) current = null;
    this.backend.destroy?.();
  }

  /** @throws DeviceError once the device was destroyed; DeviceLostError once it was lost, also for values the host still has */
  check(op: string): this {
    if (!this.open) {
      throw new DeviceError(
        `${op}: the device must be open, got ${this.name}, which was destroyed. Open another one with init().`,
      );
    }
    if (this.backend.isLost) {
      throw new DeviceLostError(
        `${op}: the GPU device must be there, got ${this.name}, which was lost. ` +
          "Open another one with init() and restore the last checkpoint.",
      );
    }
    return this;
  }

  toString(): string {
    return this.name;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Device(${this.name})`;
  }
}

/**
 * A device that a caller passes, once it is known to be one that works.
 *
 * @throws DeviceError for anything else, a name above all; DeviceLostError once it was lost
 */
export function checkedDevice(op: string, device: unknown): Device {
  if (device instanceof Device) return device.check(op);
  throw new DeviceError(
    `${op}: the device must be a Device, got ${describe(device)}. Open one: await init({ device: "webgpu" }) or await openDevice("cpu").`,
  );
}

let current: Device | null = null;

/**
 * Opens a device and makes it the default: what `tensor`, `zeros` and layers create lives there.
 * Called again, it opens a second device; tensors of the first stay where they are.
 *
 * @param options.device `"auto"` (default), `"webgpu"` or `"cpu"`
 * @param options.gpuDevice a WebGPU device that the page already has
 * @param options.powerPreference which GPU of two; default `"high-performance"`
 * @param options.limits `"adapter"` (default) or `"default"`: how large buffers and bindings may be
 * @param options.debug whether indices are checked on a GPU too; default false
 * @returns the device
 * @throws DeviceError if `"webgpu"` was asked for and there is none; `"auto"` warns once instead and takes the CPU
 * @throws ValueError for a device or limits that there are not, or a channel in FLYWHEEL_DEBUG (see `debug` of `flywheel/dev`)
 *
 * @example
 * await init();
 * const x = tensor([1, 2, 3]);
 */
export async function init(initOptions: InitOptions = {}): Promise<Device> {
  checkOptionNames("init", initOptions, ["device", ...DEVICE_OPTIONS]);
  const { device = "auto", ...options } = initOptions;
  current = device === "auto" ? await openBest(options) : await open("init", device, options);
  return current;
}

/**
 * Opens a device beside the default one.
 *
 * @param kind `"webgpu"` or `"cpu"`
 * @returns the device; use it with `withDevice` or `{ device }`
 * @throws DeviceError if `"webgpu"` was asked for and there is none
 *
 * @example
 * const cpu = await openDevice("cpu");
 * const onCpu = await x.to(cpu);
 */
export async function openDevice(kind: DeviceKind, options: DeviceOptions = {}): Promise<Device> {
  checkOptionNames("openDevice", options, DEVICE_OPTIONS);
  return open("openDevice", kind, options);
}

async function open(op: "init" | "openDevice", kind: DeviceKind, options: DeviceOptions): Promise<Device> {
  checkChoice(op, "limits", options.limits ?? "adapter", ["adapter", "default"]);
  // Callers without types may pass anything.
  switch (kind as string) {
    case "cpu":
      return new Device(new CpuBackend(), options);
    case "webgpu": {
      const watch = await watcher();
      const { createWebGpuBackend } = await import("./runtime/webgpuBackend");
      const backend = await createWebGpuBackend(options);
      watch(backend);
      return new Device(backend, options);
    }
    default:
      throw new ValueError(
        `${op}: device must be ${op === "init" ? '"auto", ' : ""}"webgpu" or "cpu", got ${JSON.stringify(kind)}. Pass one of them.`,
      );
  }
}

/**
 * What opens the debug channels that FLYWHEEL_DEBUG names; where it is not set, nothing is loaded.
 *
 * @throws ValueError for channels that there are not
 */
async function watcher(): Promise<(backend: WebGpuBackend) => void> {
  const text = debugSwitch();
  if (text === "") return () => undefined;
  const { channelsOf, openChannel } = await import("./dev/channels");
  const channels = channelsOf(DEBUG_SWITCH, text);
  return (backend) => {
    // eslint-disable-next-line no-console -- somebody asked for it
    for (const channel of channels) openChannel(backend, channel, (shown) => console.log(shown));
  };
}

/**
 * The device that new tensors live on.
 *
 * @throws DeviceError before `await init()`
 */
export function defaultDevice(): Device {
  if (!current) {
    throw new DeviceError(
      "device: a device must be open before tensors are made, got none. Call `await init()` first.",
    );
  }
  return current;
}

/**
 * Runs `body` with another default device.
 *
 * @param body not async: the default device is global and comes back when `body` returns
 * @returns what `body` returns
 * @throws DeviceError if `body` is async, or the device was destroyed or lost
 *
 * @example
 * const reference = withDevice(cpu, () => new nn.Linear(4, 2));
 */
export function withDevice<T>(device: Device, body: () => T): T {
  const before = current;
  const chosen = checkedDevice("withDevice", device);
  if (typeof body !== "function") {
    throw new ValueError(
      `withDevice: the body must be a function, got ${describe(body)}. Write withDevice(device, () => ...).`,
    );
  }
  current = chosen;
  let result: T;
  try {
    result = body();
  } finally {
    current = before;
  }
  if (result instanceof Promise) {
    result.catch(() => undefined); // what goes wrong on the other device does not matter any more
    throw new DeviceError(
      "withDevice: the function must not be async, got one that returns a promise. " +
        "Await outside, or inside of several withDevice calls instead.",
    );
  }
  return result;
}

/** What is known of the default device's adapter; see `Device.adapterInfo`. */
export const adapterInfo = (): AdapterInfo => defaultDevice().adapterInfo();

/** Memory that the default device holds: all of it, pooled, at its peak, and by name; see `Device.memory`. */
export const memory = (): MemoryUse => defaultDevice().memory();

/**
 * Lets the peak of the default device's memory start anew; see `Device.resetPeakMemory`.
 *
 * @see torch.cuda.reset_peak_memory_stats
 */
export const resetPeakMemory = (): void => {
  defaultDevice().resetPeakMemory();
};

async function openBest(options: DeviceOptions): Promise<Device> {
  try {
    return await open("init", "webgpu", options);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    // The one message on the console: a run on the CPU is slower by orders of magnitude, and the user should know why.
    // eslint-disable-next-line no-console
    console.warn(
      `flywheel runs on the CPU, which is very slow. ${error.message} Pass { device: "cpu" } to silence this.`,
    );
    return openDevice("cpu");
  }
}
