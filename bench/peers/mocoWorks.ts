/** Steps of MoCo: with three convolutions, and with a ResNet-18. */

import { type ResidualBlock, resnet18Blocks, resnet18Shapes } from "../resnet18";
import { unitVectors } from "./kernelWorks";
import { EMA, EPS, type HostTensor, type Inputs, TEMPERATURE } from "./library";
import {
  averagePool,
  averagePoolBackward,
  batchNorm,
  batchNormBackward,
  conv2d,
  conv2dBackward,
  type ConvShape,
  followAverage,
  infoNCE,
  type LayerValues,
  linear,
  linearBackward,
  normalize,
  normalizeBackward,
  relu,
  reluBackward,
} from "./reference";
import {
  copyOf,
  flat,
  layerParams,
  layersOf,
  namedLayers,
  type NamedValues,
  STEPS,
  train,
  type Trained,
  trainingWork,
  uniformWeight,
} from "./training";
import { random, type Work } from "./work";

/** Embeddings [n, dim], and from their gradient those of all parameters. */
interface Encoded {
  readonly y: Float64Array;
  readonly backward: (gradOut: Float64Array) => Float64Array[];
}
type Encode = (x: Float64Array, params: readonly Float64Array[]) => Encoded;

/** Algorithm 1 of He et al. 2020 (arXiv:1911.05722); the key encoder follows before it encodes. */
function trainMoco(
  { imQ, imK, queue }: Pick<Inputs["moco"], "imQ" | "imK" | "queue">,
  start: NamedValues,
  encode: Encode,
  steps: number,
): Trained {
  const [batch, [queueSize, dim]] = [imQ.shape[0]!, queue.shape as [number, number]];
  const [x, other] = [Float64Array.from(imQ.data), Float64Array.from(imK.data)];
  const rows = Float64Array.from(queue.data);
  const keyValues = copyOf(start);
  const keyParams = Object.values(keyValues);
  let keys: Float64Array = new Float64Array();
  let pointer = 0;
  const { losses, before, after } = train(
    start,
    (params) => {
      keyParams.forEach((average, index) => followAverage(average, params[index]!, EMA));
      const { y, backward } = encode(x, params);
      const query = normalize(y, dim);
      keys = normalize(encode(other, keyParams).y, dim);
      const { loss, gradQuery } = infoNCE(query, keys, rows, dim, TEMPERATURE);
      const grads = backward(normalizeBackward(gradQuery, y, query, dim));
      rows.set(keys, pointer * dim);
      pointer = (pointer + batch) % queueSize;
      return { loss, grads };
    },
    steps,
  );
  const keyed = (values: NamedValues): NamedValues =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`key.${name}`, value]));
  return {
    losses,
    before: { ...before, ...keyed(start), keys: new Float64Array(keys.length) },
    after: { ...after, ...keyed(keyValues), keys },
  };
}

/** Side of an image after some convolutions of stride 2. */
const halved = (size: number, times: number): number =>
  Array.from({ length: times }).reduce((side: number) => Math.ceil(side / 2), size);

// ---- three convolutions ----

export interface MocoSizes {
  readonly batch: number;
  readonly size: number;
  readonly queueSize: number;
  readonly dim: number;
  /** Of the images, and of the three convolutions. */
  readonly channels: readonly [number, number, number, number];
}

