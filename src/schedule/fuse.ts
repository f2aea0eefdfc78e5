/**
 * Decides which nodes share a kernel. Takes a task; gives units, each one kernel: a plain expression, a reduction with
 * what comes before and after it, sweeps over rows, or a kernel with its epilogue. Everything else is computed inside the units that use it.
 * Each unit records why it ends where it does.
 */

import { InternalError } from "../errors";
import type { Node, VariableRef } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { topologicalOrder } from "../graph/walk";
import { hasEpilogue, ownBindings } from "../codegen/compose";
import { readsOf } from "../codegen/inPlace";
import { OutputWindows } from "../codegen/outputWindows";
import { windowCount } from "../codegen/windows";
import { KERNELS } from "../kernels";
import type { Kernel, KernelLimits } from "../kernels/kernel";
import { computedFrom, type KernelCall, opOf } from "../ops/op";
import { callOf } from "./operands";
import { type Barred, findSweeps, type Sweep } from "./sweeps";
import type { Task } from "./task";

/** Storage buffers that one stage may bind at WebGPU's default limits. */
export const MAX_BINDINGS = 8;

/** Why a value was given memory of its own. */
export type Cut =
  | "output"
  | "operand"
  | "reduction"
  | "sweep"
  | "kernel"
  | "several users"
  | "costly, broadcast"
  | "bindings"
  | "state"
  | "update";

/** A value that a unit stores: in memory of the plan, or in the variable of an effect. */
export interface UnitOutput {
  readonly node: Node;
  /** Index of the effect; null for memory of the plan. */
  readonly effect: number | null;
}

/** One kernel to be. */
export interface Unit {
  /** The value it stores; of a sweep, the last one. */
  readonly root: Node;
  /** All values that it stores; but for a sweep, the root alone. */
  readonly outputs: readonly UnitOutput[];
  /** The sweep that it computes. */
  readonly sweep: Sweep | null;
  /** The reduction or kernel that `root` is an epilogue of. */
  readonly main: Node | null;
  readonly call: KernelCall | null;
  /** Nodes whose memory the kernel's operands are. */
  readonly operands: readonly Node[];
  /** Index of the effect whose variable it writes; null where it writes memory of the plan. */
  readonly effect: number | null;
  /** Whether it only exists to write a variable: its root has memory of its own, or none. */
  readonly isStore: boolean;
  readonly cut: Cut;
}

export interface Fusion {
  readonly units: readonly Unit[];
  /** Whether a leaf of a variable is read from a copy, which a unit of its own makes before the variable is overwritten. */
  isCopied(leaf: Node): boolean;
  /** Whether a node's value lies in memory when units other than its own need it. */
  isLoaded(node: Node): boolean;
  /** The node in whose memory a value lies: itself, or what it reshapes. */
  memoryOf(node: Node): Node;
  /** Nodes that a unit loads, in the order of the expression. */
  loadsOf(unit: Unit): Node[];
}

/** How a node is used: computed into a user, stored to a variable, wanted outside, or read from memory by a kernel. */
type Use =
  | { readonly user: Node }
  | { readonly store: number }
  | { readonly output: "memory" | "own" }
  | { readonly operandOf: Node };

/** Ops on an element that cost no more than to store and load it. */
const MAX_CHEAP_OPS = 4;

interface Cost {
  readonly loads: number;
  readonly ops: number;
  readonly dear: boolean;
}

/** Where a value is computed: in the kernel of a node, of an effect, or in one of them at other coordinates. */
type Site = Node | number | Sweep | { readonly moved: Node };

/** A scalar that goes into Params instead of memory. */
export const isUniform = (node: Node): boolean => node.op.name === "scalar" && node.hostData !== null;

/** @param copied leaves to be read from copies; grows by those that would be overwritten while they are read */
export function fuse(task: Task, limits: KernelLimits, copied = new Set<Node>()): Fusion {
  const fuser = new Fuser(task, limits, copied);
  for (let attempt = 0; attempt < 1000; attempt++) {
    const fusion = fuser.attempt();
    if (fusion) return fusion;
  }
  throw new InternalError("fuse: cutting at the binding limit must come to an end. Please report the graph.");
}

