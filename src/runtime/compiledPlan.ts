/** A plan with what it needs of one GPU: pipelines, bind groups and the buffer of its parameters. */

import type { BindGroupHandle, Binding, BufferRange, DispatchCommand, Gpu, GpuMemory, Pipeline } from "../gpu/gpu";
import { ALIGNMENT } from "../codegen/windows";
import type { Node } from "../graph/node";
import type { Place, Plan, PlannedLaunch, PlannedParam, PlannedValue } from "../schedule/plan";

/** A parameter that each run may change, and where it lies. */
interface ChangingParam {
  readonly byteOffset: number;
  readonly type: "f32" | "i32" | "u32";
  readonly value: Exclude<PlannedParam, { readonly value: number }>;
}

/** A launch, and which of the plan's places it binds. */
interface BoundLaunch {
  readonly launch: PlannedLaunch;
  readonly pipeline: Pipeline;
  /** Of each binding: which of `places`. */
  readonly places: readonly number[];
  /** Whether windows of it start elsewhere at each run. */
  readonly isMoving: boolean;
}

export class CompiledPlan {
  private readonly launches: readonly BoundLaunch[];
  /** What the launches bind, each place once, with the most that is bound of it. */
  private readonly places: readonly { readonly place: Place; readonly byteLength: number }[];
  /** Where the places lay when `commands` was called last. */
  private ranges: readonly BufferRange[] = [];
  private last: readonly DispatchCommand[] = [];
  private readonly offsets: readonly number[];
  private readonly params: DataView<ArrayBuffer>;
  private readonly changingParams: readonly ChangingParam[];
  private readonly boundLeaves = new Set<number>();
  private paramsMemory: GpuMemory | null = null;
  private isWritten = false;

  constructor(
    private readonly gpu: Gpu,
    readonly plan: Plan,
  ) {
    const places = new PlaceNumbers();
    this.launches = plan.launches.map((launch) => ({
      launch,
      pipeline: gpu.pipeline(launch.label, launch.wgsl),
      places: launch.bindings.map(({ place, byteLength }) => places.of(place, byteLength)),
      isMoving: launch.bindings.some(({ byteOffset }) => typeof byteOffset !== "number"),
    }));
    this.places = places.list;
    let byteLength = 0;
    this.offsets = plan.launches.map((launch) => {
      const offset = byteLength;
      byteLength += Math.ceil(paramsByteLength(launch) / ALIGNMENT) * ALIGNMENT;
      return offset;
    });
    this.params = new DataView(new ArrayBuffer(byteLength));
    this.changingParams = this.writeFixedParams();
    for (const place of [...this.places.map(({ place }) => place), ...plan.outputs])
      if (place?.kind === "leaf") this.boundLeaves.add(place.index);
  }

  /** Whether the i-th leaf must lie in memory, rather than in the parameters. */
  bindsLeaf(index: number): boolean {
    return this.boundLeaves.has(index);
  }

  /** Writes the parameters that are the same at every run; gives the others. */
  private writeFixedParams(): ChangingParam[] {
    return this.plan.launches.flatMap(({ params }, index) =>
      params.flatMap(({ type, value }, field) => {
        const byteOffset = this.offsets[index]! + 4 * field;
        if (!("value" in value)) return [{ byteOffset, type, value }];
        this.setParam(byteOffset, type, value.value);
        return [];
      }),
    );
  }

  /** Writes the parameters, if any has changed since the last run. */
  writeParams(leaves: readonly Node[]): void {
    if (this.paramsMemory?.fault) this.destroy(); // there was no room for it; now there may be
    let changed = !this.isWritten;
    for (const { byteOffset, type, value } of this.changingParams)
      if (this.setParam(byteOffset, type, paramOf(leaves, value))) changed = true;
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

  /** The launches, with their places bound: those of the last time where nothing has moved. */
  commands(
    leaves: readonly Node[],
    rangeOf: (place: Place, byteLength: number) => BufferRange,
  ): readonly DispatchCommand[] {
    const ranges = this.places.map(({ place, byteLength }) => rangeOf(place, byteLength));
    const hasMoved = ranges.map((range, place) => !sameStart(range, this.ranges[place]));
    const commands = this.launches.map((bound, index) => {
      const last = this.last[index];
      const isSame =
        last && !last.bindGroup.isStale && !bound.isMoving && !bound.places.some((place) => hasMoved[place]);
      return isSame ? last : this.command(bound, index, { leaves, ranges });
    });
    this.ranges = ranges;
    return (this.last = commands);
  }

  private command(
    { launch, pipeline, places }: BoundLaunch,
    index: number,
    { leaves, ranges }: { readonly leaves: readonly Node[]; readonly ranges: readonly BufferRange[] },
  ): DispatchCommand {
    const bindings = launch.bindings.map(({ binding, byteOffset, byteLength }, i) => {
      const range = ranges[places[i]!]!;
      const isFixed = typeof byteOffset === "number";
      const from = isFixed ? byteOffset : Math.floor(numberOf(leaves, byteOffset) / ALIGNMENT) * ALIGNMENT;
      const length = isFixed ? byteLength : Math.min(byteLength, range.byteLength - from);
      return { binding, range: { ...range, byteOffset: range.byteOffset + from, byteLength: length } };
    });
    const byteLength = paramsByteLength(launch);
    const params = { buffer: this.paramsMemory!, byteOffset: this.offsets[index]!, byteLength };
    bindings.push({ binding: launch.paramsBinding, range: params });
    const last = this.last[index]?.bindGroup;
    const isKnown = last && !last.isStale && binds(last, bindings);
    const bindGroup = isKnown ? last : this.gpu.bindGroup(pipeline, bindings);
    return { kind: "dispatch", pipeline, bindGroup, grid: launch.grid };
  }

  destroy(): void {
    if (this.paramsMemory) this.gpu.free(this.paramsMemory);
    this.paramsMemory = null;
    this.last = []; // they bind it
    this.isWritten = false;
  }
}

/** Numbers places as they come. */
class PlaceNumbers {
  readonly list: { readonly place: Place; byteLength: number }[] = [];
  private readonly numbers = new Map<string, number>();

  of(place: Place, byteLength: number): number {
    const key = `${place.kind}${place.index}`;
    let number = this.numbers.get(key);
    if (number === undefined) this.numbers.set(key, (number = this.list.push({ place, byteLength }) - 1));
    const known = this.list[number]!;
    known.byteLength = Math.max(known.byteLength, byteLength);
    return number;
  }
}

const sameStart = (a: BufferRange, b: BufferRange | undefined): boolean =>
  a.buffer === b?.buffer && a.byteOffset === b.byteOffset;

function paramOf(leaves: readonly Node[], value: ChangingParam["value"]): number {
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
