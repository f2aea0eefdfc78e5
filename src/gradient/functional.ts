/** Derivatives of functions: vector-Jacobian and Jacobian-vector products, whole Jacobians and Hessians. */

import { stack } from "../combine";
import { tensor, zerosLike, zeros } from "../creation";
import { AutogradError, ShapeError } from "../errors";
import { allocateHost } from "../graph/dtype";
import { sameShape, showShape } from "../graph/shape";
import { checkOptionNames } from "../options";
import { Tensor } from "../tensor";
import { grad } from "./grad";

/** One tensor, or several. */
export type Tensors = Tensor | readonly Tensor[];

/** What a function of `T` is called with. */
export type Arguments<T extends Tensors> = T extends Tensor ? [Tensor] : T extends readonly Tensor[] ? [...T] : never;

/** `R` for each tensor of `T`: alone for one tensor, in a list for several. */
export type Each<T extends Tensors, R = Tensor> = T extends Tensor ? R : { -readonly [I in keyof T]: R };

/** Options of derivatives of functions. */
export interface DerivativeOptions {
  /** Whether the results can be differentiated again, also with respect to what the inputs are computed from; default false. */
  readonly createGraph?: boolean;
  /** Whether an output that does not depend on an input is an error, rather than a derivative of zeros; default false. */
  readonly strict?: boolean;
}

/** One tensor as a list, several as they are. */
export const listOf = (tensors: Tensors): readonly Tensor[] => (tensors instanceof Tensor ? [tensors] : tensors);

/** A list in the form of what it belongs to: its only element where that is one tensor. */
const inFormOf = <T extends Tensors, R>(form: T, list: readonly R[]): Each<T, R> =>
  (form instanceof Tensor ? list[0] : list) as Each<T, R>;

/** A function at a place: its inputs as leaves, or as continuations of their graph, and what it gives there. */
interface Call<Out extends Tensors> {
  readonly inputs: readonly Tensor[];
  readonly result: Out;
  readonly outputs: readonly Tensor[];
}

function callAt<Out extends Tensors>(
  op: string,
  fn: (...inputs: never) => Out,
  inputs: Tensors,
  { createGraph = false }: DerivativeOptions,
): Call<Out> {
  const list = listOf(inputs).map((x) => (createGraph && x.requiresGrad ? x.clone() : x.detach().requiresGrad_()));
  const result = (fn as (...tensors: readonly Tensor[]) => Out)(...list);
  const outputs = listOf(result);
  if (!Array.isArray(outputs) || !outputs.every((output) => output instanceof Tensor)) {
    throw new AutogradError(
      `${op}: the function must return a tensor or a list of tensors, got ${result instanceof Promise ? "a promise" : typeof result}. ` +
        "Await and unpack outside of it.",
    );
  }
  return { inputs: list, result, outputs };
}

/** Gradients of some outputs, zeros for what does not depend on an input. */
function gradOrZeros(
  op: string,
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  gradOutputs: readonly Tensor[],
  { createGraph = false, strict = false }: DerivativeOptions,
): Tensor[] {
  const places = [...outputs.keys()].filter((place) => outputs[place]!.requiresGrad);
  const found =
    places.length === 0
      ? inputs.map(() => null)
      : grad(
          places.map((place) => outputs[place]!),
          inputs,
          { gradOutputs: places.map((place) => gradOutputs[place]!), createGraph, allowUnused: true },
        );
  return found.map((gradient, index) => {
    if (gradient) return gradient;
    if (!strict) return zerosLike(inputs[index]!);
    throw new AutogradError(
      `${op}: with strict, outputs must depend on every input, got none that depends on input ${index}. Leave strict out for zeros.`,
    );
  });
}

/** The vectors that a derivative is multiplied with: as many as tensors, each of the tensor's shape; 1 by default. */
function vectorsFor(op: string, what: string, tensors: readonly Tensor[], v: Tensors | null | undefined): Tensor[] {
  if (v === null || v === undefined) {
    if (tensors.length === 1 && tensors[0]!.numel() === 1) return [zerosLike(tensors[0]!).add(1)];
    throw new AutogradError(
      `${op}: without v the function must have one ${what} of 1 element, got ${tensors.map(({ shape }) => showShape(shape)).join(", ")}. Pass v.`,
    );
  }
  const vectors = [...listOf(v)];
  const fits =
    vectors.length === tensors.length && vectors.every((each, i) => sameShape(each.shape, tensors[i]!.shape));
  if (fits) return vectors;
  throw new ShapeError(
    `${op}: v must have the shapes of the ${what}s, got ${vectors.map(({ shape }) => showShape(shape)).join(", ")} for ` +
      `${tensors.map(({ shape }) => showShape(shape)).join(", ")}. Pass one vector for each.`,
  );
}

const finished = (tensors: readonly Tensor[], { createGraph = false }: DerivativeOptions): Tensor[] =>
  tensors.map((each) => (createGraph ? each : each.detach()));

const OPTION_NAMES = ["createGraph", "strict"];

/**
 * A function's result, and the product of a vector with its Jacobian: reverse mode.
 *
 * @param fn tensors in, a tensor or a list of tensors out
 * @param inputs where, one tensor or several; what they are computed from gets no gradient without `createGraph`
 * @param v as the outputs; 1 by default, for one output of one element
 * @returns `[outputs, products]`, products as the inputs
 * @throws AutogradError, ShapeError if `v` does not fit
 * @see torch.autograd.functional.vjp
 *
 * @example
 * const [y, dx] = vjp((x) => x.exp(), x, ones(x.shape));
 */
