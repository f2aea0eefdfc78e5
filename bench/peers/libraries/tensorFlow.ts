/**
 * The rows in TensorFlow.js: ops in `tidy`, variables that a `MomentumOptimizer` minimises over. Images lie as NHWC there, and
 * kernels as [3, 3, from, to]; values are brought into that order before the clock runs, and back after it.
 */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import packageJson from "../../../package.json";
import { resnet18Blocks } from "../../resnet18";
import {
  EMA,
  EPS,
  type HostTensor,
  type Inputs,
  type LayerParams,
  LEARNING_RATE,
  type Labels,
  type Library,
  MOMENTUM,
  type Outputs,
  type Task,
  TEMPERATURE,
} from "../library";
import { permuted } from "../permuted";

/** Brings a backend into being and makes it the one that is used. */
export async function open(backend: "webgpu" | "wasm"): Promise<Library> {
  if (backend === "webgpu") await import("@tensorflow/tfjs-backend-webgpu");
  else await loadWasm();
  await tf.setBackend(backend);
  await tf.ready();
  return { version: `TensorFlow.js ${packageJson.devDependencies["@tensorflow/tfjs-core"]}`, tasks };
}

async function loadWasm(): Promise<void> {
  const [{ setWasmPaths }, simd, threaded, plain] = await Promise.all([
    import("@tensorflow/tfjs-backend-wasm"),
    import("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?url"),
    import("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.wasm?url"),
    import("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm?url"),
  ]);
  setWasmPaths({
    "tfjs-backend-wasm.wasm": plain.default,
    "tfjs-backend-wasm-simd.wasm": simd.default,
    "tfjs-backend-wasm-threaded-simd.wasm": threaded.default,
  });
}

/** What the WebGPU backend has gathered and not yet submitted. */
interface Gathering {
  readonly commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** The WebGPU backend gathers 15 dispatches for each submit, and submits the rest when something is read; here, when a clock waits. */
const finish = async (): Promise<void> => {
  const backend = tf.backend() as unknown as Partial<Gathering>;
  if (!backend.commandEncoder) return;
  backend.endComputePassEncoder!();
  backend.submitQueue!();
};

/** Results stay until the next run. */
function opTask<R extends Record<string, tf.Tensor>>(
  compute: () => R,
  read: (results: R) => Promise<Outputs> = valuesOf,
): Task {
  let results: R | undefined;
  return {
    run() {
      if (results) tf.dispose(results);
      results = tf.tidy(compute);
    },
    finish,
    read: () => read(results!),
  };
}

/** Steps of an optimizer over `variables`. */
function trainTask(variables: readonly tf.Variable[], lossOf: () => tf.Scalar, state: () => Promise<Outputs>): Task {
  const optimizer = tf.train.momentum(LEARNING_RATE, MOMENTUM);
  let loss: tf.Scalar | undefined;
  return {
    run() {
      loss?.dispose();
      loss = optimizer.minimize(lossOf, true, [...variables])!;
    },
    finish,
    read: () => valuesOf({ loss: loss! }),
    state,
  };
}

const tasks: Library["tasks"] = {
  matmul({ a, b }) {
    const [x, y] = [toTensor(a), toTensor(b)] as [tf.Tensor2D, tf.Tensor2D];
    return opTask(() => ({ y: tf.matMul(x, y) }));
  },

  pointwise(inputs) {
    const x = toTensor(inputs.x);
    return opTask(() => ({
      y: x.mul(1.5).add(0.25).relu().sub(0.5).abs().square().minimum(0.75).neg().add(2).mul(0.125),
    }));
  },

  sum(inputs) {
    const x = toTensor(inputs.x);
    return opTask(() => ({ y: x.sum() }));
  },

  softmax(inputs) {
    const x = toTensor(inputs.x);
    return opTask(() => ({ y: x.softmax() }));
  },

  layerNorm(inputs) {
    const [x, weight, bias] = [toTensor(inputs.x), toTensor(inputs.weight), toTensor(inputs.bias)];
    return opTask(() => {
      const centred = x.sub(x.mean(-1, true));
      const variance = centred.square().mean(-1, true);
      return { y: centred.mul(variance.add(EPS).rsqrt()).mul(weight).add(bias) };
    });
  },

  conv2d(inputs) {
    const [x, weight] = [toImages(inputs.x), toKernel(inputs.weight)];
    return opTask(
      () => ({ y: tf.conv2d(x, weight, 1, 1) }),
      async ({ y }) => ({ y: await imageValues(y) }),
    );
  },

  conv2dBackward(inputs) {
    const [x, weight, gradOut] = [toImages(inputs.x), toKernel(inputs.weight), toImages(inputs.gradOut)];
    const forwardAndBack = tf.valueAndGrads((a, b) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 1));
    return opTask(
      () => {
        const { value, grads } = forwardAndBack([x, weight], gradOut);
        return { y: value, x: grads[0]!, weight: grads[1]! };
      },
      async ({ y, x: gradX, weight: gradWeight }) => ({
        y: await imageValues(y),
        x: await imageValues(gradX),
        weight: await kernelValues(gradWeight),
      }),
    );
  },

