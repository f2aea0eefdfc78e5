/**
 * What a kernel is: a plain `.wgsl` file and a `plan` that says, as data, how to launch it. No GPU objects here.
 * Takes an op's `info` (sizes, strides) and the adapter's limits; gives passes: shader, grid, constants, parameters, cost.
 * `codegen/specialize` turns a pass into WGSL text, `schedule` decides what its hooks compute, `gpu` runs it.
 */

/** Software adapters (SwiftShader, llvmpipe) and hardware ones want opposite kernels. */
export type AdapterClass = "software" | "hardware";

/** Who made a GPU: kernels differ by it until tuning knows better. */
export type Vendor = "apple" | "nvidia" | "amd" | "intel" | "qualcomm" | "arm" | "unknown";

/** What a kernel may know of the adapter. */
export interface KernelLimits {
  readonly adapterClass: AdapterClass;
  readonly vendor: Vendor;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxStorageBufferBindingSize: number;
  /** Invocations of a subgroup; 0 where that is not known, or shaders may not use it. */
  readonly subgroupSize: number;
}

/** What launches are estimated by. */
export interface Work {
  /** Floating-point operations. */
  readonly flops: number;
  /** Bytes to and from memory. */
  readonly bytes: number;
}

/** One `.wgsl` file. */
export interface Shader {
  /** File stem: also the pipeline's label, the debug line and the profile line. */
  readonly name: string;
  /** WGSL text, as it is in the file. */
  readonly source: string;
  /** Library files (`shaders/lib`) whose functions the file itself calls. */
  readonly libs?: readonly Shader[];
}

/** What a WGSL binding is bound to: an input of the node, its output, a second output, or scratch memory of the plan. */
export type Operand = `input${number}` | "output" | "output1" | `scratch${number}`;

/** One dispatch of a kernel plan. */
export interface Pass {
  readonly shader: Shader;
  /** Workgroups in x, y, z; each at most 65,535. */
  readonly grid: readonly [number, number, number];
  /** New values of `const NAME = 16u;` lines. */
  readonly consts?: Readonly<Record<string, number>>;
  /** New types of `alias Name = f32;` lines. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Whole functions that take the place of `@hook` lines, by name; fused epilogues come on top. */
  readonly hooks?: Readonly<Record<string, string>>;
  /** Bindings of the file that this pass does without; no hook may read them. */
  readonly unbound?: readonly string[];
  /** Fields of the shader's `Params` by name; every field must be given. */
  readonly params: Readonly<Record<string, number>>;
  /** WGSL binding name -> what is bound there. */
  readonly bindings: Readonly<Record<string, Operand>>;
  /** Floating-point operations of this pass. */
  readonly flops: number;
  /** Bytes it must read and write at least. */
  readonly bytes: number;
}

/** All dispatches that compute one node, in order. Only the last one has live epilogue hooks. */
export interface KernelPlan {
  readonly passes: readonly Pass[];
  /** byteLength of each scratch buffer. */
  readonly scratch?: readonly number[];
  /** Which of the family's variants it is; by default that of its first shader's name. */
  readonly variant?: string;
}

/** What a tuner must know of a family: operands to try variants with, and what they must give. */
export interface Trial<Info> {
  /** Elements of each input, and of the output. */
  arrays(info: Info): { readonly inputs: readonly number[]; readonly output: number };
  /** One element of the output in f64: the sum of its terms, that of their magnitudes, and how many they are. */
  at(info: Info, inputs: readonly Float32Array[], index: number): Sum;
}

export interface Sum {
  readonly value: number;
  readonly magnitude: number;
  readonly terms: number;
}

/** A kernel family: the variants of one computation and the choice among them. */
export interface Kernel<Info> {
  /** Name of the family, equal to its first shader's. */
  readonly name: string;
  readonly shaders: readonly Shader[];
  /** Whether it keeps what it has so far in its output: an epilogue then must not read what the output overwrites. */
  readonly rereadsOutput?: true;
  /** Ways to compute it for some sizes, by name, where there are several. */
  readonly variants?: (info: Info, limits: KernelLimits) => readonly string[];
  /** What it takes to tune the choice among them. */
  readonly trial?: Trial<Info>;
  /**
   * Chooses a variant and says how to launch it.
   * @param variant forces one by name (benchmarks, tests, tuning); by default a cost model decides
   */
  plan(info: Info, limits: KernelLimits, variant?: string): KernelPlan;
}

/** Integer division, rounded up. */
export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);
