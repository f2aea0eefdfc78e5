/** Single ops, and a forward with its gradients. Outputs are compared with sums in f64, element by element. */

import { expectedOf } from "../conv2dExpected";
import { EPS, type HostTensor, type Inputs, type Kind, TEMPERATURE } from "./library";
import { infoNCE, normalize } from "./reference";
import { checkOutputs, defineWork, type ExpectedOutputs, random, type Work } from "./work";

/** An op runs once before it is checked, and all that it gives is. */
const opWork = <K extends Kind>(
  work: Omit<Work<K>, "check" | "checkedRuns"> & { readonly expected: (inputs: Inputs[K]) => ExpectedOutputs },
): Work<K> =>
  defineWork({ ...work, checkedRuns: 1, compare: (expected, { reads }) => checkOutputs(reads[0]!, expected) });

export const matmulWork = (n: number): Work<"matmul"> =>
  opWork({
    name: "matmul",
    title: `matmul ${n}`,
    kind: "matmul",
    flops: 2 * n ** 3,
    inputs: () => ({ a: random([n, n], { seed: 1 }), b: random([n, n], { seed: 2 }) }),
    expected({ a, b }) {
      const at = (index: number): number => {
        const [row, col] = [Math.floor(index / n), index % n];
        let sum = 0;
        for (let k = 0; k < n; k++) sum += a.data[row * n + k]! * b.data[k * n + col]!;
        return sum;
      };
      // sums of n products below 1: f32 rounds each of them
      return { y: { length: n * n, at, absolute: 1e-6 * n } };
    },
  });

/** What the ten ops of the chain do to a number. */
const chainOf = (x: number): number => (-Math.min((Math.max(x * 1.5 + 0.25, 0) - 0.5) ** 2, 0.75) + 2) * 0.125;

export const pointwiseWork = (count: number): Work<"pointwise"> =>
  opWork({
    name: "pointwise",
    title: `pointwise chain of 10, ${millions(count)}`,
    kind: "pointwise",
    flops: 10 * count,
    inputs: () => ({ x: random([count], { seed: 1 }) }),
    expected: ({ x }) => ({ y: { length: count, at: (index) => chainOf(x.data[index]!) } }),
  });

export const sumWork = (count: number): Work<"sum"> =>
  opWork({
    name: "sum",
    title: `sum of ${millions(count)}`,
    kind: "sum",
    flops: count,
    inputs: () => ({ x: random([count], { seed: 1, low: 0 }) }), // a sum that does not cancel
    expected({ x }) {
      const sum = x.data.reduce((total, value) => total + value, 0);
      return { y: { length: 1, at: () => sum, relative: 1e-4 } };
    },
  });

const millions = (count: number): string => (count >= 2 ** 20 ? `${count / 2 ** 20}M` : String(count));

export const softmaxWork = (rows: number, cols: number): Work<"softmax"> =>
  opWork({
    name: "softmax",
    title: `softmax ${rows}x${cols}`,
    kind: "softmax",
    flops: 5 * rows * cols, // maximum, difference, exponential, sum, quotient
    inputs: () => ({ x: random([rows, cols], { seed: 1, low: -4, high: 4 }) }),
    expected({ x }) {
      const at = (index: number): number => {
        const row = rowOf(x.data, index, cols);
        return Math.exp(x.data[index]!) / row.reduce((sum, value) => sum + Math.exp(value), 0);
      };
      return { y: { length: rows * cols, at, relative: 1e-4, absolute: 1e-9 } };
    },
  });

const rowOf = (x: Float32Array, index: number, cols: number): Float64Array => {
  const begin = index - (index % cols);
  return Float64Array.from(x.subarray(begin, begin + cols));
};

export const layerNormWork = (rows: number, cols: number): Work<"layerNorm"> =>
  opWork({
    name: "layerNorm",
    title: `layer norm ${rows}x${cols}`,
    kind: "layerNorm",
    flops: 7 * rows * cols, // mean, difference, square, sum, quotient, weight, bias
    inputs: () => ({
      x: random([rows, cols], { seed: 1, low: -1, high: 3 }), // a mean that matters
      weight: random([cols], { seed: 2, low: 0.5, high: 1.5 }),
      bias: random([cols], { seed: 3 }),
    }),
    expected({ x, weight, bias }) {
      const at = (index: number): number => {
        const row = rowOf(x.data, index, cols);
        const mean = row.reduce((sum, value) => sum + value, 0) / cols;
        const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cols;
        const normalized = (x.data[index]! - mean) / Math.sqrt(variance + EPS);
        return normalized * weight.data[index % cols]! + bias.data[index % cols]!;
      };
      return { y: { length: rows * cols, at, relative: 1e-4, absolute: 1e-4 } };
    },
  });

