/**
 * Random tensors. The bits come from a counter (Philox): a generator is a seed and how far it has counted, both on the host.
 * So a checkpoint can hold it, and CPU and GPU draw the same bits.
 */

import { CREATION_OPTIONS, type CreationOptions, type Sizes, sizesAndOptions, tensor } from "./creation";
import { checkedDevice, defaultDevice, type Device } from "./device";
import { DTypeError, ShapeError, ValueError } from "./errors";
import { type DType, INTEGER_RANGE, isFloat } from "./graph/dtype";
import type { Node } from "./graph/node";
import { checkShape, type Shape, sizeOf } from "./graph/shape";
import * as ops from "./ops";
import { checkIsList, checkOptionNames, describe } from "./options";
import { cannotReplay, hostAction, hostArray, hostScalar, recording } from "./runtime/recorder";
import { checkTensors, operandsOf, Tensor, wrap } from "./tensor";

/** Where a generator is: part of a checkpoint. */
export interface GeneratorState {
  /** 0 to 2^53. */
  readonly seed: number;
  /** Blocks of four random words drawn so far. */
  readonly offset: number;
}

/** The seed that PyTorch's generators start with. */
const DEFAULT_SEED = 67280421310721;

/**
 * A source of random numbers of its own.
 *
 * @param seed integer, 0 to 2^53; default: PyTorch's
 * @throws ValueError if the seed is no such integer
 * @see torch.Generator
 *
 * @example
 * const generator = new Generator(7);
 * const noise = randn([4], { generator });
 */
export class Generator {
  private seed = DEFAULT_SEED;
  private offset = 0;

  constructor(seed: number = DEFAULT_SEED) {
    checkState({ seed, offset: 0 });
    this.start(seed);
  }

  /** Called before the state is looked at. */
  protected refresh(): void {
    // a generator of one's own is what it is
  }

  protected start(seed: number): void {
    this.seed = seed;
    this.offset = 0;
  }

  /** Starts again from a seed. */
  manualSeed(seed: number): this {
    return this.setState({ seed, offset: 0 });
  }

  /** The seed that it started from. @see torch.Generator.initial_seed */
  initialSeed(): number {
    this.refresh();
    return this.seed;
  }

  /** Where it is, for a checkpoint. @see torch.Generator.get_state */
  getState(): GeneratorState {
    this.refresh();
    return { seed: this.seed, offset: this.offset };
  }

  /**
   * Goes on from a state.
   *
   * @throws ValueError if seed or offset is no integer from 0 to 2^53
   * @see torch.Generator.set_state
   */
  setState(state: GeneratorState): this {
    cannotReplay("sets the state of a generator");
    const { seed, offset } = checkState(state);
    this.refresh(); // what was seeded before does not matter any more
    this.seed = seed;
    this.offset = offset;
    return this;
  }

  /** The state for `count` random words, which are then used up. Its numbers are data, so a plan serves every draw. */
  draw(count: number): ops.RandomState {
    let state = { seed: 0, offset: 0 };
    hostAction(() => {
      state = this.reserve(count);
    });
    return {
      seedLow: hostScalar(() => words(state.seed)[0], "u32"),
      seedHigh: hostScalar(() => words(state.seed)[1], "u32"),
      offsetLow: hostScalar(() => words(state.offset)[0], "u32"),
      offsetHigh: hostScalar(() => words(state.offset)[1], "u32"),
    };
  }

  /** The same random words on the host. */
  drawOnHost(count: number): Uint32Array {
    cannotReplay("draws random numbers on the host");
    const { seed, offset } = this.reserve(count);
    const [seedLow, seedHigh] = words(seed);
    const blocks = ops.blocksOf(count);
    const drawn = new Uint32Array(4 * blocks);
    for (let block = 0; block < blocks; block++) {
      const four = drawn.subarray(4 * block, 4 * block + 4);
      four.set(words(offset + block));
      ops.philox(four, seedLow, seedHigh);
    }
    return drawn.subarray(0, count);
  }

  private reserve(count: number): GeneratorState {
    const state = this.getState();
    this.offset += ops.blocksOf(count);
    return state;
  }
}

/** Callers without types may pass what a file had. */
function checkState(state: GeneratorState): GeneratorState {
  const { seed, offset } = Object(state) as GeneratorState;
  for (const [name, value] of Object.entries({ seed, offset })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ValueError(`Generator: ${name} must be an integer from 0 to 2^53, got ${value}. Pass such a number.`);
    }
  }
  return { seed, offset };
}

