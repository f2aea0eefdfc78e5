/**
 * The CPU as a device: runs programs with the reference. No array is ever written in place: a write makes a new array,
 * and a leaf that reads a version gets the array of exactly that version, so the order of reads and writes cannot matter.
 */

import { InternalError } from "../errors";
import { allocateHost, type TypedArray } from "../graph/dtype";
import type { DeviceStorage, Node } from "../graph/node";
import type { MemoryUse } from "../gpu/memoryUse";
import { sizeOf } from "../graph/shape";
import { Interpretation, interpret } from "../reference/interpret";
import { Arena } from "./arena";
import {
  type AssignEffect,
  type Backend,
  type Effect,
  type Output,
  type Program,
  rootsOf,
  type UpdateEffect,
  type Versioned,
} from "./program";
import { Variable } from "./variable";

/** A variable's memory. */
class HostStorage implements DeviceStorage {
  constructor(readonly data: TypedArray) {}

  get byteLength(): number {
    return this.data.byteLength;
  }
}

/** What the CPU says where a GPU names its adapter. */
const CPU_INFO = {
  vendor: "",
  architecture: "",
  device: "cpu",
  description: "flywheel's CPU reference",
  isFallback: true,
  isSoftware: true,
  maxStorageBufferBindingSize: Infinity,
  features: [],
  subgroupMinSize: undefined,
  subgroupMaxSize: undefined,
} as const;

/** Effects that one interpretation can run: none but the last writes whole arenas. */
interface Stretch {
  readonly assigns: readonly AssignEffect[];
  readonly update: UpdateEffect | null;
}

export class CpuBackend implements Backend {
  readonly kind = "cpu";
  readonly hasF16 = true;
  private stateByteLength = 0;
  private stateCount = 0;
  private peakByteLength = 0;
  private readonly totals = { programs: 0, bytesRead: 0 };

  /** Bytes of all state. Values of tensors belong to JavaScript's collector. */
  get liveByteLength(): number {
    return this.stateByteLength;
  }

  /** State alone, under one name; nothing is pooled. */
  memory(): MemoryUse {
    const { stateByteLength: byteLength, stateCount: count, peakByteLength } = this;
    const byName = count > 0 ? [{ name: "state", byteLength, count }] : [];
    return { liveByteLength: byteLength, pooledByteLength: 0, peakByteLength, byName };
  }

  resetPeakMemory(): void {
    this.peakByteLength = this.stateByteLength;
  }

  adapterInfo(): typeof CPU_INFO {
    return CPU_INFO;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.totals };
  }

  /** Computes at once: errors are thrown on the line that made it run. */
  run({ effects, outputs }: Program): Promise<TypedArray[]> {
    this.totals.programs++;
    const history = new History();
    const stretches = stretchesOf(effects);
    stretches.forEach(({ assigns, update }, index) => {
      runAssigns(assigns, index === stretches.length - 1 ? outputs : [], history);
      if (update) runUpdate(update, history);
    });
    for (const [variable, data] of history.latest()) this.store(variable, data);
    const read = outputs.filter(({ want }) => want === "read").map(({ node }) => valueOf(node, history));
    this.totals.bytesRead += read.reduce((total, { byteLength }) => total + byteLength, 0);
    return Promise.resolve(read);
  }

  allocate(variable: Variable): void {
    if (!variable.storage) this.store(variable, zerosFor(variable));
  }

  /** Nothing moves: an arena is only put together while an update runs. */
  adopt(_arena: Arena): void {
    // every variable keeps an array of its own
  }

  free(holder: { storage: Node["storage"] }): void {
    if (holder instanceof Variable && holder.storage) {
      this.stateByteLength -= holder.storage.byteLength;
      this.stateCount--;
    }
    holder.storage = null;
  }

  upload(_node: Node): void {
    // host data is where it has to be
  }

  private store(variable: Variable, data: TypedArray): void {
    this.stateByteLength += data.byteLength - (variable.storage?.byteLength ?? 0);
    this.peakByteLength = Math.max(this.peakByteLength, this.stateByteLength);
    if (!variable.storage) this.stateCount++;
    variable.storage = new HostStorage(data);
  }
}

const zerosFor = (variable: Variable): TypedArray => allocateHost(variable.dtype, variable.size);

