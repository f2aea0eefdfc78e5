/**
 * Tools for people: what a graph will run and why (`explain`), what each launch takes (`profile`), plans as they are made, their time
 * and memory (`debug`), single kernels and their variants (`runKernel`), and which of these are fastest here (`tune`). Needs a
 * WebGPU device; training does not need it.
 */

export { calibrate } from "./calibrate";
export type { Rates } from "./calibrate";
export { synchronize } from "./device";
export { explain, launchesOf, programsIn } from "./explain";
export { bindKernel, kernelNames, runKernel, variantsOf } from "./kernels";
export type { KernelArrays, KernelName, KernelOptions } from "./kernels";
export { BoundLaunches, bindShader, DeviceArray } from "./launches";
export type { LaunchInfo, Numbers, ShaderCall } from "./launches";
export { forgetTuning, printTuning, savedTuning, tune, useTuning } from "./tune";
export type { TunedUse, TuneOptions, TuneReport, TriedVariant } from "./tune";
export { sumByKernel } from "./kernelSums";
export type { KernelSum } from "./kernelSums";
export type { Profile, ProfiledLaunch } from "./measure";
export { printProfile } from "./printProfile";
export { profile } from "./profile";
export type { DebugChannel } from "./channels";
export { debug } from "./watch";
export type { Conv2dInfo, KernelInfoMap, MatmulInfo, MatrixStrides, UpdateInfo } from "../ops/kernelInfo";
export type { PlannedLaunch } from "../schedule/plan";
export { printLaunches } from "../schedule/print";
