/** What callers without types get wrong in reductions, order, random numbers and creation: typed errors that say what to do. */

import { describe, expect, test } from "vitest";
import * as flywheel from "../../src";
import {
  bernoulli,
  DeviceError,
  DTypeError,
  eye,
  full,
  Generator,
  linspace,
  multinomial,
  nn,
  ones,
  Parameter,
  rand,
  randint,
  randn,
  randperm,
  searchsorted,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  zeros,
  zerosLike,
} from "../../src";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

const untyped = (value: unknown): never => value as never;
const matrix = (): Tensor => tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
const nothing = (): Tensor => zeros([0, 3]);
const integers = (): Tensor => tensor([1, 2, 3], { dtype: "i32" });
const scalar = (): Tensor => tensor(2);

type Misuse = readonly [call: string, kind: new (message: string) => Error, message: string, act: () => unknown];

const SHAPES: readonly Misuse[] = [
  ["diagonal(0.5)", ValueError, "diagonal: the diagonal must be an integer, got 0.5", () => matrix().diagonal(0.5)],
  ["diagEmbed('1')", ValueError, 'the diagonal must be an integer, got the string "1"', () => matrix().diagEmbed(untyped("1"))],
  ["tril(NaN)", ValueError, "tril: the diagonal must be an integer, got NaN", () => matrix().tril(NaN)],
  ["flatten(1) of a scalar", ShapeError, "flatten: dim must be an integer in -1..0, got 1", () => scalar().flatten(1)],
  ["transpose(0, 1) of a scalar", ShapeError, "transpose: dim must be an integer in -1..0, got 1", () => scalar().transpose(0, 1)],
  ["split()", ShapeError, "split: it takes a number or a list of numbers, got undefined", () => matrix().split(untyped(undefined))],
  ["tensorSplit(null)", ShapeError, "tensorSplit: it takes a number or a list of numbers, got null", () => matrix().tensorSplit(untyped(null))],
  ["pad(1)", ShapeError, "pad: padding must be pairs of integers, at most one per dimension, got 1 for [2, 3]", () => flywheel.F.pad(matrix(), untyped(1))],
  ["layerNorm()", ShapeError, "layerNorm: the input must end in normalizedShape undefined", () => flywheel.F.layerNorm(matrix(), untyped(undefined))],
  ["maskedFill by u8, of a scalar", DTypeError, "maskedFill: mask must be bool, got u8", () => scalar().maskedFill(scalar().to("u8"), 1)],
  ["maskedFill by i32, of nothing", DTypeError, "maskedFill: mask must be bool, got i32", () => nothing().maskedFill(nothing().to("i32"), 1)],
  ["an embedding of another row", flywheel.IndexError, "embedding: index must be in 0..1, got 3", () => flywheel.F.embedding(tensor([3], { dtype: "i32" }), matrix())],
  ["maskedFill with null", DTypeError, "maskedFill: operands must be tensors, numbers or booleans, got null", () => matrix().maskedFill(matrix().gt(2), untyped(null))],
]; // prettier-ignore

