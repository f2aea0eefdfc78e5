/** Errors of convolutions, pooling and resampling: typed, and with a way out. */

import { describe, expect, test } from "vitest";
import { DTypeError, ShapeError, ValueError } from "../../src/errors";
import type { DType, TypedArray } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { interpret } from "../../src/reference/interpret";

const of = (shape: readonly number[], dtype: DType = "f32"): Node => ops.zeros(shape, dtype);

type Kind = new (message: string) => Error;
type Row = readonly [Kind, string, () => unknown];

function check(rows: readonly Row[]): void {
  test.each(rows)("%s %s", (kind, message, act) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
    expect(act).toThrow(/^\w+: .* must .*, got .*\. .*\.$/s);
  });
}

const image = of([1, 4, 5, 6]);
const signal = of([1, 4, 6]);
const conv = (x: Node, weight: readonly number[], options: ops.ConvOptions = {}, bias?: readonly number[]): Node =>
  ops.conv2d(x, of(weight), bias ? of(bias) : null, options);
const turned = (x: Node, weight: readonly number[], options: ops.ConvTransposeOptions = {}): Node =>
  ops.convTranspose2d(x, of(weight), null, options);

describe("errors of convolutions", () => {
  check([
    [ShapeError, "conv2d: the input must be [c, h, w] or [n, c, h, w], got [4, 6]", () => conv(of([4, 6]), [3, 4, 3, 3])],
    [ShapeError, "conv1d: the input must be [c, l] or [n, c, l]", () => ops.conv1d(image, of([3, 4, 3]))],
    [ShapeError, "conv2d: weight must be [o, c / groups, kh, kw], without a size of 0", () => conv(image, [3, 4, 3])],
    [ShapeError, "got [3, 4, 0, 3]", () => conv(image, [3, 4, 0, 3])],
    [ShapeError, "got 4 channels in [1, 4, 5, 6] for weight [3, 2, 3, 3] and groups 1 (2)", () => conv(image, [3, 2, 3, 3])],
    [ShapeError, "conv1d: the input must have as many channels", () => ops.conv1d(signal, of([3, 3, 3]))],
    [ShapeError, "conv2d: groups must divide the output channels", () => conv(image, [3, 2, 3, 3], { groups: 2 })],
    [ValueError, "conv2d: groups must be a positive integer, got 0", () => conv(image, [3, 4, 3, 3], { groups: 0 })],
    [ShapeError, "conv2d: the kernel must fit into the padded input", () => conv(image, [3, 4, 6, 6])],
    [ShapeError, "dilation", () => conv(image, [3, 4, 3, 3], { dilation: 3 })],
    [ShapeError, "conv2d: bias must be [3], got [4]", () => conv(image, [3, 4, 3, 3], {}, [4])],
    [ValueError, "conv2d: stride must be one or two integers of at least 1, got [1, 0]", () => conv(image, [3, 4, 3, 3], { stride: [1, 0] })],
    [ValueError, "conv2d: padding must be one or two integers of at least 0, got -1", () => conv(image, [3, 4, 3, 3], { padding: -1 })],
    [ValueError, "conv1d: dilation must be an integer of at least 1, got 1.5", () => ops.conv1d(signal, of([3, 4, 3]), null, { dilation: 1.5 })],
    [ValueError, `padding must be sizes, "same" or "valid", got "full"`, () => conv(image, [3, 4, 3, 3], { padding: "full" as "same" })],
    [ValueError, `padding "same" must have stride 1, got [2, 1]`, () => conv(image, [3, 4, 3, 3], { padding: "same", stride: [2, 1] })],
    [DTypeError, "conv2d: dtype must be f32", () => ops.conv2d(of([1, 4, 5, 6], "i32"), of([3, 4, 3, 3], "i32"))],
    [DTypeError, "conv2d: dtypes must be equal, got f32 and f64", () => ops.conv2d(image, of([3, 4, 3, 3], "f64"))],
    [ShapeError, "convTranspose2d: the input must have as many channels", () => turned(image, [3, 4, 3, 3])],
    [ShapeError, "convTranspose2d: groups must divide the input channels", () => turned(image, [4, 1, 3, 3], { groups: 3 })],
    [ValueError, "outputPadding must be less than stride or dilation, got [1, 1]", () => turned(image, [4, 1, 3, 3], { outputPadding: 1 })],
    [ShapeError, "input and output must not be empty", () => turned(of([1, 4, 1, 1]), [4, 1, 2, 2], { padding: 1 })],
    [ShapeError, "input and output must not be empty", () => turned(of([1, 4, 0, 1]), [4, 1, 2, 2])],
  ]); // prettier-ignore
});