class Fuser {
  private readonly order: readonly Node[];
  private readonly calls = new Map<Node, { call: KernelCall; operands: Node[] }>();
  private readonly uses = new Map<Node, Use[]>();
  private readonly costs = new Map<Node, Cost>();
  /** Nodes that get memory because a unit would bind too much otherwise. */
  private readonly forced = new Set<Node>();
  /** Nodes that no epilogue may take in, for the same reason. */
  private readonly unclaimable = new Set<Node>();
  /** What no sweep may take in, for the same reason. */
  private readonly barred: Barred = { outside: new Set(), alone: new Set() };
  private sweeps: ReadonlyMap<Node, Sweep>;
  private readonly movedSites = new Map<Site, Map<Node, Site>>();

  constructor(
    private readonly task: Task,
    private readonly limits: KernelLimits,
    private readonly copied: Set<Node>,
  ) {
    const roots = [
      ...task.effects.map((effect) => (effect.kind === "assign" ? effect.value : effect.node)),
      ...task.outputs.map(({ node }) => node),
    ];
    this.order = topologicalOrder(roots, (node) => node.hasValue, computedFrom);
    this.findUses();
    for (const node of this.order) this.costs.set(node, this.costOf(node));
    this.sweeps = findSweeps(this.order, task.effects, limits, this.barred);
  }

  private isHeavy(node: Node): boolean {
    if (node.hasValue) return false;
    const { kind } = opOf(node).lowering;
    return kind === "reduce" || kind === "kernel";
  }

  private findUses(): void {
    const { task } = this;
    const use = (node: Node, by: Use): void => {
      const list = this.uses.get(node);
      if (list) list.push(by);
      else this.uses.set(node, [by]);
    };
    for (const node of this.order) {
      if (node.hasValue) continue;
      const called = callOf(node, this.limits);
      if (called) {
        this.calls.set(node, called);
        for (const operand of called.operands) use(operand, { operandOf: node });
        continue;
      }
      const { lowering } = opOf(node);
      computedFrom(node).forEach((input, index) => {
        const needsMemory = lowering.kind === "indexed" && lowering.materialize?.includes(index);
        use(input, needsMemory ? { operandOf: node } : { user: node });
      });
    }
    task.effects.forEach((effect, index) => {
      if (effect.kind === "assign") use(effect.value, { store: index });
    });
    for (const { node, want } of task.outputs) use(node, { output: want === "resident" ? "own" : "memory" });
  }

  private costOf(node: Node): Cost {
    if (isUniform(node)) return { loads: 0, ops: 0, dear: false };
    if (node.hasValue || this.isHeavy(node)) return { loads: 1, ops: 0, dear: false };
    const { lowering } = opOf(node);
    let loads = 0;
    let ops = lowering.kind === "pointwise" || lowering.kind === "generator" ? 1 : lowering.kind === "indexed" ? 3 : 0;
    let dear = (lowering.kind === "pointwise" || lowering.kind === "generator") && lowering.dear === true;
    for (const input of computedFrom(node)) {
      const cost = this.costs.get(input)!;
      loads += cost.loads;
      ops += cost.ops;
      dear ||= cost.dear;
    }
    return { loads, ops, dear };
  }

  private isCheap(node: Node): boolean {
    const { loads, ops, dear } = this.costs.get(node)!;
    return !dear && ((loads <= 2 && ops <= 3) || (loads <= 1 && ops <= 6));
  }

  /** One try; null where a unit bound too much and something was cut for the next try. */
  attempt(): Fusion | null {
    const claims = this.claimEpilogues();
    const placed = this.place(claims);
    const companions = this.companions(claims);
    const { task, order, calls, uses, sweeps, copied } = this;
    const fusion = new Placed(task, { order, calls, uses, claims, placed, companions, sweeps, copied });
    const hazard = fusion.units.find(
      (unit) =>
        unit.isStore && unit.effect !== null && !placed.has(unit.root) && readsElsewhere(unit, this.task, fusion),
    );
    if (hazard) {
      (hazard.root.hasValue ? this.copied : this.forced).add(hazard.root);
      return null;
    }
    let isWhole = true;
    for (const unit of fusion.units) {
      if (unit.cut === "update") continue;
      const own = unit.sweep ? unit.outputs.length : ownBindings(unit, this.limits);
      const operands = new Set(unit.operands.map((node) => fusion.memoryOf(node)));
      const loads = fusion.loadsOf(unit).filter((node) => unit.call !== null || !operands.has(node));
      if (own + this.countBindings(loads, this.outputOf(unit, fusion)) <= MAX_BINDINGS) continue;
      if (this.cut(unit, fusion, MAX_BINDINGS - own)) isWhole = false;
      else if (!this.hasLarge(loads))
        throw new InternalError(
          `fuse: ${unit.root.op.name} reads more buffers than ${MAX_BINDINGS} and cannot be cut. Please report the graph.`,
        ); // what is too large, the runtime refuses: it knows the user's words
    }
    return isWhole ? fusion : null;
  }

