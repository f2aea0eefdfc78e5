/** GPUs that plan as if their limits were lower, so that small tensors meet them. */

import { WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { Gpu, type GpuLimits } from "../../src/gpu/gpu";

/** A backend on a device that others share, with some limits lowered for it alone; what it binds and launches is checked against them. */
export function backendWith(device: GPUDevice, limits: Partial<GpuLimits>): WebGpuBackend {
  const gpu = Gpu.fromDevice(device);
  Object.assign(gpu.limits, limits);
  return new WebGpuBackend(gpu);
}
