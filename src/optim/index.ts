/** Optimizers and learning rate schedules as in `torch.optim`. A step is one dispatch per arena of parameters. */

export { Adam, AdamW } from "./adam";
export type { AdamOptions, AdamState } from "./adam";
export { AveragedModel } from "./averagedModel";
export type { AveragedModelOptions } from "./averagedModel";
export { GradScaler } from "./gradScaler";
export type { GradScalerOptions, GradScalerState } from "./gradScaler";
export { LARS } from "./lars";
export type { LARSOptions, LARSState } from "./lars";
export { Optimizer } from "./optimizer";
export type { CommonOptions, OptimizerStateDict, ParamGroup, ParamGroups } from "./optimizer";
export { packState, unpackState } from "./packState";
export type { PackedState } from "./packState";
export { RMSprop } from "./rmsProp";
export type { RMSpropOptions, RMSpropState } from "./rmsProp";
export { SGD } from "./sgd";
export type { SGDOptions, SGDState } from "./sgd";
export * from "./schedules";
export type { LoadableOptimizerState, LoadableValue } from "./stateDict";
export { updateBn } from "./updateBn";
