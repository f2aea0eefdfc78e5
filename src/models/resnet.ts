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
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { head, type HeadKind } from "./head";

/** Makes the normalisation of `channels` channels. */
export type Norm = (channels: number) => Layer;

/** Plain BatchNorm2d: what encoders normalise with unless they are told otherwise. */
export const batchNorm2d: Norm = (channels) => new BatchNorm2d(channels);

const conv3x3 = (inChannels: number, outChannels: number, stride = 1): Conv2d =>
  new Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false });

/** The way around a block whose output has another shape than its input. */
const around = (inChannels: number, outChannels: number, stride: number, norm: Norm): Sequential | null =>
  stride === 1 && inChannels === outChannels
    ? null
    : new Sequential(new Conv2d(inChannels, outChannels, 1, { stride, bias: false }), norm(outChannels));

/** Two 3x3 convolutions and a way around them: `relu(x + f(x))`. @see torchvision.models.resnet.BasicBlock */
export class BasicBlock extends Module {
  /** Channels that come out, in units of `channels`. */
  static readonly expansion = 1;
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
    this.downsample = around(inChannels, channels, stride, norm);
  }

  forward(x: Tensor): Tensor {
    const past = this.downsample ? this.downsample.forward(x) : x;
    const inner = this.bn1.forward(this.conv1.forward(x)).relu();
    return this.bn2.forward(this.conv2.forward(inner)).add(past).relu();
  }
}

/**
 * A 1x1, a 3x3 and a 1x1 convolution, the last to four times as many channels, and a way around them. The stride is the
 * 3x3's, as in torchvision, not the first's, as in the paper.
 *
 * @see torchvision.models.resnet.Bottleneck
 */
export class Bottleneck extends Module {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: Layer;
  readonly conv2: Conv2d;
  readonly bn2: Layer;
  readonly conv3: Conv2d;
  readonly bn3: Layer;
  readonly downsample: Sequential | null;

  constructor(inChannels: number, channels: number, stride: number, norm: Norm) {
    super();
    const outChannels = channels * Bottleneck.expansion;
    this.conv1 = new Conv2d(inChannels, channels, 1, { bias: false });
    this.bn1 = norm(channels);
    this.conv2 = conv3x3(channels, channels, stride);
    this.bn2 = norm(channels);
    this.conv3 = new Conv2d(channels, outChannels, 1, { bias: false });
    this.bn3 = norm(outChannels);
    this.downsample = around(inChannels, outChannels, stride, norm);
  }

  forward(x: Tensor): Tensor {
    const past = this.downsample ? this.downsample.forward(x) : x;
    const narrow = this.bn1.forward(this.conv1.forward(x)).relu();
    const inner = this.bn2.forward(this.conv2.forward(narrow)).relu();
    return this.bn3.forward(this.conv3.forward(inner)).add(past).relu();
  }
}

/** Makes a residual block start as the identity: the weight of its last norm is 0. Other modules stay as they are. */
export function startAsIdentity(module: Module): void {
  const last = module instanceof Bottleneck ? module.bn3 : module instanceof BasicBlock ? module.bn2 : null;
  if (last instanceof BatchNorm2d && last.weight) init.zeros_(last.weight);
}

/** Options of `resnet18` and its like. */
export interface ResNetOptions {
  /** Outputs of the head; default 1000. */
  readonly numClasses?: number;
  /** Channels of the images; default 3. */
  readonly inChannels?: number;
  /** A 3x3 stem of stride 1 and no max pool, for images of 32 pixels; default false. */
  readonly cifarStem?: boolean;
  /** Default BatchNorm2d. */
  readonly norm?: Norm;
  /** `"linear"` (default), MoCo v2's `"mlp"`, or a function that makes one. */
  readonly head?: HeadKind;
  /** Whether each block starts as the identity: the weight of its last norm is 0. Default false. */
  readonly zeroInitResidual?: boolean;
}

const RESNET_OPTIONS = ["numClasses", "inChannels", "cifarStem", "norm", "head", "zeroInitResidual"];

/** Blocks in each of the four stages. */
type Depths = readonly [number, number, number, number];

/** Four stages of residual blocks. Use `resnet18`, `resnet34` or `resnet50`. */
export class ResNet extends Module {
  /** As `bn1`, `maxpool`, `avgpool` and `fc`, it may be replaced by another layer: `net.fc = new Linear(512, 3)`. */
  conv1: Conv2d;
  bn1: Layer;
  readonly relu = new ReLU();
  maxpool: Layer;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  avgpool: Layer = new AdaptiveAvgPool2d(1);
  fc: Layer;

