/** Cases of convolutions and their gradients. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { apply } from "../../src/ops/op";
import { type Draw, type Input, type Row, given, permuted, row, table } from "./case";

/** Options in numbers, which the ops' attributes are made of. */
type ConvOptions = Omit<ops.ConvTransposeOptions, "outputPadding">;

interface Conv {
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly options?: ConvOptions;
}

const CONVS: Readonly<Record<string, Conv>> = {
  "1x1": { x: [2, 3, 4, 5], weight: [4, 3, 1, 1] },
  "3x3": { x: [1, 2, 5, 6], weight: [3, 2, 3, 3] },
  padded: { x: [2, 2, 4, 5], weight: [2, 2, 3, 3], options: { padding: 1 } },
  "stride 2": { x: [2, 2, 6, 5], weight: [2, 2, 3, 3], options: { stride: 2, padding: 1 } },
  "1x1 stride 2": { x: [1, 3, 5, 4], weight: [2, 3, 1, 1], options: { stride: 2 } },
  "stride 3, unequal": { x: [1, 1, 7, 9], weight: [2, 1, 2, 3], options: { stride: [3, 2], padding: [0, 2] } },
  dilated: { x: [1, 2, 7, 7], weight: [2, 2, 2, 3], options: { dilation: [3, 2], padding: [1, 2] } },
  groups: { x: [2, 4, 4, 3], weight: [6, 2, 3, 2], options: { groups: 2, padding: 1 } },
  depthwise: { x: [1, 3, 5, 4], weight: [3, 1, 3, 3], options: { groups: 3, padding: 1 } },
  "depthwise, two each": {
    x: [2, 3, 4, 5],
    weight: [6, 1, 2, 3],
    options: { groups: 3, stride: [1, 2], padding: [0, 1] },
  },
  "padding past the kernel": { x: [1, 2, 3, 2], weight: [2, 2, 2, 1], options: { padding: [3, 2], stride: [2, 1] } },
  "far dilation": { x: [1, 2, 13, 5], weight: [3, 2, 3, 2], options: { dilation: [6, 4], padding: [4, 0] } },
  "stride and dilation": {
    x: [1, 2, 11, 12],
    weight: [3, 2, 3, 3],
    options: { stride: [2, 3], dilation: [3, 2], padding: [2, 3] },
  },
  "even stride and dilation": {
    x: [1, 2, 9, 11],
    weight: [2, 2, 2, 3],
    options: { stride: [4, 2], dilation: [2, 4], padding: [1, 4] },
  },
  "one row": { x: [2, 3, 1, 9], weight: [2, 3, 1, 4], options: { stride: [1, 3], padding: [0, 2] } },
  one: { x: [1, 1, 1, 1], weight: [1, 1, 1, 1] },
  "unused edge": { x: [1, 1, 6, 6], weight: [1, 1, 3, 3], options: { stride: 2 } },
};

const LARGE_CONVS: Readonly<Record<string, Conv>> = {
  "layer of 17 channels": { x: [3, 17, 9, 11], weight: [19, 17, 3, 3], options: { padding: 1 } },
  "7x7 stride 2": { x: [2, 3, 17, 19], weight: [9, 3, 7, 7], options: { stride: 2, padding: 3 } },
  "large kernel": { x: [1, 2, 13, 12], weight: [3, 2, 11, 9], options: { padding: [5, 4], stride: [1, 2] } },
  "large kernel, depthwise": { x: [2, 5, 9, 10], weight: [5, 1, 7, 7], options: { padding: 3, groups: 5 } },
  "dilated by 12": { x: [1, 5, 27, 30], weight: [6, 5, 3, 3], options: { padding: 12, dilation: 12 } },
  "many images": { x: [33, 2, 3, 3], weight: [5, 2, 3, 3], options: { padding: 1 } },
};

type MakeConv = (conv: Conv) => { inputs: (draw: Draw) => Input[]; make: (a: Node, b: Node) => Node };

