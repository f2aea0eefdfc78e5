/** Rows of a table, and attention: weighted means of values, weights by how queries and keys agree. */

import { ones, zerosLike } from "../creation";
import { DTypeError, naming, ShapeError, ValueError } from "../errors";
import { where } from "../functions";
import { isInteger } from "../graph/dtype";
import { showShape } from "../graph/shape";
import { checkOptionNames } from "../options";
import type { RandomOptions } from "../random";
import { checkOptionalTensors, checkTensors, type Tensor } from "../tensor";
import { dropout } from "./dropout";

/**
 * Rows of `weight`, by index.
 *
 * @shape input i32 `[...]`, weight `[numEmbeddings, dim]` -> `[..., dim]`
 * @param options.paddingIdx a row that gets no gradient; negative ones count from the back. Default none
 * @throws DTypeError if `input` holds no integers, ShapeError if `weight` is no matrix
 * @throws IndexError, ValueError if an index is known on the host and there is no such row; on the GPU the row is NaN
 * @see torch.nn.functional.embedding
 *
 * @example
 * const vectors = F.embedding(tokens, table); // [batch, length] -> [batch, length, dim]
 */
export function embedding(input: Tensor, weight: Tensor, options: { paddingIdx?: number | null } = {}): Tensor {
  checkOptionNames("embedding", options, ["paddingIdx"]);
  checkTensors("embedding", input, weight);
  const { paddingIdx = null } = options;
  if (!isInteger(input.dtype)) {
    throw new DTypeError(`embedding: indices must be integers, got ${input.dtype}. Cast them with .to("i32").`);
  }
  const [rows = 0, dim = 0] = weight.shape;
  if (weight.ndim !== 2) {
    throw new ShapeError(`embedding: weight must be [numEmbeddings, dim], got ${showShape(weight.shape)}. Reshape it.`);
  }
  const found = naming("embedding", () => weight.indexSelect(0, input.reshape(-1))).reshape([...input.shape, dim]);
  if (paddingIdx === null) return found;
  if (!Number.isInteger(paddingIdx) || paddingIdx < -rows || paddingIdx >= rows) {
    throw new ValueError(
      `embedding: paddingIdx must be in ${-rows}..${rows - 1}, got ${paddingIdx}. Pass a row of the table.`,
    );
  }
  const isPadding = input.eq(paddingIdx < 0 ? paddingIdx + rows : paddingIdx).unsqueeze(-1);
  return where(isPadding, found.detach(), found);
}

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions extends Pick<RandomOptions, "generator"> {
  /** Added to the scores; or bool: true where a key may be attended to. Broadcasts to `[..., l, s]`. */
  readonly attnMask?: Tensor | null;
  /** Probability of dropping a weight; default 0. */
  readonly dropoutP?: number;
  /** Whether position `l` sees keys up to `l` only; default false. */
  readonly isCausal?: boolean;
}

/**
 * `softmax(query @ key.T / sqrt(dim) + mask) @ value`
 *
 * @shape query `[..., l, dim]`, key `[..., s, dim]`, value `[..., s, dimV]` -> `[..., l, dimV]`
 * @throws ShapeError if sizes do not fit, ValueError if both `attnMask` and `isCausal` are given
 * @see torch.nn.functional.scaled_dot_product_attention; Vaswani et al. 2017 (arXiv:1706.03762)
 *
 * @example
 * const y = F.scaledDotProductAttention(q, k, v, { isCausal: true });
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  checkOptionNames("scaledDotProductAttention", options, ["attnMask", "dropoutP", "isCausal", "generator"]);
  const { attnMask = null, dropoutP = 0, isCausal = false, ...drawing } = options;
  checkTensors("scaledDotProductAttention", query, key, value);
  checkOptionalTensors("scaledDotProductAttention", attnMask);
  if (attnMask && isCausal) {
    throw new ValueError("scaledDotProductAttention: there must be one mask, got attnMask and isCausal. Drop one.");
  }
  const causal = isCausal
    ? ones([query.size(-2), key.size(-2)], { dtype: "bool", device: query.device }).tril()
    : attnMask;
  const isAllowed = causal?.dtype === "bool";
  const mask = isAllowed ? maskOf(causal.logicalNot()) : causal;
  return naming("scaledDotProductAttention", () =>
    dropout(attentionWeights(query, key, mask), { p: dropoutP, ...drawing }).matmul(value),
  );
}

/** What is added to scores: a bool mask (true: not attended to) as 0 and -infinity, floats as they are. */
export const maskOf = (mask: Tensor): Tensor =>
  mask.dtype === "bool" ? where(mask, -Infinity, zerosLike(mask.float())) : mask;

/** `softmax(query @ key.T / sqrt(dim) + mask)`, `[..., l, s]`. */
export function attentionWeights(query: Tensor, key: Tensor, mask: Tensor | null): Tensor {
  const scores = query.div(Math.sqrt(query.size(-1))).matmul(key.transpose(-1, -2));
  return (mask ? scores.add(mask) : scores).softmax(-1);
}