  mlp(inputs) {
    const [x, labels] = [toTensor(inputs.x) as tf.Tensor2D, oneHot(inputs.labels, inputs.layers)];
    const layers = inputs.layers.map(denseLayer);
    return trainTask(
      variablesOf(layers),
      () => tf.losses.softmaxCrossEntropy<Rows, tf.Scalar>(labels, mlp(layers, x)),
      () => paramsOf(layers),
    );
  },

  cnn(inputs) {
    const [x, labels] = [toImages(inputs.x), oneHot(inputs.labels, inputs.layers)];
    const [first, second, head] = inputs.layers;
    // the flattened images come as [y, x, channel] instead of [channel, y, x]
    const channels = second!.weight.shape[0]!;
    const side = x.shape[1] / 4;
    const order = [classesOf(head!), channels, side, side];
    const layers = [convLayer(first!), convLayer(second!), flatLayer(head!, order)] as const;
    return trainTask(
      variablesOf(layers),
      () => tf.losses.softmaxCrossEntropy<Rows, tf.Scalar>(labels, cnn(layers, x)),
      () => paramsOf(layers),
    );
  },

  update(inputs) {
    const params = inputs.params.map((value, index) => toTensor(value).variable(true, `param.${index}`));
    const averages = inputs.params.map((value) => toTensor(value).variable(false));
    const grads = inputs.grads.map((value, index) => ({ name: `param.${index}`, tensor: toTensor(value) }));
    const optimizer = tf.train.momentum(LEARNING_RATE, MOMENTUM);
    return {
      run() {
        optimizer.applyGradients(grads);
        follow(averages, params);
      },
      finish,
      read: () => valuesOf({ first: params[0]! }),
      state: () =>
        valuesOf({
          ...Object.fromEntries(params.map((value, index) => [`param.${index}`, value])),
          ...Object.fromEntries(averages.map((value, index) => [`average.${index}`, value])),
        }),
    };
  },

  infoNCE(inputs) {
    const [query, key, queue] = [toTensor(inputs.query), toTensor(inputs.key), toTensor(inputs.queue)] as Rows[];
    const lossAndGrad = tf.valueAndGrad((q: tf.Tensor) => infoNCE(q as Rows, key!, queue!));
    return opTask(() => {
      const { value, grad } = lossAndGrad(query!);
      return { loss: value, query: grad };
    });
  },

  moco(inputs) {
    const encoder = inputs.layers.map((layer) =>
      layer.weight.shape.length > 2 ? convLayer(layer) : denseLayer(layer),
    );
    const keyEncoder = encoder.map(copyOf);
    return mocoTask(inputs, {
      variables: variablesOf(encoder),
      keyVariables: variablesOf(keyEncoder),
      query: (x) => encode(encoder, x),
      key: (x) => encode(keyEncoder, x),
      state: async () => ({ ...(await paramsOf(encoder)), ...(await paramsOf(keyEncoder, "key.")) }),
    });
  },

  mocoResNet18(inputs) {
    const params = inputs.params.map(resnetParam);
    const keyParams = params.map(({ variable, values }) => ({ variable: variable.clone().variable(false), values }));
    const variables = params.map(({ variable }) => variable);
    const keyVariables = keyParams.map(({ variable }) => variable);
    const valuesBy = async (prefix: string, all: readonly Param[]): Promise<Outputs> =>
      Object.fromEntries(
        await Promise.all(
          all.map(async ({ variable, values }, index) => [`${prefix}${index}`, await values(variable)] as const),
        ),
      );
    return mocoTask(inputs, {
      ...{ variables, keyVariables },
      query: (x) => resnet(variables, x),
      key: (x) => resnet(keyVariables, x),
      state: async () => ({ ...(await valuesBy("", params)), ...(await valuesBy("key.", keyParams)) }),
    });
  },
};

