/**
 * The engine of one device: remembers what is pending (writes to state, scalars that somebody may read) and decides
 * when it runs. Takes nodes and variables, gives programs to the backend. Knows neither tensors nor GPUs.
 */

import { DeviceLostError, InternalError, StaleTensorError } from "../errors";
import type { DType, TypedArray } from "../graph/dtype";
import type { Node, VariableRef } from "../graph/node";
import { type Shape, showShape } from "../graph/shape";
import { isTracing } from "../graph/origin";
import { topologicalOrder } from "../graph/walk";
import { checkValues, valuesToCheck } from "./anomaly";
import { Arena } from "./arena";
import { IndexChecks } from "./indexChecks";
import { neededFor } from "./needed";
import {
  type Backend,
  type Effect,
  type Output,
  type Program,
  rootsOf,
  type UpdateEffect,
  type Versioned,
  writesOf,
} from "./program";
import { recording, recordingAround } from "./recorder";
import { type RecordedProgram, updateIdentity } from "./recording";
import { fuseUpdates } from "./update";
import { Variable } from "./variable";

/** Scalars that wait for the end of a step; older ones stay lazy. */
const MAX_PENDING_SCALARS = 1024;

/** Writes that may wait for somebody to need them; beyond, all run, so that a loop without steps holds no more than this. */
const MAX_PENDING_EFFECTS = 1024;

/** Engines that worked while somebody looked for anomalies. */
const seen = new Set<Engine>();

export const enginesSeen = (): readonly Engine[] => [...seen];

/** A program that runs: the values that are read, and what looking at the others finds, which rejects at an anomaly. */
interface Run {
  readonly values: Promise<TypedArray[]>;
  readonly found: Promise<unknown>;
}

const unchecked = (values: Promise<TypedArray[]>): Run => ({ values, found: Promise.resolve() });

export class Engine {
  private pending: Effect[] = [];
  private readonly scalars = new Set<Node>();
  private readonly kept = new Set<Node>();
  private readonly dropped: (Node | Variable)[] = [];
  /** Values on their way to the host. */
  private readonly reading = new Map<Node, Promise<TypedArray>>();

  /** What looking for anomalies or at indices has found in programs without reads: rejects at the first. */
  private findings: Promise<unknown> | null = null;

  constructor(
    readonly backend: Backend,
    /** Whether programs also look whether their indices are in range; the next read throws what is found. */
    private readonly debug = false,
  ) {}

  /** State that starts as `initial`. */
  createVariable(name: string, initial: Node): Variable {
    const variable = new Variable(name, initial.shape, initial.dtype);
    this.assign(variable, initial);
    return variable;
  }

  /** State that starts as zeros. Runs nothing: fresh memory is zeroed. */
  createZeros(name: string, shape: Shape, dtype: DType = "f32"): Variable {
    const variable = new Variable(name, shape, dtype);
    variable.realizedVersion = variable.nextVersion();
    return variable;
  }

  /** Writes `value` to a variable, or to its rows from `start` on. Runs with the next realize. */
  assign(variable: Variable, value: Node, start: Node | null = null): void {
    if (isTracing()) seen.add(this);
    const { isRead: overwritesRead, version: previous } = variable;
    const version = variable.nextVersion();
    variable.isRead = false;
    this.pending.push({ kind: "assign", variable, version, previous, value, start, overwritesRead });
    if (recording()) recording()!.assigned(this, variable, start !== null);
    else recordingAround()?.refuse("writes state where only the host's may be written");
  }

  /** Adds an arena update; where the one before it can share its dispatch, the two become one. */
  update(effect: UpdateEffect): void {
    recording()?.refuse("updates arenas in a way of its own");
    const last = this.pending.at(-1);
    const fused = last?.kind === "update" ? fuseUpdates(last, effect) : null;
    if (fused) this.pending.pop();
    this.pending.push(fused ?? effect);
  }

