/** Every golden of `ops.json` through the public API: values and gradients, against PyTorch. */

import { describe, expect, test } from "vitest";
import { cat, stack, where } from "../../src/creation";
import { defaultDevice } from "../../src/device";
import type { DType } from "../../src/graph/dtype";
import * as F from "../../src/functional";
import { grad } from "../../src/gradient";
import { Buffer } from "../../src/parameter";
import type { Tensor } from "../../src/tensor";
import cases from "../goldens/ops.json";
import {
  expectGoldens,
  type GoldenTensor,
  type GoldenValue,
  goldenTensor,
  toNumber,
  type Tolerance,
  deviceTolerance,
} from "./golden";

interface Golden {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly (GoldenTensor | null)[];
  readonly args: Args;
  readonly output: GoldenTensor;
  readonly indices?: GoldenTensor;
  readonly extra?: Readonly<Record<string, GoldenTensor | null>>;
  readonly gradOut?: GoldenTensor;
  readonly gradInputs?: readonly (GoldenTensor | null)[];
}

/** The args of all cases together. */
interface Args {
  readonly dim?: number;
  readonly dims: readonly number[];
  readonly dim0: number;
  readonly dim1: number;
  readonly keepDim?: boolean;
  readonly shape: readonly number[];
  readonly startDim?: number;
  readonly endDim?: number;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps: readonly number[];
  readonly padding: readonly number[] & number;
  readonly value?: GoldenValue;
  readonly diagonal?: number;
  readonly p?: GoldenValue;
  readonly k: number;
  readonly numClasses: number;
  readonly dtype: DType;
  readonly min?: number;
  readonly max?: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly kernelSize: number;
  readonly outputSize: number;
  readonly training: boolean;
  readonly approximate?: "tanh";
  readonly beta?: number;
  readonly alpha?: number;
  readonly negativeSlope?: number;
  readonly minVal?: number;
  readonly maxVal?: number;
  readonly reduction?: F.Reduction;
}

/** What a case gives: a tensor, or values and indices; batchNorm also what it wrote. */
type Result =
  Tensor | { values: Tensor; indices: Tensor } | { output: Tensor; extra: Readonly<Record<string, Tensor | null>> };
type Call = (inputs: readonly Tensor[], args: Args) => Result;

const number = (value: GoldenValue | undefined): number | undefined =>
  value === undefined ? undefined : toNumber(value);
const swapped = (x: Tensor, isSwapped?: boolean): Tensor => (isSwapped ? x.transpose(-1, -2) : x);

const METHODS_OF_ONE = [
  "neg", "abs", "exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "square", "reciprocal", "sin", "cos", "tanh", "sigmoid", "relu",
  "sign", "floor", "ceil", "round", "trunc", "erf", "isnan", "isinf", "isfinite", "logicalNot",
] as const; // prettier-ignore

const METHODS_OF_TWO = [
  "add", "sub", "mul", "div", "maximum", "minimum", "remainder", "floorDivide", "pow", "eq", "ne", "lt", "le", "gt", "ge",
  "logicalAnd", "logicalOr", "logicalXor", "bitwiseAnd", "bitwiseOr", "bitwiseXor", "bitwiseLeftShift", "bitwiseRightShift",
] as const; // prettier-ignore

const ACTIVATIONS = ["silu", "logsigmoid", "mish", "softsign", "selu", "relu6", "hardsigmoid", "hardswish"] as const;

const REDUCTIONS = ["sum", "mean", "prod", "amax", "amin", "any", "all", "logsumexp", "var", "std"] as const;

