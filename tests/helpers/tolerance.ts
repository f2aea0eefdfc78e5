/**
 * How far a result may stray: one formula for every test that compares floats.
 *
 * It is a running error analysis of the result's graph. Beside its value, every node gets a bound of the distance between what
 * the device has there and the exact value (or what the reference has there):
 *
 *     bound(output) = what the bounds of the inputs become + the op's own rounding
 *
 * What becomes of the inputs' bounds is measured with the op's definition in f64: inputs moved up and down by their bounds; for
 * sums of products, the same sums over absolute values. The own rounding is a number of ULPs, below: WGSL's on a GPU, half on the CPU.
 * A bound may be no wider than `CAP`. `tests/helpers/wide.ts` notes the tests that need more than 1e-5, and why.
 *
 * @see https://www.w3.org/TR/WGSL/#floating-point-accuracy
 * @see Higham, "Accuracy and Stability of Numerical Algorithms", 3.3: running error analysis
 */

import { allocateHost, type HostArray, isFloat, type TypedArray } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import { sizeOf } from "../../src/graph/shape";
import { topologicalOrder } from "../../src/graph/walk";
import type { KernelLimits } from "../../src/kernels/kernel";
import { planReduce, roundingsOfChunk } from "../../src/kernels/reduce";
import { opOf } from "../../src/ops/op";
import { augmentErrors } from "./augmentErrors";
import { DEFAULT_LIMITS } from "./defaultLimits";

// --- the numbers -----------------------------------------------------------------------------------------------------

/** No bound is wider than this part of a value, or of the largest one (of 1000, where that is larger), whatever the formula says. */
export const CAP = 1e-3;

/** An ULP of f32 in relation to the value. WGSL rounds correctly if it gives either neighbour, so that one op may be off by this. */
export const ULP = 2 ** -23;

/** IEEE's rounding to nearest: the CPU computes in f64 and rounds once an op; goldens are rounded once. */
const HALF_ULP = 2 ** -24;

/** Of subnormal numbers an ULP is no smaller than this. */
const SMALLEST = 2 ** -149;

/** Below this, f32 is subnormal, and WGSL may flush it to 0. */
const SMALLEST_NORMAL = 2 ** -126;

/** What rounding a value to the nearest f32 may change. */
const rounded = (value: number): number => Math.max(HALF_ULP * Math.abs(value), SMALLEST / 2);

/**
 * A sum of n terms in a row is off by at most n ULP of the sum of magnitudes, if all errors point the same way. They do not: beyond
 * 6 sqrt(n) they get with a chance of 2n exp(-18).
 * @see Higham and Mary 2019, "A new approach to probabilistic rounding error analysis", theorem 2.4 with lambda = 6
 */
const roundingsOf = (terms: number): number => Math.min(terms, 6 * Math.sqrt(terms));

/** How far an op on a GPU may be off: in ULPs, or absolutely, from its value and inputs. */
type Accuracy = number | ((value: number, inputs: readonly number[]) => number);

/** Whole numbers an f32 holds exactly. */
const EXACT_INTEGERS = 2 ** 24;

/** The greater of some ULPs and an absolute error. */
const atLeast =
  (ulps: number, absolute: number): Accuracy =>
  (value) =>
    Math.max(ulps * ULP * Math.abs(value), absolute);

/** The ULPs of a function of shaders/lib/math.wgsl, or less where it is exact. */
const unless =
  (isExact: (value: number, inputs: readonly number[]) => boolean, ulps = OWN): Accuracy =>
  (value, inputs) =>
    isExact(value, inputs) ? 0 : ulps * ULP * Math.abs(value);

/**
 * A function of shaders/lib/math.wgsl: polynomials within 2 ULP on an argument that was reduced. None was seen to stray more than
 * 4 ULP, on an adapter that rounds to nearest; one that rounds either way may double every rounding.
 */
const OWN = 8;