  /** How a unit writes its result, were `loaded` in memory too. */
  private outputOf(unit: Unit, fusion: Fusion, loaded: Node | null = null): OutputWindows {
    const effect = unit.effect === null ? null : this.task.effects[unit.effect]!;
    const isWhole = unit.call !== null || unit.sweep !== null || (effect?.kind === "assign" && effect.start !== null);
    if (isWhole) return OutputWindows.none(unit.root);
    const isLoaded = loadedIn(unit, fusion);
    return new OutputWindows(unit.root, this.limits, (node) => node === loaded || isLoaded(node));
  }

  /** Bindings that loads take where a result is written so. */
  private countBindings(loads: readonly Node[], output: OutputWindows): number {
    const count = (node: Node): number => (output.isFollowedBy(node) ? 1 : windowCount(node, this.limits));
    return loads.reduce((total, node) => total + count(node), 0);
  }

  private hasLarge(loads: readonly Node[]): boolean {
    return loads.some((node) => windowCount(node, this.limits) > 1);
  }

  /** Gives memory to the part of an expression that saves most bindings, or stops an epilogue early; false where neither can be. */
  private cut(unit: Unit, fusion: Fusion, room: number): boolean {
    let best: Node | null = null;
    let most = 0;
    const output = this.outputOf(unit, fusion);
    for (const node of inlinedBelow(unit, fusion)) {
      const part: Unit = { ...plainUnit(node, "bindings") };
      const loads = fusion.loadsOf(part);
      if (opOf(node).lowering.kind === "view" && !this.hasLarge(loads)) continue; // of what is large, a view may be small
      const saved = this.countBindings(loads, output) - this.countBindings([node], this.outputOf(unit, fusion, node));
      if (saved > most && this.countBindings(loads, this.outputOf(part, fusion)) <= room) {
        most = saved;
        best = node;
      }
    }
    if (best) this.forced.add(best);
    else if (unit.sweep) this.trim(unit, unit.sweep, fusion);
    else if (unit.main && unit.root !== unit.main) this.unclaimable.add(unit.root);
    else return false;
    return true;
  }

  /**
   * Makes a sweep bind less: lets what only shared a dispatch with it go its own way, or else computes elsewhere the value that
   * saves most.
   */
  private trim(unit: Unit, sweep: Sweep, fusion: Fusion): void {
    const partner = sweep.partners.at(-1);
    if (sweep.guests.length > 0) for (const guest of sweep.guests) this.barred.alone.add(guest);
    else if (partner) this.barred.alone.add(partner);
    else this.barred.outside.add(this.dearest(unit, sweep, fusion));
    this.sweeps = findSweeps(this.order, this.task.effects, this.limits, this.barred);
  }

  /** The stored value without which a sweep binds least. */
  private dearest(unit: Unit, sweep: Sweep, fusion: Fusion): Node {
    let best: Node | null = null;
    let least = unit.outputs.length + fusion.loadsOf(unit).length;
    for (const { node } of unit.outputs) {
      if (this.isHeavy(node)) continue;
      const others = unit.outputs.filter((output) => output.node !== node);
      const stored = new Set(others.map((output) => output.node));
      const below = computedFrom(node).filter((input) => sweep.members.has(input) && !stored.has(input));
      const outputs = [...others, ...below.map((input) => ({ node: input, effect: null }))];
      const count = outputs.length + fusion.loadsOf({ ...unit, outputs }).length;
      if (count > least || (count === least && best)) continue;
      best = node;
      least = count;
    }
    return best ?? this.order.findLast((node) => sweep.members.has(node))!;
  }

