/** Reads the PyTorch goldens of `tests/goldens/ops.json` and says which builder each of them is a case of. */

import { readFileSync } from "node:fs";
import type { DType, TypedArray } from "../../src/graph/dtype";
import { allocateHost } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import { sizeOf } from "../../src/graph/shape";
import * as ops from "../../src/ops";

type Value = number | string;

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: readonly Value[];
  /** The op sees the tensor through this permutation, so that it is not contiguous there. */
  readonly permute?: readonly number[];
}

export interface Golden {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly (GoldenTensor | null)[];
  readonly args: Readonly<Record<string, unknown>>;
  readonly output: GoldenTensor;
  readonly indices?: GoldenTensor;
  readonly gradOut?: GoldenTensor;
  readonly gradInputs?: readonly (GoldenTensor | null)[];
}

export const goldens = (): Golden[] =>
  JSON.parse(readFileSync(new URL("../goldens/ops.json", import.meta.url), "utf8")) as Golden[];

const SPECIAL: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, "-inf": -Infinity };

const toNumber = (value: Value): number => (typeof value === "string" ? SPECIAL[value]! : value);

/** Values of a golden on the host. */
export function valuesOf({ dtype, shape, data }: GoldenTensor): TypedArray {
  const values = allocateHost(dtype, sizeOf(shape));
  data.forEach((value, i) => (values[i] = toNumber(value)));
  return values;
}

/** A leaf with a golden's values; floats need gradients where asked. */
export const leafOf = (tensor: GoldenTensor, requiresGrad = false): Node =>
  ops.fromHost(valuesOf(tensor), tensor.shape, tensor.dtype, requiresGrad && tensor.dtype === "f32");

/** The leaf as the op sees it. */
export const seen = (leaf: Node, tensor: GoldenTensor): Node =>
  tensor.permute ? ops.permute(leaf, tensor.permute) : leaf;

/** The args of all cases together; each op has some. Infinities are strings. */
interface Args {
  readonly dim?: number & readonly number[];
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
  readonly padding?: number & readonly number[];
  readonly value?: Value;
  readonly diagonal?: number;
  readonly correction?: number;
  readonly p?: Value;
  readonly k: number;
  readonly largest?: boolean;
  readonly descending?: boolean;
  readonly numClasses: number;
  readonly dtype: DType;
  readonly min?: number;
  readonly max?: number;
  readonly approximate?: "tanh";
  readonly beta?: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
  readonly kernelSize: number;
  readonly countIncludePad?: boolean;
  readonly outputSize: number;
}

/** What a case computes: a node, or values and their indices. */
type Build = (inputs: readonly Node[], args: Args) => Node | ops.Ranked;

const unary =
  (build: (x: Node) => Node): Build =>
  ([x]) =>
    build(x!);

const binary =
  (build: (a: Node, b: Node) => Node): Build =>
  ([a, b]) =>
    build(a!, b!);

const reduce =
  (build: (x: Node, dim?: number, keepDim?: boolean) => Node): Build =>
  ([x], { dim, keepDim }) =>
    build(x!, dim, keepDim);

const swapped = (x: Node, isSwapped?: boolean): Node => (isSwapped ? ops.transpose(x, -1, -2) : x);

const number = (value: Value | undefined): number | undefined => (value === undefined ? undefined : toNumber(value));