/** Of pointwise ops that make floats. `accuracy.gpu.test.ts` tries them. */
export const ACCURACY: Readonly<Record<string, Accuracy>> = {
  // WGSL: exact, or moves
  ...{ neg: 0, abs: 0, sign: 0, relu: 0, maximum: 0, minimum: 0, where: 0, floor: 0, ceil: 0, round: 0, trunc: 0 },
  copysign: 0,
  // WGSL: correctly rounded, either way
  ...{ add: 1, sub: 1, mul: 1, square: 1 },
  cast: (value) => (Math.abs(value) > EXACT_INTEGERS ? ULP * Math.abs(value) : 0), // u32 and i32 to f32
  // WGSL: 2.5 ULP
  ...{ div: 2.5, reciprocal: 2.5 },
  // WGSL: inverseSqrt 2 ULP; sqrt as 1 / inverseSqrt
  ...{ rsqrt: 2, sqrt: 4.5 },
  ...{ exp: OWN, expm1: OWN, log: OWN, log1p: OWN },
  exp2: unless((_value, [x]) => Number.isInteger(x)),
  log2: unless((value) => Number.isInteger(value)),
  log10: unless((value) => Number.isInteger(value)),
  ...{ sigmoid: OWN, tanh: OWN, sinh: OWN, cosh: OWN, asinh: OWN, acosh: OWN, atanh: OWN },
  // a numerator and a quotient that may be flushed, by 0.014
  erf: atLeast(OWN, SMALLEST_NORMAL / 0.014),
  ...{ erfc: OWN, erfinv: OWN },
  // pi / 2 in three parts is right to 2^-48, and taken away up to 2^13 times
  ...{ sin: atLeast(OWN, 2 ** -34), cos: atLeast(OWN, 2 ** -34), tan: atLeast(OWN, 2 ** -34) },
  ...{ asin: OWN, acos: OWN, atan: OWN, atan2: OWN },
  ...{ pow: OWN, hypot: OWN },
  // the rest is exact; what is added to it is rounded
  ...{ remainder: 1, fmod: 0 },
  // floor of an exact quotient, as long as 2.5 ULP of it are less than a half
  floorDivide: unless((value) => Math.abs(value) < 2 ** 20, 2.5),
  // likewise; a quotient that an f32 cannot tell from the next integer becomes that
  truncDivide: (value, [a, b]) => {
    const [size, ofInteger] = [Math.abs(value), Math.abs(value) < 2 ** 20 ? 0 : 2.5 * ULP * Math.abs(value)];
    return Math.abs(a! / b!) * (1 + ULP) >= size + 1 ? 1 + ofInteger : ofInteger;
  },
};

/** How far a pointwise op on a GPU may be off, by ACCURACY. */
export function allowedBy(op: string, value: number, inputs: readonly number[]): number {
  const accuracy = ACCURACY[op];
  if (accuracy === undefined)
    throw new Error(`No accuracy of ${op}: add it to ACCURACY in tests/helpers/tolerance.ts.`);
  return typeof accuracy === "number" ? accuracy * ULP * Math.abs(value) : accuracy(value, inputs);
}

/**
 * What a kernel does with its inputs, and so with their errors. `of` are the inputs that count; others are indices.
 * - bilinear: sums of products of one input and the other
 * - sum: sums of elements
 * - extreme: every output is some element; it moves no further than the element that moves most
 * - product: sums and products of elements, in `steps` roundings in a row
 * - monotone: grows with every element; `rounding` is its own
 * - own: `errors` says it all, given the inputs and their errors
 */
type Rule =
  | { readonly kind: "bilinear" | "sum" | "extreme"; readonly of: readonly number[] }
  | { readonly kind: "product"; readonly of: readonly number[]; steps(node: Node): number }
  | { readonly kind: "monotone"; readonly of: readonly number[]; rounding(node: Node, values: TypedArray): number }
  | {
      readonly kind: "own";
      readonly of: readonly number[];
      errors(node: Node, hosts: readonly HostArray[], errorOf: (input: number) => Float64Array): Float64Array;
    };

const sizeAlong = ({ shape, attrs }: Node): number => shape[(attrs as { dim: number }).dim] ?? 1;

const bilinear: Rule = { kind: "bilinear", of: [0, 1] };

interface Score {
  /** scale * query . key, and how far it may be off. */
  readonly score: number;
  readonly error: number;
  /** query . key, and how far it may be off. */
  readonly product: number;
  readonly productError: number;
}

/** Scaled products of one query with all keys. */
function scoresOf(
  [query, key]: readonly HostArray[],
  [queryError, keyError]: readonly Float64Array[],
  scale: number,
  row: number,
): Score[] {
  const [keys, dim] = key!.shape as [number, number];
  return Array.from({ length: keys }, (_, j) => {
    let [product, size, error] = [0, 0, 0];
    for (let d = 0; d < dim; d++) {
      const [q, k] = [query!.data[row * dim + d]!, key!.data[j * dim + d]!];
      const [dq, dk] = [queryError![row * dim + d]!, keyError![j * dim + d]!];
      product += q * k;
      size += Math.abs(q * k);
      error += dq * (Math.abs(k) + dk) + Math.abs(q) * dk;
    }
    const productError = error + ULP * roundingsOf(dim) * size;
    const score = scale * product;
    return { score, error: scale * productError + ULP * Math.abs(score), product, productError };
  });
}