  /** Which pointwise nodes follow a reduction or kernel in its own kernel: node -> that reduction or kernel. */
  private claimEpilogues(): Map<Node, Node> {
    const claims = new Map<Node, Node>();
    for (const main of this.order) {
      if (!this.isHeavy(main) || this.sweeps.has(main)) continue;
      claims.set(main, main);
      const call = this.calls.get(main)?.call ?? null;
      if (call && (main.dtype !== "f32" || !hasEpilogue(call, this.limits))) continue;
      let last = main;
      for (
        let next = this.soleUser(last);
        next && this.canFollow(last, next, claims, call !== null);
        next = this.soleUser(last)
      ) {
        claims.set(next, main);
        last = next;
      }
    }
    return claims;
  }

  /**
   * Sums over all but the channels of what a weight's gradient is made of: a bias' gradient, which the same kernel makes as its second
   * output. By the weight's gradient, the sum.
   */
  private companions(claims: ReadonlyMap<Node, Node>): Map<Node, Node> {
    const found = new Map<Node, Node>();
    const taken = new Set<Node>();
    for (const [node, { call, operands }] of this.calls) {
      if (call.kernel !== "conv2dGradWeight" || sizeOf(node.shape) === 0) continue;
      const [input, gradOut] = operands as [Node, Node];
      const sum = this.uses
        .get(gradOut)!
        .map((use) => ("user" in use ? use.user : null))
        .find((user) => user && !taken.has(user) && claims.get(user) === user && isSumOfChannels(user, gradOut));
      // what was made before the sum does not need it
      const isFree = (each: Node): boolean => each.id < sum!.id;
      if (!sum || !isFree(input) || !this.chainOf(node, claims).every((each) => computedFrom(each).every(isFree)))
        continue;
      const isPlain = (each: Node): boolean => ["reshape", "alias"].includes(opOf(each).lowering.kind);
      if (!this.chainOf(sum, claims).every(isPlain)) continue;
      found.set(node, sum);
      taken.add(sum);
    }
    return found;
  }

  /** What follows a reduction or kernel in its own kernel. */
  private chainOf(main: Node, claims: ReadonlyMap<Node, Node>): Node[] {
    return [...claims].flatMap(([node, owner]) => (owner === main && node !== main ? [node] : []));
  }

  private soleUser(node: Node): Node | null {
    const uses = this.uses.get(node)!;
    const [first] = uses;
    return uses.length === 1 && first && "user" in first ? first.user : null;
  }

  private canFollow(last: Node, next: Node, claims: ReadonlyMap<Node, Node>, mustBeF32: boolean): boolean {
    const { kind } = opOf(next).lowering;
    if (claims.has(next) || this.unclaimable.has(next) || this.sweeps.has(next) || this.forced.has(last)) return false;
    if (mustBeF32 && next.dtype !== "f32") return false;
    if (next.dtype === "f16") return false; // only expressions store halves
    if (kind === "reshape" || kind === "alias") return true;
    return kind === "pointwise" && next.dtype !== "u8" && sizeOf(next.shape) === sizeOf(last.shape);
  }

  /** Which nodes get memory of their own, and why. From users to inputs, so that each knows where it would go. */
  private place(claims: ReadonlyMap<Node, Node>): Map<Node, Cut> {
    const placed = new Map<Node, Cut>();
    const homes = new Map<Node, Set<Site>>();
    const inMemory = new Set<Node>(); // reached as an operand through a reshape
    const tops = topsOf(claims);
    const stored = this.storedBySweeps();
    for (const node of [...this.order].reverse()) {
      if (node.hasValue) continue;
      const main = claims.get(node);
      const uses = this.uses.get(node) ?? [];
      if (uses.length === 0) continue; // an update, which is a unit of its own
      const sweep = this.sweeps.get(node);
      if (sweep) {
        homes.set(node, new Set([sweep]));
        if (stored.has(node)) placed.set(node, "sweep");
        continue;
      }
      if (main) {
        homes.set(node, new Set([tops.get(main)!]));
        if (tops.get(main) === node) placed.set(node, this.calls.has(main) ? "kernel" : "reduction");
        continue;
      }
      const { kind } = opOf(node).lowering;
      const passesOn = kind === "reshape" || kind === "alias";
      const wantsMemory =
        inMemory.has(node) || uses.some((use) => "operandOf" in use || ("output" in use && use.output === "memory"));
      const wantsOwn = uses.some((use) => "output" in use && use.output === "own");
      if (wantsOwn) placed.set(node, "output");
      else if (wantsMemory && passesOn) inMemory.add(computedFrom(node)[0]!);
      else if (wantsMemory) placed.set(node, uses.some((use) => "output" in use) ? "output" : "operand");
      else if (this.forced.has(node)) placed.set(node, "bindings");
      if (placed.has(node)) {
        homes.set(node, new Set([node]));
        continue;
      }
      const own = new Set<Site>();
      for (const use of uses) {
        if ("store" in use) own.add(use.store);
        else if ("user" in use) for (const home of homes.get(use.user) ?? []) own.add(this.siteIn(home, use.user));
      }
      homes.set(node, own);
      const cut = passesOn ? null : this.cutFor(node, uses, own.size);
      if (cut) {
        placed.set(node, cut);
        homes.set(node, new Set([node]));
      }
    }
    return placed;
  }

