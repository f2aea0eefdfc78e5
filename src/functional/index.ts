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
export * from "./normalization";
export * from "./pooling";
export * from "./rearrange";
export * from "./similarity";
export * from "./vision";
