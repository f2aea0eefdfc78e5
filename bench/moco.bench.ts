/**
 * Whole training steps of MoCo: forward of both encoders, InfoNCE, backward, SGD, EMA, enqueue; as they are and compiled. The
 * recipe of `npm start`, a small step that other libraries have been measured on, and ResNet-18 on tiny images, for the time
 * that its many launches take on the host.
 */

import { compile, type Device, F, manualSeed, openDevice, rand, tensor, type Tensor, withDevice } from "flywheel";
import { mocoAugment } from "flywheel/data";
import { MoCo } from "flywheel/moco";
import { resnet18, tinyFlat } from "flywheel/models";
import { Conv2d, Linear, Module, SplitBatchNorm2d } from "flywheel/nn";
import { SGD } from "flywheel/optim";
import { randomNumbers } from "./check";
import type { Row } from "./harness";

const SIDE = 28;
const STORED = 2048;
/**
 * Steps whose losses must be those of the CPU reference, and how near: f32 against f64, through three updates. The fourth is the
 * first that a compiled step replays.
 */
const CHECKED_STEPS = 4;
const TOLERANCE = 2e-3;

interface Recipe {
  readonly work: string;
  readonly way: string;
  readonly flops: number;
  /** Makes the model and what a step is given, on the default device. */
  readonly make: () => {
    readonly model: MoCo;
    readonly optimizer: SGD;
    /** What each step is given. */
    readonly inputs: () => readonly Tensor[];
    /** The two views that a step makes of it. */
    readonly views: (...inputs: readonly Tensor[]) => readonly [Tensor, Tensor];
  };
  /** Whether the reference is too slow: then the losses must be those of the step on the same device, uncompiled. */
  readonly isLarge?: boolean;
}

export async function rows(device: Device): Promise<Row[]> {
  const cpu = await openDevice("cpu");
  return RECIPES.flatMap((recipe) => [false, true].map((isCompiled) => recipeRow(recipe, isCompiled, { device, cpu })));
}

/** The whole step of `npm start`, views and all, recorded and replayed. */
export const defaultStepRow = async (device: Device): Promise<Row> =>
  recipeRow(DEFAULT, true, { device, cpu: await openDevice("cpu") });

/** Bytes of random images, `[n, 1, 28, 28]`, the same on every device. */
function storedImages(): Tensor {
  const random = randomNumbers(1);
  const bytes = Uint8Array.from({ length: STORED * SIDE * SIDE }, () => 256 * random());
  return tensor(bytes, { shape: [STORED, 1, SIDE, SIDE] });
}

type Views = Pick<ReturnType<Recipe["make"]>, "inputs" | "views">;

const asGiven = (...inputs: readonly Tensor[]): readonly [Tensor, Tensor] => inputs as readonly [Tensor, Tensor];

/** Two fixed views: the step alone. */
function givenViews(batchSize: number): Views {
  const images = storedImages()
    .narrow(0, 0, 2 * batchSize)
    .float()
    .div(255)
    .sub(0.5)
    .mul(2);
  const [imQ, imK] = images.split(batchSize) as [Tensor, Tensor];
  for (const view of [imQ, imK]) void view.realize();
  return { inputs: () => [imQ, imK], views: asGiven };
}

/** Two fixed views of the smallest colour images that ResNet-18 takes. */
function tinyViews(batchSize: number): Views {
  const views = [0, 1].map(() => rand([batchSize, 3, 8, 8]));
  for (const view of views) void view.realize();
  return { inputs: () => views, views: asGiven };
}

/** Two views drawn anew of the next images in line, as training does. */
function drawnViews(batchSize: number): Views {
  const images = storedImages();
  void images.realize();
  let first = 0;
  return {
    inputs() {
      const index = tensor(Int32Array.from({ length: batchSize }, (_, i) => (first + i) % STORED));
      first += batchSize;
      return [index];
    },
    views: (index) => [mocoAugment(images, index), mocoAugment(images, index)],
  };
}

function defaultRecipe(batchSize: number): { model: MoCo; optimizer: SGD } {
  const norm = (channels: number): SplitBatchNorm2d => new SplitBatchNorm2d(channels, 8);
  const model = new MoCo(({ numClasses }) => tinyFlat({ numClasses, norm }), {
    queueSize: 8 * batchSize,
    momentum: 0.99,
    temperature: 0.1,
  });
  return { model, optimizer: new SGD(model.encoderQ.parameters(), { lr: 0.06, momentum: 0.9, weightDecay: 5e-4 }) };
}

