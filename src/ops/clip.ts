/** Gradient clipping over whole arenas, in place: by the norm of all gradients together, and by value. */

import type { HostArray, TypedArray } from "../graph/dtype";
import { sizeOf } from "../graph/shape";
import { checkDType } from "./check";
import { defineOp } from "./op";
import { FLOAT, type NoAttrs } from "./pointwise";
import { arenaCount, inferUpdate, type SegmentTables, visitBlocks } from "./segments";

/** Elements of an arena that make one partial norm. */
export const NORM_CHUNK = 16384;

/** How magnitudes are folded. */
export const NormKind = { max: 0, sum: 1, squares: 2, powers: 3, min: 4 } as const;
export type NormKind = (typeof NormKind)[keyof typeof NormKind];

/** How the norm of order `p` folds magnitudes. */
export function normKind(p: number): NormKind {
  if (p === Infinity) return NormKind.max;
  if (p === -Infinity) return NormKind.min;
  return p === 1 ? NormKind.sum : p === 2 ? NormKind.squares : NormKind.powers;
}

export interface NormAttrs {
  readonly kind: NormKind;
  readonly [name: string]: unknown;
}

interface PartialNormAttrs extends NormAttrs {
  /** Which of the partial norms is this arena's first. */
  readonly offset: number;
}

/** What a magnitude adds, and how two are put together. NaN goes through. */
interface NormFold {
  readonly of: (x: number, p: number) => number;
  readonly join: (a: number, b: number) => number;
}

const FOLDS: Readonly<Record<NormKind, NormFold>> = {
  [NormKind.max]: { of: (x) => x, join: (a, b) => Math.max(a, b) },
  [NormKind.sum]: { of: (x) => x, join: (a, b) => a + b },
  [NormKind.squares]: { of: (x) => x * x, join: (a, b) => a + b },
  [NormKind.powers]: { of: (x, p) => x ** p, join: (a, b) => a + b },
  [NormKind.min]: { of: (x) => x, join: (a, b) => Math.min(a, b) },
};

const identityOf = (kind: NormKind): number => (kind === NormKind.min ? Infinity : 0);

interface NormTables extends SegmentTables {
  readonly ranges: HostArray;
}

function evaluatePartialNorms(
  { data: grad }: HostArray,
  tables: NormTables,
  p: number,
  { data: partials }: HostArray,
  { kind, offset }: PartialNormAttrs,
): void {
  const { of, join } = FOLDS[kind];
  const folded = new Float64Array(Math.ceil(grad.length / NORM_CHUNK)).fill(identityOf(kind));
  visitBlocks(grad.length, tables, (begin, end, { segment }) => {
    const chunk = Math.floor(begin / NORM_CHUNK);
    for (let i = begin; i < Math.min(end, tables.ranges.data[2 * segment + 1]!); i++)
      folded[chunk] = join(folded[chunk]!, of(Math.abs(grad[i]!), p));
  });
  partials.set(folded, offset);
}

/**
 * Partial norms of the gradients of an arena, one each NORM_CHUNK elements: sums of their magnitudes to the power of p, or the
 * largest or smallest. Inputs: grad, blocks, segments, ranges, settings (`[p, 1 / p, maxNorm, 0]`), partials. Writes partials.
 */
export const gradNormOp = defineOp<PartialNormAttrs>({
  name: "gradNorm",
  infer: (inputs) => inferUpdate("gradNorm", inputs.slice(0, 1)),
  evaluate([grad, blocks, segments, ranges, settings, partials], _output, attrs) {
    const tables = { blocks: blocks!, segments: segments!, ranges: ranges! };
    evaluatePartialNorms(grad!, tables, settings!.data[0]!, partials!, attrs);
  },
  vjp: null,
  lowering: {
    kind: "kernel",
    call(node) {
      const { kind, offset } = node.attrs as PartialNormAttrs;
      return { kernel: "gradNorm", info: { count: arenaCount(node), chunk: NORM_CHUNK, kind, offset } };
    },
  },
});

/** `min(maxNorm / (norm + 1e-6), 1)`, NaN if the norm is. */
const factorFor = (norm: number, maxNorm: number): number => Math.min(maxNorm / (norm + 1e-6), 1);

function totalOf(partials: TypedArray, [p, inverse]: readonly [number, number], kind: NormKind): number {
  const { join } = FOLDS[kind];
  let total = identityOf(kind);
  for (const partial of partials) total = join(total, partial);
  return kind === NormKind.powers ? total ** inverse : p === 2 ? Math.sqrt(total) : total;
}

/**
 * The norm from all partial ones, and what it makes of gradients that shall have a norm of maxNorm at most.
 * Inputs: partials, settings, total `[]`, factor `[]`. Writes total and factor.
 */
export const clipFactorOp = defineOp<NormAttrs>({
  name: "clipFactor",
  infer(inputs) {
    checkDType("clipFactor", inputs, FLOAT);
    return { shape: [0], dtype: "f32" };
  },
  evaluate([partials, settings, total, factor], _output, { kind }) {
    const [p, inverse, maxNorm] = settings!.data as unknown as readonly [number, number, number];
    total!.data[0] = totalOf(partials!.data, [p, inverse], kind);
    factor!.data[0] = factorFor(total!.data[0], maxNorm);
  },
  vjp: null,
  lowering: {
    kind: "kernel",
    call(node) {
      const { kind } = node.attrs as NormAttrs;
      return { kernel: "clipFactor", info: { count: sizeOf(node.inputs[0]!.shape), kind } };
    },
  },
});

/** Multiplies the gradients of an arena. Inputs: grad, blocks, segments, factor `[]`. Writes grad. */
export const clipGradNormOp = defineOp<NoAttrs>({
  name: "clipGradNorm",
  infer: (inputs) => inferUpdate("clipGradNorm", inputs.slice(0, 1)),
  evaluate([grad, blocks, segments, factor]) {
    const g = grad!.data;
    visitBlocks(g.length, { blocks: blocks!, segments: segments! }, (begin, end) => {
      for (let i = begin; i < end; i++) g[i]! *= factor!.data[0]!;
    });
  },
  vjp: null,
  lowering: { kind: "kernel", call: (node) => ({ kernel: "clipGradNorm", info: { count: arenaCount(node) } }) },
});

/** Cuts the gradients of an arena off beyond +-limit. Inputs: grad, blocks, segments, limit (`[limit, 0, 0, 0]`). Writes grad. */
export const clipGradValueOp = defineOp<NoAttrs>({
  name: "clipGradValue",
  infer: (inputs) => inferUpdate("clipGradValue", inputs.slice(0, 1)),
  evaluate([grad, blocks, segments, limits]) {
    const g = grad!.data;
    const limit = limits!.data[0]!;
    visitBlocks(g.length, { blocks: blocks!, segments: segments! }, (begin, end) => {
      for (let i = begin; i < end; i++) g[i] = Math.min(Math.max(g[i]!, -limit), limit);
    });
  },
  vjp: null,
  lowering: { kind: "kernel", call: (node) => ({ kernel: "clipGradValue", info: { count: arenaCount(node) } }) },
});
