/**
 * Training steps and updates. Three steps of each library are compared with the same in f64: the losses, and by how much each
 * parameter has moved, since a wrong gradient hardly shows in the parameter itself.
 */

import { checkOutput } from "../check";
import { unitVectors } from "./kernelWorks";
import {
  EMA,
  type HostTensor,
  type Inputs,
  type LayerParams,
  LEARNING_RATE,
  MOMENTUM,
  type Outputs,
  TEMPERATURE,
} from "./library";
import {
  averagePool,
  averagePoolBackward,
  conv2d,
  conv2dBackward,
  type ConvShape,
  crossEntropy,
  followAverage,
  infoNCE,
  type LayerValues,
  linear,
  linearBackward,
  maxPool2x2,
  maxPool2x2Backward,
  normalize,
  normalizeBackward,
  relu,
  reluBackward,
  Sgd,
} from "./reference";
import { checkOutputs, defineWork, random, type Results, sizeOf, type Work } from "./work";

const STEPS = 3;
/** Of a loss: f32 against f64, through two updates. */
const LOSS_TOLERANCE = 1e-4;
/**
 * Of the largest move in a tensor: f32 against f64. A ReLU or a maximum may fall the other way by rounding, which moves what
 * hangs on it by a share of one image; a wrong gradient is off by as much as itself.
 */
const MOVE_TOLERANCE = 2e-2;
/** Of the largest parameter in a tensor: what f32 loses in three updates. */
const ROUNDING = 1e-6;

const sgdOptions = { lr: LEARNING_RATE, momentum: MOMENTUM };

// ---- parameters ----

/** As PyTorch draws them: uniform in +-1 / sqrt(inputs of a unit). */
function layerParams(weightShape: readonly number[], seed: number): LayerParams {
  const [to] = weightShape as [number];
  const high = 1 / Math.sqrt(sizeOf(weightShape) / to);
  return {
    weight: random(weightShape, { seed, low: -high, high }),
    bias: random([to], { seed: seed + 100, low: -high, high }),
  };
}

const toValues = (layers: readonly LayerParams[]): LayerValues[] =>
  layers.map(({ weight, bias }) => ({ weight: Float64Array.from(weight.data), bias: Float64Array.from(bias.data) }));

const flat = (layers: readonly LayerValues[]): Float64Array[] => layers.flatMap(({ weight, bias }) => [weight, bias]);

/** As `Task.state` names them. */
const named = (layers: readonly LayerValues[], prefix = ""): Record<string, Float64Array> =>
  Object.fromEntries(
    layers.flatMap(({ weight, bias }, index) => [
      [`${prefix}${index}.weight`, weight],
      [`${prefix}${index}.bias`, bias],
    ]),
  );

// ---- what must come out ----

/** Losses of the first steps, and what parameters are after them. */
interface Trained {
  readonly losses: readonly number[];
  readonly before: Readonly<Record<string, Float64Array>>;
  readonly after: Readonly<Record<string, Float64Array>>;
}