const REDUCTIONS: readonly Misuse[] = [
  ["sum(2)", ShapeError, "sum: dim must be an integer in -2..1, got 2", () => matrix().sum(2)],
  ["sum([0, -2])", ShapeError, "sum: each dim must appear once, got [0, 0]", () => matrix().sum([0, -2])],
  ["sum(0.5)", ShapeError, "sum: dim must be an integer", () => matrix().sum(0.5)],
  ["sum({ keepDim })", ShapeError, "write undefined for all dims", () => matrix().sum(untyped({ keepDim: true }))],
  ["sum to int64", DTypeError, 'got int64. Write "i32"', () => matrix().sum(0, { dtype: untyped("int64") })],
  ["mean to i32", DTypeError, "mean: dtype must be a float", () => matrix().mean(0, { dtype: "i32" })],
  ["any('a')", ShapeError, "any: dim must be", () => matrix().any(untyped("a"))],
  ["countNonzero(9)", ShapeError, "countNonzero: dim must be", () => matrix().countNonzero(9)],
  ["amax of nothing", ShapeError, "amax: the dims that are reduced must not be empty", () => nothing().amax(0)],
  ["max of nothing", ShapeError, "max: the dims that are reduced must not be empty", () => nothing().max()],
  ["min of nothing", ShapeError, "min: the dims that are reduced must not be empty", () => nothing().min(0)],
  ["aminmax of nothing", ShapeError, "aminmax: the dims that are reduced", () => nothing().aminmax()],
  ["argmax of nothing", ShapeError, "argmax: the dims that are reduced must not be empty", () => nothing().argmax()],
  ["max([0, 1])", ShapeError, "max: dim must be an integer", () => matrix().max(untyped([0, 1]))],
  ["std correction '1'", ValueError, "std: correction must be", () => matrix().std(0, { correction: untyped("1") })],
  ["norm('nuc')", ValueError, 'norm: p must be a number or "fro"', () => matrix().norm(untyped("nuc"))],
  ["cdist of vectors", ShapeError, "cdist: both must be [..., rows, m]", () => flywheel.cdist(integers(), integers())],
];

const SCANS_AND_ORDER: readonly Misuse[] = [
  [
    "cumsum()",
    ShapeError,
    "cumsum: dim must be an integer in -2..1, got undefined",
    () => matrix().cumsum(untyped(undefined)),
  ],
  ["cumprod(0, 'i32')", ValueError, "cumprod: options must be one object", () => matrix().cumprod(0, untyped("i32"))],
  ["diff of a scalar", ShapeError, "diff: there must be at least one dimension", () => scalar().diff()],
  [
    "diff with a number",
    DTypeError,
    "diff: it takes a tensor, got 1",
    () => matrix().diff(1, -1, { prepend: untyped(1) }),
  ],
  ["topk(9)", ShapeError, "topk: k must be in 0..3, got 9", () => matrix().topk(9)],
  ["topk('2')", ShapeError, "topk: k must be in 0..3", () => matrix().topk(untyped("2"))],
  ["sort(7)", ShapeError, "sort: dim must be an integer in -2..1, got 7", () => matrix().sort(7)],
  ["sort('a')", ValueError, "sort: options must be one object", () => matrix().sort(untyped("a"))],
  ["kthvalue(0)", ShapeError, "kthvalue: k must be in 1..3, got 0", () => matrix().kthvalue(0)],
  ["median(0) of nothing", ShapeError, "median: the dim that is reduced must not be empty", () => nothing().median(0)],
  ["median of no integers", ShapeError, "median: the dim that is reduced", () => zeros([0], { dtype: "i32" }).median()],
  ["mode of nothing", ShapeError, "mode: the dim that is reduced must not be empty", () => nothing().mode(0)],
  [
    "quantile()",
    ValueError,
    "quantile: q must be a number, a list or a tensor",
    () => matrix().quantile(untyped(undefined)),
  ],
  ["quantile(2)", ValueError, "quantile: q must be in 0..1, got 2", () => matrix().quantile([0.5, 2])],
  ["quantile of integers", DTypeError, "quantile: dtype must be f32", () => integers().quantile(0.5)],
  ["quantile of nothing", ShapeError, "quantile: the tensor must not be empty", () => nothing().quantile(0.5, 1)],
  [
    "quantile, cubic",
    ValueError,
    'quantile: interpolation must be "linear", "lower", "higher"',
    () => matrix().quantile(0.5, 0, { interpolation: untyped("cubic") }),
  ],
  [
    "quantile at a matrix",
    ShapeError,
    "quantile: q must be a number or have one dimension",
    () => matrix().quantile(tensor([[0.5]])),
  ],
  ["histc(3, 2, 1)", ValueError, "histc: min and max must be finite", () => matrix().histc(3, 2, 1)],
  ["histc of integers", DTypeError, "histc: dtype must be f32, got i32. Use bincount", () => integers().histc()],
  [
    "bucketize by a matrix",
    ShapeError,
    "bucketize: boundaries must have 1 dimension",
    () => matrix().bucketize(matrix()),
  ],
  ["bucketize(1)", DTypeError, "bucketize: it takes a tensor, got 1", () => matrix().bucketize(untyped(1))],
  [
    "searchsorted, other rows",
    ShapeError,
    "searchsorted: the sequence must have",
    () => searchsorted(matrix(), ones([3, 2])),
  ],
  [
    "searchsorted, middle",
    ValueError,
    'side must be "left" or "right"',
    () => searchsorted(integers(), 1, { side: untyped("middle") }),
  ],
  [
    "searchsorted, both",
    ValueError,
    "Give one of them",
    () => searchsorted(integers(), 1, { side: "left", right: true }),
  ],
];

