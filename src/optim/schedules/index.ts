/** Learning rate schedules as in `torch.optim.lr_scheduler`. */

export { ChainedScheduler, SequentialLR } from "./composed";
export type { ComposedState } from "./composed";
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from "./cosine";
export type { WarmRestartsState } from "./cosine";
export { CyclicLR } from "./cyclic";
export type { CyclicOptions } from "./cyclic";
export { ConstantLR, ExponentialLR, LinearLR, MultiStepLR, PolynomialLR, StepLR } from "./decay";
export { LambdaLR, MultiplicativeLR } from "./lambda";
export type { LrLambda } from "./lambda";
export { OneCycleLR } from "./oneCycle";
export type { OneCycleOptions } from "./oneCycle";
export { ReduceLROnPlateau } from "./plateau";
export type { PlateauOptions, PlateauState } from "./plateau";
export { LRScheduler } from "./scheduler";
export type { SchedulerState } from "./scheduler";
export { SWALR } from "./swa";
