/**
 * The rows in jax-js: pure functions, op by op or compiled by `jit`, with ownership by hand (`.ref` where a value is used again).
 * Runs wait as JAX's users time them: `await blockUntilReady(y)`, each time; what was not waited for would never run.
 */

import {
  blockUntilReady,
  defaultDevice,
  type Device,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad as valueAndGradOf,
  vjp,
} from "@jax-js/jax";
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
  Unsupported,
} from "../library";

// types, not interfaces: a JsTree needs an index signature
type Layer = { weight: np.Array; bias: np.Array };
type Tree = np.Array[] | Layer[];
type Trained<P extends Tree> = { params: P; velocity: P };

/** Opens one of its devices as the default. */
export async function open(device: Device, { compiled }: { compiled: boolean }): Promise<Library> {
  const available = await init(device);
  if (!available.includes(device)) throw new Unsupported(`jax-js has no ${device} here`);
  defaultDevice(device);

  const compile = <F extends (...args: never[]) => Values>(fn: F): F =>
    compiled ? (jit(fn as never) as unknown as F) : fn;

  /** A function of arrays that stay; `names` are those of its results. */
  const opTask = (fn: (...args: np.Array[]) => np.Array[], args: np.Array[], names = ["y"]): Task => {
    const compute = compile(fn);
    let results: np.Array[] = [];
    return {
      async run() {
        for (const result of results) result.dispose();
        results = compute(...args.map((arg) => arg.ref));
        await blockUntilReady(results);
      },
      finish: () => Promise.resolve(), // run() has waited
      read: () => valuesOf(Object.fromEntries(names.map((name, index) => [name, results[index]!]))),
    };
  };

  /** Steps that hand on all state; the loss is a function of parameters and data. */
  const trainTask = (
    lossOf: (params: Layer[], x: np.Array, labels: np.Array) => np.Array,
    inputs: { x: HostTensor; labels: Labels; layers: readonly LayerParams[] },
  ): Task => {
    type State = Trained<Layer[]>;
    const step = compile((state: State, x: np.Array, labels: np.Array): { state: State; loss: np.Array } => {
      const [loss, grads] = valueAndGrad(lossOf)(tree.ref(state.params), x, labels);
      return { state: sgd(state, grads), loss };
    });
    const [x, labels] = [toArray(inputs.x), np.array(inputs.labels.data)];
    let state = startOf(toLayers(inputs.layers));
    let loss: np.Array | undefined;
    return {
      async run() {
        loss?.dispose();
        ({ state, loss } = step(state, x.ref, labels.ref));
        await blockUntilReady(loss);
      },
      finish: () => blockUntilReady(state),
      read: () => valuesOf({ loss: loss! }),
      state: () => valuesOf(named(state.params)),
    };
  };

  /** Steps of MoCo; `nameAll` names the parameters as the reference does. */
  const mocoTask = <P extends Tree>(
    inputs: Pick<Inputs["moco"], "imQ" | "imK" | "queue">,
    start: P,
    encodeWith: (params: P, x: np.Array) => np.Array,
    nameAll: (params: P) => Record<string, np.Array>,
  ): Task => {
    const [n, k] = [inputs.imK.shape[0]!, inputs.queue.shape[0]!];
    type State = { train: Trained<P>; keyParams: P; queue: np.Array };
    const step = compile((state: State, imQ: np.Array, imK: np.Array): { state: State; loss: np.Array } => {
      const keyParams = mapTrees(follow, state.keyParams, tree.ref(state.train.params));
      const keys = normalize(encodeWith(tree.ref(keyParams), imK));
      const lossOf = (params: P, key: np.Array, queue: np.Array): np.Array =>
        infoNCE(normalize(encodeWith(params, imQ)), key, queue);
      const [loss, grads] = valueAndGrad(lossOf)(tree.ref(state.train.params), keys.ref, state.queue.ref);
      const queue = np.concatenate([keys, state.queue.slice([0, k - n])], 0); // the newest first
      return { state: { train: sgd(state.train, grads), keyParams, queue }, loss };
    });
    const [imQ, imK] = [toArray(inputs.imQ), toArray(inputs.imK)];
    let state: State = { train: startOf(start), keyParams: tree.ref(start), queue: toArray(inputs.queue) };
    let loss: np.Array | undefined;
    return {
      async run() {
        loss?.dispose();
        ({ state, loss } = step(state, imQ.ref, imK.ref));
        await blockUntilReady(loss);
      },
      finish: () => blockUntilReady(state),
      read: () => valuesOf({ loss: loss! }),
      async state() {
        const keyed = Object.entries(nameAll(state.keyParams)).map(([name, value]) => [`key.${name}`, value] as const);
        const keys = state.queue.ref.slice([0, n]);
        return valuesOf({ ...nameAll(state.train.params), ...Object.fromEntries(keyed), keys });
      },
    };
  };

  return {
    version: `jax-js ${packageJson.devDependencies["@jax-js/jax"]}`,
    tasks: {
      matmul: ({ a, b }) => opTask((x, y) => [np.matmul(x, y)], [toArray(a), toArray(b)]),

      pointwise: ({ x }) => opTask((value) => [chain(value)], [toArray(x)]),

      sum: ({ x }) => opTask((value) => [value.sum()], [toArray(x)]),

      softmax: ({ x }) => opTask((value) => [nn.softmax(value, -1)], [toArray(x)]),

      layerNorm: ({ x, weight, bias }) =>
        opTask(
          (value, scale, shift) => [nn.standardize(value, -1, { epsilon: EPS }).mul(scale).add(shift)],
          [toArray(x), toArray(weight), toArray(bias)],
        ),

      conv2d: ({ x, weight }) => opTask((value, kernel) => [conv(value, kernel)], [toArray(x), toArray(weight)]),

      conv2dBackward: ({ x, weight, gradOut }) =>
        opTask(
          (value, kernel, cotangent) => {
            const [y, pullBack] = vjp((a: np.Array, b: np.Array) => conv(a, b), [value, kernel]);
            const [gradX, gradWeight] = pullBack(cotangent);
            pullBack.dispose();
            return [y, gradX, gradWeight];
          },
          [toArray(x), toArray(weight), toArray(gradOut)],
          ["y", "x", "weight"],
        ),

      mlp: (inputs) => trainTask((params, x, labels) => crossEntropy(mlp(params, x), labels), inputs),

      cnn: (inputs) => trainTask((params, x, labels) => crossEntropy(cnn(params, x), labels), inputs),

      update(inputs) {
        const step = compile((state: UpdateState, grads: np.Array[]): UpdateState => {
          const velocity = zip(state.velocity, grads, (v, g) => v.mul(MOMENTUM).add(g));
          const params = zip(state.params, tree.ref(velocity), (p, v) => p.sub(v.mul(LEARNING_RATE)));
          const average = zip(state.average, tree.ref(params), follow);
          return { params, velocity, average };
        });
        const grads = inputs.grads.map(toArray);
        let state: UpdateState = {
          params: inputs.params.map(toArray),
          velocity: inputs.params.map(({ shape }) => np.zeros([...shape])),
          average: inputs.params.map(toArray),
        };
        const numbered = (prefix: string, arrays: np.Array[]): Record<string, np.Array> =>
          Object.fromEntries(arrays.map((array, index) => [`${prefix}.${index}`, array]));
        return {
          async run() {
            state = step(state, tree.ref(grads));
            await blockUntilReady(compiled ? state.params[0] : state);
          },
          finish: () => blockUntilReady(state),
          read: () => valuesOf({ first: state.params[0]! }),
          state: () => valuesOf({ ...numbered("param", state.params), ...numbered("average", state.average) }),
        };
      },

      infoNCE: ({ query, key, queue }) =>
        opTask(
          (q, k, rows) => {
            const [loss, gradient] = valueAndGrad(infoNCE)(q, k, rows);
            return [loss, gradient];
          },
          [toArray(query), toArray(key), toArray(queue)],
          ["loss", "query"],
        ),

      moco: (inputs) => mocoTask(inputs, toLayers(inputs.layers), encode, (layers) => named(layers)),

      mocoResNet18: (inputs) =>
        mocoTask(inputs, inputs.params.map(toArray), resnet, (params) =>
          Object.fromEntries(params.map((param, index) => [String(index), param])),
        ),
    },
  };
}

