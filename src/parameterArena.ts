/**
 * The arenas that parameters live in, and the updates that rewrite one as a whole: what `optim` is made of. Every update is
 * an effect that waits until the next step, or until somebody needs what it writes.
 */

import type { Device } from "./device";
import { DeviceError, DTypeError, InternalError } from "./errors";
import type { Node } from "./graph/node";
import * as ops from "./ops";
import { Arena, ArenaLayout } from "./runtime/arena";
import type { Engine } from "./runtime/engine";
import { floatTable, groupTable, updateEffect } from "./runtime/update";
import type { Variable } from "./runtime/variable";
import { type Parameter, State } from "./parameter";

export { MAX_GROUPS } from "./runtime/update";
export { LarsState, SegmentState } from "./ops";

/** Tables that are remembered: several optimizers may take turns on one arena. */
const MAX_TABLES = 8;

/** What becomes of each parameter of an arena. */
export interface UpdateTables {
  /** An entry a parameter: `group << 2 | SegmentState`. */
  readonly segments: readonly number[];
  /** Hyper-parameters of each group, in the order that the kernel wants. They are data: a new rate changes no plan. */
  readonly groups: readonly (readonly number[])[];
}

/** Parameters that lie in one buffer, so that one dispatch updates them all. */
export class ParameterArena extends Arena {
  private readonly device: Device;
  private grad: Arena | null = null;
  private readonly remembered = new Map<string, Node>();

  constructor(
    name: string,
    layout: ArenaLayout,
    readonly parameters: readonly Parameter[],
  ) {
    if (parameters.some(({ dtype }) => dtype === "f16")) {
      throw new DTypeError(
        `${name}: parameters that are updated must be f32, got f16. Keep the model in f32: model.float().`,
      );
    }
    super(
      name,
      layout,
      parameters.map(({ variable }) => variable),
    );
    this.device = parameters[0]!.device;
    this.engine.adopt(this);
  }

  /** @throws DeviceError if a parameter was moved to another device since it lies here */
  checkThere(op: string): void {
    const moved = this.parameters.find(({ variable }) => variable.home?.arena !== this);
    if (!moved) return;
    throw new DeviceError(
      `${op}: parameters must stay on the device that they were on when it was made, got ${moved.variable.name || "one"} moved from ${this.device.name} to ${moved.device.name}. ` +
        "Make a new one after model.to(device).",
    );
  }

  get engine(): Engine {
    return this.device.engine;
  }

  /** The gradients, in an arena of the same layout. */
  gradients(): Arena {
    this.grad ??= this.sibling("gradients", (parameter) => parameter.gradState());
    return this.grad;
  }

  /** State of an optimizer, zeros at first: a tensor for each parameter, in an arena of the same layout. */
  slots(name: string): SlotArena {
    const slots = new Map(
      this.parameters.map((parameter) => {
        const { variable, shape, dtype, device } = parameter;
        return [parameter, new Slot(this.engine.createZeros(`${variable.name}.${name}`, shape, dtype), device)];
      }),
    );
    return { slots, arena: this.sibling(name, (parameter) => slots.get(parameter)!.variable) };
  }

  /**
   * One step of momentum SGD on all parameters, as one dispatch that waits until somebody needs it.
   *
   * @param tables.groups GROUP_SIZE numbers each
   * @param attrs see `SgdAttrs`
   * @throws ValueError for more groups than the kernel holds
   * @see shaders/momentumSgd.wgsl
   */
  momentumSgd(momentum: SlotArena, tables: UpdateTables, attrs: ops.SgdAttrs): void {
    const operands = [this, this.gradients(), momentum.arena, ...this.tables(tables, ops.GROUP_SIZE)];
    this.engine.update(updateEffect(ops.momentumSgdOp, operands, attrs, [this, momentum.arena]));
  }

  /**
   * One step of Adam or AdamW on all parameters, as one dispatch.
   *
   * @param slots.maxExpAvgSq null where no group has amsgrad
   * @param tables.rates of each parameter: `lr / (1 - beta1^t)` and `sqrt(1 - beta2^t)`
   * @param tables.groups ADAM_GROUP_SIZE numbers each
   * @throws ValueError for more groups than the kernel holds
   * @see shaders/adam.wgsl
   */
  adam(
    { expAvg, expAvgSq, maxExpAvgSq }: { expAvg: SlotArena; expAvgSq: SlotArena; maxExpAvgSq: SlotArena | null },
    { rates, ...tables }: UpdateTables & { readonly rates: readonly (readonly [number, number])[] },
  ): void {
    const slots = [expAvg.arena, expAvgSq.arena];
    const optional = maxExpAvgSq ? [maxExpAvgSq.arena] : [];
    const [blocks, segments, groups] = this.tables(tables, ops.ADAM_GROUP_SIZE);
    const operands = [
      ...[this, this.gradients(), ...slots],
      ...[blocks, segments, floatTable(rates.flat(), this.dtype), groups],
      ...optional,
    ];
    const attrs = { amsgrad: maxExpAvgSq !== null };
    this.engine.update(updateEffect(ops.adamOp, operands, attrs, [this, ...slots, ...optional]));
  }

