/**
 * Finds what sweeps over the same rows several times: folds along rows, what is computed from them for each row, and what is
 * computed from that for each element. Softmax, normalisation and their gradients are such. Takes nodes in order; gives sets
 * of nodes that one kernel computes, of which any number may be stored. No set needs what is computed outside from itself.
 */

import type { Node, VariableRef } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { type FoldLayout, layoutOf } from "../codegen/fold";
import { paddedByteLength } from "../codegen/windows";
import type { KernelLimits } from "../kernels/kernel";
import { isSweepable, MAX_FOLDS, MAX_LEVELS, type SweepSize } from "../kernels/sweep";
import { computedFrom, opOf } from "../ops/op";
import type { Task } from "./task";

/** Nodes that one kernel computes, row by row. */
export interface Sweep {
  /** Shape of what is folded, and how rows lie in it. */
  readonly shape: readonly number[];
  readonly layout: FoldLayout;
  readonly size: SweepSize;
  readonly members: ReadonlyMap<Node, Member>;
  /** Folds by level: those of a level need only results of the levels before it. */
  readonly folds: readonly (readonly Node[])[];
  /** Folds that share nothing with the others but the dispatch, in order. */
  readonly guests: readonly Node[];
  /** Folds that share what they read, but nothing that is computed, in order. */
  readonly partners: readonly Node[];
}

/** What is not to become a part of sweeps. */
export interface Barred {
  /** Nodes that are computed otherwise. */
  readonly outside: Set<Node>;
  /** Folds that share no dispatch with what they do not need. */
  readonly alone: Set<Node>;
}

export interface Member {
  /** A value for each element, or for each row. */
  readonly kind: "element" | "row";
  /** Levels that must be there before it. */
  readonly level: number;
}

/** Rows that siblings without a common input may have in all to share a kernel, elements: what a dispatch costs is more. */
const SMALL_SIBLING = 65536;

/** Nodes of one kernel: what is larger takes seconds to compile. */
const MAX_MEMBERS = 48;

/** How many drafts over rows of one shape are tried, from the last. */
const MAX_SIBLINGS = 8;

/** How many nodes above a fold are looked at for inputs that others share. */
const MAX_LOOKED_AT = 64;

class Draft {
  readonly members = new Map<Node, Member>();
  readonly folds: Node[][] = [];
  readonly guests: Node[] = [];
  readonly partners: Node[] = [];
  /** Nodes above its folds that are no members: what its rows are read from. */
  readonly sources = new Set<Node>();
  /** Bits of the drafts that became this one. */
  bits: bigint;
  /** Bits of drafts that must be computed before, and those drafts. */
  beforeBits = 0n;
  readonly before = new Set<Draft>();
  /** Whether another draft must be computed after it. */
  isNeeded = false;
  /** The draft that this one became a part of. */
  whole: Draft = this;

  constructor(
    readonly key: string,
    readonly shape: readonly number[],
    readonly layout: FoldLayout,
    readonly size: SweepSize,
    bit: bigint,
  ) {
    this.bits = bit;
  }

  get isUseful(): boolean {
    if (this.folds.reduce((count, level) => count + level.length, 0) > 1) return true;
    return [...this.members.values()].some(({ kind, level }) => kind === "element" && level > 0);
  }
}

/**
 * @param effects writes to state, in program order: what reads a variable needs what was written to it
 */
export function findSweeps(
  order: readonly Node[],
  effects: Task["effects"],
  limits: KernelLimits,
  barred: Barred,
): ReadonlyMap<Node, Sweep> {
  return new Finder(effects, limits, barred).find(order);
}

class Finder {
  private readonly drafts: Draft[] = [];
  private readonly byKey = new Map<string, Draft[]>();
  private readonly draftOf = new Map<Node, Draft>();
  /** Bits of the drafts that a node needs by a way that leaves them. */
  private readonly outside = new Map<Node, bigint>();

  private readonly writers = new Map<VariableRef, { version: number; effect: Task["effects"][number] }[]>();
  private readonly effectBits = new Map<Task["effects"][number], bigint>();

  constructor(
    effects: Task["effects"],
    private readonly limits: KernelLimits,
    private readonly barred: Barred,
  ) {
    for (const effect of effects) {
      for (const { variable, version } of effect.kind === "assign" ? [effect] : effect.writes) {
        const list = this.writers.get(variable);
        if (list) list.push({ version, effect });
        else this.writers.set(variable, [{ version, effect }]);
      }
    }
  }

  find(order: readonly Node[]): ReadonlyMap<Node, Sweep> {
    for (const node of order) if (!node.hasValue) this.visit(node);
    const found = new Map<Node, Sweep>();
    for (const draft of this.drafts) {
      if (draft.whole !== draft || !draft.isUseful) continue;
      for (const node of draft.members.keys()) found.set(node, draft);
    }
    return found;
  }

  private visit(node: Node): void {
    const inputs = computedFrom(node);
    const draft = this.barred.outside.has(node) ? null : this.draftFor(node, inputs);
    let outside = 0n;
    for (const input of inputs) {
      outside |= this.outsideOf(input);
      const other = this.draftOf.get(input);
      if (other && other !== draft) outside |= other.bits;
    }
    this.outside.set(node, outside);
    if (!draft) return;
    this.draftOf.set(node, draft);
    this.comeBefore(draft, outside);
  }

