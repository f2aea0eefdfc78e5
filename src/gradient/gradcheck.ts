/** Checks of gradients against differences, in f64 on the CPU, whatever device is the default. */

import { tensor } from "../creation";
import { type Device, openDevice, withDevice } from "../device";
import { DTypeError, GradcheckError, ValueError } from "../errors";
import { isFloat, type TypedArray } from "../graph/dtype";
import { coordinatesOf, showShape } from "../graph/shape";
import { checkOptionNames } from "../options";
import { Parameter } from "../parameter";
import { defaultGenerator, Generator, randn } from "../random";
import { read, type Tensor } from "../tensor";
import { type Arguments, listOf, type Tensors } from "./functional";
import { grad } from "./grad";

/** Options of `gradcheck` and `gradgradcheck`, PyTorch's names and defaults. */
export interface GradcheckOptions {
  /** How far an input is moved up and down; default 1e-6. */
  readonly eps?: number;
  /** Absolute difference that is allowed; default 1e-5. */
  readonly atol?: number;
  /** Difference that is allowed relative to the numerical gradient; default 1e-3. */
  readonly rtol?: number;
  /** Whether a mismatch is thrown rather than returned as false; default true. */
  readonly raiseException?: boolean;
}

const OPTION_NAMES = ["eps", "atol", "rtol", "raiseException"];

/**
 * Compares gradients of a function with central differences. Each derivative of each output's elements is checked, in f64 on
 * the CPU: inputs are copied there, those that require gradients are checked. Parameters are used as they are, so that a layer
 * can be checked: make it on the CPU and call `double()` first.
 *
 * @param fn tensors in, a tensor or a list of tensors out; not async. Draws of the device's generator are the same at each call
 * @param inputs one tensor or several; at kinks of the function differences mean nothing
 * @param options.eps, atol, rtol, raiseException see GradcheckOptions
 * @returns true; without `raiseException` false where the two do not agree
 * @throws GradcheckError where they do not agree, naming input, output and elements; or if `fn` gives other outputs each time
 * @throws ValueError if no input requires gradients, DTypeError for a parameter that is not f64
 * @see torch.autograd.gradcheck
 *
 * @example
 * await gradcheck((x, w) => x.matmul(w).tanh(), [randn([2, 3]).requiresGrad_(), randn([3, 2]).requiresGrad_()]);
 */
export async function gradcheck<const In extends Tensors>(
  fn: (...inputs: Arguments<In>) => Tensors,
  inputs: In,
  options: GradcheckOptions = {},
): Promise<boolean> {
  checkOptionNames("gradcheck", options, OPTION_NAMES);
  const given = await inDouble("gradcheck", listOf(inputs));
  return checked(given, fn as Fn, options, { op: "gradcheck", nameOf: (index) => `input ${index}` });
}

/**
 * Compares gradients of a function's gradients with central differences. They are those with respect to its inputs and to the
 * gradients of its outputs.
 *
 * @param fn, inputs, options as for `gradcheck`
 * @param gradOutputs gradients of the outputs that require gradients; random by default
 * @returns, throws as `gradcheck`
 * @see torch.autograd.gradgradcheck
 *
 * @example
 * await gradgradcheck((x) => x.sin().mul(x), randn([3]).requiresGrad_());
 */
export async function gradgradcheck<const In extends Tensors>(
  fn: (...inputs: Arguments<In>) => Tensors,
  inputs: In,
  gradOutputs: Tensors | null = null,
  options: GradcheckOptions = {},
): Promise<boolean> {
  checkOptionNames("gradgradcheck", options, OPTION_NAMES);
  const given = await inDouble("gradgradcheck", listOf(inputs));
  const count = given.inputs.length;
  const outputs = differentiable(callOn(given, fn as Fn));
  const seeds = gradOutputs ? (await inDouble("gradgradcheck", listOf(gradOutputs), given.device)).inputs : null;
  const generator = new Generator(0);
  const weights = outputs.map((output, i) =>
    (seeds?.[i] ?? randn(output.shape, { dtype: output.dtype, device: given.device, generator })).requiresGrad_(),
  );
  const gradientOf = (...args: readonly Tensor[]): Tensor[] => {
    const wanted = args.slice(0, count).filter(({ requiresGrad }) => requiresGrad);
    const roots = differentiable(listOf((fn as Fn)(...args.slice(0, count))));
    const found = grad(roots, wanted, { gradOutputs: args.slice(count), createGraph: true, allowUnused: true });
    return found.filter((gradient) => gradient !== null);
  };
  const nameOf = (index: number): string =>
    index < count ? `input ${index}` : `the gradient of output ${index - count}`;
  return checked({ ...given, inputs: [...given.inputs, ...weights] }, gradientOf, options, {
    op: "gradgradcheck",
    nameOf,
  });
}