/** The op of a golden -> its builder. */
export const BUILDERS: Readonly<Record<string, Build>> = {
  neg: unary(ops.neg),
  abs: unary(ops.abs),
  exp: unary(ops.exp),
  log: unary(ops.log),
  log1p: unary(ops.log1p),
  expm1: unary(ops.expm1),
  sqrt: unary(ops.sqrt),
  rsqrt: unary(ops.rsqrt),
  square: unary(ops.square),
  reciprocal: unary(ops.reciprocal),
  sin: unary(ops.sin),
  cos: unary(ops.cos),
  tanh: unary(ops.tanh),
  sigmoid: unary(ops.sigmoid),
  relu: unary(ops.relu),
  sign: unary(ops.sign),
  floor: unary(ops.floor),
  ceil: unary(ops.ceil),
  round: unary(ops.round),
  trunc: unary(ops.trunc),
  erf: unary(ops.erf),
  silu: unary(ops.silu),
  gelu: ([x], { approximate }) => ops.gelu(x!, { approximate }),
  softplus: ([x], { beta }) => ops.softplus(x!, { beta }),
  isnan: unary(ops.isnan),
  isinf: unary(ops.isinf),
  isfinite: unary(ops.isfinite),
  logicalNot: unary(ops.logicalNot),

  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  remainder: binary(ops.remainder),
  floorDivide: binary(ops.floorDivide),
  pow: binary(ops.pow),
  eq: binary(ops.eq),
  ne: binary(ops.ne),
  lt: binary(ops.lt),
  le: binary(ops.le),
  gt: binary(ops.gt),
  ge: binary(ops.ge),
  logicalAnd: binary(ops.logicalAnd),
  logicalOr: binary(ops.logicalOr),
  logicalXor: binary(ops.logicalXor),
  bitwiseAnd: binary(ops.bitwiseAnd),
  bitwiseOr: binary(ops.bitwiseOr),
  bitwiseXor: binary(ops.bitwiseXor),
  bitwiseLeftShift: binary(ops.bitwiseLeftShift),
  bitwiseRightShift: binary(ops.bitwiseRightShift),
  where: ([condition, a, b]) => ops.where(condition!, a!, b!),
  clamp: ([x], { min, max }) => ops.clamp(x!, min, max),
  lerp: ([a, b, weight]) => ops.lerp(a!, b!, weight!),
  cast: ([x], { dtype }) => ops.cast(x!, dtype),

  reshape: ([x], { shape }) => ops.reshape(x!, shape),
  flatten: ([x], { startDim, endDim }) => ops.flatten(x!, startDim, endDim),
  permute: ([x], { dims }) => ops.permute(x!, dims),
  transpose: ([x], { dim0, dim1 }) => ops.transpose(x!, dim0, dim1),
  flip: ([x], { dims }) => ops.flip(x!, dims),
  squeeze: ([x], { dim }) => ops.squeeze(x!, dim),
  unsqueeze: ([x], { dim }) => ops.unsqueeze(x!, dim!),
  expand: ([x], { shape }) => ops.expand(x!, shape),
  slice: ([x], { starts, ends, steps }) => ops.slice(x!, starts, ends, steps),
  pad: ([x], { padding, value }) => ops.pad(x!, padding!, number(value)),
  cat: (inputs, { dim }) => ops.cat(inputs, dim),
  stack: (inputs, { dim }) => ops.stack(inputs, dim),
  tril: ([x], { diagonal }) => ops.tril(x!, diagonal),
  triu: ([x], { diagonal }) => ops.triu(x!, diagonal),

  sum: reduce(ops.sum),
  mean: reduce(ops.mean),
  amax: reduce(ops.amax),
  amin: reduce(ops.amin),
  prod: reduce(ops.prod),
  any: reduce(ops.any),
  all: reduce(ops.all),
  logsumexp: reduce(ops.logsumexp),
  argmax: reduce(ops.argmax),
  argmin: reduce(ops.argmin),
  norm: ([x], { p, dim, keepDim }) => ops.norm(x!, number(p), dim, keepDim),
  var: ([x], { dim, correction, keepDim }) => ops.variance(x!, dim, { correction, keepDim }),
  std: ([x], { dim, correction, keepDim }) => ops.std(x!, dim, { correction, keepDim }),
  cumsum: ([x], { dim }) => ops.cumsum(x!, dim!),
  softmax: ([x], { dim }) => ops.softmax(x!, dim!),
  logSoftmax: ([x], { dim }) => ops.logSoftmax(x!, dim!),

  matmul: ([a, b], { transposeA, transposeB }) => ops.matmul(swapped(a!, transposeA), swapped(b!, transposeB)),
  conv2d: ([x, weight, bias], args) => ops.conv2d(x!, weight!, bias ?? null, args),
  maxPool2d: ([x], { kernelSize, ...args }) => ops.maxPool2d(x!, kernelSize, args),
  avgPool2d: ([x], { kernelSize, ...args }) => ops.avgPool2d(x!, kernelSize, args),
  adaptiveAvgPool2d: ([x], { outputSize }) => ops.adaptiveAvgPool2d(x!, outputSize),

  gather: ([x, index], { dim }) => ops.gather(x!, dim!, index!),
  scatterAdd: ([x, index, src], { dim }) => ops.scatterAdd(x!, dim!, index!, src!),
  indexSelect: ([x, index], { dim }) => ops.indexSelect(x!, dim!, index!),
  oneHot: ([index], { numClasses }) => ops.oneHot(index!, numClasses),
  topk: ([x], { k, dim, largest }) => ops.topk(x!, k, { dim, largest }),
  sort: ([x], { dim, descending }) => ops.sort(x!, { dim, descending }),
};

/** Goldens of functions that are composed of ops; `tests/suites/everyOp` reads them. */
export const ELSEWHERE: ReadonlySet<string> = new Set([
  ...[
    "logsigmoid",
    "mish",
    "softsign",
    "leakyRelu",
    "elu",
    "celu",
    "selu",
    "hardtanh",
    "relu6",
    "hardsigmoid",
    "hardswish",
  ],
  "linear",
  "batchNorm",
  "crossEntropy",
  "nllLoss",
  "mseLoss",
  "l1Loss",
  "smoothL1Loss",
  "huberLoss",
  "klDiv",
  "binaryCrossEntropyWithLogits",
  "cosineSimilarity",
  "normalize",
]);

/** A golden's nodes. */
export interface GoldenGraph {
  readonly output: Node;
  readonly indices: Node | null;
  /** One per input: the leaf that gradients are taken of. */
  readonly leaves: readonly (Node | null)[];
}

/** Builds the graph of a golden. */
export function buildGolden(golden: Golden): GoldenGraph {
  const needsGrad = golden.gradOut !== undefined;
  const leaves = golden.inputs.map((input) => input && leafOf(input, needsGrad));
  const inputs = leaves.map((leaf, i) => leaf && seen(leaf, golden.inputs[i]!));
  const result = BUILDERS[golden.op]!(inputs as Node[], golden.args as unknown as Args);
  return "values" in result
    ? { output: result.values, indices: result.indices, leaves }
    : { output: result, indices: null, leaves };
}
