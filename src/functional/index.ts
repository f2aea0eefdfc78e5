/**
 * Functions of tensors without state of their own, as in `torch.nn.functional`: activations, layers, losses. Each composes
 * nodes and wraps the result once.
 */

export * from "./activation";
export { type AttentionOptions, embedding, scaledDotProductAttention } from "./attention";
export * from "./convolution";
export * from "./dropout";
export * from "./linear";
export * from "./loss";
export {
  type AffineNormOptions,
  batchNorm,
  type BatchNormOptions,
  groupNorm,
  instanceNorm,
  type InstanceNormOptions,
  layerNorm,
  normalize,
} from "./normalization";
export * from "./pooling";
export * from "./rearrange";
export {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  infoNCE,
  marginRankingLoss,
  pairwiseDistance,
  tripletMarginLoss,
} from "./similarity";
export * from "./vision";
