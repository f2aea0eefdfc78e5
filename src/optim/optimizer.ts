/**
 * Optimizer: groups of parameters with options of their own, and the end of a training step. What one step does to a
 * parameter is each subclass's.
 */

import type { Device } from "../device";
import { DeviceError, DTypeError, ValueError } from "../errors";
import type { Parameter } from "../parameter";

/** Options that every optimizer has. */
export interface CommonOptions {
  /** Learning rate. */
  lr: number;
}

/** Parameters that share options. Options may be changed at any time. */
export type ParamGroup<Options extends CommonOptions = CommonOptions> = Options & {
  readonly params: readonly Parameter[];
  /** The rate that schedules start from. */
  initialLr?: number;
};

/** What an optimizer takes: parameters, or groups that override options. */
export type ParamGroups<Options extends CommonOptions> =
  readonly Parameter[] | readonly ({ readonly params: readonly Parameter[] } & Partial<Options>)[];

/** An optimizer's state as PyTorch saves it: per parameter index, and per group. */
export interface OptimizerStateDict<State> {
  state: Record<number, State>;
  param_groups: Record<string, unknown>[];
}

export abstract class Optimizer<Options extends CommonOptions = CommonOptions> {
  readonly paramGroups: ParamGroup<Options>[];
  /** The device that all parameters are on. */
  readonly device: Device;

  protected constructor(
    params: ParamGroups<Options>,
    private readonly defaults: Options,
  ) {
    const list = [...params] as readonly (Parameter | ({ params: readonly Parameter[] } & Partial<Options>))[];
    if (list.length === 0) {
      throw new ValueError(
        `${this.constructor.name}: there must be parameters, got an empty list. Pass model.parameters().`,
      );
    }
    const groups =
      "params" in list[0]!
        ? (list as ({ params: readonly Parameter[] } & Partial<Options>)[])
        : [{ params: list as Parameter[] }];
    this.paramGroups = [];
    this.device = groups.flatMap((group) => [...group.params])[0]?.device ?? noParameters(this.constructor.name);
    for (const group of groups) this.addParamGroup(group as { params: readonly Parameter[] } & Partial<Options>);
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
  addParamGroup(group: { readonly params: readonly Parameter[] } & Partial<Options>): void {
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
    // Callers without types may pass plain tensors.
    if (!("variable" in (parameter as object)) || !("gradState" in (parameter as object))) {
      throw new DTypeError(
        `${this.constructor.name}: it can only train parameters, got ${String(parameter)}. Wrap it in new Parameter().`,
      );
    }
    if (parameter.device !== this.device) {
      throw new DeviceError(
        `${this.constructor.name}: all parameters must be on one device, got ${this.device.name} and ${parameter.device.name}. Use an optimizer each.`,
      );
    }
  }

  /**
   * Ends the training step: gradients, losses, accuracies and kept tensors are computed now, in one submit, and the
   * update of the parameters is left pending, to run with the next step or as soon as somebody reads a parameter.
   * Parameters without a gradient are skipped.
   */
  abstract step(): void;

  /**
   * Clears the gradients of all parameters.
   *
   * @param options.setToNone default true: they become null; false writes zeros
   * @see torch.optim.Optimizer.zero_grad
   */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    for (const parameter of this.parameters) parameter.zeroGrad(options);
  }
}

const nameOf = (parameter: Parameter): string => parameter.variable.name || parameter.toString();

function noParameters(name: string): never {
  throw new ValueError(`${name}: there must be parameters, got only empty groups. Pass model.parameters().`);
}

/** Checks that a number is not negative, or of another kind. */
export function checkNotNegative(op: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value >= 0)) throw new ValueError(`${op}: ${name} must not be negative, got ${value}. Pass 0 or more.`);
  }
}
