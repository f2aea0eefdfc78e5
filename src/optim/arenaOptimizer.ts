/**
 * Optimizers whose step is one op over whole arenas: parameters, gradients and what is kept for each parameter lie in buffers
 * of one layout. The rules for each parameter (its group, whether it has a gradient, how many it has had) are the host's, and
 * reach the kernel as small tables.
 */

import type { Parameter } from "../parameter";
import { noteGradients, settleState, StateView } from "../parameter";
import { arenasOf, homeOf, MAX_GROUPS, type ParameterArena, type Slot, type SlotArena } from "../parameterArena";
import { tensor, zeros } from "../creation";
import { ValueError } from "../errors";
import { hostAction, hostCheck, noteChange } from "../hostState";
import type { StateArray } from "../loadable";
import { placed } from "../loadable";
import type { Tensor } from "../tensor";
import { type CommonOptions, Optimizer, type OptimizerStateDict, type ParamGroups } from "./optimizer";
import {
  checkLoaded,
  type LoadableOptimizerState,
  type LoadedState,
  loadOptions,
  type OptionsSaid,
  packGroups,
} from "./stateDict";

/** What is known of a parameter since its first gradient. */
export interface ParameterState {
  /** Steps in which it had a gradient. */
  readonly steps: number;
  /** Tensors kept for it, by PyTorch's names. */
  readonly slots: Map<string, Slot>;
}

/** A parameter of an arena that a step updates. */
export interface Member<Options> {
  readonly parameter: Parameter;
  /** Index of its group. */
  readonly group: number;
  readonly options: Options;
  /** Its state; this step counts among `steps`, and the slots are those from before it. */
  readonly state: ParameterState;
}

/** An entry of a segment table. */
export const segmentWord = (group: number, state: number): number => (group << 2) | state;

const namesOf = (slots: ReadonlyMap<string, unknown> | undefined): string => [...(slots?.keys() ?? [])].sort().join();

/** Base of SGD, Adam and their like. `State` is what `stateDict` shows of a parameter. */
export abstract class ArenaOptimizer<Options extends CommonOptions, State extends object> extends Optimizer<Options> {
  /** Names of all tensors that may be kept for a parameter, PyTorch's, in its order. */
  protected abstract readonly slotNames: readonly string[];
  /** Options that PyTorch's state dicts have no name for: what they are where one is loaded. */
  protected readonly unsaid: Readonly<Record<string, unknown>> = {};
  /** Whether `stateDict` shows how many steps a parameter has had. */
  protected readonly countsSteps: boolean = true;
  /** Arenas of all parameters. Other parameters may lie there too. */
  private arenas: ParameterArena[] = [];
  private readonly slotArenas = new Map<ParameterArena, Map<string, SlotArena>>();
  private readonly states = new Map<Parameter, ParameterState>();

  protected constructor(params: ParamGroups<Options>, defaults: Options) {
    super(params, defaults);
    this.settle();
  }

  /** Those that a step with these options keeps. */
  protected abstract slotsFor(options: Options): readonly string[];

  /** Pushes the update of one arena. @param members its parameters in order; null for those that are skipped */
  protected abstract updateArena(arena: ParameterArena, members: readonly (Member<Options> | null)[]): void;

  override addParamGroup(group: Parameters<Optimizer<Options>["addParamGroup"]>[0]): void {
    if (this.paramGroups.length === MAX_GROUPS) {
      throw new ValueError(
        `${this.constructor.name}: an optimizer must have at most ${MAX_GROUPS} parameter groups, got ${MAX_GROUPS + 1}. Use two optimizers.`,
      );
    }
    super.addParamGroup(group);
    // The constructor settles once all groups are there, so that they share arenas.
    if ((this.arenas as ParameterArena[] | undefined) !== undefined) this.settle();
  }

  /** Finds the arenas of all parameters. Gradients get theirs now, so that the first ones are written there. */
  private settle(): void {
    this.arenas = arenasOf(this.parameters);
    for (const arena of this.arenas) if (arena.parameters.some(({ requiresGrad }) => requiresGrad)) arena.gradients();
    settleState(this.parameters);
  }

  /** The slots of one name for all parameters of an arena; zeros at first. */
  protected slot(arena: ParameterArena, name: string): SlotArena {
    let slots = this.slotArenas.get(arena);
    if (!slots) this.slotArenas.set(arena, (slots = new Map<string, SlotArena>()));
    let slot = slots.get(name);
    if (!slot) slots.set(name, (slot = arena.slots(name)));
    return slot;
  }

  /** The same, or null where no member has it. */
  protected slotIfAny(
    arena: ParameterArena,
    members: readonly (Member<Options> | null)[],
    name: string,
  ): SlotArena | null {
    return members.some((member) => member && this.slotsFor(member.options).includes(name))
      ? this.slot(arena, name)
      : null;
  }

  override step(): void {
    hostCheck(() => {
      for (const group of this.paramGroups) this.checkOptions(group);
      for (const arena of this.arenas) arena.checkThere(this.constructor.name);
    });
    this.device.engine.endStep();
    noteGradients(this.parameters);
    hostAction(() => {
      this.update();
    });
  }