  /**
   * Members of sweeps that something outside reads from memory. What others compute at once from what is stored anyway is not
   * stored: they do.
   */
  private storedBySweeps(): Set<Node> {
    const wanted = new Set<Node>();
    const wantedInMemory = new Set<Node>();
    const stored = new Set<Node>();
    for (const node of [...this.order].reverse()) {
      const sweep = this.sweeps.get(node);
      if (!sweep) continue;
      const outside = this.usesOutside(node, sweep);
      if (outside.length === 0 && !wanted.has(node) && !wantedInMemory.has(node)) continue;
      const inMemory = wantedInMemory.has(node) || this.mustBeStored(node, sweep);
      const ownInputs = computedFrom(node).filter((input) => this.sweeps.get(input) === sweep);
      if (ownInputs.length === 0 || !this.isElsewhere(node, sweep, inMemory)) {
        stored.add(node);
        continue;
      }
      // sweeps compute values of rows once a row, others would once an element
      const isSwept = outside.every((use) => "user" in use && this.sweeps.has(use.user));
      const spreads = opOf(node).lowering.kind === "view" && !isSwept;
      for (const input of ownInputs) (inMemory || spreads ? wantedInMemory : wanted).add(input);
    }
    return stored;
  }

  private usesOutside(node: Node, sweep: Sweep): Use[] {
    return (this.uses.get(node) ?? []).filter((use) => !("user" in use) || this.sweeps.get(use.user) !== sweep);
  }

  /** Whether something outside a sweep needs a member in memory, whatever it costs to compute. */
  private mustBeStored(node: Node, sweep: Sweep): boolean {
    return this.forced.has(node) || this.usesOutside(node, sweep).some((use) => this.needsMemory(use));
  }

  /** Whether a member that others want is there in another shape, or as cheap to compute as to load. */
  private isElsewhere(node: Node, sweep: Sweep, inMemory: boolean): boolean {
    const { kind } = opOf(node).lowering;
    if (kind === "reshape" || kind === "alias") return !this.usesOutside(node, sweep).some(wantsOwn);
    if (inMemory) return false;
    if (sweep.members.get(node)!.kind === "row") return kind === "pointwise";
    return kind === "view" || this.isCheapInSweep(node, sweep);
  }

  /** Whether an element takes no more than a few ops on what is in memory anyway, and on values of its row. */
  private isCheapInSweep(root: Node, sweep: Sweep): boolean {
    let ops = 0;
    const loads = new Set<Node>();
    const stack = [root];
    for (let node = stack.pop(); node; node = stack.pop()) {
      const { lowering } = opOf(node);
      if (lowering.kind === "pointwise") ops++;
      if (ops > MAX_CHEAP_OPS || (lowering.kind === "pointwise" && lowering.dear)) return false;
      for (const input of computedFrom(node)) {
        const member = this.sweeps.get(input) === sweep ? sweep.members.get(input)! : null;
        if (member?.kind === "row" || isUniform(input)) continue;
        const { loads: count, ops: work } = this.costs.get(input)!;
        if (member && !this.mustBeStored(input, sweep)) stack.push(input);
        else if (member || (count <= 1 && work === 0)) loads.add(input);
        else return false;
      }
    }
    return loads.size <= 2;
  }