/** Square images, as many channels out as in. */
export interface ConvSizes {
  readonly batch: number;
  readonly channels: number;
  readonly size: number;
}

const convTitle = ({ batch, channels, size }: ConvSizes): string =>
  `conv ${batch}x${channels}x${size}x${size}, 3x3, ${channels}`;
const convFlops = ({ batch, channels, size }: ConvSizes): number => 2 * 9 * batch * (channels * size) ** 2;
const convInputs = ({ batch, channels, size }: ConvSizes): Inputs["conv2d"] => ({
  x: random([batch, channels, size, size], { seed: 1 }),
  weight: random([channels, channels, 3, 3], { seed: 2 }),
});

/** Expected elements of the output, or of a gradient. */
const convExpected = (name: "y" | "x" | "weight", { batch, channels, size }: ConvSizes, inputs: Inputs["conv2d"]) => {
  const gradOut = "gradOut" in inputs ? (inputs as Inputs["conv2dBackward"]).gradOut.data : new Float32Array();
  const values = { x: inputs.x.data, weight: inputs.weight.data, gradOut };
  const layer = { batch, from: channels, to: channels, size, stride: 1 };
  const length = name === "weight" ? values.weight.length : values.x.length;
  return { length, ...expectedOf(name === "y" ? "gradOut" : name, layer, values) };
};

export const conv2dWork = (sizes: ConvSizes): Work<"conv2d"> =>
  opWork({
    name: "conv2d",
    title: convTitle(sizes),
    kind: "conv2d",
    flops: convFlops(sizes),
    inputs: () => convInputs(sizes),
    expected: (inputs) => ({ y: convExpected("y", sizes, inputs) }),
  });

export const conv2dBackwardWork = (sizes: ConvSizes): Work<"conv2dBackward"> =>
  opWork({
    name: "conv2dBackward",
    title: "the same with backward",
    kind: "conv2dBackward",
    flops: 3 * convFlops(sizes),
    inputs: () => ({
      ...convInputs(sizes),
      gradOut: random([sizes.batch, sizes.channels, sizes.size, sizes.size], { seed: 3 }),
    }),
    expected: (inputs) => ({
      y: convExpected("y", sizes, inputs),
      x: convExpected("x", sizes, inputs),
      weight: convExpected("weight", sizes, inputs),
    }),
  });

export interface InfoNCESizes {
  readonly n: number;
  readonly dim: number;
  readonly k: number;
}

/** The loss of unit vectors, and its gradient with respect to the queries. */
export const infoNCEWork = (name: string, { n, dim, k }: InfoNCESizes): Work<"infoNCE"> =>
  opWork({
    name,
    title: `InfoNCE head, K ${k}`,
    kind: "infoNCE",
    flops: 4 * n * dim * (k + 1),
    inputs: () => ({
      query: unitVectors(n, dim, 1),
      key: unitVectors(n, dim, 2),
      queue: unitVectors(k, dim, 3),
    }),
    expected({ query, key, queue }) {
      const { loss, gradQuery } = infoNCE(query.data, key.data, queue.data, dim, TEMPERATURE);
      const absolute = 1e-4 * Math.max(...gradQuery.map(Math.abs));
      return {
        loss: { length: 1, at: () => loss },
        query: { length: n * dim, at: (index) => gradQuery[index]!, relative: 1e-3, absolute },
      };
    },
  });

/** Rows of length 1 that point anywhere, or near a direction: their cosine with it is about 0.7. */
export function unitVectors(rows: number, dim: number, seed: number, near?: HostTensor): HostTensor {
  const values = Float64Array.from(random([rows, dim], { seed }).data);
  if (near) {
    // as long as the noise: numbers in +-1 have a mean square of 1 / 3
    const scale = Math.sqrt(dim / 3) / Math.sqrt(near.data.reduce((sum, value) => sum + value * value, 0));
    values.forEach((value, index) => (values[index] = value + scale * near.data[index % dim]!));
  }
  return { shape: [rows, dim], data: Float32Array.from(normalize(values, dim)) };
}
