/** Steps of small networks, and the update of many tensors. */

import { EMA, type HostTensor, type Inputs } from "./library";
import {
  conv2d,
  conv2dBackward,
  type ConvShape,
  crossEntropy,
  followAverage,
  type LayerValues,
  linear,
  linearBackward,
  maxPool2x2,
  maxPool2x2Backward,
  relu,
  reluBackward,
  Sgd,
} from "./reference";
import {
  flat,
  layerParams,
  layersOf,
  namedLayers,
  type NamedValues,
  sgdOptions,
  STEPS,
  train,
  type Trained,
  trainingWork,
} from "./training";
import { random, sizeOf, type Work } from "./work";

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
  return trainingWork({
    name: "mlp",
    title: `MLP step, batch ${batch}`,
    kind: "mlp",
    // forward, both gradients; none of the images
    flops: products.reduce((sum, flops) => sum + 3 * flops, 0) - products[0]!,
    inputs: () => ({
      x: random([batch, sizes[0]!], { seed: 1 }),
      labels: labelsOf(batch, sizes.at(-1)!),
      layers: sizes.slice(1).map((to, index) => layerParams([to, sizes[index]!], 10 + index)),
    }),
    trained: trainMlp,
  });
}

function trainMlp({ x, labels, layers }: Inputs["mlp"]): Trained {
  const images = Float64Array.from(x.data);
  return train(namedLayers(layers), (params) => {
    const values = layersOf(params);
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
    return { loss, grads: flat(grads) };
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
  return trainingWork({
    name: "cnn",
    title: `CNN step, batch ${batch}`,
    kind: "cnn",
    flops: 2 * batch * (products.reduce((sum, each) => sum + 3 * each, 0) - products[0]!),
    inputs: () => ({
      x: random([batch, c0, size, size], { seed: 1 }),
      labels: labelsOf(batch, classes),
      layers: [layerParams([c1, c0, 3, 3], 10), layerParams([c2, c1, 3, 3], 11), layerParams([classes, features], 12)],
    }),
    trained: trainCnn,
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
  return train(namedLayers(layers), (params) => {
    const [layer1, layer2, head] = layersOf(params);
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
    return { loss, grads: flat([firstBack.grads, secondBack.grads, headBack.grads]) };
  });
}

// ---- the update of many tensors ----

export function updateWork(title: string, shapes: readonly (readonly number[])[]): Work<"update"> {
  return trainingWork({
    name: "update",
    title,
    kind: "update",
    flops: 7 * shapes.reduce((sum, shape) => sum + sizeOf(shape), 0),
    inputs: () => ({
      params: shapes.map((shape, index) => random(shape, { seed: 1 + index })),
      grads: shapes.map((shape, index) => random(shape, { seed: 1001 + index })),
    }),
    trained: ({ params, grads }) => updated(params, grads),
  });
}

/** There are no losses: the gradients are given. */
function updated(params: readonly HostTensor[], grads: readonly HostTensor[]): Trained {
  const before = params.map(({ data }) => Float64Array.from(data));
  const [values, averages] = [before.map((param) => param.slice()), before.map((param) => param.slice())];
  const optimizer = new Sgd(values, sgdOptions);
  for (let step = 0; step < STEPS; step++) {
    optimizer.step(grads.map(({ data }) => data));
    averages.forEach((average, index) => followAverage(average, values[index]!, EMA));
  }
  const named = (param: readonly Float64Array[], average: readonly Float64Array[]): NamedValues =>
    Object.fromEntries(
      param.flatMap((value, index) => [
        [`param.${index}`, value],
        [`average.${index}`, average[index]!],
      ]),
    );
  return { losses: [], before: named(before, before), after: named(values, averages) };
}