/**
 * Of `[n, 4]` columns of contrast. The log of a sum of exp moves no further than the score that moves most; to this come its own
 * roundings: of the chain of sums, exp's 4 ULP and log's 3, and of the result. The loss moves with the distance to the own score by no more
 * than its sigmoid, that by no more than a quarter; to this come exp, log1p and a quotient. A count may be off by the products that are
 * no farther from the own one than their error.
 */
function contrastErrors(
  node: Node,
  hosts: readonly HostArray[],
  errorOf: (input: number) => Float64Array,
): Float64Array {
  const { scale } = node.attrs as { scale: number };
  const [own, ownError] = [hosts[2]!.data, errorOf(2)];
  const [queries, keys] = [hosts[0]!.shape[0]!, hosts[1]!.shape[0]!];
  const errors = new Float64Array(4 * queries);
  for (let i = 0; i < queries; i++) {
    const scores = scoresOf(hosts, [errorOf(0), errorOf(1)], scale, i);
    const furthest = Math.max(0, ...scores.map(({ error }) => error));
    const largest = Math.max(0, ...scores.map(({ score }) => Math.abs(score)));
    const ofOthers = furthest + ULP * (roundingsOf(keys) + 8 + 2 * (largest + Math.log(Math.max(1, keys))));
    const score = Math.abs(scale * own[i]!);
    const ofDistance = ofOthers + scale * ownError[i]! + ULP * (2 * score + largest + Math.log(Math.max(1, keys)));
    const top = Math.max(-Infinity, ...scores.map((each) => each.score));
    const others = top + Math.log(scores.reduce((sum, each) => sum + Math.exp(each.score - top), 0));
    const distance = others - scale * own[i]!;
    const rest = 1 / (1 + Math.exp(-distance));
    const loss = Math.max(distance, 0) + Math.log1p(Math.exp(-Math.abs(distance)));
    const moved = Math.min(1, rest * Math.exp(Math.min(ofDistance, 1))); // the sigmoid anywhere within the error
    errors[4 * i] = moved * ofDistance + 2 * OWN * ULP * loss;
    errors[4 * i + 1] = ofOthers + scale * ownError[i]! + 2 * OWN * ULP * (score + loss);
    errors[4 * i + 2] = Math.min(0.25, moved) * ofDistance + 2 * OWN * ULP * rest;
    errors[4 * i + 3] = scores.filter(
      ({ product, productError }) => Math.abs(product - own[i]!) <= productError + ownError[i]!,
    ).length;
  }
  return errors;
}

/** Of sums of keys by their weights exp(score - total): each weight moves by its exponent's error and exp's 8 ULP; then the sum's own roundings. */
function contrastMeanErrors(
  node: Node,
  hosts: readonly HostArray[],
  errorOf: (input: number) => Float64Array,
): Float64Array {
  const { scale } = node.attrs as { scale: number };
  const [key, keyError] = [hosts[1]!.data, errorOf(1)];
  const [total, totalError] = [hosts[2]!.data, errorOf(2)];
  const [queries, dim] = hosts[0]!.shape as [number, number];
  const errors = new Float64Array(queries * dim);
  for (let i = 0; i < queries; i++) {
    scoresOf(hosts, [errorOf(0), keyError], scale, i).forEach(({ score, error }, j) => {
      const weight = Math.exp(score - total[i]!);
      const exponent = error + totalError[i]! + ULP * (Math.abs(score) + Math.abs(score - total[i]!) + OWN);
      const ofWeight = weight * Math.expm1(Math.min(exponent, 100));
      for (let d = 0; d < dim; d++) {
        const [k, dk] = [Math.abs(key[j * dim + d]!), keyError[j * dim + d]!];
        const rounding = ULP * (roundingsOf(hosts[1]!.shape[0]!) + 1) * weight * k;
        errors[i * dim + d]! += ofWeight * (k + dk) + weight * dk + rounding;
      }
    });
  }
  return errors;
}

