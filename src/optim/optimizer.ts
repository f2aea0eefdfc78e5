/**
 * Optimizer: groups of parameters with options of their own, and the end of a training step. What one step does to a
 * parameter is each subclass's.
 */

import type { Device } from "../device";
import { DeviceError, DTypeError, ValueError } from "../errors";
import { watch } from "../hostState";
import { checkOptionNames, checkSwitch, describe } from "../options";
import type { Parameter } from "../parameter";
import type { LoadableOptimizerState } from "./stateDict";

/** Options that every optimizer has. */
export interface CommonOptions {
  /** Learning rate. */
  lr: number;
}

/** What schedules keep in a group. */
export interface ScheduledOptions {
  /** The rate that schedules start from. */
  initialLr?: number;
  /** OneCycleLR's highest and last rate. */
  maxLr?: number;
  minLr?: number;
  /** OneCycleLR's bounds of momentum, or of beta1. */
  maxMomentum?: number;
  baseMomentum?: number;
  /** SWALR's last rate. */
  swaLr?: number;
}

/** Names of ScheduledOptions, in PyTorch's order. */
export const SCHEDULED_NAMES = ["initialLr", "maxLr", "minLr", "maxMomentum", "baseMomentum", "swaLr"] as const;

/** Parameters that share options. Options may be changed at any time. */
export type ParamGroup<Options extends CommonOptions = CommonOptions> = Options &
  ScheduledOptions & { readonly params: readonly Parameter[] };

/** A group as it is given: what it leaves out comes from the optimizer's options. */
type GivenGroup<Options extends CommonOptions> = { readonly params: readonly Parameter[] } & Partial<Options>;

/** What an optimizer takes: parameters, or groups that override options. */
export type ParamGroups<Options extends CommonOptions> = readonly Parameter[] | readonly GivenGroup<Options>[];

/** An optimizer's state as PyTorch saves it: per parameter index, and per group. */
export interface OptimizerStateDict<State> {
  state: Record<number, State>;
  param_groups: Record<string, unknown>[];
}

/**
 * What all optimizers share: parameters in groups, each group with options of its own, and the end of a training step.
 * A subclass names its options, checks them in `checkOptions`, and updates the parameters in `step`. `SGD` is one.
 *
 * - `paramGroups`: the groups, in order. Their options are read at every step and may be changed between steps: schedules
 *   change `lr`. `initialLr` is the rate a schedule started from.
 * - `addParamGroup(group)`, `zeroGrad()`, `step()`: as in PyTorch.
 * - `stateDict()`, `loadStateDict(dict)`: what a step depends on besides parameters and gradients, as PyTorch saves it.
 * - `device`: where all parameters are.
 *
 * @param params parameters, or groups `{ params, ...options }` whose options override the optimizer's; not both in a list
 * @param defaults the options, complete: every optimizer has `lr`, the rest is each subclass's
 * @throws ValueError for no parameters, a parameter in two groups, or an option outside its range
 * @throws DTypeError if something is neither parameter nor group, or a parameter is f16; DeviceError if parameters are on several devices
 * @see torch.optim.Optimizer
 *
 * @example
 * const optimizer = new SGD(
 *   [{ params: encoder.parameters() }, { params: head.parameters(), lr: 0.6 }],
 *   { lr: 0.06, momentum: 0.9 },
 * );
 * optimizer.zeroGrad();
 * loss.backward();
 * optimizer.step();
 * optimizer.paramGroups[1]!.lr /= 10;
 */
export abstract class Optimizer<Options extends CommonOptions = CommonOptions> {
  readonly paramGroups: ParamGroup<Options>[];
  /** The device that all parameters are on. */
  readonly device: Device;

  protected constructor(
    params: ParamGroups<Options>,
    protected readonly defaults: Options,
  ) {
    const groups = groupsOf(this.constructor.name, params);
    this.paramGroups = [];
    this.device = deviceOf(this.constructor.name, groups);
    for (const group of groups) this.addParamGroup(group);
    const optionsOf = ({ paramGroups }: this): unknown[] => paramGroups.flatMap(valuesOf);
    const { readsAnew } = this;
    watch(this, readsAnew ? { fixed: (each) => optionsOf(each).map(kindOf), free: optionsOf } : { fixed: optionsOf });
  }

