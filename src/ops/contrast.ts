/** Contrast of queries with many keys: InfoNCE and its gradient, without the products of all with all. */

import { ShapeError } from "../errors";
import type { HostArray } from "../graph/dtype";
import { gradEnabled } from "../graph/gradMode";
import type { Node } from "../graph/node";
import { sameShape, type Shape, showShape } from "../graph/shape";
import { softplus } from "./activation";
import { add, mul, neg, sub } from "./arithmetic";
import { expand, zeros } from "./broadcast";
import { cast } from "./cast";
import { checkDType, checkSameDType } from "./check";
import { customVjp, withoutGrad } from "./custom";
import { cat } from "./join";
import { gt } from "./logic";
import { matmul } from "./matmul";
import { exp, sigmoid } from "./math";
import { apply, defineOp } from "./op";
import { FLOAT } from "./pointwise";
import { logsumexp, sum } from "./reduce";
import { narrow, padZeros } from "./slice";
import { reshape, transpose, unsqueeze } from "./views";

type ContrastAttrs = { readonly scale: number };

/** Elements of the products' softmax that are held at a time where it must be held: 64 MiB. */
const MOST_HELD = 2 ** 24;
/** The longest vectors whose sums one invocation holds: 4 KiB. */
const LONGEST = 1024;

const OUTPUTS = 4;

function checkOperands(op: string, query: Node, key: Node, perQuery: Node, name: string): Shape {
  checkDType(op, [query, key, perQuery], FLOAT);
  checkSameDType(op, [query, key, perQuery]);
  const [n, dim] = query.shape;
  if (query.shape.length !== 2 || !sameShape(key.shape.slice(1), [dim!]) || !sameShape(perQuery.shape, [n!])) {
    throw new ShapeError(
      `${op}: query must be [n, dim], key [k, dim] and ${name} [n], got ${[query, key, perQuery].map(({ shape }) => showShape(shape)).join(", ")}. Transpose what lies the other way.`,
    );
  }
  return query.shape;
}

/** `query . key[j]` of one query and all keys. */
function productsOf(query: HostArray, row: number, key: HostArray): Float64Array {
  const [keys, dim] = key.shape as [number, number];
  const products = new Float64Array(keys);
  for (let j = 0; j < keys; j++) {
    let product = 0;
    for (let d = 0; d < dim; d++) product += query.data[row * dim + d]! * key.data[j * dim + d]!;
    products[j] = product;
  }
  return products;
}

/** log(sum(exp(scale * products))). */
function logSumExp(products: Float64Array, scale: number): number {
  let largest = -Infinity;
  for (const product of products) largest = Math.max(largest, scale * product);
  if (!Number.isFinite(largest)) return largest; // none, all -Infinity, one Infinity, one NaN
  let total = 0;
  for (const product of products) total += Math.exp(scale * product - largest);
  return largest + Math.log(total);
}

/** What `contrast` gives of one query: loss, total, rest, above. */
function contrastOf(products: Float64Array, own: number, scale: number): [number, number, number, number] {
  const others = logSumExp(products, scale);
  const distance = others - scale * own;
  const loss = Math.max(distance, 0) + Math.log1p(Math.exp(-Math.abs(distance)));
  const above = products.reduce((count, product) => count + Number(product > own), 0);
  return [loss, scale * own + loss, 1 / (1 + Math.exp(-distance)), above];
}

/**
 * Inputs: query `[n, dim]`, key `[k, dim]`, own `[n]`: the products of queries with their own keys. Output `[n, 4]`, with
 * `others = log(sum_j exp(scale * query . key[j]))`: the loss `log(1 + exp(others - scale * own))`; the log of the sum over all,
 * `own` among them; the part of the others in that sum, `sigmoid(others - scale * own)`; how many products are above `own`.
 */
export const contrastOp = defineOp<ContrastAttrs>({
  name: "contrast",
  infer([query, key, own]) {
    const [n] = checkOperands("contrast", query!, key!, own!, "own");
    return { shape: [n!, OUTPUTS], dtype: query!.dtype };
  },
  evaluate([query, key, own], output, { scale }) {
    for (let i = 0; i < query!.shape[0]!; i++)
      output.data.set(contrastOf(productsOf(query!, i, key!), own!.data[i]!, scale), OUTPUTS * i);
  },
  vjp: null, // `contrast` gives each column its own
  lowering: {
    kind: "kernel",
    call: ({ inputs: [query, key], attrs }) => ({ kernel: "contrast", info: infoOf(query!, key!, attrs) }),
  },
});

const infoOf = (
  query: Node,
  key: Node,
  attrs: object,
): ContrastAttrs & { queries: number; keys: number; dim: number } => ({
  queries: query.shape[0]!,
  keys: key.shape[0]!,
  dim: query.shape[1]!,
  ...(attrs as ContrastAttrs),
});

