/**
 * Folds of all elements up to each one along a dimension: running sums, products, extremes. One kernel family computes
 * them all. Their gradients are scans from the other end; none divides, so zeros do no harm in any derivative.
 */

import { ShapeError, ValueError } from "../errors";
import { type HostArray, isFloat } from "../graph/dtype";
import type { Node } from "../graph/node";
import { around, normalizeDim } from "../graph/shape";
import { mul, sub } from "./arithmetic";
import { fullLike } from "./broadcast";
import { counted, toFloat } from "./cast";
import { checkDType, checkSameDType, checkSameShape } from "./check";
import { withoutGrad } from "./custom";
import { gather } from "./indexing";
import type { ScanFold, ScanInfo } from "./kernelInfo";
import { ne } from "./logic";
import { exp } from "./math";
import { apply, defineOp, type KernelCall, type Op } from "./op";
import { pad } from "./pad";
import { FLOAT, NUMERIC } from "./pointwise";
import { narrow } from "./slice";
import type { Ranked } from "./order";

/** Along which dimension, and from which end. */
type ScanAttrs = { readonly dim: number; readonly reversed: boolean };

const fromOtherEnd = ({ dim, reversed }: ScanAttrs): ScanAttrs => ({ dim, reversed: !reversed });

/** Calls `walk` for each line of a shape: its first place in the order of the scan, the way to the next one, how many. */
function forEachLine(
  { shape }: HostArray,
  { dim, reversed }: ScanAttrs,
  walk: (first: number, step: number, n: number) => void,
): void {
  const { outer, size: n, inner } = around(shape, dim);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      walk((o * n + (reversed ? n - 1 : 0)) * inner + i, reversed ? -inner : inner, n);
    }
  }
}

/** In f64, and rounded only where it is stored. */
function evaluateFold(
  x: HostArray,
  output: HostArray,
  attrs: ScanAttrs,
  initial: number,
  fold: (total: number, value: number) => number,
): void {
  forEachLine(x, attrs, (first, step, n) => {
    let total = initial;
    for (let t = 0, place = first; t < n; t++, place += step) output.data[place] = total = fold(total, x.data[place]!);
  });
}

function callOf(node: Node, fold: ScanFold): KernelCall {
  const { dim, reversed } = node.attrs as unknown as ScanAttrs;
  const { outer, size: n, inner } = around(node.shape, dim);
  const dtype = node.inputs[0]!.dtype as ScanInfo["dtype"];
  return { kernel: "scan", info: { outer, n, inner, reversed, fold, dtype } };
}

/** The element that a scan meets before each one, or after it; `fill` where there is none. */
function neighbour(x: Node, { dim, reversed }: ScanAttrs, side: "before" | "after", fill: number): Node {
  const size = x.shape[dim] ?? 1;
  if (size === 0) return x;
  if (x.shape.length === 0) return fullLike(x, fill);
  const isShiftedUp = (side === "before") !== reversed;
  const padding = new Array<number>(2 * (x.shape.length - 1 - dim)).fill(0);
  const kept = narrow(x, dim, isShiftedUp ? 0 : 1, size - 1);
  return pad(kept, [...padding, ...(isShiftedUp ? [1, 0] : [0, 1])], fill);
}

// --- cumsum ----------------------------------------------------------------------------------------------------------

export const cumsumOp: Op<ScanAttrs> = defineOp<ScanAttrs>({
  name: "cumsum",
  infer([x]) {
    checkDType("cumsum", [x!], NUMERIC);
    return { shape: x!.shape, dtype: x!.dtype };
  },
  evaluate([x], output, attrs) {
    const add = isFloat(x!.dtype) ? (a: number, b: number) => a + b : (a: number, b: number) => (a + b) | 0;
    evaluateFold(x!, output, attrs, 0, add);
  },
  vjp: (gradOut, { attrs }) => [apply(cumsumOp, [gradOut], fromOtherEnd(attrs))],
  lowering: { kind: "kernel", call: (node) => callOf(node, "sum") },
});

