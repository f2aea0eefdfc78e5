/** Functions over the parameters of a model, as in `torch.nn.utils`. */

import { cat } from "../combine";
import { DTypeError, ShapeError, ValueError } from "../errors";
import { clipByNorm, clipByValue } from "../gradientClipping";
import { showShape, sizeOf } from "../graph/shape";
import { checkIsList, checkOptionNames, describe } from "../options";
import { Parameter } from "../parameter";
import { checkTensors, type Tensor } from "../tensor";

/**
 * Scales the gradients of all parameters, as if they were one vector, so that its norm is at most `maxNorm`:
 *
 *     norm = (sum |g|^p)^(1/p)
 *     g = g * min(maxNorm / (norm + 1e-6), 1)
 *
 * Call it between `backward` and `step`. It runs with the step: three dispatches for an arena of parameters, none of which
 * waits for the host. A norm that is NaN or infinite spoils all gradients, as in PyTorch: read it, and leave out the step.
 *
 * @param parameters those without a gradient do not count
 * @param maxNorm 0 or more
 * @param options.normType p, any number but 0; `Infinity` for the largest magnitude. Default 2
 * @returns the norm before, `[]`; it can be read after the step
 * @throws ValueError for a negative `maxNorm`, a `normType` of 0 or NaN, or a parameter that is given twice
 * @throws DTypeError if something is no parameter, DeviceError if parameters are on several devices
 * @see torch.nn.utils.clip_grad_norm_; shaders/gradNorm.wgsl, clipFactor.wgsl, clipGradNorm.wgsl
 *
 * @example
 * loss.backward();
 * const norm = nn.utils.clipGradNorm_(model.parameters(), 1);
 * optimizer.step();
 * console.log(await norm.item());
 */
export function clipGradNorm_(
  parameters: Parameter | readonly Parameter[],
  maxNorm: number,
  options: { normType?: number } = {},
): Tensor {
  checkOptionNames("clipGradNorm_", options, ["normType"]);
  const { normType = 2 } = options;
  checkIsIterable("clipGradNorm_", parameters);
  checkLimit("clipGradNorm_: maxNorm", maxNorm);
  if (Number.isNaN(normType) || normType === 0) {
    throw new ValueError(
      `clipGradNorm_: normType must be a number other than 0, got ${normType}. Pass 2, or Infinity for the largest magnitude.`,
    );
  }
  return clipByNorm(listOf(parameters), maxNorm, normType);
}

/**
 * Cuts the gradients of all parameters off: below `-clipValue` and above `clipValue`. One dispatch for an arena of parameters.
 *
 * @param parameters those without a gradient are left alone
 * @param clipValue 0 or more
 * @throws ValueError for a negative `clipValue`, or a parameter that is given twice
 * @throws DTypeError if something is no parameter, DeviceError if parameters are on several devices
 * @see torch.nn.utils.clip_grad_value_; shaders/clipGradValue.wgsl
 *
 * @example
 * loss.backward();
 * nn.utils.clipGradValue_(model.parameters(), 0.5);
 * optimizer.step();
 */
export function clipGradValue_(parameters: Parameter | readonly Parameter[], clipValue: number): void {
  checkIsIterable("clipGradValue_", parameters);
  checkLimit("clipGradValue_: clipValue", clipValue);
  clipByValue(listOf(parameters), clipValue);
}

/**
 * All parameters as one vector, in their order. Gradients flow back.
 *
 * @throws ValueError for an empty list
 * @see torch.nn.utils.parameters_to_vector
 *
 * @example
 * const distance = nn.utils.parametersToVector(model.parameters()).sub(before).norm();
 */
export function parametersToVector(parameters: readonly Tensor[]): Tensor {
  checkIsList("parametersToVector", "parameters", parameters);
  if (parameters.length === 0) {
    throw new ValueError("parametersToVector: there must be parameters, got none. Pass model.parameters().");
  }
  return cat(parameters.map((parameter) => parameter.reshape(-1)));
}

/**
 * Writes a vector's elements to parameters, in their order.
 *
 * @throws ShapeError if it has not as many elements; nothing is written then
 * @see torch.nn.utils.vector_to_parameters
 */
export function vectorToParameters(vector: Tensor, parameters: readonly Parameter[]): void {
  checkTensors("vectorToParameters", vector);
  checkIsList("vectorToParameters", "parameters", parameters);
  const count = parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
  if (vector.ndim !== 1 || vector.size(0) !== count) {
    throw new ShapeError(
      `vectorToParameters: the vector must be [${count}], got ${showShape(vector.shape)}. Pass what parametersToVector() gave.`,
    );
  }
  const values = vector.detach().split(parameters.map(({ shape }) => sizeOf(shape)));
  parameters.forEach((parameter, index) => {
    parameter.assign(values[index]!.reshape(parameter.shape));
  });
}

const listOf = (parameters: Parameter | readonly Parameter[]): readonly Parameter[] =>
  parameters instanceof Parameter ? [parameters] : [...parameters];

/** Callers without types may pass a model, or nothing. */
function checkIsIterable(op: string, parameters: unknown): void {
  if (Symbol.iterator in Object(parameters) || parameters instanceof Parameter) return;
  throw new DTypeError(
    `${op}: there must be a list of parameters, got ${describe(parameters)}. Pass model.parameters().`,
  );
}

function checkLimit(what: string, limit: number): void {
  if (!(limit >= 0)) throw new ValueError(`${what} must not be negative, got ${describe(limit)}. Pass 0 or more.`);
}