  constructor(
    Block: typeof BasicBlock | typeof Bottleneck = BasicBlock,
    depths: Depths = [2, 2, 2, 2],
    options: ResNetOptions = {},
  ) {
    super();
    checkOptionNames("ResNet", options, RESNET_OPTIONS);
    const { numClasses = 1000, inChannels = 3, cifarStem = false, norm = batchNorm2d } = options;
    const { head: kind = "linear", zeroInitResidual = false } = options;
    let channels = 64;
    const stage = (width: number, index: 0 | 1 | 2 | 3): Sequential => {
      const blocks = Array.from({ length: depths[index] }, (_, place) => {
        const block = new Block(channels, width, place === 0 && index > 0 ? 2 : 1, norm);
        channels = width * Block.expansion;
        return block;
      });
      return new Sequential(...blocks);
    };
    this.conv1 = cifarStem
      ? conv3x3(inChannels, 64)
      : new Conv2d(inChannels, 64, 7, { stride: 2, padding: 3, bias: false });
    this.bn1 = norm(64);
    this.maxpool = cifarStem ? new Identity() : new MaxPool2d(3, { stride: 2, padding: 1 });
    this.layer1 = stage(64, 0);
    this.layer2 = stage(128, 1);
    this.layer3 = stage(256, 2);
    this.layer4 = stage(512, 3);
    this.fc = head(kind, channels, numClasses);
    // torchvision's values
    this.apply((module) => {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: "fanOut", nonlinearity: "relu" });
    });
    if (zeroInitResidual) this.apply(startAsIdentity);
  }

  /** What comes before the head: `[n, 512]`, or `[n, 2048]` of `resnet50`. */
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
export const resnet18 = (options: ResNetOptions = {}): ResNet => new ResNet(BasicBlock, [2, 2, 2, 2], options);

/**
 * ResNet-34: as `resnet18`, with 3, 4, 6 and 3 blocks.
 *
 * @shape `[n, inChannels, h, w] -> [n, numClasses]`
 * @see torchvision.models.resnet34
 *
 * @example
 * const encoder = resnet34({ numClasses: 128, cifarStem: true });
 */
export const resnet34 = (options: ResNetOptions = {}): ResNet => new ResNet(BasicBlock, [3, 4, 6, 3], options);

/**
 * ResNet-50: Bottlenecks, 3, 4, 6 and 3. MoCo's encoder on ImageNet.
 *
 * @shape `[n, inChannels, h, w] -> [n, numClasses]`
 * @see torchvision.models.resnet50
 *
 * @example
 * const model = new MoCo(({ numClasses, head }) => resnet50({ numClasses, head }));
 */
export const resnet50 = (options: ResNetOptions = {}): ResNet => new ResNet(Bottleneck, [3, 4, 6, 3], options);

/**
 * ResNet-101: as `resnet50`, with 3, 4, 23 and 3 blocks.
 *
 * @shape `[n, inChannels, h, w] -> [n, numClasses]`
 * @see torchvision.models.resnet101
 *
 * @example
 * const encoder = resnet101({ numClasses: 128 });
 */
export const resnet101 = (options: ResNetOptions = {}): ResNet => new ResNet(Bottleneck, [3, 4, 23, 3], options);

/**
 * ResNet-152: as `resnet50`, with 3, 8, 36 and 3 blocks.
 *
 * @shape `[n, inChannels, h, w] -> [n, numClasses]`
 * @see torchvision.models.resnet152
 *
 * @example
 * const encoder = resnet152({ numClasses: 128 });
 */
export const resnet152 = (options: ResNetOptions = {}): ResNet => new ResNet(Bottleneck, [3, 8, 36, 3], options);

/** Options of `resnet8`. */
export type SmallResNetOptions = Omit<ResNetOptions, "cifarStem" | "zeroInitResidual">;

/** Three BasicBlocks of 16, 32 and 64 channels behind a stem of stride 2. Use `resnet8`. */
export class ResNet8 extends Module {
  /** As `bn1` and `fc`, it may be replaced by another layer. */
  conv1: Conv2d;
  bn1: Layer;
  readonly layer1: BasicBlock;
  readonly layer2: BasicBlock;
  readonly layer3: BasicBlock;
  fc: Layer;

  constructor({
    numClasses = 128,
    inChannels = 1,
    norm = batchNorm2d,
    head: kind = "linear",
  }: SmallResNetOptions = {}) {
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
export const resnet8 = (options: SmallResNetOptions = {}): ResNet8 => new ResNet8(options);
