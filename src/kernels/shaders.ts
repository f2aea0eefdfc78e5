/** All shaders by name: those of the families, and those that are made from the graph. */

import { KERNELS } from ".";
import { elementwise, elementwiseHalf, elementwiseHalfScalar, elementwiseScalar } from "./elementwise";
import type { Shader } from "./kernel";
import { reduceColumns, reduceRows } from "./reduce";
import { sweep, sweepShared } from "./sweep";

const families = Object.values(KERNELS).flatMap(({ shaders }) => [...shaders]);

/** One entry a `.wgsl` file that is launched. */
export const SHADERS: ReadonlyMap<string, Shader> = new Map(
  [
    ...[elementwise, elementwiseScalar, elementwiseHalf, elementwiseHalfScalar],
    ...[reduceRows, reduceColumns, sweep, sweepShared, ...families],
  ].map((shader) => [shader.name, shader]),
);
