/** Stochastic gradient descent with momentum: one dispatch updates a whole arena of parameters. */

import { tensor } from "../creation";
import { StateDictError, ValueError } from "../errors";
import { sameShape, showShape } from "../graph/shape";
import { checkOptionNames } from "../options";
import { misfit, placed, type StateArray } from "../loadable";
import {
  arenasOf,
  homeOf,
  type Parameter,
  type ParameterArena,
  SegmentState,
  settleState,
  type Slot,
  type SlotArena,
  StateView,
} from "../parameter";
import type { Tensor } from "../tensor";
import {
  checkNotNegative,
  type CommonOptions,
  Optimizer,
  type OptimizerStateDict,
  type ParamGroups,
} from "./optimizer";

/** Options of SGD, PyTorch's names. */
export interface SGDOptions extends CommonOptions {
  /** Default 0. */
  momentum: number;
  /** Part of the gradient that does not enter the momentum; default 0. */
  dampening: number;
  /** Factor of the parameter that is added to its gradient; default 0. */
  weightDecay: number;
  /** Whether the step looks one momentum ahead; default false. */
  nesterov: boolean;
  /** Whether the objective is maximised; default false. */
  maximize: boolean;
  /** Momentum as in older papers, with the rate inside: `v = momentum * v - lr * g; p += v`. Default false. */
  classical: boolean;
}

const OPTION_NAMES = [
  ...["lr", "momentum", "dampening", "weightDecay", "nesterov", "maximize", "classical"],
  ...["params", "initialLr"], // what else a group holds
];

/** Momentum of one parameter, as PyTorch saves it. */
export interface SGDState {
  momentum_buffer: Tensor;
}

/** What `loadStateDict` takes for a parameter: a tensor, or values from a file. */
type LoadableState = Record<number, { readonly momentum_buffer?: Tensor | StateArray | null }>;

/**
 * Momentum SGD, with everything that PyTorch's has:
 *
 *     g = grad + weightDecay * p              (-grad with maximize)
 *     v = momentum * v + (1 - dampening) * g  (v = g at a parameter's first gradient)
 *     p = p - lr * v                          (g + momentum * v for v with nesterov)
 *
 * @param params parameters, or groups that override options
 * @param options.lr learning rate; may be changed at any time in `paramGroups`
 * @param options.momentum, dampening, weightDecay, nesterov, maximize, classical see SGDOptions
 * @throws ValueError if a number is negative, nesterov has no momentum or has dampening, or there are no parameters
 * @see torch.optim.SGD; shaders/momentumSgd.wgsl
 *
 * @example
 * const optimizer = new SGD(model.parameters(), { lr: 0.06, momentum: 0.9, weightDecay: 5e-4 });
 * optimizer.zeroGrad();
 * loss.backward();
 * optimizer.step();
 */
export class SGD extends Optimizer<SGDOptions> {
  /** Arenas of all parameters. Other parameters may lie there too. */
  private arenas: ParameterArena[] = [];
  /** Momentum by arena, in the same layout; made when there is some. */
  private readonly momentumArenas = new Map<ParameterArena, SlotArena>();
  private readonly segmentTables = new Map<ParameterArena, { entries: readonly number[]; table: Tensor }>();
  /** Parameters that have momentum. */
  private readonly momenta = new Map<Parameter, Slot>();

  constructor(params: ParamGroups<SGDOptions>, options: Pick<SGDOptions, "lr"> & Partial<SGDOptions>) {
    super(params, {
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
      classical: false,
      ...options,
    });
    this.settle();
  }

