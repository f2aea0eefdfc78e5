/** The way from a device to its GPU, for the tools of this folder. */

import type { Device } from "../device";
import { DeviceError } from "../errors";
import { WebGpuBackend } from "../runtime/webgpuBackend";

/** @throws DeviceError for the CPU, which interprets graphs: it has no launches to show or measure */
export function backendOf(op: string, { engine, name }: Pick<Device, "engine" | "name">): WebGpuBackend {
  if (engine.backend instanceof WebGpuBackend) return engine.backend;
  throw new DeviceError(`${op}: the device must be a WebGPU one, got ${name}. Use init({ device: "webgpu" }).`);
}

/**
 * Waits until a device has done all work that was queued: what a clock must wait for.
 *
 * @throws KernelError, OutOfMemoryError, DeviceLostError: whatever went wrong since the last read
 * @see torch.cuda.synchronize
 *
 * @example
 * const startMs = performance.now();
 * await x.matmul(y).realize();
 * await synchronize(device);
 * console.log(performance.now() - startMs);
 */
export async function synchronize(device: Device): Promise<void> {
  const { gpu } = backendOf("synchronize", device);
  const before = gpu.faultCount;
  await gpu.workDone();
  if (gpu.isLost || gpu.faultCount !== before) await gpu.check();
}