  /** Drops the latest pending writes of `variable`, back to one that something has read: `zeroGrad` before a step. */
  forget(variable: Variable): void {
    const gone = new Set<Effect>();
    for (let i = this.pending.length - 1; i >= 0 && !variable.isRead; i--) {
      const effect = this.pending[i]!;
      if (effect.kind === "update") {
        if ([...effect.reads, ...effect.writes].some((each) => each.variable === variable)) break;
        continue;
      }
      if (effect.variable !== variable) continue;
      gone.add(effect);
      variable.version = effect.previous;
      variable.isRead = effect.overwritesRead;
    }
    if (gone.size === 0) return;
    this.pending = this.pending.filter((effect) => !gone.has(effect));
    recording()?.forgotten(this, variable, gone.size);
  }

  /** Moves variables into an arena. */
  adopt(arena: Arena): void {
    this.backend.adopt(arena);
    arena.members.forEach((variable, index) => (variable.home = { arena, offset: arena.layout.offsets[index]! }));
  }

  /** A rank-0 value that the end of the step will realize. */
  noteScalar(node: Node): void {
    if (isTracing()) seen.add(this);
    this.scalars.add(node);
    if (this.scalars.size > MAX_PENDING_SCALARS) this.scalars.delete(this.scalars.values().next().value!);
  }

  /** A value that the end of the step will realize and hold. */
  keep(node: Node): void {
    if (isTracing()) seen.add(this);
    if (!node.hasValue) this.kept.add(node);
  }

  /**
   * The end of a training step: one submit that runs all pending writes and gives pending scalars and kept tensors
   * their values. What the caller pushes next (the optimizer's update) starts the next step.
   */
  endStep(): void {
    const outputs: Output[] = [];
    for (const node of this.scalars)
      if (!node.hasValue && !this.staleLeaf([node])) outputs.push({ node, want: "scalar" });
    for (const node of this.kept) if (!node.hasValue) outputs.push({ node, want: "resident" });
    this.scalars.clear();
    this.kept.clear();
    void this.run(outputs);
    for (const { node } of outputs) node.release();
  }

  /**
   * Frees what a node holds, once the pending writes that may read it have run. Values that depend on it and were not
   * computed by then are lost: reading them throws.
   */
  drop(node: Node): void {
    this.scalars.delete(node);
    this.kept.delete(node);
    if (node.storage) this.dropped.push(node);
    if (this.pending.length === 0) this.freeDropped();
  }

  /** The same for state, which nobody may use any more. What lies in an arena stays: it is not the state's own. */
  dropState(variable: Variable): void {
    if (variable.storage) this.dropped.push(variable);
    if (this.pending.length === 0) this.freeDropped();
  }

  private freeDropped(): void {
    for (const holder of this.dropped.splice(0)) if (holder.storage) this.backend.free(holder);
  }

  /** Computes values and leaves them on the device. */
  realize(nodes: readonly Node[]): void {
    const missing = [...new Set(nodes.filter((node) => !node.hasValue))];
    const outputs = missing.map((node): Output => ({ node, want: "resident" }));
    const behind = nodes.filter(isBehind);
    if (outputs.length > 0 || behind.length > 0) void this.run(outputs, this.neededFor([...nodes]));
    for (const node of nodes) {
      if (node.hostData && !node.storage) this.backend.upload(node);
      this.settle(node);
    }
  }

  /** Brings values to the host. One that is on its way already is waited for: what it was computed from may be gone. */
  async read(nodes: readonly Node[]): Promise<TypedArray[]> {
    recordingAround()?.read();
    const missing = [...new Set(nodes.filter((node) => node.hostData === null && !this.reading.has(node)))];
    if (missing.length > 0) {
      const { values, found } = this.readMissing(missing);
      const checked = Promise.all([values, found]);
      missing.forEach((node, index) => {
        const value = checked.then(([list]) => list[index]!);
        this.reading.set(node, value);
      });
      const done = (): void => missing.forEach((node) => this.reading.delete(node));
      checked.then(done, done);
    }
    const values = Promise.all(nodes.map(async (node) => this.reading.get(node) ?? node.hostData!));
    if (this.findings) {
      values.catch(() => undefined); // what was found before comes first
      await this.takeFindings();
    }
    return values;
  }