/** A device's own generator: starts again, when it is used next, once all have been seeded. */
class DefaultGenerator extends Generator {
  private seeding = seeding;

  constructor() {
    super(seedOfAll);
  }

  protected override refresh(): void {
    if (this.seeding === seeding) return;
    this.seeding = seeding;
    this.start(seedOfAll);
  }
}

/** Low and high word of an integer below 2^53. */
const words = (value: number): [number, number] => [value % 2 ** 32, Math.floor(value / 2 ** 32)];

let seedOfAll = DEFAULT_SEED;
let seeding = 0;
const defaults = new WeakMap<Device, Generator>();

/** The generator that random functions use on a device unless they are given one. */
export function defaultGenerator(device: Device = defaultDevice()): Generator {
  let found = defaults.get(device);
  if (!found) defaults.set(device, (found = new DefaultGenerator()));
  return found;
}

/**
 * Seeds the default generators of all devices.
 *
 * @param seed integer, 0 to 2^53
 * @throws ValueError if it is no such integer
 * @see torch.manual_seed
 */
export function manualSeed(seed: number): void {
  new Generator(seed); // checks it
  seedOfAll = seed;
  seeding++;
}

/** Options of random functions. */
export interface RandomOptions extends CreationOptions {
  /** Default: the device's own. */
  readonly generator?: Generator;
}

const RANDOM_OPTIONS = [...CREATION_OPTIONS, "generator"];

// --- uniform and normal ----------------------------------------------------------------------------------------------

/**
 * Independent random bits, u32: element `i` is word `i mod 4` of Philox block `offset + floor(i / 4)`.
 *
 * @example
 * const coin = randomBits([8]).bitwiseAnd(1);
 */
export function randomBits(shape: Shape, options: RandomOptions = {}): Tensor {
  checkIsList("randomBits", "shape", shape);
  return made("randomBits", shape, sizeOf(shape), options, (state) => ops.randomBits(shape, state));
}

/**
 * Uniform in [0, 1): multiples of 2^-24, the same on every device.
 *
 * @param sizes in a list, or one by one
 * @throws DTypeError if `dtype` is no float
 * @see torch.rand
 *
 * @example
 * rand(2, 3);
 * rand([2, 3], { generator: new Generator(7) });
 */
export const rand = (...sizes: Sizes<RandomOptions>): Tensor =>
  floats("rand", sizes, 1, (shape, state) => ops.uniform(shape, state));

/**
 * Normal with mean 0 and variance 1, by Box and Muller; equal on all devices up to rounding.
 *
 * @param sizes in a list, or one by one
 * @throws DTypeError if `dtype` is no float
 * @see torch.randn
 *
 * @example
 * randn(2, 3);
 * randn([2, 3], { requiresGrad: true });
 */
export const randn = (...sizes: Sizes<RandomOptions>): Tensor =>
  floats("randn", sizes, 2, (shape, state) => ops.normal(shape, state));

/** As `rand`, with the shape, dtype and device of `x`. @see torch.rand_like */
export const randLike = (x: Tensor, options: RandomOptions = {}): Tensor => rand(...alike("randLike", x, options));

/** As `randn`, with the shape, dtype and device of `x`. @see torch.randn_like */
export const randnLike = (x: Tensor, options: RandomOptions = {}): Tensor => randn(...alike("randnLike", x, options));

/**
 * Uniform in [low, high).
 *
 * @param options.low default 0
 * @param options.high default 1
 * @throws ValueError if `high` is less than `low`
 * @see torch.Tensor.uniform_
 */
export function uniform(shape: Shape, options: RandomOptions & { low?: number; high?: number } = {}): Tensor {
  checkOptionNames("uniform", options, [...RANDOM_OPTIONS, "low", "high"]);
  const { low = 0, high = 1, ...drawing } = options;
  if (!(low <= high && Number.isFinite(high - low)))
    throw new ValueError(`uniform: low must be finite and no more than high, got ${low} and ${high}. Swap them.`);
  return floats("uniform", [shape, drawing], 1, (sizes, state) =>
    ops.add(ops.mul(ops.uniform(sizes, state), high - low), low),
  );
}

/**
 * Normal with a mean and a standard deviation for each element, which broadcast; or with one of each, in a given size. No gradient
 * flows to them: that of `mean + std * randn` would.
 *
 * @param std not negative; default 1
 * @throws ValueError if a standard deviation that the host knows is negative
 * @see torch.normal
 *
 * @example
 * normal(0, 0.02, [64, 3, 7, 7]);
 * normal(means, deviations);
 */
