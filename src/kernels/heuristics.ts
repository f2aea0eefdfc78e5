/**
 * What kernels are planned by until somebody measures: sizes of workgroups, blocks in registers, how many invocations keep an adapter
 * busy, and what one dispatch may do. One row for software adapters, which are measured; one for hardware of each vendor, which is **not
 * measured by us**: it follows what is published, as `sources` says, and `tune` of `flywheel/dev` decides better. A row is today's
 * general one for hardware but for what a source says otherwise.
 */

import type { KernelLimits, Vendor, Work } from "./kernel";

/** How many of what an adapter wants, by kernel. Invocations, unless it says otherwise. */
export interface Heuristics {
  /** Where the row's choices come from: documents by name and address, or who measured. */
  readonly sources: readonly string[];
  /** Of one dispatch, while the adapter is not calibrated. */
  readonly mostWork: Work;
  readonly elementwise: { readonly mostWorkgroups: number };
  readonly matmul: {
    /** Whether products go through tiles in workgroup memory, or stay in registers. */
    readonly tiles: boolean;
    /** What keeps it busy: invocations of the register kernels, workgroups of the tiled one. */
    readonly busy: number;
    readonly busyTiles: number;
    /** Of the register kernels. */
    readonly workgroup: number;
    /** Results that an invocation of these holds at most. */
    readonly mostResults: number;
  };
  readonly conv2d: {
    readonly workgroup: number;
    readonly busy: number;
    /** Most results an invocation holds. */
    readonly results: number;
    /** Most loads and multiply-adds of one turn, all written out: they bound the time to compile. */
    readonly written: number;
    /** Of conv2dGradInputTaps: pixels in y and x that share the taps of an invocation, and its channels. */
    readonly cells: { readonly c: number; readonly y: number; readonly x: number };
  };
  readonly reduce: {
    /** Of few jobs, and of many. */
    readonly workgroup: FewMany;
    /** Invocations that keep it busy, and the least work worth one. */
    readonly target: { readonly jobs: number; readonly chunk: number };
    /** Results that make as good as all lanes busy, and loads in all that are over before another dispatch begins. */
    readonly quick: { readonly jobs: number; readonly loads: number };
    /** Loads that the last pass may leave to one invocation; beyond, their results are cut into chunks once more. */
    readonly last: number;
  };
  readonly sweep: {
    /** Of few vec4s in flight, and of many. */
    readonly workgroup: FewMany;
    /** Elements that count as small. */
    readonly small: number;
  };
  readonly topk: { readonly workgroup: number; readonly busy: number };
  /** Invocations that share a sample; a power of 2. */
  readonly augment: { readonly workgroup: number };
  /** `block`: queries of an invocation, and keys at a time. */
  readonly contrast: {
    readonly workgroup: number;
    readonly busy: number;
    readonly block: { readonly ROWS: number; readonly COLS: number };
  };
  /** `run`: entries that an invocation owns where there is only one index to look at. */
  readonly scatter: { readonly busy: number; readonly run: number };
  /** `run`: pixels of a row that an invocation makes. */
  readonly pool2d: { readonly run: number };
  /** `run`: vec4s in a row. */
  readonly update: { readonly workgroup: number; readonly run: number; readonly invocations: number };
  /** `lanes`: invocations a block. */
  readonly lars: { readonly workgroup: number; readonly lanes: number };
  readonly clip: { readonly workgroup: number };
}

interface FewMany {
  readonly few: number;
  readonly many: number;
}

/** What a dispatch should take at most, seconds. */
export const MOST_SECONDS = 0.05;

/** Few, fat invocations that keep what they can in registers; barriers and workgroup memory are slow. */
const SOFTWARE: Heuristics = {
  sources: ["bench/: SwiftShader on two cores"],
  mostWork: { flops: Infinity, bytes: Infinity }, // nobody watches over it, and each part costs a dispatch
  elementwise: { mostWorkgroups: 32 },
  matmul: { tiles: false, busy: 64, busyTiles: 256, workgroup: 4, mostResults: Infinity },
  conv2d: { workgroup: 4, busy: 64, results: 128, written: 700, cells: { c: 8, y: 4, x: 4 } },
  reduce: {
    workgroup: { few: 4, many: 16 },
    target: { jobs: 256, chunk: 32 },
    quick: { jobs: 16, loads: 65536 },
    last: 512,
  },
  sweep: { workgroup: { few: 4, many: 16 }, small: 16384 },
  topk: { workgroup: 4, busy: 64 },
  augment: { workgroup: 4 },
  contrast: { workgroup: 4, busy: 128, block: { ROWS: 8, COLS: 8 } },
  scatter: { busy: 512, run: 64 },
  pool2d: { run: 8 },
  update: { workgroup: 64, run: 16, invocations: 4096 }, // long runs
  lars: { workgroup: 64, lanes: 1 },
  clip: { workgroup: 64 },
};

/** The slowest that WebGPU runs on: an integrated GPU of ten years ago, on memory that it shares. */
const SLOWEST = { flopsPerSecond: 50e9, bytesPerSecond: 10e9 } as const;

