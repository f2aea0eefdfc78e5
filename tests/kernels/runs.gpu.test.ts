/** Loops whose turns are several steps, written out: by how much the sizes allow, and right in each. */

import { beforeAll, expect, test } from "vitest";
import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { CpuBackend } from "../../src/runtime/cpuBackend";
import { Engine } from "../../src/runtime/engine";
import type { WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { backendWith } from "../helpers/lowLimits";
import { Draw } from "../ops/case";
import { mismatch } from "../ops/compare";

let backend: WebGpuBackend;
let engine: Engine;
const reference = new Engine(new CpuBackend());
beforeAll(async () => {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  backend = backendWith(device, {});
  Object.assign(backend.gpu.limits, { adapterClass: "software" });
  engine = new Engine(backend);
});

const matrix = (rows: number, cols: number): Node => {
  const { data } = new Draw(`${rows} by ${cols}`).uniform([rows, cols], -2, 2).host;
  return ops.fromHost(data, [rows, cols]);
};

const softmax = (x: Node): Node => {
  const spread = (row: Node): Node => ops.expand(ops.reshape(row, [x.shape[0]!, 1]), x.shape);
  const powers = ops.exp(ops.sub(x, spread(ops.amax(x, [1]))));
  return ops.div(powers, spread(ops.sum(powers, [1])));
};

const COMPUTED: Readonly<Record<string, (x: Node) => Node>> = {
  "an expression": (x) => ops.mul(ops.relu(ops.add(x, x)), x),
  "sum of all": (x) => ops.sum(x, [0, 1]),
  "sum of rows": (x) => ops.sum(x, [1]),
  "sum of columns": (x) => ops.sum(x, [0]),
  softmax,
};

/** Vec4s of a row, of a column and of all decide. */
const SIZES = [
  { rows: 256, cols: 288, runs: [4, 8, 8, 8, 1] },
  { rows: 1280, cols: 320, runs: [4, 8, 8, 8, 4] },
  { rows: 262, cols: 264, runs: [4, 4, 2, 2, 1] },
  { rows: 259, cols: 260, runs: [1, 1, 1, 1, 1] },
  { rows: 259, cols: 273, runs: [1, 1, 1, 1, 1] },
  { rows: 64, cols: 64, runs: [1, 1, 1, 1, 1] },
];

for (const { rows, cols, runs } of SIZES) {
  for (const [index, [name, compute]] of Object.entries(COMPUTED).entries()) {
    test(`${name}, ${rows} x ${cols}`, async () => {
      const value = compute(matrix(rows, cols));
      const [first] = backend.launchesOf(engine.programFor([value]));
      expect(Number(/const RUN = (\d)u;/.exec(first!.wgsl)![1])).toBe(runs[index]);
      expect(await mismatch(engine, [value], name)).toBeNull();
    });
  }
}

test("what a level computes at some cost is kept where the result will lie", async () => {
  for (const [cols, times] of [
    [288, 1],
    [273, 2], // no whole vec4s
  ] as const) {
    const value = softmax(matrix(256, cols));
    const [only, ...others] = backend.launchesOf(engine.programFor([value]));
    expect(others).toEqual([]);
    expect(only!.wgsl.match(/= vec4<f32>\(ieee_exp\(/g)).toHaveLength(times);
    expect(await mismatch(engine, [value], "softmax")).toBeNull();
  }
});

/** A sum of squares around what `middle` makes of each row's sum. */
function squaresAround(x: Node, middle: (sum: Node) => Node): Node {
  const sum = ops.reshape(ops.sum(x, [1]), [x.shape[0]!, 1]);
  return ops.sum(ops.square(ops.sub(x, ops.expand(middle(sum), x.shape))), [1]);
}

const isOfMoments = (value: Node): boolean =>
  /const MOMENTS = 1u;/.test(backend.launchesOf(engine.programFor([value]))[0]!.wgsl);

test.each([
  ["the mean", (sum: Node) => ops.div(sum, 288), 288],
  ["another value", (sum: Node) => ops.div(sum, 7), 288],
  ["the mean, four numbers a turn", (sum: Node) => ops.div(sum, 292), 292],
] as const)("a sum and squares around %s in one sweep", async (name, middle, cols) => {
  const value = squaresAround(matrix(256, cols), middle);
  expect(isOfMoments(value)).toBe(true);
  expect(await mismatch(engine, [value], name)).toBeNull();
});

test("squares around the mean are exact far from 0, where the first number is far from all others too", async () => {
  const [rows, cols] = [64, 2048];
  const data = Float32Array.from({ length: rows * cols }, (_, i) => 1e4 + Math.sin(i) + (i % cols === 0 ? -1e4 : 0));
  const value = squaresAround(ops.fromHost(data, [rows, cols]), (sum) => ops.div(sum, cols));
  expect(isOfMoments(value)).toBe(true);
  const [got] = await engine.read([value]);
  for (let row = 0; row < rows; row++) {
    const numbers = [...data.subarray(row * cols, (row + 1) * cols)];
    const mean = numbers.reduce((sum, x) => sum + x, 0) / cols;
    const squares = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    // the mean is rounded to f32 before it is subtracted, and squares of 1e4 are; 80 additions of positive numbers in a row
    expect(Math.abs(got![row]! - squares)).toBeLessThan(squares * 90 * 2 ** -24);
  }
});

test.each([
  [
    "an infinite number, around the mean",
    (i: number) => (i % 256 === 130 ? Infinity : 1),
    (sum: Node) => ops.div(sum, 256),
  ],
  [
    "an infinite number, around a finite one",
    (i: number) => (i % 256 === 130 ? Infinity : 1),
    (sum: Node) => ops.minimum(sum, 3),
  ],
  ["squares beyond all floats", (i: number) => (i % 2 === 0 ? 1e20 : -1e20), (sum: Node) => ops.div(sum, 256)],
  ["a sum beyond all floats", (i: number) => 1e38 * (1 + (i % 3)), (sum: Node) => ops.div(sum, 256)],
] as const)("a row with %s", async (_name, at, middle) => {
  const x = ops.fromHost(
    Float32Array.from({ length: 64 * 256 }, (_, i) => at(i)),
    [64, 256],
  );
  const squares = squaresAround(x, middle);
  expect(isOfMoments(squares)).toBe(true);
  const [sum, found] = await engine.read([ops.sum(x, [1]), squares]);
  const [sumThere, there] = await reference.read([ops.sum(x, [1]), squares]);
  expect([...found!]).toEqual([...there!]);
  expect([...sum!].map(Number.isFinite)).toEqual([...sumThere!].map(Number.isFinite));
});

/** Bits of NaN that carry something, as a page may have made them. */
const MARKED_NAN = new Float32Array(Uint32Array.of(0x7fc0_0001).buffer)[0]!;
const LOWEST = -(2 - 2 ** -23) * 2 ** 127;

const rowsOf = (at: (i: number) => number, cols: number): Node =>
  ops.fromHost(
    Float32Array.from({ length: 64 * cols }, (_, i) => at(i % cols)),
    [64, cols],
  );

test.each([
  ["numbers", (i: number) => Math.sin(i * 12.9) * 4],
  ["rising numbers", (i: number) => i / 3],
  ["falling numbers", (i: number) => -i / 3],
  ["a largest number at the end", (i: number) => (i % 272 === 271 ? 60 : -20 + (i % 7))],
  ["a mask over its first half", (i: number) => (i < 140 ? -Infinity : Math.cos(i))],
  ["a mask over all", () => -Infinity],
  ["an infinite number", (i: number) => (i === 130 ? Infinity : Math.cos(i))],
  ["a number that is none", (i: number) => (i === 131 ? NaN : Math.cos(i))],
  ["a number that is none, with a mark", (i: number) => (i === 9 ? MARKED_NAN : Math.cos(i))],
  ["the lowest numbers", () => LOWEST],
  ["numbers as far apart as can be", (i: number) => (i % 3 === 0 ? LOWEST : -LOWEST)],
] as const)("exponentials around the maximum, in one sweep, of rows with %s", async (name, at) => {
  for (const cols of [288, 292, 4096, 4112]) {
    const x = rowsOf(at, cols);
    const parts = (): { largest: Node; power: Node; sum: Node; share: Node } => {
      const largest = ops.amax(x, [1], true);
      const power = ops.exp(ops.sub(x, ops.expand(largest, x.shape)));
      const sum = ops.sum(power, [1], true);
      return { largest, power, sum, share: ops.div(power, ops.expand(sum, x.shape)) };
    };
    for (const [what, make] of Object.entries({
      softmax: () => [softmax(x)],
      logsumexp: () => [ops.logsumexp(x, [1])],
      logSoftmax: () => [ops.logSoftmax(x, 1)],
      "exponentials and their shares": () => {
        const { power, share } = parts();
        return [power, share];
      },
      "exponentials, their sum and the maximum": () => {
        const { power, sum, largest } = parts();
        return [ops.mul(power, ops.expand(sum, x.shape)), sum, largest];
      },
    })) {
      const values = make();
      const launches = backend.launchesOf(engine.programFor(values));
      expect(launches[0]!.wgsl, what).toMatch(/const SOFT = 1u;/);
      expect(await mismatch(engine, values, `${what} of ${cols}, ${name}`)).toBeNull();
    }
  }
});

test("a sum of many exponentials is exact to the last digits, wherever the largest number is", async () => {
  const [rows, cols] = [16, 65536];
  for (const at of [0, 30_000, cols - 1]) {
    const data = Float32Array.from({ length: rows * cols }, (_, i) => (i % cols === at ? 1 : 0.3));
    const x = ops.fromHost(data, [rows, cols]);
    const largest = ops.amax(x, [1], true);
    const value = ops.sum(ops.exp(ops.sub(x, ops.expand(largest, x.shape))), [1]);
    expect(backend.launchesOf(engine.programFor([value]))[0]!.wgsl).toMatch(/const SOFT = 1u;/);
    const [got] = await engine.read([value]);
    for (let row = 0; row < rows; row++) {
      const numbers = [...data.subarray(row * cols, (row + 1) * cols)];
      const sum = numbers.reduce((total, number) => total + Math.exp(number - 1), 0);
      // exponentials within 1.2 ULP, of differences that are rounded, and 10 additions in a row; the 8,192 turns add nothing to it
      expect(Math.abs(got![row]! - sum)).toBeLessThan(sum * 16 * 2 ** -24);
    }
  }
});

test("what only the first of two levels in one sweep computes is not kept by the second", async () => {
  const x = matrix(256, 288);
  const mean = (row: Node): Node => ops.expand(ops.div(ops.reshape(ops.sum(row, [1]), [256, 1]), 288), x.shape);
  const powers = ops.exp(x);
  const centred = ops.sub(powers, mean(powers));
  const value = ops.div(centred, mean(ops.square(centred)));
  const both = [value, ops.sigmoid(value)];
  const launches = backend.launchesOf(engine.programFor(both));
  expect(launches.at(-1)!.wgsl).toMatch(/const MOMENTS = 1u;/);
  expect(await mismatch(engine, both, "two results of normalised exponentials")).toBeNull();
});

test("of several costly ones the last is kept", async () => {
  const x = matrix(256, 288);
  const product = ops.mul(ops.exp(x), ops.cos(x));
  const value = ops.div(product, ops.expand(ops.reshape(ops.sum(ops.square(product), [1]), [256, 1]), x.shape));
  const [only] = backend.launchesOf(engine.programFor([value]));
  expect(only!.wgsl.match(/= vec4<f32>\(ieee_(exp|cos)\(/g)).toHaveLength(2);
  expect(await mismatch(engine, [value], "a product kept")).toBeNull();
});
