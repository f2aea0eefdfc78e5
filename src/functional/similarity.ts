/** Losses of pairs and triples of vectors: what should be near, what far. */

import { isAutocastEnabled } from "../autocast";
import { naming, ShapeError, ValueError } from "../errors";
import { where } from "../functions";
import { sameShape, showShape } from "../graph/shape";
import * as ops from "../ops";
import type { Reduction } from "../ops";
import { checkOptionNames } from "../options";
import { checkTensors, operandsOf, Tensor } from "../tensor";
import { unary } from "./unary";

const reduced = (op: string, losses: Tensor, reduction: Reduction): Tensor =>
  unary(op, losses, (node) => ops.reduceLoss(op, node, reduction));

/** Halves as f32 while autocast is on, which keeps losses there. */
const widened = <T extends readonly Tensor[]>(...tensors: T): T =>
  (isAutocastEnabled() ? tensors.map((each) => (each.dtype === "f16" ? each.float() : each)) : tensors) as T;

/**
 * `|x1 - x2 + eps|_p` of vectors in the last dimension.
 *
 * @shape `[..., dim]` both -> `[...]`, or `[..., 1]` with `keepDim`
 * @param options.p default 2
 * @param options.eps default 1e-6
 * @see torch.nn.functional.pairwise_distance
 */
export function pairwiseDistance(
  x1: Tensor,
  x2: Tensor,
  options: { p?: number; eps?: number; keepDim?: boolean } = {},
): Tensor {
  checkOptionNames("pairwiseDistance", options, ["p", "eps", "keepDim"]);
  checkTensors("pairwiseDistance", x1, x2);
  const { p = 2, eps = 1e-6, keepDim = false } = options;
  return naming("pairwiseDistance", () => x1.sub(x2).add(eps).norm(p, -1, { keepDim }));
}

/**
 * `1 - cos(x1, x2)` where the target is 1, `max(cos(x1, x2) - margin, 0)` where it is -1.
 *
 * @shape `[n, dim]` both, target `[n]` -> `[]`; or `[dim]` and `[]`
 * @param options.margin default 0
 * @throws ShapeError if shapes do not fit
 * @see torch.nn.functional.cosine_embedding_loss
 */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: { margin?: number; reduction?: Reduction } = {},
): Tensor {
  checkOptionNames("cosineEmbeddingLoss", options, ["margin", "reduction"]);
  checkTensors("cosineEmbeddingLoss", input1, input2, target);
  const { margin = 0, reduction = "mean" } = options;
  checkVectors("cosineEmbeddingLoss", [input1, input2], target);
  const [a, b] = widened(input1, input2);
  const lengths = a.square().sum(-1).add(1e-12).mul(b.square().sum(-1).add(1e-12)).sqrt(); // PyTorch's eps
  const cosine = a.mul(b).sum(-1).div(lengths);
  const far = where(target.eq(-1), cosine.sub(margin).clamp(0), 0);
  return reduced("cosineEmbeddingLoss", where(target.eq(1), cosine.neg().add(1), far), reduction);
}

function checkVectors(op: string, inputs: readonly [Tensor, Tensor], target: Tensor): void {
  const [a, b] = inputs;
  if (sameShape(a.shape, b.shape) && a.ndim > 0 && sameShape(target.shape, a.shape.slice(0, -1))) return;
  throw new ShapeError(
    `${op}: inputs must be [n, dim] and targets [n], got ${showShape(a.shape)}, ${showShape(b.shape)} and ${showShape(target.shape)}. Reshape them.`,
  );
}

/**
 * `max(|anchor - positive| - |anchor - negative| + margin, 0)`: the negative should be farther by a margin.
 *
 * @shape `[..., dim]` each -> `[]`
 * @param options.margin default 1
 * @param options.p which norm; default 2
 * @param options.eps added to differences; default 1e-6
 * @param options.swap whether the negative's distance is the smaller of that to anchor and positive; default false
 * @see torch.nn.functional.triplet_margin_loss
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: { margin?: number; p?: number; eps?: number; swap?: boolean; reduction?: Reduction } = {},
): Tensor {
  checkOptionNames("tripletMarginLoss", options, ["margin", "p", "eps", "swap", "reduction"]);
  checkTensors("tripletMarginLoss", anchor, positive, negative);
  const { margin = 1, swap = false, reduction = "mean", ...norm } = options;
  const distance = (a: Tensor, b: Tensor): Tensor => naming("tripletMarginLoss", () => pairwiseDistance(a, b, norm));
  const [start, near, other] = widened(anchor, positive, negative);
  const far = distance(start, other);
  const farther = swap ? far.minimum(distance(near, other)) : far;
  const losses = distance(start, near).sub(farther).add(margin).clamp(0);
  return reduced("tripletMarginLoss", losses, reduction);
}

/**
 * `max(-target * (input1 - input2) + margin, 0)`: which of two is larger; targets are 1 or -1.
 *
 * @param options.margin default 0
 * @throws ShapeError if shapes differ
 * @see torch.nn.functional.margin_ranking_loss
 */
