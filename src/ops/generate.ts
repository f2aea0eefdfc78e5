/** Values that are functions of their own index: counting, and random bits from a counter. */

import { ValueError } from "../errors";
import type { DType, TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { checkShape, type Shape, sizeOf } from "../graph/shape";
import { add, mul, sub } from "./arithmetic";
import { cast } from "./cast";
import { bitwiseRightShift, mulHighU32 } from "./logic";
import { log, sqrt } from "./math";
import { apply, defineOp } from "./op";
import { narrow } from "./slice";
import { reshape } from "./views";
import { cos } from "./trigonometry";
import { call, vec } from "./wgsl";

// --- arange ----------------------------------------------------------------------------------------------------------

const arangeOp = defineOp<{ readonly size: number; readonly dtype: DType }>({
  name: "arange",
  infer: (_inputs, { size, dtype }) => ({ shape: [size], dtype }),
  evaluate(_inputs, { data }) {
    for (let i = 0; i < data.length; i++) data[i] = i;
  },
  vjp: null,
  lowering: { kind: "generator", wgsl: (index, _args, { output, lanes }) => `${vec(output, lanes)}(${index})` },
});

/** `0, 1, ... size - 1`. */
export const iota = (size: number, dtype: DType = "i32"): Node => apply(arangeOp, [], { size, dtype });

/** `start, start + step, ...` up to but without `end`. */
export function arange(
  start: number,
  end: number,
  step = 1,
  dtype: DType = [start, end, step].every(Number.isInteger) ? "i32" : "f32",
): Node {
  const size = Math.ceil((end - start) / step);
  if (!(step !== 0 && size >= 0 && Number.isSafeInteger(size))) {
    throw new ValueError(
      `arange: step must lead from start to end, got ${start}, ${end}, step ${step}. Change its sign.`,
    );
  }
  const index = iota(size, dtype);
  const scaled = step === 1 ? index : mul(index, step);
  return start === 0 ? scaled : add(scaled, start);
}

// --- random bits -----------------------------------------------------------------------------------------------------

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9; // golden ratio
const W1 = 0xbb67ae85; // sqrt(3) - 1

/**
 * One block of Philox4x32-10: four random words from a counter of 128 bits and a key of 64, in place.
 * @param words the counter on entry, the random words on return
 * @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"
 */
export function philox(words: Uint32Array, keyLow: number, keyHigh: number): void {
  let key0 = keyLow;
  let key1 = keyHigh;
  for (let round = 0; round < 10; round++) {
    const [x0, x1, x2, x3] = words as unknown as [number, number, number, number];
    words[0] = mulHighU32(M1, x2) ^ x1 ^ key0;
    words[1] = Math.imul(M1, x2);
    words[2] = mulHighU32(M0, x0) ^ x3 ^ key1;
    words[3] = Math.imul(M0, x0);
    key0 = (key0 + W0) >>> 0;
    key1 = (key1 + W1) >>> 0;
  }
}

function fillRandom(out: TypedArray, seed: readonly [number, number], offset: readonly [number, number]): void {
  const words = new Uint32Array(4);
  for (let block = 0; 4 * block < out.length; block++) {
    const low = offset[0] + block;
    words[0] = low;
    words[1] = offset[1] + Math.floor(low / 0x100000000);
    words[2] = words[3] = 0;
    philox(words, seed[0], seed[1]);
    for (let i = 4 * block; i < Math.min(4 * block + 4, out.length); i++) out[i] = words[i & 3]!;
  }
}

const randomBitsOp = defineOp<{ readonly shape: Shape }>({
  name: "randomBits",
  infer(_inputs, { shape }) {
    checkShape("randomBits", shape);
    return { shape, dtype: "u32" };
  },
  evaluate(inputs, { data }) {
    const [seedLow, seedHigh, offsetLow, offsetHigh] = inputs.map((input) => input.data[0]!);
    fillRandom(data, [seedLow!, seedHigh!], [offsetLow!, offsetHigh!]);
  },
  vjp: null,
  lowering: {
    kind: "generator",
    dear: true,
    // the state is the same in every lane
    wgsl: (index, args, { lanes }) =>
      call("random_bits", [index, ...args.map((arg) => (lanes === 4 ? `${arg}.x` : arg))], lanes),
  },
});

/** State of the generator: four u32 scalars. The offset counts blocks of four words. */
export interface RandomState {
  readonly seedLow: Node;
  readonly seedHigh: Node;
  readonly offsetLow: Node;
  readonly offsetHigh: Node;
}

/** Blocks of the generator that `count` words use up: how far the offset moves. */
export const blocksOf = (count: number): number => Math.ceil(count / 4);

/** Independent u32s: element `i` is word `i mod 4` of Philox block `offset + floor(i / 4)`. */
export const randomBits = (shape: Shape, { seedLow, seedHigh, offsetLow, offsetHigh }: RandomState): Node =>
  apply(randomBitsOp, [seedLow, seedHigh, offsetLow, offsetHigh], { shape: [...shape] });

/** Random bits as f32 in `[0, 1)`: multiples of 2^-24, exact. */
export const bitsToUniform = (bits: Node): Node => mul(cast(bitwiseRightShift(bits, 8), "f32"), 2 ** -24);

/** Uniform in `[0, 1)`. Uses `blocksOf(count)` blocks. */
export const uniform = (shape: Shape, state: RandomState): Node => bitsToUniform(randomBits(shape, state));

/** Standard normal, by Box and Muller. Uses `blocksOf(2 * count)` blocks. */
export function normal(shape: Shape, state: RandomState): Node {
  const count = sizeOf(shape);
  const pair = uniform([2, count], state);
  const radius = sqrt(mul(log(sub(1, narrow(pair, 0, 0, 1))), -2)); // 1 - u is never 0
  const angle = mul(narrow(pair, 0, 1, 1), 2 * Math.PI);
  return reshape(mul(radius, cos(angle)), shape);
}
