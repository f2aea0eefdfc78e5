/** Encoders, written with `nn`. */

export type { HeadKind } from "./head";
export { BasicBlock, batchNorm2d, ResNet, resnet18, ResNet8, resnet8 } from "./resnet";
export type { Norm, ResNetOptions } from "./resnet";
export { TinyEncoder, tinyFlat, tinyGap } from "./tiny";
export type { TinyOptions } from "./tiny";
