/** Wrapper of shaders/reduceRows.wgsl and reduceColumns.wgsl: how a fold is cut into chunks, and the passes it takes. */

import reduceColumnsSource from "../../shaders/reduceColumns.wgsl?raw";
import reduceRowsSource from "../../shaders/reduceRows.wgsl?raw";
import { ceilDiv, type KernelLimits, type KernelPlan, type Pass, type Shader } from "./kernel";

/** Hooks: `load4(o, outer, inner)`, `identity`, `combine4`, `combine`, `epilogue(value, index)`. */
export const reduceRows: Shader = { name: "reduceRows", source: reduceRowsSource };
/** Hooks: `load4(row, o)`, `identity`, `combine4`, `epilogue4(value, index)`. */
export const reduceColumns: Shader = { name: "reduceColumns", source: reduceColumnsSource };

/** `rows`: neighbours in memory are folded together. `columns`: neighbours in memory go to neighbouring outputs. */
export type ReduceInfo =
  | { readonly layout: "rows"; readonly outputs: number; readonly outer: number; readonly inner: number }
  | { readonly layout: "columns"; readonly outputs: number; readonly rows: number };

const WORKGROUP = 16;
/** Invocations that keep an adapter busy, and the least work worth one. */
const TARGET = { software: { jobs: 256, chunk: 32 }, hardware: { jobs: 16384, chunk: 16 } } as const;

function splitsFor(
  jobs: number,
  length: number,
  limits: KernelLimits,
  most: number,
): { splits: number; chunk: number } {
  const target = TARGET[limits.adapterClass];
  const wanted = Math.min(ceilDiv(target.jobs, jobs), ceilDiv(length, target.chunk), most);
  const chunk = Math.max(1, ceilDiv(length, Math.max(1, wanted)));
  return { splits: Math.max(1, ceilDiv(length, chunk)), chunk };
}

function gridFor(jobs: number, limits: KernelLimits): [number, number, number] {
  const groups = ceilDiv(jobs, WORKGROUP);
  const x = Math.min(groups, limits.maxComputeWorkgroupsPerDimension);
  return [x, ceilDiv(groups, x), 1];
}

/**
 * Passes of a fold: one, or one over chunks and one over their results. Only the last one has the epilogue.
 * @param mostSplits chunks that a fold may be cut into
 */
export function planReduce(info: ReduceInfo, limits: KernelLimits, mostSplits = Infinity): KernelPlan {
  return info.layout === "rows" ? planRows(info, limits, mostSplits) : planColumns(info, limits, mostSplits);
}

function planRows(
  { outputs, outer, inner }: Extract<ReduceInfo, { layout: "rows" }>,
  limits: KernelLimits,
  mostSplits: number,
): KernelPlan {
  const { splits, chunk } = splitsFor(outputs, outer * ceilDiv(inner, 4), limits, mostSplits);
  const first = rowsPass({ outputs, outer, inner, splits, chunk }, limits);
  if (splits === 1) return { passes: [{ ...first, bindings: { input: "input0", output: "output" } }] };
  const second = rowsPass({ outputs, outer: 1, inner: splits, splits: 1, chunk: ceilDiv(splits, 4) }, limits);
  return {
    passes: [
      { ...first, bindings: { input: "input0", output: "scratch0" } },
      { ...second, bindings: { input: "scratch0", output: "output" } },
    ],
    scratch: [4 * outputs * splits],
  };
}

function rowsPass(
  params: { outputs: number; outer: number; inner: number; splits: number; chunk: number },
  limits: KernelLimits,
): Omit<Pass, "bindings"> {
  const count = params.outputs * params.outer * params.inner;
  return {
    shader: reduceRows,
    grid: gridFor(params.outputs * params.splits, limits),
    params,
    flops: count,
    bytes: 4 * count,
  };
}

function planColumns(
  { outputs, rows }: Extract<ReduceInfo, { layout: "columns" }>,
  limits: KernelLimits,
  mostSplits: number,
): KernelPlan {
  const columns = ceilDiv(outputs, 4);
  const { splits, chunk } = splitsFor(columns, rows, limits, mostSplits);
  const first = columnsPass({ outputs, rows, splits, chunk, pitch: outputs }, limits);
  if (splits === 1) return { passes: [{ ...first, bindings: { input: "input0", output: "output" } }] };
  const second = columnsPass({ outputs, rows: splits, splits: 1, chunk: splits, pitch: 4 * columns }, limits);
  return {
    passes: [
      { ...first, bindings: { input: "input0", output: "scratch0" } },
      { ...second, bindings: { input: "scratch0", output: "output" } },
    ],
    scratch: [16 * columns * splits],
  };
}

function columnsPass(
  params: { outputs: number; rows: number; splits: number; chunk: number; pitch: number },
  limits: KernelLimits,
): Omit<Pass, "bindings"> {
  const count = params.outputs * params.rows;
  const jobs = ceilDiv(params.outputs, 4) * params.splits;
  return { shader: reduceColumns, grid: gridFor(jobs, limits), params, flops: count, bytes: 4 * count };
}
