/**
 * What a library must tell to take part: how it opens, and for each kind of work a task, written as its documentation would
 * write it. What all of them are given and must give is here, in PyTorch's layouts; those that lay out otherwise transpose
 * before the clock runs.
 */

/** Values on the host, row-major. */
export interface HostTensor {
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** Class labels. */
export interface Labels {
  readonly data: Int32Array<ArrayBuffer>;
  readonly shape: readonly [n: number];
}

/** Of one layer: weight `[to, from]` or `[to, from, 3, 3]`, bias `[to]`. */
export interface LayerParams {
  readonly weight: HostTensor;
  readonly bias: HostTensor;
}

/** What each kind of work starts from. */
export interface Inputs {
  /** a [n, n] @ b [n, n] */
  matmul: { readonly a: HostTensor; readonly b: HostTensor };
  /** `CHAIN` over x [count] */
  pointwise: { readonly x: HostTensor };
  /** Of all of x [count] */
  sum: { readonly x: HostTensor };
  /** Over the last dimension of x [rows, cols] */
  softmax: { readonly x: HostTensor };
  /** Over the last dimension of x [rows, cols]; weight, bias [cols]; eps `EPS` */
  layerNorm: { readonly x: HostTensor; readonly weight: HostTensor; readonly bias: HostTensor };
  /** x [n, from, size, size], weight [to, from, 3, 3], stride 1, padding 1 */
  conv2d: { readonly x: HostTensor; readonly weight: HostTensor };
  /** The same; gradOut [n, to, size, size] */
  conv2dBackward: { readonly x: HostTensor; readonly weight: HostTensor; readonly gradOut: HostTensor };
  /** Linear layers with ReLU between them, cross-entropy, SGD: x [n, 784], labels [n] */
  mlp: { readonly x: HostTensor; readonly labels: Labels; readonly layers: readonly LayerParams[] };
  /** Twice: conv 3x3 with padding 1, ReLU, 2x2 max pooling; then linear, cross-entropy, SGD: x [n, 1, 28, 28], labels [n] */
  cnn: { readonly x: HostTensor; readonly labels: Labels; readonly layers: readonly LayerParams[] };
  /** SGD with given gradients and a moving average that starts as a copy of the parameters */
  update: { readonly params: readonly HostTensor[]; readonly grads: readonly HostTensor[] };
  /** Unit vectors: query, key [n, dim], queue [k, dim] */
  infoNCE: { readonly query: HostTensor; readonly key: HostTensor; readonly queue: HostTensor };
  /**
   * A step of MoCo: convs 3x3 with stride 2, padding 1 and ReLU, global average pooling, linear, normalised; InfoNCE over the
   * queue [k, dim] of unit vectors, SGD, moving average, enqueue. imQ, imK [n, 1, 28, 28]
   */
  moco: {
    readonly imQ: HostTensor;
    readonly imK: HostTensor;
    readonly queue: HostTensor;
    readonly layers: readonly LayerParams[];
  };
  /**
   * The same with a ResNet-18 in place of the encoder (`bench/resnet18`), BatchNorm as in training: imQ, imK [n, 3, size, size].
   * Running statistics may be left out where a library does not keep them itself.
   */
  mocoResNet18: {
    readonly imQ: HostTensor;
    readonly imK: HostTensor;
    readonly queue: HostTensor;
    readonly params: readonly HostTensor[];
  };
}

export type Kind = keyof Inputs;

/** Of every SGD here, and of moving averages: `average = EMA * average + (1 - EMA) * value`. */
export const LEARNING_RATE = 0.05;
export const MOMENTUM = 0.9;
export const EMA = 0.999;
/** Of InfoNCE. */
export const TEMPERATURE = 0.07;
/** Of layer norm, and BatchNorm. */
export const EPS = 1e-5;

/** What was computed, by name, in PyTorch's layouts. */
export type Outputs = Readonly<Record<string, ArrayLike<number>>>;

/** Some work, its inputs on the device. */
export interface Task {
  /** Queues the work once. What it computes replaces what the run before has computed. */
  run(): unknown;
  /** Waits until all that was queued is done. */
  finish(): Promise<unknown>;
  /**
   * What the last run computed. Of one op all of it: `y`, and gradients by the names of their inputs; of a training step its
   * `loss`; of an update the `first` tensor.
   */
  read(): Promise<Outputs>;
  /**
   * What has become of state, after any number of runs: parameters as `0.weight`, `0.bias`, `1.weight`, a ResNet's as `0` to `61`;
   * MoCo's key encoder as `key.0.weight`, and `keys`, the rows of the queue that came last; an update's `param.0`, `average.0`.
   */
  state?(): Promise<Outputs>;
}

/** Work that a library cannot do, and why. */
export class Unsupported extends Error {
  override name = "Unsupported";
}

/** How a library makes the task of one kind. */
export type MakeTask<K extends Kind> = (inputs: Inputs[K]) => Task | Promise<Task>;

/** A library on one of its backends, opened. */
export interface Library {
  /** Name and version of the packages. */
  readonly version: string;
  /** Makes the tasks; a string says why there is none. */
  readonly tasks: { readonly [K in Kind]: MakeTask<K> | string };
}
