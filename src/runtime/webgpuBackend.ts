/**
 * Runs programs on a GPU: finds or makes the plan, gives its places memory, and hands one list of commands to the queue.
 * Everything that a program of the same structure needs again (plan, pipelines, bind groups, slots) is there the second time.
 */

import { InternalError, OutOfMemoryError, StaleTensorError } from "../errors";
import { bindingsOf } from "../codegen/specialize";
import { allocateHost, byteLengthOf, type DType, type TypedArray } from "../graph/dtype";
import { fromHalfBits, toHalfBits } from "../graph/half";
import type { Node } from "../graph/node";
import { type DeviceStorage } from "../graph/node";
import { sizeOf } from "../graph/shape";
import {
  type AdapterInfo,
  type BufferRange,
  type Command,
  Gpu,
  type GpuMemory,
  type MemoryUse,
  type RequestOptions,
  type StagedBlock,
} from "../gpu/gpu";
import { showBytes } from "../gpu/memory";
import { paddedByteLength } from "../codegen/windows";
import { isUniform, MAX_BINDINGS } from "../schedule/fuse";
import { leavesOf, makePlan, nodesOf, type Place, type PlannedLaunch } from "../schedule/plan";
import type { Task } from "../schedule/task";
import { Arena } from "./arena";
import { CompiledPlan } from "./compiledPlan";
import { planKey } from "./planKey";
import { type Backend, type Program, taskOf, writesOf } from "./program";
import { ScalarRing, ScalarStorage } from "./scalarRing";
import { SlotPool } from "./slotPool";
import { Variable } from "./variable";

export interface WebGpuOptions extends RequestOptions {
  /** A GPUDevice to share; by default one is requested. */
  readonly gpuDevice?: unknown;
}

/** Host data that is used this often stays on the device. */
const UPLOADS_BEFORE_RESIDENT = 3;
const MAX_PLANS = 256;

/** Memory on the GPU that a node or variable owns. */
class GpuStorage implements DeviceStorage {
  constructor(
    readonly memory: GpuMemory,
    /** Number of the submit that computed it; 0 for what came from the host. */
    readonly writtenIn = 0,
  ) {}
  get byteLength(): number {
    return this.memory.byteLength;
  }
}

export async function createWebGpuBackend({ gpuDevice, ...options }: WebGpuOptions = {}): Promise<WebGpuBackend> {
  if (gpuDevice) return new WebGpuBackend(Gpu.fromDevice(gpuDevice as Parameters<typeof Gpu.fromDevice>[0]));
  return new WebGpuBackend(await Gpu.request(options));
}

export class WebGpuBackend implements Backend {
  readonly kind = "webgpu";
  private readonly plans = new Map<string, CompiledPlan>();
  private readonly slots: SlotPool;
  private readonly scalars: ScalarRing;
  private readonly uploads = new WeakMap<Node, number>();
  /** Frees what a collected node, variable or arena held: the safety net below `dispose`, and all there is for state. */
  private readonly collected = new FinalizationRegistry<GpuStorage>((storage) => {
    this.release(storage);
  });
  private plansMade = 0;
  private latest: readonly PlannedLaunch[] = [];

  constructor(readonly gpu: Gpu) {
    this.slots = new SlotPool(gpu);
    this.scalars = new ScalarRing(gpu);
  }

  adapterInfo(): AdapterInfo {
    return this.gpu.info;
  }