  /** Throws what was found in programs without reads since the last time; so do all reads that begin before that. */
  private async takeFindings(): Promise<void> {
    const { findings } = this;
    try {
      await findings;
    } finally {
      if (this.findings === findings) this.findings = null;
    }
  }

  /** Reads what waits to be computed, to look for anomalies in it; nothing else runs than for any read. */
  async readPending(): Promise<void> {
    const values = this.pending.flatMap((effect) => (effect.kind === "assign" ? [effect.value] : []));
    const nodes = new Set([...values, ...this.scalars, ...this.kept]);
    await this.read([...nodes].filter((node) => !this.staleLeaf([node])));
  }

  /** Anomalies that nobody has asked for are none any more. */
  forgetAnomaly(): void {
    this.findings = null;
    seen.delete(this);
  }

  private readMissing(missing: readonly Node[]): Run {
    const mustRun = missing.some((node) => !node.hasValue || isBehind(node));
    const stale = this.staleLeaf(missing);
    if (stale) throw staleError(stale);
    const outputs = missing.map((node): Output => ({ node, want: "read" }));
    const run = mustRun
      ? this.run(outputs, this.neededFor(missing))
      : unchecked(this.backend.run({ effects: [], outputs }));
    const values = run.values.then((list) => {
      missing.forEach((node, index) => {
        if (node.variable) return;
        node.hostData = list[index]!;
        this.settle(node);
      });
      return list;
    });
    return { values, found: run.found };
  }

  /** Runs all pending writes, so that memory holds the latest version of everything. */
  flush(): void {
    if (this.pending.length > 0) void this.run([]);
  }

  /** What reading `nodes` now would run; nothing runs. */
  programFor(nodes: readonly Node[]): Program {
    return { effects: this.neededFor(nodes), outputs: nodes.map((node): Output => ({ node, want: "read" })) };
  }

  // --- calls that are recorded and replayed ----------------------------------------------------------------------------

  /** Whether it looks at what programs compute, which replays would not show it. */
  get isDebugged(): boolean {
    return this.debug || isTracing();
  }

  /**
   * Brings what is pending before a call into one of few forms, so that calls are alike: nothing, or updates of arenas. What
   * else waits runs now, as it would with the call's step.
   */
  beginCall(): void {
    const scalars = new Set([...this.scalars].filter((node) => !node.hasValue && !this.staleLeaf([node])));
    const waiting = [...scalars, ...[...this.kept].filter((node) => !node.hasValue)];
    this.scalars.clear();
    this.kept.clear();
    if (this.pending.some(({ kind }) => kind === "assign")) this.compute(waiting, scalars, this.pending);
    else if (waiting.length > 0) this.compute(waiting, scalars, this.neededFor(waiting));
  }

  /** The end of a call: what it returns is computed, and all that is pending has run, except updates of arenas. */
  endCall(results: readonly Node[]): void {
    const missing = results.filter((node) => !node.hasValue);
    const scalars = new Set(missing.filter(({ shape }) => shape.length === 0));
    if (this.pending.some(({ kind }) => kind === "assign")) this.compute(missing, scalars, this.pending);
    else if (missing.length > 0) this.compute(missing, scalars, this.neededFor(missing));
    for (const node of results) node.release();
  }

  private compute(nodes: readonly Node[], scalars: ReadonlySet<Node>, effects: readonly Effect[]): void {
    const outputs = [...new Set(nodes)].map((node): Output => ({
      node,
      want: scalars.has(node) ? "scalar" : "resident",
    }));
    void this.run(outputs, effects);
    for (const { node } of outputs) node.release();
  }

  /** Drops scalars and kept values of a call that is over: nodes from `firstNodeId` on. */
  forgetCall(firstNodeId: number): void {
    for (const nodes of [this.scalars, this.kept])
      for (const node of nodes) if (node.id >= firstNodeId) nodes.delete(node);
  }

