/**
 * Random tensors. The bits come from a counter (Philox): a generator is a seed and how far it has counted, both on the host.
 * So a checkpoint can hold it, and CPU and GPU draw the same bits.
 */

import type { CreationOptions } from "./creation";
import { tensor } from "./creation";
import { defaultDevice, type Device } from "./device";
import { DTypeError, ShapeError, ValueError } from "./errors";
import { isFloat } from "./graph/dtype";
import type { Node } from "./graph/node";
import { checkShape, type Shape, sizeOf } from "./graph/shape";
import * as ops from "./ops";
import { type Tensor, wrap } from "./tensor";

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
    this.manualSeed(seed);
  }

  /** Starts again from a seed. */
  manualSeed(seed: number): this {
    return this.setState({ seed, offset: 0 });
  }

  /** Where it is, for a checkpoint. @see torch.Generator.get_state */
  getState(): GeneratorState {
    return { seed: this.seed, offset: this.offset };
  }

  /**
   * Goes on from a state.
   *
   * @throws ValueError if seed or offset is no integer from 0 to 2^53
   * @see torch.Generator.set_state
   */
  setState({ seed, offset }: GeneratorState): this {
    for (const [name, value] of Object.entries({ seed, offset })) {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new ValueError(`Generator: ${name} must be an integer from 0 to 2^53, got ${value}. Pass such a number.`);
      }
    }
    this.seed = seed;
    this.offset = offset;
    return this;
  }

  /** The state for `count` random words, which are then used up. Its numbers are data, so a plan serves every draw. */
  draw(count: number): ops.RandomState {
    const { seed, offset } = this.reserve(count);
    const [seedLow, seedHigh] = words(seed);
    const [offsetLow, offsetHigh] = words(offset);
    const leaf = (word: number): Node => ops.scalar(word, "u32");
    return {
      seedLow: leaf(seedLow),
      seedHigh: leaf(seedHigh),
      offsetLow: leaf(offsetLow),
      offsetHigh: leaf(offsetHigh),
    };
  }

  /** The same random words on the host. */
  drawOnHost(count: number): Uint32Array {
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

/** Low and high word of an integer below 2^53. */
const words = (value: number): [number, number] => [value % 2 ** 32, Math.floor(value / 2 ** 32)];

let seedOfAll = DEFAULT_SEED;
let seeding = 0;
const defaults = new WeakMap<Device, { generator: Generator; seeding: number }>();

/** The generator that random functions use on a device unless they are given one. */
export function defaultGenerator(device: Device = defaultDevice()): Generator {
  let found = defaults.get(device);
  if (!found) defaults.set(device, (found = { generator: new Generator(seedOfAll), seeding }));
  if (found.seeding !== seeding) {
    found.generator.manualSeed(seedOfAll);
    found.seeding = seeding;
  }
  return found.generator;
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

/**
 * Independent random bits, u32: element `i` is word `i mod 4` of Philox block `offset + floor(i / 4)`.
 *
 * @example
 * const coin = randomBits([8]).bitwiseAnd(1);
 */
export const randomBits = (shape: Shape, options: RandomOptions = {}): Tensor =>
  made("randomBits", shape, sizeOf(shape), options, (state) => ops.randomBits(shape, state));

/**
 * Uniform in [0, 1): multiples of 2^-24, the same on every device.
 *
 * @see torch.rand
 */
export const rand = (shape: Shape, options: RandomOptions = {}): Tensor =>
  made("rand", shape, sizeOf(shape), options, (state) => ops.uniform(shape, state));

/**
 * Normal with mean 0 and variance 1, by Box and Muller; equal on all devices up to rounding.
 *
 * @see torch.randn
 */
export const randn = (shape: Shape, options: RandomOptions = {}): Tensor =>
  made("randn", shape, 2 * sizeOf(shape), options, (state) => ops.normal(shape, state));

/**
 * Uniform in [low, high).
 *
 * @param options.low default 0
 * @param options.high default 1
 * @see torch.Tensor.uniform_
 */
export function uniform(
  shape: Shape,
  { low = 0, high = 1, ...options }: RandomOptions & { low?: number; high?: number } = {},
): Tensor {
  return made("uniform", shape, sizeOf(shape), options, (state) =>
    ops.add(ops.mul(ops.uniform(shape, state), high - low), low),
  );
}

/**
 * Normal with a given mean and standard deviation.
 *
 * @see torch.normal
 */
export function normal(
  shape: Shape,
  { mean = 0, std = 1, ...options }: RandomOptions & { mean?: number; std?: number } = {},
): Tensor {
  if (!(std >= 0)) throw new ValueError(`normal: std must not be negative, got ${std}. Pass a standard deviation.`);
  return made("normal", shape, 2 * sizeOf(shape), options, (state) =>
    ops.add(ops.mul(ops.normal(shape, state), std), mean),
  );
}

/**
 * 1 with the probability that the tensor holds, else 0; in the dtype of `p`.
 *
 * @param p floats in [0, 1]
 * @see torch.bernoulli
 */
export function bernoulli(
  p: Tensor,
  { generator = defaultGenerator(p.device) }: { generator?: Generator } = {},
): Tensor {
  if (!isFloat(p.dtype))
    throw new DTypeError(`bernoulli: probabilities must be floats, got ${p.dtype}. Cast them with .to("f32").`);
  const drawn = ops.uniform(p.shape, generator.draw(p.numel()));
  return wrap(ops.cast(ops.lt(drawn, p.node), p.dtype), p.device);
}

/**
 * Uniform integers from `low` up to but without `high`, i32. Biased by less than `(high - low) / 2^32`.
 *
 * @throws ValueError if there is no integer between them
 * @see torch.randint
 */
export function randint(low: number, high: number, shape: Shape, options: RandomOptions = {}): Tensor {
  if (!(Number.isInteger(low) && Number.isInteger(high) && low < high && high - low < 2 ** 32)) {
    throw new ValueError(
      `randint: low must be an integer below high, got ${low} and ${high}. high itself is never drawn.`,
    );
  }
  const { dtype = "i32" } = options;
  return made("randint", shape, sizeOf(shape), options, (state) => {
    const drawn = ops.cast(ops.mulHigh(ops.randomBits(shape, state), high - low), "i32");
    return ops.cast(low === 0 ? drawn : ops.add(drawn, low), dtype);
  });
}

/**
 * A random order of `0 ... n - 1`, i32, drawn on the host.
 *
 * @see torch.randperm
 */
export function randperm(n: number, { generator, ...options }: RandomOptions = {}): Tensor {
  const device = options.device ?? defaultDevice();
  return tensor(permutation(n, generator ?? defaultGenerator(device)), { dtype: "i32", ...options, device });
}

/** A random order of `0 ... n - 1`, by Fisher and Yates. */
export function permutation(n: number, generator: Generator = defaultGenerator()): Int32Array {
  checkShape("randperm", [n]);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const drawn = generator.drawOnHost(Math.max(n - 1, 0));
  for (let last = n - 1; last > 0; last--) {
    const place = Math.floor((drawn[last - 1]! / 2 ** 32) * (last + 1));
    [order[last], order[place]] = [order[place]!, order[last]!];
  }
  return order;
}

function made(
  op: string,
  shape: Shape,
  wordCount: number,
  { generator, device = defaultDevice(), dtype, requiresGrad = false }: RandomOptions,
  make: (state: ops.RandomState) => Node,
): Tensor {
  checkShape(op, shape);
  if (wordCount > 2 ** 32)
    throw new ShapeError(`${op}: one draw has at most 2^32 words, got ${wordCount}. Draw in parts.`);
  const node = make((generator ?? defaultGenerator(device.check(op))).draw(wordCount));
  const drawn = wrap(dtype === undefined ? node : ops.cast(node, dtype), device);
  return requiresGrad ? drawn.requiresGrad_() : drawn;
}