  protected override checkOptions(options: SGDOptions): void {
    checkOptionNames("SGD", options, OPTION_NAMES);
    const { lr, momentum, weightDecay, dampening, nesterov, classical } = options;
    checkNotNegative("SGD", { lr, momentum, weightDecay });
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new ValueError(
        `SGD: nesterov must have momentum above 0 and no dampening, got momentum ${momentum} and dampening ${dampening}. Change one of them.`,
      );
    }
    if (classical && dampening !== 0) {
      throw new ValueError(`SGD: classical momentum has no dampening, got ${dampening}. Leave one of them out.`);
    }
  }

  override addParamGroup(group: Parameters<Optimizer<SGDOptions>["addParamGroup"]>[0]): void {
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

  private momentumOf(arena: ParameterArena): SlotArena {
    let momentum = this.momentumArenas.get(arena);
    if (!momentum) this.momentumArenas.set(arena, (momentum = arena.slots("momentum")));
    return momentum;
  }

  override step(): void {
    for (const group of this.paramGroups) this.checkOptions(group);
    const { engine } = this.device;
    engine.endStep();
    const groups = this.groupTable();
    const groupOf = new Map(
      this.paramGroups.flatMap(({ params }, index) => params.map((parameter) => [parameter, index])),
    );
    for (const arena of this.arenas) {
      const states = arena.parameters.map((parameter) =>
        groupOf.has(parameter) ? this.stateOf(parameter) : SegmentState.none,
      );
      if (states.every((state) => state === SegmentState.none)) continue;
      const entries = arena.parameters.map((parameter, index) => ((groupOf.get(parameter) ?? 0) << 2) | states[index]!);
      const momentum = this.momentumOf(arena);
      arena.momentumSgd(momentum, { segments: this.segmentTable(arena, entries), groups });
      arena.parameters.forEach((parameter, index) => {
        const hasMomentum =
          states[index] !== SegmentState.none && this.paramGroups[groupOf.get(parameter)!]!.momentum !== 0;
        if (hasMomentum) this.momenta.set(parameter, momentum.slots.get(parameter)!);
      });
    }
  }

  /** What becomes of each segment of an arena; the table of the last step where nothing has changed. */
  private segmentTable(arena: ParameterArena, entries: readonly number[]): Tensor {
    let known = this.segmentTables.get(arena);
    if (!known || !sameShape(known.entries, entries)) {
      known = { entries, table: tensor(Uint32Array.from(entries), { device: this.device }) };
      this.segmentTables.set(arena, known);
    }
    return known.table;
  }

  /** Whether a parameter is skipped, has its first gradient, or has momentum. */
  private stateOf(parameter: Parameter): number {
    if (!parameter.hasGradient) return SegmentState.none;
    return this.momenta.has(parameter) ? SegmentState.live : SegmentState.first;
  }

  /** GROUP_SIZE numbers a group; data, so that a new learning rate changes no plan. */
  private groupTable(): Tensor {
    const rows = this.paramGroups.map(({ lr, momentum, dampening, weightDecay, nesterov, classical, maximize }) => [
      lr,
      momentum,
      1 - dampening,
      weightDecay,
      Number(nesterov),
      Number(classical),
      Number(maximize),
      0,
    ]);
    return tensor(Float32Array.from(rows.flat()), { device: this.device });
  }

  /**
   * State as PyTorch saves it: `momentum_buffer` per index of a parameter that has one, and the groups' options.
   *
   * @see torch.optim.Optimizer.state_dict
   */
  stateDict(): OptimizerStateDict<SGDState> {
    const state: Record<number, SGDState> = {};
    this.parameters.forEach((parameter, index) => {
      const momentum = this.momenta.get(parameter);
      if (momentum) state[index] = { momentum_buffer: new StateView(() => momentum.detach()) };
    });
    let next = 0;
    const groups = this.paramGroups.map(
      ({ params, lr, momentum, dampening, weightDecay, nesterov, maximize, classical, initialLr }) => ({
        lr,
        momentum,
        dampening,
        weight_decay: weightDecay,
        nesterov,
        maximize,
        classical,
        ...(initialLr !== undefined && { initial_lr: initialLr }),
        params: params.map(() => next++),
      }),
    );
    return { state, param_groups: groups };
  }

  /**
   * Takes back what `stateDict` gave, or the same read from a file.
   *
   * @throws StateDictError if groups or parameters, shapes, dtypes or devices do not match; nothing is written then
   * @see torch.optim.Optimizer.load_state_dict
   */
  loadStateDict({
    state,
    param_groups: groups,
  }: {
    state: LoadableState;
    param_groups: readonly Record<string, unknown>[];
  }): void {
    const sizes = this.paramGroups.map(({ params }) => params.length);
    const found = groups.map(({ params }) => (params as readonly number[]).length);
    if (!sameShape(sizes, found)) {
      throw new StateDictError(
        `loadStateDict: groups must have as many parameters as the optimizer's, got ${showShape(found)} for ${showShape(sizes)}. Build it with the same parameters.`,
      );
    }
    const indices = groups.flatMap(({ params }) => params as readonly number[]);
    const loaded = this.parameters.map((parameter, place) => ({
      parameter,
      value: state[indices[place]!]?.momentum_buffer ?? null,
    }));
    for (const { parameter, value } of loaded) {
      const problem = value && misfit(value, parameter);
      if (problem === null) continue;
      throw new StateDictError(
        `loadStateDict: momentum must fit its parameter, got ${problem} for ${parameter.variable.name || "a parameter"}. Build it with the same parameters.`,
      );
    }
    groups.forEach((group, index) => this.loadOptions(index, group));
    this.momenta.clear();
    for (const { parameter, value } of loaded) if (value) this.loadMomentum(parameter, value);
  }

  private loadOptions(index: number, saved: Record<string, unknown>): void {
    const group = this.paramGroups[index]!;
    const { weight_decay, initial_lr, ...others } = saved as Partial<SGDOptions> & {
      weight_decay?: number;
      initial_lr?: number;
    };
    const known = ["lr", "momentum", "dampening", "nesterov", "maximize", "classical"] as const;
    for (const name of known) if (others[name] !== undefined) Object.assign(group, { [name]: others[name] });
    if (weight_decay !== undefined) group.weightDecay = weight_decay;
    if (initial_lr !== undefined) group.initialLr = initial_lr;
  }

  private loadMomentum(parameter: Parameter, value: Tensor | StateArray): void {
    const slot = this.momentumOf(homeOf(parameter)).slots.get(parameter)!;
    slot.assign(placed(value, parameter));
    this.momenta.set(parameter, slot);
  }
}