/** Parts of the keys whose softmax is held at a time, in f32 64 MiB: `weights` is `[n, count]`. */
function weightsOf(query: Node, key: Node, total: Node, scale: number): { keys: Node; weights: Node }[] {
  const [n, k] = [query.shape[0]!, key.shape[0]!];
  const count = Math.max(1, Math.floor(MOST_HELD / Math.max(1, n)));
  const starts = Array.from({ length: Math.ceil(k / count) }, (_, i) => i * count);
  return starts.map((start) => {
    const keys = narrow(key, 0, start, Math.min(count, k - start));
    const scores = mul(matmul(query, transpose(keys, 0, 1)), scale);
    return { keys, weights: exp(sub(scores, unsqueeze(total, 1))) };
  });
}

const total = (parts: readonly Node[], like: Node): Node =>
  parts.length > 0 ? parts.reduce((a, b) => add(a, b)) : zeros(like.shape, like.dtype);

/** Inputs: query `[n, dim]`, key `[k, dim]`, total `[n]`. Output `[n, dim]`: sum_j exp(scale * query . key[j] - total) * key[j]. */
export const contrastMeanOp = defineOp<ContrastAttrs>({
  name: "contrastMean",
  infer([query, key, each]) {
    return { shape: checkOperands("contrastMean", query!, key!, each!, "total"), dtype: query!.dtype };
  },
  evaluate([query, key, each], output, { scale }) {
    const [n, dim] = query!.shape as [number, number];
    for (let i = 0; i < n; i++) {
      const sums = new Float64Array(dim);
      productsOf(query!, i, key!).forEach((product, j) => {
        const weight = Math.exp(scale * product - each!.data[i]!);
        for (let d = 0; d < dim; d++) sums[d]! += weight * key!.data[j * dim + d]!;
      });
      output.data.set(sums, i * dim);
    }
  },
  vjp(gradOut, { inputs: [query, key, each], output, attrs: { scale }, needs }) {
    // with p the weights and t = gradOut @ key^T: of the scores, p * t
    const parts = weightsOf(query!, key!, each!, scale).map(({ keys, weights }) => ({
      keys,
      weights,
      ofScores: mul(weights, matmul(gradOut, transpose(keys, 0, 1))),
    }));
    const ofKeys = parts.map(({ weights, ofScores }) =>
      add(mul(matmul(transpose(ofScores, 0, 1), query!), scale), matmul(transpose(weights, 0, 1), gradOut)),
    );
    return [
      needs[0]
        ? mul(
            total(
              parts.map(({ keys, ofScores }) => matmul(ofScores, keys)),
              query!,
            ),
            scale,
          )
        : null,
      needs[1] ? (ofKeys.length > 0 ? cat(ofKeys) : zeros(key!.shape, key!.dtype)) : null,
      needs[2] ? neg(sum(mul(gradOut, output), 1)) : null,
    ];
  },
  lowering: {
    kind: "kernel",
    call: ({ inputs: [query, key], attrs }) => ({ kernel: "contrastMean", info: infoOf(query!, key!, attrs) }),
  },
});

/** Keys `[k, dim]` by their weights `exp(scale * query . key - total)`, summed for each query: `[n, dim]`. Long vectors have no kernel. */
export function contrastMean(query: Node, key: Node, each: Node, scale: number): Node {
  if (query.shape[1]! <= LONGEST) return apply(contrastMeanOp, [query, key, each], { scale });
  return total(
    weightsOf(query, key, each, scale).map(({ keys, weights }) => matmul(weights, keys)),
    query,
  );
}

/** Sum over queries of their weight of each key, times a factor and the query: `[k, dim]`. */
function ofKeys(query: Node, key: Node, each: Node, factors: Node, scale: number): Node {
  const parts = weightsOf(query, key, each, scale).map(({ weights }) =>
    matmul(transpose(mul(weights, factors), 0, 1), query),
  );
  return parts.length > 0 ? cat(parts) : zeros(key.shape, key.dtype);
}

interface Contrast {
  readonly losses: Node;
  readonly above: Node;
}

/** What there is to know of each query, `[n]`, no gradient flowing: the columns of `contrast`. */
interface Found {
  readonly loss: Node;
  readonly total: Node;
  readonly rest: Node;
  readonly above: Node;
  /** `query . key` of all with all `[n, k]`, where they are held for the gradient. */
  readonly products: Node | null;
}

type Operands = readonly [query: Node, key: Node, own: Node];

