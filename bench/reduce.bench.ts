/** Reductions: all of an array, its rows, its columns, and softmax, which goes over the rows more than once. */

import type { Tensor } from "flywheel";
import { type Expected, randomArray } from "./check";
import type { Row } from "./harness";
import { resident, tensorRow } from "./rows";

const ROWS = 4096;
const COLS = 1024;
const COUNT = ROWS * COLS;
const CHANNELS = 64;
/** Sides of the images whose channels are summed: of 32 pixels, each is a page of memory by itself. */
const SIDES = [32, 64];
/** Both statistics show in one number: a kernel that stores it is one launch. */
const VARIANCE = 4;

/** As `F.batchNorm` computes them: means of the channels, then the means of their squares. */
function statisticsOf(images: Tensor): Tensor {
  const mean = images.mean([0, 2, 3], { keepDim: true });
  const variance = images.sub(mean).square().mean([0, 2, 3], { keepDim: true });
  return mean.add(variance.mul(VARIANCE));
}

export async function rows(): Promise<Row[]> {
  const values = randomArray(COUNT, { low: 0 }); // sums that do not cancel
  const x = await resident(values, [ROWS, COLS]);
  const sumOf = (begin: number, count: number, step: number): number => {
    let sum = 0;
    for (let index = begin, i = 0; i < count; i++, index += step) sum += values[index]!;
    return sum;
  };
  const row = (
    work: string,
    { written, passes = 1 }: { written: number; passes?: number },
    compute: () => Tensor,
    at: Expected["at"],
  ): Row =>
    tensorRow({
      ...{ work, way: "default", compute },
      flops: passes * COUNT,
      bytes: 4 * (COUNT + written),
      expected: { at, relative: 1e-4, absolute: 1e-9 },
    });
  const statistics = await Promise.all(
    SIDES.map(async (side): Promise<Row> => {
      const [images, pixels] = [COUNT / CHANNELS / side ** 2, side ** 2];
      const x = await resident(values, [images, CHANNELS, side, side]);
      return tensorRow({
        ...{ work: `BatchNorm statistics, ${images}x${CHANNELS}x${side}x${side}`, way: "default" },
        compute: () => statisticsOf(x),
        flops: 4 * COUNT, // sum, deviation, square, sum
        bytes: 4 * COUNT,
        expected: { at: (channel) => statisticAt(channel, images, pixels), relative: 1e-5, absolute: 1e-6 },
      });
    }),
  );
  return [
    ...statistics,
    row("sum of 4 M", { written: 1 }, () => x.sum(), () => sumOf(0, COUNT, 1)), // prettier-ignore
    row("sum of rows, 4096x1024", { written: ROWS }, () => x.sum(1), (i) => sumOf(i * COLS, COLS, 1)), // prettier-ignore
    row("sum of columns, 4096x1024", { written: COLS }, () => x.sum(0), (i) => sumOf(i, ROWS, COLS)), // prettier-ignore
    // per element: maximum, difference, exponential, sum, quotient
    row("softmax of rows, 4096x1024", { written: COUNT, passes: 5 }, () => x.softmax(1), softmaxAt),
  ];

  function statisticAt(channel: number, images: number, pixels: number): number {
    let [sum, squares] = [0, 0];
    for (let image = 0; image < images; image++) {
      const begin = (image * CHANNELS + channel) * pixels;
      for (let i = begin; i < begin + pixels; i++) {
        sum += values[i]!;
        squares += values[i]! ** 2;
      }
    }
    const mean = sum / (images * pixels);
    return mean + VARIANCE * (squares / (images * pixels) - mean ** 2);
  }

  function softmaxAt(index: number): number {
    const begin = index - (index % COLS);
    let sum = 0;
    for (let i = begin; i < begin + COLS; i++) sum += Math.exp(values[i]!);
    return Math.exp(values[index]!) / sum;
  }
}
