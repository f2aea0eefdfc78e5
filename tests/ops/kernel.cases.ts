/** Cases of ops with kernels of their own: products, convolutions, pooling, topk. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { apply } from "../../src/ops/op";
import {
  type Draw,
  given,
  type Input,
  permuted,
  repeated,
  type Row,
  row,
  strided,
  table,
  through,
  type Tolerance,
} from "./case";

const SUM: Tolerance = { abs: 1e-5, rel: 1e-5, because: "a GPU adds in f32 and in another order" };

type Product = [name: string, a: readonly number[], b: readonly number[]];

const PRODUCTS: readonly Product[] = [
  ["odd", [3, 7], [7, 5]],
  ["one", [1, 1], [1, 1]],
  ["dot", [7], [7]],
  ["vector matrix", [4], [4, 3]],
  ["matrix vector", [3, 4], [4]],
  ["batch", [2, 3, 4], [2, 4, 5]],
  ["batch matrix", [2, 3, 4], [4, 5]],
  ["matrix batch", [3, 4], [2, 4, 5]],
  ["broadcast batches", [2, 1, 3, 2], [3, 2, 2]],
  ["no rows", [0, 3], [3, 2]],
  ["no inner", [2, 0], [0, 3]],
  ["no batch", [0, 2, 3], [3, 2]],
];

const LARGE: readonly Product[] = [
  ["past a tile", [17, 33], [33, 19]],
  ["past many tiles", [130, 67], [67, 129]],
  ["long inner", [3, 2051], [2051, 5]],
  ["tall", [515, 9], [9, 3]],
  ["wide", [2, 9], [9, 515]],
  ["many batches", [65, 3, 5], [65, 5, 2]],
];

const product = ([name, a, b]: Product, grad: boolean): Row =>
  row(name, (draw) => [draw.uniform(a), draw.uniform(b)], ops.matmul, { tolerance: SUM, grad });

const swapped = (input: Input): Input => through(input, (leaf) => ops.transpose(leaf, -1, -2));

interface Conv {
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly options?: ops.Conv2dOptions;
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
  one: { x: [1, 1, 1, 1], weight: [1, 1, 1, 1] },
  "unused edge": { x: [1, 1, 6, 6], weight: [1, 1, 3, 3], options: { stride: 2 } },
};

const LARGE_CONVS: Readonly<Record<string, Conv>> = {
  "layer of 17 channels": { x: [3, 17, 9, 11], weight: [19, 17, 3, 3], options: { padding: 1 } },
  "7x7 stride 2": { x: [2, 3, 17, 19], weight: [9, 3, 7, 7], options: { stride: 2, padding: 3 } },
  "many images": { x: [33, 2, 3, 3], weight: [5, 2, 3, 3], options: { padding: 1 } },
};

type MakeConv = (conv: Conv) => { inputs: (draw: Draw) => Input[]; make: (a: Node, b: Node) => Node };

const outputShape = ({ x, weight, options }: Conv): readonly number[] =>
  ops.conv2d(ops.zeros(x), ops.zeros(weight), null, options).shape;

const attrsOf = (
  options: ops.Conv2dOptions = {},
): { stride: ops.Pair; padding: ops.Pair; dilation: ops.Pair; groups: number } => {
  const pair = (value: number | ops.Pair = 1): ops.Pair => (typeof value === "number" ? [value, value] : value);
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
    return row(name, inputs, build, { tolerance: { ...SUM, abs: 5e-5 }, grad: name in CONVS });
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
  return [row("permuted", view, build, { tolerance: SUM })];
};

const allConvRows = (make: MakeConv): Row[] => [...convRows(make), ...empties(make), ...convViews(make)];

const pool = (kernelSize: number | ops.Pair, options: ops.Pool2dOptions = {}) => ({
  forward: (x: Node): Node => ops.maxPool2d(x, kernelSize, options),
  backward: (gradOut: Node, x: Node): Node => {
    const pair = (value: number | ops.Pair): ops.Pair => (typeof value === "number" ? [value, value] : value);
    const { stride = kernelSize, padding = 0 } = options;
    return apply(ops.maxPool2dGradOp, [gradOut, x], {
      kernelSize: pair(kernelSize),
      stride: pair(stride),
      padding: pair(padding),
    });
  },
});

interface Pool {
  readonly x: readonly number[];
  readonly out: readonly number[];
  readonly pool: ReturnType<typeof pool>;
}

const POOLS: Readonly<Record<string, Pool>> = {
  "2x2": { x: [2, 2, 4, 6], out: [2, 2, 2, 3], pool: pool(2) },
  "3x3 stride 2": { x: [1, 2, 5, 7], out: [1, 2, 3, 4], pool: pool(3, { stride: 2, padding: 1 }) },
  overlapping: { x: [1, 1, 5, 4], out: [1, 1, 3, 2], pool: pool(3, { stride: 1 }) },
  unequal: { x: [1, 2, 6, 7], out: [1, 2, 5, 3], pool: pool([2, 3], { stride: [1, 2], padding: [0, 0] }) },
  one: { x: [1, 1, 1, 1], out: [1, 1, 1, 1], pool: pool(1) },
  "no images": { x: [0, 1, 2, 2], out: [0, 1, 1, 1], pool: pool(2) },
};

const poolRows = (forwardPass: boolean): Row[] =>
  Object.entries(POOLS).map(([name, { x, out, pool: ofPool }]) =>
    forwardPass
      ? row(name, (draw) => [draw.distinct(x)], ofPool.forward)
      : row(name, (draw) => [draw.uniform(out), draw.distinct(x)], ofPool.backward),
  );

/** Output sizes that do not divide a plane of 5 x 7 evenly. */
const ADAPTIVE: readonly ops.Pair[] = [[3, 4], [2, 7], [1, 5], [7, 9]]; // prettier-ignore