/** Of ops with kernels of their own that make floats. */
export const RULES: Readonly<Record<string, Rule | ((node: Node) => Rule)>> = {
  ...{ matmul: bilinear, conv2d: bilinear, conv2dGradInput: bilinear, conv2dGradWeight: bilinear },
  maxPool2d: { kind: "extreme", of: [0] },
  maxPool2dGrad: { kind: "sum", of: [0] },
  scatterReduce: ({ inputs, attrs }) => {
    const { reduce, dim } = attrs as { reduce: string; dim: number };
    const kind = ({ sum: "sum", prod: "product" } as const)[reduce] ?? "extreme";
    return { kind, of: [0, 2], steps: () => inputs[1]!.shape[dim] ?? 1 };
  },
  augment: {
    kind: "own",
    of: [2],
    errors: (node, hosts, errorOf) => augmentErrors(node, hosts, errorOf, { ULP, roundingsOf }),
  },
  contrast: { kind: "own", of: [0, 1, 2], errors: contrastErrors },
  contrastMean: { kind: "own", of: [0, 1, 2], errors: contrastMeanErrors },
  cumsum: { kind: "sum", of: [0] },
  cumprod: { kind: "product", of: [0], steps: sizeAlong },
  linearScan: { kind: "product", of: [0, 1], steps: (node) => 2 * sizeAlong(node) },
  // high + log1p(exp(low - high)): of the sum an ULP, of what is added, below 0.7, log1p's 8 and exp's 4
  logcumsumexp: {
    kind: "monotone",
    of: [0],
    rounding: (node, values) => roundingsOf(sizeAlong(node)) * ULP * (largestOf(values) + 12 * 0.7),
  },
};

/** Ops in place, and so never in the graph of a result. */
export const IN_PLACE: readonly string[] = [
  "momentumSgd",
  "ema",
  "momentumSgdEma",
  "adam",
  "rmsProp",
  "lars",
  "clipGradNorm",
  "clipGradValue",
];

// --- the formula -----------------------------------------------------------------------------------------------------

export interface BoundOptions {
  readonly device: "cpu" | "webgpu";
  /** What results are compared with: the reference, which rounds too, or exact values rounded once. */
  readonly to: "reference" | "exact";
  /** Steps that have written the state which the graph reads; 0 where it is as it was given. */
  readonly steps?: number;
  /** How far that state of PyTorch in f32 strays from PyTorch's in f64, where it is known. */
  readonly spread?: number;
  /** False for bounds as they are. */
  readonly isCapped?: boolean;
  /** Memory of leaves that are not on the host. */
  readonly leaf?: (node: Node) => TypedArray;
}

/** A result: what the reference has, how far the device may be from it, and where on the way that became wide. */
export interface Bounded {
  readonly values: TypedArray;
  readonly bounds: Float64Array;
  readonly because: string;
}

/** The formula on what lies below some results. Keeps the graph's edges, since reading a result drops them. */
export class ErrorAnalysis {
  private readonly order: readonly { node: Node; inputs: readonly Node[] }[];
  /** Leaves whose values the host does not have. */
  readonly absent: readonly Node[];

  constructor(private readonly roots: readonly Node[]) {
    const nodes = topologicalOrder(roots, (node) => node.hasValue);
    this.order = nodes.map((node) => ({ node, inputs: node.hasValue ? [] : node.inputs }));
    this.absent = nodes.filter((node) => node.hasValue && node.hostData === null);
  }

  /** One result a root. */
  run(options: BoundOptions): Bounded[] {
    const states = new Map<Node, State>();
    for (const { node, inputs } of this.order) {
      states.set(
        node,
        node.hasValue
          ? leafState(node, options)
          : step(
              node,
              inputs.map((input) => states.get(input)!),
              options,
            ),
      );
    }
    return this.roots.map((root) => {
      const { host, error, because } = states.get(root)!;
      const bounds = error?.slice() ?? new Float64Array(host.data.length);
      if (options.isCapped ?? true) capBounds(bounds, host);
      return { values: host.data, bounds, because };
    });
  }
}

/** The formula on graphs whose leaves lie on the host. */
export const boundsOf = (roots: readonly Node[], options: BoundOptions): Bounded[] =>
  new ErrorAnalysis(roots).run(options);

/** What is known of a node: null for no error. */
interface State {
  readonly host: HostArray;
  readonly error: Float64Array | null;
  /** The first op on the way that made the bound wider than 1e-5. */
  readonly because: string;
}

const absolute = (data: TypedArray): Float64Array => Float64Array.from(data, Math.abs);

/** Data is exact. Numbers of JavaScript's, alone or in tables, were rounded on their way into the graph, unless they are short. */
function leafState(node: Node, options: BoundOptions): State {
  const { device, to, leaf = (each: Node) => each.hostData! } = options;
  const host = { shape: node.shape, dtype: node.dtype, data: leaf(node) };
  if (!isFloat(node.dtype)) return { host, error: null, because: "" };
  const error = node.variable ? boundsOfState(host.data, options) : new Float64Array(host.data.length);
  if (to === "exact" && node.dtype === "f32" && (node.op.name === "scalar" || node.op.name === "table")) {
    host.data.forEach((value: number, i: number) => (error[i] = Number.isInteger(value * 1024) ? 0 : rounded(value)));
  }
  addFlushed(error, host.data, device);
  return { host, error: orNull(error), because: widthOf(error, host.data) > WIDE ? node.op.name : "" };
}

