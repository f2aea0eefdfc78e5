/** The thirteen rows as flywheel's users write them. */

import { compile, F, grad, init, realize, type Tensor, tensor } from "flywheel";
import { synchronize } from "flywheel/dev";
import { MoCo } from "flywheel/moco";
import { type ResNet, resnet18 } from "flywheel/models";
import { Conv2d, type Layer, Linear, Module, Parameter } from "flywheel/nn";
import { AveragedModel, SGD } from "flywheel/optim";
import packageJson from "../../../package.json";
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

/** Opens a device and makes it the default. */
export async function open(kind: "webgpu" | "cpu" = "webgpu"): Promise<Library> {
  const device = await init({ device: kind });

  /** Until all that was asked for is done, updates that wait for the next step included. */
  const finish = async (): Promise<void> => {
    device.flush();
    if (kind === "webgpu") await synchronize(device);
  };

  /** An expression, left on the device. */
  const opTask = (compute: () => Record<string, Tensor>): Task => {
    let results: Record<string, Tensor> = {};
    return {
      async run() {
        for (const result of Object.values(results)) result.dispose();
        results = compute();
        await realize(...Object.values(results));
      },
      finish,
      read: () => valuesOf(results),
    };
  };

  /** Steps of training, recorded and replayed, whose losses are read after them. */
  const stepTask = (make: () => Tensor, state: () => Promise<Outputs>): Task => {
    const step = compile(make);
    let loss: Tensor | undefined;
    return {
      run() {
        loss?.dispose();
        loss = step();
      },
      finish,
      read: () => valuesOf({ loss: loss! }),
      state,
    };
  };

  /** Steps of MoCo; `nameOf` says how the reference calls a parameter. */
  const mocoTask = async (
    inputs: Pick<Inputs["moco"], "imQ" | "imK" | "queue">,
    encoder: () => Layer,
    nameOf: NameOf,
  ): Promise<Task> => {
    const [imQ, imK] = await Promise.all([resident(inputs.imQ), resident(inputs.imK)]);
    const [queueSize, dim] = inputs.queue.shape as [number, number];
    const model = new MoCo(encoder, { dim, queueSize, temperature: TEMPERATURE, momentum: EMA, shuffle: false });
    model.loadStateDict({ queue: toTensor(inputs.queue).transpose(0, 1) }, { strict: false });
    const optimizer = sgd(model.encoderQ);
    return stepTask(
      () => {
        const { loss } = model.forward(imQ, imK);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      },
      async () => ({
        ...(await paramsOf(model.encoderQ, nameOf)),
        ...(await paramsOf(model.encoderK, (name, index) => `key.${nameOf(name, index)}`)),
        keys: await lastKeys(model, imK.size(0)),
      }),
    );
  };

  return {
    version: `flywheel ${packageJson.version}`,
    tasks: {
      async matmul(inputs) {
        const [a, b] = await Promise.all([resident(inputs.a), resident(inputs.b)]);
        return opTask(() => ({ y: a.matmul(b) }));
      },

      async pointwise(inputs) {
        const x = await resident(inputs.x);
        return opTask(() => ({
          y: x.mul(1.5).add(0.25).relu().sub(0.5).abs().square().minimum(0.75).neg().add(2).mul(0.125),
        }));
      },

      async sum(inputs) {
        const x = await resident(inputs.x);
        return opTask(() => ({ y: x.sum() }));
      },

      async softmax(inputs) {
        const x = await resident(inputs.x);
        return opTask(() => ({ y: x.softmax(-1) }));
      },

      async layerNorm(inputs) {
        const [x, weight, bias] = await Promise.all([
          resident(inputs.x),
          resident(inputs.weight),
          resident(inputs.bias),
        ]);
        return opTask(() => ({ y: F.layerNorm(x, [x.size(-1)], { weight, bias, eps: EPS }) }));
      },

      async conv2d(inputs) {
        const [x, weight] = await Promise.all([resident(inputs.x), resident(inputs.weight)]);
        return opTask(() => ({ y: F.conv2d(x, weight, null, { padding: 1 }) }));
      },

      async conv2dBackward(inputs) {
        const x = (await resident(inputs.x)).requiresGrad_();
        const weight = (await resident(inputs.weight)).requiresGrad_();
        const gradOutputs = await resident(inputs.gradOut);
        return opTask(() => {
          const y = F.conv2d(x, weight, null, { padding: 1 });
          const [gradX, gradWeight] = grad(y, [x, weight], { gradOutputs });
          return { y, x: gradX!, weight: gradWeight! };
        });
      },

      async mlp({ x: images, labels: classes, layers }) {
        const [x, labels] = await Promise.all([resident(images), residentLabels(classes)]);
        const model = new Mlp(layers);
        const optimizer = sgd(model);
        return stepTask(
          () => {
            const loss = F.crossEntropy(model.forward(x), labels);
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
            return loss;
          },
          () => paramsOf(model),
        );
      },

      async cnn({ x: images, labels: classes, layers }) {
        const [x, labels] = await Promise.all([resident(images), residentLabels(classes)]);
        const model = new Cnn(layers);
        const optimizer = sgd(model);
        return stepTask(
          () => {
            const loss = F.crossEntropy(model.forward(x), labels);
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
            return loss;
          },
          () => paramsOf(model),
        );
      },

      update({ params, grads }) {
        const model = new Tensors(params.map(toTensor));
        const optimizer = sgd(model);
        const averaged = new AveragedModel(model, { decay: EMA });
        averaged.nAveraged.value = 1; // the copy counts as the first: no update replaces it
        model.parameters().forEach((parameter, index) => (parameter.grad = toTensor(grads[index]!)));
        return {
          run() {
            optimizer.step();
            averaged.updateParameters(model);
          },
          finish,
          read: () => valuesOf({ first: model.all[0]! }),
          async state() {
            const named = (prefix: string, { all }: Tensors) =>
              Object.fromEntries(all.map((parameter, index) => [`${prefix}.${index}`, parameter]));
            return valuesOf({ ...named("param", model), ...named("average", averaged.module) });
          },
        };
      },

      async infoNCE(inputs) {
        const query = (await resident(inputs.query)).requiresGrad_();
        const [key, queue] = await Promise.all([resident(inputs.key), resident(inputs.queue)]);
        return opTask(() => {
          const loss = F.infoNCE(query, key, queue, { temperature: TEMPERATURE });
          const [gradQuery] = grad(loss, [query]);
          return { loss, query: gradQuery! };
        });
      },

      moco: (inputs) => mocoTask(inputs, () => new Encoder(inputs.layers), layerNames),

      mocoResNet18: (inputs) =>
        mocoTask(
          inputs,
          () => resnetOf(inputs.params),
          (_, index) => String(index),
        ),
    },
  };
}