const CALLS: Readonly<Record<string, Call>> = {
  ...Object.fromEntries(METHODS_OF_ONE.map((name): [string, Call] => [name, ([x]) => x![name]()])),
  ...Object.fromEntries(METHODS_OF_TWO.map((name): [string, Call] => [name, ([x, y]) => x![name](y!)])),
  ...Object.fromEntries(
    REDUCTIONS.map((name): [string, Call] => [name, ([x], { dim, ...options }) => x![name](dim, options)]),
  ),
  gelu: ([x], options) => F.gelu(x!, options),
  softplus: ([x], options) => F.softplus(x!, options),
  ...Object.fromEntries(ACTIVATIONS.map((name): [string, Call] => [name, ([x]) => F[name](x!)])),
  leakyRelu: ([x], { negativeSlope }) => F.leakyRelu(x!, negativeSlope),
  elu: ([x], { alpha }) => F.elu(x!, alpha),
  celu: ([x], { alpha }) => F.celu(x!, alpha),
  hardtanh: ([x], { minVal, maxVal }) => F.hardtanh(x!, minVal, maxVal),
  where: ([condition, a, b]) => where(condition!, a!, b!),
  clamp: ([x], { min = null, max = null }) => x!.clamp(min, max),
  lerp: ([x, end, weight]) => x!.lerp(end!, weight!),
  cast: ([x], { dtype }) => x!.to(dtype),
  argmax: ([x], { dim, ...options }) => x!.argmax(dim, options),
  argmin: ([x], { dim, ...options }) => x!.argmin(dim, options),
  norm: ([x], { p, dim, ...options }) => x!.norm(number(p), dim, options),
  cumsum: ([x], { dim }) => x!.cumsum(dim!),
  softmax: ([x], { dim }) => x!.softmax(dim!),
  logSoftmax: ([x], { dim }) => x!.logSoftmax(dim!),
  reshape: ([x], { shape }) => x!.reshape(shape),
  flatten: ([x], { startDim, endDim }) => x!.flatten(startDim, endDim),
  permute: ([x], { dims }) => x!.permute(dims),
  transpose: ([x], { dim0, dim1 }) => x!.transpose(dim0, dim1),
  flip: ([x], { dims }) => x!.flip(dims),
  squeeze: ([x], { dim }) => x!.squeeze(dim),
  unsqueeze: ([x], { dim }) => x!.unsqueeze(dim!),
  expand: ([x], { shape }) => x!.expand(shape),
  slice: ([x], { starts, ends, steps }) => x!.slice(starts, ends, steps),
  pad: ([x], { padding, value = 0 }) => F.pad(x!, padding, { value: toNumber(value) }),
  cat: (inputs, { dim }) => cat(inputs, dim),
  stack: (inputs, { dim }) => stack(inputs, dim),
  tril: ([x], { diagonal }) => x!.tril(diagonal),
  triu: ([x], { diagonal }) => x!.triu(diagonal),
  matmul: ([a, b], { transposeA, transposeB }) => swapped(a!, transposeA).matmul(swapped(b!, transposeB)),
  linear: ([x, weight, bias]) => F.linear(x!, weight!, bias),
  conv2d: ([x, weight, bias], options) => F.conv2d(x!, weight!, bias, options),
  maxPool2d: ([x], { kernelSize, ...options }) => F.maxPool2d(x!, kernelSize, options),
  avgPool2d: ([x], { kernelSize, ...options }) => F.avgPool2d(x!, kernelSize, options),
  adaptiveAvgPool2d: ([x], { outputSize }) => F.adaptiveAvgPool2d(x!, outputSize),
  batchNorm([x, weight, bias, mean, variance], options) {
    const runningMean = mean ? new Buffer(mean) : null;
    const runningVar = variance ? new Buffer(variance) : null;
    const output = F.batchNorm(x!, runningMean, runningVar, { ...options, weight: weight ?? null, bias: bias ?? null });
    return { output, extra: { runningMean, runningVar } };
  },
  gather: ([x, index], { dim }) => x!.gather(dim!, index!),
  scatterAdd: ([x, index, src], { dim }) => x!.scatterAdd(dim!, index!, src!),
  indexSelect: ([x, index], { dim }) => x!.indexSelect(dim!, index!),
  oneHot: ([index], { numClasses }) => F.oneHot(index!, numClasses),
  topk: ([x], { k, ...options }) => x!.topk(k, options),
  sort: ([x], options) => x!.sort(options),
  crossEntropy: ([x, target, weight], options) => F.crossEntropy(x!, target!, { ...options, weight: weight ?? null }),
  nllLoss: ([x, target, weight], options) => F.nllLoss(x!, target!, { ...options, weight: weight ?? null }),
  mseLoss: ([x, target], options) => F.mseLoss(x!, target!, options),
  smoothL1Loss: ([x, target], options) => F.smoothL1Loss(x!, target!, options),
  huberLoss: ([x, target], options) => F.huberLoss(x!, target!, options),
  klDiv: ([x, target], options) => F.klDiv(x!, target!, options),
  l1Loss: ([x, target], options) => F.l1Loss(x!, target!, options),
  binaryCrossEntropyWithLogits: ([x, target], options) => F.binaryCrossEntropyWithLogits(x!, target!, options),
  cosineSimilarity: ([x, y], options) => F.cosineSimilarity(x!, y!, options),
  normalize: ([x], { p, ...options }) => F.normalize(x!, { ...options, ...(p !== undefined && { p: toNumber(p) }) }),
};