  /** Whether a use cannot compute a value itself. */
  private needsMemory(use: Use): boolean {
    if (!("user" in use)) return true;
    const { kind } = opOf(use.user).lowering;
    return kind !== "pointwise" && kind !== "reshape" && kind !== "alias" && !this.sweeps.has(use.user);
  }

  /** Where a user's input is computed: where the user is, unless the user reads it at other coordinates. */
  private siteIn(home: Site, user: Node): Site {
    const { kind } = opOf(user).lowering;
    if (kind !== "view" && kind !== "indexed") return home;
    const sites = this.movedSites.get(home) ?? new Map<Node, Site>();
    this.movedSites.set(home, sites);
    const site = sites.get(user) ?? { moved: user };
    sites.set(user, site);
    return site;
  }

  private cutFor(node: Node, uses: readonly Use[], homeCount: number): Cut | null {
    if (homeCount === 0 || opOf(node).lowering.kind === "view") return null;
    const { loads, dear } = this.costs.get(node)!;
    const isBroadcast = uses.some(
      (use) => "user" in use && opOf(use.user).lowering.kind === "view" && sizeOf(use.user.shape) > sizeOf(node.shape),
    );
    if (isBroadcast && (dear || loads >= 2)) return "costly, broadcast";
    return homeCount > 1 && !this.isCheap(node) ? "several users" : null;
  }
}

/** Whether a node sums `[n, c, h, w]` over all but the channels. */
function isSumOfChannels(node: Node, input: Node): boolean {
  const { lowering } = opOf(node);
  if (lowering.kind !== "reduce" || lowering.fold !== "sum" || node.inputs[0] !== input) return false;
  const dims = lowering.dims(node.attrs);
  return node.dtype === "f32" && input.shape.length === 4 && [...dims].sort().join() === "0,2,3";
}

/** The last node of each epilogue chain. */
function topsOf(claims: ReadonlyMap<Node, Node>): Map<Node, Node> {
  const tops = new Map<Node, Node>();
  for (const [node, main] of claims) tops.set(main, node); // claims are made from main upwards
  return tops;
}

/** Whether a use asks for memory that holds just this. */
const wantsOwn = (use: Use): boolean => "store" in use || ("output" in use && use.output === "own");

/** A unit that computes an expression. */
const plainUnit = (root: Node, cut: Cut): Unit => ({
  root,
  outputs: [{ node: root, effect: null }],
  sweep: null,
  main: null,
  call: null,
  operands: [],
  effect: null,
  isStore: false,
  cut,
});

/** Nodes of a unit's expression that are computed in it, other than its root and its main. */
function inlinedBelow(unit: Unit, fusion: Fusion): Node[] {
  const found: Node[] = [];
  walkUnit(unit, fusion, (node, isLoaded) => {
    const { kind } = opOf(node).lowering;
    const isOwn = node === unit.root || node === unit.main || unit.sweep?.members.has(node) === true;
    if (!isLoaded && !isOwn && kind !== "reshape" && kind !== "alias") found.push(node);
  });
  return found;
}

/** Whether a unit loads a node from memory, rather than computing it. */
export const loadedIn =
  ({ root, main, isStore, sweep }: Unit, fusion: Pick<Fusion, "isLoaded">) =>
  (node: Node): boolean =>
    (node !== root || isStore) && node !== main && sweep?.members.has(node) !== true && fusion.isLoaded(node);

function walkUnit(unit: Unit, fusion: Pick<Fusion, "isLoaded">, visit: (node: Node, isLoaded: boolean) => void): void {
  const seen = new Set<Node>();
  const isLoaded = loadedIn(unit, fusion);
  const stack: Node[] = unit.outputs.map(({ node }) => node).reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node) || isUniform(node)) continue;
    seen.add(node);
    visit(node, isLoaded(node));
    if (isLoaded(node) || (node === unit.main && unit.call)) continue;
    for (const input of [...computedFrom(node)].reverse()) stack.push(input);
  }
}