  /** Whether `step` reads the options at every replay of a compiled function; else it is recorded anew where one changes. */
  protected get readsAnew(): boolean {
    return false;
  }

  /** All parameters, in the order of their groups. */
  protected get parameters(): Parameter[] {
    return this.paramGroups.flatMap(({ params }) => params);
  }

  /** @throws ValueError if an option is outside its range */
  protected abstract checkOptions(options: Options): void;

  /**
   * Adds parameters, with options that override the optimizer's.
   *
   * @throws ValueError if an option is outside its range, or a parameter is in a group already
   * @throws DTypeError if something is no parameter, DeviceError if it is on another device
   * @see torch.optim.Optimizer.add_param_group
   */
  addParamGroup(group: GivenGroup<Options>): void {
    if (!isGroup(group)) noGroup(this.constructor.name, group);
    checkSwitches(this.constructor.name, group, this.defaults);
    const complete = { ...this.defaults, ...group, params: [...group.params] };
    this.checkOptions(complete);
    const known = new Set(this.parameters);
    for (const parameter of complete.params) {
      this.checkParameter(parameter);
      if (known.has(parameter)) {
        throw new ValueError(
          `${this.constructor.name}: a parameter must be in one group only, got ${nameOf(parameter)} twice. Remove one.`,
        );
      }
      known.add(parameter);
    }
    this.paramGroups.push(complete);
  }

  private checkParameter(parameter: Parameter): void {
    if (!isParameter(parameter)) noParameter(this.constructor.name, parameter);
    if (parameter.device !== this.device) {
      throw new DeviceError(
        `${this.constructor.name}: all parameters must be on one device, got ${this.device.name} and ${parameter.device.name}. Use an optimizer each.`,
      );
    }
    if (parameter.dtype === "f16") {
      throw new DTypeError(
        `${this.constructor.name}: parameters must be f32, got ${nameOf(parameter)} of f16, too coarse for what a step adds. ` +
          "Keep the model in f32 (model.float()) and run its forward in autocast.",
      );
    }
  }

  /** The options of each group, as PyTorch prints them. */
  toString(): string {
    const groups = this.paramGroups.map(({ params, ...options }, index) => {
      const lines = Object.entries(options)
        .filter(([, value]) => value !== undefined)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `    ${name}: ${JSON.stringify(value)}`);
      return `Parameter Group ${index} (${params.length} parameters)\n${lines.join("\n")}\n`;
    });
    return `${this.constructor.name} (\n${groups.join("\n")})`;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * Ends the training step: gradients, losses, accuracies and kept tensors are computed now, in one submit, and the
   * update of the parameters is left pending, to run with the next step or as soon as somebody reads a parameter.
   * Parameters without a gradient are skipped.
   */
  abstract step(): void;

  /** State per parameter and options per group, in PyTorch's layout. @see torch.optim.Optimizer.state_dict */
  abstract stateDict(): OptimizerStateDict<object>;

  /** Takes back what `stateDict` gave. @see torch.optim.Optimizer.load_state_dict */
  abstract loadStateDict(dict: LoadableOptimizerState<Record<string, unknown>>): void;

  /**
   * Clears the gradients of all parameters.
   *
   * @param options.setToNone default true: they become null; false writes zeros
   * @see torch.optim.Optimizer.zero_grad
   */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    checkOptionNames("zeroGrad", options, ["setToNone"]);
    for (const parameter of this.parameters) parameter.zeroGrad(options);
  }
}

/** A group's options, pairs of numbers one by one. */
const valuesOf = ({ params, ...options }: ParamGroup): unknown[] => [params.length, ...Object.values(options).flat()];

/** What of an option decides which tensors a step needs: numbers count by whether they are 0. */
const kindOf = (value: unknown): unknown => (typeof value === "number" ? value !== 0 : value);