const RANDOM: readonly Misuse[] = [
  ["rand('3')", ShapeError, 'got the string "3". Write rand([2, 3]) or rand(2, 3)', () => rand(untyped("3"))],
  ["rand([2.5])", ShapeError, "rand: sizes must be non-negative integers", () => rand([2.5])],
  ["rand([2], [3])", ValueError, "rand: options must be one object", () => rand([2], untyped([3]))],
  ["randn({ size })", ValueError, "randn: options must have names of", () => randn(untyped({ size: [2] }))],
  [
    "rand of a seed",
    ValueError,
    "rand: generator must be a Generator, got 5",
    () => rand([2], { generator: untyped(5) }),
  ],
  ["randint(5)", ShapeError, "Write randint(0, 10, [2, 3])", () => randint(5, untyped(undefined))],
  ["randperm(-1)", ShapeError, "randperm: sizes must be", () => randperm(-1)],
  ["bernoulli(0.5)", DTypeError, "bernoulli: it takes a tensor, got 0.5", () => bernoulli(untyped(0.5))],
  ["multinomial(0.5)", DTypeError, "multinomial: it takes a tensor", () => multinomial(untyped(0.5), 1)],
  [
    "multinomial(w, 1, true)",
    ValueError,
    "multinomial: options must be one object",
    () => multinomial(tensor([1, 2]), 1, untyped(true)),
  ],
  [
    "randomBits of long",
    DTypeError,
    "randomBits: dtype must be one of",
    () => flywheel.randomBits([2], { dtype: untyped("long") }),
  ],
  ["randomBits(2)", ValueError, "randomBits: shape must be a list, got 2", () => flywheel.randomBits(untyped(2))],
  ["setState(null)", ValueError, "Generator: seed must be an integer", () => new Generator().setState(untyped(null))],
  ["setState({})", ValueError, "Generator: seed must be an integer", () => new Generator().setState(untyped({}))],
  [
    "xavierUniform_(w, 'a')",
    ValueError,
    "xavierUniform_: options must be",
    () => nn.init.xavierUniform_(new Parameter(ones([2, 2])), untyped("a")),
  ],
  [
    "kaimingUniform_(w, 'fanIn')",
    ValueError,
    "kaiming: options must be",
    () => nn.init.kaimingUniform_(new Parameter(ones([2, 2])), untyped("fanIn")),
  ],
];