const orNull = (error: Float64Array): Float64Array | null => (error.some((each) => each > 0) ? error : null);

function addFlushed(error: Float64Array, values: TypedArray, device: BoundOptions["device"]): void {
  if (device === "cpu") return;
  values.forEach((value: number, i: number) => {
    const size = Math.abs(value);
    if (size > 0 && size - error[i]! < SMALLEST_NORMAL) error[i]! += Math.min(size, SMALLEST_NORMAL);
  });
}

function evaluate(node: Node, inputs: readonly HostArray[], data: TypedArray): TypedArray {
  opOf(node).evaluate(inputs, { shape: node.shape, dtype: node.dtype, data }, node.attrs);
  return data;
}

/** The op in f64, on inputs of which some are replaced. */
function evaluate64(node: Node, inputs: readonly HostArray[], replaced: ReadonlyMap<number, TypedArray>): TypedArray {
  const moved = inputs.map((input, i) => ({ ...input, data: replaced.get(i) ?? input.data }));
  return evaluate(node, moved, allocateHost(node.dtype, sizeOf(node.shape), true));
}

function step(node: Node, inputs: readonly State[], options: BoundOptions): State {
  const hosts = inputs.map(({ host }) => host);
  const data = evaluate(node, hosts, allocateHost(node.dtype, sizeOf(node.shape)));
  const host = { shape: node.shape, dtype: node.dtype, data };
  const error = inherited(node, inputs) ?? new Float64Array(data.length);
  if (isFloat(node.dtype)) {
    addRounding(error, node, inputs, data, options);
    addFlushed(error, data, options.device);
  }
  const most = (value: number): number => Math.max(1e30, OWN * ULP * Math.abs(value)); // keeps what follows from it finite
  error.forEach((each, i) => (error[i] = Number.isFinite(data[i]) ? Math.min(each, most(data[i]!)) || 0 : 0)); // NaN and infinity are exact
  const before = inputs.find(({ because }) => because !== "")?.because ?? "";
  const isWide = before === "" && isFloat(node.dtype) && widthOf(error, data) > WIDE;
  return { host, error: orNull(error), because: isWide ? nameOf(node, hosts) : before };
}

/** Beyond this part of the values, a bound is reported. */
export const WIDE = 1e-5;

function nameOf(node: Node, hosts: readonly HostArray[]): string {
  const { kind } = opOf(node).lowering;
  const terms =
    kind === "reduce"
      ? termsOf(node, hosts)
      : kind === "kernel" && ["bilinear", "sum"].includes(ruleOf(node).kind)
        ? most(countsOf(node, hosts))
        : 0;
  return terms > 1 ? `${node.op.name} of ${terms} terms` : node.op.name;
}

const most = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => Math.max(a, b), 0);

// --- what becomes of the inputs' errors

function inherited(node: Node, inputs: readonly State[]): Float64Array | null {
  if (inputs.every(({ error }) => error === null)) return null;
  const { lowering } = opOf(node);
  switch (lowering.kind) {
    case "alias":
      return inputs[0]!.error?.slice() ?? null;
    case "pointwise":
      return moved(node, inputs, [1, -1]);
    case "reduce":
      return ofFold(node, inputs[0]!, lowering.fold);
    case "kernel":
      return ofKernel(node, inputs);
    default:
      return moved(node, inputs, [1]); // elements in other places
  }
}

/**
 * The sum of what each input's error does alone: f(x + error) - f(x), and the same below. Or what all do together, where that is more:
 * of a product of zeros no error alone makes anything.
 */
function moved(node: Node, inputs: readonly State[], directions: readonly number[]): Float64Array {
  const hosts = inputs.map(({ host }) => host);
  const base = evaluate64(node, hosts, new Map());
  const total = new Float64Array(base.length);
  inputs.forEach(({ host, error }, i) => {
    if (!error) return;
    const ways = directions.map((sign) => evaluate64(node, hosts, new Map([[i, movedBy(host, error, sign)]])));
    for (let j = 0; j < total.length; j++)
      total[j]! += furthest(
        base[j]!,
        ways.map((way) => way[j]!),
      );
  });
  const wrong = inputs.flatMap(({ error }, i) => (error ? [i] : []));
  if (wrong.length < 2 || directions.length < 2) return total;
  const corners = Array.from({ length: 2 ** wrong.length }, (_, corner) => {
    const replaced = wrong.map((i, bit): [number, TypedArray] => {
      const { host, error } = inputs[i]!;
      return [i, movedBy(host, error!, (corner >> bit) % 2 === 0 ? 1 : -1)];
    });
    return evaluate64(node, hosts, new Map(replaced));
  });
  return total.map((alone, j) => Math.max(alone, furthest(base[j]!, corners.map((way) => way[j]!)))); // prettier-ignore
}

