/** Initialisers: new values for parameters, in PyTorch's scales. Each writes the parameter and returns it. */

import { type CreationOptions, full } from "../creation";
import { ShapeError, ValueError } from "../errors";
import { type Shape, showShape, sizeOf } from "../graph/shape";
import type { Buffer, Parameter } from "../parameter";
import { type Generator, normal, uniform } from "../random";

/** What initialisers write. */
type State = Parameter | Buffer;

/** Numbers that flow into and out of one output of a layer. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Which fan keeps its scale. */
export type FanMode = "fanIn" | "fanOut";

export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

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

/** Factor that keeps the scale of values through a nonlinearity. @see torch.nn.init.calculate_gain */
export function calculateGain(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  switch (nonlinearity) {
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + negativeSlope ** 2));
    case "selu":
      return 3 / 4;
    case "linear":
    case "sigmoid":
      return 1;
    default:
      throw new ValueError(
        `init: nonlinearity must be a known one, got ${JSON.stringify(nonlinearity satisfies never)}. Use "linear".`,
      );
  }
}

const placeOf = ({ dtype, device }: State): Pick<CreationOptions, "dtype" | "device"> => ({ dtype, device });

/** Uniform in [low, high). @see torch.nn.init.uniform_ */
export function uniform_<T extends State>(state: T, low = 0, high = 1, { generator }: Drawn = {}): T {
  state.assign(uniform(state.shape, { low, high, ...placeOf(state), ...(generator && { generator }) }));
  return state;
}

/** Normal. @see torch.nn.init.normal_ */
export function normal_<T extends State>(state: T, mean = 0, std = 1, { generator }: Drawn = {}): T {
  state.assign(normal(state.shape, { mean, std, ...placeOf(state), ...(generator && { generator }) }));
  return state;
}

/** One number everywhere. @see torch.nn.init.constant_ */
export function constant_<T extends State>(state: T, value: number): T {
  state.assign(full(state.shape, value, placeOf(state)));
  return state;
}

/** @see torch.nn.init.zeros_ */
export const zeros_ = <T extends State>(state: T): T => constant_(state, 0);

/** @see torch.nn.init.ones_ */
export const ones_ = <T extends State>(state: T): T => constant_(state, 1);

/** Uniform with variance `2 / (fanIn + fanOut)`, times `gain^2`. @see torch.nn.init.xavier_uniform_; Glorot & Bengio 2010 */
export function xavierUniform_<T extends State>(state: T, { gain = 1, ...drawn }: Drawn & { gain?: number } = {}): T {
  const { fanIn, fanOut } = calculateFans(state.shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform_(state, -bound, bound, drawn);
}

/** Normal with variance `2 / (fanIn + fanOut)`, times `gain^2`. @see torch.nn.init.xavier_normal_ */
export function xavierNormal_<T extends State>(state: T, { gain = 1, ...drawn }: Drawn & { gain?: number } = {}): T {
  const { fanIn, fanOut } = calculateFans(state.shape);
  return normal_(state, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), drawn);
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
export function kaimingStd(
  shape: Shape,
  { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" }: KaimingOptions = {},
): number {
  return calculateGain(nonlinearity, a) / Math.sqrt(calculateFans(shape)[mode]);
}

/** Uniform in `+-gain * sqrt(3 / fan)`. @see torch.nn.init.kaiming_uniform_; He et al. 2015 (arXiv:1502.01852) */
export function kaimingUniform_<T extends State>(state: T, options: KaimingOptions = {}): T {
  const bound = Math.sqrt(3) * kaimingStd(state.shape, options);
  return uniform_(state, -bound, bound, options);
}

/** Normal with standard deviation `gain / sqrt(fan)`. @see torch.nn.init.kaiming_normal_ */
export const kaimingNormal_ = <T extends State>(state: T, options: KaimingOptions = {}): T =>
  normal_(state, 0, kaimingStd(state.shape, options), options);