/** Whether a unit that writes a variable reads it anywhere but at the element it writes: then it must not write in place. */
function readsElsewhere(unit: Unit, task: Task, fusion: Pick<Fusion, "isLoaded" | "isCopied">): boolean {
  const effect = task.effects[unit.effect!]!;
  if (effect.kind !== "assign") return false;
  const { inPlace, elsewhere } = readsOf(unit.root, loadedIn(unit, fusion));
  const kernel: Kernel<never> | null = unit.call && KERNELS[unit.call.kernel];
  const movesAway = effect.start !== null || kernel?.rereadsOutput === true; // rows; and an element is gone before it is read
  const others = movesAway ? [...inPlace, ...elsewhere] : elsewhere;
  return [...others].some((node) => node.variable === effect.variable && !fusion.isCopied(node));
}

/** What a placement was made of. */
interface Found {
  readonly order: readonly Node[];
  readonly calls: ReadonlyMap<Node, { call: KernelCall; operands: Node[] }>;
  readonly uses: ReadonlyMap<Node, readonly Use[]>;
  readonly claims: ReadonlyMap<Node, Node>;
  readonly placed: ReadonlyMap<Node, Cut>;
  readonly companions: ReadonlyMap<Node, Node>;
  readonly sweeps: ReadonlyMap<Node, Sweep>;
  readonly copied: ReadonlySet<Node>;
}

const writing = (node: Node, effect: number | null): Pick<Unit, "effect" | "outputs"> => ({
  effect,
  outputs: [{ node, effect }],
});

/** The call that makes the sum of channels too. */
const withBias = (call: KernelCall): KernelCall =>
  call.kernel === "conv2dGradWeight" ? { ...call, info: { ...call.info, hasBias: true } } : call;

/** A finished placement, with what can be asked of it. */
class Placed implements Fusion {
  readonly units: readonly Unit[];
  private readonly loads = new Map<Unit, Node[]>();
  private readonly copies: ReadonlySet<Node>;

  constructor(
    private readonly task: Task,
    private readonly found: Found,
  ) {
    const { order, placed, claims, sweeps } = found;
    this.copies = new Set([...found.copied, ...this.overwrittenOutputs()]);
    const units: Unit[] = [];
    const direct = new Map<Node, number>();
    const stores: Unit[] = [];
    task.effects.forEach((effect, index) => {
      if (effect.kind === "update") {
        units.push({ ...this.unitFor(effect.node, effect.node, "update"), ...writing(effect.node, index) });
        return;
      }
      const { value } = effect;
      if (sizeOf(value.shape) === 0) return;
      const sweep = sweeps.get(value);
      const main = claims.get(value);
      if (sweep && !direct.has(value) && this.sweepCanWrite(sweep, value, index)) direct.set(value, index);
      else if (main && placed.has(value) && this.canWriteDirectly(value, main, index)) direct.set(value, index);
      else stores.push({ ...plainUnit(value, "state"), ...writing(value, index), isStore: true });
    });
    const outputs = new Map<Sweep, UnitOutput[]>();
    const tops = topsOf(claims);
    const beside = new Set([...this.found.companions.values()].map((sum) => tops.get(sum)!));
    for (const node of order) {
      const cut = placed.get(node);
      if (!cut || sizeOf(node.shape) === 0) continue;
      const effect = direct.get(node) ?? null;
      const sweep = sweeps.get(node);
      const main = claims.get(node) ?? null;
      const sum = main && this.found.companions.get(main);
      const second = sum ? tops.get(sum)! : null;
      if (beside.has(node)) continue;
      if (second) {
        const unit = { ...this.unitFor(node, main, cut), ...writing(node, effect) };
        const also = { node: second, effect: direct.get(second) ?? null };
        units.push({ ...unit, call: withBias(unit.call!), outputs: [...unit.outputs, also] });
      } else if (!sweep) units.push({ ...this.unitFor(node, main, cut), ...writing(node, effect) });
      else outputs.set(sweep, [...(outputs.get(sweep) ?? []), { node, effect }]);
    }
    for (const [sweep, list] of outputs) units.push({ ...plainUnit(list.at(-1)!.node, "sweep"), sweep, outputs: list });
    const copies = [...this.copies].map((leaf): Unit => ({ ...plainUnit(leaf, "state"), isStore: true }));
    this.units = [...units, ...stores, ...copies];
  }

  private unitFor(root: Node, main: Node | null, cut: Cut): Unit {
    const { call = null, operands = [] } = (main && this.found.calls.get(main)) ?? {};
    return { ...plainUnit(root, cut), main, call, operands };
  }

