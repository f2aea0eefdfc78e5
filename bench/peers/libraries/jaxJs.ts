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
import {
  EMA,
  EPS,
  type HostTensor,
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

type Layer = { weight: np.Array; bias: np.Array }; // a type, not an interface: JsTree needs an index signature
type State = { params: Layer[]; velocity: Layer[] };

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
    const step = compile((state: State, x: np.Array, labels: np.Array): { state: State; loss: np.Array } => {
      const [loss, grads] = valueAndGrad(lossOf)(tree.ref(state.params), x, labels);
      return { state: sgd(state, grads), loss };
    });
    const [x, labels] = [toArray(inputs.x), np.array(inputs.labels.data)];
    let state = startOf(inputs.layers);
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

      moco(inputs) {
        const step = compile((state: MocoState, imQ: np.Array, imK: np.Array): { state: MocoState; loss: np.Array } => {
          const keyParams = mapLayers(follow, state.keyParams, tree.ref(state.train.params));
          const keys = normalize(encode(tree.ref(keyParams), imK));
          const lossOf = (params: Layer[], k: np.Array, queue: np.Array): np.Array =>
            infoNCE(normalize(encode(params, imQ)), k, queue);
          const [loss, grads] = valueAndGrad(lossOf)(tree.ref(state.train.params), keys.ref, state.queue.ref);
          const kept = state.queue.slice([0, inputs.queue.shape[0]! - inputs.imK.shape[0]!]);
          const queue = np.concatenate([keys, kept], 0); // the newest first
          return { state: { train: sgd(state.train, grads), keyParams, queue }, loss };
        });
        const [imQ, imK] = [toArray(inputs.imQ), toArray(inputs.imK)];
        let state: MocoState = {
          train: startOf(inputs.layers),
          keyParams: toLayers(inputs.layers),
          queue: toArray(inputs.queue),
        };
        let loss: np.Array | undefined;
        return {
          async run() {
            loss?.dispose();
            ({ state, loss } = step(state, imQ.ref, imK.ref));
            await blockUntilReady(loss);
          },
          finish: () => blockUntilReady(state),
          read: () => valuesOf({ loss: loss! }),
          state: () =>
            valuesOf({
              ...named(state.train.params),
              ...named(state.keyParams, "key."),
              keys: state.queue.ref.slice([0, inputs.imK.shape[0]!]),
            }),
        };
      },
    },
  };
}

type Values = np.Array | Values[] | { [name: string]: Values };
type UpdateState = { params: np.Array[]; velocity: np.Array[]; average: np.Array[] };
type MocoState = { train: State; keyParams: Layer[]; queue: np.Array };

// ---- functions of arrays ----

const chain = (x: np.Array): np.Array =>
  np
    .minimum(np.square(np.abs(nn.relu(x.mul(1.5).add(0.25)).sub(0.5))), 0.75)
    .neg()
    .add(2)
    .mul(0.125);

const conv = (x: np.Array, weight: np.Array, stride = 1): np.Array =>
  lax.convGeneralDilated(
    x,
    weight,
    [stride, stride],
    [
      [1, 1],
      [1, 1],
    ],
  );

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
function sgd({ params, velocity }: State, grads: Layer[]): State {
  const moved = mapLayers((v, g) => v.mul(MOMENTUM).add(g), velocity, grads);
  return { params: mapLayers((p, v) => p.sub(v.mul(LEARNING_RATE)), params, tree.ref(moved)), velocity: moved };
}

const follow = (average: np.Array, value: np.Array): np.Array => average.mul(EMA).add(value.mul(1 - EMA));

const mapLayers = (fn: (x: np.Array, y: np.Array) => np.Array, a: Layer[], b: Layer[]): Layer[] =>
  tree.map<np.Array, np.Array, Layer[]>(fn, a, b);

const zip = (a: np.Array[], b: np.Array[], fn: (x: np.Array, y: np.Array) => np.Array): np.Array[] =>
  a.map((value, index) => fn(value, b[index]!));

// ---- values ----

const toArray = ({ data, shape }: HostTensor): np.Array => np.array(data, { shape: [...shape] });

const toLayers = (layers: readonly LayerParams[]): Layer[] =>
  layers.map(({ weight, bias }) => ({ weight: toArray(weight), bias: toArray(bias) }));

const startOf = (layers: readonly LayerParams[]): State => ({
  params: toLayers(layers),
  velocity: layers.map(({ weight, bias }) => ({
    weight: np.zeros([...weight.shape]),
    bias: np.zeros([...bias.shape]),
  })),
});

const named = (layers: Layer[], prefix = ""): Record<string, np.Array> =>
  Object.fromEntries(
    layers.flatMap(({ weight, bias }, index) => [
      [`${prefix}${index}.weight`, weight],
      [`${prefix}${index}.bias`, bias],
    ]),
  );

/** Reads arrays, which stay. */
async function valuesOf(arrays: Readonly<Record<string, np.Array>>): Promise<Outputs> {
  const entries = Object.entries(arrays).map(async ([name, array]) => [name, await array.ref.data()] as const);
  return Object.fromEntries(await Promise.all(entries));
}
