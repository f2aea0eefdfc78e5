/** Optimizers and learning rate schedules as in `torch.optim`. A step is one dispatch per arena of parameters. */

export { CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, LRScheduler, MultiStepLR, StepLR } from "./lrScheduler";
export type { SchedulerState } from "./lrScheduler";
export { Optimizer } from "./optimizer";
export type { CommonOptions, OptimizerStateDict, ParamGroup, ParamGroups } from "./optimizer";
export { SGD } from "./sgd";
export type { SGDOptions, SGDState } from "./sgd";