function movedBy({ data, dtype }: HostArray, error: Float64Array, sign: number): TypedArray {
  if (dtype === "bool") return Uint8Array.from(data, (value, i) => (error[i]! > 0 ? 1 - value : value));
  return Float64Array.from(data, (value, i) => value + sign * error[i]!);
}

/** NaN on one side of the domain's edge: a result there would be NaN, which is never close. */
const furthest = (base: number, ways: readonly number[]): number =>
  ways.reduce((far, way) => (Object.is(way, base) || Number.isNaN(way) ? far : Math.max(far, Math.abs(way - base))), 0);

function ofFold(node: Node, { host, error }: State, fold: "sum" | "prod" | "max" | "min"): Float64Array {
  if (fold !== "prod") {
    // of a sum the sum; an extreme moves no further than the element that moves most
    const op = fold === "min" ? "max" : fold;
    const total = new Float64Array(sizeOf(node.shape));
    forEachFolded(
      node,
      host,
      (from, to) => (total[to] = op === "sum" ? total[to]! + error![from]! : Math.max(total[to]!, error![from]!)),
    );
    return total;
  }
  const size = absolute(host.data);
  const grown = evaluate64(node, [host], new Map([[0, size.map((value, i) => value + error![i]!)]]));
  const base = evaluate64(node, [host], new Map([[0, size]]));
  return Float64Array.from(grown, (value, i) => value - base[i]!);
}

/** Calls back with the places of a reduction's input and output. */
function forEachFolded(node: Node, { shape }: HostArray, visit: (from: number, to: number) => void): void {
  const { dims } = node.attrs as { readonly dims: readonly number[] };
  const count = sizeOf(shape);
  for (let from = 0; from < count; from++) {
    let to = 0;
    let stride = 1;
    let rest = from;
    for (let d = shape.length - 1; d >= 0; d--) {
      const coordinate = rest % shape[d]!;
      rest = Math.floor(rest / shape[d]!);
      if (dims.includes(d)) continue;
      to += coordinate * stride;
      stride *= shape[d]!;
    }
    visit(from, to);
  }
}

function ruleOf(node: Node): Rule {
  const rule = RULES[node.op.name];
  if (!rule) throw new Error(`No rule for errors in ${node.op.name}: add it to RULES in tests/helpers/tolerance.ts.`);
  return typeof rule === "function" ? rule(node) : rule;
}

function ofKernel(node: Node, inputs: readonly State[]): Float64Array | null {
  if (!isFloat(node.dtype)) return null;
  const rule = ruleOf(node);
  const hosts = inputs.map(({ host }) => host);
  const errorOf = (i: number): Float64Array => inputs[i]!.error ?? new Float64Array(inputs[i]!.host.data.length);
  const sizeOfInput = (i: number): Float64Array =>
    rule.kind === "monotone" ? Float64Array.from(hosts[i]!.data) : absolute(hosts[i]!.data);
  const grownOf = (i: number): Float64Array => sizeOfInput(i).map((value, at) => value + errorOf(i)[at]!);
  /** The kernel on what `pick` gives for the inputs that count. */
  const on = (pick: (i: number) => Float64Array): TypedArray =>
    evaluate64(node, hosts, new Map(rule.of.map((i) => [i, pick(i)])));
  switch (rule.kind) {
    case "own":
      return rule.errors(node, hosts, errorOf);
    case "extreme":
      return new Float64Array(sizeOf(node.shape)).fill(most(rule.of.map((i) => most(errorOf(i)))));
    case "sum":
      return Float64Array.from(on(errorOf));
    case "bilinear": {
      // da (|b| + db) + |a| db
      const left = on((i) => (i === 0 ? errorOf(0) : grownOf(1)));
      const right = on((i) => (i === 0 ? sizeOfInput(0) : errorOf(1)));
      return Float64Array.from(left, (value, i) => value + right[i]!);
    }
    default: {
      const base = on(sizeOfInput);
      return Float64Array.from(on(grownOf), (value, i) => value - base[i]!);
    }
  }
}

// --- the op's own rounding