/** Cases that may stray further, or have no defined answer on a GPU and so no test there; and why. */
type Exceptions = (op: string, name: string) => Tolerance | "none" | undefined;

const exceptions: Exceptions = (op, name) => {
  const isGpu = defaultDevice().kind === "webgpu";
  if (isGpu && name === "subnormal") return "none"; // WGSL lets a GPU flush them to 0
  if (op === "batchNorm" && name === "far from zero") return { relative: 1e-3, ofLargest: 2e-4 }; // the mean of 1000 is rounded to 6e-5, and the spread is 0.3
  return undefined;
};

/** Declares one test a golden. */
export function everyOp(): void {
  const goldens = cases as unknown as readonly Golden[];
  for (const op of new Set(goldens.map((golden) => golden.op))) {
    describe(op, () => {
      for (const golden of goldens.filter((each) => each.op === op)) {
        const exception = exceptions(op, golden.name);
        if (exception !== "none") test(golden.name, () => check(golden, exception));
      }
    });
  }
}

async function check(golden: Golden, tolerance: Tolerance = deviceTolerance()): Promise<void> {
  const isDifferentiable = golden.gradInputs !== undefined;
  const leaves = golden.inputs.map((input) => {
    if (!input) return null;
    const leaf = goldenTensor(input);
    return isDifferentiable && input.dtype === "f32" ? leaf.requiresGrad_() : leaf;
  });
  const seen = leaves.map((leaf, i) =>
    leaf && golden.inputs[i]!.permute ? leaf.permute(golden.inputs[i]!.permute) : leaf,
  );
  const call = CALLS[golden.op];
  expect(call, `no call for goldens of ${golden.op}`).toBeDefined();
  const result = call!(seen as Tensor[], golden.args);
  const output = "values" in result ? result.values : "output" in result ? result.output : result;
  const pairs = [{ name: "output", actual: output, golden: golden.output }];
  if (golden.indices)
    pairs.push({ name: "indices", actual: (result as { indices: Tensor }).indices, golden: golden.indices });
  for (const [name, expected] of Object.entries(golden.extra ?? {})) {
    if (expected)
      pairs.push({ name, actual: (result as { extra: Record<string, Tensor> }).extra[name]!, golden: expected });
  }
  if (golden.gradOut && golden.gradInputs) {
    const wanted = leaves.flatMap((leaf, i) =>
      leaf && golden.gradInputs![i] ? [{ leaf, expected: golden.gradInputs![i] }] : [],
    );
    const found = grad(
      output,
      wanted.map(({ leaf }) => leaf),
      { gradOutputs: goldenTensor(golden.gradOut) },
    );
    wanted.forEach(({ expected }, i) => pairs.push({ name: `gradient ${i}`, actual: found[i]!, golden: expected }));
  }
  await expectGoldens(pairs, tolerance);
}