function checkTrained({ reads, state }: Results, { losses, before, after }: Trained): void {
  losses.forEach((loss, step) => {
    try {
      checkOutputs(reads[step]!, { loss: { length: 1, at: () => loss, relative: LOSS_TOLERANCE } });
    } catch (error) {
      throw new Error(`step ${step + 1}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  });
  for (const [name, values] of Object.entries(after)) checkMoves(name, state, before[name]!, values);
}

/** Compares by how much a tensor has moved. */
function checkMoves(name: string, state: Outputs | null, before: Float64Array, after: Float64Array): void {
  const got = state?.[name];
  const moves = got && Float64Array.from(before, (start, index) => got[index]! - start);
  const wanted = after.map((value, index) => value - before[index]!);
  // f32 keeps a parameter to 6e-8 of itself at best, however little it moves
  const absolute = Math.max(MOVE_TOLERANCE * largest(wanted), ROUNDING * largest(before));
  try {
    checkOutput(moves ?? [], wanted.length, { at: (index) => wanted[index]!, relative: 0, absolute });
  } catch (error) {
    throw new Error(`the move of ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const largest = (values: Float64Array): number => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);

/** Runs steps of SGD on layers: `step` gives the loss and all gradients. */
function train(
  layers: readonly LayerParams[],
  step: (layers: readonly LayerValues[]) => { loss: number; grads: readonly LayerValues[] },
): Trained {
  const values = toValues(layers);
  const optimizer = new Sgd(flat(values), sgdOptions);
  const losses = Array.from({ length: STEPS }, () => {
    const { loss, grads } = step(values);
    optimizer.step(flat(grads));
    return loss;
  });
  return { losses, before: named(toValues(layers)), after: named(values) };
}

// ---- a perceptron ----

export interface MlpSizes {
  readonly batch: number;
  /** Of all layers, the inputs first. */
  readonly sizes: readonly number[];
}

const labelsOf = (n: number, classes: number): Inputs["mlp"]["labels"] => ({
  shape: [n],
  data: Int32Array.from({ length: n }, (_, index) => (index * 7) % classes),
});

export function mlpWork({ batch, sizes }: MlpSizes): Work<"mlp"> {
  const products = sizes.slice(1).map((to, index) => 2 * batch * to * sizes[index]!);
  return defineWork({
    name: "mlp",
    title: `MLP step, batch ${batch}`,
    kind: "mlp",
    // forward, both gradients; none of the images
    flops: products.reduce((sum, flops) => sum + 3 * flops, 0) - products[0]!,
    checkedRuns: STEPS,
    inputs: () => ({
      x: random([batch, sizes[0]!], { seed: 1 }),
      labels: labelsOf(batch, sizes.at(-1)!),
      layers: sizes.slice(1).map((to, index) => layerParams([to, sizes[index]!], 10 + index)),
    }),
    checkOf: (inputs, results) => checkTrained(results, trainMlp(inputs)),
  });
}

function trainMlp({ x, labels, layers }: Inputs["mlp"]): Trained {
  const images = Float64Array.from(x.data);
  return train(layers, (values) => {
    const inputs: Float64Array[] = [images];
    values.slice(0, -1).forEach((layer, index) => inputs.push(relu(linear(inputs[index]!, layer))));
    const { loss, gradInput } = crossEntropy(linear(inputs.at(-1)!, values.at(-1)!), labels.data);
    const grads: LayerValues[] = [];
    let gradOut: Float64Array = gradInput;
    for (let index = values.length - 1; index >= 0; index--) {
      const back = linearBackward(gradOut, inputs[index]!, values[index]!);
      grads.unshift(back.grads);
      gradOut = reluBackward(back.gradInput, inputs[index]!);
    }
    return { loss, grads };
  });
}

// ---- a small convolutional network ----

export interface CnnSizes {
  readonly batch: number;
  readonly size: number;
  /** Of the images, and of the convolutions. */
  readonly channels: readonly [number, number, number];
  readonly classes: number;
}

export function cnnWork({ batch, size, channels, classes }: CnnSizes): Work<"cnn"> {
  const [c0, c1, c2] = channels;
  const features = c2 * (size / 4) ** 2;
  const products = [9 * c0 * c1 * size ** 2, 9 * c1 * c2 * (size / 2) ** 2, features * classes];
  return defineWork({
    name: "cnn",
    title: `CNN step, batch ${batch}`,
    kind: "cnn",
    flops: 2 * batch * (products.reduce((sum, each) => sum + 3 * each, 0) - products[0]!),
    checkedRuns: STEPS,
    inputs: () => ({
      x: random([batch, c0, size, size], { seed: 1 }),
      labels: labelsOf(batch, classes),
      layers: [layerParams([c1, c0, 3, 3], 10), layerParams([c2, c1, 3, 3], 11), layerParams([classes, features], 12)],
    }),
    checkOf: (inputs, results) => checkTrained(results, trainCnn(inputs)),
  });
}

function trainCnn({ x, labels, layers }: Inputs["cnn"]): Trained {
  const images = Float64Array.from(x.data);
  const size = x.shape[2]!;
  const convs: ConvShape[] = layers.slice(0, 2).map(({ weight }, index) => ({
    to: weight.shape[0]!,
    from: weight.shape[1]!,
    size: size / 2 ** index,
    stride: 1,
  }));
  return train(layers, ([layer1, layer2, head]) => {
    const block = (input: Float64Array, layer: LayerValues, conv: ConvShape) => {
      const activation = relu(conv2d(input, layer, conv));
      return { input, activation, ...maxPool2x2(activation, conv.size) };
    };
    const first = block(images, layer1!, convs[0]!);
    const second = block(first.y, layer2!, convs[1]!);
    const { loss, gradInput } = crossEntropy(linear(second.y, head!), labels.data);
    const backOf = (
      gradOut: Float64Array,
      { input, activation, indices }: typeof first,
      layer: LayerValues,
      i: number,
    ) => conv2dBackward(reluBackward(maxPool2x2Backward(gradOut, indices), activation), input, layer, convs[i]!);
    const headBack = linearBackward(gradInput, second.y, head!);
    const secondBack = backOf(headBack.gradInput, second, layer2!, 1);
    const firstBack = backOf(secondBack.gradInput, first, layer1!, 0);
    return { loss, grads: [firstBack.grads, secondBack.grads, headBack.grads] };
  });
}

// ---- the update of many tensors ----

export function updateWork(title: string, shapes: readonly (readonly number[])[]): Work<"update"> {
  return defineWork({
    name: "update",
    title,
    kind: "update",
    flops: 7 * shapes.reduce((sum, shape) => sum + sizeOf(shape), 0),
    checkedRuns: STEPS,
    inputs: () => ({
      params: shapes.map((shape, index) => random(shape, { seed: 1 + index })),
      grads: shapes.map((shape, index) => random(shape, { seed: 1001 + index })),
    }),
    checkOf({ params, grads }, { state }) {
      params.forEach(({ data }, index) => {
        const before = Float64Array.from(data);
        const { param, average } = updatedTensor(before, grads[index]!);
        checkMoves(`param.${index}`, state, before, param);
        checkMoves(`average.${index}`, state, before, average);
      });
    },
  });
}

function updatedTensor(before: Float64Array, grad: HostTensor): { param: Float64Array; average: Float64Array } {
  const [param, average] = [before.slice(), before.slice()];
  const optimizer = new Sgd([param], sgdOptions);
  for (let step = 0; step < STEPS; step++) {
    optimizer.step([grad.data]);
    followAverage(average, param, EMA);
  }
  return { param, average };
}

// ---- MoCo ----

export interface MocoSizes {
  readonly batch: number;
  readonly size: number;
  readonly queueSize: number;
  readonly dim: number;
  /** Of the images, and of the three convolutions. */
  readonly channels: readonly [number, number, number, number];
}

export function mocoWork({ batch, size, queueSize, dim, channels }: MocoSizes): Work<"moco"> {
  const outputs = [1, 2, 3].map((layer) => convOutput(size, layer) ** 2);
  const convs = outputs.map((pixels, index) => 9 * channels[index]! * channels[index + 1]! * pixels);
  const forward = convs.reduce((sum, each) => sum + each, channels[3] * dim);
  return defineWork({
    name: "moco",
    title: `MoCo step, batch ${batch}, K ${queueSize}`,
    kind: "moco",
    // both forwards and both gradients, but none of the images; logits and their gradient
    flops: 2 * batch * (4 * forward - convs[0]!) + 4 * batch * dim * (queueSize + 1),
    checkedRuns: STEPS,
    inputs: () => ({
      imQ: random([batch, channels[0], size, size], { seed: 1 }),
      imK: random([batch, channels[0], size, size], { seed: 2 }),
      queue: unitVectors(queueSize, dim, 3),
      layers: [
        ...outputs.map((_, index) => layerParams([channels[index + 1]!, channels[index]!, 3, 3], 10 + index)),
        layerParams([dim, channels[3]], 13),
      ],
    }),
    checkOf: (inputs, results) => checkTrained(results, trainMoco(inputs)),
  });
}

/** Side of an image after some convolutions of stride 2. */
const convOutput = (size: number, layers: number): number =>
  Array.from({ length: layers }).reduce((side: number) => Math.ceil(side / 2), size);

/** Algorithm 1 of He et al. 2020 (arXiv:1911.05722); the key encoder follows before it encodes. */
function trainMoco({ imQ, imK, queue, layers }: Inputs["moco"]): Trained {
  const [batch, , size] = imQ.shape as [number, number, number];
  const dim = layers.at(-1)!.bias.shape[0]!;
  const encoder = encoderOf(layers, size);
  const [x, other] = [Float64Array.from(imQ.data), Float64Array.from(imK.data)];
  const keyLayers = toValues(layers);
  const rows = Float64Array.from(queue.data);
  let keys: Float64Array = new Float64Array();
  let step = 0;
  const trained = train(layers, (values) => {
    flat(keyLayers).forEach((average, index) => followAverage(average, flat(values)[index]!, EMA));
    const { inputs, y } = encoder.forward(x, values);
    const query = normalize(y, dim);
    keys = normalize(encoder.forward(other, keyLayers).y, dim);
    const { loss, gradQuery } = infoNCE(query, keys, rows, dim, TEMPERATURE);
    const grads = encoder.backward(normalizeBackward(gradQuery, y, query, dim), inputs, values);
    rows.set(keys, (step++ % (queue.shape[0]! / batch)) * batch * dim);
    return { loss, grads };
  });
  return {
    losses: trained.losses,
    before: { ...trained.before, ...named(toValues(layers), "key."), keys: new Float64Array(keys.length) },
    after: { ...trained.after, ...named(keyLayers, "key."), keys },
  };
}

/** Convolutions of stride 2 with ReLU, global average pooling, a linear layer. */
function encoderOf(layers: readonly LayerParams[], size: number) {
  const convs = layers.slice(0, -1).map(({ weight }, index): ConvShape => ({
    to: weight.shape[0]!,
    from: weight.shape[1]!,
    size: convOutput(size, index),
    stride: 2,
  }));
  const plane = convOutput(size, convs.length) ** 2;
  return {
    /** `inputs`: of each layer. */
    forward(x: Float64Array, values: readonly LayerValues[]): { inputs: Float64Array[]; y: Float64Array } {
      const inputs: Float64Array[] = [x];
      convs.forEach((conv, index) => inputs.push(relu(conv2d(inputs[index]!, values[index]!, conv))));
      const pooled = averagePool(inputs.at(-1)!, plane);
      return { inputs: [...inputs, pooled], y: linear(pooled, values.at(-1)!) };
    },
    backward(gradOut: Float64Array, inputs: readonly Float64Array[], values: readonly LayerValues[]): LayerValues[] {
      const head = linearBackward(gradOut, inputs.at(-1)!, values.at(-1)!);
      const grads = [head.grads];
      let gradient: Float64Array = averagePoolBackward(head.gradInput, plane);
      for (let index = convs.length - 1; index >= 0; index--) {
        const activation = inputs[index + 1]!;
        const back = conv2dBackward(reluBackward(gradient, activation), inputs[index]!, values[index]!, convs[index]!);
        grads.unshift(back.grads);
        gradient = back.gradInput;
      }
      return grads;
    },
  };
}
