/** Shows the work: what reading a tensor would run, launch by launch, and the WGSL of each. */

import { DeviceError } from "../errors";
import { WebGpuBackend } from "../runtime/webgpuBackend";
import type { PlannedLaunch } from "../schedule/plan";
import { printLaunches } from "../schedule/print";
import type { Tensor } from "../tensor";

/**
 * The launches that reading some tensors now would take, pending writes to state included. Nothing runs.
 *
 * @param tensors on one WebGPU device
 * @returns one entry a dispatch: kernel, WGSL, grid, what was fused, why the kernel ends there, flops, bytes
 * @throws DeviceError for tensors on the CPU, which interprets graphs and has no schedule
 */
export function launchesOf(...tensors: Tensor[]): readonly PlannedLaunch[] {
  const engine = tensors[0]?.device.engine;
  if (!(engine?.backend instanceof WebGpuBackend)) {
    throw new DeviceError(
      `explain: tensors must be on a WebGPU device, got ${tensors[0]?.device.name ?? "none"}. Use init({ device: "webgpu" }).`,
    );
  }
  return engine.backend.launchesOf(engine.programFor(tensors.map(({ node }) => node)));
}

/**
 * The schedule of some tensors as a table: kernel, output, what was fused, why it was cut there.
 *
 * @example
 * console.log(explain(loss));
 */
export const explain = (...tensors: Tensor[]): string => printLaunches(launchesOf(...tensors));