type Values = np.Array | Values[] | { [name: string]: Values };
type UpdateState = { params: np.Array[]; velocity: np.Array[]; average: np.Array[] };

// ---- functions of arrays ----

const chain = (x: np.Array): np.Array =>
  np
    .minimum(np.square(np.abs(nn.relu(x.mul(1.5).add(0.25)).sub(0.5))), 0.75)
    .neg()
    .add(2)
    .mul(0.125);

/** 3x3 with padding 1, or 1x1 without. */
function conv(x: np.Array, weight: np.Array, stride = 1): np.Array {
  const padding = (weight.shape[2]! - 1) / 2;
  const around: [number, number] = [padding, padding];
  return lax.convGeneralDilated(x, weight, [stride, stride], [around, around]);
}

const convLayer = (x: np.Array, { weight, bias }: Layer, stride = 1): np.Array =>
  nn.relu(conv(x, weight, stride).add(bias.reshape([1, -1, 1, 1])));

const linear = (x: np.Array, { weight, bias }: Layer): np.Array => np.matmul(x, weight.transpose()).add(bias);

const mlp = (params: Layer[], x: np.Array): np.Array =>
  params.reduce((value, layer, index) => linear(index > 0 ? nn.relu(value) : value, layer), x);

const maxPool = (x: np.Array): np.Array => lax.reduceWindow(x, np.max, [2, 2], [2, 2]);