  get hasF16(): boolean {
    return this.gpu.limits.hasF16;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.gpu.counters, plansMade: this.plansMade };
  }

  get liveByteLength(): number {
    return this.gpu.heldByteLength;
  }

  memory(): MemoryUse {
    return this.gpu.memoryUse();
  }

  resetPeakMemory(): void {
    this.gpu.resetPeakMemory();
  }

  get isLost(): boolean {
    return this.gpu.isLost;
  }

  destroy(): void {
    this.gpu.destroy();
  }

  run(program: Program): Promise<TypedArray[]> {
    const task = taskOf(program);
    const nodes = nodesOf(task);
    const leaves = leavesOf(nodes);
    this.checkComputed(program, leaves);
    return this.execute(program, this.planFor(task, nodes), leaves);
  }

  hasPlan(key: string): boolean {
    return this.plans.has(key);
  }

  rerun(key: string, program: Program, leaves: readonly Node[]): void {
    this.checkComputed(program, leaves);
    const compiled = this.plans.get(key)!;
    this.touch(key, compiled);
    void this.execute(program, compiled, leaves);
  }

  private execute(program: Program, compiled: CompiledPlan, leaves: readonly Node[]): Promise<TypedArray[]> {
    const { plan } = compiled;
    const slotMemory = this.slots.take([...plan.slots, ...this.uploadSizes(leaves, compiled)]);
    const uploaded = this.uploadLeaves(leaves, compiled, slotMemory.slice(plan.slots.length));
    const made = this.allocateOutputs(program);
    const rangeOf = (place: Place, byteLength: number): BufferRange => {
      switch (place.kind) {
        case "slot":
          return { buffer: slotMemory[place.index]!, byteOffset: 0, byteLength };
        case "leaf":
          return uploaded.get(place.index) ?? this.leafRange(leaves[place.index]!, byteLength);
        case "effect": {
          const effect = program.effects[place.index]!;
          return this.variableRange(
            effect.kind === "assign" ? effect.variable : (effect.node.inputs[0]!.variable as Variable),
            null,
          );
        }
        case "output":
          return { buffer: made[place.index]!, byteOffset: 0, byteLength };
      }
    };
    compiled.writeParams(leaves);
    const commands: Command[] = [...compiled.commands(leaves, rangeOf)];
    const scalars = this.copyScalars(program, plan.outputs, leaves, { rangeOf, commands });
    try {
      const result = this.submit(program, plan.outputs, rangeOf, commands, scalars);
      this.noteWritten(program, made, scalars);
      return result;
    } catch (error) {
      this.freeAll(made);
      throw error;
    }
  }

  /** Gives nodes what is on its way to them, and notes which submit wrote what. */
  private noteWritten(
    { effects, outputs }: Program,
    made: readonly (GpuMemory | null)[],
    scalars: readonly (ScalarStorage | null)[],
  ): void {
    const { submitCount } = this.gpu;
    outputs.forEach(({ node, want }, index) => {
      if (want === "resident") this.own(node, made[index]!, submitCount);
      if (scalars[index]) node.storage = scalars[index];
    });
    for (const effect of effects) for (const { variable } of writesOf(effect)) variable.writtenIn = submitCount;
  }

  /**
   * What a submit computed may turn out, later, never to have been computed. Reading it or building on it throws what went
   * wrong; writing it anew makes it good.
   */
  private checkComputed({ effects }: Program, leaves: readonly Node[]): void {
    if (this.gpu.faultCount === 0) return;
    // versions that are still to be made need no check
    const checkVariable = (variable: Variable, version: number): void => {
      if (version <= variable.realizedVersion) this.checkWritten(variable);
    };
    for (const leaf of leaves) {
      const { variable, storage } = leaf;
      if (variable instanceof Variable && !(variable instanceof Arena)) checkVariable(variable, leaf.version);
      else if (storage instanceof ScalarStorage) this.checkWritten(storage);
      else if (storage instanceof GpuStorage) {
        if (storage.memory.fault && leaf.hostData)
          this.free(leaf); // it goes up again
        else this.checkWritten(storage);
      }
    }
    for (const effect of effects) {
      if (effect.kind === "update") for (const { variable, version } of effect.reads) checkVariable(variable, version);
      else if (effect.start) checkVariable(effect.variable, effect.previous);
    }
  }

  private checkWritten({ writtenIn }: { readonly writtenIn: number }): void {
    const fault = this.gpu.faultOf(writtenIn);
    if (fault) throw fault;
  }

  /** Memory for resident outputs: for all of them, or for none where there is no room. */
  private allocateOutputs({ outputs }: Program): (GpuMemory | null)[] {
    const made: (GpuMemory | null)[] = [];
    try {
      for (const { node, want } of outputs) {
        const needsMemory = want === "resident" && sizeOf(node.shape) > 0;
        made.push(needsMemory ? this.gpu.allocate(paddedByteLength(node), "tensor") : null);
      }
    } catch (error) {
      this.freeAll(made);
      throw error;
    }
    return made;
  }

  private freeAll(made: readonly (GpuMemory | null)[]): void {
    if (!this.gpu.isLost) for (const memory of made) if (memory) this.gpu.free(memory);
  }

  /** The launches that a program would be, for people; nothing runs. */
  launchesOf(program: Program): readonly PlannedLaunch[] {
    return makePlan(taskOf(program), this.gpu.limits).launches;
  }

  /** The launches of the program that runs or ran last, for people. */
  get latestLaunches(): readonly PlannedLaunch[] {
    return this.latest;
  }

  /** Copies wanted scalars into the ring, where they are not there yet; gives where each of the outputs lies there. */
  private copyScalars(
    { outputs }: Program,
    places: readonly (Place | null)[],
    leaves: readonly Node[],
    { rangeOf, commands }: { rangeOf: RangeOf; commands: Command[] },
  ): (ScalarStorage | null)[] {
    return outputs.map(({ want }, index) => {
      const place = places[index];
      if (want !== "scalar" || !place) return null;
      const known = place.kind === "leaf" ? leaves[place.index]!.storage : null;
      if (known instanceof ScalarStorage) return known; // an alias of an earlier step's scalar
      const storage = this.scalars.take();
      commands.push({ kind: "copy", from: rangeOf(place, 4), to: storage.range(4) });
      return storage;
    });
  }

  /** Throws where nothing could be submitted; what goes wrong later rejects. */
  private submit(
    { outputs }: Program,
    places: readonly (Place | null)[],
    rangeOf: RangeOf,
    commands: readonly Command[],
    scalars: readonly (ScalarStorage | null)[],
  ): Promise<TypedArray[]> {
    const reads = outputs.flatMap(({ node, want }, index) =>
      want === "read" ? [{ node, place: places[index]! }] : [],
    );
    if (reads.length > 0) return this.submitAndRead(reads, rangeOf, commands);
    const stage = scalars.filter((storage) => storage !== null && storage.staged === null) as ScalarStorage[];
    if (stage.length > 0) {
      const block: StagedBlock = this.gpu.submit(commands, { stage: stage.map((storage) => storage.range(4)) });
      stage.forEach((storage, index) => {
        storage.staged = { block, byteOffset: block.offsets[index]! };
      });
    } else if (commands.length > 0) this.gpu.submit(commands);
    return Promise.resolve([]);
  }

  private submitAndRead(
    reads: readonly { readonly node: Node; readonly place: Place | null }[],
    rangeOf: RangeOf,
    commands: readonly Command[],
  ): Promise<TypedArray[]> {
    // values whose copy is already on its way to the host need no submit
    const waiting = reads.map(({ node }) => (node.storage instanceof ScalarStorage ? node.storage.readStaged() : null));
    for (const read of waiting) read?.catch(() => undefined); // should what follows throw, nobody waits for them
    const ranges = reads.flatMap(({ node, place }, index) =>
      waiting[index] ? [] : [place ? rangeOf(place, readLength(node)) : { ...this.scalars.place, byteLength: 0 }],
    );
    const isIdle = commands.length === 0 && ranges.length === 0;
    const copies = isIdle ? Promise.resolve([]) : this.gpu.submitForRead(commands, ranges);
    return Promise.all([copies, ...waiting]).then(([bytes, ...staged]) =>
      reads.map(({ node }, index) => fromBytes(staged[index] ?? bytes.shift()!, node.dtype, sizeOf(node.shape))),
    );
  }

  private planFor(task: Task, nodes: readonly Node[]): CompiledPlan {
    const key = planKey(task, nodes);
    let compiled = this.plans.get(key);
    if (!compiled) {
      const plan = makePlan(task, this.gpu.limits);
      this.checkSizes(plan.launches);
      compiled = new CompiledPlan(this.gpu, plan);
      this.plansMade++;
      if (this.plans.size >= MAX_PLANS) this.evictPlan();
    }
    this.touch(key, compiled);
    return compiled;
  }

  /** Most recently used last. */
  private touch(key: string, compiled: CompiledPlan): void {
    this.plans.delete(key);
    this.plans.set(key, compiled);
    this.latest = compiled.plan.launches;
  }

  /**
   * A buffer may be larger than what a kernel can bind of it. Expressions and reductions bind windows of such; kernels of their
   * own, and writes of some rows, need all of it.
   */
  private checkSizes(launches: readonly PlannedLaunch[]): void {
    const most = this.gpu.limits.maxStorageBufferBindingSize;
    for (const { label, wgsl, fused, bindings } of launches) {
      const name = fused.join("+") || label;
      const lengths = bindings.map(({ byteLength }) => byteLength);
      const largest = Math.max(...lengths);
      if (largest > most) throw this.tooLarge(`${name}: a tensor must have at most ${showBytes(most)}`, largest);
      const stored = bindingsOf(wgsl).filter(({ space }) => space.startsWith("storage")); // uniforms have a limit of their own
      if (stored.length > MAX_BINDINGS) {
        const all = lengths.reduce((total, byteLength) => total + byteLength, 0);
        throw this.tooLarge(`${name}: tensors must fit ${MAX_BINDINGS} bindings of ${showBytes(most)}`, all);
      }
    }
  }

  private tooLarge(what: string, asked: number): OutOfMemoryError {
    return new OutOfMemoryError(
      `${what} on this GPU, got ${showBytes(asked)} with ${showBytes(this.liveByteLength)} held. ` +
        "Use a smaller batch, or slices, which may be taken of any tensor.",
      asked,
      this.liveByteLength,
    );
  }

  /** Forgets all plans: for when kernels are chosen otherwise from now on. Replays find out, and record anew. */
  forgetPlans(): void {
    while (this.plans.size > 0) this.evictPlan();
  }

  private evictPlan(): void {
    const [key, plan] = this.plans.entries().next().value!;
    this.plans.delete(key);
    plan.destroy();
    this.slots.trim([...this.plans.values()].map((kept) => kept.plan.slots));
  }

  private uploadSizes(leaves: readonly Node[], compiled: CompiledPlan): number[] {
    const sizes: number[] = [];
    leaves.forEach((leaf, index) => {
      if (compiled.bindsLeaf(index) && needsUpload(leaf) && !this.makeResident(leaf))
        sizes.push(paddedByteLength(leaf));
    });
    return sizes;
  }

  private uploadLeaves(
    leaves: readonly Node[],
    compiled: CompiledPlan,
    memory: readonly GpuMemory[],
  ): Map<number, BufferRange> {
    const ranges = new Map<number, BufferRange>();
    leaves.forEach((leaf, index) => {
      if (!compiled.bindsLeaf(index) || !needsUpload(leaf)) return;
      const range = { buffer: memory[ranges.size]!, byteOffset: 0, byteLength: paddedByteLength(leaf) };
      this.gpu.write(range, toBytes(leaf));
      ranges.set(index, range);
    });
    return ranges;
  }

  /** Keeps host data that is used again and again on the device. */
  private makeResident(leaf: Node): boolean {
    const uploads = (this.uploads.get(leaf) ?? 0) + 1;
    this.uploads.set(leaf, uploads);
    if (uploads < UPLOADS_BEFORE_RESIDENT || isUniform(leaf)) return false;
    this.upload(leaf);
    return leaf.storage !== null; // an empty tensor has none
  }

  upload(node: Node): void {
    if (node.storage || node.hostData === null || sizeOf(node.shape) === 0) return;
    const memory = this.gpu.allocate(paddedByteLength(node), "data");
    this.gpu.write({ buffer: memory, byteOffset: 0, byteLength: paddedByteLength(node) }, toBytes(node));
    this.own(node, memory);
  }

  private own(node: Node, memory: GpuMemory | null, writtenIn = 0): void {
    if (!memory) {
      node.hostData = allocateHost(node.dtype, 0);
      return;
    }
    const storage = new GpuStorage(memory, writtenIn);
    node.storage = storage;
    this.collected.register(node, storage, storage);
  }

  free(holder: { storage: DeviceStorage | null }): void {
    const { storage } = holder;
    holder.storage = null;
    if (storage instanceof GpuStorage) this.release(storage);
  }

  private release(storage: GpuStorage): void {
    this.collected.unregister(storage);
    if (!this.gpu.isLost) this.gpu.free(storage.memory);
  }

  allocate(variable: Variable): void {
    const owner = variable.home?.arena ?? variable;
    if (owner.storage instanceof GpuStorage && owner.storage.memory.fault) this.free(owner); // there was no room for it
    if (owner.storage) return;
    const storage = this.zeroed(paddedByteLength(owner), owner.name || "state");
    owner.storage = storage;
    this.collected.register(owner, storage, storage);
  }

  private zeroed(byteLength: number, label: string): GpuStorage {
    const memory = this.gpu.allocate(byteLength, label);
    this.gpu.write({ buffer: memory, byteOffset: 0, byteLength }, new Uint8Array(byteLength));
    return new GpuStorage(memory);
  }

  adopt(arena: Arena): void {
    this.allocate(arena);
    const commands: Command[] = [];
    const old: Variable[] = [];
    const isThere = (variable: Variable): boolean => Boolean(variable.storage ?? variable.home?.arena.storage);
    for (const variable of arena.members) if (isThere(variable)) this.checkWritten(variable); // all, before any moves
    arena.members.forEach((variable, index) => {
      const offset = arena.layout.offsets[index]!;
      const range = this.variableRange(arena, { offset, byteLength: paddedByteLength(variable) });
      if (isThere(variable)) {
        variable.writtenIn = this.gpu.submitCount + 1;
        commands.push({ kind: "copy", from: this.variableRange(variable, null), to: range });
        if (variable.storage) old.push(variable);
      }
      variable.home = { arena, offset };
    });
    if (commands.length > 0) this.gpu.submit(commands);
    for (const variable of old) this.free(variable);
  }

  private variableRange(variable: Variable, part: { offset: number; byteLength: number } | null): BufferRange {
    const owner = variable.home?.arena ?? variable;
    const storage = owner.storage as GpuStorage;
    const offset = part?.offset ?? variable.home?.offset ?? 0;
    return {
      buffer: storage.memory,
      byteOffset: 4 * offset,
      byteLength: part?.byteLength ?? paddedByteLength(variable),
    };
  }

  private leafRange(leaf: Node, byteLength: number): BufferRange {
    if (leaf.variable instanceof Variable) return { ...this.variableRange(leaf.variable, null), byteLength };
    if (leaf.storage instanceof ScalarStorage) return leaf.storage.range(byteLength);
    if (leaf.storage instanceof GpuStorage) return { buffer: leaf.storage.memory, byteOffset: 0, byteLength };
    throw new StaleTensorError(
      `${leaf.op.name}: a tensor in use must not be disposed of, got a disposed one. Dispose of it later.`,
    );
  }
}

