/** Cases of what is composed of kernels, gathers and given gradients: pooling, interpolation, sampling, transposed convolutions. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { type Draw, type Input, permuted, type Row, row, table } from "./case";

type Make = (x: Node) => Node;

/** One input of a shape. */
const of = (name: string, shape: readonly number[], make: Make): Row =>
  row(name, (draw) => [draw.uniform(shape)], make);

const resized = (name: string, shape: readonly number[], options: ops.InterpolateOptions): Row =>
  of(name, shape, (x) => ops.interpolate(x, options));

const INTERPOLATIONS: readonly Row[] = [
  resized("nearest", [2, 2, 5, 4], { size: [7, 3] }),
  resized("nearest by whole factors", [1, 2, 3, 4], { size: [6, 2] }),
  resized("nearest-exact", [1, 2, 5, 4], { scaleFactor: [1.7, 0.6], mode: "nearest-exact" }),
  resized("linear", [2, 2, 5], { size: 8, mode: "linear" }),
  resized("bilinear", [2, 1, 3, 5], { size: [7, 4], mode: "bilinear" }),
  resized("bilinear, corners", [1, 2, 4, 3], { size: [3, 6], mode: "bilinear", alignCorners: true }),
  resized("bilinear, far apart", [1, 1, 2, 2], { size: [13, 17], mode: "bilinear" }), // its gradient is a reduction
  resized("trilinear", [1, 1, 2, 3, 2], { scaleFactor: 1.6, mode: "trilinear" }),
  resized("bicubic", [1, 1, 4, 5], { size: [7, 3], mode: "bicubic" }),
  resized("area", [1, 2, 5, 7], { size: [3, 4], mode: "area" }),
  resized("antialiased", [1, 1, 9, 7], { size: [4, 3], mode: "bilinear", antialias: true }),
  resized("no images", [0, 2, 3, 4], { size: 5, mode: "bilinear" }),
  row(
    "bilinear, permuted",
    (draw) => [permuted(draw.uniform([5, 3, 2, 1]))],
    (x) => ops.interpolate(x, { size: [4, 7], mode: "bilinear" }),
  ),
];

const AVERAGES: readonly Row[] = [
  of("average, cut", [1, 2, 6, 7], (x) => ops.avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true })),
  of("average, cut, inside", [1, 1, 5, 6], (x) =>
    ops.avgPool2d(x, 2, { stride: 3, padding: 1, ceilMode: true, countIncludePad: false }),
  ),
  of("average, divided by 3", [1, 2, 4, 5], (x) => ops.avgPool2d(x, 2, { divisorOverride: 3 })),
  of("average of signals", [3, 8], (x) => ops.avgPool1d(x, 3, { stride: 2, padding: 1 })),
  row(
    "power average",
    (draw) => [draw.uniform([2, 1, 4, 6], 0.3, 2)],
    (x) => ops.lpPool2d(x, 3, [2, 3]),
  ),
];

const SHUFFLES: readonly Row[] = [
  of("pixelShuffle", [2, 8, 2, 3], (x) => ops.pixelShuffle(x, 2)),
  of("pixelUnshuffle", [2, 2, 4, 6], (x) => ops.pixelUnshuffle(x, 2)),
  of("channelShuffle", [2, 6, 2, 3], (x) => ops.channelShuffle(x, 3)),
];

const sampled = (name: string, options: ops.GridSampleOptions, grid: (draw: Draw) => Input): Row =>
  row(
    name,
    (draw) => [draw.uniform([2, 3, 4, 5]), grid(draw)],
    (x, places) => ops.gridSample(x, places, options),
  );

/** Places around an image, none of them near a kink: those are at whole pixels. */
const places = (draw: Draw): Input => {
  const input = draw.uniform([2, 3, 2, 2], -1.6, 1.6);
  const { data } = input.host;
  for (const size of [4, 5, 8, 10]) {
    data.forEach((value: number, i: number) => {
      const pixel = ((value + 1) * size) / 2;
      const beyond = pixel - Math.round(pixel);
      if (Math.abs(beyond) < 0.05) data[i] = value + 0.03;
    });
  }
  return input;
};

const SAMPLES: readonly Row[] = (["zeros", "border", "reflection"] as const).flatMap((paddingMode) => [
  sampled(`sampled, ${paddingMode}`, { paddingMode }, places),
  sampled(`sampled, ${paddingMode}, corners`, { paddingMode, alignCorners: true }, places),
  sampled(`nearest, ${paddingMode}`, { paddingMode, mode: "nearest" }, places),
]);

const AFFINE: readonly Row[] = [
  of("affine grid", [2, 2, 3], (theta) => ops.affineGrid(theta, [2, 1, 3, 4])),
  of("affine grid, corners", [1, 2, 3], (theta) => ops.affineGrid(theta, [1, 1, 1, 5], true)),
];

interface Turned {
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly options?: ops.ConvTransposeOptions;
}

const TRANSPOSED: Readonly<Record<string, Turned>> = {
  "turned": { x: [2, 3, 3, 4], weight: [3, 2, 3, 3] },
  "turned, stride 2": { x: [1, 2, 3, 4], weight: [2, 3, 3, 3], options: { stride: 2, padding: 1, outputPadding: 1 } },
  "turned, groups": { x: [1, 4, 3, 3], weight: [4, 2, 2, 2], options: { groups: 2, stride: [1, 3] } },
  "turned, padded past stride": { x: [1, 1, 3, 2], weight: [1, 2, 2, 2], options: { dilation: 3, padding: 2, outputPadding: [2, 1] } },
  "turned, no images": { x: [0, 2, 3, 3], weight: [2, 3, 2, 2] },
}; // prettier-ignore

const transposed = Object.entries(TRANSPOSED).map(([name, { x, weight, options }]) =>
  row(
    name,
    (draw) => [draw.uniform(x), draw.uniform(weight)],
    (input, kernel) => ops.convTranspose2d(input, kernel, null, options),
  ),
);

export const cases = table({
  customVjp: INTERPOLATIONS.slice(3),
  expand: INTERPOLATIONS.slice(0, 3),
  slice: AVERAGES,
  permute: SHUFFLES,
  gather: SAMPLES,
  arange: AFFINE,
  conv2d: [
    row(
      "same, even",
      (draw) => [draw.uniform([1, 2, 4, 5]), draw.uniform([2, 2, 2, 4]), draw.uniform([2])],
      (x, weight, bias) => ops.conv2d(x, weight, bias, { padding: "same" }),
    ),
    row(
      "signals",
      (draw) => [draw.uniform([2, 4, 7]), draw.uniform([6, 2, 3]), draw.uniform([6])],
      (x, weight, bias) => ops.conv1d(x, weight, bias, { groups: 2, stride: 2, padding: 1 }),
    ),
    row(
      "one image",
      (draw) => [draw.uniform([2, 4, 5]), draw.uniform([3, 2, 3, 3])],
      (x, weight) => ops.conv2d(x, weight),
    ),
  ],
  conv2dGradInput: [
    ...transposed,
    row(
      "turned signals",
      (draw) => [draw.uniform([2, 3, 4]), draw.uniform([3, 2, 4]), draw.uniform([2])],
      (x, weight, bias) => ops.convTranspose1d(x, weight, bias, { stride: 2, padding: 1 }),
    ),
  ],
});