export function marginRankingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: { margin?: number; reduction?: Reduction } = {},
): Tensor {
  checkOptionNames("marginRankingLoss", options, ["margin", "reduction"]);
  checkTensors("marginRankingLoss", input1, input2, target);
  const { margin = 0, reduction = "mean" } = options;
  if (!sameShape(input1.shape, input2.shape) || !sameShape(input1.shape, target.shape)) {
    throw new ShapeError(
      `marginRankingLoss: all three must have one shape, got ${showShape(input1.shape)}, ${showShape(input2.shape)} and ${showShape(target.shape)}. Reshape them.`,
    );
  }
  const [a, b] = widened(input1, input2);
  return reduced("marginRankingLoss", a.sub(b).mul(target).neg().add(margin).clamp(0), reduction);
}

/**
 * The input where the target is 1, `max(margin - input, 0)` where it is -1: of distances.
 *
 * @param options.margin default 1
 * @see torch.nn.functional.hinge_embedding_loss
 */
export function hingeEmbeddingLoss(
  input: Tensor,
  target: Tensor,
  options: { margin?: number; reduction?: Reduction } = {},
): Tensor {
  checkOptionNames("hingeEmbeddingLoss", options, ["margin", "reduction"]);
  checkTensors("hingeEmbeddingLoss", input, target);
  const { margin = 1, reduction = "mean" } = options;
  const [x] = widened(input);
  const far = x.neg().add(margin).clamp(0);
  const losses = where(target.ne(1), far, 0).add(where(target.ne(-1), x, 0));
  return reduced("hingeEmbeddingLoss", losses, reduction);
}

/** Losses of InfoNCE, `[n]`, and how many negatives of each query are nearer to it than its own key, `[n]`. */
export function contrast(
  op: string,
  query: Tensor,
  positiveKey: Tensor,
  negativeKeys: Tensor,
  temperature: number,
  streaming?: boolean,
): { losses: Tensor; nearer: Tensor } {
  checkTensors(op, query, positiveKey, negativeKeys);
  const [, dim] = query.shape;
  if (
    query.ndim !== 2 ||
    !sameShape(positiveKey.shape, query.shape) ||
    !sameShape(negativeKeys.shape.slice(1), [dim!])
  ) {
    throw new ShapeError(
      `${op}: query and positiveKey must be [n, dim] and negativeKeys [k, dim], got ${showShape(query.shape)}, ` +
        `${showShape(positiveKey.shape)} and ${showShape(negativeKeys.shape)}. Transpose what lies the other way.`,
    );
  }
  if (!(temperature > 0))
    throw new ValueError(`${op}: temperature must be positive, got ${temperature}. The paper has 0.07.`);
  const [q, own, keys] = operandsOf(op, [query, positiveKey, negativeKeys]);
  const { losses, above } = naming(op, () => ops.infoNCE(q, own, keys, 1 / temperature, streaming));
  return { losses: new Tensor(losses, query.device), nearer: new Tensor(above, query.device) };
}

/**
 * `-log(exp(q . k / t) / (exp(q . k / t) + sum over negatives of exp(q . negative / t)))`: each query should be near its own
 * key and far from all negatives. Vectors are taken as they are: normalise them first. Where a gradient of 16 queries or
 * more will be wanted, the products with the negatives are held for it if they take 64 MiB or less, and it makes as many weights of
 * them. Else it makes them anew: memory is then O(n + k) for the gradient of the queries, and 64 MiB at a time for that of the
 * negatives, or of vectors longer than 1024.
 *
 * @shape query, positiveKey `[n, dim]`, negativeKeys `[k, dim]` -> `[]`, or `[n]` without reduction
 * @param options.temperature `t`; default 0.07
 * @param options.streaming true never holds the products for the gradient, false always does
 * @throws ShapeError if shapes do not fit, ValueError if `temperature` is not positive or `streaming` no boolean
 * @see He et al. 2020, equation 1 (arXiv:1911.05722), shaders/contrast.wgsl; van den Oord et al. 2018 (arXiv:1807.03748)
 *
 * @example
 * const loss = F.infoNCE(q, keys, queue, { temperature: 0.1 });
 */
export function infoNCE(
  query: Tensor,
  positiveKey: Tensor,
  negativeKeys: Tensor,
  options: { temperature?: number; reduction?: Reduction; streaming?: boolean } = {},
): Tensor {
  checkOptionNames("infoNCE", options, ["temperature", "reduction", "streaming"]);
  const { temperature = 0.07, reduction = "mean", streaming } = options;
  const { losses } = contrast("infoNCE", query, positiveKey, negativeKeys, temperature, streaming);
  return reduced("infoNCE", losses, reduction);
}
