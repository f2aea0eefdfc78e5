/** Contrast of queries with many keys: what a softmax over all their products needs, without the products. */

import { ShapeError } from "../errors";
import type { HostArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sameShape, showShape } from "../graph/shape";
import { softplus } from "./activation";
import { add, mul, sub } from "./arithmetic";
import { zeros } from "./broadcast";
import { checkDType, checkSameDType } from "./check";
import { detach } from "./custom";
import { cat } from "./join";
import { matmul } from "./matmul";
import { exp } from "./math";
import { apply, defineOp } from "./op";
import { FLOAT } from "./pointwise";
import { sum } from "./reduce";
import { narrow, padZeros } from "./slice";
import { reshape, transpose } from "./views";

type ContrastAttrs = { readonly scale: number };

/** Elements of the products' softmax that a gradient holds at a time: 64 MiB. */
const MOST_HELD = 2 ** 24;

/** log(sum(exp(scores))) of a query, and how many of its products are above the bar. */
function contrastOf(products: Float64Array, scale: number, bar: number): [logSumExp: number, above: number] {
  let largest = -Infinity;
  let above = 0;
  for (const product of products) {
    largest = Math.max(largest, scale * product);
    if (product > bar) above++;
  }
  if (!Number.isFinite(largest)) return [largest, above]; // none, all -Infinity, one Infinity, one NaN
  let sum = 0;
  for (const product of products) sum += Math.exp(scale * product - largest);
  return [largest + Math.log(sum), above];
}

function evaluateContrast(query: HostArray, key: HostArray, bar: HostArray, output: HostArray, scale: number): void {
  const [queries, dim] = query.shape as [number, number];
  const products = new Float64Array(key.shape[0]!);
  for (let i = 0; i < queries; i++) {
    for (let j = 0; j < products.length; j++) {
      let product = 0;
      for (let d = 0; d < dim; d++) product += query.data[i * dim + d]! * key.data[j * dim + d]!;
      products[j] = product;
    }
    output.data.set(contrastOf(products, scale, bar.data[i]!), 2 * i);
  }
}

/** Inputs: query `[n, dim]`, key `[k, dim]`, bar `[n]`. Output `[n, 2]`: log(sum_j exp(scale * query . key[j])), and how many query . key[j] > bar. */
export const contrastOp = defineOp<ContrastAttrs>({
  name: "contrast",
  infer([query, key, bar]) {
    checkDType("contrast", [query!, key!, bar!], FLOAT);
    checkSameDType("contrast", [query!, key!, bar!]);
    const [n, dim] = query!.shape;
    if (query!.shape.length !== 2 || !sameShape(key!.shape.slice(1), [dim!]) || !sameShape(bar!.shape, [n!])) {
      throw new ShapeError(
        `contrast: query must be [n, dim], key [k, dim] and bar [n], got ${[query!, key!, bar!].map(({ shape }) => showShape(shape)).join(", ")}. Transpose what lies the other way.`,
      );
    }
    return { shape: [n!, 2], dtype: query!.dtype };
  },
  evaluate: ([query, key, bar], output, { scale }) => evaluateContrast(query!, key!, bar!, output, scale),
  // with p = exp(scores - logSumExp): of query, scale * p @ key; of key, scale * p^T @ query. The count has none.
  vjp(gradOut, { inputs: [query, key], output, attrs: { scale }, needs }) {
    const [n, k] = [query!.shape[0]!, key!.shape[0]!];
    const gradients = mul(narrow(gradOut, 1, 0, 1), scale);
    const logSumExp = narrow(output, 1, 0, 1);
    const count = Math.max(1, Math.floor(MOST_HELD / Math.max(1, n)));
    const starts = Array.from({ length: Math.ceil(k / count) }, (_, i) => i * count);
    const parts = starts.map((start) => {
      const keys = narrow(key!, 0, start, Math.min(count, k - start));
      const scores = mul(matmul(query!, transpose(keys, 0, 1)), scale);
      return { keys, held: mul(exp(sub(scores, logSumExp)), gradients) };
    });
    if (k === 0) return [zeros(query!.shape, query!.dtype), zeros(key!.shape, key!.dtype), null];
    return [
      needs[0] ? parts.map(({ keys, held }) => matmul(held, keys)).reduce(add) : null,
      needs[1] ? cat(parts.map(({ held }) => matmul(transpose(held, 0, 1), query!))) : null,
      null,
    ];
  },
  lowering: {
    kind: "kernel",
    call: ({ inputs: [query, key], attrs }) => ({
      kernel: "contrast",
      info: {
        queries: query!.shape[0]!,
        keys: key!.shape[0]!,
        dim: query!.shape[1]!,
        ...(attrs as unknown as ContrastAttrs),
      },
    }),
  },
});

/**
 * What a softmax over the products of each query with all keys needs, without holding the products.
 *
 * @returns `logSumExp` of the scaled products, `[n]`, and how many products are `above` the bar, `[n]`
 */
function contrast(query: Node, key: Node, bar: Node, scale: number): { logSumExp: Node; above: Node } {
  const rest = (4 - (query.shape[1]! % 4)) % 4; // kernels read four at a time
  const whole = (x: Node): Node => (rest === 0 ? x : padZeros(x, [0, 0], [0, rest]));
  const found = apply(contrastOp, [whole(query), whole(key), bar], { scale });
  const column = (at: number): Node => reshape(narrow(found, 1, at, 1), [query.shape[0]!]);
  return { logSumExp: column(0), above: column(1) };
}

/**
 * Losses `-log softmax` of each query's own key among all: `log(1 + exp(log(sum(exp(others))) - own))`.
 *
 * @returns `losses` `[n]`, and how many keys lie `above` the own, `[n]`
 */
export function infoNCE(query: Node, own: Node, key: Node, scale: number): { losses: Node; above: Node } {
  const products = sum(mul(query, own), 1);
  const { logSumExp, above } = contrast(query, key, detach(products), scale);
  return { losses: softplus(sub(logSumExp, mul(products, scale))), above };
}
