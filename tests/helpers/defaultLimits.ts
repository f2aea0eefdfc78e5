import type { KernelLimits } from "../../src/kernels/kernel";

/** WebGPU's default limits, as kernels see them. */
export const DEFAULT_LIMITS: Omit<KernelLimits, "adapterClass"> = {
  vendor: "unknown",
  maxComputeWorkgroupsPerDimension: 65_535,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxStorageBufferBindingSize: 2 ** 27,
  subgroupSize: 0,
};