/** The arrays of all versions that one program reads or makes. */
class History {
  private readonly arrays = new Map<Variable, Map<number, TypedArray>>();
  private readonly made = new Map<Variable, TypedArray>();

  /** The array of a version; the memory's own is there from the start. */
  read({ variable, version }: Versioned): TypedArray {
    const versions = this.versionsOf(variable);
    const data = versions.get(version);
    if (!data) {
      throw new InternalError(
        `cpu: ${variable.name || "a variable"} must be there at version ${version}, got only ${[...versions.keys()].join(", ")}.`,
      );
    }
    return data;
  }

  write({ variable, version }: Versioned, data: TypedArray): void {
    this.versionsOf(variable).set(version, data);
    this.made.set(variable, data);
  }

  /** Variables that were written, with their last arrays. */
  latest(): ReadonlyMap<Variable, TypedArray> {
    return this.made;
  }

  private versionsOf(variable: Variable): Map<number, TypedArray> {
    let versions = this.arrays.get(variable);
    if (!versions) {
      const data = variable.storage instanceof HostStorage ? variable.storage.data : zerosFor(variable);
      this.arrays.set(variable, (versions = new Map([[variable.realizedVersion, data]])));
    }
    return versions;
  }
}

function stretchesOf(effects: readonly Effect[]): Stretch[] {
  const stretches: Stretch[] = [];
  let assigns: AssignEffect[] = [];
  for (const effect of effects) {
    if (effect.kind === "assign") {
      assigns.push(effect);
    } else {
      stretches.push({ assigns, update: effect });
      assigns = [];
    }
  }
  return [...stretches, { assigns, update: null }];
}

/** Assignments in order, then outputs: one interpretation, so that what they share is computed once. */
function runAssigns(assigns: readonly AssignEffect[], outputs: readonly Output[], history: History): void {
  const computed = outputs.map(({ node }) => node).filter((node) => !node.hasValue);
  const interpretation = new Interpretation([...assigns.flatMap(rootsOf), ...computed], {
    leaf: (node) => valueOf(node, history),
  });
  for (const { variable, version, previous, value, start } of assigns) {
    const data = interpretation.valueOf(value);
    if (!start) {
      history.write({ variable, version }, data);
      continue;
    }
    const whole = history.read({ variable, version: previous }).slice();
    const rowSize = sizeOf(variable.shape.slice(1));
    whole.set(data, interpretation.valueOf(start)[0]! * rowSize);
    history.write({ variable, version }, whole);
  }
  const values = computed.map((node) => interpretation.valueOf(node));
  computed.forEach((node, index) => (node.hostData = values[index]!)); // after all: a value makes a node a leaf
}

/** Puts arenas together from their members, updates what the op writes in place, and takes the new arrays out again. */
function runUpdate({ node, reads, writes }: UpdateEffect, history: History): void {
  const before = new Map(reads.map((versioned) => [versioned.variable, versioned]));
  const memory = new Map<Variable, TypedArray>();
  for (const { variable } of node.inputs) {
    if (!(variable instanceof Variable)) continue;
    const whole = allocateHost(variable.dtype, variable.size);
    for (const [member, offset] of partsOf(variable)) whole.set(history.read(before.get(member)!), offset);
    memory.set(variable, whole);
  }
  interpret([node], {
    leaf: (leaf) => (leaf.variable instanceof Variable ? memory.get(leaf.variable)! : valueOf(leaf, history)),
  });
  const after = new Map(writes.map((versioned) => [versioned.variable, versioned]));
  for (const [variable, whole] of memory) {
    for (const [member, offset] of partsOf(variable)) {
      const versioned = after.get(member);
      if (versioned) history.write(versioned, whole.subarray(offset, offset + member.size));
    }
  }
}

/** Variables that lie in the memory of one, and where: an arena's members, or itself. */
const partsOf = (variable: Variable): (readonly [Variable, number])[] =>
  variable instanceof Arena
    ? variable.members.map((member, index) => [member, variable.layout.offsets[index]!] as const)
    : [[variable, 0]];

/** The value of a node that has one. */
function valueOf(node: Node, history: History): TypedArray {
  if (node.variable instanceof Variable) return history.read({ variable: node.variable, version: node.version });
  if (node.hostData) return node.hostData;
  throw new InternalError(`cpu: a leaf must have a value, got ${node.op.name} without one.`);
}
