/**
 * Data sets: files in, plain typed arrays out, or a source that is read a batch at a time. `augment` makes random
 * views of images that are tensors already.
 */

export { decompress, parseIdx, readIdx } from "./idx";
export type { IdxArray, IdxData, IdxDType, IdxSource } from "./idx";
export { FASHION_MNIST_CLASSES, FASHION_MNIST_FILES, fetchReader, loadFashionMnist } from "./fashionMnist";
export type { FetchProgress } from "./fashionMnist";
export {
  CIFAR100_FILES,
  CIFAR100_STATISTICS,
  CIFAR10_FILES,
  CIFAR10_STATISTICS,
  loadCifar10,
  loadCifar100,
  parseCifar10,
  parseCifar100,
} from "./cifar";
export type { CifarFiles } from "./cifar";
export { CIFAR100_CLASSES, CIFAR10_CLASSES } from "./cifarClasses";
export { brightnessContrast, normalize, randomHorizontalFlip, randomResizedCrop } from "./augment";
export type { BrightnessContrastOptions, RandomResizedCropOptions } from "./augment";
export { drawBoxes } from "./cropBoxes";
export type { CropBoxes } from "./cropBoxes";
export {
  applyAugmentation,
  augment,
  AUGMENTATION_COLUMNS,
  augmentViews,
  cifarAugment,
  drawAugmentation,
  mocoAugment,
  mocoV1Augment,
  mocoV2Augment,
} from "./views";
export {
  FASHION_MNIST_STATISTICS,
  IMAGENET_STATISTICS,
  MOCO_CIFAR,
  MOCO_FASHION_MNIST,
  MOCO_V1,
  MOCO_V2,
} from "./augmentOptions";
export type { AugmentOptions, DrawOptions, Range, Statistics, ViewOptions } from "./augmentOptions";
export { cropTable } from "./cropTable";
export type { CropOptions, CropSize } from "./cropTable";
export { loadImageFolder, packImageFolder } from "./imageFolder";
export type { FolderImages, ImageFolderOptions, PackedFolder, PlacedFile, UnreadFile } from "./imageFolder";
export { openImages, readImages, writeImages } from "./imageFile";
export type { ImageFile, NamedImages } from "./imageFile";
export { ImageLoader } from "./imageLoader";
export type { ImageBatch, ImageLoaderOptions } from "./imageLoader";
export { imageSource, selectImages, sourceStatistics } from "./imageSource";
export type { ImageSource } from "./imageSource";
export { channelStatistics, splitData, splitRows, takeImages } from "./labeledImages";
export type { ChannelStatistics, ImagesPart, LabeledImages, Labels, RowsOfParts } from "./labeledImages";
export { EpochSampler } from "./sampler";
export type { EpochSamplerOptions, EpochSamplerState } from "./sampler";
