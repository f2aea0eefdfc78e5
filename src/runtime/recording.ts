/**
 * A recording of one call: what the engine was asked to do, in order. Two recordings that agree are what every later call
 * would do too; numbers that differ between them and come from nowhere would be baked in, and are an error.
 */

import { CompileError } from "../errors";
import type { DType, TypedArray } from "../graph/dtype";
import { type Node, nextNodeId } from "../graph/node";
import { type Shape, showShape } from "../graph/shape";
import { computedFrom } from "../ops/op";
import { leavesOf, nodesOf } from "../schedule/plan";
import { planKey } from "./planKey";
import { type Effect, type Output, type Program, taskOf, type UpdateEffect } from "./program";
import type { Variable } from "./variable";
import { Snapshot } from "./watched";

/** Where something changing comes from: a scalar if `shape` is null. */
export interface Source {
  readonly read: (() => number) | (() => TypedArray);
  readonly dtype: DType;
  readonly shape: Shape | null;
}

/** What a call does, in order. */
export type Entry =
  | { readonly kind: "action"; readonly run: () => void }
  | { readonly kind: "source"; readonly index: number }
  | { readonly kind: "assign"; readonly variable: Variable; readonly isRows: boolean }
  | { readonly kind: "forget"; readonly variable: Variable; readonly count: number }
  | { readonly kind: "program"; readonly index: number };

/** Where a leaf of a program comes from. */
export type LeafOrigin =
  | { readonly kind: "argument"; readonly index: number }
  | { readonly kind: "source"; readonly index: number }
  /** An operand of an update, which an action made. */
  | { readonly kind: "update"; readonly effect: number; readonly input: number }
  /** What an earlier program of the call made. */
  | { readonly kind: "result"; readonly program: number; readonly output: number }
  /** `isMade`: by this program or one before it, not there at its start. */
  | { readonly kind: "state"; readonly variable: Variable; readonly isMade: boolean }
  | { readonly kind: "constant"; readonly node: Node };

/** An effect of a program, by its place among the pending ones. */
export interface RecordedEffect {
  readonly place: number;
  readonly shown: string;
}

export interface RecordedProgram {
  readonly key: string;
  readonly leaves: readonly LeafOrigin[];
  readonly effects: readonly RecordedEffect[];
  readonly outputs: readonly Output[];
  /** What each node is, and the op that each leaf is an operand of, for messages. */
  readonly shown: readonly string[];
  readonly users: readonly string[];
}

/** The identity of an update: what it does, and to which state. */
export const updateIdentity = ({ node }: UpdateEffect): string =>
  `${node.signature}:${node.inputs.map(({ variable, signature }) => (variable ? `v${variable.id}` : signature)).join()}`;

const effectIdentity = (effect: Effect): string =>
  effect.kind === "update" ? updateIdentity(effect) : `v${effect.variable.id}${effect.start ? "rows" : ""}`;

export class Recording {
  readonly tape: Entry[] = [];
  readonly programs: RecordedProgram[] = [];
  readonly sources: Source[] = [];
  readonly guards: (() => boolean)[] = [];
  /** Why it cannot be replayed; completes "fn ...". */
  reason: string | null = null;
  /** Whether no other call will fare better. */
  isFinal = false;
  /** Nodes made before the call have smaller ids. */
  readonly firstNodeId = nextNodeId();
  private readonly constants: { readonly name: string; readonly value: number | string }[] = [];
  private readonly sourceOf = new Map<Node, number>();
  private readonly resultOf = new Map<Node, { readonly program: number; readonly output: number }>();
  private readonly settled = new Set<object>();
  private free = new Snapshot("free");

  constructor(
    /** Whose calls count. */
    private readonly engine: object,
    /** Leaves that stand for the arguments. */
    private readonly argumentOf: ReadonlyMap<Node, number>,
  ) {}

  refuse(reason: string): void {
    this.reason ??= reason;
  }

  /** A value that the host asks for: a replay would not know what becomes of it. */
  read(): void {
    this.refuse("reads values on the way: return what is to be read, and read it after the call");
    this.isFinal = true;
  }

  /** Looks whether what replays read anew was changed by something that they do not repeat. */
  beforeAction(): void {
    const changed = this.free.changed();
    if (changed !== null) {
      this.refuse(`sets options of ${changed} itself: set them outside, or step a schedule`);
      this.free = new Snapshot("free");
    }
  }

