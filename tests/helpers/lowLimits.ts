/** GPUs that plan as if their limits were lower, so that small tensors meet them. */

import { WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { Gpu, type GpuLimits } from "../../src/gpu/gpu";
import type { KernelLimits } from "../../src/kernels/kernel";

/** A backend on a device that others share, with some limits lowered for it alone; what it binds and launches is checked against them. */
export function backendWith(device: GPUDevice, limits: Partial<GpuLimits>): WebGpuBackend {
  const gpu = Gpu.fromDevice(device);
  Object.assign(gpu.limits, limits);
  return new WebGpuBackend(gpu);
}

/** WebGPU's default limits, as kernels see them. */
export const DEFAULT_LIMITS: Omit<KernelLimits, "adapterClass"> = {
  vendor: "unknown",
  maxComputeWorkgroupsPerDimension: 65_535,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxStorageBufferBindingSize: 2 ** 27,
  subgroupSize: 0,
};
