/**
 * Drawing by weight. Integers alone decide what is drawn, so that every device draws the same: weights become integers of one
 * scale, or race with exponential times that are computed digit by digit.
 * @see shaders/lib/random.wgsl, the same functions
 */

import { ShapeError, ValueError } from "../errors";
import type { TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { type Shape, showShape, sizeOf } from "../graph/shape";
import { add, where } from "./arithmetic";
import { expand, full } from "./broadcast";
import { checkDType, checkSameShape } from "./check";
import { withoutGrad } from "./custom";
import { type RandomState, randomBits } from "./generate";
import { eq, mulHigh, mulHighU32 } from "./logic";
import { apply, defineOp } from "./op";
import { topk } from "./order";
import { FLOAT } from "./pointwise";
import { amax, sum } from "./reduce";
import { cumsum } from "./scan";
import { searchsorted } from "./search";
import { narrow } from "./slice";
import { reshape } from "./views";
import { call } from "./wgsl";

// --- integers from floats --------------------------------------------------------------------------------------------

const float = new Float32Array(1);
const bitsOfFloat = new Uint32Array(float.buffer);

interface Parts {
  /** 24 bits; 0 for what is not positive, finite and normal. */
  readonly mantissa: number;
  readonly exponent: number;
}

function partsOf(weight: number): Parts {
  float[0] = weight;
  const bits = bitsOfFloat[0]!;
  const exponent = bits >>> 23;
  return { mantissa: exponent > 0 && exponent < 255 ? (bits & 0x7fffff) | 0x800000 : 0, exponent };
}

/** What the reference checks and a shader cannot: in each row of n so many weights must be positive, and all must be weights. */
function checkWeights(data: TypedArray, n: number, least: number): void {
  for (const weight of data) {
    if (weight >= 0 && weight < Infinity) continue;
    throw new ValueError(
      `multinomial: weights must be finite and not negative, got ${weight}. Check what they are computed from.`,
    );
  }
  for (let row = 0; row < data.length; row += n) {
    const some = data.subarray(row, row + n).filter((weight) => weight > 0).length;
    if (some >= least) continue;
    throw new ValueError(
      `multinomial: ${least} weights of each row must be positive, got ${some} in row ${row / n}. Draw fewer, or check the weights.`,
    );
  }
}

/** How many weights of a row must be positive. */
type DrawAttrs = { readonly least: number };

/** `floor(weight * 2^k)` for the k that leaves the largest weight `room` bits, more where `total` is small. */
function fixedWeight(weight: number, largest: number, total: number, room: number): number {
  const { mantissa, exponent } = partsOf(weight);
  const shift = exponent + room + Math.clz32(total) - partsOf(largest).exponent - 24;
  return shift >= 0 ? (mantissa << Math.min(shift, 31)) >>> 0 : mantissa >>> Math.min(-shift, 31);
}

/** Inputs: weight and the largest of its row, floats; total and room, u32. */
export const fixedWeightOp = defineOp<DrawAttrs>({
  name: "fixedWeight",
  infer(inputs) {
    checkDType("fixedWeight", inputs.slice(0, 2), FLOAT);
    checkDType("fixedWeight", inputs.slice(2), ["u32"]);
    checkSameShape("fixedWeight", inputs);
    return { shape: inputs[0]!.shape, dtype: "u32" };
  },
  evaluate([weight, largest, total, room], { data }, { least }) {
    checkWeights(weight!.data, weight!.shape.at(-1) ?? 1, least);
    for (let i = 0; i < data.length; i++)
      data[i] = fixedWeight(weight!.data[i]!, largest!.data[i]!, total!.data[i]!, room!.data[i]!);
  },
  vjp: null,
  lowering: { kind: "pointwise", wgsl: (args, { lanes }) => call("fixed_weight", args, lanes) },
});

/** Rows of weights as u32 of one scale each, which sum to less than 2^32: to no less than 2^31 of it where they can. */
function fixedWeights(weights: Node): Node {
  const { shape } = weights;
  const n = shape[1]!;
  const room = full(shape, 32 - Math.ceil(Math.log2(n + 1)), "u32");
  const largest = expand(amax(weights, 1, true), shape);
  const rough = apply(fixedWeightOp, [weights, largest, full(shape, 0xffffffff, "u32"), room], { least: 1 });
  const total = expand(add(sum(rough, 1, true), n), shape); // each of them is less than one too small
  return apply(fixedWeightOp, [weights, largest, total, room], { least: 1 });
}

// --- races -----------------------------------------------------------------------------------------------------------

const DIGITS = 26;

/** `-log2((2 bits + 1) / 2^33)` in units of 2^-26, never 0: its integer part by counting zeros, its digits by squaring. */
function exponentialDraw(bits: number): number {
  const lead = 32 - Math.clz32(bits);
  let mantissa = lead === 32 ? bits : (((bits << 1) | 1) << (31 - lead)) >>> 0;
  let logarithm = lead;
  for (let digit = 0; digit < DIGITS; digit++) {
    const high = mulHighU32(mantissa, mantissa);
    const isOne = high >= 0x80000000;
    mantissa = isOne ? high : ((high << 1) | (Math.imul(mantissa, mantissa) >>> 31)) >>> 0;
    logarithm = 2 * logarithm + Number(isOne);
  }
  return 33 * 2 ** DIGITS - logarithm;
}

/** The order of `exponentialDraw(bits) / weight`, as a float of 9 bits of exponent and 23 of mantissa; the last for weight 0. */
function raceKey(bits: number, weight: number): number {
  const { mantissa, exponent } = partsOf(weight);
  if (mantissa === 0) return 0xffffffff;
  const drawn = exponentialDraw(bits);
  const zeros = Math.clz32(drawn);
  const quotient = Math.floor((drawn * 2 ** zeros * 2 ** 16) / mantissa); // 48 bits by 24: exact
  const isLong = quotient >= 2 ** 24;
  return ((31 - zeros + 255 - exponent + Number(isLong)) * 2 ** 23 + ((quotient >>> Number(isLong)) & 0x7fffff)) >>> 0;
}

/** Inputs: random bits, u32; weights, floats, of which f32 counts. */
export const raceKeyOp = defineOp<DrawAttrs>({
  name: "raceKey",
  infer([bits, weight]) {
    checkDType("raceKey", [bits!], ["u32"]);
    checkDType("raceKey", [weight!], FLOAT);
    checkSameShape("raceKey", [bits!, weight!]);
    return { shape: bits!.shape, dtype: "u32" };
  },
  evaluate([bits, weight], { data }, { least }) {
    checkWeights(weight!.data, weight!.shape.at(-1) ?? 1, least);
    for (let i = 0; i < data.length; i++) data[i] = raceKey(bits!.data[i]!, weight!.data[i]!);
  },
  vjp: null,
  lowering: { kind: "pointwise", dear: true, wgsl: (args, { lanes }) => call("race_key", args, lanes) },
});

// --- multinomial -----------------------------------------------------------------------------------------------------

/** Each draw is where a random number falls among the sums of the weights so far. */
function withReplacement(weights: Node, count: number, state: RandomState): Node {
  const sums = cumsum(fixedWeights(weights), 1);
  const [rows, n] = weights.shape as [number, number];
  const total = expand(narrow(sums, 1, n - 1, 1), [rows, count]);
  const places = searchsorted(sums, mulHigh(randomBits([rows, count], state), total), true);
  return where(eq(total, 0), -1, places);
}

/** Every index has an exponential time over its weight; the first ones win. So each is drawn by its share of those that are left. */
function withoutReplacement(weights: Node, count: number, state: RandomState): Node {
  const keys = apply(raceKeyOp, [randomBits(weights.shape, state), weights], { least: count });
  const { values, indices } = topk(keys, count, { dim: 1, largest: false });
  return where(eq(values, 0xffffffff), -1, indices);
}

/** Random words that `multinomial` uses. */
export const wordsOfMultinomial = (shape: Shape, count: number, replacement: boolean): number =>
  replacement ? sizeOf(shape.slice(0, -1)) * count : sizeOf(shape);

/**
 * Indices drawn by weight, i32 `[..., count]`. -1 where there is nothing to draw; the reference checks the weights.
 * @param weights `[n]` or `[rows, n]`
 */
export function multinomial(weights: Node, count: number, replacement: boolean, state: RandomState): Node {
  const n = checkMultinomial(weights, count, replacement);
  const rows = reshape(withoutGrad(weights), [-1, n]);
  const drawn = (replacement ? withReplacement : withoutReplacement)(rows, count, state);
  return reshape(drawn, [...weights.shape.slice(0, -1), count]);
}

/** Weights that can be drawn from, as far as the host knows. Gives the number of indices. */
export function checkMultinomial(weights: Node, count: number, replacement: boolean): number {
  checkDType("multinomial", [weights], FLOAT);
  const n = weights.shape.at(-1) ?? 0;
  if (weights.shape.length < 1 || weights.shape.length > 2 || n === 0) {
    throw new ShapeError(
      `multinomial: weights must be [n] or [rows, n] with some n, got ${showShape(weights.shape)}. Reshape them.`,
    );
  }
  if (!Number.isInteger(count) || count < 1 || (!replacement && count > n)) {
    throw new ValueError(
      `multinomial: numSamples must be an integer from 1 up, and without replacement at most ${n}, got ${count}. ` +
        `Draw fewer, or with { replacement: true }.`,
    );
  }
  if (weights.hostData) checkWeights(weights.hostData, n, replacement ? 1 : count); // at once
  return n;
}