export function mocoWork({ batch, size, queueSize, dim, channels }: MocoSizes): Work<"moco"> {
  const outputs = [1, 2, 3].map((layer) => halved(size, layer) ** 2);
  const products = outputs.map((pixels, index) => 9 * channels[index]! * channels[index + 1]! * pixels);
  const forward = products.reduce((sum, each) => sum + each, channels[3] * dim);
  return trainingWork({
    name: "moco",
    title: `MoCo step, batch ${batch}, K ${queueSize}`,
    kind: "moco",
    // both forwards and both gradients, but none of the images; logits and their gradient
    flops: 2 * batch * (4 * forward - products[0]!) + 4 * batch * dim * (queueSize + 1),
    inputs() {
      const convs = outputs.map((_, index) => layerParams([channels[index + 1]!, channels[index]!, 3, 3], 10 + index));
      const head = layerParams([dim, channels[3]], 13);
      return {
        imQ: random([batch, channels[0], size, size], { seed: 1 }),
        imK: random([batch, channels[0], size, size], { seed: 2 }),
        // near all embeddings, as in training: else the loss is next to nothing, and so are its gradients
        queue: unitVectors(queueSize, dim, 3, head.bias),
        layers: [...convs, head],
      };
    },
    trained: (inputs) => trainMoco(inputs, namedLayers(inputs.layers), convEncoder(inputs), STEPS),
  });
}

/** Convolutions of stride 2 with ReLU, global average pooling, a linear layer. */
function convEncoder({ imQ, layers }: Inputs["moco"]): Encode {
  const size = imQ.shape[2]!;
  const convs = layers.slice(0, -1).map(({ weight }, index): ConvShape => ({
    to: weight.shape[0]!,
    from: weight.shape[1]!,
    size: halved(size, index),
    stride: 2,
  }));
  const plane = halved(size, convs.length) ** 2;
  return (x, params) => {
    const values = layersOf(params);
    const inputs: Float64Array[] = [x];
    convs.forEach((conv, index) => inputs.push(relu(conv2d(inputs[index]!, values[index]!, conv))));
    const pooled = averagePool(inputs.at(-1)!, plane);
    const head = values.at(-1)!;
    const backward = (gradOut: Float64Array): Float64Array[] => {
      const headBack = linearBackward(gradOut, pooled, head);
      const grads: LayerValues[] = [headBack.grads];
      let gradient: Float64Array = averagePoolBackward(headBack.gradInput, plane);
      for (let index = convs.length - 1; index >= 0; index--) {
        const activated = reluBackward(gradient, inputs[index + 1]!);
        const back = conv2dBackward(activated, inputs[index]!, values[index]!, convs[index]!);
        grads.unshift(back.grads);
        gradient = back.gradInput;
      }
      return flat(grads);
    };
    return { y: linear(pooled, head), backward };
  };
}

// ---- ResNet-18 ----

export interface ResNetSizes {
  readonly batch: number;
  readonly size: number;
  readonly queueSize: number;
}

/** The second loss follows from the first gradients; each further BatchNorm makes more of rounding. */
const RESNET_STEPS = 2;

export const mocoResNet18Work = ({ batch, size, queueSize }: ResNetSizes, small?: ResNetSizes): Work<"mocoResNet18"> =>
  trainingWork({
    name: "mocoResNet18",
    title: `MoCo step, ResNet-18, batch ${batch}, ${size}x${size}`,
    kind: "mocoResNet18",
    flops: 2 * batch * (4 * resnetProducts(size) - 9 * 3 * 64 * size ** 2) + 4 * batch * 128 * (queueSize + 1),
    checkedRuns: RESNET_STEPS,
    // twenty BatchNorms, the last ones over as few values as there are images, make more of rounding
    tolerances: { loss: 1e-3, move: 0.1 },
    isLong: true,
    ...(small && { standIn: mocoResNet18Work(small) }),
    inputs() {
      const params = resnet18Shapes().map(resnetParam);
      return {
        imQ: random([batch, 3, size, size], { seed: 1 }),
        imK: random([batch, 3, size, size], { seed: 2 }),
        queue: unitVectors(queueSize, 128, 3, params.at(-1)),
        params,
      };
    },
    trained(inputs) {
      const start = Object.fromEntries(
        inputs.params.map(({ data }, index) => [String(index), Float64Array.from(data)] as const),
      );
      return trainMoco(inputs, start, resnetEncode(size), RESNET_STEPS);
    },
  });