/** Many small invocations; neighbours read neighbouring vec4s; tiles in workgroup memory. */
const HARDWARE: Heuristics = {
  sources: [
    "Z. Nussbaum, Optimizing a WebGPU Matmul Kernel for 1TFLOP+ Performance: 16x16 invocations of 8x8 results each, loops written out. https://www.nuss-and-bolts.com/p/optimizing-a-webgpu-matmul-kernel",
    "TensorFlow.js and ONNX Runtime Web, matmul_packed_webgpu.ts: 8x8 invocations of 4x4 results, where there is less to do. https://github.com/tensorflow/tfjs, https://github.com/microsoft/onnxruntime",
  ],
  mostWork: { flops: SLOWEST.flopsPerSecond * MOST_SECONDS, bytes: SLOWEST.bytesPerSecond * MOST_SECONDS },
  elementwise: { mostWorkgroups: 8192 },
  matmul: { tiles: true, busy: 256, busyTiles: 256, workgroup: 64, mostResults: Infinity },
  conv2d: { workgroup: 64, busy: 32768, results: 16, written: 260, cells: { c: 4, y: 1, x: 4 } },
  reduce: {
    workgroup: { few: 16, many: 16 },
    target: { jobs: 16384, chunk: 16 },
    quick: { jobs: 16384, loads: 65536 },
    last: 256,
  },
  sweep: { workgroup: { few: 32, many: 128 }, small: 65536 },
  topk: { workgroup: 64, busy: 4096 },
  augment: { workgroup: 256 },
  contrast: { workgroup: 64, busy: 16384, block: { ROWS: 4, COLS: 4 } },
  scatter: { busy: 32768, run: 1 },
  pool2d: { run: 1 },
  update: { workgroup: 256, run: 1, invocations: 1 << 18 },
  lars: { workgroup: 256, lanes: 16 },
  clip: { workgroup: 256 },
};

/** Whole subgroups of 32: many jobs in workgroups of at least two of them. Few jobs stay spread over as many cores as there are. */
const NVIDIA: Heuristics = {
  ...HARDWARE,
  sources: [
    ...HARDWARE.sources,
    "NVIDIA, CUDA C++ Best Practices Guide, Thread and Block Heuristics: a multiple of 32 threads a block, 64 at least. https://docs.nvidia.com/cuda/cuda-c-best-practices-guide/",
  ],
  reduce: { ...HARDWARE.reduce, workgroup: { few: 32, many: 64 } },
};

/** Whole waves of 64 (GCN, CDNA), or two of 32 (RDNA). */
const AMD: Heuristics = {
  ...HARDWARE,
  sources: [
    ...HARDWARE.sources,
    "Codeplay, oneAPI for AMD GPUs, Performance: workgroups of a multiple of the subgroup's size, 64 on GCN and CDNA, 32 on RDNA. https://developer.codeplay.com/products/oneapi/amd/2024.2.1/guides/performance/amd/performance-on-amd.html",
    "AMD GPUOpen, Occupancy explained: work runs in groups of 32 at least. https://gpuopen.com/learn/occupancy-explained",
  ],
  reduce: { ...HARDWARE.reduce, workgroup: { few: 64, many: 64 } },
  sweep: { ...HARDWARE.sweep, workgroup: { few: 64, many: 128 } },
};

/**
 * Sources differ on whether 8x8 results an invocation are best (Nussbaum, on an M2 Pro) or too many for its registers (rlx-wgpu 0.2.6,
 * matmul_wide.wgsl; wgpu-mm, whose best on an M1 is TensorFlow.js' 4x4): left as it is.
 */
const APPLE: Heuristics = {
  ...HARDWARE,
  sources: [
    ...HARDWARE.sources,
    "FL33TW00D, wgpu-mm: 4x4 results an invocation reach 900 GFLOP/s on an M1. https://github.com/FL33TW00D/wgpu-mm",
    "rlx-wgpu 0.2.6, matmul_wide.wgsl: 8x8 results spill. https://docs.rs/crate/rlx-wgpu/0.2.6/source/src/kernels/matmul_wide.wgsl",
  ],
};

/**
 * Workgroup memory is main memory behind a cache, so products stay in registers: 16 sums of the 64 registers that an invocation has.
 * Workgroups with barriers are small.
 */
const ARM: Heuristics = {
  ...HARDWARE,
  sources: [
    "Arm, Mali Bifrost and Valhall OpenCL Developer Guide, 7.3.2: no copies to local memory, and no barriers for them. http://infocenter.arm.com/help/topic/com.arm.doc.101574_0302_00_en/ada1432742771415.html",
    "the same, 9.6: 64 registers an invocation; more go to memory. http://infocenter.arm.com/help/topic/com.arm.doc.101574_0302_00_en/nic1465568963198.html",
    "the same, 9.2: smaller workgroups where there are barriers, of 4 to 64; elsewhere it names both 64 and 128 or more, so these are left. http://infocenter.arm.com/help/topic/com.arm.doc.101574_0302_00_en/ada1432742774607.html",
  ],
  matmul: { ...HARDWARE.matmul, tiles: false, mostResults: 16 },
  sweep: { ...HARDWARE.sweep, workgroup: { few: 32, many: 64 } },
  lars: { ...HARDWARE.lars, workgroup: 64 },
  clip: { workgroup: 64 },
};

/** Rows of hardware by who made it. Intel and Qualcomm: no source that says otherwise, for what these kernels do. */
export const HEURISTICS: Readonly<Record<"software" | Vendor, Heuristics>> = {
  software: SOFTWARE,
  unknown: HARDWARE,
  nvidia: NVIDIA,
  amd: AMD,
  apple: APPLE,
  intel: HARDWARE,
  qualcomm: HARDWARE,
  arm: ARM,
};

/** The row of an adapter. */
export const heuristicsOf = ({ adapterClass, vendor }: Pick<KernelLimits, "adapterClass" | "vendor">): Heuristics =>
  HEURISTICS[adapterClass === "software" ? "software" : vendor];