function addRounding(
  error: Float64Array,
  node: Node,
  inputs: readonly State[],
  values: TypedArray,
  { device, to }: BoundOptions,
): void {
  if (!["pointwise", "reduce", "kernel"].includes(opOf(node).lowering.kind)) return; // moves
  const hosts = inputs.map(({ host }) => host);
  const exact = evaluate64(node, hosts, new Map());
  const halves = Number(device === "cpu") + Number(to === "reference"); // who rounds to nearest: known exactly
  values.forEach((value: number, i: number) => (error[i]! += halves * Math.abs(value - exact[i]!) || 0));
  if (device === "cpu") return;
  const own = ownRounding(node, hosts, exact);
  const isExact = inputs.every((input) => input.error === null);
  own.forEach((each, i) => {
    // rounding changes nothing where the result is an f32
    const isRounded = !(isExact && ACCURACY[node.op.name] === 1 && Math.fround(exact[i]!) === exact[i]);
    if (isRounded) error[i]! += each;
  });
}

/** Of a GPU. */
function ownRounding(node: Node, hosts: readonly HostArray[], exact: TypedArray): Float64Array {
  const { lowering } = opOf(node);
  switch (lowering.kind) {
    case "pointwise":
      return Float64Array.from(exact, (value, i) => {
        const operands = hosts.map(({ data }) => data[i]!);
        return allowedBy(node.op.name, value, operands);
      });
    case "reduce": {
      if (lowering.fold === "max" || lowering.fold === "min") return new Float64Array(exact.length);
      const chain = ULP * roundingsOf(chainOf(node, hosts));
      if (lowering.fold === "prod") return Float64Array.from(exact, (value) => chain * Math.abs(value));
      return ofSums(evaluate64(node, hosts, new Map([[0, absolute(hosts[0]!.data)]])), hosts, () => chain);
    }
    default:
      return ofOwnKernel(node, hosts, exact);
  }
}

function ofOwnKernel(node: Node, hosts: readonly HostArray[], exact: TypedArray): Float64Array {
  const rule = ruleOf(node);
  const on = (pick: (data: TypedArray) => Float64Array): TypedArray =>
    evaluate64(node, hosts, new Map(rule.of.map((i) => [i, pick(hosts[i]!.data)])));
  switch (rule.kind) {
    case "own": // inherited or not
      return rule.errors(node, hosts, (i) => new Float64Array(hosts[i]!.data.length));
    case "extreme":
      return new Float64Array(exact.length);
    case "monotone":
      return new Float64Array(exact.length).fill(rule.rounding(node, exact));
    case "product": {
      const part = ULP * roundingsOf(rule.steps(node));
      return Float64Array.from(on(absolute), (size) => part * size);
    }
    default: {
      const counts = countsOf(node, hosts);
      const operands = rule.of.map((i) => hosts[i]!);
      return ofSums(on(absolute), operands, (i) => ULP * roundingsOf(counts[i]!));
    }
  }
}

/** Of sums, given the sums of magnitudes: a part of these, or nothing where all partial sums are whole numbers that an f32 holds. */
function ofSums(sizes: TypedArray, operands: readonly HostArray[], part: (i: number) => number): Float64Array {
  const isWhole = operands.every(({ data }) => data.every((value: number) => Number.isInteger(value)));
  return Float64Array.from(sizes, (size, i) => (isWhole && size <= EXACT_INTEGERS ? 0 : part(i) * size));
}

/** How many terms each element of a kernel's output is the sum of: the kernel on ones. */
function countsOf(node: Node, hosts: readonly HostArray[]): TypedArray {
  const ones = ruleOf(node).of.map((i): [number, TypedArray] => [i, new Float64Array(hosts[i]!.data.length).fill(1)]);
  return evaluate64(node, hosts, new Map(ones));
}

const termsOf = (node: Node, hosts: readonly HostArray[]): number =>
  Math.round(hosts[0]!.data.length / Math.max(1, sizeOf(node.shape)));

/** Additions in a row in the worst of the ways to cut a reduction, over all its passes. */
function chainOf(node: Node, hosts: readonly HostArray[]): number {
  const outputs = sizeOf(node.shape);
  const terms = termsOf(node, hosts);
  if (outputs === 0 || terms === 0) return 0;
  const lengths = (["software", "hardware"] as const).flatMap((adapterClass) => {
    const limits: KernelLimits = { ...DEFAULT_LIMITS, adapterClass };
    const plans = [
      planReduce({ layout: "rows", outputs, outer: 1, inner: terms }, limits),
      planReduce({ layout: "columns", outputs, rows: terms }, limits),
    ];
    return plans.map(({ passes }) =>
      passes.reduce((sum, { params, consts }) => {
        const chunk = Math.min(params["chunk"]!, terms);
        // turns are shorter where loads are long
        return sum + Math.max(roundingsOfChunk(chunk, 1), roundingsOfChunk(chunk, consts!["RUN"]!));
      }, 0),
    );
  });
  return Math.min(terms, most(lengths));
}