export function normal(mean: Tensor, std?: Tensor | number, options?: RandomOptions): Tensor;
export function normal(mean: number, std: Tensor, options?: RandomOptions): Tensor;
export function normal(mean: number, std: number, size: Shape, options?: RandomOptions): Tensor;
export function normal(
  mean: Tensor | number,
  std: Tensor | number = 1,
  sizeOrOptions?: Shape | RandomOptions,
  options?: RandomOptions,
): Tensor {
  const [m, s] = [operandOf("normal", mean), operandOf("normal", std)];
  if (typeof m === "number" && typeof s === "number") {
    if (!Array.isArray(sizeOrOptions)) {
      throw new ShapeError("normal: two numbers need a size, got none. Write normal(mean, std, [sizes]).");
    }
    const size = sizeOrOptions as Shape;
    checkDeviations([s]);
    return floats("normal", [size, options ?? {}], 2, (shape, state) =>
      ops.add(ops.mul(ops.normal(shape, state), s), m),
    );
  }
  const tensors = [mean, std].filter((operand) => operand instanceof Tensor);
  operandsOf("normal", tensors); // all on one device
  if (typeof s === "number") checkDeviations([s]);
  else if (s.hostData) checkDeviations(s.hostData);
  const [means, deviations] = ops.together(
    "normal",
    [m, s].map((operand) => (typeof operand === "number" ? operand : ops.withoutGrad(operand))),
  );
  const [, drawing] = alike("normal", tensors[0]!, sizeOrOptions as RandomOptions | undefined);
  return floats("normal", [means!.shape, drawing], 2, (shape, state) =>
    ops.add(ops.mul(ops.cast(ops.normal(shape, state), means!.dtype), deviations!), means!),
  );
}

function operandOf(op: string, operand: unknown): Node | number {
  if (operand instanceof Tensor) return operand.node;
  if (typeof operand === "number") return operand;
  throw new ValueError(
    `${op}: mean and std must be tensors or numbers, got ${describe(operand)}. The size comes third: normal(0, 1, [2, 3]).`,
  );
}

function checkDeviations(deviations: ArrayLike<number>): void {
  const wrong = Array.from(deviations).find((std) => !(std >= 0));
  if (wrong === undefined) return;
  throw new ValueError(`normal: std must not be negative, got ${wrong}. Pass a standard deviation.`);
}

/** Normal, of which only what lies in [a, b] is drawn: what `nn.init.truncNormal_` writes. */
export function truncNormal(
  shape: Shape,
  { mean, std, a, b }: { mean: number; std: number; a: number; b: number },
  options: RandomOptions,
): Tensor {
  const scale = std * Math.SQRT2;
  const end = (value: number): Node => ops.erf(ops.scalar((value - mean) / scale));
  return floats("truncNormal", [shape, options], 1, (sizes, state) => {
    const [low, high] = [end(a), end(b)];
    const place = ops.add(ops.mul(ops.uniform(sizes, state), ops.sub(high, low)), low);
    return ops.clamp(ops.add(ops.mul(ops.erfinv(place), scale), mean), a, b);
  });
}

/**
 * Exponential with a rate: of mean `1 / lambd`.
 *
 * @param options.lambd default 1
 * @throws ValueError if `lambd` is not positive
 * @see torch.Tensor.exponential_
 */
export function exponential(shape: Shape, options: RandomOptions & { lambd?: number } = {}): Tensor {
  checkOptionNames("exponential", options, [...RANDOM_OPTIONS, "lambd"]);
  const { lambd = 1, ...drawing } = options;
  if (!(lambd > 0)) throw new ValueError(`exponential: lambd must be positive, got ${lambd}. It is the rate.`);
  return floats("exponential", [shape, drawing], 1, (sizes, state) =>
    ops.div(ops.neg(ops.log(ops.sub(1, ops.uniform(sizes, state)))), lambd),
  );
}

// --- what is drawn by chance -----------------------------------------------------------------------------------------

/**
 * 1 with the probability that the tensor holds, else 0; of its dtype.
 *
 * @param p a float tensor, in [0, 1]
 * @throws DTypeError if it is no float tensor
 * @throws ValueError if a probability that the host knows is not in [0, 1]
 * @see torch.bernoulli
 */
