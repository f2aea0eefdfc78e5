/** Momentum Contrast: the algorithm, and judging what it has learned. */

export { featuresOf, knnAccuracy, knnPredict } from "./knn";
export type { FeaturesOptions, KnnOptions } from "./knn";
export { contrastAccuracy, MoCo, MoCoOutput } from "./moco";
export type { EncoderFactory, MoCoForwardOptions, MoCoOptions } from "./moco";
export { MoCoV3 } from "./mocoV3";
export type { EncoderFactoryV3, MoCoV3Options, MoCoV3Output } from "./mocoV3";
export { CosineMomentum } from "./momentumSchedule";
export type { MomentumState } from "./momentumSchedule";
export { MomentumUpdate } from "./momentumEncoder";
