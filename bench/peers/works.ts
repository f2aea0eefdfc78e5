/** The rows of the comparison, in the order of the report. */

import {
  conv2dBackwardWork,
  conv2dWork,
  infoNCEWork,
  layerNormWork,
  matmulWork,
  pointwiseWork,
  softmaxWork,
  sumWork,
} from "./kernelWorks";
import type { Kind } from "./library";
import { resnet18Shapes } from "../resnet18";
import { mocoResNet18Work, mocoWork } from "./mocoWorks";
import { cnnWork, mlpWork, updateWork } from "./stepWorks";
import type { Work } from "./work";

const CONV = { batch: 32, channels: 64, size: 32 };

/** A work of whatever kind. */
export type AnyWork = { [K in Kind]: Work<K> }[Kind];

export const WORKS: readonly AnyWork[] = [
  matmulWork(512),
  pointwiseWork(2 ** 22),
  sumWork(2 ** 22),
  softmaxWork(4096, 1024),
  layerNormWork(4096, 1024),
  conv2dWork(CONV),
  conv2dBackwardWork(CONV),
  mlpWork({ batch: 128, sizes: [784, 512, 512, 10] }),
  cnnWork({ batch: 64, size: 28, channels: [1, 16, 32], classes: 10 }),
  updateWork("ResNet-18 SGD + EMA", resnet18Shapes()),
  infoNCEWork("infoNCE", { n: 256, dim: 128, k: 16_384 }),
  infoNCEWork("infoNCE64K", { n: 256, dim: 128, k: 65_536 }),
  mocoWork({ batch: 64, size: 28, queueSize: 4096, dim: 128, channels: [1, 16, 32, 64] }),
  mocoResNet18Work({ batch: 32, size: 32, queueSize: 4096 }, { batch: 8, size: 8, queueSize: 64 }),
];
