/** Momentum Contrast: the algorithm, and judging what it has learned. */

export { featuresOf, knnAccuracy, knnPredict } from "./knn";
export type { FeaturesOptions, KnnOptions } from "./knn";
export { contrastAccuracy, MoCo, MoCoOutput } from "./moco";
export type { EncoderFactory, MoCoOptions } from "./moco";
export { MomentumUpdate } from "./momentumEncoder";