type Fn = (...inputs: readonly Tensor[]) => Tensors;

/** Inputs in f64 on a CPU device. */
interface Given {
  readonly device: Device;
  readonly inputs: readonly Tensor[];
}

/** What a check is called in errors, and its inputs. */
interface Names {
  readonly op: string;
  nameOf(index: number): string;
}

async function inDouble(op: string, inputs: readonly Tensor[], on: Device | null = null): Promise<Given> {
  const device = on ?? (await cpuFor(inputs));
  const values = await read(inputs);
  return {
    device,
    inputs: inputs.map((input, i) => {
      if (input instanceof Parameter) return checkedParameter(op, input, device);
      const { shape, requiresGrad } = input;
      const dtype = isFloat(input.dtype) ? "f64" : input.dtype;
      return tensor(values[i]!, { shape, dtype, device, requiresGrad });
    }),
  };
}

/** The CPU device that parameters are on, else other inputs, else a new one. */
async function cpuFor(inputs: readonly Tensor[]): Promise<Device> {
  const parameters = inputs.filter((input) => input instanceof Parameter);
  const devices = [...parameters, ...inputs].map(({ device }) => device);
  return devices.find(({ kind }) => kind === "cpu") ?? openDevice("cpu");
}

function checkedParameter(op: string, parameter: Parameter, device: Device): Parameter {
  if (parameter.dtype === "f64" && parameter.device === device) return parameter;
  throw new DTypeError(
    `${op}: parameters must be f64, and all on one CPU device, got ${parameter.toString()}. ` +
      "Make the module with withDevice(cpu, ...), and call its double().",
  );
}

/** The function's outputs at its inputs, with the same random draws at every call. */
function callOn({ device, inputs }: Given, fn: Fn): readonly Tensor[] {
  const generator = defaultGenerator(device);
  const state = generator.getState();
  try {
    return listOf(withDevice(device, () => fn(...inputs)));
  } finally {
    generator.setState(state);
  }
}

/** The outputs that are checked. */
const differentiable = (outputs: readonly Tensor[]): Tensor[] => outputs.filter(({ requiresGrad }) => requiresGrad);

async function checked(given: Given, fn: Fn, options: GradcheckOptions, names: Names): Promise<boolean> {
  const { raiseException = true } = options;
  const wanted = [...given.inputs.keys()].filter((index) => given.inputs[index]!.requiresGrad);
  if (wanted.length === 0) {
    throw new ValueError(
      `${names.op}: at least one input must require gradients, got none. Call requiresGrad_() on those to check.`,
    );
  }
  const problem =
    (await firstNondeterminism(given, fn, names)) ?? (await firstMismatch(given, wanted, fn, { options, names }));
  if (problem === null) return true;
  if (!raiseException) return false;
  throw new GradcheckError(problem);
}

/** Numerical gradients of a function that changes from call to call would be noise. */
async function firstNondeterminism(given: Given, fn: Fn, { op }: Names): Promise<string | null> {
  const [first, second] = [await read(callOn(given, fn)), await read(callOn(given, fn))];
  const differs = first.findIndex((values, i) => !values.every((value, j) => Object.is(value, second[i]?.[j])));
  if (differs < 0) return null;
  return `${op}: the function must give the same outputs each time, got others in output ${differs}. Take out what it counts or draws.`;
}

