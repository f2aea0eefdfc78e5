/**
 * Decides which nodes share a kernel. Takes a task; gives units, each one kernel: a plain expression, a reduction with
 * what comes before and after it, or a kernel with its epilogue. Everything else is computed inside the units that use it.
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
import type { Task } from "./task";

/** Storage buffers that one stage may bind at WebGPU's default limits. */
export const MAX_BINDINGS = 8;

/** Why a value was given memory of its own. */
export type Cut =
  | "output"
  | "operand"
  | "reduction"
  | "kernel"
  | "several users"
  | "costly, broadcast"
  | "bindings"
  | "state"
  | "update";

/** One kernel to be. */
export interface Unit {
  /** The value it stores. */
  readonly root: Node;
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

interface Cost {
  readonly loads: number;
  readonly ops: number;
  readonly dear: boolean;
}

/** Where a value is computed: in the kernel of a node, of an effect, or in one of them at other coordinates. */
type Site = Node | number | { readonly moved: Node };

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
    const fusion = new Placed(this.task, this.order, this.calls, this.uses, claims, placed, this.copied);
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
      const own = ownBindings(unit, this.limits);
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
    const isWhole = unit.call !== null || (effect?.kind === "assign" && effect.start !== null);
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
      const part: Unit = { ...unit, root: node, main: null, call: null, operands: [], effect: null };
      const loads = fusion.loadsOf(part);
      if (opOf(node).lowering.kind === "view" && !this.hasLarge(loads)) continue; // of what is large, a view may be small
      const saved = this.countBindings(loads, output) - this.countBindings([node], this.outputOf(unit, fusion, node));
      if (saved > most && this.countBindings(loads, this.outputOf(part, fusion)) <= room) {
        most = saved;
        best = node;
      }
    }
    if (best) this.forced.add(best);
    else if (unit.main && unit.root !== unit.main) this.unclaimable.add(unit.root);
    else return false;
    return true;
  }

  /** Which pointwise nodes follow a reduction or kernel in its own kernel: node -> that reduction or kernel. */
  private claimEpilogues(): Map<Node, Node> {
    const claims = new Map<Node, Node>();
    for (const main of this.order) {
      if (!this.isHeavy(main)) continue;
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

  private soleUser(node: Node): Node | null {
    const uses = this.uses.get(node)!;
    const [first] = uses;
    return uses.length === 1 && first && "user" in first ? first.user : null;
  }

  private canFollow(last: Node, next: Node, claims: ReadonlyMap<Node, Node>, mustBeF32: boolean): boolean {
    const { kind } = opOf(next).lowering;
    if (claims.has(next) || this.unclaimable.has(next) || this.forced.has(last)) return false;
    if (mustBeF32 && next.dtype !== "f32") return false;
    if (kind === "reshape" || kind === "alias") return true;
    return kind === "pointwise" && next.dtype !== "u8" && sizeOf(next.shape) === sizeOf(last.shape);
  }

  /** Which nodes get memory of their own, and why. From users to inputs, so that each knows where it would go. */
  private place(claims: ReadonlyMap<Node, Node>): Map<Node, Cut> {
    const placed = new Map<Node, Cut>();
    const homes = new Map<Node, Set<Site>>();
    const inMemory = new Set<Node>(); // reached as an operand through a reshape
    const tops = topsOf(claims);
    for (const node of [...this.order].reverse()) {
      if (node.hasValue) continue;
      const main = claims.get(node);
      const uses = this.uses.get(node) ?? [];
      if (uses.length === 0) continue; // an update, which is a unit of its own
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

/** The last node of each epilogue chain. */
function topsOf(claims: ReadonlyMap<Node, Node>): Map<Node, Node> {
  const tops = new Map<Node, Node>();
  for (const [node, main] of claims) tops.set(main, node); // claims are made from main upwards
  return tops;
}

/** Nodes of a unit's expression that are computed in it, other than its root and its main. */
function inlinedBelow(unit: Unit, fusion: Fusion): Node[] {
  const found: Node[] = [];
  walkUnit(unit, fusion, (node, isLoaded) => {
    const { kind } = opOf(node).lowering;
    if (!isLoaded && node !== unit.root && node !== unit.main && kind !== "reshape" && kind !== "alias")
      found.push(node);
  });
  return found;
}

/** Whether a unit loads a node from memory, rather than computing it. */
export const loadedIn =
  ({ root, main, isStore }: Unit, fusion: Pick<Fusion, "isLoaded">) =>
  (node: Node): boolean =>
    (node !== root || isStore) && node !== main && fusion.isLoaded(node);

function walkUnit(unit: Unit, fusion: Pick<Fusion, "isLoaded">, visit: (node: Node, isLoaded: boolean) => void): void {
  const seen = new Set<Node>();
  const isLoaded = loadedIn(unit, fusion);
  const stack: Node[] = [unit.root];
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

/** A finished placement, with what can be asked of it. */
class Placed implements Fusion {
  readonly units: readonly Unit[];
  private readonly loads = new Map<Unit, Node[]>();
  private readonly copies: ReadonlySet<Node>;

  constructor(
    private readonly task: Task,
    order: readonly Node[],
    private readonly calls: ReadonlyMap<Node, { call: KernelCall; operands: Node[] }>,
    private readonly uses: ReadonlyMap<Node, readonly Use[]>,
    claims: ReadonlyMap<Node, Node>,
    private readonly placed: ReadonlyMap<Node, Cut>,
    copied: ReadonlySet<Node>,
  ) {
    this.copies = new Set([...copied, ...this.overwrittenOutputs()]);
    const units: Unit[] = [];
    const direct = new Map<Node, number>();
    const stores: Unit[] = [];
    task.effects.forEach((effect, index) => {
      if (effect.kind === "update") {
        units.push({ ...this.unitFor(effect.node, effect.node, "update"), effect: index });
        return;
      }
      const { value } = effect;
      if (sizeOf(value.shape) === 0) return;
      const main = claims.get(value);
      if (main && placed.has(value) && this.canWriteDirectly(value, main, index)) direct.set(value, index);
      else
        stores.push({ root: value, main: null, call: null, operands: [], effect: index, isStore: true, cut: "state" });
    });
    for (const node of order) {
      const cut = placed.get(node);
      if (!cut || sizeOf(node.shape) === 0) continue;
      units.push({ ...this.unitFor(node, claims.get(node) ?? null, cut), effect: direct.get(node) ?? null });
    }
    const copies = [...this.copies].map((leaf): Unit => ({ ...this.unitFor(leaf, null, "state"), isStore: true }));
    this.units = [...units, ...stores, ...copies];
  }

  private unitFor(root: Node, main: Node | null, cut: Cut): Unit {
    const called = main ? this.calls.get(main) : undefined;
    return {
      root,
      main,
      call: called?.call ?? null,
      operands: called?.operands ?? [],
      effect: null,
      isStore: false,
      cut,
    };
  }

  /** Whether a reduction or kernel may write a variable's memory itself: nobody else wants the value, and it reads nothing there. */
  private canWriteDirectly(value: Node, main: Node, index: number): boolean {
    const effect = this.task.effects[index]!;
    if (effect.kind !== "assign" || effect.start !== null || this.uses.get(value)!.length !== 1) return false;
    const unit = { ...this.unitFor(value, main, "state"), effect: index };
    const buffer = this.task.bufferOf(effect.variable);
    const sharesBuffer = unit.operands.some((operand) => {
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
    return (node.hasValue && !isUniform(node)) || this.placed.has(node);
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