// --- comparing -------------------------------------------------------------------------------------------------------

const largestOf = (values: TypedArray): number =>
  most(Array.from(values, (value) => (Number.isFinite(value) ? Math.abs(value) : 0)));

/** What a bound is measured by: the largest value, up to 1000; the value itself where it is larger. */
function* scales(values: TypedArray): Generator<number> {
  const floor = Math.min(largestOf(values), 1000);
  for (const value of values) yield Number.isFinite(value) ? Math.max(Math.abs(value), floor) : Infinity;
}

/** Integers are right or wrong. */
function capBounds(bounds: Float64Array, { data, dtype }: HostArray): void {
  if (!isFloat(dtype)) bounds.fill(0);
  let i = 0;
  for (const scale of scales(data)) {
    if (Number.isFinite(scale)) bounds[i] = Math.min(bounds[i]!, CAP * scale);
    i++;
  }
}

/** The widest of some bounds, as a part of the values. */
export function widthOf(bounds: Float64Array, values: TypedArray): number {
  let width = 0;
  let i = 0;
  for (const scale of scales(values)) {
    if (bounds[i]! > 0) width = Math.max(width, bounds[i]! / scale);
    i++;
  }
  return width;
}

/** How many bounds are wider than the cap: where a choice may turn, and nothing can be said. */
export function countUnsure(bounds: Float64Array, values: TypedArray): number {
  let count = 0;
  let i = 0;
  for (const scale of scales(values)) if (bounds[i++]! > CAP * scale) count++;
  return count;
}

/** Infinity and NaN are close to nothing but themselves. */
export const isClose = (got: number, want: number, bound: number): boolean =>
  Object.is(got, want) || got === want || (Number.isFinite(want) && Math.abs(got - want) <= bound);

/** The first value that is off, in words; null if none is. */
export function firstOff(got: TypedArray, want: TypedArray, bounds: ArrayLike<number>): string | null {
  if (got.length !== want.length) return `${got.length} values for ${want.length}`;
  for (let i = 0; i < want.length; i++) {
    if (!isClose(got[i]!, want[i]!, bounds[i]!))
      return `[${i}]: got ${got[i]}, expected ${want[i]} within ${bounds[i]!.toPrecision(2)}`;
  }
  return null;
}

/**
 * A result's bounds, and those of what it is compared with: computed in f64, which may cancel too, and rounded to f32. Twice:
 * some of PyTorch's functions have constants in f32, such as the sixth of hardsigmoid.
 */
export function withGoldens(bounds: Float64Array, want: TypedArray): Float64Array {
  if (!(want instanceof Float32Array || want instanceof Float64Array)) return bounds;
  const ofDouble = Number.EPSILON * Math.min(largestOf(want), 1);
  return bounds.map((bound, i) => (Number.isFinite(want[i]) ? bound + 2 * rounded(want[i]!) + ofDouble : bound));
}

// --- without a graph -------------------------------------------------------------------------------------------------

/** Roundings in a row between one state and the next: of momentum, of its square, of the step and of what it is added to. */
const ROUNDINGS_PER_STEP = 4;

/**
 * Of state, whose graph is gone: so many roundings for every step that has written it, of the value and, where sums cancel, of
 * the largest one. Where steps feed on each other, roundings grow: PyTorch in f32 strays as far, from other roundings.
 */
export function boundsOfState(
  values: TypedArray,
  { device, steps = 0, spread = 0 }: Pick<BoundOptions, "device" | "steps" | "spread">,
): Float64Array {
  const rounding = steps * ROUNDINGS_PER_STEP * (device === "cpu" ? HALF_ULP : ULP);
  const largest = Math.min(largestOf(values), 1000);
  const isExact = !(values instanceof Float32Array || values instanceof Float64Array);
  return Float64Array.from(values, (value) =>
    isExact || !Number.isFinite(value) ? 0 : Math.min(rounding, CAP) * (Math.abs(value) + largest) + 4 * spread,
  );
}

/** Central differences in f64 with a step h: they err by h^2 times a third derivative and by 1e-16 / h; numbers in graphs are f32. */
export const DIFFERENCES = { step: 1e-5, tolerance: 2e-6 } as const;

/** Between a graph in f32 and the same in f64, both computed in f64: numbers in the former are rounded to f32, and gradients amplify that. */
export const ROUNDED_NUMBERS = 1e-5;