type RangeOf = (place: Place, byteLength: number) => BufferRange;

const needsUpload = (leaf: Node): boolean => leaf.variable === null && leaf.storage === null && leaf.hostData !== null;

/** Bytes to copy for a read: whole words. */
const readLength = ({ dtype, shape }: Node): number => Math.ceil(byteLengthOf(dtype, sizeOf(shape)) / 4) * 4;

/** Host data as a buffer holds it: bool takes a word an element, f16 half of one. */
function toBytes({ hostData, dtype }: Node): ArrayBufferView {
  if (dtype === "bool") return new Uint32Array(hostData!);
  if (dtype === "f16") return toHalfBits(hostData!);
  return hostData instanceof Float64Array ? Float32Array.from(hostData) : hostData!;
}

function fromBytes(bytes: ArrayBuffer, dtype: DType, count: number): TypedArray {
  switch (dtype) {
    case "f32":
      return new Float32Array(bytes, 0, count);
    case "f16":
      return fromHalfBits(new Uint16Array(bytes, 0, count));
    case "i32":
      return new Int32Array(bytes, 0, count);
    case "u32":
      return new Uint32Array(bytes, 0, count);
    case "u8":
      return new Uint8Array(bytes, 0, count);
    case "bool":
      return new Uint8Array(new Uint32Array(bytes, 0, count));
    case "f64":
      throw new InternalError("webgpu: f64 must never be on a GPU, got a tensor of it. Please report it.");
  }
}