const topkRow = (name: string, input: (draw: Draw) => Input, k: number, options: ops.TopkOptions = {}): Row =>
  row(
    name,
    (draw) => [input(draw)],
    (x) => ops.topk(x, k, options).indices,
  );

export const kernelCases = table({
  matmul: [
    ...PRODUCTS.map((shapes) => product(shapes, true)),
    ...LARGE.map((shapes) => product(shapes, false)),
    row("transposed A", (draw) => [swapped(draw.uniform([7, 3])), draw.uniform([7, 5])], ops.matmul, {
      tolerance: SUM,
    }),
    row("transposed B", (draw) => [draw.uniform([3, 7]), swapped(draw.uniform([5, 7]))], ops.matmul, {
      tolerance: SUM,
    }),
    row(
      "transposed batches",
      (draw) => [swapped(draw.uniform([2, 4, 3])), swapped(draw.uniform([2, 5, 4]))],
      ops.matmul,
      { tolerance: SUM },
    ),
    row("permuted batches", (draw) => [permuted(draw.uniform([4, 3, 2])), draw.uniform([2, 4, 5])], ops.matmul, {
      tolerance: SUM,
    }),
    row("strided", (draw) => [strided(draw.uniform([3, 9])), draw.uniform([5, 4])], ops.matmul, { tolerance: SUM }),
    row("repeated", (draw) => [repeated(draw.uniform([5]), 3), draw.uniform([5, 4])], ops.matmul, { tolerance: SUM }),
    row(
      "with itself",
      (draw) => [draw.uniform([4, 4])],
      (x) => ops.matmul(x, ops.transpose(x, 0, 1)),
      { tolerance: SUM },
    ),
    row("NaN", () => [given([NaN, 1, 0, Infinity, 2, 3], [3, 2]), given([0, 1, 1, 0], [2, 2])], ops.matmul, {
      grad: false,
    }),
  ],
  conv2d: [
    ...allConvRows(forward),
    row(
      "bias",
      (draw) => [draw.uniform([2, 2, 4, 4]), draw.uniform([3, 2, 3, 3]), draw.uniform([3])],
      (x, weight, bias) => ops.conv2d(x, weight, bias),
      { tolerance: SUM },
    ),
    row(
      "NaN",
      () => [given([NaN, 1, 2, 3], [1, 1, 2, 2]), given([1, 0], [1, 1, 1, 2])],
      (x, weight) => ops.conv2d(x, weight),
      { grad: false },
    ),
  ],
  conv2dGradInput: allConvRows(gradInput),
  conv2dGradWeight: allConvRows(gradWeight),
  maxPool2d: [
    ...poolRows(true),
    row(
      "permuted",
      (draw) => [permuted(draw.distinct([6, 4, 2, 1]))],
      (x) => ops.maxPool2d(x, 2),
    ),
    row(
      "all negative, padded",
      (draw) => [draw.uniform([1, 1, 3, 3], -3, -1)],
      (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1 }),
    ),
    row(
      "NaN and -inf",
      () => [given([NaN, 1, 2, 3, -Infinity, -Infinity, -Infinity, -Infinity], [1, 2, 2, 2])],
      (x) => ops.maxPool2d(x, 2),
      { grad: false },
    ),
  ],
  maxPool2dGrad: [
    ...poolRows(false),
    row("ties", () => [given([1, 2], [1, 2, 1, 1]), given([1, 1, 1, 1, 0, 3, 3, 0], [1, 2, 2, 2])], pool(2).backward, {
      grad: false,
    }),
    row("NaN", () => [given([1], [1, 1, 1, 1]), given([1, NaN, 3, NaN], [1, 1, 2, 2])], pool(2).backward, {
      grad: false,
    }),
  ],
  topkIndices: [
    topkRow("rows", (draw) => draw.distinct([3, 7]), 3),
    topkRow("columns", (draw) => draw.distinct([7, 3]), 2, { dim: 0 }),
    topkRow("smallest", (draw) => draw.distinct([2, 9]), 4, { largest: false }),
    topkRow("all", (draw) => draw.distinct([2, 5]), 5),
    topkRow("one", (draw) => draw.distinct([1, 1]), 1),
    topkRow("none", (draw) => draw.distinct([2, 3]), 0),
    topkRow("no rows", (draw) => draw.distinct([0, 3]), 2),
    topkRow("ties", (draw) => draw.ints([3, 33], 0, 4, "f32"), 7),
    topkRow("permuted", (draw) => permuted(draw.distinct([9, 2])), 3),
    topkRow("long rows", (draw) => draw.distinct([5, 1031]), 5),
    topkRow("NaN", () => given([1, NaN, 3, -Infinity, Infinity, NaN], [2, 3]), 3),
    topkRow("NaN, smallest", () => given([1, NaN, 3, -Infinity, Infinity, NaN], [2, 3]), 3, { largest: false }),
    topkRow("i32", (draw) => draw.ints([2, 9], -5, 5), 3),
    topkRow(
      "large i32",
      () => given([7, 2147483647, -2147483648, 2147483646, 16777217, 16777216, 2147483647], [1, 7], "i32"),
      5,
    ),
    topkRow(
      "large u32",
      () => given([7, 4294967295, 0, 4294967294, 16777217, 16777216, 4294967295], [1, 7], "u32"),
      7,
      { largest: false },
    ),
    row(
      "values",
      (draw) => [draw.distinct([3, 7])],
      (x) => ops.topk(x, 3).values,
    ),
  ],
  customVjp: [
    row(
      "odd",
      (draw) => [draw.uniform([3, 5])],
      (x) => ops.customVjp(ops.mul(x, 3), [x], (gradOut) => [ops.mul(gradOut, 3)]),
    ),
    ...ADAPTIVE.map(([height, width]) =>
      row(
        `adaptive average to ${height}x${width}`,
        (draw) => [draw.uniform([2, 2, 5, 7])],
        (x) => ops.adaptiveAvgPool2d(x, [height, width]),
        { tolerance: SUM },
      ),
    ),
    row(
      "adaptive average, permuted",
      (draw) => [permuted(draw.uniform([7, 5, 2, 1]))],
      (x) => ops.adaptiveAvgPool2d(x, [3, 4]),
      { tolerance: SUM },
    ),
    ...[Infinity, -Infinity].map((p) =>
      row(
        `norm ${p}`,
        (draw) => [draw.distinct([3, 7])],
        (x) => ops.norm(x, p, 1),
      ),
    ),
  ],
});