/** Whether something is a group, not a parameter. Callers without types may pass anything. */
const isGroup = (entry: unknown): boolean =>
  typeof entry === "object" && entry !== null && "params" in entry && Symbol.iterator in Object(entry.params);

function noGroup(name: string, got: unknown): never {
  throw new DTypeError(
    `${name}: a group must be { params, ...options } with a list of parameters, got ${describe(got)}. Pass { params: [...] }.`,
  );
}

/** The groups that a list means: its own, or one of all its parameters. */
function groupsOf<Options extends CommonOptions>(
  name: string,
  params: ParamGroups<Options>,
): readonly GivenGroup<Options>[] {
  if (!(Symbol.iterator in Object(params))) noParameters(name, params);
  const list: readonly unknown[] = [...params];
  if (list.length === 0) {
    throw new ValueError(`${name}: there must be parameters, got an empty list. Pass model.parameters().`);
  }
  const groups = list.filter(isGroup).length;
  if (groups === list.length) return list as GivenGroup<Options>[];
  if (groups === 0) return [{ params: list as Parameter[] } as unknown as GivenGroup<Options>];
  throw new DTypeError(
    `${name}: a list must hold parameters or groups, got ${groups} groups among ${list.length} entries. ` +
      "Wrap the other parameters in a group, { params: [...] }.",
  );
}

function noParameters(name: string, got: unknown): never {
  throw new DTypeError(`${name}: there must be a list of parameters, got ${describe(got)}. Pass model.parameters().`);
}

const nameOf = (parameter: Parameter): string => parameter.variable.name || parameter.toString();

/** Callers without types may pass plain tensors, or nothing at all. */
const isParameter = (entry: unknown): boolean =>
  typeof entry === "object" && entry !== null && "variable" in entry && "gradState" in entry;

function noParameter(name: string, got: unknown): never {
  const way = Array.isArray(got)
    ? "Pass model.parameters(): those of namedParameters() are pairs."
    : "Wrap it in new Parameter().";
  throw new DTypeError(`${name}: it can only train parameters, got ${describe(got)}. ${way}`);
}

/** The first parameter's device; all others have to be there too. */
function deviceOf(name: string, groups: readonly { readonly params: readonly Parameter[] }[]): Device {
  const all = groups.flatMap(({ params }) => [...params]);
  if (all.length === 0) {
    throw new ValueError(`${name}: there must be parameters, got only empty groups. Pass model.parameters().`);
  }
  const first = all[0]!;
  return isParameter(first) ? first.device : noParameter(name, first);
}

/** Checks that a group has no other options than `names`, and what every group may have. */
export function checkGroupNames(op: string, group: object | undefined, names: readonly string[]): void {
  checkOptionNames(op, group, names, ["params", ...SCHEDULED_NAMES]);
}

/** An optimizer's options, complete. Callers without types may pass anything: PyTorch's positions, its spellings. */
export function withDefaults<Options extends object>(
  op: string,
  options: Partial<Options> | undefined,
  defaults: Options,
): Options {
  checkGroupNames(op, options, Object.keys(defaults));
  checkSwitches(op, options, defaults);
  return { ...defaults, ...options };
}

/** Checks that what is true or false by default is either. A step makes numbers of them, and a string would be NaN. */
function checkSwitches(op: string, given: object | undefined, defaults: object): void {
  for (const [name, value] of Object.entries(given ?? {}) as [string, unknown][]) {
    const isSwitch = typeof (defaults as Record<string, unknown>)[name] === "boolean";
    if (isSwitch) checkSwitch(op, name, value);
  }
}

/** The default of a rate that must be given: no number. */
export const REQUIRED = undefined as unknown as number;

/** Checks that a number is not negative, or of another kind. */
export function checkNotNegative(op: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "number" && value >= 0) continue;
    if (value === REQUIRED) throw new ValueError(`${op}: ${name} must be given, got none. Pass { ${name}: ... }.`);
    throw new ValueError(`${op}: ${name} must not be negative, got ${describe(value)}. Pass 0 or more.`);
  }
}
