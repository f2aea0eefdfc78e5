/** Momentum Contrast: the algorithm, and judging what it has learned. */

export { featuresOf, knnAccuracy, knnPredict } from "./knn";
export type { FeaturesOptions, KnnOptions } from "./knn";
export { readCheckpoint, writeCheckpoint } from "./checkpoint";
export type { CheckpointParts, Resumable } from "./checkpoint";
export { contrastAccuracy, MoCo, MoCoOutput } from "./moco";
export type { EncoderFactory, MoCoForwardOptions, MoCoOptions } from "./moco";
export { MoCoV3 } from "./mocoV3";
export type { EncoderFactoryV3, MoCoV3Options, MoCoV3Output } from "./mocoV3";
export { CosineMomentum } from "./momentumSchedule";
export type { MomentumState } from "./momentumSchedule";
export { MomentumUpdate } from "./momentumEncoder";
export { lrFactor, officialRecipe, RECIPES } from "./recipes";
export type { AugmentationName, LrRule, MoCoRecipe, OfficialOptions } from "./recipes";
export { MoCoTrainer } from "./trainer";
export type { Augment, MoCoStep, MoCoTrainerOptions, TrainerEncoder } from "./trainer";
