/** Normalisation and affine maps, composed of ops: what fuses is up to the schedule. */

import { ShapeError } from "../errors";
import type { Node } from "../graph/node";
import { normalizeDim, showShape, sizeOf } from "../graph/shape";
import { add, clamp, div, mul, square, sub } from "./arithmetic";
import { broadcast, cast } from "./cast";
import { customVjp, detach } from "./custom";
import { rsqrt } from "./math";
import { matmul } from "./matmul";
import { mean, norm } from "./moments";
import { asF32, forProduct, hasHalf, inF32, inF32ForAutocast } from "./precision";
import { sum } from "./reduce";
import { reshape, transpose, unsqueeze } from "./views";

/** `x / max(norm(x), eps)` along `dim`. */
export function normalize(x: Node, p: number, dim: number, eps: number): Node {
  if (hasHalf(x)) return inF32ForAutocast([x], (wide) => normalize(wide, p, dim, eps));
  return div(x, clamp(norm(x, p, dim, true), eps));
}

/** `x @ weight.T + bias`. */
export function linear(x: Node, weight: Node, bias: Node | null): Node {
  const rank = weight.shape.length;
  if ((rank !== 2 && rank !== 1) || x.shape.at(-1) !== weight.shape.at(-1)) {
    throw new ShapeError(
      `linear: the last dimension of the input must be inFeatures, got ${showShape(x.shape)} for weight ${showShape(weight.shape)} ` +
        "[outFeatures, inFeatures], or [inFeatures]. Check the layer's sizes, or flatten the input.",
    );
  }
  const [input, w, b] = forProduct([x, weight, bias]);
  return inF32([input, w, b], (a, matrix, shift) => {
    const y = matmul(a, rank === 2 ? transpose(matrix, 0, 1) : matrix);
    return shift ? add(y, shift) : y;
  });
}

/** What batch normalisation in training gives. */
export interface BatchNormed {
  readonly output: Node;
  /** Per group and channel, `[groups, channels]`; no gradients. */
  readonly mean: Node;
  /** Biased, `[groups, channels]`; no gradients. */
  readonly variance: Node;
  /** How many numbers each of them is made of. */
  readonly count: number;
}

/**
 * Batch normalisation by the batch's own statistics. Sample `n` belongs to group `n % groups`, and each group is
 * normalised by itself, as if it were on a device of its own.
 *
 *     y = weight * xhat + bias,  xhat = (x - mean) / sqrt(variance + eps)
 *
 * @param x `[n, c, ...]`
 */
export function batchNormTraining(
  x: Node,
  weight: Node | null,
  bias: Node | null,
  eps: number,
  groups = 1,
): BatchNormed {
  if (hasHalf(x)) {
    const normed = batchNormTraining(asF32(x), asF32(weight), asF32(bias), eps, groups);
    return { ...normed, output: cast(normed.output, x.dtype) };
  }
  const [batch = 0, channels = 0, ...inner] = x.shape;
  const lead = groups === 1 ? [batch, channels] : [batch / groups, groups, channels];
  const grouped = reshape(x, [...lead, ...inner]);
  const channelDim = lead.length - 1;
  const dims = grouped.shape.flatMap((_, d) => (d === 0 || d > channelDim ? [d] : []));
  const perChannel = grouped.shape.map((size, d) => (d === channelDim ? size : 1));
  const count = sizeOf(dims.map((dim) => grouped.shape[dim]!));

  const center = mean(grouped, dims, true);
  const centered = sub(grouped, center);
  const spread = mean(square(centered), dims, true);
  const inverse = rsqrt(add(spread, eps));
  const xhat = mul(centered, inverse);
  const w = weight && reshape(weight, perChannel);
  const scaled = w ? mul(xhat, w) : xhat;
  const shiftedUp = bias ? add(scaled, reshape(bias, perChannel)) : scaled;

  /**
   * The closed form, with two reductions where the chain rule through mean and variance would take more:
   * dx = w / sqrt(variance + eps) * (dy - mean(dy) - xhat * mean(dy * xhat)), dw = sum(dy * xhat), db = sum(dy)
   */
  const rule = (gradOut: Node): (Node | null)[] => {
    const dy = reshape(gradOut, grouped.shape);
    const sumDy = sum(dy, dims, true);
    const sumDyXhat = sum(mul(dy, xhat), dims, true);
    const inner = sub(sub(dy, div(sumDy, count)), mul(xhat, div(sumDyXhat, count)));
    const factor = w ? mul(inverse, w) : inverse;
    const overGroups = (total: Node): Node => reshape(groups === 1 ? total : sum(total, 1), [channels]);
    return [
      reshape(mul(factor, inner), x.shape),
      ...(weight ? [overGroups(sumDyXhat)] : []),
      ...(bias ? [overGroups(sumDy)] : []),
    ];
  };
  const inputs = [x, weight, bias].filter((node) => node !== null);
  return {
    output: customVjp(reshape(shiftedUp, x.shape), inputs, rule),
    mean: reshape(detach(center), [groups, channels]),
    variance: reshape(detach(spread), [groups, channels]),
    count,
  };
}

