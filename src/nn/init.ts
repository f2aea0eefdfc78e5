/** Initialisers: new values for parameters, in PyTorch's scales. Each writes the parameter and returns it. */

import { type CreationOptions, eye, full, tensor } from "../creation";
import { ShapeError, ValueError } from "../errors";
import { type Shape, showShape, sizeOf } from "../graph/shape";
import { checkNumber, checkOptionNames } from "../options";
import type { Buffer, Parameter } from "../parameter";
import {
  defaultGenerator,
  type Generator,
  normal,
  permutation,
  type RandomOptions,
  truncNormal,
  uniform,
} from "../random";

/** What initialisers write. */
type State = Parameter | Buffer;

/** Numbers that flow into and out of one output of a layer. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Which fan keeps its scale. */
export type FanMode = "fanIn" | "fanOut";

/** What follows a layer: activations, or other layers, whose gain is 1. */
export type Nonlinearity =
  "linear" | `conv${1 | 2 | 3}d` | `convTranspose${1 | 2 | 3}d` | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/** Options that all random initialisers share. */
interface Drawn {
  readonly generator?: Generator;
}

/**
 * Fans of a weight `[out, in, ...kernel]`.
 *
 * @throws ShapeError if it has fewer than 2 dimensions
 */
export function calculateFans(shape: Shape): Fans {
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new ShapeError(
      `init: fans need at least 2 dimensions, got ${showShape(shape)}. Use uniform_ or constant_ for vectors.`,
    );
  }
  return { fanIn: inputs * sizeOf(kernel), fanOut: outputs * sizeOf(kernel) };
}

/** Gains that depend on nothing. */
const GAINS: Readonly<Record<Exclude<Nonlinearity, "leakyRelu">, number>> = {
  linear: 1,
  conv1d: 1,
  conv2d: 1,
  conv3d: 1,
  convTranspose1d: 1,
  convTranspose2d: 1,
  convTranspose3d: 1,
  sigmoid: 1,
  tanh: 5 / 3,
  relu: Math.SQRT2,
  selu: 3 / 4,
};

/**
 * Factor that keeps the scale of values through a nonlinearity.
 *
 * @param param slope of a leaky ReLU; default 0.01
 * @throws ValueError if the nonlinearity is not a known one
 * @see torch.nn.init.calculate_gain
 */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  if (nonlinearity === "leakyRelu") return Math.sqrt(2 / (1 + param ** 2));
  const gain = Object.hasOwn(GAINS, nonlinearity) ? GAINS[nonlinearity] : undefined;
  if (gain !== undefined) return gain;
  throw new ValueError(
    `init: nonlinearity must be one of leakyRelu, ${Object.keys(GAINS).join(", ")}, got ${JSON.stringify(nonlinearity)}. Use "linear".`,
  );
}

const placeOf = ({ dtype, device }: State): Pick<CreationOptions, "dtype" | "device"> => ({ dtype, device });

/** Options of a draw, with the state's device and dtype. */
function drawn(op: string, state: State, options: Drawn, names: readonly string[] = []): RandomOptions {
  checkOptionNames(op, options, ["generator", ...names]);
  const { generator } = options;
  return { ...placeOf(state), ...(generator && { generator }) };
}

/** Callers without types may pass options in the place of numbers, or Python's names. */
function checkNumbers(op: string, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) checkNumber(op, name, value);
}

/** Uniform in [a, b). @see torch.nn.init.uniform_ */
export function uniform_<T extends State>(state: T, a = 0, b = 1, options: Drawn = {}): T {
  checkNumbers("uniform_", { a, b });
  state.assign(uniform(state.shape, { low: a, high: b, ...drawn("uniform_", state, options) }));
  return state;
}

/** Normal. @throws ValueError if `std` is negative @see torch.nn.init.normal_ */
export function normal_<T extends State>(state: T, mean = 0, std = 1, options: Drawn = {}): T {
  checkNumbers("normal_", { mean, std });
  state.assign(normal(mean, std, state.shape, drawn("normal_", state, options)));
  return state;
}

/**
 * Normal, of which only what lies in [a, b] is drawn.
 *
 * @throws ValueError if `std` is not positive, or `a` is not below `b`
 * @see torch.nn.init.trunc_normal_
 */
export function truncNormal_<T extends State>(state: T, mean = 0, std = 1, a = -2, b = 2, options: Drawn = {}): T {
  checkNumbers("truncNormal_", { mean, std, a, b });
  if (!(std > 0)) throw new ValueError(`truncNormal_: std must be positive, got ${std}. Pass a standard deviation.`);
  if (!(a < b)) throw new ValueError(`truncNormal_: a must be below b, got ${a} and ${b}. Swap them.`);
  state.assign(truncNormal(state.shape, { mean, std, a, b }, drawn("truncNormal_", state, options)));
  return state;
}