  private outsideOf(node: Node): bigint {
    const known = this.outside.get(node);
    if (known !== undefined || !node.variable) return known ?? 0n;
    const bits = this.neededFor(node.variable, node.version);
    this.outside.set(node, bits);
    return bits;
  }

  /** Bits of the drafts that a version of a variable needs: all that is written to it or to what that is updated from. */
  private neededFor(variable: VariableRef, version: number): bigint {
    let bits = 0n;
    for (const { effect } of (this.writers.get(variable) ?? []).filter((write) => write.version <= version))
      bits |= this.neededForEffect(effect);
    return bits;
  }

  private neededForEffect(effect: Task["effects"][number]): bigint {
    let bits = this.effectBits.get(effect);
    if (bits !== undefined) return bits;
    this.effectBits.set(effect, (bits = 0n)); // an update reads what it writes
    if (effect.kind === "assign") bits = this.outsideOf(effect.value) | (this.draftOf.get(effect.value)?.bits ?? 0n);
    else for (const { variable, version } of effect.reads) bits |= this.neededFor(variable, version);
    this.effectBits.set(effect, bits);
    return bits;
  }

  /** The draft that a node becomes a member of, if any. */
  private draftFor(node: Node, inputs: readonly Node[]): Draft | null {
    switch (opOf(node).lowering.kind) {
      case "reduce":
        return node.dtype === "f32" ? this.draftForFold(node) : null;
      case "pointwise":
      case "reshape":
      case "alias":
      case "view":
        return node.dtype === "u8" || node.dtype === "f16" ? null : this.draftForOther(node, inputs);
      default:
        return null;
    }
  }

  private draftForFold(node: Node): Draft | null {
    const { lowering } = opOf(node);
    if (lowering.kind !== "reduce") return null;
    const input = node.inputs[0]!;
    const { shape } = input;
    const layout = layoutOf(shape, lowering.dims(node.attrs));
    const { info } = layout;
    if (info.layout !== "rows" || info.outer * info.inner < 2 || info.outputs === 0) return null;
    const size: SweepSize = { rows: info.outputs, outer: info.outer, inner: info.inner };
    const isTooLarge = paddedByteLength({ shape, dtype: "f32" }) > this.limits.maxStorageBufferBindingSize;
    if (isTooLarge || !isSweepable(size, this.limits)) return null;
    const key = `${shape.join()} ${layout.axes.map(({ terms }) => terms[0]!.from).join()} ${size.rows} ${size.outer}`;
    const sources = this.draftOf.has(input) ? new Set<Node>() : this.sourcesOf(input);
    const draft = this.siblingFor(node, key, sources) ?? this.newDraft(key, shape, layout, size);
    const level = this.levelOf(input, draft);
    const folds = (draft.folds[level] ??= []);
    for (const source of sources) draft.sources.add(source);
    folds.push(node);
    draft.members.set(node, { kind: "row", level: level + 1 });
    return draft;
  }

  private newDraft(key: string, shape: readonly number[], layout: FoldLayout, size: SweepSize): Draft {
    const draft = new Draft(key, shape, layout, size, 1n << BigInt(this.drafts.length));
    this.drafts.push(draft);
    const alike = this.byKey.get(key);
    if (alike) alike.push(draft);
    else this.byKey.set(key, [draft]);
    return draft;
  }

  /** A draft over the same rows that may take a fold: its input's, one that reads what it reads, or any where rows are small. */
  private siblingFor(node: Node, key: string, sources: ReadonlySet<Node>): Draft | null {
    const input = node.inputs[0]!;
    const own = this.draftOf.get(input);
    const isFree = (draft: Draft): boolean => {
      const level = this.levelOf(input, draft);
      return level < MAX_LEVELS && (draft.folds[level]?.length ?? 0) < MAX_FOLDS;
    };
    const fits = (draft: Draft): boolean =>
      draft.key === key && isFree(draft) && this.mayTake(draft, [input]) && isFree(draft);
    if (own) return fits(own) && own.members.get(input)!.kind === "element" ? own : null;
    if (this.barred.alone.has(node)) return null;
    const isSmall = sizeOf(input.shape) <= SMALL_SIBLING;
    for (const draft of this.byKey.get(key)?.slice(-MAX_SIBLINGS).reverse() ?? []) {
      if (draft.whole !== draft) continue;
      const shares = [...sources].some((source) => draft.sources.has(source));
      if (!(shares || isSmall) || !fits(draft)) continue;
      (shares ? draft.partners : draft.guests).push(node);
      return draft;
    }
    return null;
  }

  /** Nodes of as many elements above a fold: what its rows are computed from. */
  private sourcesOf(input: Node): Set<Node> {
    const sources = new Set<Node>([input]);
    for (const node of sources) {
      if (node.hasValue || sources.size > MAX_LOOKED_AT) continue;
      const { kind } = opOf(node).lowering;
      if (kind !== "pointwise" && kind !== "reshape" && kind !== "alias") continue;
      for (const each of computedFrom(node)) if (sizeOf(each.shape) === sizeOf(input.shape)) sources.add(each);
    }
    return sources;
  }