describe("errors of pooling", () => {
  check([
    [ShapeError, "maxPool2d: the input must be [c, h, w] or [n, c, h, w]", () => ops.maxPool2d(of([5, 6]), 2)],
    [ShapeError, "maxPool2d: the window must fit", () => ops.maxPool2d(image, 7)],
    [ShapeError, "avgPool1d: the window must fit", () => ops.avgPool1d(signal, 7)],
    [ValueError, "maxPool2d: kernelSize must be one or two integers", () => ops.maxPool2d(image, 0)],
    [ValueError, "padding must be at most half of kernelSize, got padding [2, 2]", () => ops.maxPool2d(image, 2, { padding: 2 })],
    [ValueError, "avgPool2d: padding must be one or two integers of at least 0, got 0.5", () => ops.avgPool2d(image, 3, { padding: 0.5 })],
    [ValueError, "every window must hold an element of the input", () => ops.maxPool2d(of([1, 1, 4, 4]), 2, { padding: 1, dilation: 5 })],
    [ValueError, "avgPool2d: divisorOverride must be an integer other than 0", () => ops.avgPool2d(image, 2, { divisorOverride: 0 })],
    [ValueError, "lpPool2d: normType must be a finite number other than 0", () => ops.lpPool2d(image, 0, 2)],
    [ValueError, "adaptiveAvgPool2d: outputSize must be one or two integers of at least 0, got [1, 1.5]", () => ops.adaptiveAvgPool2d(image, [1, 1.5])],
    [ShapeError, "adaptiveMaxPool2d: the input must not be empty", () => ops.adaptiveMaxPool2d(of([1, 1, 0, 3]), 1)],
    [ShapeError, "maxUnpool2d: indices must have the shape of the input", () => ops.maxUnpool2d(image, of([1, 4, 5, 5], "i32"), 2)],
    [ValueError, "maxUnpool1d: outputSize must be within stride of [12], got [14]", () => ops.maxUnpool1d(signal, of([1, 4, 6], "i32"), 2, { outputSize: 14 })],
    [DTypeError, "maxUnpool1d: index must be an integer tensor", () => ops.maxUnpool1d(signal, signal, 2)],
    [DTypeError, "maxPool2d: dtype must be f32", () => ops.maxPool2d(of([1, 1, 4, 4], "i32"), 2)],
  ]); // prettier-ignore
});

