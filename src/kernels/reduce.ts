/** Wrapper of shaders/reduceRows.wgsl and reduceColumns.wgsl: how a fold is cut into chunks, and the passes it takes. */

import reduceColumnsSource from "../../shaders/reduceColumns.wgsl?raw";
import reduceRowsSource from "../../shaders/reduceRows.wgsl?raw";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type KernelLimits, type KernelPlan, type Pass, type Shader } from "./kernel";
import { runOf } from "./run";

/** Hooks: `load4(o, outer, vec)`, `identity`, `combine4`, `combine`, `epilogue(value, index)`. */
export const reduceRows: Shader = { name: "reduceRows", source: reduceRowsSource };
/** Hooks: `load4(row, vec)`, `identity`, `combine4`, `epilogue4(value, index)`. */
export const reduceColumns: Shader = { name: "reduceColumns", source: reduceColumnsSource };

/** `rows`: neighbours in memory are folded together. `columns`: neighbours in memory go to neighbouring outputs. */
export type ReduceInfo =
  | { readonly layout: "rows"; readonly outputs: number; readonly outer: number; readonly inner: number }
  | { readonly layout: "columns"; readonly outputs: number; readonly rows: number };

/** Invocations that count as many. */
const MANY = 1024;
/** Turns that one invocation folds before it adds what they make to the rest: rounding adds up along a block, and then over blocks. */
const BLOCK = 64;
/** Steps of a turn. */
const MOST_STEPS = 8;

/**
 * Roundings in a row that the terms of a sum go through in a pass over chunks of so many loads, `run` a turn: turns, blocks, and four
 * lanes in two steps.
 */
export function roundingsOfChunk(chunk: number, run: number): number {
  const turns = ceilDiv(chunk, run);
  return run + Math.min(turns, BLOCK) + ceilDiv(turns, BLOCK) + 2;
}

/** @param run what a chunk must be a multiple of; `length` is one */
function splitsFor(jobs: number, length: number, run: number, limits: KernelLimits, most: number): Cutting {
  const { target, quick } = heuristicsOf(limits).reduce;
  if (jobs >= quick.jobs && jobs * length <= quick.loads) return { splits: 1, chunk: Math.max(1, length) };
  const wanted = Math.min(ceilDiv(target.jobs, jobs), ceilDiv(length, target.chunk), most);
  const chunk = run * Math.max(1, ceilDiv(length, run * Math.max(1, wanted)));
  return { splits: Math.max(1, ceilDiv(length, chunk)), chunk };
}

const workgroupFor = (jobs: number, limits: KernelLimits): number =>
  heuristicsOf(limits).reduce.workgroup[jobs < MANY ? "few" : "many"];

function gridFor(jobs: number, limits: KernelLimits): [number, number, number] {
  const groups = ceilDiv(jobs, workgroupFor(jobs, limits));
  const x = Math.min(groups, limits.maxComputeWorkgroupsPerDimension);
  return [x, ceilDiv(groups, x), 1];
}

/**
 * Passes of a fold: one, or one over chunks and one or two over their results. Only the last one has the epilogue.
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
  const vecs = ceilDiv(inner, 4);
  const run = runOf(vecs, { total: outputs * outer * vecs, most: MOST_STEPS }, limits);
  const first = splitsFor(outputs, outer * vecs, run, limits, mostSplits);
  const levels = levelsFrom(first, limits, (splits) => ceilDiv(splits, 4));
  const passes = levels.map((level, index) => {
    const sizes = index === 0 ? { outer, inner } : { outer: 1, inner: levels[index - 1]!.splits };
    return rowsPass({ outputs, ...sizes, ...level }, index === 0 ? run : 1, limits);
  });
  return chained(
    passes,
    levels.map(({ splits }) => 4 * outputs * splits),
  );
}

/** How one pass of several cuts what it folds. */
interface Cutting {
  readonly splits: number;
  /** Loads of one chunk. */
  readonly chunk: number;
}

/** What the results of a pass are cut into by the passes after it, until one chunk is left. */
function levelsFrom(first: Cutting, limits: KernelLimits, loadsOf: (splits: number) => number): Cutting[] {
  const levels = [first];
  for (let last = first; last.splits > 1; levels.push(last)) {
    const loads = loadsOf(last.splits);
    const chunk = loads <= heuristicsOf(limits).reduce.last ? loads : BLOCK;
    last = { splits: ceilDiv(loads, chunk), chunk };
  }
  return levels;
}

/** Passes that hand their results to the next one. */
function chained(passes: readonly Omit<Pass, "bindings">[], byteLengths: readonly number[]): KernelPlan {
  const last = passes.length - 1;
  return {
    passes: passes.map((pass, index) => ({
      ...pass,
      bindings: {
        input: index === 0 ? "input0" : `scratch${index - 1}`,
        output: index === last ? "output" : `scratch${index}`,
      },
    })),
    ...(last > 0 && { scratch: byteLengths.slice(0, last) }),
  };
}

function rowsPass(
  params: { outputs: number; outer: number; inner: number; splits: number; chunk: number },
  RUN: number,
  limits: KernelLimits,
): Omit<Pass, "bindings"> {
  const count = params.outputs * params.outer * params.inner;
  const WORKGROUP = workgroupFor(params.outputs * params.splits, limits);
  return {
    shader: reduceRows,
    consts: { WORKGROUP, BLOCK, RUN, RAGGED: params.inner % 4 === 0 ? 0 : 1 },
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
  const run = runOf(rows, { total: columns * rows, most: MOST_STEPS }, limits);
  const levels = levelsFrom(splitsFor(columns, rows, run, limits, mostSplits), limits, (splits) => splits);
  const passes = levels.map((level, index) => {
    const isFirst = index === 0;
    const sizes = isFirst ? { rows, pitch: outputs } : { rows: levels[index - 1]!.splits, pitch: 4 * columns };
    return columnsPass({ outputs, ...sizes, ...level }, isFirst ? run : 1, limits);
  });
  return chained(
    passes,
    levels.map(({ splits }) => 16 * columns * splits),
  );
}

function columnsPass(
  params: { outputs: number; rows: number; splits: number; chunk: number; pitch: number },
  RUN: number,
  limits: KernelLimits,
): Omit<Pass, "bindings"> {
  const count = params.outputs * params.rows;
  const jobs = ceilDiv(params.outputs, 4) * params.splits;
  return {
    shader: reduceColumns,
    consts: { WORKGROUP: workgroupFor(jobs, limits), BLOCK, RUN },
    grid: gridFor(jobs, limits),
    params,
    flops: count,
    bytes: 4 * count,
  };
}