  action(run: () => void): void {
    this.tape.push({ kind: "action", run });
    if (this.free.changed() !== null) this.free = new Snapshot("free");
  }

  source(node: Node, source: Source): void {
    const index = this.sources.push(source) - 1;
    this.sourceOf.set(node, index);
    this.tape.push({ kind: "source", index });
  }

  guard(holds: () => boolean): void {
    this.guards.push(holds);
  }

  /** As `guard`, of something that the call itself may have settled already. */
  guardFirst(thing: object, holds: () => boolean): void {
    if (this.settled.has(thing)) return;
    this.settled.add(thing);
    this.guards.push(holds);
  }

  /** The call has set something: what it was before does not matter from now on. */
  settle(thing: object): void {
    this.settled.add(thing);
  }

  constant(name: string, value: number | string): void {
    this.constants.push({ name, value });
  }

  assigned(engine: object, variable: Variable, isRows: boolean): void {
    this.checkEngine(engine);
    this.tape.push({ kind: "assign", variable, isRows });
  }

  forgotten(engine: object, variable: Variable, count: number): void {
    this.checkEngine(engine);
    this.tape.push({ kind: "forget", variable, count });
  }

  /** A program that is about to run. @param pending effects among which its own are */
  program(engine: object, program: Program, pending: readonly Effect[]): void {
    this.checkEngine(engine);
    if (program.outputs.some(({ want }) => want === "read")) this.read();
    const index = this.programs.length;
    const nodes = nodesOf(taskOf(program));
    const updates = updateOperands(program.effects);
    const made = new Set(
      program.effects.flatMap((effect) => (effect.kind === "assign" ? [effect] : effect.writes)).map(versionOf),
    );
    const originOf = (leaf: Node): LeafOrigin => {
      const argument = this.argumentOf.get(leaf);
      if (argument !== undefined) return { kind: "argument", index: argument };
      const source = this.sourceOf.get(leaf);
      if (source !== undefined) return { kind: "source", index: source };
      const result = this.resultOf.get(leaf);
      if (result) return { kind: "result", ...result };
      const variable = leaf.variable as Variable | null;
      if (variable)
        return { kind: "state", variable, isMade: made.has(versionOf({ variable, version: leaf.version })) };
      return updates.get(leaf) ?? { kind: "constant", node: leaf };
    };
    this.programs.push({
      key: planKey(taskOf(program), nodes),
      leaves: leavesOf(nodes).map(originOf),
      effects: program.effects.map((effect) => ({ place: pending.indexOf(effect), shown: effectIdentity(effect) })),
      outputs: program.outputs,
      shown: nodes.map(showNode),
      users: usersOf(nodes),
    });
    program.outputs.forEach(({ node }, output) => this.resultOf.set(node, { program: index, output }));
    this.tape.push({ kind: "program", index });
  }

  /** Which output of which program a node is; null for none. */
  resultAt(node: Node): { readonly program: number; readonly output: number } | null {
    return this.resultOf.get(node) ?? null;
  }

  argumentAt(node: Node): number | null {
    return this.argumentOf.get(node) ?? null;
  }

  private checkEngine(engine: object): void {
    if (engine !== this.engine) this.refuse("works on two devices");
  }

  /**
   * How what this call did differs from another; null where it does not.
   *
   * @throws CompileError if all that differs are numbers or tensors that a replay would take for constants
   */
  differenceFrom(before: Recording): string | null {
    return (
      firstDifference(this.programs, before.programs, programDifference) ??
      firstDifference(this.tape, before.tape, entryDifference) ??
      this.constantDifference(before)
    );
  }

  private constantDifference(before: Recording): string | null {
    this.constants.forEach(({ name, value }, index) => {
      const other = before.constants[index];
      if (other?.name === name && !Object.is(other.value, value)) throw bakedError(name, other.value, value);
    });
    this.programs.forEach((program, index) => {
      checkConstants(program, before.programs[index]!);
    });
    return null;
  }
}

const versionOf = ({ variable, version }: { readonly variable: Variable; readonly version: number }): string =>
  `${variable.id}@${version}`;

/** Tables of updates, by node. */
function updateOperands(effects: readonly Effect[]): Map<Node, LeafOrigin> {
  const found = new Map<Node, LeafOrigin>();
  effects.forEach((each, effect) => {
    if (each.kind === "update")
      each.node.inputs.forEach((node, input) => found.set(node, { kind: "update", effect, input }));
  });
  return found;
}

