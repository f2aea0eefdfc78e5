/** Dropout: random zeros in training. */

import { ShapeError, ValueError } from "../errors";
import { type Shape, showShape } from "../graph/shape";
import * as ops from "../ops";
import { checkOptionNames } from "../options";
import { rand, type RandomOptions } from "../random";
import { build, checkTensors, type Tensor } from "../tensor";

/** Options of all kinds of dropout. */
export interface DropoutOptions extends Pick<RandomOptions, "generator"> {
  /** Probability of zeroing; default 0.5. */
  readonly p?: number;
  /** Default true; false: the input itself is returned. */
  readonly training?: boolean;
}

/**
 * Zeroes elements with probability `p` and scales the others by `1 / (1 - p)`.
 *
 * @throws ValueError if `p` is not in [0, 1]
 * @see torch.nn.functional.dropout
 */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  checkTensors("dropout", x);
  return dropped("dropout", x, x.shape, options);
}

/**
 * Zeroes whole channels of sequences with probability `p` and scales the others by `1 / (1 - p)`.
 *
 * @shape `[n, c, length]` or `[c, length]`, unchanged
 * @throws ShapeError for other ranks, ValueError if `p` is not in [0, 1]
 * @see torch.nn.functional.dropout1d
 */
export const dropout1d = (x: Tensor, options: DropoutOptions = {}): Tensor =>
  droppedChannels("dropout1d", x, 1, options);

/**
 * Zeroes whole channels of images with probability `p` and scales the others by `1 / (1 - p)`.
 *
 * @shape `[n, c, h, w]` or `[c, h, w]`, unchanged
 * @throws ShapeError for other ranks, ValueError if `p` is not in [0, 1]
 * @see torch.nn.functional.dropout2d; Tompson et al. 2015 (arXiv:1411.4280)
 */
export const dropout2d = (x: Tensor, options: DropoutOptions = {}): Tensor =>
  droppedChannels("dropout2d", x, 2, options);

function droppedChannels(op: string, x: Tensor, inner: number, options: DropoutOptions): Tensor {
  checkTensors(op, x);
  if (x.ndim !== inner + 1 && x.ndim !== inner + 2) {
    const sizes = inner === 1 ? "length" : "h, w";
    throw new ShapeError(
      `${op}: the input must be [n, c, ${sizes}] or [c, ${sizes}], got ${showShape(x.shape)}. Reshape it.`,
    );
  }
  return dropped(op, x, [...x.shape.slice(0, -inner), ...new Array<number>(inner).fill(1)], options);
}

/** Draws one number for each element of `drawnShape`, which broadcasts to the input. */
function dropped(op: string, x: Tensor, drawnShape: Shape, options: DropoutOptions): Tensor {
  const { p, isOff, drawing } = read(op, options);
  if (isOff) return x;
  if (p === 1) return x.mul(0);
  return build(op, [x, rand(drawnShape, { device: x.device, ...drawing })], (value, random) =>
    ops.mul(value, ops.mul(ops.cast(ops.ge(random, p), value.dtype), 1 / (1 - p))),
  );
}

/** What SELU tends to for large negative numbers. */
const SELU_FLOOR = -1.7580993408473766;

/**
 * Sets elements to SELU's least value with probability `p`, then scales and shifts so that mean 0 and variance 1 stay.
 *
 * @throws ValueError if `p` is not in [0, 1]
 * @see torch.nn.functional.alpha_dropout; Klambauer et al. 2017 (arXiv:1706.02515)
 */
export function alphaDropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  checkTensors("alphaDropout", x);
  const { p, isOff, drawing } = read("alphaDropout", options);
  if (isOff) return x;
  if (p === 1) return x.mul(0);
  const scale = 1 / Math.sqrt((1 - p) * (1 + p * SELU_FLOOR ** 2));
  return build("alphaDropout", [x, rand(x.shape, { device: x.device, ...drawing })], (value, random) =>
    ops.sub(ops.mul(ops.where(ops.ge(random, p), value, SELU_FLOOR), scale), scale * SELU_FLOOR * p),
  );
}

function read(
  op: string,
  options: DropoutOptions,
): { p: number; isOff: boolean; drawing: Pick<RandomOptions, "generator"> } {
  checkOptionNames(op, options, ["p", "training", "generator"]);
  const { p = 0.5, training = true, ...drawing } = options;
  if (!(p >= 0 && p <= 1)) {
    throw new ValueError(`${op}: p must be in [0, 1], got ${p}. It is the probability of zeroing.`);
  }
  return { p, isOff: !training || p === 0, drawing };
}