  /** What is pending, as calls tell it apart: updates of arenas, once a call has begun. */
  get pendingIdentity(): string {
    return this.pending.map((effect) => (effect.kind === "update" ? updateIdentity(effect) : "assign")).join(";");
  }

  /** Whether a pending update has a node as an operand. */
  isAwaited(node: Node): boolean {
    return this.pending.some((effect) => effect.kind === "update" && effect.node.inputs.includes(node));
  }

  /** An operand of a pending update. */
  pendingOperand(place: number, input: number): Node {
    return (this.pending[place] as UpdateEffect).node.inputs[input]!;
  }

  /** Drops the last pending writes of a variable, so many of them. */
  forgetLast(variable: Variable, count: number): void {
    for (let i = this.pending.length - 1, left = count; left > 0; i--) {
      const effect = this.pending[i]!;
      if (effect.kind !== "assign" || effect.variable !== variable) continue;
      variable.version = effect.previous;
      this.pending.splice(i, 1);
      left--;
    }
  }

  /** Whether its backend can run programs again. */
  get canReplay(): boolean {
    return this.backend.rerun !== undefined;
  }

  /** Whether a recorded program can run again. */
  canRerun({ key }: Pick<RecordedProgram, "key">): boolean {
    return this.backend.hasPlan?.(key) ?? false;
  }

  /**
   * Runs a recorded program on the effects that are pending now, whose graphs are not looked at.
   *
   * @param outputs nodes that take the values, and what is wanted of them
   */
  rerun(program: Pick<RecordedProgram, "key" | "effects">, leaves: readonly Node[], outputs: readonly Output[]): void {
    const effects = program.effects.map(({ place, shown }) => {
      const effect = this.pending[place];
      if (effect?.kind === "assign" || (effect && updateIdentity(effect) === shown)) return effect;
      throw new InternalError(`compile: updates must be those that were recorded, got others. Please report it.`);
    });
    for (const effect of effects) for (const { variable } of writesOf(effect)) this.backend.allocate(variable);
    this.backend.rerun!(program.key, { effects, outputs }, leaves);
    for (const effect of effects)
      for (const { variable, version } of writesOf(effect)) variable.realizedVersion = version;
    this.pending = effects.length === this.pending.length ? [] : this.pending.filter((each) => !effects.includes(each));
    if (this.pending.length === 0) this.freeDropped();
  }

  /** Takes back the writes of a replay that failed, whose values nobody can compute any more; updates stay. */
  abandonCall(): void {
    const writes = this.pending.filter(({ kind }) => kind === "assign");
    if (writes.length > 0) this.takeBack(writes);
  }

  private settle(node: Node): void {
    this.scalars.delete(node);
    this.kept.delete(node);
    if (!node.requiresGrad) node.release();
  }

  /** Pending writes to run when `nodes` are read. */
  private neededFor(nodes: readonly Node[]): readonly Effect[] {
    return this.pending.length > MAX_PENDING_EFFECTS ? this.pending : neededFor(nodes, this.pending);
  }

  private run(outputs: readonly Output[], effects: readonly Effect[] = this.pending): Run {
    this.checkFresh(outputs, effects);
    if (effects.length === 0 && outputs.length === 0) return unchecked(Promise.resolve([]));
    try {
      return this.runFresh(outputs, effects);
    } catch (error) {
      for (const { node } of outputs) this.scalars.delete(node); // whoever still wants it asks again
      if (!(error instanceof DeviceLostError)) this.salvage(effects.filter((effect) => this.pending.includes(effect)));
      throw error;
    }
  }

  private runFresh(outputs: readonly Output[], effects: readonly Effect[]): Run {
    // first values run on their own, so that the first step has the same plan as every later one
    const firsts = firstValues(effects);
    const rest = firsts.length > 0 ? effects.filter((effect) => !firsts.includes(effect)) : effects;
    if (firsts.length > 0) {
      void this.runProgram(firsts, []);
      this.pending = this.pending.filter((effect) => !firsts.includes(effect));
    }
    const run = this.runProgram(rest, outputs);
    this.pending = rest.length === this.pending.length ? [] : this.pending.filter((effect) => !rest.includes(effect));
    if (this.pending.length === 0) this.freeDropped();
    return run;
  }

