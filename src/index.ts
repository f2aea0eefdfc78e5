/** flywheel: tensors on WebGPU with autograd, for training in the browser. */

export { adapterInfo, defaultDevice, Device, init, memory, openDevice, withDevice } from "./device";
export type { AdapterInfo, DeviceKind, DeviceOptions, InitOptions } from "./device";
export {
  AutogradError,
  DeviceError,
  DeviceLostError,
  DTypeError,
  FlywheelError,
  FormatError,
  GradcheckError,
  IndexError,
  InternalError,
  KernelError,
  OutOfMemoryError,
  ShapeError,
  StaleTensorError,
  StateDictError,
  ValueError,
} from "./errors";
export type { DType, TypedArray } from "./graph/dtype";
export type { Shape } from "./graph/shape";
export { keep, realize, Tensor } from "./tensor";
export type {
  BackwardOptions,
  Bounds,
  Dims,
  GradientHook,
  HookHandle,
  KeepDim,
  NestedArray,
  TensorLike,
  ValuesAndIndices,
} from "./tensor";
export {
  arange,
  cat,
  equal,
  eye,
  full,
  fullLike,
  linspace,
  matmul,
  maximum,
  minimum,
  ones,
  onesLike,
  stack,
  tensor,
  where,
  zeros,
  zerosLike,
} from "./creation";
export type { CreationOptions, TensorData } from "./creation";
export {
  bernoulli,
  defaultGenerator,
  Generator,
  manualSeed,
  normal,
  rand,
  randint,
  randn,
  randomBits,
  randperm,
  uniform,
} from "./random";
export type { GeneratorState, RandomOptions } from "./random";
export {
  customVjp,
  enableGrad,
  grad,
  gradcheck,
  gradgradcheck,
  hessian,
  inferenceMode,
  isGradEnabled,
  jacobian,
  jvp,
  noGrad,
  recompute,
  setGradEnabled,
  valueAndGrad,
  vjp,
} from "./gradient";
export type { Arguments, DerivativeOptions, Each, GradcheckOptions, GradOptions, Tensors, Vjp } from "./gradient";
export { Buffer, Counter, Parameter } from "./parameter";
export type { ParameterOptions } from "./parameter";
export * as F from "./functional";
export * as nn from "./nn";
export * as optim from "./optim";
export * as models from "./models";
export * as moco from "./moco";
export * as data from "./data";
export * as io from "./io";
