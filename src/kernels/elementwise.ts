/** Wrapper of shaders/elementwise.wgsl and its kin, elementwiseScalar and those for halves: one fused expression over an output. */

import elementwiseSource from "../../shaders/elementwise.wgsl?raw";
import elementwiseHalfSource from "../../shaders/elementwiseHalf.wgsl?raw";
import elementwiseHalfScalarSource from "../../shaders/elementwiseHalfScalar.wgsl?raw";
import elementwiseScalarSource from "../../shaders/elementwiseScalar.wgsl?raw";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type KernelLimits, type Shader } from "./kernel";
import { runOf } from "./run";

/** Four elements an invocation. Hook: `compute4(vec) -> vec4<u32>`. */
export const elementwise: Shader = { name: "elementwise", source: elementwiseSource };
/** One element an invocation. Hook: `compute(index) -> u32`. */
export const elementwiseScalar: Shader = { name: "elementwiseScalar", source: elementwiseScalarSource };
/** The same, stored as f16. Hook: `compute4(vec) -> vec4<f32>`, rounded. */
export const elementwiseHalf: Shader = { name: "elementwiseHalf", source: elementwiseHalfSource };
/** The same, stored as f16. Hook: `compute(index) -> f32`, rounded. */
export const elementwiseHalfScalar: Shader = { name: "elementwiseHalfScalar", source: elementwiseHalfScalarSource };

const WORKGROUP = 64;
/** Workgroups for `count` stores, `run` of them in a row. */
export const elementwiseGrid = (count: number, run: number, limits: KernelLimits): [number, number, number] => [
  Math.min(
    ceilDiv(count, WORKGROUP * run),
    heuristicsOf(limits).elementwise.mostWorkgroups,
    limits.maxComputeWorkgroupsPerDimension,
  ),
  1,
  1,
];

/** Stores in a row of an expression of so many characters. */
export const elementwiseRun = (count: number, written: number, limits: KernelLimits): number =>
  runOf(count, { total: count, written }, limits);