/** Convolutions with bias and ReLU, global average pooling, one linear layer: no BatchNorm, no shuffling. */
class SmallEncoder extends Module {
  readonly conv1 = new Conv2d(1, 16, 3, { stride: 2, padding: 1 });
  readonly conv2 = new Conv2d(16, 32, 3, { stride: 2, padding: 1 });
  readonly conv3 = new Conv2d(32, 64, 3, { stride: 2, padding: 1 });
  readonly fc = new Linear(64, 128);

  forward(x: Tensor): Tensor {
    const last = [this.conv1, this.conv2, this.conv3].reduce((value, conv) => conv.forward(value).relu(), x);
    return this.fc.forward(F.adaptiveAvgPool2d(last, 1).flatten(1));
  }
}

function smallRecipe(): { model: MoCo; optimizer: SGD } {
  const model = new MoCo(() => new SmallEncoder(), { queueSize: 4096, temperature: 0.07, shuffle: false });
  return { model, optimizer: new SGD(model.encoderQ.parameters(), { lr: 0.03, momentum: 0.9 }) };
}

function resnetRecipe(): { model: MoCo; optimizer: SGD } {
  const model = new MoCo(({ numClasses }) => resnet18({ numClasses, cifarStem: true }), { queueSize: 64 });
  return { model, optimizer: new SGD(model.encoderQ.parameters(), { lr: 0.03, momentum: 0.9 }) };
}

/** The recipe of `npm start`. Flops: four forwards' worth of each encoder layer, the logits and their gradient. */
const DEFAULT: Recipe = {
  work: "MoCo step, tinyFlat, batch 128, K 1024",
  way: "views drawn",
  flops: 0.76e9,
  make: () => ({ ...defaultRecipe(128), ...drawnViews(128) }),
};

const RECIPES: readonly Recipe[] = [
  { ...DEFAULT, way: "given views", make: () => ({ ...defaultRecipe(128), ...givenViews(128) }) },
  DEFAULT,
  {
    work: "MoCo step, 3 convs, batch 64, K 4096",
    way: "given views",
    flops: 0.42e9,
    make: () => ({ ...smallRecipe(), ...givenViews(64) }),
  },
  {
    work: "MoCo step, ResNet-18, batch 4, 8x8, K 64",
    way: "given views",
    flops: 0,
    make: () => ({ ...resnetRecipe(), ...tinyViews(4) }),
    isLarge: true,
  },
];

/** A training under way. */
class Run {
  private readonly parts: ReturnType<Recipe["make"]>;
  private readonly train: (...inputs: readonly Tensor[]) => Tensor;

  constructor(
    recipe: Recipe,
    private readonly device: Device,
    isCompiled = false,
  ) {
    manualSeed(1);
    this.parts = withDevice(device, recipe.make);
    const { model, optimizer, views } = this.parts;
    const train = (...inputs: readonly Tensor[]): Tensor => {
      const [imQ, imK] = views(...inputs);
      const { loss } = model.forward(imQ, imK);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };
    this.train = isCompiled ? compile(train) : train;
  }

  /** One step; its loss, still on the device. */
  step(): Tensor {
    return withDevice(this.device, () => this.train(...this.parts.inputs()));
  }

  async losses(steps: number): Promise<number[]> {
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) losses.push(await this.step().item());
    return losses;
  }
}

function recipeRow(recipe: Recipe, isCompiled: boolean, { device, cpu }: { device: Device; cpu: Device }): Row {
  const { work, flops, isLarge = false } = recipe;
  const run = new Run(recipe, device, isCompiled);
  return {
    ...{ work, way: isCompiled ? `${recipe.way}, compiled` : recipe.way, flops, bytes: 0 },
    queue(times) {
      for (let i = 0; i < times; i++) run.step();
    },
    async check() {
      const losses = await new Run(recipe, device, isCompiled).losses(CHECKED_STEPS);
      const wanted = await new Run(recipe, isLarge ? device : cpu).losses(CHECKED_STEPS);
      const tolerance = isLarge ? 0 : TOLERANCE;
      const isRight = wanted.every((loss, step) => Math.abs(losses[step]! - loss) <= tolerance * loss);
      if (!isRight) throw new Error(`the first losses must be ${wanted.join(", ")}, got ${losses.join(", ")}.`);
    },
  };
}
