/** The encoders of a run, for images of any size. Knows nothing of the page. */

import type { TrainerEncoder } from "flywheel/moco";
import {
  type ResNet,
  resnet18,
  resnet34,
  resnet50,
  resnet8,
  type ResNetOptions,
  tinyFlat,
  tinyGap,
} from "flywheel/models";
import type { ImageSize } from "./protocol";
import type { EncoderName } from "./recipePresets.mjs";

/** Side from which ResNets halve images twice before their first block, as they do those of ImageNet. */
const LARGE = 64;

/** The encoders for images of a size. */
export function encodersFor({
  channels: inChannels,
  height,
}: ImageSize): Readonly<Record<EncoderName, TrainerEncoder>> {
  const resnet =
    (make: (options: ResNetOptions) => ResNet): TrainerEncoder =>
    (options) =>
      make({ ...options, inChannels, cifarStem: height < LARGE });
  return {
    tinyFlat: (options) => tinyFlat({ ...options, inChannels, imageSize: height }),
    tinyGap: (options) => tinyGap({ ...options, inChannels }),
    resnet8: (options) => resnet8({ ...options, inChannels }),
    resnet18: resnet(resnet18),
    resnet34: resnet(resnet34),
    resnet50: resnet(resnet50),
  };
}
