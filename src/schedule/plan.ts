/**
 * A plan: all launches of a task, as data that names its inputs by place and not by node, so that the next task of the
 * same structure runs it as it is. Takes a task; gives launches, slots, and where the wanted values lie at the end.
 */

import { compose } from "../codegen/compose";
import type { Bound, ComposedLaunch, ParamValue, RunValue, Surroundings, UnitSpec } from "../codegen/launch";
import { inParts, PART_FIELDS, partParams } from "../codegen/part";
import { withSizes } from "../codegen/sized";
import { paddedByteLength, windowsOf } from "../codegen/windows";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { topologicalOrder } from "../graph/walk";
import type { KernelLimits } from "../kernels/kernel";
import { partsOf } from "../kernels/parts";
import { computedFrom } from "../ops/op";
import { fuse, type Cut, type Fusion, isUniform, loadedIn, type Unit, type UnitOutput } from "./fuse";
import { SlotPlanner } from "./memory";
import { memoryRead, orderUnits } from "./order";
import type { Task } from "./task";

/** Where a value lies, by place in the task. */
export type Place =
  | { readonly kind: "slot"; readonly index: number }
  /** The i-th leaf of the task's order. */
  | { readonly kind: "leaf"; readonly index: number }
  /** The variable that the i-th effect writes. */
  | { readonly kind: "effect"; readonly index: number }
  /** Memory made for the i-th output. */
  | { readonly kind: "output"; readonly index: number };

/** What is bound of a value's memory: all of it, or a window. */
export interface PlannedBinding {
  readonly binding: number;
  readonly place: Place;
  /** Known now; or at each run, and then before it where a binding may start. */
  readonly byteOffset: number | PlannedValue;
  readonly byteLength: number;
}

export interface PlannedLaunch {
  readonly label: string;
  readonly wgsl: string;
  readonly grid: readonly [number, number, number];
  readonly bindings: readonly PlannedBinding[];
  readonly paramsBinding: number;
  readonly params: readonly { readonly type: "f32" | "i32" | "u32"; readonly value: PlannedParam }[];
  readonly flops: number;
  readonly bytes: number;
  /** For people: what it stores, what was fused, why it ends there. */
  readonly output: readonly number[];
  readonly fused: readonly string[];
  readonly cut: Cut;
  /** Which of how many parts of a grid that would take too long in one: they follow one another. */
  readonly part?: { readonly index: number; readonly count: number };
}

/** A whole number at each run: the value of a scalar, by its place, times `scale`, plus `add`. */
export interface PlannedValue {
  readonly leaf: number;
  readonly scale: number;
  readonly add: number;
}

/** Fixed, the value of a scalar by its place, or a whole number less multiples of `modulo`. */
export type PlannedParam =
  { readonly value: number } | { readonly scalar: number } | (PlannedValue & { readonly modulo: number });

export interface Plan {
  readonly launches: readonly PlannedLaunch[];
  /** byteLength of each slot. */
  readonly slots: readonly number[];
  /** Where each output lies when the launches have run; null for empty ones. */
  readonly outputs: readonly (Place | null)[];
}

/** The nodes of a task, inputs first: what plans are found by and what places count. */
export const nodesOf = (task: Task): Node[] =>
  topologicalOrder(
    [
      ...task.effects.flatMap((effect) =>
        effect.kind === "update" ? [effect.node] : effect.start ? [effect.value, effect.start] : [effect.value],
      ),
      ...task.outputs.map(({ node }) => node),
    ],
    (node) => node.hasValue,
    computedFrom,
  );

/** Leaves in the order of `nodesOf`. */
export const leavesOf = (nodes: readonly Node[]): Node[] => nodes.filter((node) => node.hasValue);

export function makePlan(task: Task, limits: KernelLimits): Plan {
  return new Planner(task, limits).plan();
}

class Planner {
  private readonly fusion: Fusion;
  private readonly order: readonly Unit[];
  private readonly leafIndex: ReadonlyMap<Node, number>;
  private readonly memory = new SlotPlanner();
  private readonly places = new Map<Node, Place>();
  private readonly lastUse = new Map<Node, number>();

  constructor(
    private readonly task: Task,
    private readonly limits: KernelLimits,
  ) {
    const copied = new Set<Node>();
    for (;;) {
      this.fusion = fuse(task, limits, copied);
      const result = orderUnits(this.fusion, task);
      if ("order" in result) {
        this.order = result.order;
        break;
      }
      for (const leaf of result.crossed) copied.add(leaf);
    }
    this.leafIndex = new Map(leavesOf(nodesOf(task)).map((leaf, index) => [leaf, index]));
    this.order.forEach((unit, index) => {
      for (const node of memoryRead(unit, this.fusion)) this.lastUse.set(node, index);
    });
    for (const { node, want } of task.outputs) {
      if (want !== "resident" && sizeOf(node.shape) > 0) this.lastUse.set(this.fusion.memoryOf(node), Infinity);
    }
  }

