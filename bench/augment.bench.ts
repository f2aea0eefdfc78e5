/** Random views of a batch: MoCo v2's whole chain in its two dispatches for parameters and one for pixels, and its crop, also of tensor ops. */

import { type Device, Generator, openDevice, tensor, type Tensor, withDevice } from "flywheel";
import { augment, type AugmentOptions, MOCO_V2, randomResizedCrop } from "flywheel/data";
import { randomNumbers } from "./check";
import type { Row } from "./harness";
import { resident, tensorRow } from "./rows";

const BATCH = 64;
const STORED = 256;
const CHANNELS = 3;
const SIDES = [32, 96] as const;

/** Bytes of random images, the same on every device. */
function storedBytes(side: number): Uint8Array<ArrayBuffer> {
  const random = randomNumbers(side);
  return Uint8Array.from({ length: STORED * CHANNELS * side * side }, () => 256 * random());
}

const indices = (): Int32Array<ArrayBuffer> => Int32Array.from({ length: BATCH }, (_, i) => (i * 7) % STORED);

/** The same draws in every run. */
const options = (): AugmentOptions => ({ ...MOCO_V2, generator: new Generator(7) });
const crop = (): AugmentOptions => ({ scale: MOCO_V2.scale, generator: new Generator(7) });

type Make = (images: Tensor, index: Tensor) => Tensor;

const WORK: readonly { readonly work: string; readonly way: string; readonly make: Make }[] = [
  { work: "MoCo v2's views", way: "augment", make: (images, index) => augment(images, index, options()) },
  { work: "crops", way: "augment", make: (images, index) => augment(images, index, crop()) },
  { work: "crops", way: "tensor ops", make: (images, index) => randomResizedCrop(images, index, crop()).div(255) },
];

export async function rows(): Promise<Row[]> {
  const cpu = await openDevice("cpu");
  const made = await Promise.all(SIDES.map((side) => rowsOf(side, cpu)));
  return made.flat();
}

async function rowsOf(side: number, cpu: Device): Promise<Row[]> {
  const [bytes, places, shape] = [storedBytes(side), indices(), [STORED, CHANNELS, side, side]];
  const images = await resident(bytes, shape);
  const index = await tensor(places).realize();
  const count = BATCH * CHANNELS * side * side;
  const rowOf = async ({ work, way, make }: (typeof WORK)[number]): Promise<Row> => {
    const wanted = await withDevice(cpu, () => make(tensor(bytes, { shape }), tensor(places))).data();
    return tensorRow({
      ...{ work: `${work}, batch ${BATCH}, ${CHANNELS}x${side}x${side}`, way, flops: 0, bytes: 8 * count },
      compute: () => make(images, index),
      expected: { at: (at) => wanted[at]!, absolute: 1e-4 }, // within rounding: values reach 2.6, and contrast and hue add up some
    });
  };
  return Promise.all(WORK.map(rowOf));
}