/** Sums of all elements up to each one, along `dim`. Bools are counted, as i32. */
export const cumsum = (x: Node, dim: number): Node =>
  apply(cumsumOp, [counted(x)], { dim: normalizeDim("cumsum", dim, x.shape.length), reversed: false });

// --- a linear recurrence ---------------------------------------------------------------------------------------------

// y[t] = factor[t] y[t - 1] + term[t], so its gradient goes back by h[t] = factor[t + 1] h[t + 1] + dy[t]:
// dterm = h, dfactor[t] = h[t] y[t - 1]
const linearScanOp = defineOp<ScanAttrs>({
  name: "linearScan",
  infer([factor, term]) {
    checkDType("linearScan", [factor!], FLOAT);
    checkSameDType("linearScan", [factor!, term!]);
    checkSameShape("linearScan", [factor!, term!]);
    return { shape: term!.shape, dtype: term!.dtype };
  },
  evaluate([factor, term], output, attrs) {
    forEachLine(output, attrs, (first, step, n) => {
      let y = 0;
      for (let t = 0, place = first; t < n; t++, place += step)
        output.data[place] = y = factor!.data[place]! * y + term!.data[place]!;
    });
  },
  vjp(gradOut, { inputs: [factor], output, attrs, needs }) {
    const back = linearScan(neighbour(factor!, attrs, "after", 0), gradOut, fromOtherEnd(attrs));
    return [needs[0] ? mul(back, neighbour(output, attrs, "before", 0)) : null, back];
  },
  lowering: { kind: "kernel", call: (node) => callOf(node, "linear") },
});

/** `y[t] = factor[t] * y[t - 1] + term[t]` along a dimension, 0 before the first. */
export const linearScan = (factor: Node, term: Node, attrs: ScanAttrs): Node =>
  apply(linearScanOp, [factor, term], attrs);

// --- cumprod ---------------------------------------------------------------------------------------------------------

// dx[t] = y[t - 1] h[t] with h[t] = dy[t] + x[t + 1] h[t + 1]
const cumprodOp = defineOp<ScanAttrs>({
  name: "cumprod",
  infer([x]) {
    checkDType("cumprod", [x!], NUMERIC);
    return { shape: x!.shape, dtype: x!.dtype };
  },
  evaluate: ([x], output, attrs) =>
    evaluateFold(x!, output, attrs, 1, isFloat(x!.dtype) ? (total, value) => total * value : Math.imul),
  vjp(gradOut, { inputs: [x], output, attrs }) {
    const back = linearScan(neighbour(x!, attrs, "after", 0), gradOut, fromOtherEnd(attrs));
    return [mul(neighbour(output, attrs, "before", 1), back)];
  },
  lowering: { kind: "kernel", call: (node) => callOf(node, "prod") },
});

/** Products of all elements up to each one, along `dim`; integers wrap. */
export const cumprod = (x: Node, dim: number): Node =>
  apply(cumprodOp, [counted(x)], { dim: normalizeDim("cumprod", dim, x.shape.length), reversed: false });

/** Along `dim`, the product of all elements before each one, or after it. */
export const productOfOneSide = (x: Node, dim: number, side: "before" | "after"): Node => {
  const attrs = { dim, reversed: side === "after" };
  return neighbour(apply(cumprodOp, [x], attrs), attrs, "before", 1);
};

// --- logcumsumexp ----------------------------------------------------------------------------------------------------

function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b);
  return Number.isFinite(high) ? high + Math.log1p(Math.exp(Math.min(a, b) - high)) : high;
}

