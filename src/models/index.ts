/** Encoders, written with `nn`. */

export type { HeadFactory, HeadKind } from "./head";
export {
  BasicBlock,
  batchNorm2d,
  Bottleneck,
  ResNet,
  resnet101,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
  ResNet8,
  resnet8,
  startAsIdentity,
} from "./resnet";
export type { Norm, ResNetOptions, SmallResNetOptions } from "./resnet";
export { TinyEncoder, tinyFlat, tinyGap } from "./tiny";
export type { TinyOptions } from "./tiny";