// ---- models ----

class Mlp extends Module {
  readonly layers: Linear[];

  constructor(params: readonly LayerParams[]) {
    super();
    this.layers = params.map(linearOf);
    load(this, params);
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer, index) => layer.forward(index > 0 ? value.relu() : value), x);
  }
}

class Cnn extends Module {
  readonly layers: [Conv2d, Conv2d, Linear];

  constructor(params: readonly LayerParams[]) {
    super();
    const [first, second, head] = params;
    this.layers = [convOf(first!), convOf(second!), linearOf(head!)];
    load(this, params);
  }

  forward(x: Tensor): Tensor {
    const [first, second, head] = this.layers;
    const half = F.maxPool2d(first.forward(x).relu(), 2);
    return head.forward(F.maxPool2d(second.forward(half).relu(), 2).flatten(1));
  }
}

/** Convolutions of stride 2 with ReLU, global average pooling, a linear layer. */
class Encoder extends Module {
  readonly layers: [...Conv2d[], Linear];

  constructor(params: readonly LayerParams[]) {
    super();
    this.layers = [...params.slice(0, -1).map((layer) => convOf(layer, 2)), linearOf(params.at(-1)!)];
    load(this, params);
  }

  forward(x: Tensor): Tensor {
    const convs = this.layers.slice(0, -1) as Conv2d[];
    const head = this.layers.at(-1) as Linear;
    const last = convs.reduce((value, conv) => conv.forward(value).relu(), x);
    return head.forward(F.adaptiveAvgPool2d(last, 1).flatten(1));
  }
}

function resnetOf(params: readonly HostTensor[]): ResNet {
  const model = resnet18({ numClasses: params.at(-1)!.shape[0]!, cifarStem: true });
  model.parameters().forEach((parameter, index) => parameter.assign(toTensor(params[index]!)));
  return model;
}

/** Parameters without a model. */
class Tensors extends Module {
  readonly all: Parameter[];

  constructor(values: readonly Tensor[]) {
    super();
    this.all = values.map((value) => new Parameter(value));
  }

  forward(): readonly Parameter[] {
    return this.all;
  }
}

const sgd = (model: { parameters(): Parameter[] }): SGD =>
  new SGD(model.parameters(), { lr: LEARNING_RATE, momentum: MOMENTUM });

const linearOf = ({ weight: { shape } }: LayerParams): Linear => new Linear(shape[1]!, shape[0]!);
const convOf = ({ weight: { shape } }: LayerParams, stride = 1): Conv2d =>
  new Conv2d(shape[1]!, shape[0]!, 3, { stride, padding: 1 });

/** Gives a model the given parameters. */
function load(model: Module, params: readonly LayerParams[]): void {
  const entries = params.flatMap(({ weight, bias }, index) => [
    [`layers.${index}.weight`, toTensor(weight)] as const,
    [`layers.${index}.bias`, toTensor(bias)] as const,
  ]);
  model.loadStateDict(Object.fromEntries(entries));
}

/** The rows that came into the queue last. */
async function lastKeys({ queue, queuePtr, queueSize }: MoCo, count: number): Promise<ArrayLike<number>> {
  const first = (queuePtr.value - count + queueSize) % queueSize;
  return await queue.narrow(0, first, count).data();
}

// ---- values ----

const toTensor = ({ data, shape }: HostTensor): Tensor => tensor(data, { shape });

/** On the device before the clock runs. */
const resident = (values: HostTensor): Promise<Tensor> => toTensor(values).realize();
const residentLabels = ({ data, shape }: Labels): Promise<Tensor> => tensor(data, { shape, dtype: "i32" }).realize();

async function valuesOf(tensors: Readonly<Record<string, Tensor>>): Promise<Outputs> {
  const entries = Object.entries(tensors).map(
    async ([name, value]) => [name, (await value.data()) as Float32Array] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** How the reference calls a parameter: by its name in the model, or its place. */
type NameOf = (name: string, index: number) => string;
const layerNames: NameOf = (name) => name.replace("layers.", "");

const paramsOf = (model: Module, nameOf = layerNames): Promise<Outputs> =>
  valuesOf(
    Object.fromEntries(
      [...model.namedParameters()].map(([name, parameter], index) => [nameOf(name, index), parameter]),
    ),
  );