async function firstMismatch(
  given: Given,
  wanted: readonly number[],
  fn: Fn,
  { options, names }: { options: GradcheckOptions; names: Names },
): Promise<string | null> {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  const outputs = callOn(given, fn);
  const places = [...outputs.keys()].filter((place) => outputs[place]!.requiresGrad);
  // without any that is differentiable, all of them must be constant
  const kept = places.length > 0 ? places : [...outputs.keys()].filter((place) => isFloat(outputs[place]!.dtype));
  const inputs = wanted.map((index) => given.inputs[index]!);
  const analytical = await Promise.all(kept.map((place) => analyticalJacobian(outputs[place]!, inputs)));
  const mismatch = (w: number, element: number, k: number, numerical: readonly number[]): string | null => {
    const gradients = numerical.map((_, at) => analytical[k]![w]!(at, element));
    const at = numerical.findIndex((value, i) => !(Math.abs(gradients[i]! - value) <= atol + rtol * Math.abs(value)));
    if (at < 0) return null;
    const input = `element ${elementOf(inputs[w]!, element)} of ${names.nameOf(wanted[w]!)}`;
    const output = `element ${elementOf(outputs[kept[k]!]!, at)} of output ${kept[k]}`;
    return (
      `${names.op}: gradients must agree with differences, got ${gradients[at]} and ${numerical[at]} for ${input} and ${output} ` +
      `(atol ${atol}, rtol ${rtol}). Check the gradient rule, or move away from kinks.`
    );
  };
  for (const [w, index] of wanted.entries()) {
    for (let element = 0; element < inputs[w]!.numel(); element++) {
      const differences = await derivative(given, fn, { index, element, eps, kept });
      for (const [k, numerical] of differences.entries()) {
        const found = mismatch(w, element, k, numerical);
        if (found !== null) return found;
      }
    }
  }
  return null;
}

/** Where an element is, as `[1, 0]`. */
const elementOf = ({ shape }: Tensor, index: number): string => showShape(coordinatesOf(index, shape));

/** Derivatives of an output by an input: of the output's element, by the input's. */
type Jacobian = (outputElement: number, inputElement: number) => number;

/** By backward passes, one for each element of the output. */
async function analyticalJacobian(output: Tensor, inputs: readonly Tensor[]): Promise<Jacobian[]> {
  if (!output.requiresGrad) return inputs.map(() => () => 0);
  const { shape, dtype, device } = output;
  const rows = Array.from({ length: output.numel() }, (_, place) => {
    const seed = new Float64Array(output.numel());
    seed[place] = 1;
    return grad(output, inputs, { gradOutputs: tensor(seed, { shape, dtype, device }), allowUnused: true });
  });
  const found = await read(rows.flat().filter((gradient) => gradient !== null));
  let next = 0;
  const values = rows.map((row) => row.map((gradient) => (gradient ? found[next++]! : null)));
  return inputs.map((_, i) => (outputElement, inputElement) => values[outputElement]![i]?.[inputElement] ?? 0);
}

/** Derivatives of all elements of the kept outputs by one element of an input, by central differences. */
async function derivative(
  given: Given,
  fn: Fn,
  { index, element, eps, kept }: { index: number; element: number; eps: number; kept: readonly number[] },
): Promise<number[][]> {
  const [high, low] = [
    await valuesNear(given, fn, index, [element, eps]),
    await valuesNear(given, fn, index, [element, -eps]),
  ];
  return kept.map((place) => Array.from(high[place]!, (value, i) => (value - low[place]![i]!) / (2 * eps)));
}

/** The outputs with one element of an input moved. A parameter is moved itself, and put back. */
async function valuesNear(
  given: Given,
  fn: Fn,
  index: number,
  [element, distance]: readonly [number, number],
): Promise<TypedArray[]> {
  const input = given.inputs[index]!;
  const { shape, dtype, device, requiresGrad } = input;
  const values = await input.data();
  const moved = values.slice();
  moved[element]! += distance;
  const at = (data: TypedArray): Tensor => tensor(data, { shape, dtype, device });
  if (!(input instanceof Parameter)) {
    const inputs = given.inputs.with(index, at(moved).requiresGrad_(requiresGrad));
    return read(callOn({ ...given, inputs }, fn));
  }
  input.assign(at(moved));
  try {
    return await read(callOn(given, fn));
  } finally {
    input.assign(at(values));
  }
}