/** Batch normalisation by given statistics, `[c]` each. */
export function batchNormEval(
  x: Node,
  statistics: { mean: Node; variance: Node },
  weight: Node | null,
  bias: Node | null,
  eps: number,
): Node {
  if (hasHalf(x, statistics.mean)) {
    const wide = { mean: asF32(statistics.mean), variance: asF32(statistics.variance) };
    return cast(batchNormEval(asF32(x), wide, asF32(weight), asF32(bias), eps), x.dtype);
  }
  const perChannel = x.shape.map((size, d) => (d === 1 ? size : 1));
  const inverse = rsqrt(add(reshape(statistics.variance, perChannel), eps));
  const xhat = mul(sub(x, reshape(statistics.mean, perChannel)), inverse);
  const scaled = weight ? mul(xhat, reshape(weight, perChannel)) : xhat;
  return bias ? add(scaled, reshape(bias, perChannel)) : scaled;
}

/** `x . y / max(|x| |y|, eps)` along `dim`. */
export function cosineSimilarity(x: Node, y: Node, dim: number, eps: number): Node {
  if (hasHalf(x, y)) return inF32ForAutocast([x, y], (p, q) => cosineSimilarity(p, q, dim, eps));
  const [a, b] = broadcast("cosineSimilarity", [x, y]) as [Node, Node];
  const at = normalizeDim("cosineSimilarity", dim, a.shape.length);
  const length = (of: Node): Node =>
    // below eps PyTorch clamps the value, but not what the gradient goes through
    customVjp(clamp(norm(of, 2, at), eps), [of], (gradOut, [input], output) => [
      mul(unsqueeze(div(gradOut, output), at), input!),
    ]);
  return div(sum(mul(a, b), at), mul(length(a), length(b)));
}

/**
 * `(x - mean) / sqrt(variance + eps)`, mean and biased variance being those over `dims`.
 *
 *     dx = (dy - mean(dy) - xhat * mean(dy * xhat)) / sqrt(variance + eps)
 */
function standardize(x: Node, dims: readonly number[], eps: number): Node {
  const centered = sub(x, mean(x, dims, true));
  const inverse = rsqrt(add(mean(square(centered), dims, true), eps));
  const xhat = mul(centered, inverse);
  return customVjp(xhat, [x], (dy) => {
    const inner = sub(sub(dy, mean(dy, dims, true)), mul(xhat, mean(mul(dy, xhat), dims, true)));
    return [mul(inverse, inner)];
  });
}

const affine = (x: Node, weight: Node | null, bias: Node | null): Node => {
  const scaled = weight ? mul(x, weight) : x;
  return bias ? add(scaled, bias) : scaled;
};

/** Normalises over the last `rank` dimensions; weight and bias have their shape. */
export function layerNorm(x: Node, rank: number, weight: Node | null, bias: Node | null, eps: number): Node {
  if (hasHalf(x)) return inF32ForAutocast([x], (wide) => layerNorm(wide, rank, asF32(weight), asF32(bias), eps));
  const dims = Array.from({ length: rank }, (_, d) => x.shape.length - rank + d);
  return affine(standardize(x, dims, eps), weight, bias);
}

/** Normalises each sample's channels `[n, c, ...]` in groups of neighbours; weight and bias are `[c]`. */
export function groupNorm(x: Node, groups: number, weight: Node | null, bias: Node | null, eps: number): Node {
  if (hasHalf(x)) return inF32ForAutocast([x], (wide) => groupNorm(wide, groups, asF32(weight), asF32(bias), eps));
  const [batch = 0, channels = 0, ...inner] = x.shape;
  const grouped = reshape(x, [batch, groups, sizeOf([channels / groups, ...inner])]);
  const perChannel = (node: Node | null): Node | null => node && reshape(node, [channels, ...inner.map(() => 1)]);
  return affine(reshape(standardize(grouped, [2], eps), x.shape), perChannel(weight), perChannel(bias));
}