/** Both encoders of a MoCo. */
interface Encoders {
  readonly variables: readonly tf.Variable[];
  readonly keyVariables: readonly tf.Variable[];
  readonly query: (x: tf.Tensor4D) => Rows;
  readonly key: (x: tf.Tensor4D) => Rows;
  readonly state: () => Promise<Outputs>;
}

function mocoTask(
  inputs: Pick<Inputs["moco"], "imQ" | "imK" | "queue">,
  { variables, keyVariables, query, key, state }: Encoders,
): Task {
  const [imQ, imK] = [toImages(inputs.imQ), toImages(inputs.imK)];
  const queue = toTensor(inputs.queue).variable(false) as tf.Variable<tf.Rank.R2>;
  const n = imK.shape[0];
  let keys: Rows;
  const train = trainTask(
    variables,
    () => infoNCE(normalize(query(imQ)), keys, queue),
    async () => ({ ...(await state()), keys: await queue.slice([0, 0], [n, -1]).data() }),
  );
  return {
    ...train,
    run() {
      follow(keyVariables, variables);
      keys = tf.tidy(() => normalize(key(imK)));
      train.run();
      tf.tidy(() => {
        queue.assign(keys.concat(queue.slice([0, 0], [queue.shape[0] - n, -1]))); // the newest first
      });
      keys.dispose();
    },
  };
}

// ---- models ----

type Rows = tf.Tensor2D;

interface Layer {
  readonly weight: tf.Variable;
  readonly bias: tf.Variable;
  /** Back to PyTorch's layout. */
  readonly weightValues: (weight: tf.Tensor) => Promise<ArrayLike<number>>;
}

const classesOf = ({ weight }: LayerParams): number => weight.shape[0]!;

const convLayer = ({ weight, bias }: LayerParams): Layer => ({
  weight: toKernel(weight).variable(),
  bias: toTensor(bias).variable(),
  weightValues: kernelValues,
});

/** Weights are [from, to] there. */
const denseLayer = ({ weight, bias }: LayerParams): Layer => ({
  weight: toTensor(permuted(weight, [1, 0])).variable(),
  bias: toTensor(bias).variable(),
  weightValues: (value) => valuesIn(value, [1, 0]),
});

/** A dense layer after images were flattened: `order` is [to, channels, height, width]. */
const flatLayer = ({ weight, bias }: LayerParams, order: readonly number[]): Layer => ({
  weight: tf
    .tensor2d(permuted({ data: weight.data, shape: order }, [2, 3, 1, 0]).data, [weight.shape[1]!, weight.shape[0]!])
    .variable(),
  bias: toTensor(bias).variable(),
  weightValues: async (value) => {
    const [to, channels, height, width] = order as [number, number, number, number];
    const data = (await value.data()) as Float32Array<ArrayBuffer>;
    return permuted({ data, shape: [height, width, channels, to] }, [3, 2, 0, 1]).data;
  },
});

const copyOf = ({ weight, bias, weightValues }: Layer): Layer => ({
  weight: weight.clone().variable(false),
  bias: bias.clone().variable(false),
  weightValues,
});

const variablesOf = (layers: readonly Layer[]): tf.Variable[] => layers.flatMap(({ weight, bias }) => [weight, bias]);

const dense = (x: Rows, { weight, bias }: Layer): Rows => x.matMul(weight as tf.Tensor2D).add(bias);

const mlp = (layers: readonly Layer[], x: Rows): Rows =>
  layers.reduce((value, layer, index) => dense(index > 0 ? value.relu() : value, layer), x);

const convRelu = (x: tf.Tensor4D, { weight, bias }: Layer, stride = 1): tf.Tensor4D =>
  tf
    .conv2d(x, weight as tf.Tensor4D, stride, 1)
    .add(bias)
    .relu();

function cnn([first, second, head]: readonly [Layer, Layer, Layer], x: tf.Tensor4D): Rows {
  const half = tf.maxPool(convRelu(x, first), 2, 2, "valid");
  const quarter = tf.maxPool(convRelu(half, second), 2, 2, "valid");
  return dense(quarter.reshape([x.shape[0], -1]), head);
}

function encode(layers: readonly Layer[], x: tf.Tensor4D): Rows {
  const last = layers.slice(0, -1).reduce((value, layer) => convRelu(value, layer, 2), x);
  return dense(last.mean([1, 2]), layers.at(-1)!);
}

/** A parameter, and the way back to PyTorch's layout. */
interface Param {
  readonly variable: tf.Variable;
  readonly values: (variable: tf.Tensor) => Promise<ArrayLike<number>>;
}