/** One pass over the keys, that holds nothing. */
function streamed(operands: Operands, scale: number): Found {
  const found = apply(contrastOp, operands, { scale });
  const column = (at: number): Node => reshape(narrow(found, 1, at, 1), [found.shape[0]!]);
  return { loss: column(0), total: column(1), rest: column(2), above: column(3), products: null };
}

/** The same from products that are held. */
function held([query, key, own]: Operands, scale: number): Found {
  const products = matmul(query, transpose(key, 0, 1));
  const score = mul(own, scale);
  const distance = sub(logsumexp(mul(products, scale), 1), score);
  const loss = softplus(distance);
  const above = sum(cast(gt(products, unsqueeze(own, 1)), own.dtype), 1);
  return { loss, total: add(score, loss), rest: sigmoid(distance), above, products };
}

/** Rows of products that are worth holding: fewer leave an adapter idle. */
const LEAST_HELD_ROWS = 16;

/** Whether products are held that a gradient would otherwise make anew, at two thirds of the cost of all. */
const isHeld = ([query, key]: Operands, isStreaming: boolean | undefined): boolean => {
  const [n, k] = [query.shape[0]!, key.shape[0]!];
  if (n * k === 0 || isStreaming === true) return false;
  const isWanted = gradEnabled() && (query.requiresGrad || key.requiresGrad);
  return isStreaming === false || (isWanted && n >= LEAST_HELD_ROWS && n * k <= MOST_HELD);
};

/**
 * The columns of `contrast`, each with its gradient. With d = others - scale * own and w = sigmoid(d), the loss moves with d by w, the
 * total with the others by w and with `own` by 1 - w, and w itself with d by w * (1 - w). The others move with a query
 * by scale * sum_j p_j key[j] / w, p being the weights that the total makes: so w falls out.
 */
function columnsOf(operands: Operands, scale: number, isStreaming: boolean | undefined): Contrast {
  const [query, key, own] = operands;
  const constants: Operands = [withoutGrad(query), withoutGrad(key), withoutGrad(own)];
  const found = isHeld(operands, isStreaming) ? held(constants, scale) : streamed(constants, scale);
  /** The weights of all keys, from products that are held; gradients of gradients make their own. */
  const weights = (): Node | null =>
    found.products && !gradEnabled() ? exp(sub(mul(found.products, scale), unsqueeze(found.total, 1))) : null;
  const means = (q: Node, keys: Node): Node => {
    const known = weights();
    return known ? matmul(known, keys) : contrastMean(q, keys, columns.total(), scale);
  };
  const meansOfQueries = (q: Node, keys: Node, factors: Node): Node => {
    const known = weights();
    if (!known) return ofKeys(q, keys, columns.total(), factors, scale);
    return matmul(transpose(mul(known, factors), 0, 1), q);
  };
  /** A column whose gradient moves others by `factor * w` and own by `ofOwn`, each a function of what comes in. */
  const withGradient = (value: Node, factor: (gradOut: Node) => Node, ofOwn: (gradOut: Node) => Node): Node =>
    customVjp(value, operands, (gradOut, [q, keys]) => {
      const factors = unsqueeze(mul(factor(gradOut), scale), 1);
      return [
        query.requiresGrad ? mul(means(q!, keys!), expand(factors, q!.shape)) : null,
        key.requiresGrad ? meansOfQueries(q!, keys!, factors) : null,
        own.requiresGrad ? mul(ofOwn(gradOut), scale) : null,
      ];
    });
  const columns = {
    total: (): Node =>
      withGradient(
        found.total,
        (g) => g,
        (g) => mul(g, sub(1, columns.rest())),
      ),
    rest: (): Node =>
      withGradient(
        found.rest,
        (g) => mul(g, sub(1, columns.rest())),
        (g) => neg(mul(g, mul(columns.rest(), sub(1, columns.rest())))),
      ),
  };
  return {
    losses: withGradient(
      found.loss,
      (g) => g,
      (g) => neg(mul(g, columns.rest())),
    ),
    above: found.above,
  };
}

/**
 * Losses `-log softmax` of each query's own key among all: `log(1 + exp(log(sum(exp(others))) - own))`.
 *
 * @param isStreaming true holds no products for the gradient, false always holds them; by default they are up to 64 MiB
 * @returns `losses` `[n]`, and how many keys lie `above` the own, `[n]`
 */
export function infoNCE(query: Node, own: Node, key: Node, scale: number, isStreaming?: boolean): Contrast {
  const products = sum(mul(query, own), 1);
  const rest = (4 - (query.shape[1]! % 4)) % 4; // kernels read four at a time
  const whole = (x: Node): Node => (rest === 0 ? x : padZeros(x, [0, 0], [0, rest]));
  return columnsOf([whole(query), whole(key), products], scale, isStreaming);
}
