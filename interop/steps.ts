/** flywheel's side of `npm run interop`: a small MoCo that trains on given views, and files that both sides read. */

import { adapterInfo, init, manualSeed, randn, type Tensor, tensor } from "flywheel";
import { parseIdx } from "flywheel/data";
import { type FileArray, readTorch, type TorchValue, writeTorch } from "flywheel/io";
import {
  featuresOf,
  loadOfficialCheckpoint,
  MoCo,
  readOfficialCheckpoint,
  type Trained,
  type TrainerEncoder,
  writeOfficialCheckpoint,
} from "flywheel/moco";
import { resnet18, resnet34, resnet50, resnet8, tinyFlat, tinyGap } from "flywheel/models";
import { type Layer, SplitBatchNorm2d } from "flywheel/nn";
import { SGD } from "flywheel/optim";
import { adapterName } from "../demo/adapterName";
import checkpoints from "../tests/goldens/checkpoints.json";
import official from "../tests/goldens/official.json";

/** What both sides train with. A higher rate makes more of roundings: after 30 steps at 0.03 losses may be 1e-4 apart. */
export const RECIPE = { batchSize: 32, momentum: 0.99, temperature: 0.2, lr: 0.01 };

/** Two views of the images of each step, and the order in which the keys are encoded. */
export interface Views {
  readonly im_q: FileArray;
  readonly im_k: FileArray;
  readonly order: FileArray;
}

/** Opens the device that this side trains on; gives its adapter's name. */
export async function open(kind: "cpu" | "webgpu"): Promise<string> {
  await init({ device: kind });
  return adapterName(adapterInfo());
}

// ---- files ----

const fromBase64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));

/** Recorded checkpoints of PyTorch, and what `writeTorch` makes of them. */
export function pairsOfFiles(): { name: string; theirs: Uint8Array; ours: Uint8Array }[] {
  const files = [...checkpoints, { ...official, name: "official" }];
  return files.map(({ name, zip }) => {
    const theirs = fromBase64(zip);
    return { name: name.replaceAll(" ", "-"), theirs, ours: writeTorch(readTorch(theirs)) };
  });
}

// ---- training ----

/**
 * Views of the first images of an IDX file: shifted by up to two pixels, and brighter or darker.
 *
 * @param file of u8 `[m, h, w]`
 */
export function makeViews(file: Uint8Array, steps: number): Views {
  const { shape, data } = parseIdx(file);
  const [, height, width] = shape as [number, number, number];
  const { batchSize } = RECIPE;
  const random = generator(1);
  const size = height * width;
  const view = (): FileArray => {
    const values = new Float32Array(steps * batchSize * size);
    for (let image = 0; image < steps * batchSize; image++) {
      const [down, right, bright] = [Math.floor(5 * random()) - 2, Math.floor(5 * random()) - 2, 0.6 + 0.8 * random()];
      for (let at = 0; at < size; at++) {
        const [row, column] = [Math.floor(at / width) + down, (at % width) + right];
        const isInside = row >= 0 && row < height && column >= 0 && column < width;
        const pixel = isInside ? Number(data[image * size + row * width + column]) : 0;
        values[image * size + at] = ((bright * pixel) / 255 - 0.286) / 0.353;
      }
    }
    return { dtype: "f32", shape: [steps, batchSize, 1, height, width], data: values };
  };
  const [imQ, imK] = [view(), view()];
  const orders = Array.from({ length: steps }, () => shuffled(batchSize, random));
  const order: FileArray = {
    dtype: "i64",
    shape: [steps, batchSize],
    data: BigInt64Array.from(orders.flat(), BigInt),
  };
  return { im_q: imQ, im_k: imK, order };
}

/** The views for train_moco.py. */
export const viewsFile = ({ im_q, im_k, order }: Views): Uint8Array => writeTorch({ im_q, im_k, order });

/** Numbers from 0 to 1 that are the same in every run: a linear congruence modulo 2^32, its high bits. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor((last + 1) * random());
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/**
 * A new model and its optimizer, over both encoders as in the authors' code.
 *
 * @param processes whose BatchNorms are imitated: each sees its part of a batch only
 */
export function newRun(processes = 1): Trained {
  const { momentum, temperature, lr } = RECIPE;
  manualSeed(0); // the same weights, whatever was checked before
  const norm = (channels: number): Layer => new SplitBatchNorm2d(channels, processes);
  const model = new MoCo(({ numClasses, head }) => tinyGap({ numClasses, head, norm }), {
    ...{ dim: 32, queueSize: 256 },
    ...{ momentum, temperature },
  });
  return { model, optimizer: new SGD(model.parameters(), { lr, momentum: 0.9, weightDecay: 5e-4 }) };
}

/** The run of a checkpoint. */
export function resumed(file: Uint8Array, processes = 1): Trained {
  const run = newRun(processes);
  loadOfficialCheckpoint(readOfficialCheckpoint(file), run);
  return run;
}

export const saved = (run: Trained): Promise<Uint8Array> =>
  writeOfficialCheckpoint({ ...run, epoch: 1, arch: "tinyGap" });

/**
 * Trains steps `first..first + count`; gives their losses.
 *
 * @param processes that the run imitates. Each has a part of the batch in a row, where SplitBatchNorm2d takes every n-th sample:
 *   so samples change places, which changes no loss
 */
