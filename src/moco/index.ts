/** Momentum Contrast: the algorithm, and judging what it has learned. */

export { readCheckpoint, writeCheckpoint } from "./checkpoint";
export type { CheckpointParts, Resumable } from "./checkpoint";
export { alignment, uniformity } from "./alignment";
export { exportFeatures } from "./exportFeatures";
export type { ExportFeaturesOptions, FeatureFiles } from "./exportFeatures";
export { featuresOf } from "./features";
export type { FeatureFunction, FeaturesOptions } from "./features";
export { knnAccuracy, knnPredict } from "./knn";
export type { KnnOptions } from "./knn";
export type { EpochReport, SupervisedOptions } from "./epochs";
export { fewLabels, fineTune } from "./fineTune";
export type { FewLabelsOptions, FineTuneOptions, FineTuneResult } from "./fineTune";
export type { Accuracies, LabeledSource, LabeledTensors } from "./labeled";
export { linearProbe } from "./linear";
export type { LinearProbeOptions, LinearProbeResult } from "./linear";
export { contrastAccuracy, MoCo, MoCoOutput } from "./moco";
export type { EncoderFactory, MoCoForwardOptions, MoCoOptions } from "./moco";
export { MoCoV3 } from "./mocoV3";
export type { EncoderFactoryV3, MoCoV3Options, MoCoV3Output } from "./mocoV3";
export { CosineMomentum } from "./momentumSchedule";
export type { MomentumState } from "./momentumSchedule";
export { MomentumUpdate } from "./momentumEncoder";
export { lrFactor, officialRecipe, RECIPES } from "./recipes";
export type { AugmentationName, LrRule, MoCoRecipe, OfficialOptions } from "./recipes";
export { AUGMENTS, MoCoTrainer } from "./trainer";
export type {
  Augment,
  MoCoStep,
  MoCoTrainerOptions,
  RecipeAugmentOptions,
  TrainerEncoder,
  TrainerState,
} from "./trainer";
export { loadBackbone, loadOfficialCheckpoint, writeOfficialCheckpoint } from "./official";
export type { Progress, Trained } from "./official";
export { readOfficialCheckpoint } from "./officialFile";
export type { OfficialCheckpoint, OfficialOptimizer } from "./officialFile";