  /** Pushes the updates of all arenas. */
  private update(): void {
    const groupOf = new Map(
      this.paramGroups.flatMap(({ params }, index) => params.map((parameter) => [parameter, index])),
    );
    for (const arena of this.arenas) {
      const members = arena.parameters.map((parameter) => this.memberOf(parameter, groupOf.get(parameter)));
      if (members.every((member) => member === null)) continue;
      this.updateArena(arena, members);
      for (const member of members) if (member) this.note(arena, member);
    }
  }

  protected override get readsAnew(): boolean {
    return true;
  }

  /** A parameter that has a gradient in this step; null for one that is skipped. */
  private memberOf(parameter: Parameter, group: number | undefined): Member<Options> | null {
    if (group === undefined || !parameter.hasGradient) return null;
    const { steps, slots } = this.states.get(parameter) ?? { steps: 0, slots: new Map<string, Slot>() };
    return { parameter, group, options: this.paramGroups[group]!, state: { steps: steps + 1, slots } };
  }

  /** Remembers an update that is on its way. */
  private note(arena: ParameterArena, { parameter, options, state }: Member<Options>): void {
    this.states.set(parameter, state);
    for (const name of this.slotsFor(options)) state.slots.set(name, this.slot(arena, name).slots.get(parameter)!);
  }

  /**
   * State as PyTorch saves it: tensors and step counts per index of a parameter that has had gradients, and the groups' options.
   * The tensors are views: reading one later gives the value of that moment. `packState` brings all of it to the host.
   *
   * @see torch.optim.Optimizer.state_dict
   */
  override stateDict(): OptimizerStateDict<State> {
    const state: Record<number, State> = {};
    this.parameters.forEach((parameter, index) => {
      const known = this.states.get(parameter);
      const shown = known && this.shown(known);
      if (shown && Object.keys(shown).length > 0) state[index] = shown;
    });
    return { state, param_groups: packGroups(this.paramGroups, Object.keys(this.defaults)) };
  }

  private shown(state: ParameterState): State {
    const { device } = this;
    const step = new StateView(() => tensor(Float32Array.of(state.steps), { shape: [], device }));
    const slots = [...state.slots].map(([name, slot]) => [name, new StateView(() => slot.detach())]);
    return Object.fromEntries(this.countsSteps ? [["step", step], ...slots] : slots) as State;
  }

  /**
   * Takes back what `stateDict` gave, or PyTorch's, its tensors read from a file.
   *
   * @throws StateDictError if groups or parameters, shapes, dtypes, devices or kinds of options do not match, ValueError if an option is
   *   outside its range; nothing is written then
   * @see torch.optim.Optimizer.load_state_dict
   */
  override loadStateDict(dict: LoadableOptimizerState<State>): void {
    const loaded = this.checked(dict);
    dict.param_groups.forEach((saved, index) => {
      loadOptions(this.paramGroups[index]!, saved, this.optionsSaid);
    });
    for (const { parameter, state } of loaded) this.replaceState(parameter, state);
  }

  /**
   * Checks a state dict as `loadStateDict` does, and writes nothing: for what is loaded together with a model, or not at all.
   *
   * @throws StateDictError if `loadStateDict` would
   *
   * @example
   * optimizer.checkStateDict(saved); // before the model is written
   * model.loadStateDict(weights);
   * optimizer.loadStateDict(saved);
   */
  checkStateDict(dict: LoadableOptimizerState<State>): void {
    this.checked(dict);
  }

  private get optionsSaid(): OptionsSaid {
    return { names: Object.keys(this.defaults), unsaid: this.unsaid };
  }

  private checked(dict: LoadableOptimizerState<State>): ReturnType<typeof checkLoaded> {
    const { countsSteps, slotNames } = this;
    return checkLoaded(dict, this.paramGroups, this.optionsSaid, {
      countsSteps,
      slotNames,
      slotsFor: (options: Options) => this.slotsFor(options),
      checkOptions: (options: Options) => this.checkOptions(options),
    });
  }

  private replaceState(parameter: Parameter, loaded: LoadedState | null): void {
    const before = this.states.get(parameter);
    if (namesOf(before?.slots) !== namesOf(loaded?.slots)) noteChange(); // which kernel updates it depends on what it has
    this.states.delete(parameter);
    for (const [name, slot] of before?.slots ?? [])
      if (!loaded?.slots.has(name))
        slot.assign(zeros(parameter.shape, { device: this.device, dtype: parameter.dtype }));
    if (!loaded) return;
    const slots = [...loaded.slots].map(([name, value]) => [name, this.loadSlot(parameter, name, value)] as const);
    this.states.set(parameter, { steps: loaded.steps, slots: new Map(slots) });
  }

  private loadSlot(parameter: Parameter, name: string, value: Tensor | StateArray): Slot {
    const slot = this.slot(homeOf(parameter), name).slots.get(parameter)!;
    slot.assign(placed(value, parameter));
    return slot;
  }
}
