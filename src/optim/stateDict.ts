/** Optimizers' state dicts in PyTorch's layout: packing groups, and checking what is loaded before anything is written. */

import { StateDictError } from "../errors";
import { sameShape, showShape } from "../graph/shape";
import { misfit, type StateArray } from "../loadable";
import { snakeCase } from "../nn/fields";
import { describe } from "../options";
import type { Parameter } from "../parameter";
import { Tensor } from "../tensor";
import { type CommonOptions, SCHEDULED_NAMES, type OptimizerStateDict, type ParamGroup } from "./optimizer";

/** What `loadStateDict` takes for a tensor: one, or values from a file; a number where there is only one. */
export type LoadableValue = Tensor | StateArray | number | null;

/** What `loadStateDict` takes: a state dict, or one whose tensors were read from a file. */
export interface LoadableOptimizerState<State> {
  readonly state: Readonly<Record<number, { readonly [Name in keyof State]?: LoadableValue }>>;
  readonly param_groups: readonly Readonly<Record<string, unknown>>[];
}

/** A parameter's state, checked. */
export interface LoadedState {
  readonly steps: number;
  readonly slots: ReadonlyMap<string, Tensor | StateArray>;
}

/** The groups' options by PyTorch's names, and the indices of their parameters. */
export function packGroups(
  groups: readonly ParamGroup[],
  names: readonly string[],
): OptimizerStateDict<object>["param_groups"] {
  let next = 0;
  return groups.map((group) => ({
    ...Object.fromEntries(
      [...names, ...SCHEDULED_NAMES].flatMap((name) => {
        const value = (group as unknown as Record<string, unknown>)[name];
        return value === undefined ? [] : [[snakeCase(name), copied(value)]];
      }),
    ),
    params: group.params.map(() => next++),
  }));
}

/** Options may be pairs of numbers. */
const copied = (value: unknown): unknown => (Array.isArray(value) ? [...(value as unknown[])] : value);

/**
 * Writes those of a saved group's options that the optimizer has.
 *
 * @param unsaid options that a group may not name, and what it means then
 */
export function loadOptions(
  group: ParamGroup,
  saved: Readonly<Record<string, unknown>>,
  { names, unsaid }: OptionsSaid,
): void {
  for (const name of [...names, ...SCHEDULED_NAMES]) {
    const value = saved[snakeCase(name)] ?? unsaid[name];
    if (value !== undefined && value !== null) Object.assign(group, { [name]: copied(value) });
  }
}

/** Options of a group by name, and those that PyTorch's state dicts have no name for: what they are there. */
export interface OptionsSaid {
  readonly names: readonly string[];
  readonly unsaid: Readonly<Record<string, unknown>>;
}

/** What an optimizer keeps for a parameter. */
export interface Kept<Options> {
  readonly countsSteps: boolean;
  /** Tensors that it may have. */
  readonly slotNames: readonly string[];
  /** Those that a step with these options needs, if there were steps before. */
  slotsFor(options: Options): readonly string[];
  /** @throws ValueError if one is outside its range */
  checkOptions(options: Options): void;
}

/**
 * Each parameter with its part of a state dict; null where it has none.
 *
 * @throws StateDictError if groups, parameters, shapes, dtypes, devices or kinds of options do not match
 */
export function checkLoaded<Options extends CommonOptions, State>(
  dict: LoadableOptimizerState<State>,
  groups: readonly ParamGroup<Options>[],
  said: OptionsSaid,
  kept: Kept<Options>,
): { parameter: Parameter; state: LoadedState | null }[] {
  checkLayout(dict);
  const { state, param_groups: saved } = dict;
  const sizes = groups.map(({ params }) => params.length);
  const found = saved.map(({ params }) => (params as readonly number[]).length);
  if (!sameShape(sizes, found)) {
    throw new StateDictError(
      `loadStateDict: groups must have as many parameters as the optimizer's, got ${showShape(found)} for ${showShape(sizes)}. Build it with the same parameters.`,
    );
  }
  return groups.flatMap((group, index) => {
    const indices = saved[index]!.params as readonly number[];
    const options = { ...group };
    checkKinds(group, saved[index]!, said.names);
    loadOptions(options, saved[index]!, said);
    kept.checkOptions(options);
    const needed = kept.countsSteps ? kept.slotsFor(options) : []; // others get theirs with the first gradient
    return group.params.map((parameter, place) => ({
      parameter,
      state: checkState(state[indices[place]!], parameter, { needed, ...kept }),
    }));
  });
}

/** A file may have anything for an option: a string as a rate would make every weight NaN. */
function checkKinds(group: ParamGroup, saved: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  for (const name of names) {
    const value = saved[snakeCase(name)] ?? null;
    const known = (group as unknown as Record<string, unknown>)[name];
    if (value === null || known === undefined || known === null || typeof value === typeof known) continue;
    throw new StateDictError(
      `loadStateDict: ${snakeCase(name)} must be a ${typeof known}, got ${describe(value)}. Pass what stateDict() gave.`,
    );
  }
}

/** Callers without types may pass what a file had, whatever it is. */
function checkLayout(dict: unknown): void {
  const { state, param_groups: saved } = Object(dict) as Record<string, unknown>;
  const hasLists =
    Array.isArray(saved) &&
    saved.every((group: unknown) => Array.isArray((Object(group) as Record<string, unknown>)["params"]));
  if (typeof state === "object" && state !== null && hasLists) return;
  throw new StateDictError(
    `loadStateDict: the dict must have state and param_groups, each group with params, got ${describe(dict)}. Pass what stateDict() gave.`,
  );
}

function checkState(
  saved: Readonly<Record<string, LoadableValue | undefined>> | undefined,
  parameter: Parameter,
  { needed, slotNames, countsSteps }: Pick<Kept<never>, "slotNames" | "countsSteps"> & { needed: readonly string[] },
): LoadedState | null {
  if (saved !== undefined && Object(saved) !== saved) refuse("state", describe(saved), parameter);
  if (!saved || Object.keys(saved).length === 0) return null;
  const slots = new Map<string, Tensor | StateArray>();
  for (const name of slotNames) {
    const value = saved[name] ?? null;
    if (value === null) {
      if (needed.includes(name)) refuse(name, "none", parameter);
      continue;
    }
    const problem = typeof value === "number" ? "a number" : misfit(value, parameter);
    if (problem !== null) refuse(name, problem, parameter);
    slots.set(name, value as Tensor | StateArray);
  }
  return { steps: countsSteps ? stepsOf(saved.step ?? null, parameter) : 1, slots };
}

function refuse(name: string, problem: string, parameter: Parameter): never {
  throw new StateDictError(
    `loadStateDict: ${name} must fit its parameter, got ${problem} for ${parameter.variable.name || "a parameter"}. Build it with the same parameters.`,
  );
}

/** A step count must be at hand: loading does not wait for a device. */
function stepsOf(value: LoadableValue, parameter: Parameter): number {
  const data = typeof value === "number" ? [value] : value instanceof Tensor ? value.node.hostData : value?.data;
  const steps = Number(data?.[0]);
  if (data?.length === 1 && Number.isSafeInteger(steps) && steps >= 0) return steps;
  throw new StateDictError(
    `loadStateDict: step must be a count, got ${data ? `[${Array.from(data).join(", ")}]` : "a tensor or nothing"} for ` +
      `${parameter.variable.name || "a parameter"}. Pass what stateDict() gave, or the same read from a file.`,
  );
}