export async function train(
  { model, optimizer }: Trained,
  views: Views,
  { first, count, processes = 1 }: { first: number; count: number; processes?: number },
): Promise<number[]> {
  const losses: number[] = [];
  const { batchSize } = RECIPE;
  const part = batchSize / processes;
  const places = Array.from({ length: batchSize }, (_, at) => (at % processes) * part + Math.floor(at / processes));
  for (let step = first; step < first + count; step++) {
    const order = Array.from(views.order.data.slice(step * batchSize, (step + 1) * batchSize), Number);
    const permutation = places.map((place) => places.indexOf(order[place]!));
    const [imQ, imK] = [views.im_q, views.im_k].map((view) => batchOf(view, step, places)) as [Tensor, Tensor];
    const { loss } = model.forward(imQ, imK, { permutation });
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  return losses;
}

/** One step's images, in an order. */
function batchOf({ shape: [, ...shape], data }: FileArray, step: number, places: readonly number[]): Tensor {
  const size = shape.slice(1).reduce((product, each) => product * each, 1);
  const values = new Float32Array(places.length * size);
  places.forEach((place, at) => {
    const from = (step * places.length + place) * size;
    values.set(data.subarray(from, from + size) as Float32Array, at * size);
  });
  return tensor(values, { shape });
}

// ---- encoders ----

interface Encoder {
  readonly arch: string;
  /** For the name of the file. */
  readonly stem?: string;
  readonly channels: number;
  readonly size: number;
  readonly mlp?: boolean;
  /** Images; 8 unless there are many weights. */
  readonly batch?: number;
  readonly make: TrainerEncoder;
}

type EncoderOptions = Parameters<TrainerEncoder>[0];

/** Encoders that train_moco.py must know, by the name of the file: of other sizes and channels too. */
const ENCODERS: readonly Encoder[] = [
  { arch: "tinyFlat", channels: 1, size: 28, make: tinyFlat },
  ...[32, 48, 64].map((size) => ({
    ...{ arch: "tinyFlat", channels: 3, size, mlp: size === 48 },
    make: (options: EncoderOptions) => tinyFlat({ ...options, inChannels: 3, imageSize: size }),
  })),
  { arch: "tinyGap", channels: 3, size: 48, make: (options) => tinyGap({ ...options, inChannels: 3 }) },
  { arch: "resnet8", channels: 1, size: 28, make: resnet8 },
  { arch: "resnet8", channels: 3, size: 32, mlp: true, make: (options) => resnet8({ ...options, inChannels: 3 }) },
  resnet("resnet34", resnet34, { cifarStem: true, size: 16 }),
  resnet("resnet50", resnet50, { cifarStem: false, size: 64 }),
];

/** Of MoCo v2 behind the 3x3 stem, of v1 behind the other. Two small images: more, and a step would take minutes on a software adapter. */
function resnet(
  arch: string,
  make: typeof resnet34,
  { cifarStem, size }: { cifarStem: boolean; size: number },
): Encoder {
  return {
    ...{ arch, channels: 3, stem: cifarStem ? "-cifar" : "", size, mlp: cifarStem, batch: 2 },
    make: ({ numClasses, head, norm }) => make({ numClasses, head, norm, cifarStem }),
  };
}

interface EncoderFile {
  readonly name: string;
  readonly checkpoint: Uint8Array;
  readonly images: Uint8Array;
}

/** A checkpoint of each encoder after a step, and images with their features. One after the other: those of ResNet-50 have 280 MB each. */
export async function* encoderFiles(): AsyncGenerator<EncoderFile> {
  manualSeed(0);
  for (const { arch, stem = "", channels, size, mlp = false, batch = 8, make } of ENCODERS) {
    const norm = (width: number): Layer => new SplitBatchNorm2d(width, 1);
    const model = new MoCo((head) => make({ ...head, norm }), { dim: 16, queueSize: 4 * batch, mlp });
    const optimizer = new SGD(model.parameters(), { lr: 0.03, momentum: 0.9 });
    const [x, y] = [randn([batch, channels, size, size]), randn([batch, channels, size, size])];
    model.forward(x, y).loss.backward();
    optimizer.step();
    const features = await featuresOf(model.encoderQ, x);
    yield {
      name: `${arch}${stem}-${channels}x${size}${mlp ? "-mlp" : ""}`,
      checkpoint: await writeOfficialCheckpoint({ model, optimizer, epoch: 1, arch }),
      images: writeTorch({ images: await arrayOf(x), features: await arrayOf(features) }),
    };
  }
}

async function arrayOf(values: Tensor): Promise<FileArray> {
  return { dtype: "f32", shape: values.shape, data: (await values.data()) as Float32Array };
}

// ---- ResNet-18 ----

/**
 * Features of a ResNet-18 that PyTorch saved, beside PyTorch's.
 *
 * @param images what check.py wrote: images and features
 * @returns the largest difference, relative to the largest feature
 */
export async function resnetDifference(checkpoint: Uint8Array, images: Uint8Array): Promise<number> {
  const given = readTorch(images) as Record<"images" | "features", FileArray> & TorchValue;
  const model = new MoCo(({ numClasses, head }) => resnet18({ numClasses, head }), { queueSize: 4096 });
  const optimizer = new SGD(model.parameters(), { lr: 1 });
  loadOfficialCheckpoint(readOfficialCheckpoint(checkpoint), { model, optimizer });
  const { shape, data } = given.images;
  const features = await featuresOf(model.encoderQ, tensor(data as Float32Array, { shape }));
  const values = await features.data();
  const expected = given.features.data as Float32Array;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((most, value, index) => Math.max(most, Math.abs(value - values[index]!)), 0) / largest;
}
