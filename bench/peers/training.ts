/**
 * Training in f64, and what must come out of a library's. Three steps are compared: the losses, and by how much each parameter
 * has moved, since a wrong gradient hardly shows in the parameter itself.
 */

import { checkOutput } from "../check";
import {
  type HostTensor,
  type Inputs,
  type Kind,
  type LayerParams,
  LEARNING_RATE,
  MOMENTUM,
  type Outputs,
} from "./library";
import { type LayerValues, Sgd } from "./reference";
import { checkOutputs, defineWork, random, type Results, sizeOf, type Work } from "./work";

/** A wrong gradient makes a wrong second loss, a wrong moving average a wrong third one. */
export const STEPS = 3;
/** Of a loss, a share: f32 against f64, through two updates. */
const LOSS_TOLERANCE = 1e-4;
/**
 * Of the largest move in a tensor: f32 against f64. A ReLU or a maximum may fall the other way by rounding, which moves what
 * hangs on it by a share of one image; a wrong gradient is off by as much as itself.
 */
const MOVE_TOLERANCE = 2e-2;
/** Of the largest parameter in a tensor: what f32 loses in three updates. */
const ROUNDING = 1e-6;

export const sgdOptions = { lr: LEARNING_RATE, momentum: MOMENTUM };

// ---- parameters ----

/** Uniform in +-1 / sqrt(inputs of a unit), as PyTorch draws weights and biases. */
export function uniformWeight(shape: readonly number[], seed: number): HostTensor {
  const high = 1 / Math.sqrt(sizeOf(shape) / shape[0]!);
  return random(shape, { seed, low: -high, high });
}

export function layerParams(weightShape: readonly number[], seed: number): LayerParams {
  const high = 1 / Math.sqrt(sizeOf(weightShape) / weightShape[0]!);
  const bias = random([weightShape[0]!], { seed: seed + 100, low: -high, high });
  return { weight: uniformWeight(weightShape, seed), bias };
}

/** Values by the names that `Task.state` gives them. */
export type NamedValues = Readonly<Record<string, Float64Array>>;

export const namedLayers = (layers: readonly LayerParams[]): NamedValues =>
  Object.fromEntries(
    layers.flatMap(({ weight, bias }, index) => [
      [`${index}.weight`, Float64Array.from(weight.data)],
      [`${index}.bias`, Float64Array.from(bias.data)],
    ]),
  );

/** Weights and biases that follow one another. */
export const layersOf = (params: readonly Float64Array[]): LayerValues[] =>
  Array.from({ length: params.length / 2 }, (_, index) => ({
    weight: params[2 * index]!,
    bias: params[2 * index + 1]!,
  }));

export const flat = (layers: readonly LayerValues[]): Float64Array[] =>
  layers.flatMap(({ weight, bias }) => [weight, bias]);

export const copyOf = (values: NamedValues): NamedValues =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.slice()]));

// ---- what must come out ----

/** Losses of the first steps, and what parameters are before and after them. */
export interface Trained {
  readonly losses: readonly number[];
  readonly before: NamedValues;
  readonly after: NamedValues;
}

/** Runs steps of SGD: `step` gives the loss and the gradients, in the order of the parameters. */
export function train(
  before: NamedValues,
  step: (params: readonly Float64Array[]) => { loss: number; grads: readonly Float64Array[] },
  steps = STEPS,
): Trained {
  const after = copyOf(before);
  const params = Object.values(after);
  const optimizer = new Sgd(params, sgdOptions);
  const losses = Array.from({ length: steps }, () => {
    const { loss, grads } = step(params);
    optimizer.step(grads);
    return loss;
  });
  return { losses, before, after };
}

/** How far results may stray: see `LOSS_TOLERANCE` and `MOVE_TOLERANCE`. */
export interface Tolerances {
  readonly loss?: number;
  readonly move?: number;
}

/** A step that trains: its first runs are compared with the same in f64. */
export const trainingWork = <K extends Kind>(
  work: Omit<Work<K>, "check" | "checkedRuns"> & {
    readonly checkedRuns?: number;
    readonly tolerances?: Tolerances;
    readonly trained: (inputs: Inputs[K]) => Trained;
  },
): Work<K> => {
  const { trained, checkedRuns = STEPS, tolerances = {}, ...rest } = work;
  const compare = (wanted: Trained, results: Results): void => checkTrained(wanted, results, tolerances);
  return defineWork({ ...rest, checkedRuns, expected: trained, compare });
};

/** @throws Error that names the step or the tensor that is wrong */
function checkTrained(
  { losses, before, after }: Trained,
  { reads, state }: Results,
  { loss: relative = LOSS_TOLERANCE, move = MOVE_TOLERANCE }: Tolerances,
): void {
  losses.forEach((loss, step) => {
    try {
      checkOutputs(reads[step]!, { loss: { length: 1, at: () => loss, relative } });
    } catch (error) {
      throw new Error(`step ${step + 1}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  });
  for (const [name, values] of Object.entries(after))
    checkMoves(name, state, { before: before[name]!, after: values, tolerance: move });
}

/** Compares by how much a tensor has moved. */
function checkMoves(
  name: string,
  state: Outputs | null,
  { before, after, tolerance }: { before: Float64Array; after: Float64Array; tolerance: number },
): void {
  const got = state?.[name];
  const moves = got && Float64Array.from(before, (start, index) => got[index]! - start);
  const wanted = after.map((value, index) => value - before[index]!);
  // f32 keeps a parameter to 6e-8 of itself at best, however little it moves
  const absolute = Math.max(tolerance * largest(wanted), ROUNDING * largest(before));
  try {
    checkOutput(moves ?? [], wanted.length, { at: (index) => wanted[index]!, relative: 0, absolute });
  } catch (error) {
    throw new Error(`the move of ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const largest = (values: Float64Array): number => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