// y[t] = log(sum of exp(x[s]) for s <= t): dx[t] = exp(x[t] - y[t]) h[t] with h[t] = dy[t] + exp(y[t] - y[t + 1]) h[t + 1],
// whose factors are at most 1
const logcumsumexpOp = defineOp<ScanAttrs>({
  name: "logcumsumexp",
  infer([x]) {
    checkDType("logcumsumexp", [x!], FLOAT);
    return { shape: x!.shape, dtype: x!.dtype };
  },
  evaluate: ([x], output, attrs) => evaluateFold(x!, output, attrs, -Infinity, logAddExp),
  vjp(gradOut, { inputs: [x], output, attrs }) {
    const later = neighbour(output, attrs, "after", Infinity); // exp(y - Infinity) is 0
    const back = linearScan(exp(sub(output, later)), gradOut, fromOtherEnd(attrs));
    return [mul(exp(sub(x!, output)), back)];
  },
  lowering: { kind: "kernel", call: (node) => callOf(node, "logSumExp") },
});

/** `log(cumsum(exp(x)))` along `dim`, without overflow. */
export const logcumsumexp = (x: Node, dim: number): Node =>
  apply(logcumsumexpOp, [toFloat(x)], { dim: normalizeDim("logcumsumexp", dim, x.shape.length), reversed: false });

// --- cummax, cummin --------------------------------------------------------------------------------------------------

function extremeIndicesOp(
  name: "cummaxIndices" | "cumminIndices",
  isLaterBest: (best: number, value: number) => boolean,
): Op<ScanAttrs> {
  return defineOp<ScanAttrs>({
    name,
    infer([x]) {
      checkDType(name, [x!], NUMERIC);
      return { shape: x!.shape, dtype: "i32" };
    },
    evaluate([x], output, attrs) {
      forEachLine(x!, attrs, (first, step, n) => {
        let best = first;
        for (let t = 0, place = first; t < n; t++, place += step) {
          const [before, value] = [x!.data[best]!, x!.data[place]!];
          if (Number.isNaN(value) || (!Number.isNaN(before) && isLaterBest(before, value))) best = place;
          output.data[place] = attrs.reversed ? n - 1 - (best - first) / step : (best - first) / step;
        }
      });
    },
    vjp: null,
    lowering: { kind: "kernel", call: (node) => callOf(node, name === "cummaxIndices" ? "maxIndex" : "minIndex") },
  });
}

const cummaxIndicesOp = extremeIndicesOp("cummaxIndices", (best, value) => value >= best);
const cumminIndicesOp = extremeIndicesOp("cumminIndices", (best, value) => value <= best);

function runningExtreme(name: "cummax" | "cummin", op: Op<ScanAttrs>, x: Node, dim: number): Ranked {
  const at = normalizeDim(name, dim, x.shape.length);
  const indices = apply(op, [withoutGrad(counted(x))], { dim: at, reversed: false });
  return { values: gather(x, at, indices), indices };
}

/** The largest of all elements up to each one along `dim`, and where it is: the last of equals. NaN stays. */
export const cummax = (x: Node, dim: number): Ranked => runningExtreme("cummax", cummaxIndicesOp, x, dim);
/** The smallest of all elements up to each one along `dim`, and where it is: the last of equals. NaN stays. */
export const cummin = (x: Node, dim: number): Ranked => runningExtreme("cummin", cumminIndicesOp, x, dim);

// --- diff ------------------------------------------------------------------------------------------------------------

/** The differences of neighbours along `dim`, taken `n` times; of bools, where they differ. */
export function diff(x: Node, n = 1, dim = -1): Node {
  if (x.shape.length === 0) throw new ShapeError("diff: there must be at least one dimension, got []. Unsqueeze it.");
  if (!Number.isInteger(n) || n < 0)
    throw new ValueError(`diff: n must be an integer from 0 up, got ${n}. It counts how often differences are taken.`);
  const at = normalizeDim("diff", dim, x.shape.length);
  let result = x;
  for (let turn = 0; turn < n && result.shape[at]! > 0; turn++) {
    const rest = result.shape[at]! - 1;
    const [before, after] = [narrow(result, at, 0, rest), narrow(result, at, 1, rest)];
    result = x.dtype === "bool" ? ne(after, before) : sub(after, before);
  }
  return result;
}