function showNode({ op, attrs, shape, dtype }: Node): string {
  const { shape: _shape, dtype: _dtype, ...others } = attrs;
  const shown = `${op.name} ${dtype}${showShape(shape)}`;
  return Object.keys(others).length > 0 ? `${shown} ${JSON.stringify(others)}` : shown;
}

function firstDifference<T>(
  now: readonly T[],
  before: readonly T[],
  differ: (now: T, before: T) => string | null,
): string | null {
  if (now.length !== before.length) return `does another number of things, ${before.length} and then ${now.length}`;
  for (let i = 0; i < now.length; i++) {
    const difference = differ(now[i]!, before[i]!);
    if (difference !== null) return difference;
  }
  return null;
}

function programDifference(now: RecordedProgram, before: RecordedProgram): string | null {
  if (now.key !== before.key) {
    const place = now.shown.findIndex((text, i) => text !== before.shown[i]);
    if (place < 0) return "computes other values";
    return `computes other values: ${before.shown[place] ?? "nothing more"}, and then ${now.shown[place]}`;
  }
  return (
    firstDifference(now.effects, before.effects, (a, b) => (a.shown === b.shown ? null : "writes other state")) ??
    firstDifference(now.leaves, before.leaves, leafDifference)
  );
}

function leafDifference(now: LeafOrigin, before: LeafOrigin): string | null {
  const { node: _now, ...a } = now as LeafOrigin & { node?: Node };
  const { node: _before, ...b } = before as LeafOrigin & { node?: Node };
  const names = Object.keys(a) as (keyof typeof a)[];
  if (names.every((name) => a[name] === b[name])) return null;
  return a.kind === "state" && b.kind === "state" ? "reads other state" : "takes its values from elsewhere";
}

function entryDifference(now: Entry, before: Entry): string | null {
  const isSame =
    now.kind === before.kind &&
    (now.kind === "action" ||
      Object.entries(now).every(([name, value]) => (before as Record<string, unknown>)[name] === value));
  return isSame ? null : "does other things";
}

/** @throws CompileError for a constant that is another one */
function checkConstants(now: RecordedProgram, before: RecordedProgram): void {
  now.leaves.forEach((leaf, index) => {
    const other = before.leaves[index]!;
    if (leaf.kind !== "constant" || other.kind !== "constant" || leaf.node === other.node) return;
    const user = now.users[index]!;
    const [a, b] = [other.node.hostData, leaf.node.hostData];
    if (!a || !b) throw outsideError(user, leaf.node.shape);
    const place = b.findIndex((value, i) => !Object.is(value, a[i]));
    if (place < 0) return;
    if (leaf.node.op.name === "scalar") throw bakedError(user, a[place]!, b[place]!);
    throw arrayError(user, leaf.node.shape);
  });
}

/** What a user would call an op: broadcasting is a part of the op that it is for. */
const userName = (node: Node, users: ReadonlyMap<Node, string>): string =>
  node.op.name === "expand" ? (users.get(node) ?? node.op.name) : node.op.name;

/** The op that each leaf is an operand of. */
function usersOf(nodes: readonly Node[]): string[] {
  const users = new Map<Node, string>();
  for (const node of nodes.toReversed())
    if (!node.hasValue) for (const input of computedFrom(node)) users.set(input, userName(node, users));
  return leavesOf(nodes).map((leaf) => users.get(leaf) ?? leaf.op.name);
}

const bakedError = (user: string, before: number | string, now: number | string): CompileError =>
  new CompileError(
    `compile: numbers must be the same at every call, got ${before} and then ${now} in ${user}. ` +
      "Pass it as a tensor argument; rates belong to a schedule of the optimizer, counts to a Counter.",
  );

const arrayError = (user: string, shape: Shape): CompileError =>
  new CompileError(
    `compile: tensors made in the function must hold the same values at every call, got others in one of ${showShape(shape)}, an operand of ${user}. Pass it as an argument.`,
  );

const outsideError = (user: string, shape: Shape): CompileError =>
  new CompileError(
    `compile: tensors from outside must be the same at every call, got two of ${showShape(shape)}, an operand of ${user}. Pass it as an argument.`,
  );