  private levelOf(node: Node, draft: Draft): number {
    return draft.members.get(node)?.level ?? 0;
  }

  private draftForOther(node: Node, inputs: readonly Node[]): Draft | null {
    const candidates = new Set<Draft>();
    for (const input of inputs) {
      const draft = this.draftOf.get(input);
      if (draft && this.kindOf(node, input, draft)) candidates.add(draft);
    }
    if (candidates.size === 0) return null;
    const draft = this.merged([...candidates]);
    if (!draft || !this.mayTake(draft, inputs)) return null;
    const own = inputs.filter((input) => draft.members.has(input));
    const kind = this.kindOf(node, own[0]!, draft)!;
    draft.members.set(node, { kind, level: Math.max(...own.map((input) => this.levelOf(input, draft))) });
    return draft;
  }

  /** What a node that is computed from a member is; null where it leaves the rows. */
  private kindOf(node: Node, input: Node, draft: Draft): Member["kind"] | null {
    const { kind } = draft.members.get(input)!;
    if (opOf(node).lowering.kind !== "view") return kind;
    const { shape, layout } = draft;
    if (kind !== "row" || node.op.name !== "expand" || input.shape.length !== shape.length) return null;
    const keptDims = layout.loops[0]!.shape.length;
    const isKept = (dim: number): boolean => layout.axes[dim]!.terms[0]!.from < keptDims;
    const isRow = input.shape.every((size, dim) => size === (isKept(dim) ? shape[dim] : 1));
    return isRow && node.shape.every((size, dim) => size === shape[dim]) ? "element" : null;
  }

  /** Drafts as one, where they may be: over the same rows, and none needs another. Else the last, if it may read the others. */
  private merged(drafts: readonly Draft[]): Draft | null {
    const [first, ...rest] = drafts;
    let whole = first!;
    for (const draft of rest) {
      if (this.mayMerge(whole, draft)) whole = this.merge(whole, draft);
      else if (this.needs(draft, whole)) whole = draft;
    }
    return whole;
  }

  private mayMerge(a: Draft, b: Draft): boolean {
    if (a.key !== b.key || a.members.size + b.members.size > MAX_MEMBERS) return false;
    if (this.needs(a, b) || this.needs(b, a)) return false;
    return b.folds.every((folds, level) => folds.length + (a.folds[level]?.length ?? 0) <= MAX_FOLDS);
  }

  private merge(a: Draft, b: Draft): Draft {
    for (const [node, member] of b.members) {
      a.members.set(node, member);
      this.draftOf.set(node, a);
    }
    b.folds.forEach((folds, level) => (a.folds[level] ??= []).push(...folds));
    for (const source of b.sources) a.sources.add(source);
    a.guests.push(...b.guests);
    a.partners.push(...b.partners);
    a.bits |= b.bits;
    b.whole = a;
    a.isNeeded ||= b.isNeeded;
    this.comeBefore(a, b.beforeBits);
    return a;
  }

  /** Whether a node with such inputs may become a member: nothing it needs may need the draft. */
  private mayTake(draft: Draft, inputs: readonly Node[]): boolean {
    let outside = 0n;
    let direct = 0n;
    for (const input of inputs) {
      outside |= this.outsideOf(input);
      direct |= this.draftOf.get(input)?.bits ?? 0n;
    }
    if (outside & draft.bits || draft.members.size >= MAX_MEMBERS) return false;
    return !draft.isNeeded || !reaches(this.draftsOf((outside | direct) & ~draft.bits), draft);
  }

  /** Whether a draft must come after another one. */
  private needs(draft: Draft, other: Draft): boolean {
    return other.isNeeded && reaches(draft.before, other);
  }

  /** Notes that drafts must be computed before another one. */
  private comeBefore(draft: Draft, bits: bigint): void {
    const added = bits & ~draft.beforeBits & ~draft.bits;
    if (added === 0n) return;
    draft.beforeBits |= added;
    for (const other of this.draftsOf(added)) {
      draft.before.add(other);
      other.isNeeded = true;
    }
  }

  private draftsOf(bits: bigint): Set<Draft> {
    const found = new Set<Draft>();
    const digits = bits.toString(2);
    for (let at = digits.indexOf("1"); at >= 0; at = digits.indexOf("1", at + 1))
      found.add(wholeOf(this.drafts[digits.length - 1 - at]!));
    return found;
  }
}

function wholeOf(draft: Draft): Draft {
  let whole = draft;
  while (whole.whole !== whole) whole = whole.whole;
  return whole;
}

/** Whether one of some drafts is, or must come after, another one. */
function reaches(from: Iterable<Draft>, to: Draft): boolean {
  const seen = new Set<Draft>();
  const stack = [...from];
  for (let draft = stack.pop(); draft; draft = stack.pop()) {
    const whole = wholeOf(draft);
    if (whole === to) return true;
    if (seen.has(whole)) continue;
    seen.add(whole);
    stack.push(...whole.before);
  }
  return false;
}