  private runProgram(effects: readonly Effect[], outputs: readonly Output[]): Run {
    if (effects.length === 0 && outputs.length === 0) return unchecked(Promise.resolve([]));
    for (const effect of effects) for (const { variable } of writesOf(effect)) this.backend.allocate(variable);
    if (isTracing()) seen.add(this);
    this.note({ effects, outputs });
    const isChecked = isTracing() || this.debug;
    const run = isChecked ? this.runChecked({ effects, outputs }) : unchecked(this.backend.run({ effects, outputs }));
    for (const effect of effects)
      for (const { variable, version } of writesOf(effect)) variable.realizedVersion = version;
    return run;
  }

  private note(program: Program): void {
    if (recording()) recording()!.program(this, program, this.pending);
    else recordingAround()?.refuse("runs programs where only the host may work");
  }

  /**
   * Runs a program that also brings to the host what is looked at: all values, for NaN; indices. What is found is thrown by the
   * program's reads, or by the next one where it has none.
   */
  private runChecked(program: Program): Run {
    const { effects, outputs } = program;
    const nodes = isTracing() ? valuesToCheck(program) : [];
    const indices = this.debug ? new IndexChecks(program) : null;
    const wantedToo = new Set([...nodes, ...(indices?.nodes ?? [])].filter(({ hostData }) => hostData === null));
    const checks = [...wantedToo].map((node): Output => ({ node, want: "read" }));
    const all = this.backend.run({ effects, outputs: [...outputs, ...checks] });
    const found = all.then((read) => {
      const values = new Map(checks.map(({ node }, i) => [node, read[read.length - checks.length + i]!]));
      const valuesOf = (list: readonly Node[]): TypedArray[] => list.map((node) => node.hostData ?? values.get(node)!);
      indices?.check(valuesOf(indices.nodes));
      checkValues(nodes, valuesOf(nodes));
    });
    if (!outputs.some(({ want }) => want === "read")) this.findings = Promise.all([this.findings, found]);
    const values = all.then((read) => read.slice(0, read.length - checks.length));
    for (const each of [values, found, this.findings]) each?.catch(() => undefined); // whoever reads is told
    return { values, found };
  }

  /**
   * After a run that failed, for lack of room above all: runs the writes up to the first that fails. That one and those after
   * it have not happened, as if the program had stopped there; what was built on them can no longer be read.
   */
  private salvage(effects: readonly Effect[]): void {
    if (effects.length === 0 || this.canRun(effects)) return;
    const half = effects.slice(0, effects.length >> 1);
    const others = effects.slice(half.length);
    if (effects.length > 1 && this.canRun(half)) {
      this.salvage(others);
      return;
    }
    this.salvage(half);
    this.takeBack(others);
  }

  /**
   * Takes out pending writes that cannot run, and those that build on them. Variables stay as they were before, unless a
   * later write replaces them whole.
   */
  private takeBack(effects: readonly Effect[]): void {
    const lost = new LostVersions();
    const gone = new Set<Effect>(effects);
    for (const effect of this.pending) {
      if (!gone.has(effect) && !lost.isReadBy(effect)) continue;
      gone.add(effect);
      lost.add(writesOf(effect));
    }
    this.pending = this.pending.filter((effect) => !gone.has(effect));
    const coming = this.pending.flatMap(writesOf);
    for (const variable of lost.variables) {
      const latest = coming.findLast((write) => write.variable === variable)?.version ?? variable.realizedVersion;
      if (latest > 0) variable.version = latest; // else it never had a value, and has none now
    }
  }

  /** Runs writes, if they can run; whatever is wrong with them, the run that failed has reported it. */
  private canRun(effects: readonly Effect[]): boolean {
    try {
      void this.runFresh([], effects);
      return true;
    } catch (error) {
      if (error instanceof DeviceLostError) throw error;
      return false;
    }
  }

