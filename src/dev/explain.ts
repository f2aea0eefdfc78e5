/** Shows the work: what reading a tensor would run, launch by launch, and the WGSL of each. */

import { ValueError } from "../errors";
import type { PlannedLaunch } from "../schedule/plan";
import { printLaunches } from "../schedule/print";
import type { Tensor } from "../tensor";
import { backendOf } from "./device";

/**
 * The launches that reading some tensors now would take, pending writes to state included. Nothing runs.
 *
 * @param tensors on one WebGPU device
 * @returns one entry a dispatch: kernel, WGSL, grid, what was fused, why the kernel ends there, flops, bytes
 * @throws ValueError without tensors
 * @throws DeviceError for tensors on the CPU, which interprets graphs and has no schedule
 *
 * @example
 * for (const { label, wgsl } of launchesOf(loss)) console.log(label, wgsl);
 */
export function launchesOf(...tensors: Tensor[]): readonly PlannedLaunch[] {
  const [first] = tensors;
  if (!first) throw new ValueError("explain: there must be tensors, got none. Pass what you want to see computed.");
  const backend = backendOf("explain", first.device);
  return backend.launchesOf(first.device.engine.programFor(tensors.map(({ node }) => node)));
}

/**
 * The schedule of some tensors as a table: kernel, output, what was fused, why it was cut there.
 *
 * @throws as `launchesOf`
 *
 * @example
 * console.log(explain(loss));
 */
export const explain = (...tensors: Tensor[]): string => printLaunches(launchesOf(...tensors));