/** Weights and head as PyTorch draws them; BatchNorms' near 1 and 0. */
function resnetParam(shape: number[], index: number): HostTensor {
  if (shape.length > 1) return uniformWeight(shape, 10 + index);
  const isScale = index % 3 === 1; // a convolution, its BatchNorm's weight and bias; the head comes last
  return random(shape, { seed: 10 + index, low: isScale ? 0.5 : -0.1, high: isScale ? 1.5 : 0.1 });
}

/** Multiply-adds of one image. */
function resnetProducts(size: number): number {
  let side = size;
  const blocks = resnet18Blocks().map(({ from, to, stride, isAround }) => {
    side = Math.ceil(side / stride);
    return (9 * from * to + 9 * to * to + (isAround ? from * to : 0)) * side ** 2;
  });
  return blocks.reduce((sum, each) => sum + each, 9 * 3 * 64 * size ** 2 + 512 * 128);
}

/** Collects the gradients of tensors by their place. */
type Grads = Map<number, Float64Array>;

/** A convolution without bias and its BatchNorm, whose tensors begin at `first`. */
function convNorm(x: Float64Array, params: readonly Float64Array[], first: number, shape: ConvShape) {
  const conv: LayerValues = { weight: params[first]!, bias: new Float64Array(shape.to) };
  const scale: LayerValues = { weight: params[first + 1]!, bias: params[first + 2]! };
  const plane = Math.ceil(shape.size / shape.stride) ** 2;
  const norm = batchNorm(conv2d(x, conv, shape), scale, plane, EPS);
  return {
    y: norm.y,
    backward(gradOut: Float64Array, grads: Grads): Float64Array {
      const normBack = batchNormBackward(gradOut, norm, scale, plane);
      const convBack = conv2dBackward(normBack.gradInput, x, conv, shape);
      grads.set(first, convBack.grads.weight);
      grads.set(first + 1, normBack.grads.weight);
      grads.set(first + 2, normBack.grads.bias);
      return convBack.gradInput;
    },
  };
}

const sumOf = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, index) => value + b[index]!);

/** A residual block and the way back; gradients of its tensors go to their places. */
export function residual(x: Float64Array, params: readonly Float64Array[], block: ResidualBlock, size: number) {
  const { from, to, stride, first, isAround } = block;
  const half = Math.ceil(size / stride);
  const one = convNorm(x, params, first, { from, to, size, stride });
  const inner = relu(one.y);
  const two = convNorm(inner, params, first + 3, { from: to, to, size: half, stride: 1 });
  const around = isAround ? convNorm(x, params, first + 6, { from, to, size, stride, kernel: 1 }) : null;
  const y = relu(sumOf(two.y, around ? around.y : x));
  return {
    y,
    size: half,
    backward(gradOut: Float64Array, grads: Grads): Float64Array {
      const gradSum = reluBackward(gradOut, y);
      const gradInner = reluBackward(two.backward(gradSum, grads), inner);
      const past = around ? around.backward(gradSum, grads) : gradSum;
      return sumOf(one.backward(gradInner, grads), past);
    },
  };
}

const resnetEncode =
  (imageSize: number): Encode =>
  (x, params) => {
    const stem = convNorm(x, params, 0, { from: 3, to: 64, size: imageSize, stride: 1 });
    const first = relu(stem.y);
    let [value, size] = [first, imageSize];
    const blocks = resnet18Blocks().map((block) => {
      const result = residual(value, params, block, size);
      ({ y: value, size } = result);
      return result;
    });
    const pooled = averagePool(value, size ** 2);
    const head = { weight: params.at(-2)!, bias: params.at(-1)! };
    const backward = (gradOut: Float64Array): Float64Array[] => {
      const grads: Grads = new Map();
      const headBack = linearBackward(gradOut, pooled, head);
      let gradient = averagePoolBackward(headBack.gradInput, size ** 2);
      for (const block of blocks.toReversed()) gradient = block.backward(gradient, grads);
      stem.backward(reluBackward(gradient, first), grads);
      return [...params.slice(0, -2).map((_, index) => grads.get(index)!), headBack.grads.weight, headBack.grads.bias];
    };
    return { y: linear(pooled, head), backward };
  };
