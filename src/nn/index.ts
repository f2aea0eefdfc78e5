/** Layers as in `torch.nn`, written against the public tensor API. Nothing here touches a device. */

export {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  PReLU,
  ReLU,
  ReLU6,
  RReLU,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softmin,
  Softplus,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
  Threshold,
} from "./activations";
export { MultiheadAttention } from "./attention";
export type { Attended, AttendOptions, MultiheadAttentionOptions } from "./attention";
export { BatchNorm1d, BatchNorm2d, SplitBatchNorm2d } from "./batchNorm";
export type { BatchNormLayerOptions } from "./batchNorm";
export { ModuleDict, ModuleList, ParameterList } from "./containers";
export { Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d } from "./convolution";
export type {
  Conv1dLayerOptions,
  Conv2dLayerOptions,
  ConvTranspose1dLayerOptions,
  ConvTranspose2dLayerOptions,
  PaddingMode,
} from "./convolution";
export { Embedding } from "./embedding";
export type { EmbeddingOptions } from "./embedding";
export * as init from "./init";
export { AlphaDropout, Dropout, Dropout1d, Dropout2d, Flatten, Identity, Sequential, Unflatten } from "./layers";
export { Linear } from "./linear";
export type { LinearOptions } from "./linear";
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CosineSimilarity,
  CrossEntropyLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  HuberLoss,
  InfoNCELoss,
  KLDivLoss,
  L1Loss,
  MarginRankingLoss,
  MSELoss,
  MultiLabelSoftMarginLoss,
  NLLLoss,
  PairwiseDistance,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
  TripletMarginLoss,
} from "./loss";
export { Module, readState } from "./module";
export type { HostStateDict, IncompatibleKeys, Layer, LoadableStateDict, StateDict, StateEntry } from "./module";
export {
  ConstantPad1d,
  ConstantPad2d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReplicationPad1d,
  ReplicationPad2d,
  ZeroPad2d,
} from "./padding";
export type { Padding1d, Padding2d } from "./padding";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AvgPool1d,
  AvgPool2d,
  LPPool1d,
  LPPool2d,
  MaxPool1d,
  MaxPool2d,
  MaxUnpool1d,
  MaxUnpool2d,
} from "./pooling";
export { Fold, Unfold } from "./unfold";
export {
  ChannelShuffle,
  PixelShuffle,
  PixelUnshuffle,
  Upsample,
  UpsamplingBilinear2d,
  UpsamplingNearest2d,
} from "./upsampling";
export type { UpsampleOptions, UpsamplingOptions } from "./upsampling";
export type { StateArray } from "../loadable";
export { GroupNorm, InstanceNorm1d, InstanceNorm2d, LayerNorm } from "./normalization";
export type { GroupNormOptions, LayerNormOptions } from "./normalization";
export { TransformerEncoder, TransformerEncoderLayer } from "./transformer";
export type { EncoderMasks, TransformerEncoderLayerOptions, TransformerEncoderOptions } from "./transformer";
export { TransformerDecoder, TransformerDecoderLayer } from "./transformerDecoder";
export type { DecoderMasks, TransformerDecoderLayerOptions, TransformerDecoderOptions } from "./transformerDecoder";
export * as utils from "./utils";
export * as functional from "../functional";
export { Buffer, Counter, Parameter } from "../parameter";
