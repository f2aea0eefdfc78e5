/**
 * Files: arrays on the host to bytes and back, strictly. Nothing here touches a GPU, a disk or the network.
 */

export type { FileArray, FileData, FileDType } from "./fileArray";
export { readNpy, writeNpy } from "./npy";
export { readSafetensors, writeSafetensors } from "./safetensors";
export type { Safetensors } from "./safetensors";
export { openSafetensors } from "./safetensorsFile";
export type { ReadableBytes, SafetensorsFile, TensorEntry } from "./safetensorsFile";
export { readTorch } from "./torch/readTorch";
export type { ReadTorchOptions } from "./torch/readTorch";
export { isTorchObject, isTorchTensor } from "./torch/values";
export type { TorchKey, TorchValue } from "./torch/values";
export { writeTorch } from "./torch/writeTorch";
