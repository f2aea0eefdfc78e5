/** Wrapper of shaders/sweep.wgsl and sweepShared.wgsl: rows that are swept over several times, an invocation or a workgroup each. */

import sweepSource from "../../shaders/sweep.wgsl?raw";
import sweepSharedSource from "../../shaders/sweepShared.wgsl?raw";
import { foldGrid } from "./grid";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type KernelLimits, type Pass, type Shader } from "./kernel";
import { runOf } from "./run";

/**
 * Hooks: `prepare(o)`, `load(level, o, outer, vec)`, `identity`, `combine`, `take(level, o, found)`, `store(o, outer, vec, count)`,
 * `store_row(o)`; `middle()` of moments; `keep(o, outer, vec, value)` and `begin_turn(turn)` of exponentials.
 */
export const sweep: Shader = { name: "sweep", source: sweepSource };
/** The first of these hooks. */
export const sweepShared: Shader = { name: "sweepShared", source: sweepSharedSource };

/** Levels of folds that one kernel takes, and folds of one level. */
export const MAX_LEVELS = 4;
export const MAX_FOLDS = 4;

export interface SweepInfo {
  readonly rows: number;
  readonly outer: number;
  readonly inner: number;
  readonly levels: number;
  /** Of the level with most. */
  readonly folds: number;
  /** Whether the first two levels are a sum and one of squares around what is made of it, of the same numbers; rows are whole vec4s. */
  readonly moments: boolean;
  /** Where the first two levels are a maximum and exponentials of how far the same numbers are below it: whether those are kept. */
  readonly soft: { readonly keeps: boolean } | null;
  /** Whether it stores more than a value a row. */
  readonly stores: boolean;
  /** Characters of what it does with each vec4, with what that calls. */
  readonly written: number;
}

/** Rows below which an adapter is not kept busy, unless all is small. */
const LEAST_ROWS = 16;
const BLOCK = 64;

/** Whether rows are swept over as fast as by kernels that cut them into chunks. */
export const isSweepable = ({ rows, outer, inner }: SweepSize, limits: KernelLimits): boolean =>
  rows >= LEAST_ROWS || rows * outer * inner <= heuristicsOf(limits).sweep.small;

export type SweepSize = Pick<SweepInfo, "rows" | "outer" | "inner">;

export function planSweep(
  { rows, outer, inner, levels, folds, moments, soft, stores, written }: SweepInfo,
  limits: KernelLimits,
): Pass {
  const isSoftware = limits.adapterClass === "software";
  const sizes = heuristicsOf(limits).sweep.workgroup;
  const isMany = isSoftware ? rows >= 1024 : outer * inner >= 1024;
  const workgroup = isMany ? sizes.many : sizes.few;
  const count = rows * outer * inner;
  const vecs = ceilDiv(inner, 4);
  const run = runOf(vecs, { total: rows * outer * vecs, written, most: stores ? 4 : 8 }, limits);
  const loop = {
    RUN: run,
    RAGGED: inner % 4 === 0 ? 0 : 1,
    ...(moments && { MOMENTS: 1, FIRST: 2 }),
    ...(soft && { SOFT: 1, FIRST: 2, TOPS: soft.keeps ? (outer * vecs) / run : 1 }),
  };
  const consts = { WORKGROUP: workgroup, BLOCK, LEVELS: levels, FOLDS: folds, STORES: stores ? 1 : 0 };
  return {
    shader: isSoftware ? sweep : sweepShared,
    consts: isSoftware ? { ...consts, ...loop } : consts,
    grid: foldGrid(isSoftware ? ceilDiv(rows, workgroup) : rows, limits),
    params: { rows, outer, inner },
    bindings: {},
    flops: levels * folds * count,
    bytes: 4 * count,
  };
}