function cnn([first, second, head]: Layer[], x: np.Array): np.Array {
  const y = maxPool(convLayer(maxPool(convLayer(x, first!)), second!));
  return linear(y.reshape([y.shape[0]!, -1]), head!);
}

function encode(params: Layer[], x: np.Array): np.Array {
  const last = params.slice(0, -1).reduce((value, layer) => convLayer(value, layer, 2), x);
  return linear(np.mean(last, [2, 3]), params.at(-1)!);
}

/** Training's BatchNorm of images. */
function batchNorm(x: np.Array, weight: np.Array, bias: np.Array): np.Array {
  const centred = x.ref.sub(np.mean(x, [0, 2, 3], { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
  const scale = weight.reshape([1, -1, 1, 1]).div(np.sqrt(variance.add(EPS)));
  return centred.mul(scale).add(bias.reshape([1, -1, 1, 1]));
}

/** A convolution and its BatchNorm, whose tensors begin at `first`. */
const convNorm = (x: np.Array, params: np.Array[], first: number, stride = 1): np.Array =>
  batchNorm(conv(x, params[first]!, stride), params[first + 1]!, params[first + 2]!);

function resnet(params: np.Array[], x: np.Array): np.Array {
  let value = nn.relu(convNorm(x, params, 0));
  for (const { first, stride, isAround } of resnet18Blocks()) {
    const inner = nn.relu(convNorm(value.ref, params, first, stride));
    const past = isAround ? convNorm(value, params, first + 6, stride) : value;
    value = nn.relu(convNorm(inner, params, first + 3).add(past));
  }
  return linear(np.mean(value, [2, 3]), { weight: params.at(-2)!, bias: params.at(-1)! });
}

const normalize = (x: np.Array): np.Array => x.ref.div(np.sqrt(np.square(x).sum(1, { keepdims: true })));

const crossEntropy = (logits: np.Array, labels: np.Array): np.Array => {
  const classes = logits.shape[1]!;
  return nn.logSoftmax(logits).mul(nn.oneHot(labels, classes)).sum(1).mean().neg();
};

/** Mean of logsumexp(logits) - positive: `jit` differentiates it right, unlike `logSoftmax(logits)[:, 0]` (0.1.25). */
function infoNCE(query: np.Array, key: np.Array, queue: np.Array): np.Array {
  const positive = query.ref.mul(key).sum(1, { keepdims: true }).div(TEMPERATURE);
  const negative = np.matmul(query, queue.transpose()).div(TEMPERATURE);
  const logits = np.concatenate([positive.ref, negative], 1);
  return nn
    .logsumexp(logits, 1)
    .sub(positive.reshape([-1]))
    .mean();
}

/** The value of a scalar function, and its gradient with respect to the first argument. */
const valueAndGrad =
  <P extends Values, Rest extends np.Array[]>(fn: (params: P, ...rest: Rest) => np.Array) =>
  (params: P, ...rest: Rest): [np.Array, P] =>
    (valueAndGradOf(fn as never) as unknown as (params: P, ...rest: Rest) => [np.Array, P])(params, ...rest);

// ---- updates ----

/** PyTorch's SGD with momentum. */
function sgd<P extends Tree>({ params, velocity }: Trained<P>, grads: P): Trained<P> {
  const moved = mapTrees((v, g) => v.mul(MOMENTUM).add(g), velocity, grads);
  return { params: mapTrees((p, v) => p.sub(v.mul(LEARNING_RATE)), params, tree.ref(moved)), velocity: moved };
}

const follow = (average: np.Array, value: np.Array): np.Array => average.mul(EMA).add(value.mul(1 - EMA));

const mapTrees = <P extends Tree>(fn: (x: np.Array, y: np.Array) => np.Array, a: P, b: P): P =>
  tree.map<np.Array, np.Array, P>(fn, a, b);

const zip = (a: np.Array[], b: np.Array[], fn: (x: np.Array, y: np.Array) => np.Array): np.Array[] =>
  a.map((value, index) => fn(value, b[index]!));

// ---- values ----

const toArray = ({ data, shape }: HostTensor): np.Array => np.array(data, { shape: [...shape] });

const toLayers = (layers: readonly LayerParams[]): Layer[] =>
  layers.map(({ weight, bias }) => ({ weight: toArray(weight), bias: toArray(bias) }));

const startOf = <P extends Tree>(params: P): Trained<P> => ({
  velocity: tree.map<np.Array, np.Array, P>((param) => np.zeros(param.shape), tree.ref(params)),
  params,
});

const named = (layers: Layer[]): Record<string, np.Array> =>
  Object.fromEntries(
    layers.flatMap(({ weight, bias }, index) => [
      [`${index}.weight`, weight],
      [`${index}.bias`, bias],
    ]),
  );

/** Reads arrays, which stay. */
async function valuesOf(arrays: Readonly<Record<string, np.Array>>): Promise<Outputs> {
  const entries = Object.entries(arrays).map(async ([name, array]) => [name, await array.ref.data()] as const);
  return Object.fromEntries(await Promise.all(entries));
}
