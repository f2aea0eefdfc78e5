/** Grids within the limit of workgroups a dimension. */
import { ceilDiv } from "./kernel";
import type { KernelLimits, Pass } from "./kernel";

/** A linear grid of `workgroups`, folded into x and y; shaders read it as `y * num_workgroups.x + x` and skip the excess. */
export function foldGrid(workgroups: number, { maxComputeWorkgroupsPerDimension: max }: KernelLimits): Pass["grid"] {
  const y = ceilDiv(workgroups, max);
  return [ceilDiv(workgroups, y), y, 1];
}