const CREATION: readonly Misuse[] = [
  ["tensor of int64", DTypeError, 'got int64. Write "i32"', () => tensor([1], { dtype: untyped("int64") })],
  ["tensor of torch.float64", DTypeError, 'Write "f64"', () => tensor([1], { dtype: untyped("torch.float64") })],
  [
    "tensor requires_grad",
    ValueError,
    "got requires_grad. Write requiresGrad",
    () => tensor([1], untyped({ requires_grad: true })),
  ],
  ["tensor([1, 2], [2])", ValueError, "tensor: options must be one object", () => tensor([1, 2], untyped([2]))],
  ["tensor(null)", DTypeError, "tensor: values must be numbers or booleans, got null", () => tensor(untyped(null))],
  ["to('long')", DTypeError, 'got long. Write "i32"', () => matrix().to(untyped("long"))],
  ["to()", DTypeError, "to: it takes a dtype or a device, got undefined", () => matrix().to(untyped(undefined))],
  ["zeros(2, -1)", ShapeError, "zeros: sizes must be non-negative integers", () => zeros(2, -1)],
  [
    "ones on 'cpu'",
    DeviceError,
    'ones: the device must be a Device, got the string "cpu"',
    () => ones([2], { device: untyped("cpu") }),
  ],
  ["full(2, 3)", ShapeError, "full: the size must be a list, got 2", () => full(untyped(2), 3)],
  ["full([2])", DTypeError, "full: operands must be", () => full([2], untyped(undefined))],
  ["full of i32", DTypeError, "full: a number for i32 must be an integer", () => full([2], 0.5, { dtype: "i32" })],
  ["zerosLike(3)", DTypeError, "zerosLike: it takes a tensor, got 3", () => zerosLike(untyped(3))],
  [
    "eye of long",
    DTypeError,
    'eye: dtype must be one of f64, f32, f16, i32, u32, bool, u8, got long. Write "i32"',
    () => eye(2, 2, { dtype: untyped("long") }),
  ],
  ["eye(-1)", ShapeError, "eye: sizes must be non-negative integers", () => eye(-1)],
  ["linspace('0', 1, 3)", DTypeError, "linspace: operands must be", () => linspace(untyped("0"), 1, 3)],
  ["arange()", ValueError, "arange: there must be an end", () => flywheel.arange(untyped(undefined))],
];

describe.each(Object.entries({ SHAPES, REDUCTIONS, SCANS_AND_ORDER, RANDOM, CREATION }))("%s", (_name, table) => {
  test.each(table)("%s", (_call, kind, message, act) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });
});

test("what is awaited rejects", async () => {
  await expect(matrix().bincount()).rejects.toThrow("bincount: the tensor must have 1 dimension");
  await expect(tensor([1.5]).bincount()).rejects.toThrow("bincount: the tensor must hold integers");
  await expect(tensor([1, -1], { dtype: "i32" }).bincount()).rejects.toThrow(
    "bincount: elements must not be negative, got -1",
  );
  await expect(integers().bincount(ones([4]))).rejects.toThrow(
    "bincount: weights must have the tensor's shape [3], got [4]",
  );
  await expect(integers().bincount(ones([3, 1]))).rejects.toThrow("bincount: weights must have the tensor's shape");
  await expect(integers().bincount(null, -1)).rejects.toThrow("bincount: minlength must be an integer of at least 0");
  await expect(integers().bincount(null, 1.5)).rejects.toThrow("bincount: minlength must be an integer of at least 0");
  await expect(matrix().unique(untyped({ return_inverse: true }))).rejects.toThrow("Write returnInverse");
});

test("integers that a cast wraps are indices as they come out", async () => {
  const wrapped = tensor([256, 1], { dtype: "i32" }).to("u8"); // 0, 1
  expect(await tensor([5, 6]).gather(0, wrapped).toArray()).toEqual([5, 6]);
  const losses = flywheel.F.crossEntropy(tensor([[0, 1000], [0, 1000]]), wrapped, { reduction: "none" }); // prettier-ignore
  expect(await losses.toArray()).toEqual([1000, 0]);
});

test("indices of floats are of a wrong dtype, whatever their values", () => {
  const floats = tensor([7.5]);
  expect(() => tensor([1]).gather(0, floats)).toThrow("gather: index must be an integer tensor, got f32");
  expect(() => flywheel.F.oneHot(floats)).toThrow("oneHot: index must be an integer tensor, got f32");
});

test("null is all dims, as None is", async () => {
  expect(await matrix().sum(untyped(null)).item()).toBe(21);
  expect(await matrix().sum([]).item()).toBe(21);
});

test("a tensor that no memory holds, on the CPU", async () => {
  for (const total of [
    zeros([1e7, 1e6]).sum(),
    ones([1e7, 1])
      .mul(ones([1, 1e6]))
      .sum(),
  ]) {
    const error: unknown = await total.item().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(flywheel.OutOfMemoryError);
    expect((error as Error).message).toMatch(
      /^\w+: the host must have memory .* got none for [48]0000000000000 bytes, 10000000000000 elements of f32/,
    );
  }
});
