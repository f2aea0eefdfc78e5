/** Gradients as functions: switch tracking off, take gradients without touching `grad`, give rules of one's own, save memory. */

export { detectAnomaly, isAnomalyEnabled, setDetectAnomaly } from "./anomaly";
export { customVjp } from "./customVjp";
export type { Vjp } from "./customVjp";
export { grad, valueAndGrad } from "./grad";
export type { GradOptions } from "./grad";
export { enableGrad, inferenceMode, isGradEnabled, noGrad, setGradEnabled } from "./mode";
export { hessian, jacobian, jvp, vjp } from "./functional";
export type { Arguments, DerivativeOptions, Each, Tensors } from "./functional";
export { gradcheck, gradgradcheck } from "./gradcheck";
export type { GradcheckOptions } from "./gradcheck";
export { recompute } from "./recompute";
