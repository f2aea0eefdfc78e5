/** A plan with what it needs of one GPU: pipelines, bind groups and the buffer of its parameters. */

import type { BindGroupHandle, Binding, BufferRange, Command, Gpu, GpuMemory, Pipeline } from "../gpu/gpu";
import { ALIGNMENT } from "../codegen/windows";
import type { Node } from "../graph/node";
import type { Place, Plan, PlannedLaunch, PlannedParam, PlannedValue } from "../schedule/plan";

export class CompiledPlan {
  private readonly pipelines: readonly Pipeline[];
  private readonly bindGroups: (BindGroupHandle | null)[];
  private readonly offsets: readonly number[];
  private readonly params: DataView<ArrayBuffer>;
  private readonly boundLeaves = new Set<number>();
  private paramsMemory: GpuMemory | null = null;
  private isWritten = false;

  constructor(
    private readonly gpu: Gpu,
    readonly plan: Plan,
  ) {
    this.pipelines = plan.launches.map(({ label, wgsl }) => gpu.pipeline(label, wgsl));
    this.bindGroups = plan.launches.map(() => null);
    let byteLength = 0;
    this.offsets = plan.launches.map((launch) => {
      const offset = byteLength;
      byteLength += Math.ceil(paramsByteLength(launch) / ALIGNMENT) * ALIGNMENT;
      return offset;
    });
    this.params = new DataView(new ArrayBuffer(byteLength));
    for (const { bindings } of plan.launches) {
      for (const { place } of bindings) if (place.kind === "leaf") this.boundLeaves.add(place.index);
    }
    for (const place of plan.outputs) if (place?.kind === "leaf") this.boundLeaves.add(place.index);
  }

  /** Whether the i-th leaf must lie in memory, rather than in the parameters. */
  bindsLeaf(index: number): boolean {
    return this.boundLeaves.has(index);
  }

  /** Writes the parameters, if any has changed since the last run. */
  writeParams(leaves: readonly Node[]): void {
    if (this.paramsMemory?.fault) this.destroy(); // there was no room for it; now there may be
    let changed = !this.isWritten;
    this.plan.launches.forEach(({ params }, index) => {
      params.forEach(({ type, value }, field) => {
        if (this.setParam(this.offsets[index]! + 4 * field, type, paramOf(leaves, value))) changed = true;
      });
    });
    if (!changed || this.params.byteLength === 0) return;
    this.paramsMemory ??= this.gpu.allocate(this.params.byteLength, "params");
    this.gpu.write({ buffer: this.paramsMemory, byteOffset: 0, byteLength: this.params.byteLength }, this.params);
    this.isWritten = true;
  }

  private setParam(byteOffset: number, type: "f32" | "i32" | "u32", value: number): boolean {
    const { params } = this;
    const before = params.getUint32(byteOffset, true);
    if (type === "f32") params.setFloat32(byteOffset, value, true);
    else if (type === "i32") params.setInt32(byteOffset, value, true);
    else params.setUint32(byteOffset, value, true);
    return params.getUint32(byteOffset, true) !== before;
  }

  /** The launches, with their places bound. */
  commands(leaves: readonly Node[], rangeOf: (place: Place, byteLength: number) => BufferRange): Command[] {
    return this.plan.launches.map((launch, index): Command => {
      const pipeline = this.pipelines[index]!;
      const params = {
        buffer: this.paramsMemory!,
        byteOffset: this.offsets[index]!,
        byteLength: paramsByteLength(launch),
      };
      const bindings = launch.bindings.map(({ binding, place, byteOffset, byteLength }) => {
        const range = rangeOf(place, byteLength);
        const isFixed = typeof byteOffset === "number";
        const from = isFixed ? byteOffset : Math.floor(numberOf(leaves, byteOffset) / ALIGNMENT) * ALIGNMENT;
        const length = isFixed ? byteLength : Math.min(byteLength, range.byteLength - from);
        return { binding, range: { ...range, byteOffset: range.byteOffset + from, byteLength: length } };
      });
      bindings.push({ binding: launch.paramsBinding, range: params });
      return { kind: "dispatch", pipeline, bindGroup: this.bindGroup(index, pipeline, bindings), grid: launch.grid };
    });
  }

  private bindGroup(index: number, pipeline: Pipeline, bindings: readonly Binding[]): BindGroupHandle {
    const known = this.bindGroups[index];
    if (known && !known.isStale && binds(known, bindings)) return known;
    return (this.bindGroups[index] = this.gpu.bindGroup(pipeline, bindings));
  }

  destroy(): void {
    if (this.paramsMemory) this.gpu.free(this.paramsMemory);
    this.paramsMemory = null;
    this.isWritten = false;
  }
}

function paramOf(leaves: readonly Node[], value: PlannedParam): number {
  if ("value" in value) return value.value;
  if ("scalar" in value) return leaves[value.scalar]!.hostData![0]!;
  return numberOf(leaves, value) % value.modulo;
}

const numberOf = (leaves: readonly Node[], { leaf, scale, add }: PlannedValue): number =>
  leaves[leaf]!.hostData![0]! * scale + add;

const paramsByteLength = ({ params }: PlannedLaunch): number => Math.max(16, Math.ceil((4 * params.length) / 16) * 16);

function binds(handle: BindGroupHandle, bindings: readonly Binding[]): boolean {
  return bindings.every(({ range }, index) => {
    const known = handle.bindings[index]!.range;
    return (
      known.buffer === range.buffer && known.byteOffset === range.byteOffset && known.byteLength === range.byteLength
    );
  });
}