  /** Throws if anything about to run reads state that is gone. Stale writes are taken out first, so that the rest still can run. */
  private checkFresh(outputs: readonly Output[], effects: readonly Effect[]): void {
    const wanted = outputs.map(({ node }) => node);
    if (!this.staleLeaf([...effects.flatMap(rootsOf), ...wanted])) return;
    const outputLeaf = this.staleLeaf(wanted);
    if (outputLeaf) throw staleError(outputLeaf);
    const stale = effects.filter((effect) => this.staleLeaf(rootsOf(effect)));
    const leaf = this.staleLeaf(rootsOf(stale[0]!))!;
    const error = staleError(leaf);
    this.takeBack(stale);
    throw error;
  }

  /** A leaf below `roots` that reads a version which memory no longer holds and no pending write will make. */
  private staleLeaf(roots: readonly Node[]): Node | null {
    const coming = new Map<VariableRef, Set<number>>();
    for (const { variable, version } of this.pending.flatMap(writesOf)) {
      coming.set(variable, (coming.get(variable) ?? new Set()).add(version));
    }
    const isStale = (node: Node): boolean => {
      if (node.released && !node.hasValue) return true;
      if (node.variable === null || node.variable instanceof Arena) return false;
      const realized = realizedVersionOf(node);
      return node.version !== realized && !(node.version > realized && coming.get(node.variable)?.has(node.version));
    };
    return topologicalOrder(roots, (node) => node.hasValue).find(isStale) ?? null;
  }
}

/** Assignments that give a variable its first value, and read nothing that another pending write has yet to make. */
function firstValues(effects: readonly Effect[]): Effect[] {
  const made = new Set<VariableRef>();
  const waits = (leaf: Node): boolean => isBehind(leaf) && !(leaf.version === 1 && made.has(leaf.variable!));
  return effects.filter((effect) => {
    if (effect.kind !== "assign" || effect.version !== 1 || effect.start) return false;
    if (topologicalOrder([effect.value], (node) => node.hasValue).some(waits)) return false;
    made.add(effect.variable);
    return true;
  });
}

/** Versions that no write will make any more. */
class LostVersions {
  private readonly versions = new Map<VariableRef, Set<number>>();

  get variables(): Iterable<Variable> {
    return this.versions.keys() as Iterable<Variable>;
  }

  add(writes: readonly Versioned[]): void {
    for (const { variable, version } of writes)
      this.versions.set(variable, (this.versions.get(variable) ?? new Set()).add(version));
  }

  /** Whether an effect computes from one, or keeps rows of it. */
  isReadBy(effect: Effect): boolean {
    const has = (variable: VariableRef | null, version: number): boolean =>
      variable !== null && this.versions.get(variable)?.has(version) === true;
    const below = topologicalOrder(rootsOf(effect), (node) => node.hasValue);
    if (below.some(({ variable, version }) => has(variable, version))) return true;
    if (effect.kind === "update") return effect.reads.some(({ variable, version }) => has(variable, version));
    return effect.start !== null && has(effect.variable, effect.previous);
  }
}

function realizedVersionOf(leaf: Node): number {
  if (!(leaf.variable instanceof Variable))
    throw new InternalError(`engine: a variable leaf must hold a Variable, got ${leaf.op.name}.`);
  return leaf.variable.realizedVersion;
}

/** Whether a leaf reads a version that a pending write will make. */
const isBehind = (node: Node): boolean => node.variable !== null && node.version > realizedVersionOf(node);

function staleError(leaf: Node): StaleTensorError {
  if (!leaf.variable) {
    return new StaleTensorError(
      `read: the value depends on a tensor of shape ${showShape(leaf.shape)} that was disposed of. Dispose of it later, or compute it again.`,
    );
  }
  return new StaleTensorError(
    `read: the value depends on ${leaf.variable.name || "a variable"} as it was before it was overwritten ` +
      `(version ${leaf.version}, now ${realizedVersionOf(leaf)}). Call keep(tensor) before optimizer.step() to read it afterwards, or compute it again.`,
  );
}