export function bernoulli(p: Tensor, options: { generator?: Generator } = {}): Tensor {
  checkOptionNames("bernoulli", options, ["generator"]);
  checkTensors("bernoulli", p);
  const generator = generatorFor("bernoulli", p.device, options);
  if (!isFloat(p.dtype))
    throw new DTypeError(`bernoulli: probabilities must be f32, got ${p.dtype}. Cast them with .to("f32").`);
  const wrong = p.node.hostData?.find((chance) => !(chance >= 0 && chance <= 1));
  if (wrong !== undefined)
    throw new ValueError(`bernoulli: probabilities must be in [0, 1], got ${wrong}. Apply sigmoid to logits.`);
  const drawn = ops.uniform(p.shape, generator.draw(p.numel()));
  return wrap(ops.cast(ops.lt(drawn, ops.withoutGrad(p.node)), p.dtype), p.device);
}

/**
 * Indices drawn by weight, from each row. The same on every device: integers alone decide, so that a share is exact to 2^-31 of the
 * whole with replacement, and to 2^-24 of itself without.
 *
 * @param weights float, `[n]` or `[rows, n]`, finite and not negative; they need not sum to 1
 * @param options.replacement whether an index may come more than once; default false
 * @returns i32 `[..., numSamples]`. Where a GPU finds too few positive weights it writes -1, and counts what is no weight as 0
 * @throws ValueError if weights that the host or the CPU device sees are none, or too few are positive
 * @see torch.multinomial
 *
 * @example
 * const next = multinomial(logits.softmax(-1), 1); // [batch, 1]
 */
export function multinomial(
  weights: Tensor,
  numSamples: number,
  options: { replacement?: boolean; generator?: Generator } = {},
): Tensor {
  checkOptionNames("multinomial", options, ["replacement", "generator"]);
  checkTensors("multinomial", weights);
  const { replacement = false } = options;
  const generator = generatorFor("multinomial", weights.device, options);
  ops.checkMultinomial(weights.node, numSamples, replacement);
  const words = ops.wordsOfMultinomial(weights.shape, numSamples, replacement);
  return wrap(ops.multinomial(weights.node, numSamples, replacement, generator.draw(words)), weights.device);
}

// --- integers --------------------------------------------------------------------------------------------------------

/**
 * Uniform integers from `low` up to but without `high`, i32. Biased by less than `(high - low) / 2^32`.
 *
 * @param low default 0
 * @throws ValueError if there is no integer between them, or the dtype does not hold them
 * @see torch.randint
 *
 * @example
 * randint(10, [3]);
 * randint(-5, 5, [3], { dtype: "f32" });
 */
export function randint(high: number, size: Shape, options?: RandomOptions): Tensor;
export function randint(low: number, high: number, size: Shape, options?: RandomOptions): Tensor;
export function randint(
  first: number,
  second: number | Shape,
  third?: Shape | RandomOptions,
  fourth?: RandomOptions,
): Tensor {
  if (Array.isArray(second)) return integers("randint", 0, first, second as Shape, third as RandomOptions | undefined);
  return integers("randint", first, second as number, third as Shape, fourth);
}

/** As `randint`, with the shape, dtype and device of `x`. @see torch.randint_like */
export function randintLike(x: Tensor, high: number, options?: RandomOptions): Tensor;
export function randintLike(x: Tensor, low: number, high: number, options?: RandomOptions): Tensor;
export function randintLike(x: Tensor, first: number, second?: number | RandomOptions, third?: RandomOptions): Tensor {
  const [low, high, options] = typeof second === "number" ? [first, second, third] : [0, first, second];
  return integers("randintLike", low, high, ...alike("randintLike", x, options));
}

function integers(op: string, low: number, high: number, size: Shape, options: RandomOptions = {}): Tensor {
  if (!Array.isArray(size))
    throw new ShapeError(`${op}: the size must be a list, got ${describe(size)}. Write randint(0, 10, [2, 3]).`);
  checkOptionNames(op, options, RANDOM_OPTIONS);
  const { dtype = "i32" } = options;
  if (!(Number.isInteger(low) && Number.isInteger(high) && low < high && high - low < 2 ** 32)) {
    throw new ValueError(
      `${op}: low must be an integer below high, got ${low} and ${high}. high itself is never drawn.`,
    );
  }
  checkHolds(op, low, high - 1, dtype);
  return made(op, size, sizeOf(size), options, (state) => {
    const drawn = ops.cast(ops.mulHigh(ops.randomBits(size, state), high - low), "i32"); // wraps, and wraps back
    return ops.cast(low === 0 ? drawn : ops.add(drawn, low | 0), dtype);
  });
}

