/**
 * Layers in plain loops and f64, forward and backward: what the libraries' training steps are compared with. Values are
 * row-major, in PyTorch's layouts.
 */

type Values = ArrayLike<number>;

const zeros = (length: number): Float64Array => new Float64Array(length);

/** `sum of a[i] * b[i]` over `count` elements from two offsets. */
function dot(a: Values, aBegin: number, b: Values, bBegin: number, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += a[aBegin + i]! * b[bBegin + i]!;
  return sum;
}

/** `target[i] += factor * values[i]` over `count` elements from two offsets. */
function addScaled(target: Float64Array, begin: number, values: Values, from: number, count: number, factor: number) {
  for (let i = 0; i < count; i++) target[begin + i]! += factor * values[from + i]!;
}

/** Weight, bias and their gradients. */
export interface LayerValues {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

/** x [n, from] @ weight [to, from].T + bias [to] */
export function linear(x: Values, { weight, bias }: LayerValues): Float64Array {
  const [from, to] = [weight.length / bias.length, bias.length];
  const n = x.length / from;
  const y = zeros(n * to);
  for (let row = 0; row < n; row++) {
    for (let o = 0; o < to; o++) y[row * to + o] = bias[o]! + dot(x, row * from, weight, o * from, from);
  }
  return y;
}

export function linearBackward(
  gradOut: Values,
  x: Values,
  { weight, bias }: LayerValues,
): { gradInput: Float64Array; grads: LayerValues } {
  const [from, to] = [weight.length / bias.length, bias.length];
  const gradInput = zeros(x.length);
  const grads = { weight: zeros(weight.length), bias: zeros(to) };
  for (let index = 0; index < gradOut.length; index++) {
    const o = index % to;
    const row = (index - o) / to;
    const gradient = gradOut[index]!;
    grads.bias[o]! += gradient;
    addScaled(gradInput, row * from, weight, o * from, from, gradient);
    addScaled(grads.weight, o * from, x, row * from, from, gradient);
  }
  return { gradInput, grads };
}

/** A convolution of square images, 3x3 with padding 1 or 1x1 without. */
export interface ConvShape {
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly stride: number;
  /** Default 3. */
  readonly kernel?: 1 | 3;
}

/** Calls `visit` for each pair of an output pixel and a pixel under its kernel, of one image and channel pair. */
function forTaps(
  { size, stride, kernel = 3 }: ConvShape,
  visit: (tap: number, output: number, input: number) => void,
): void {
  const out = Math.ceil(size / stride);
  const padding = (kernel - 1) / 2;
  for (let tap = 0; tap < kernel ** 2; tap++) {
    const [down, right] = [Math.floor(tap / kernel) - padding, (tap % kernel) - padding];
    for (let row = 0; row < out; row++) {
      const y = row * stride + down;
      if (y < 0 || y >= size) continue;
      for (let col = 0; col < out; col++) {
        const x = col * stride + right;
        if (x >= 0 && x < size) visit(tap, row * out + col, y * size + x);
      }
    }
  }
}

/** Where the planes of each image and pair of channels begin. */
function forPlanes(
  { from, to, size, stride, kernel = 3 }: ConvShape,
  inputLength: number,
  visit: (plane: { input: number; output: number; weight: number }) => void,
): void {
  const [inputPlane, outputPlane] = [size ** 2, Math.ceil(size / stride) ** 2];
  const n = inputLength / (from * inputPlane);
  for (let image = 0; image < n; image++) {
    for (let o = 0; o < to; o++) {
      for (let c = 0; c < from; c++) {
        visit({
          input: (image * from + c) * inputPlane,
          output: (image * to + o) * outputPlane,
          weight: (o * from + c) * kernel ** 2,
        });
      }
    }
  }
}

/** x [n, from, size, size] -> [n, to, out, out], out = ceil(size / stride) */
export function conv2d(x: Values, { weight, bias }: LayerValues, shape: ConvShape): Float64Array {
  const { from, to, size, stride } = shape;
  const plane = Math.ceil(size / stride) ** 2;
  const y = zeros((x.length / (from * size ** 2)) * to * plane);
  for (let index = 0; index < y.length; index++) y[index] = bias[Math.floor(index / plane) % to]!;
  forPlanes(shape, x.length, ({ input, output, weight: taps }) => {
    forTaps(shape, (tap, to, from) => {
      y[output + to]! += weight[taps + tap]! * x[input + from]!;
    });
  });
  return y;
}

export function conv2dBackward(
  gradOut: Values,
  x: Values,
  { weight, bias }: LayerValues,
  shape: ConvShape,
): { gradInput: Float64Array; grads: LayerValues } {
  const plane = Math.ceil(shape.size / shape.stride) ** 2;
  const gradInput = zeros(x.length);
  const grads = { weight: zeros(weight.length), bias: zeros(bias.length) };
  for (let index = 0; index < gradOut.length; index++) {
    grads.bias[Math.floor(index / plane) % shape.to]! += gradOut[index]!;
  }
  forPlanes(shape, x.length, ({ input, output, weight: taps }) => {
    forTaps(shape, (tap, to, from) => {
      const gradient = gradOut[output + to]!;
      gradInput[input + from]! += weight[taps + tap]! * gradient;
      grads.weight[taps + tap]! += x[input + from]! * gradient;
    });
  });
  return { gradInput, grads };
}

/** What BatchNorm keeps for its backward: values of mean 0 and variance 1, and 1 / their standard deviation by channel. */
export interface Normalized {
  readonly y: Float64Array;
  readonly normalized: Float64Array;
  readonly invStd: Float64Array;
}

/** Training's BatchNorm of images [n, channels, plane]: each channel by the mean and variance of its own values. */
export function batchNorm(x: Float64Array, { weight, bias }: LayerValues, plane: number, eps: number): Normalized {
  const channels = bias.length;
  const channelOf = (index: number): number => Math.floor(index / plane) % channels;
  const count = x.length / channels;
  const means = channelSums(x, channels, plane).map((sum) => sum / count);
  const centred = x.map((value, index) => value - means[channelOf(index)]!);
  const squares = channelSums(centred.map((value) => value ** 2), channels, plane); // prettier-ignore
  const invStd = squares.map((sum) => 1 / Math.sqrt(sum / count + eps));
  const normalized = centred.map((value, index) => value * invStd[channelOf(index)]!);
  const y = normalized.map((value, index) => value * weight[channelOf(index)]! + bias[channelOf(index)]!);
  return { y, normalized, invStd };
}

/** gradInput = weight invStd (gradOut - mean(gradOut) - normalized mean(gradOut normalized)), means over a channel */
export function batchNormBackward(
  gradOut: Float64Array,
  { normalized, invStd }: Normalized,
  { weight, bias }: LayerValues,
  plane: number,
): { gradInput: Float64Array; grads: LayerValues } {
  const channels = bias.length;
  const channelOf = (index: number): number => Math.floor(index / plane) % channels;
  const count = gradOut.length / channels;
  const gradBias = channelSums(gradOut, channels, plane);
  const gradWeight = channelSums(gradOut.map((gradient, index) => gradient * normalized[index]!), channels, plane); // prettier-ignore
  const gradInput = gradOut.map((gradient, index) => {
    const channel = channelOf(index);
    const rest = gradBias[channel]! + normalized[index]! * gradWeight[channel]!;
    return weight[channel]! * invStd[channel]! * (gradient - rest / count);
  });
  return { gradInput, grads: { weight: gradWeight, bias: gradBias } };
}

function channelSums(x: Float64Array, channels: number, plane: number): Float64Array {
  const sums = zeros(channels);
  for (let index = 0; index < x.length; index++) sums[Math.floor(index / plane) % channels]! += x[index]!;
  return sums;
}

export const relu = (x: Float64Array): Float64Array => x.map((value) => Math.max(value, 0));

/** @param y what `relu` gave */
export const reluBackward = (gradOut: Values, y: Float64Array): Float64Array =>
  y.map((value, index) => (value > 0 ? gradOut[index]! : 0));

/** The largest of each 2x2 pixels of images [.., size, size], and where it was: the first one, as in PyTorch. */
export function maxPool2x2(x: Float64Array, size: number): { y: Float64Array; indices: Int32Array } {
  const half = size / 2;
  const y = zeros(x.length / 4);
  const indices = new Int32Array(y.length);
  for (let index = 0; index < y.length; index++) {
    const plane = Math.floor(index / half ** 2);
    const corner = plane * size ** 2 + 2 * size * (Math.floor(index / half) % half) + 2 * (index % half);
    const places = [corner, corner + 1, corner + size, corner + size + 1];
    const best = places.reduce((a, b) => (x[b]! > x[a]! ? b : a));
    indices[index] = best;
    y[index] = x[best]!;
  }
  return { y, indices };
}

export function maxPool2x2Backward(gradOut: Values, indices: Int32Array): Float64Array {
  const gradInput = zeros(indices.length * 4);
  indices.forEach((place, index) => (gradInput[place]! += gradOut[index]!));
  return gradInput;
}

/** The mean of each plane of `plane` pixels. */
export const averagePool = (x: Float64Array, plane: number): Float64Array =>
  Float64Array.from({ length: x.length / plane }, (_, index) => {
    const begin = index * plane;
    return x.subarray(begin, begin + plane).reduce((sum, value) => sum + value, 0) / plane;
  });

export const averagePoolBackward = (gradOut: Values, plane: number): Float64Array =>
  Float64Array.from({ length: gradOut.length * plane }, (_, index) => gradOut[Math.floor(index / plane)]! / plane);

/** Mean over rows of logits [n, classes], and its gradient. */
export function crossEntropy(logits: Float64Array, labels: Int32Array): { loss: number; gradInput: Float64Array } {
  const [n, classes] = [labels.length, logits.length / labels.length];
  let loss = 0;
  const gradInput = logits.slice();
  labels.forEach((label, row) => {
    const values = gradInput.subarray(row * classes, (row + 1) * classes);
    const own = values[label]!;
    const total = toExponentials(values);
    loss += (Math.log(total.sum) + total.max - own) / n;
    values.forEach((value, index) => (values[index] = (value / total.sum - Number(index === label)) / n));
  });
  return { loss, gradInput };
}

/** Replaces values by exp(value - max). */
function toExponentials(values: Float64Array): { max: number; sum: number } {
  let max = -Infinity;
  for (const value of values) max = Math.max(max, value);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] = Math.exp(values[i]! - max);
  return { max, sum };
}

