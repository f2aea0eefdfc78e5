/** What `npm run explain` explains: pieces of work with names, each made on the default device. */

import { F, Parameter, rand, randint, randn, type Tensor } from "flywheel";
import { MoCo } from "flywheel/moco";
import { resnet18, tinyFlat } from "flywheel/models";
import { BatchNorm2d, LayerNorm, Linear, ReLU, Sequential, SplitBatchNorm2d } from "flywheel/nn";
import { SGD } from "flywheel/optim";

/** Some work that can be done again and again. */
export interface Case {
  readonly what: string;
  /** Makes what it needs; gives a function that does the work and waits until it is done. */
  readonly make: () => () => Promise<unknown>;
}

/** An expression, left on the device. */
const computed = (compute: () => Tensor) => async (): Promise<void> => {
  const result = await compute().realize();
  result.dispose();
};

/** The same, and gradients of parameters, the gradient of the result given. */
function withGradients(parameters: readonly Parameter[], compute: () => Tensor): () => Promise<void> {
  const gradOut = fixed(randn(compute().shape));
  return async () => {
    for (const parameter of parameters) parameter.zeroGrad();
    const result = compute();
    result.backward(gradOut);
    await result.realize();
    result.dispose();
  };
}

/** A training step, its loss read. */
function step(optimizer: SGD, lossOf: () => Tensor): () => Promise<number> {
  return () => {
    const loss = lossOf();
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.item();
  };
}

/** A tensor that is on the device from the start. */
function fixed(x: Tensor): Tensor {
  void x.realize();
  return x;
}

const sgd = (model: { parameters(): Iterable<Parameter> }): SGD =>
  new SGD([...model.parameters()], { lr: 0.03, momentum: 0.9, weightDecay: 1e-4 });

export const CASES: Readonly<Record<string, Case>> = {
  matmul: {
    what: "[512, 512] @ [512, 512]",
    make: () => {
      const [a, b] = [fixed(randn([512, 512])), fixed(randn([512, 512]))];
      return computed(() => a.matmul(b));
    },
  },
  conv2d: {
    what: "[32, 32, 14, 14] with 64 filters of 3x3, with gradients",
    make: () => {
      const x = new Parameter(randn([32, 32, 14, 14]));
      const weight = new Parameter(randn([64, 32, 3, 3]));
      return withGradients([x, weight], () => F.conv2d(x, weight, null, { padding: 1 }));
    },
  },
  softmax: {
    what: "rows of [1024, 1024], with gradient",
    make: () => {
      const x = new Parameter(randn([1024, 1024]));
      return withGradients([x], () => x.softmax(1));
    },
  },
  layerNorm: {
    what: "rows of [1024, 512], with gradients",
    make: () => {
      const x = new Parameter(randn([1024, 512]));
      const layer = new LayerNorm(512);
      return withGradients([x, ...layer.parameters()], () => layer.forward(x));
    },
  },
  batchNorm: {
    what: "channels of [64, 32, 14, 14] in training, then ReLU, with gradients",
    make: () => {
      const x = new Parameter(randn([64, 32, 14, 14]));
      const layer = new BatchNorm2d(32);
      return withGradients([x, ...layer.parameters()], () => layer.forward(x).relu());
    },
  },
  infoNCE: {
    what: "256 queries, 4096 negatives, 128 numbers each, with the queries' gradient",
    make: () => {
      const query = new Parameter(F.normalize(randn([256, 128])));
      const [key, queue] = [fixed(F.normalize(randn([256, 128]))), fixed(F.normalize(randn([4096, 128])))];
      return withGradients([query], () => F.infoNCE(query, key, queue));
    },
  },
  mlpStep: {
    what: "a step of training 784-256-10 on 128 images: forward, backward, SGD",
    make: () => {
      const model = new Sequential(new Linear(784, 256), new ReLU(), new Linear(256, 10));
      const [x, target] = [fixed(rand([128, 784])), fixed(randint(0, 10, [128]))];
      return step(sgd(model), () => F.crossEntropy(model.forward(x), target));
    },
  },
  mocoStep: {
    what: "a step of MoCo as `npm start` takes it: tinyFlat, batch 128, queue 1024, two given views",
    make: () => {
      const norm = (channels: number): SplitBatchNorm2d => new SplitBatchNorm2d(channels, 8);
      const model = new MoCo(({ numClasses }) => tinyFlat({ numClasses, norm }), { queueSize: 1024 });
      const [imQ, imK] = [fixed(rand([128, 1, 28, 28])), fixed(rand([128, 1, 28, 28]))];
      return step(sgd(model.encoderQ), () => model.forward(imQ, imK).loss);
    },
  },
  resnet18Step: {
    what: "a step of training ResNet-18 on 4 images of 3x8x8: forward, backward, SGD",
    make: () => {
      const model = resnet18({ numClasses: 10, cifarStem: true });
      const [x, target] = [fixed(rand([4, 3, 8, 8])), fixed(randint(0, 10, [4]))];
      return step(sgd(model), () => F.crossEntropy(model.forward(x), target));
    },
  },
};
