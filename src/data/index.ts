/**
 * Data sets: files in, plain typed arrays out. `augment` makes random views of
 * images that are tensors already.
 */

export { decompress, parseIdx, readIdx } from "./idx";
export type { IdxArray, IdxData, IdxDType, IdxSource } from "./idx";
export { FASHION_MNIST_CLASSES, FASHION_MNIST_FILES, fetchReader, loadFashionMnist } from "./fashionMnist";
export type { LabeledImages } from "./fashionMnist";
export {
  brightnessContrast,
  drawBoxes,
  FASHION_MNIST_STATISTICS,
  mocoAugment,
  normalize,
  randomHorizontalFlip,
  randomResizedCrop,
} from "./augment";
export type { BrightnessContrastOptions, CropBoxes, MocoAugmentOptions, RandomResizedCropOptions } from "./augment";
export { cropTable } from "./cropTable";
export type { CropOptions, CropSize } from "./cropTable";
export { EpochSampler } from "./sampler";
export type { EpochSamplerOptions, EpochSamplerState } from "./sampler";
