/**
 * Files: arrays on the host to bytes and back, strictly. Nothing here touches a GPU, a disk or the network.
 */

export type { FileArray, FileData, FileDType } from "./fileArray";
export { readNpy, writeNpy } from "./npy";
export { readSafetensors, writeSafetensors } from "./safetensors";
export type { Safetensors } from "./safetensors";