function resnetParam(param: HostTensor): Param {
  const { length: rank } = param.shape;
  if (rank === 4) return { variable: toKernel(param).variable(), values: kernelValues };
  if (rank === 1) return { variable: toTensor(param).variable(), values: (variable) => variable.data() };
  const variable = toTensor(permuted(param, [1, 0])).variable();
  return { variable, values: (weight) => valuesIn(weight, [1, 0]) };
}

/** A convolution and training's BatchNorm, whose variables begin at `first`. */
function convNorm(x: tf.Tensor4D, params: readonly tf.Variable[], first: number, stride = 1): tf.Tensor4D {
  const weight = params[first] as tf.Tensor as tf.Tensor4D;
  const y = tf.conv2d(x, weight, stride, weight.shape[0] === 3 ? 1 : 0);
  const { mean, variance } = tf.moments(y, [0, 1, 2]);
  const [scale, offset] = params.slice(first + 1, first + 3) as tf.Tensor[] as [tf.Tensor1D, tf.Tensor1D];
  return tf.batchNorm(y, mean as tf.Tensor1D, variance as tf.Tensor1D, offset, scale, EPS);
}

function resnet(params: readonly tf.Variable[], x: tf.Tensor4D): Rows {
  let value = convNorm(x, params, 0).relu<tf.Tensor4D>();
  for (const { first, stride, isAround } of resnet18Blocks()) {
    const inner = convNorm(value, params, first, stride).relu<tf.Tensor4D>();
    const past = isAround ? convNorm(value, params, first + 6, stride) : value;
    value = convNorm(inner, params, first + 3)
      .add(past)
      .relu();
  }
  const [weight, bias] = params.slice(-2) as [tf.Variable, tf.Variable];
  return value
    .mean<Rows>([1, 2])
    .matMul(weight as tf.Tensor2D)
    .add(bias);
}

const normalize = (x: Rows): Rows => x.div(x.square().sum(1, true).sqrt());

function infoNCE(query: Rows, key: Rows, queue: Rows): tf.Scalar {
  const positive = query.mul(key).sum(1, true);
  const logits = tf.concat([positive, query.matMul(queue, false, true)], 1).div(TEMPERATURE);
  const labels = tf.oneHot(tf.zeros([query.shape[0]], "int32"), logits.shape[1]!);
  return tf.losses.softmaxCrossEntropy(labels, logits);
}

/** Moving averages of all variables. */
function follow(averages: readonly tf.Variable[], values: readonly tf.Variable[]): void {
  tf.tidy(() => {
    averages.forEach((average, index) => average.assign(average.mul(EMA).add(values[index]!.mul(1 - EMA))));
  });
}

// ---- values ----

const toTensor = ({ data, shape }: HostTensor): tf.Tensor => tf.tensor(data, [...shape]);
/** NCHW -> NHWC */
const toImages = (values: HostTensor): tf.Tensor4D => toTensor(permuted(values, [0, 2, 3, 1])) as tf.Tensor4D;
/** [to, from, 3, 3] -> [3, 3, from, to] */
const toKernel = (values: HostTensor): tf.Tensor4D => toTensor(permuted(values, [2, 3, 1, 0])) as tf.Tensor4D;

const oneHot = ({ data }: Labels, layers: readonly LayerParams[]): Rows =>
  tf.oneHot(tf.tensor1d(data, "int32"), classesOf(layers.at(-1)!)).toFloat() as Rows;

async function valuesIn(value: tf.Tensor, order: readonly number[]): Promise<ArrayLike<number>> {
  const data = (await value.data()) as Float32Array<ArrayBuffer>;
  return permuted({ data, shape: value.shape }, order).data;
}

const imageValues = (value: tf.Tensor): Promise<ArrayLike<number>> => valuesIn(value, [0, 3, 1, 2]);
const kernelValues = (value: tf.Tensor): Promise<ArrayLike<number>> => valuesIn(value, [3, 2, 0, 1]);

async function valuesOf(tensors: Record<string, tf.Tensor>): Promise<Outputs> {
  const entries = Object.entries(tensors).map(async ([name, value]) => [name, await value.data()] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function paramsOf(layers: readonly Layer[], prefix = ""): Promise<Outputs> {
  const entries = layers.map(async ({ weight, bias, weightValues }, index) => [
    [`${prefix}${index}.weight`, await weightValues(weight)] as const,
    [`${prefix}${index}.bias`, await bias.data()] as const,
  ]);
  return Object.fromEntries((await Promise.all(entries)).flat());
}
