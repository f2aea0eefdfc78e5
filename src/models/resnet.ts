/** ResNets: the layers, names and order of torchvision's, so that its files load. */

import * as F from "../functional";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Identity,
  init,
  type Layer,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from "../nn";
import type { Tensor } from "../tensor";
import { head, type HeadKind } from "./head";

/** Makes the normalisation of `channels` channels. */
export type Norm = (channels: number) => Layer;

export const batchNorm2d: Norm = (channels) => new BatchNorm2d(channels);

const conv3x3 = (inChannels: number, outChannels: number, stride = 1): Conv2d =>
  new Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false });

/** Two 3x3 convolutions and a way around them: `relu(x + f(x))`. @see torchvision.models.resnet.BasicBlock */
export class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: Layer;
  readonly conv2: Conv2d;
  readonly bn2: Layer;
  /** The way around where shapes differ. */
  readonly downsample: Sequential | null;

  constructor(inChannels: number, channels: number, stride: number, norm: Norm) {
    super();
    this.conv1 = conv3x3(inChannels, channels, stride);
    this.bn1 = norm(channels);
    this.conv2 = conv3x3(channels, channels);
    this.bn2 = norm(channels);
    this.downsample =
      stride === 1 && inChannels === channels
        ? null
        : new Sequential(new Conv2d(inChannels, channels, 1, { stride, bias: false }), norm(channels));
  }

  forward(x: Tensor): Tensor {
    const around = this.downsample ? this.downsample.forward(x) : x;
    const inner = this.bn1.forward(this.conv1.forward(x)).relu();
    return this.bn2.forward(this.conv2.forward(inner)).add(around).relu();
  }
}

/** Options of `resnet18`. */
export interface ResNetOptions {
  /** Outputs of the head; default 1000. */
  readonly numClasses?: number;
  /** Channels of the images; default 3. */
  readonly inChannels?: number;
  /** A 3x3 stem of stride 1 and no max pool, for images of 32 pixels; default false. */
  readonly cifarStem?: boolean;
  /** Default BatchNorm2d. */
  readonly norm?: Norm;
  /** `"linear"` (default), or MoCo v2's `"mlp"`. */
  readonly head?: HeadKind;
}

/** Four stages of two BasicBlocks each. Use `resnet18`. */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: Layer;
  readonly relu = new ReLU();
  readonly maxpool: Layer;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly fc: Layer;

  constructor({
    numClasses = 1000,
    inChannels = 3,
    cifarStem = false,
    norm = batchNorm2d,
    head: kind = "linear",
  }: ResNetOptions = {}) {
    super();
    const stage = (from: number, to: number, stride: number): Sequential =>
      new Sequential(new BasicBlock(from, to, stride, norm), new BasicBlock(to, to, 1, norm));
    this.conv1 = cifarStem
      ? conv3x3(inChannels, 64)
      : new Conv2d(inChannels, 64, 7, { stride: 2, padding: 3, bias: false });
    this.bn1 = norm(64);
    this.maxpool = cifarStem ? new Identity() : new MaxPool2d(3, { stride: 2, padding: 1 });
    this.layer1 = stage(64, 64, 1);
    this.layer2 = stage(64, 128, 2);
    this.layer3 = stage(128, 256, 2);
    this.layer4 = stage(256, 512, 2);
    this.fc = head(kind, 512, numClasses);
    // torchvision's initialisation of convolutions
    this.apply((module) => {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: "fanOut", nonlinearity: "relu" });
    });
  }

  /** What comes before the head: `[n, 512]`. */
  features(x: Tensor): Tensor {
    const stem = this.maxpool.forward(this.bn1.forward(this.conv1.forward(x)).relu());
    const last = [this.layer1, this.layer2, this.layer3, this.layer4].reduce(
      (value, layer) => layer.forward(value),
      stem,
    );
    return this.avgpool.forward(last).flatten(1);
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.features(x));
  }
}

/**
 * ResNet-18: 62 parameters, torchvision's names and order.
 *
 * @shape `[n, inChannels, h, w] -> [n, numClasses]`
 * @param options see ResNetOptions
 * @see torchvision.models.resnet18; He et al. 2016 (arXiv:1512.03385)
 *
 * @example
 * const encoder = resnet18({ numClasses: 128, cifarStem: true, norm: (channels) => new nn.SplitBatchNorm2d(channels, 8) });
 */
export const resnet18 = (options: ResNetOptions = {}): ResNet => new ResNet(options);

/** Three BasicBlocks of 16, 32 and 64 channels behind a stem of stride 2. Use `resnet8`. */
export class ResNet8 extends Module {
  readonly conv1: Conv2d;
  readonly bn1: Layer;
  readonly layer1: BasicBlock;
  readonly layer2: BasicBlock;
  readonly layer3: BasicBlock;
  readonly fc: Layer;

  constructor({
    numClasses = 128,
    inChannels = 1,
    norm = batchNorm2d,
    head: kind = "linear",
  }: Omit<ResNetOptions, "cifarStem"> = {}) {
    super();
    this.conv1 = conv3x3(inChannels, 16, 2);
    this.bn1 = norm(16);
    this.layer1 = new BasicBlock(16, 16, 1, norm);
    this.layer2 = new BasicBlock(16, 32, 2, norm);
    this.layer3 = new BasicBlock(32, 64, 2, norm);
    this.fc = head(kind, 64, numClasses);
  }

  /** What comes before the head: `[n, 64]`. */
  features(x: Tensor): Tensor {
    const stem = this.bn1.forward(this.conv1.forward(x)).relu();
    const last = [this.layer1, this.layer2, this.layer3].reduce((value, layer) => layer.forward(value), stem);
    return F.adaptiveAvgPool2d(last, 1).flatten(1);
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.features(x));
  }
}

/**
 * A small ResNet for images of 28 or 32 pixels: about 85,000 parameters.
 *
 * @shape `[n, inChannels, h, w] -> [n, numClasses]`
 * @param options.numClasses default 128
 * @param options.inChannels default 1
 * @param options.norm default BatchNorm2d
 *
 * @example
 * const encoder = resnet8({ norm: (channels) => new nn.SplitBatchNorm2d(channels, 8) });
 */
export const resnet8 = (options: Omit<ResNetOptions, "cifarStem"> = {}): ResNet8 => new ResNet8(options);