const outputShape = ({ x, weight, options }: Conv): readonly number[] =>
  ops.conv2d(ops.zeros(x), ops.zeros(weight), null, options).shape;

const attrsOf = (
  options: ConvOptions = {},
): { stride: ops.Pair; padding: ops.Pair; dilation: ops.Pair; groups: number } => {
  const pair = (value: ops.Sizes = 1): ops.Pair =>
    typeof value === "number" ? [value, value] : [value[0]!, value[1]!];
  return {
    stride: pair(options.stride),
    padding: pair(options.padding ?? 0),
    dilation: pair(options.dilation),
    groups: options.groups ?? 1,
  };
};

const forward: MakeConv = (conv) => ({
  inputs: (draw) => [draw.uniform(conv.x), draw.uniform(conv.weight)],
  make: (x, weight) => ops.conv2d(x, weight, null, conv.options),
});

const gradInput: MakeConv = (conv) => ({
  inputs: (draw) => [draw.uniform(outputShape(conv)), draw.uniform(conv.weight)],
  make: (g, weight) => apply(ops.conv2dGradInputOp, [g, weight], { ...attrsOf(conv.options), inputShape: conv.x }),
});

const gradWeight: MakeConv = (conv) => ({
  inputs: (draw) => [draw.uniform(conv.x), draw.uniform(outputShape(conv))],
  make: (x, g) => apply(ops.conv2dGradWeightOp, [x, g], { ...attrsOf(conv.options), weightShape: conv.weight }),
});

const convRows = (make: MakeConv): Row[] =>
  [...Object.entries(CONVS), ...Object.entries(LARGE_CONVS)].map(([name, conv]) => {
    const { inputs, make: build } = make(conv);
    return row(name, inputs, build, { grad: name in CONVS });
  });

const empties = (make: MakeConv): Row[] => {
  const { inputs, make: build } = make({ x: [0, 2, 4, 4], weight: [3, 2, 3, 3] });
  return [row("no images", inputs, build)];
};

/** Operands that are not contiguous: the first image's rows backwards, the weight permuted. */
const convViews = (make: MakeConv): Row[] => {
  const { inputs, make: build } = make({ x: [2, 3, 4, 5], weight: [4, 3, 3, 3], options: { padding: 1 } });
  const view = (draw: Draw): Input[] =>
    inputs(draw).map(({ host }) => permuted({ host: { ...host, shape: host.shape.toReversed() } }));
  return [row("permuted", view, build)];
};

const allConvRows = (make: MakeConv): Row[] => [...convRows(make), ...empties(make), ...convViews(make)];

export const cases = table({
  conv2d: [
    ...allConvRows(forward),
    row(
      "bias",
      (draw) => [draw.uniform([2, 2, 4, 4]), draw.uniform([3, 2, 3, 3]), draw.uniform([3])],
      (x, weight, bias) => ops.conv2d(x, weight, bias),
    ),
    row(
      "NaN",
      () => [given([NaN, 1, 2, 3], [1, 1, 2, 2]), given([1, 0], [1, 1, 1, 2])],
      (x, weight) => ops.conv2d(x, weight),
      { grad: false },
    ),
  ],
  conv2dGradInput: [
    ...allConvRows(gradInput),
    ...(["3x3", "stride 2", "dilated", "large kernel"] as const).map((name) => {
      const conv = { ...CONVS, ...LARGE_CONVS }[name]!;
      const size = conv.weight.reduce((product, count) => product * count, 1);
      const weight = given(
        Array.from({ length: size }, (_, i) => (i === 1 ? Infinity : 1)),
        conv.weight,
      );
      return row(
        `${name}, an infinite weight`,
        (draw) => [draw.uniform(outputShape(conv)), weight],
        gradInput(conv).make,
        {
          grad: false,
        },
      );
    }),
  ],
  conv2dGradWeight: allConvRows(gradWeight),
});