  plan(): Plan {
    const launches = this.order.flatMap((unit, index) => this.launchesOf(unit, index));
    const outputs = this.task.outputs.map(({ node, want }, index): Place | null => {
      if (sizeOf(node.shape) === 0) return null;
      if (want === "resident") return { kind: "output", index };
      return this.placeOf(this.fusion.memoryOf(node));
    });
    return { launches, slots: this.memory.slots, outputs };
  }

  private placeOf(node: Node): Place {
    const index = this.leafIndex.get(node);
    if (index !== undefined && !this.fusion.isCopied(node)) return { kind: "leaf", index };
    let place = this.places.get(node);
    // no unit makes an empty value, yet a binding must bind something
    if (!place) this.places.set(node, (place = { kind: "slot", index: this.memory.take(paddedByteLength(node)) }));
    return place;
  }

  private targetOf({ node, effect }: UnitOutput): Place {
    if (effect !== null) return { kind: "effect", index: effect };
    const output = this.task.outputs.findIndex((each) => each.node === node && each.want === "resident");
    if (output >= 0) return { kind: "output", index: output };
    return { kind: "slot", index: this.memory.take(paddedByteLength(node)) };
  }

  private launchesOf(unit: Unit, index: number): PlannedLaunch[] {
    const targets = unit.outputs.map((output) => {
      const target = this.targetOf(output);
      if (output.effect === null) this.places.set(output.node, target);
      return target;
    });
    const { launches, scratch } = compose(specOf(unit, this.task, this.limits), this.surroundings(unit));
    const scratchSlots = scratch.map((byteLength) => this.memory.take(byteLength));
    const planned = launches.flatMap((launch) =>
      this.inParts(this.planned(launch, unit, targets, scratchSlots, scratch), unit),
    );
    for (const slot of scratchSlots) this.memory.give(slot);
    this.freeAfter(unit, index, targets);
    return planned;
  }

  /** Gives back slots whose values nobody needs any more. */
  private freeAfter(unit: Unit, index: number, targets: readonly Place[]): void {
    for (const node of memoryRead(unit, this.fusion)) {
      const place = this.places.get(node);
      if (place?.kind === "slot" && this.lastUse.get(node) === index) this.memory.give(place.index);
    }
    unit.outputs.forEach(({ node }, output) => {
      const target = targets[output]!;
      if (target.kind === "slot" && !this.lastUse.has(node)) this.memory.give(target.index);
    });
  }

  private surroundings(unit: Unit): Surroundings {
    const { fusion, task } = this;
    const written = unit.outputs.flatMap(({ effect: index }) => {
      const effect = index === null ? null : task.effects[index]!;
      return effect?.kind === "assign" ? [effect.variable] : [];
    });
    const buffers = new Set(written.map((variable) => task.bufferOf(variable)));
    return {
      limits: this.limits,
      isLoaded: loadedIn(unit, fusion),
      isUniform,
      memoryOf: (node) => fusion.memoryOf(node),
      isOutput: (node) => node.variable !== null && written.includes(node.variable) && !fusion.isCopied(node),
      sharesOutputBuffer: (node) =>
        node.variable !== null && !fusion.isCopied(node) && buffers.has(task.bufferOf(node.variable)),
    };
  }