function checkHolds(op: string, least: number, most: number, dtype: DType): void {
  ops.checkDTypeName(op, dtype);
  const [low, high] =
    dtype === "bool" ? [0, 1] : isFloat(dtype) ? [-(2 ** 31), 2 ** 31 - 1] : INTEGER_RANGE[dtype as "i32"];
  if (least >= low && most <= high) return;
  throw new ValueError(
    `${op}: dtype ${dtype} must hold all of ${least}..${most}, got a range of ${low}..${high}. Take another dtype.`,
  );
}

/**
 * A random order of `0 ... n - 1`, i32, drawn on the host: the same on every device.
 *
 * @see torch.randperm
 */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  checkOptionNames("randperm", options, RANDOM_OPTIONS);
  const { generator: _, device = defaultDevice(), ...creation } = options;
  const generator = generatorFor("randperm", device, options);
  const drawn = (): Int32Array => permutation(n, generator);
  if (!recording()) return tensor(drawn(), { dtype: "i32", ...creation, device });
  const { dtype = "i32", requiresGrad = false } = creation;
  const order = wrap(ops.typed("randperm", drawnNode(n, drawn), dtype), device);
  return requiresGrad ? order.requiresGrad_() : order;
}

/** An order that is drawn anew at every call. */
function drawnNode(n: number, draw: () => Int32Array): Node {
  let order: Int32Array = new Int32Array(0);
  hostAction(() => {
    order = draw();
  });
  return hostArray(() => order, [n], "i32");
}

/** A random order of `0 ... n - 1`, by Fisher and Yates. */
export function permutation(n: number, generator: Generator = defaultGenerator()): Int32Array {
  checkShape("randperm", [n]);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const drawn = generator.drawOnHost(Math.max(n - 1, 0));
  for (let last = n - 1; last > 0; last--) {
    const place = ops.mulHighU32(drawn[last - 1]!, last + 1);
    [order[last], order[place]] = [order[place]!, order[last]!];
  }
  return order;
}

// --- how they are made -----------------------------------------------------------------------------------------------

/** Options with what they leave open taken from a tensor. */
function alike(op: string, x: Tensor, options: RandomOptions = {}): readonly [shape: Shape, options: RandomOptions] {
  checkTensors(op, x);
  checkOptionNames(op, options, RANDOM_OPTIONS);
  return [x.shape, { dtype: x.dtype, device: x.device, ...options }];
}

/** The generator asked for, or the device's own. */
function generatorFor(op: string, device: Device, { generator }: Pick<RandomOptions, "generator">): Generator {
  checkedDevice(op, device);
  if (generator === undefined) return defaultGenerator(device);
  const isGenerator: boolean = generator instanceof Generator; // callers without types may pass a seed
  if (isGenerator) return generator;
  throw new ValueError(
    `${op}: generator must be a Generator, got ${describe(generator)}. Make one: new Generator(seed).`,
  );
}

/** A tensor of a float dtype, of `words` random words an element. */
function floats(
  op: string,
  args: Sizes<RandomOptions>,
  words: number,
  make: (shape: Shape, state: ops.RandomState) => Node,
): Tensor {
  const { shape, options } = sizesAndOptions(op, args, RANDOM_OPTIONS);
  const { dtype = "f32" } = options;
  ops.checkDTypeName(op, dtype);
  if (!isFloat(dtype))
    throw new DTypeError(`${op}: dtype must be a float, got ${dtype}. Use randint, or cast with .to("${dtype}").`);
  return made(op, shape, words * sizeOf(shape), options, (state) => make(shape, state));
}

function made(
  op: string,
  shape: Shape,
  wordCount: number,
  options: RandomOptions,
  make: (state: ops.RandomState) => Node,
): Tensor {
  checkOptionNames(op, options, RANDOM_OPTIONS);
  const { device = defaultDevice(), dtype, requiresGrad = false } = options;
  checkShape(op, shape);
  if (wordCount > 2 ** 32)
    throw new ShapeError(`${op}: one draw has at most 2^32 words, got ${wordCount}. Draw in parts.`);
  const node = make(generatorFor(op, device, options).draw(wordCount));
  const drawn = wrap(ops.typed(op, node, dtype), device);
  return requiresGrad ? drawn.requiresGrad_() : drawn;
}