/** One number everywhere. @see torch.nn.init.constant_ */
export function constant_<T extends State>(state: T, value: number): T {
  checkNumbers("constant_", { value });
  state.assign(full(state.shape, value, placeOf(state)));
  return state;
}

/** Zeros. @see torch.nn.init.zeros_ */
export const zeros_ = <T extends State>(state: T): T => constant_(state, 0);

/** Ones. @see torch.nn.init.ones_ */
export const ones_ = <T extends State>(state: T): T => constant_(state, 1);

/**
 * The identity matrix: inputs pass unchanged.
 *
 * @throws ShapeError if it has not 2 dimensions
 * @see torch.nn.init.eye_
 */
export function eye_<T extends State>(state: T): T {
  const [rows, columns] = matrixOf("eye_", state);
  state.assign(eye(rows, columns, placeOf(state)));
  return state;
}

/**
 * A convolution that passes as many channels unchanged as it can, in each group.
 *
 * @param groups of output channels; default 1
 * @throws ShapeError if it has not 3 to 5 dimensions `[out, in, ...kernel]`, or `groups` does not divide the first
 * @see torch.nn.init.dirac_
 */
export function dirac_<T extends State>(state: T, groups = 1): T {
  const [outputs = 0, inputs = 0, ...kernel] = state.shape;
  if (kernel.length < 1 || kernel.length > 3 || outputs % groups !== 0) {
    throw new ShapeError(
      `dirac_: the weight must be [out, in, ...kernel] of 3 to 5 dimensions, and groups divide out, ` +
        `got ${showShape(state.shape)} and groups ${groups}. Use eye_ for matrices.`,
    );
  }
  const values = new Float32Array(sizeOf(state.shape));
  const center = kernel.reduce((place, size) => place * size + Math.floor(size / 2), 0);
  for (let output = 0; output < outputs; output++) {
    const channel = output % (outputs / groups);
    if (channel < inputs) values[(output * inputs + channel) * sizeOf(kernel) + center] = 1;
  }
  return write(state, values);
}

/** A matrix's rows and columns. */
function matrixOf(op: string, { shape }: State): [rows: number, columns: number] {
  if (shape.length === 2) return [shape[0]!, shape[1]!];
  throw new ShapeError(`${op}: there must be 2 dimensions, got ${showShape(shape)}. Reshape it.`);
}

/** Writes host values. */
function write<T extends State>(state: T, values: Float32Array | Float64Array): T {
  state.assign(tensor(values, { shape: state.shape, ...placeOf(state) }));
  return state;
}

/** Uniform with variance `2 / (fanIn + fanOut)`, times `gain^2`. @see torch.nn.init.xavier_uniform_; Glorot & Bengio 2010 */
export function xavierUniform_<T extends State>(state: T, gain: number | XavierOptions = 1, options?: Drawn): T {
  const { factor, drawing } = xavierOptions("xavierUniform_", gain, options);
  const { fanIn, fanOut } = calculateFans(state.shape);
  const bound = factor * Math.sqrt(6 / (fanIn + fanOut));
  return uniform_(state, -bound, bound, drawing);
}

/** Normal with variance `2 / (fanIn + fanOut)`, times `gain^2`. @see torch.nn.init.xavier_normal_ */
export function xavierNormal_<T extends State>(state: T, gain: number | XavierOptions = 1, options?: Drawn): T {
  const { factor, drawing } = xavierOptions("xavierNormal_", gain, options);
  const { fanIn, fanOut } = calculateFans(state.shape);
  return normal_(state, 0, factor * Math.sqrt(2 / (fanIn + fanOut)), drawing);
}

/** Options of Glorot's initialisers. */
export interface XavierOptions extends Drawn {
  /** Default 1. */
  readonly gain?: number;
}

/** A gain by position, or in the options. */
function xavierOptions(
  op: string,
  gain: number | XavierOptions,
  options: XavierOptions = {},
): { factor: number; drawing: Drawn } {
  const given = typeof gain === "number" ? options : gain;
  checkOptionNames(op, given, ["gain", "generator"]);
  const { gain: factor = 1, ...drawing } = typeof gain === "number" ? { gain, ...given } : given;
  return { factor, drawing };
}

/** Options of He's initialisers. */
export interface KaimingOptions extends Drawn {
  /** Slope of a leaky ReLU; default 0. */
  readonly a?: number;
  /** Default `"fanIn"`: forward values keep their scale. */
  readonly mode?: FanMode;
  /** Default `"leakyRelu"`. */
  readonly nonlinearity?: Nonlinearity;
}