  private planned(
    launch: ComposedLaunch,
    unit: Unit,
    targets: readonly Place[],
    scratchSlots: readonly number[],
    scratch: readonly number[],
  ): PlannedLaunch {
    const place = (bound: Bound): { place: Place; byteLength: number } => {
      if (bound === "output") return { place: targets[0]!, byteLength: paddedByteLength(this.writtenBy(unit)) };
      if ("output" in bound)
        return {
          place: targets[bound.output]!,
          byteLength: paddedByteLength(unit.outputs[bound.output]!.node),
        };
      if ("scratch" in bound)
        return {
          place: { kind: "slot", index: scratchSlots[bound.scratch]! },
          byteLength: Math.ceil(scratch[bound.scratch]! / 16) * 16,
        };
      const memory = this.fusion.memoryOf(bound.node);
      const index = this.leafIndex.get(memory);
      // what makes a copy reads the variable itself
      const isOriginal = index !== undefined && unit.effect === null && unit.root === memory;
      return {
        place: isOriginal ? { kind: "leaf", index } : this.placeOf(memory),
        byteLength: paddedByteLength(memory),
      };
    };
    const bindings = launch.bindings.map(({ binding, bound, window, moving }) => ({
      binding,
      byteOffset: 0,
      ...place(bound),
      ...window,
      ...(moving && { byteOffset: this.plannedValue(moving.from), byteLength: moving.byteLength }),
    }));
    return {
      label: launch.label,
      wgsl: withSizes(launch.wgsl, bindings.filter(isFixed), this.limits),
      grid: launch.grid,
      bindings,
      paramsBinding: launch.paramsBinding,
      params: launch.params.map(({ field, value }) => ({ type: field.type, value: this.plannedParam(value) })),
      flops: launch.flops,
      bytes: unit.call ? launch.bytes : trafficOf(bindings, launch.bytes),
      output: unit.root.shape,
      fused: this.fusedNames(unit),
      cut: unit.cut,
    };
  }

  /** A launch as it is, or in as many as it takes for none of them to take too long. */
  private inParts(launch: PlannedLaunch, unit: Unit): PlannedLaunch[] {
    // what an expression computes for an element counts as one operation each
    const flops = launch.flops * (unit.call ? 1 : Math.max(1, launch.fused.length));
    const parts = partsOf(launch.grid, { flops, bytes: launch.bytes }, this.limits);
    if (parts.length === 1) return [launch];
    const wgsl = inParts(launch.wgsl);
    return parts.map((part, index) => {
      const values = partParams(part, launch.grid);
      const added = PART_FIELDS.map(({ type }, field) => ({ type, value: { value: values[field]! } }));
      return {
        ...launch,
        wgsl,
        grid: part.grid,
        params: [...launch.params, ...added],
        flops: launch.flops * part.share,
        bytes: launch.bytes * part.share,
        part: { index, count: parts.length },
      };
    });
  }

  /** What a unit's output is bound to: its value, or the variable of which it writes all or some rows. */
  private writtenBy({ root, effect }: Unit): Pick<Node, "dtype" | "shape"> {
    const task = effect === null ? null : this.task.effects[effect]!;
    return task?.kind === "assign" ? task.variable : root;
  }

  private plannedParam(value: ParamValue): PlannedParam {
    if ("value" in value) return value;
    if ("scalar" in value) return { scalar: this.leafIndex.get(value.scalar)! };
    return { ...this.plannedValue(value), modulo: value.modulo };
  }

  private plannedValue({ node, scale, add }: RunValue): PlannedValue {
    return { leaf: this.leafIndex.get(node)!, scale, add };
  }

  private fusedNames(unit: Unit): string[] {
    const isOwn = (node: Node): boolean =>
      node === unit.root || node === unit.main || unit.sweep?.members.has(node) === true;
    const isInside = (node: Node): boolean => isOwn(node) || !this.fusion.isLoaded(node);
    const loaded = new Set(memoryRead(unit, this.fusion));
    const roots = unit.outputs.map(({ node }) => node);
    return topologicalOrder(roots, (node) => loaded.has(node) || !isInside(node), computedFrom)
      .filter((node) => !loaded.has(node) && !node.hasValue)
      .map((node) => node.op.name);
  }
}

const isFixed = ({ byteOffset }: PlannedBinding): boolean => typeof byteOffset === "number";

/** Least bytes to and from memory of a kernel made from the graph: all that it binds, but no more of each than it goes through. */
const trafficOf = (bindings: readonly PlannedBinding[], once: number): number =>
  bindings.reduce((sum, { byteLength }) => sum + Math.min(byteLength, once), 0);

function specOf(unit: Unit, task: Task, limits: KernelLimits): UnitSpec {
  const effect = unit.effect === null ? null : task.effects[unit.effect]!;
  const rows =
    effect?.kind === "assign" && effect.start
      ? {
          start: effect.start,
          rowSize: sizeOf(effect.variable.shape.slice(1)),
          isLarge: windowsOf(paddedByteLength(effect.variable), limits).length > 1,
        }
      : null;
  const { root, main, call, operands, sweep } = unit;
  const variables = unit.outputs.map(({ effect: written }) => {
    const each = written === null ? null : task.effects[written]!;
    return each?.kind === "assign" ? each.variable : null;
  });
  return {
    root,
    main,
    call,
    operands,
    rows,
    sweep: sweep && { ...sweep, outputs: unit.outputs.map(({ node }) => node), variables },
  };
}
