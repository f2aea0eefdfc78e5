/**
 * Tensors larger than a binding: read through windows side by side, written window by window. Here a binding holds 256 elements
 * of four bytes, so that every way of reading and writing meets the border between two windows. The fuzz in this folder does
 * the same with random graphs, `large.gpu.test.ts` with tensors as large as they come.
 */

import { beforeAll, describe, expect, test } from "vitest";
import { OutOfMemoryError } from "../../src/errors";
import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { Engine } from "../../src/runtime/engine";
import type { WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { backendWith } from "../helpers/lowLimits";
import { build, type Draw, type Input, type OpCase, permuted, row, type Row } from "../ops/case";
import { differentiable, wrongGradients, wrongOutputs } from "../ops/compare";

const LIMIT = 1024;
let backend: WebGpuBackend;
let engine: Engine;
beforeAll(async () => {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  backend = backendWith(device, { maxStorageBufferBindingSize: LIMIT });
  engine = new Engine(backend);
});

/** Two windows of f32, the second one ragged. */
const matrix = (draw: Draw): Input[] => [draw.uniform([19, 23])];
const vector = (draw: Draw): Input[] => [draw.uniform([437])];

/** A row with one matrix, or none, as input. */
const of = (name: string, make: (x: Node) => Node, draw: (draw: Draw) => Input[] = matrix): Row =>
  row(name, draw, make);

const index = (draw: Draw): Input => draw.ints([437], 0, 437);

const rows: Readonly<Record<string, readonly Row[]>> = {
  pointwise: [
    of("f32", (x) => ops.mul(ops.tanh(x), 2)),
    of("exact vec4s", ops.neg, (draw) => [draw.uniform([512])]),
    of(
      "i32",
      (x) => ops.add(ops.mul(x, 3), 1),
      (draw) => [draw.ints([437], -99, 99)],
    ),
    of(
      "u32",
      (x) => ops.bitwiseRightShift(x, 1),
      (draw) => [draw.ints([437], 0, 9999, "u32")],
    ),
    of("to bool", (x) => ops.gt(x, 0)),
    of(
      "from bool",
      (x) => ops.cast(ops.logicalNot(x), "f32"),
      (draw) => [draw.bools([437])],
    ),
    of(
      "from u8",
      (x) => ops.cast(ops.reshape(x, [3, 431]), "f32"),
      (draw) => [draw.ints([1293], 0, 256, "u8")],
    ),
    of(
      "to u8",
      (x) => ops.cast(x, "u8"),
      (draw) => [draw.ints([1293], 0, 256)],
    ),
    of(
      "u8 in another order",
      (x) => ops.flip(x, [0]),
      (draw) => [draw.ints([1293], 0, 256, "u8")],
    ),
    row("three large ones", (draw) => [draw.uniform([437]), draw.uniform([437]), draw.bools([437])], (a, b, c) => ops.where(c, a, b)), // prettier-ignore
    row("more than a kernel binds", (draw) => Array.from({ length: 7 }, () => draw.uniform([437])), (...xs) => xs.reduce((total, x) => ops.tanh(ops.add(ops.mul(total, 0.5), x)))), // prettier-ignore
  ],
  broadcasting: [
    row("a row", (draw) => [draw.uniform([19, 23]), draw.uniform([23])], ops.mul),
    row("a column", (draw) => [draw.uniform([19, 23]), draw.uniform([19, 1])], ops.mul),
    row("a large row", (draw) => [draw.uniform([437]), draw.uniform([3, 1])], ops.mul),
    of(
      "a scalar to a large tensor",
      (x) => ops.expand(x, [3, 437]),
      (draw) => [draw.uniform([])],
    ),
    of(
      "a row to a large tensor",
      (x) => ops.expand(x, [57, 23]),
      (draw) => [draw.uniform([23])],
    ),
  ],
  views: [
    of("permuted", (x) => ops.neg(ops.transpose(x, 0, 1))),
    of("permuted and reshaped", (x) => ops.reshape(ops.transpose(x, 0, 1), [437])),
    of("flipped", (x) => ops.flip(x, [0, 1])),
    of("a slice across the border", (x) => ops.narrow(x, 0, 250, 11), vector),
    of("a slice from an odd place", (x) => ops.narrow(x, 0, 3, 434), vector),
    of("every third", (x) => ops.slice(x, [1], [null], [3]), vector),
    of("every second backwards", (x) => ops.slice(x, [null], [null], [-2]), vector),
    of("columns", (x) => ops.narrow(x, 1, 5, 17)),
    row(
      "of permuted memory",
      (draw) => [permuted(draw.uniform([23, 19]))],
      (x) => ops.mul(x, 2),
    ),
  ],
  "computed places": [
    row(
      "cat of rows",
      (draw) => [draw.uniform([19, 23]), draw.uniform([2, 23])],
      (a, b) => ops.cat([a, b]),
    ),
    row(
      "cat of columns",
      (draw) => [draw.uniform([19, 23]), draw.uniform([19, 4])],
      (a, b) => ops.cat([a, b], 1),
    ),
    row("cat of six", (draw) => [437, 31, 32, 33, 1, 5].map((size) => draw.uniform([size])), (...xs) => ops.cat(xs)), // prettier-ignore
    row("cat of parts of two", (draw) => [draw.uniform([437]), draw.uniform([437])], (a, b) => ops.cat([a, b, a, b].map((x, i) => ops.narrow(x, 0, 100 * i, 77)))), // prettier-ignore
    of("padded", (x) => ops.padZeros(x, [1, 2], [3, 4])),
    of("padded by a value", (x) => ops.pad(x, [3, 5], 0.5), vector),
    row(
      "gathered",
      (draw) => [draw.uniform([437]), index(draw)],
      (x, at) => ops.gather(x, 0, at),
      { grad: false },
    ),
    row("rows by index", (draw) => [draw.uniform([19, 23]), draw.ints([40], 0, 19)], (x, at) => ops.indexSelect(x, 0, at), { grad: false }), // prettier-ignore
    of(
      "generated",
      () => ops.mul(ops.iota(1234), 2),
      () => [],
    ),
    of("triangle", (x) => ops.tril(x)),
  ],
  reductions: [
    of("all", (x) => ops.sum(x)),
    of("all of an expression", (x) => ops.sum(ops.square(ops.sub(x, 0.5)))),
    of("rows", (x) => ops.sum(x, 1)),
    of("columns", (x) => ops.sum(x, 0)),
    of(
      "the middle",
      (x) => ops.amax(x, 1),
      (draw) => [draw.distinct([7, 9, 11])],
    ),
    of(
      "outer and inner",
      (x) => ops.sum(x, [0, 2]),
      (draw) => [draw.uniform([7, 9, 11])],
    ),
    of(
      "many short rows",
      (x) => ops.sum(x, 1),
      (draw) => [draw.uniform([437, 2])],
    ),
    of(
      "many short columns",
      (x) => ops.sum(x, 0),
      (draw) => [draw.uniform([2, 437])],
    ),
    of(
      "rows, then an expression",
      (x) => ops.tanh(ops.mul(ops.sum(x, 1), 0.5)),
      (draw) => [draw.uniform([437, 2])],
    ),
    row("columns, with large operands after them", (draw) => [draw.uniform([2, 437]), draw.uniform([437])], (x, y) => ops.mul(ops.sum(x, 0), y)), // prettier-ignore
    of(
      "of bools",
      (x) => ops.sum(x, 1),
      (draw) => [draw.bools([437, 3])],
    ),
    of(
      "of integers",
      (x) => ops.amin(x, 0),
      (draw) => [draw.ints([3, 437], -99, 99)],
    ),
    of("of permuted memory", (x) => ops.sum(ops.transpose(x, 0, 1), 1)),
    of("mean and variance", (x) => ops.variance(x, 1)),
    of("softmax", (x) => ops.softmax(x, 1)),
    of("argmax", (x) => ops.argmax(x, 1)),
  ],
};

describe("tensors of several bindings", () => {
  for (const [name, list] of Object.entries(rows)) {
    const cases = list.map((make) => make(`windows of ${name}`));
    test(name, async () => {
      expect(await wrongOutputs(engine, name, cases)).toEqual([]);
    });
    const smooth = differentiable(cases);
    if (smooth.length === 0) continue;
    test(`gradients of ${name}`, async () => {
      expect(await wrongGradients(engine, name, smooth)).toEqual([]);
    });
  }

  test("all of these cases have some", () => {
    const cases: OpCase[] = Object.values(rows).flatMap((list) => list.map((make) => make("")));
    const without = cases.filter((opCase) => {
      const launches = backend.launchesOf(engine.programFor([build(opCase).output]));
      return launches.every(({ bindings }) => bindings.every(({ byteOffset }) => byteOffset === 0));
    });
    expect(without.map(({ name }) => name)).toEqual([]);
  });
});

describe("one launch", () => {
  const uniform = (...shape: number[]): Node => ops.fromHost(new Float32Array(shape.reduce((a, b) => a * b)), shape);
  const launchesOf = (output: Node) => backend.launchesOf(engine.programFor([output]));
  const windows = (output: Node) =>
    launchesOf(output).map(({ bindings }) => bindings.map(({ byteOffset, byteLength }) => [byteOffset, byteLength]));

  test("reads and writes one window where both are at the same element", () => {
    const small = [[0, 512], [0, 512]]; // prettier-ignore
    expect(windows(ops.neg(uniform(128)))).toEqual([small]);
    expect(windows(ops.neg(uniform(437)))).toEqual([
      [[0, 1024], [0, 1024]],
      [[1024, 736], [1024, 736]],
    ]); // prettier-ignore
  });

  test("reads all windows and writes one elsewhere", () => {
    expect(windows(ops.flip(uniform(437), [0]))).toEqual([
      [[0, 1024], [0, 1024], [1024, 736]],
      [[1024, 736], [0, 1024], [1024, 736]],
    ]); // prettier-ignore
  });

  test("is all there is where everything fits", () => {
    expect(windows(ops.neg(uniform(256)))).toEqual([[[0, 1024], [0, 1024]]]); // prettier-ignore
    expect(windows(ops.sum(uniform(437), 0))[0]).toHaveLength(3);
  });
});

describe("what needs all of an operand at once", () => {
  const ones = (...shape: number[]): Node =>
    ops.fromHost(new Float32Array(shape.reduce((a, b) => a * b)).fill(1), shape);
  const wrong: Readonly<Record<string, readonly [make: () => Node, message: RegExp]>> = {
    "a product": [
      () => ops.matmul(ones(20, 23), ones(23, 1)),
      /^matmul: a tensor must have at most 1\.00 KiB on this GPU, got 1\.80 KiB with .* held\. Use .* slices/,
    ],
    "a product of a view": [
      () => ops.matmul(ops.transpose(ones(23, 20), 0, 1), ones(23, 1)),
      /^matmul: .* got 1\.80 KiB/,
    ],
    "a large product": [() => ops.relu(ops.matmul(ones(20, 1), ones(1, 23))), /^matmul\+relu: .* got 1\.80 KiB/],
    "the best ones": [() => ops.topk(ones(437), 3).indices, /topkIndices: .* got 1\.72 KiB/],
    "more windows than a kernel binds": [
      () => ops.flip(ones(2100), [0]),
      /^slice: tensors must fit 8 bindings of 1\.00 KiB on this GPU, got 9\.20 KiB/,
    ],
  };
  test.each(Object.entries(wrong))("%s is out of memory, and says of what", async (_name, [make, message]) => {
    const reading = engine.read([make()]);
    await expect(reading).rejects.toThrow(OutOfMemoryError);
    await expect(reading).rejects.toThrow(message);
    expect([...(await engine.read([ops.neg(ones(3))]))[0]!]).toEqual([-1, -1, -1]);
  });

  test("takes a slice of any tensor", async () => {
    const x = ones(20, 23);
    const columns = ops.transpose(ops.narrow(x, 0, 0, 2), 0, 1);
    const [product] = await engine.read([ops.matmul(ops.narrow(x, 0, 3, 5), columns)]);
    expect([...product!]).toEqual(Array(10).fill(23));
  });
});