  /**
   * One step of RMSprop on all parameters, as one dispatch.
   *
   * @param slots.momentumBuffer null where no group has momentum
   * @param slots.gradAvg null where no group is centered
   * @param tables.groups RMS_PROP_GROUP_SIZE numbers each
   * @throws ValueError for more groups than the kernel holds
   * @see shaders/rmsProp.wgsl
   */
  rmsProp(
    slots: { squareAvg: SlotArena; momentumBuffer: SlotArena | null; gradAvg: SlotArena | null },
    tables: UpdateTables,
  ): void {
    const { squareAvg, momentumBuffer, gradAvg } = slots;
    const optional = [momentumBuffer, gradAvg].flatMap((slot) => (slot ? [slot.arena] : []));
    const operands = [
      this,
      this.gradients(),
      squareAvg.arena,
      ...this.tables(tables, ops.RMS_PROP_GROUP_SIZE),
      ...optional,
    ];
    const attrs = { momentum: momentumBuffer !== null, centered: gradAvg !== null };
    this.engine.update(updateEffect(ops.rmsPropOp, operands, attrs, [this, squareAvg.arena, ...optional]));
  }

  /**
   * One step of LARS on all parameters, as three dispatches.
   *
   * @param tables.segments an entry a parameter: `group << 2 | LarsState`
   * @param tables.groups LARS_GROUP_SIZE numbers each
   * @throws ValueError for more groups than the kernel holds
   * @see shaders/lars.wgsl
   */
  lars(mu: SlotArena, tables: UpdateTables): void {
    const [blocks, segments, groups] = this.tables(tables, ops.LARS_GROUP_SIZE);
    const operands = [this, this.gradients(), mu.arena, blocks, segments, this.layout.ranges, groups];
    this.engine.update(updateEffect(ops.larsOp, operands, {}, [this, mu.arena]));
  }

  /**
   * `this = this * m + leader * (1 - m)`, as one dispatch, which a momentum SGD step of the leader that still waits shares.
   *
   * @param leader an arena of the same layout
   * @param m in [0, 1]; `1 - m` is rounded once, from f64
   * @see shaders/ema.wgsl
   */
  follow(leader: ParameterArena, m: number): void {
    const coefficients = this.table(`follow ${m}`, () => floatTable([m, 1 - m, 0, 0], this.dtype));
    this.engine.update(updateEffect(ops.emaOp, [leader, this, coefficients], {}, [this]));
  }

  /** What an update's kernel is told: blocks, segments, groups. */
  private tables({ segments, groups }: UpdateTables, groupSize: number): [Node, Node, Node] {
    const settings = this.table(`${groups.length} groups ${groups.join()}`, () =>
      groupTable(groups, groupSize, this.dtype),
    );
    return [this.layout.blocks, this.segmentTable(segments), settings];
  }

  /** The table of what becomes of each parameter. */
  segmentTable(entries: readonly number[]): Node {
    return this.table(`segments ${entries.join()}`, () =>
      ops.fromHost(Uint32Array.from(entries), [entries.length], "u32"),
    );
  }

  /**
   * What a kernel is told: the same node while it is the same, so that it stays on the device. Updates that wait together have nodes of
   * their own: what is the same for them now may differ when they are replayed.
   */
  private table(key: string, make: () => Node): Node {
    let table = this.remembered.get(key);
    this.remembered.delete(key);
    if (!table || this.engine.isAwaited(table)) table = make();
    this.remembered.set(key, table); // used last
    if (this.remembered.size > MAX_TABLES) this.remembered.delete(this.remembered.keys().next().value!);
    return table;
  }

  private sibling(name: string, stateOf: (parameter: Parameter) => Variable): Arena {
    const arena = new Arena(name, this.layout, this.parameters.map(stateOf));
    this.engine.adopt(arena);
    return arena;
  }
}

/** What an optimizer keeps for a parameter: momentum, say. */
export class Slot extends State {}

/** A slot for each parameter of an arena. */
export interface SlotArena {
  readonly slots: ReadonlyMap<Parameter, Slot>;
  readonly arena: Arena;
}

/**
 * The arenas that parameters live in. Parameters without a home get arenas of at most 128 MiB, in the given order, one
 * dtype each; those that have one stay where they are, so that several optimizers may share them.
 */
export function arenasOf(parameters: readonly Parameter[]): ParameterArena[] {
  const homeless = parameters.filter(({ variable }) => !variable.home);
  for (const dtype of new Set(homeless.map((parameter) => parameter.dtype)))
    makeArenas(homeless.filter((parameter) => parameter.dtype === dtype));
  return [...new Set(parameters.map(homeOf))];
}

function makeArenas(homeless: readonly Parameter[]): void {
  for (const run of ArenaLayout.split(homeless.map((parameter) => parameter.numel()))) {
    const members = run.map((index) => homeless[index]!);
    new ParameterArena("parameters", new ArenaLayout(members.map((member) => member.numel())), members);
  }
}

/** The arena that a parameter lives in, once `arenasOf` has given it one. */
export function homeOf({ variable }: Parameter): ParameterArena {
  const arena = variable.home?.arena;
  if (arena instanceof ParameterArena) return arena;
  throw new InternalError(
    `homeOf: parameters must live in arenas of parameters, got ${variable.name} in ${arena?.name ?? "none"}.`,
  );
}