describe("errors of resampling", () => {
  const large = { size: 9 };
  check([
    [ValueError, "either size or scaleFactor must be given, got none", () => ops.interpolate(image, {})],
    [ValueError, "got both", () => ops.interpolate(image, { size: 3, scaleFactor: 2 })],
    [ValueError, 'mode must be "nearest", "nearest-exact"', () => ops.interpolate(image, { ...large, mode: "cubic" as "bicubic" })],
    [ShapeError, "mode linear must have an input [n, c, ...] with 1 more dimensions", () => ops.interpolate(image, { ...large, mode: "linear" })],
    [ValueError, "alignCorners must be left out for mode nearest", () => ops.interpolate(image, { ...large, alignCorners: false })],
    [ValueError, "antialias must have mode bilinear or bicubic", () => ops.interpolate(image, { ...large, antialias: true })],
    [ValueError, "recomputeScaleFactor must go with scaleFactor", () => ops.interpolate(image, { ...large, recomputeScaleFactor: true })],
    [ValueError, "size must be one or 2 positive integers, got [3]", () => ops.interpolate(image, { size: [3] })],
    [ValueError, "the output must not be empty", () => ops.interpolate(image, { scaleFactor: 0.1 })],
    [ShapeError, "the input must not be empty but for its batch", () => ops.interpolate(of([1, 2, 0, 3]), large)],
    [ShapeError, "gridSample: the grid must be [n, oh, ow, 2]", () => ops.gridSample(image, of([2, 3, 3, 2]))],
    [ShapeError, "gridSample: the grid must be", () => ops.gridSample(image, of([1, 3, 3, 3]))],
    [ShapeError, "gridSample: images must not be empty", () => ops.gridSample(of([1, 2, 0, 3]), of([1, 1, 1, 2]))],
    [ValueError, 'gridSample: paddingMode must be "zeros", "border" or "reflection"', () => ops.gridSample(image, of([1, 1, 1, 2]), { paddingMode: "reflect" as "reflection" })],
    [ShapeError, "affineGrid: theta must be [2, 2, 3]", () => ops.affineGrid(of([1, 2, 3]), [2, 1, 3, 3])],
    [ShapeError, "affineGrid: size must be [n, c, h, w]", () => ops.affineGrid(of([1, 2, 3]), [1, 3, 3])],
    [ShapeError, "pixelShuffle: the channels must be a multiple", () => ops.pixelShuffle(of([1, 6, 2, 2]), 2)],
    [ShapeError, "pixelUnshuffle: height and width must be multiples", () => ops.pixelUnshuffle(image, 2)],
    [ValueError, "pixelShuffle: upscaleFactor must be a positive integer", () => ops.pixelShuffle(image, 0)],
    [ValueError, "channelShuffle: groups must divide the channels", () => ops.channelShuffle(image, 3)],
  ]); // prettier-ignore
});

describe("shortcuts of resampling", () => {
  test("nothing is shuffled into nothing, and back", () => {
    expect(ops.pixelUnshuffle(of([0, 1, 4, 2]), 2).shape).toEqual([0, 4, 2, 1]); // PyTorch keeps the shape of what is empty
    expect(ops.pixelShuffle(of([0, 4, 2, 1]), 2).shape).toEqual([0, 1, 4, 2]);
  });

  // PyTorch's answers in f32 and f64: a position that is rounded to a whole number takes the next element
  test.each([
    [14, 46, "nearest", 23, 6, 7],
    [26, 22, "nearest", 11, 12, 13],
    [6, 37, "nearest-exact", 18, 2, 3],
    [14, 23, "nearest-exact", 11, 6, 7],
  ] as const)("%i to %i elements, %s: element %i is %i in f32 and %i in f64", (from, to, mode, at, single, double) => {
    const places = (dtype: "f32" | "f64"): TypedArray => {
      const x = ops.reshape(ops.cast(ops.iota(from), dtype), [1, 1, from]);
      const larger = ops.interpolate(x, { size: to, mode });
      return interpret([larger], { leaf: (leaf) => leaf.hostData! }).get(larger)!;
    };
    expect(places("f32")[at]).toBe(single);
    expect(places("f64")[at]).toBe(double);
  });

  test("whole factors of the nearest are views", () => {
    const larger = ops.interpolate(image, { scaleFactor: 3 });
    const smaller = ops.interpolate(of([1, 4, 6, 8]), { scaleFactor: 0.5 });
    expect(larger.shape).toEqual([1, 4, 15, 18]);
    expect(smaller.shape).toEqual([1, 4, 3, 4]);
    for (const node of [larger, smaller]) expect(opsOf(node)).toEqual(expect.not.arrayContaining(["gather"]));
    expect(ops.interpolate(image, { size: [5, 6] })).toBe(image);
  });
});

const opsOf = (node: Node): string[] => [node.op.name, ...node.inputs.flatMap(opsOf)];