/** Rows [n, dim] of length 1. */
export function normalize(x: Float64Array, dim: number): Float64Array {
  return x.map((value, index) => value / lengthOfRow(x, index - (index % dim), dim));
}

const lengthOfRow = (x: Float64Array, begin: number, dim: number): number => Math.sqrt(dot(x, begin, x, begin, dim));

/** With y = x / |x|: (gradOut - y (y . gradOut)) / |x| */
export function normalizeBackward(gradOut: Float64Array, x: Float64Array, y: Float64Array, dim: number): Float64Array {
  return gradOut.map((gradient, index) => {
    const begin = index - (index % dim);
    return (gradient - y[index]! * dot(y, begin, gradOut, begin, dim)) / lengthOfRow(x, begin, dim);
  });
}

/** Mean over queries of -log(exp(own / t) / (exp(own / t) + sum over the queue of exp(other / t))), and the query's gradient. */
export function infoNCE(
  query: Values,
  key: Values,
  queue: Values,
  dim: number,
  temperature: number,
): { loss: number; gradQuery: Float64Array } {
  const [n, k] = [query.length / dim, queue.length / dim];
  const gradQuery = zeros(query.length);
  const logits = zeros(1 + k);
  let loss = 0;
  for (let row = 0; row < n; row++) {
    const begin = row * dim;
    logits[0] = dot(query, begin, key, begin, dim) / temperature;
    for (let other = 0; other < k; other++)
      logits[1 + other] = dot(query, begin, queue, other * dim, dim) / temperature;
    const own = logits[0];
    const { max, sum } = toExponentials(logits);
    loss += (Math.log(sum) + max - own) / n;
    const scale = 1 / (n * temperature);
    addScaled(gradQuery, begin, key, begin, dim, scale * (logits[0] / sum - 1));
    for (let other = 0; other < k; other++) {
      addScaled(gradQuery, begin, queue, other * dim, dim, (scale * logits[1 + other]!) / sum);
    }
  }
  return { loss, gradQuery };
}

/** PyTorch's SGD with momentum: v = momentum v + g, p = p - lr v. Writes into `params`. */
export class Sgd {
  private readonly velocities: Float64Array[];

  constructor(
    private readonly params: readonly Float64Array[],
    private readonly options: { lr: number; momentum: number },
  ) {
    this.velocities = params.map(({ length }) => zeros(length));
  }

  step(grads: readonly Values[]): void {
    const { lr, momentum } = this.options;
    this.params.forEach((param, index) => {
      const [velocity, grad] = [this.velocities[index]!, grads[index]!];
      for (let i = 0; i < param.length; i++) {
        velocity[i] = momentum * velocity[i]! + grad[i]!;
        param[i]! -= lr * velocity[i]!;
      }
    });
  }
}

/** average = decay average + (1 - decay) value, in place */
export function followAverage(average: Float64Array, value: Float64Array, decay: number): void {
  value.forEach((current, i) => (average[i] = decay * average[i]! + (1 - decay) * current));
}