/** Standard deviation of He's initialisers: `gain / sqrt(fan)`. */
function kaimingStd(shape: Shape, options: KaimingOptions = {}): number {
  checkOptionNames("kaiming", options, ["a", "mode", "nonlinearity", "generator"]);
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" } = options;
  const fans = calculateFans(shape);
  if (!Object.hasOwn(fans, mode))
    throw new ValueError(`kaiming: mode must be "fanIn" or "fanOut", got ${JSON.stringify(mode)}. Choose one.`);
  return calculateGain(nonlinearity, a) / Math.sqrt(fans[mode]);
}

/** Uniform in `+-gain * sqrt(3 / fan)`. @see torch.nn.init.kaiming_uniform_; He et al. 2015 (arXiv:1502.01852) */
export function kaimingUniform_<T extends State>(state: T, options: KaimingOptions = {}): T {
  const bound = Math.sqrt(3) * kaimingStd(state.shape, options);
  return uniform_(state, -bound, bound, generatorOf(options));
}

/** Normal with standard deviation `gain / sqrt(fan)`. @see torch.nn.init.kaiming_normal_ */
export const kaimingNormal_ = <T extends State>(state: T, options: KaimingOptions = {}): T =>
  normal_(state, 0, kaimingStd(state.shape, options), generatorOf(options));

const generatorOf = ({ generator }: Drawn): Drawn => (generator ? { generator } : {});

// --- on the host -----------------------------------------------------------------------------------------------------

/**
 * A random matrix `[shape[0], product of the others]` with orthogonal rows or columns, whichever are fewer, of length `gain`: Gram and
 * Schmidt on normal vectors, on the host in f64. It takes time for large matrices.
 *
 * @throws ShapeError if it has fewer than 2 dimensions
 * @see torch.nn.init.orthogonal_; Saxe et al. 2013 (arXiv:1312.6120)
 */
export function orthogonal_<T extends State>(state: T, gain = 1, options: Drawn = {}): T {
  checkOptionNames("orthogonal_", options, ["generator"]);
  checkNumbers("orthogonal_", { gain });
  if (state.shape.length < 2) {
    throw new ShapeError(
      `orthogonal_: there must be at least 2 dimensions, got ${showShape(state.shape)}. Reshape it.`,
    );
  }
  const rows = state.shape[0]!;
  const columns = sizeOf(state.shape) / Math.max(rows, 1);
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
  const { generator = defaultGenerator(state.device) } = options;
  const vectors = orthonormal(normalsOnHost(count * length, generator), count, length);
  const values = new Float64Array(rows * columns);
  for (let v = 0; v < count; v++) {
    for (let i = 0; i < length; i++) {
      values[rows < columns ? v * columns + i : i * columns + v] = gain * vectors[v * length + i]!;
    }
  }
  return write(state, values);
}

/** Vectors made orthogonal to those before them, and of length 1, in place. Twice, since the first time leaves some rounding. */
function orthonormal(vectors: Float64Array, count: number, length: number): Float64Array {
  const vectorOf = (v: number): Float64Array => vectors.subarray(v * length, (v + 1) * length);
  for (let v = 0; v < count; v++) {
    const own = vectorOf(v);
    for (let turn = 0; turn < 2; turn++) {
      for (let before = 0; before < v; before++) addScaled(own, vectorOf(before), -dot(own, vectorOf(before)));
    }
    const size = Math.sqrt(dot(own, own));
    for (let i = 0; i < length; i++) own[i]! /= size;
  }
  return vectors;
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

function addScaled(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
}

/** Standard normal numbers in f64, by Box and Muller. */
function normalsOnHost(count: number, generator: Generator): Float64Array {
  const words = generator.drawOnHost(2 * count);
  return Float64Array.from({ length: count }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log((words[2 * i]! + 1) / 2 ** 32));
    return radius * Math.cos((2 * Math.PI * words[2 * i + 1]!) / 2 ** 32);
  });
}

/**
 * Normal with standard deviation `std`, and a share of each column 0.
 *
 * @param sparsity in [0, 1]: rows that are 0, rounded up
 * @throws ShapeError if it has not 2 dimensions
 * @throws ValueError if `sparsity` is not in [0, 1]
 * @see torch.nn.init.sparse_; Martens 2010
 */
export function sparse_<T extends State>(state: T, sparsity: number, std = 0.01, options: Drawn = {}): T {
  checkOptionNames("sparse_", options, ["generator"]);
  checkNumbers("sparse_", { sparsity, std });
  const [rows, columns] = matrixOf("sparse_", state);
  if (!(sparsity >= 0 && sparsity <= 1))
    throw new ValueError(`sparse_: sparsity must be in [0, 1], got ${sparsity}. It is the share of zeros.`);
  const { generator = defaultGenerator(state.device) } = options;
  const values = normalsOnHost(rows * columns, generator).map((value) => std * value);
  for (let column = 0; column < columns; column++) {
    const zeros = permutation(rows, generator).subarray(0, Math.ceil(sparsity * rows));
    for (const row of zeros) values[row * columns + column] = 0;
  }
  return write(state, values);
}