  /**
   * Whether a sweep may write a variable's memory itself: nobody outside wants the value, and what the sweep reads there is but the
   * element that a row's value replaces.
   */
  private sweepCanWrite(sweep: Sweep, value: Node, index: number): boolean {
    const { sweeps, uses } = this.found;
    const effect = this.task.effects[index]!;
    if (effect.kind !== "assign" || effect.start !== null) return false;
    const outside = uses.get(value)!.filter((use) => !("user" in use) || sweeps.get(use.user) !== sweep);
    if (outside.length !== 1) return false;
    const outputs = this.outputsOf(sweep);
    const unit: Unit = { ...plainUnit(value, "sweep"), sweep, outputs };
    const buffer = this.task.bufferOf(effect.variable);
    const read = this.loadsOf(unit).filter(
      (node) => node.variable !== null && !this.isCopied(node) && this.task.bufferOf(node.variable) === buffer,
    );
    if (read.length === 0) return true;
    if (sweep.members.get(value)!.kind !== "row" || read.some(({ variable }) => variable !== effect.variable))
      return false;
    const others = [...outputs, ...sweep.folds.flat().map((node) => ({ node, effect: null }))];
    const readByOthers = this.loadsOf({ ...unit, outputs: others.filter(({ node }) => node !== value) });
    const { elsewhere } = readsOf(value, loadedIn(unit, this));
    return !read.some((node) => readByOthers.includes(node) || elsewhere.has(node));
  }

  private outputsOf(sweep: Sweep): UnitOutput[] {
    const { placed } = this.found;
    return [...sweep.members.keys()].filter((node) => placed.has(node)).map((node) => ({ node, effect: null }));
  }

  /** Whether a reduction or kernel may write a variable's memory itself: nobody else wants the value, and it reads nothing there. */
  private canWriteDirectly(value: Node, main: Node, index: number): boolean {
    const effect = this.task.effects[index]!;
    if (effect.kind !== "assign" || effect.start !== null || this.found.uses.get(value)!.length !== 1) return false;
    const unit: Unit = { ...this.unitFor(value, main, "state"), ...writing(value, index) };
    const buffer = this.task.bufferOf(effect.variable);
    const host = [...this.found.companions].find(([, sum]) => sum === main)?.[0];
    const operands = host ? this.found.calls.get(host)!.operands : unit.operands;
    const sharesBuffer = operands.some((operand) => {
      const memory = this.memoryOf(operand);
      const isOwn = memory.variable === null || this.isCopied(memory);
      return !isOwn && this.task.bufferOf(memory.variable!) === buffer;
    });
    return !sharesBuffer && !readsElsewhere(unit, this.task, this);
  }

  /** Leaves of variables whose memory somebody wants at the end, and which this task overwrites on the way. */
  private overwrittenOutputs(): Node[] {
    const last = new Map<VariableRef, number>();
    for (const effect of this.task.effects) {
      for (const { variable, version } of effect.kind === "update" ? effect.writes : [effect])
        last.set(variable, version);
    }
    return this.task.outputs.flatMap(({ node, want }) => {
      if (want === "resident" || sizeOf(node.shape) === 0) return [];
      const memory = this.memoryOf(node);
      return memory.variable !== null && (last.get(memory.variable) ?? -1) > memory.version ? [memory] : [];
    });
  }

  isCopied(leaf: Node): boolean {
    return this.copies.has(leaf);
  }

  isLoaded(node: Node): boolean {
    return (node.hasValue && !isUniform(node)) || this.found.placed.has(node);
  }

  memoryOf(node: Node): Node {
    let memory = node;
    while (!this.isLoaded(memory) && !isUniform(memory)) {
      const { kind } = opOf(memory).lowering;
      if (kind !== "reshape" && kind !== "alias") throw new InternalError(`fuse: ${node.op.name} must lie in memory.`);
      memory = computedFrom(memory)[0]!;
    }
    return memory;
  }

  loadsOf(unit: Unit): Node[] {
    const known = this.loads.get(unit);
    if (known) return known;
    const loads = new Set<Node>();
    walkUnit(unit, this, (node, isLoaded) => {
      if (isLoaded) loads.add(node);
    });
    const list = [...loads];
    this.loads.set(unit, list);
    return list;
  }
}