export function vjp<const In extends Tensors, Out extends Tensors>(
  fn: (...inputs: Arguments<In>) => Out,
  inputs: In,
  v?: Tensors | null,
  options: DerivativeOptions = {},
): [outputs: Each<Out>, products: Each<In>] {
  checkOptionNames("vjp", options, OPTION_NAMES);
  const call = callAt("vjp", fn, inputs, options);
  const products = gradOrZeros("vjp", call.outputs, call.inputs, vectorsFor("vjp", "output", call.outputs, v), options);
  return [inFormOf(call.result, finished(call.outputs, options)), inFormOf(inputs, products)];
}

/**
 * A function's result, and the product of its Jacobian with a vector: by differentiating `vjp`, which is linear in its vector.
 *
 * @param fn tensors in, a tensor or a list of tensors out, all differentiable twice
 * @param inputs where, one tensor or several
 * @param v as the inputs; 1 by default, for one input of one element
 * @returns `[outputs, products]`, products as the outputs
 * @throws AutogradError, ShapeError if `v` does not fit
 * @see torch.autograd.functional.jvp
 *
 * @example
 * const [y, change] = jvp((x) => x.exp(), x, direction);
 */
export function jvp<const In extends Tensors, Out extends Tensors>(
  fn: (...inputs: Arguments<In>) => Out,
  inputs: In,
  v?: Tensors | null,
  options: DerivativeOptions = {},
): [outputs: Each<Out>, products: Each<Out>] {
  checkOptionNames("jvp", options, OPTION_NAMES);
  const call = callAt("jvp", fn, inputs, options);
  const vectors = vectorsFor("jvp", "input", call.inputs, v);
  const weights = call.outputs.map((output) => zerosLike(output).requiresGrad_());
  const gradients = gradOrZeros("jvp", call.outputs, call.inputs, weights, { ...options, createGraph: true });
  const products = gradOrZeros("jvp", gradients, weights, vectors, options);
  return [inFormOf(call.result, finished(call.outputs, options)), inFormOf(call.result, products)];
}

/** 1 at one place of a tensor's shape, 0 elsewhere. */
function oneAt(place: number, { shape, dtype, device }: Tensor): Tensor {
  const data = allocateHost(
    dtype,
    shape.reduce((product, size) => product * size, 1),
  );
  data[place] = 1;
  return tensor(data, { shape, dtype, device });
}

/** Derivatives of each element of an output, `[...output, ...input]` for each input. */
function jacobianOf(op: string, output: Tensor, inputs: readonly Tensor[], options: DerivativeOptions): Tensor[] {
  const rows = Array.from({ length: output.numel() }, (_, place) =>
    gradOrZeros(op, [output], inputs, [oneAt(place, output)], options),
  );
  return inputs.map((input, index) => {
    const shape = [...output.shape, ...input.shape];
    const { dtype, device } = input;
    return rows.length === 0 ? zeros(shape, { dtype, device }) : stack(rows.map((row) => row[index]!)).reshape(shape);
  });
}

/**
 * All derivatives of a function: a backward pass for each element of its outputs.
 *
 * @param fn tensors in, a tensor or a list of tensors out
 * @param inputs where, one tensor or several
 * @returns `[...output, ...input]` for each input, as the inputs; a list of that for a function that returns a list
 * @throws AutogradError with `strict`, if an output does not depend on an input
 * @see torch.autograd.functional.jacobian
 *
 * @example
 * const j = jacobian((x) => x.exp(), ones([2])); // [2, 2]
 */
export function jacobian<const In extends Tensors, Out extends Tensors>(
  fn: (...inputs: Arguments<In>) => Out,
  inputs: In,
  options: DerivativeOptions = {},
): Each<Out, Each<In>> {
  checkOptionNames("jacobian", options, OPTION_NAMES);
  const call = callAt("jacobian", fn, inputs, options);
  const jacobians = call.outputs.map((output) =>
    inFormOf(inputs, jacobianOf("jacobian", output, call.inputs, options)),
  );
  return inFormOf(call.result, jacobians);
}

/**
 * All second derivatives of a function with one output of one element: the Jacobian of its gradient.
 *
 * @param fn tensors in, a tensor of one element out
 * @param inputs where, one tensor or several
 * @returns `[...input, ...input]`; a list of lists of that, `[i][j]`, for a list of inputs
 * @throws AutogradError if there is more than one output, or more than one element
 * @see torch.autograd.functional.hessian
 *
 * @example
 * const h = hessian((x) => x.pow(3).sum(), ones([2])); // [2, 2]
 */
export function hessian<const In extends Tensors>(
  fn: (...inputs: Arguments<In>) => Tensor,
  inputs: In,
  options: DerivativeOptions = {},
): Each<In, Each<In>> {
  checkOptionNames("hessian", options, OPTION_NAMES);
  const call = callAt("hessian", fn, inputs, options);
  const [output] = call.outputs;
  if (call.outputs.length !== 1 || output!.numel() !== 1) {
    throw new AutogradError(
      `hessian: the function must return one tensor of 1 element, got ${call.outputs.map(({ shape }) => showShape(shape)).join(", ")}. Reduce it.`,
    );
  }
  const seed = zerosLike(output!).add(1);
  const first = gradOrZeros("hessian", [output!], call.inputs, [seed], { ...options, createGraph: true });
  const rows = first.map((gradient) => inFormOf(inputs, jacobianOf("hessian", gradient, call.inputs, options)));
  return inFormOf(inputs, rows);
}
