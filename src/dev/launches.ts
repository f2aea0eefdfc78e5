/**
 * Single kernels, without graph and scheduler: numbers that lie on a device, and launches bound to them that can be run
 * again and again. For benchmarks, and for whoever writes a kernel.
 */

import { unrollLoops } from "../codegen/unroll";
import { ValueError } from "../errors";
import type { Device } from "../device";
import type { BufferRange, Command, Gpu, GpuMemory, Timings } from "../gpu/gpu";
import { backendOf } from "./device";

/** Four bytes an element, as kernels see them. */
export type Numbers = Float32Array | Int32Array | Uint32Array;

/** Elements in 256 bytes: where a binding may start. */
const ALIGNMENT = 64;

/** Numbers on a device that are no tensor: operands of kernels that are run one by one, which may write them. */
export class DeviceArray {
  private constructor(
    private readonly gpu: Gpu,
    readonly range: BufferRange,
    /** Number of elements. */
    readonly length: number,
  ) {}

  /** Copies numbers to a device. */
  static from(device: Device, data: Numbers): DeviceArray {
    const { gpu } = backendOf("DeviceArray", device);
    const byteLength = Math.max(16, 16 * Math.ceil(data.length / 4)); // whole vec4s
    const range = { buffer: gpu.allocate(byteLength, "array"), byteOffset: 0, byteLength };
    const array = new DeviceArray(gpu, range, data.length);
    array.write(data);
    return array;
  }

  /** Overwrites the first elements. */
  write(data: Numbers): void {
    this.gpu.write(this.range, data);
  }

  /** The bits as f32, once all queued work is done. */
  async data(): Promise<Float32Array> {
    const [bytes] = await this.gpu.read([{ ...this.range, byteLength: 4 * this.length }]);
    return new Float32Array(bytes!);
  }

  /**
   * A part of the same memory.
   *
   * @param begin first element, a multiple of 64
   * @throws ValueError if the part does not lie inside, or does not start where a binding may
   */
  subarray(begin: number, end: number): DeviceArray {
    if (begin % ALIGNMENT !== 0 || begin < 0 || end < begin || end > this.length) {
      throw new ValueError(
        `subarray: a part must lie in ${this.length} elements and start at a multiple of ${ALIGNMENT}, got ${begin} to ${end}. Move it.`,
      );
    }
    const byteLength = Math.max(16, 16 * Math.ceil((end - begin) / 4));
    const range = { ...this.range, byteOffset: this.range.byteOffset + 4 * begin, byteLength };
    return new DeviceArray(this.gpu, range, end - begin);
  }

  /** Frees the memory, that of all parts too. */
  dispose(): void {
    this.gpu.free(this.range.buffer);
  }
}

/** What is known of a launch without running it. */
export interface LaunchInfo {
  readonly kernel: string;
  readonly wgsl: string;
  /** Workgroups in x, y, z. */
  readonly grid: readonly [number, number, number];
  readonly flops: number;
  /** Least bytes that it must read and write. */
  readonly bytes: number;
}

/** Launches with everything they need: they run in order, as often as one likes. */
export class BoundLaunches {
  constructor(
    private readonly gpu: Gpu,
    readonly launches: readonly LaunchInfo[],
    private readonly commands: readonly Command[],
    /** Memory that is theirs alone. */
    private readonly memory: readonly GpuMemory[],
  ) {}

  /** Queues all launches, `times` over, in one submit. Waits for nothing; see `synchronize`. */
  submit(times = 1): void {
    this.gpu.submit(Array.from({ length: times }, () => this.commands).flat());
  }

  /** Runs all launches once and measures each. */
  time(): Promise<Timings> {
    return this.gpu.time(this.commands);
  }

  /** Lists of launches, one after the other, as one list. */
  static join(parts: readonly BoundLaunches[]): BoundLaunches {
    const [first] = parts;
    if (!first) throw new ValueError("join: there must be launches, got none. Pass some.");
    return new BoundLaunches(
      first.gpu,
      parts.flatMap(({ launches }) => launches),
      parts.flatMap(({ commands }) => commands),
      parts.flatMap(({ memory }) => memory),
    );
  }

  /** Frees parameters and scratch memory; the arrays stay. */
  dispose(): void {
    for (const memory of this.memory) this.gpu.free(memory);
  }
}

/** A shader of one's own, and what to bind to it. */
export interface ShaderCall {
  /** Its name in messages and profiles. */
  readonly name: string;
  readonly wgsl: string;
  /** By binding number. */
  readonly bindings: readonly DeviceArray[];
  readonly grid: readonly [number, number, number];
  readonly flops?: number;
  readonly bytes?: number;
}

/**
 * Compiles a shader of one's own and binds it to arrays. Loops marked `// @unroll` are written out, as in the library's.
 *
 * @throws KernelError if it does not compile
 *
 * @example
 * const launch = await bindShader(device, { name: "double", wgsl, bindings: [x], grid: [64, 1, 1] });
 * launch.submit();
 */
export async function bindShader(
  device: Device,
  { name, wgsl: source, bindings, grid, flops = 0, bytes = 0 }: ShaderCall,
): Promise<BoundLaunches> {
  const { gpu } = backendOf("bindShader", device);
  const wgsl = unrollLoops(source);
  const pipeline = gpu.pipeline(name, wgsl);
  await gpu.check();
  const bindGroup = gpu.bindGroup(
    pipeline,
    bindings.map(({ range }, binding) => ({ binding, range })),
  );
  return new BoundLaunches(
    gpu,
    [{ kernel: name, wgsl, grid, flops, bytes }],
    [{ kind: "dispatch", pipeline, bindGroup, grid }],
    [],
  );
}
