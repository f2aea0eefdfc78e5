/**
 * Ops: what each computation means. One file a family; an op is one `defineOp` entry with its shape rule, its CPU meaning,
 * its GPU meaning and its gradient. Importing this file registers them all. Builders make nodes and run nothing.
 */

export * from "./activation";
export * from "./adam";
export * from "./arithmetic";
export { AUGMENTATION_COLUMNS, augment, type AugmentAttrs } from "./augment";
export * from "./avgPool";
export {
  type Dims,
  dropDims,
  expand,
  expandOp,
  full,
  fullLike,
  keepDims,
  ones,
  onesLike,
  sumOp,
  zeros,
  zerosLike,
} from "./broadcast";
export { broadcast, cast, castOp, commonDType, counted, type Operand, together, typed } from "./cast";
export { checkDTypeName } from "./check";
export * from "./clip";
export { contrastMean, infoNCE } from "./contrast";
export { conv2dGradInputOp, conv2dGradWeightOp, conv2dOp } from "./conv2d";
export * from "./convolution";
export { customVjp, customVjpOp, detach, detachOp, type VjpRule, withoutGrad } from "./custom";
export { diag, diagEmbed, diagonal, trace, tril, triu } from "./diagonal";
export * from "./division";
export { checkMultinomial, fixedWeightOp, multinomial, raceKeyOp, wordsOfMultinomial } from "./draw";
export { einsum, tensordot } from "./einsum";
export * from "./generate";
export * from "./gridSample";
export {
  type Fold,
  gather,
  gatherOp,
  scatter,
  scatterAdd,
  scatterReduce,
  scatterReduceOp,
  scatterWith,
} from "./indexing";
export { interpolate, type InterpolateOptions, type InterpolationMode } from "./interpolate";
export * from "./join";
export * from "./lars";
export * from "./leaf";
export * from "./logic";
export { indexSelect, oneHot, take, takeAlongDim, wrapIndexOp } from "./lookup";
export * from "./loss";
export * from "./math";
export { matmul, matmulOp } from "./matmul";
export * from "./maxPool";
export { maxUnpool1d, maxUnpool2d, type MaxUnpoolOptions } from "./maxUnpool";
export * from "./moments";
export * from "./normalization";
export { checkFloat } from "./pointwise";
export { inF32ForAutocast } from "./precision";
export * from "./order";
export * from "./pad";
export * from "./products";
export * from "./put";
export type { Pair, Sizes } from "./planes";
export * from "./quantiles";
export * from "./rearrange";
export * from "./reduce";
export * from "./rmsProp";
export { BLOCK, SegmentState } from "./segments";
export * from "./scan";
export { countEach, histc, runsOf, searchsorted, searchsortedOp } from "./search";
export * from "./shuffle";
export { type Bounds, flip, narrow, padOp, padZeros, slice, sliceOp } from "./slice";
export * from "./special";
export { index, type Item, nonzeroPlaces, setAt } from "./subscript";
export * from "./trigonometry";
export * from "./update";
export {
  atLeast,
  flatten,
  movedim,
  permute,
  permuteOp,
  reshape,
  reshapeOp,
  squeeze,
  transpose,
  unflatten,
  unsqueeze,
} from "./views";
export * from "./windows";
