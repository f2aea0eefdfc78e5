/**
 * What flywheel has to reach beside its peers, row by row, and why it can. Factors are over the best library that trains on
 * WebGPU, in the same run on one core of a software adapter; counts are of one run after warming up.
 */

export interface Goal {
  /** How many times faster than the best rival; none where rivals take minutes. */
  readonly factor?: number;
  readonly because: string;
  readonly dispatches?: number;
  /** Whether a step makes nothing anew: `SETTLED`. */
  readonly isSettled?: boolean;
  /** Of JavaScript. */
  readonly jsMs?: number;
  /** The first call may take this share of the first call of jax-js with jit. */
  readonly ofJaxFirst?: number;
  /** Whether peak bytes must be below those of every peer that runs the row. */
  readonly isSmallest?: boolean;
}

export const GOALS: Readonly<Record<string, Goal>> = {
  matmul: {
    factor: 1.8,
    because: "register blocks load each value once for many multiply-adds, without workgroup memory",
  },
  pointwise: { factor: 3, because: "one kernel of vec4 and few invocations, each with a long loop" },
  sum: { factor: 1.4, because: "serial chunks of vec4 in two passes, no tree with barriers" },
  softmax: { factor: 4, because: "a running maximum reads each row twice; jit needs four dispatches, eager ops seven" },
  layerNorm: { factor: 3, because: "mean, variance and scale of a row stay in one kernel; jit needs three" },
  conv2d: { factor: 3.3, because: "register blocks over channels and pixels; peers sum up each output alone" },
  conv2dBackward: { factor: 2.8, because: "both gradients are blocked like the forward" },
  mlp: { factor: 2.2, because: "blocked products with bias and ReLU in them, both transposes in place, one update" },
  cnn: { factor: 3, because: "blocked convolutions, pooling and ReLU fused, one update" },
  update: {
    factor: 3.3,
    because: "parameters lie in arenas: all 62 tensors, their momentum and average are one dispatch",
    dispatches: 1,
    isSettled: true,
  },
  infoNCE: {
    factor: 2.3,
    because: "the queue streams through a running logsumexp: no logits go to memory",
    dispatches: 6,
    isSettled: true,
  },
  infoNCE64K: {
    factor: 2.3,
    because: "the same; logits of 64 MiB would be written and read several times",
    dispatches: 6,
    isSettled: true,
  },
  moco: {
    factor: 4,
    because: "all of the above, and both encoders' halves share kernels",
    dispatches: 28,
    isSettled: true,
    jsMs: 0.5,
    ofJaxFirst: 1 / 3,
    isSmallest: true,
  },
  mocoResNet18: {
    because: "a step is recorded once and replayed; memory is planned by lifetimes over the whole of it",
    isSettled: true,
    jsMs: 2,
    isSmallest: true,
  },
};

/** What must not be made anew in a run of flywheel, after warming up, and how often a step is submitted. */
export const SETTLED = { submits: 1, buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0 } as const;

/**
 * Milliseconds of rivals, measured before on one core of SwiftShader whose multiply-add peak was EARLIER_PEAK: a run in which one
 * of them does much worse than then, relative to the peak, is unfair to it. None where it was not measured, or took minutes.
 */
export const EARLIER: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  matmul: { "tfjs-webgpu": 650, "jax-webgpu": 147, "jax-webgpu-jit": 146 },
  pointwise: { "tfjs-webgpu": 506, "jax-webgpu": 580, "jax-webgpu-jit": 70 },
  sum: { "tfjs-webgpu": 33, "jax-webgpu": 70, "jax-webgpu-jit": 10 },
  softmax: { "tfjs-webgpu": 463, "jax-webgpu": 211, "jax-webgpu-jit": 161 },
  layerNorm: { "tfjs-webgpu": 566, "jax-webgpu": 202, "jax-webgpu-jit": 105 },
  conv2d: { "tfjs-webgpu": 7546, "jax-webgpu": 3001, "jax-webgpu-jit": 2989 },
  conv2dBackward: { "tfjs-webgpu": 33_435, "jax-webgpu": 8108, "jax-webgpu-jit": 8383 },
  mlp: { "tfjs-webgpu": 1531, "jax-webgpu": 302, "jax-webgpu-jit": 290 },
  cnn: { "tfjs-webgpu": 6506, "jax-webgpu": 911, "jax-webgpu-jit": 843 },
  update: { "tfjs-webgpu": 2191, "jax-webgpu": 1071, "jax-webgpu-jit": 478 },
  infoNCE: { "tfjs-webgpu": 9156, "jax-webgpu": 1723, "jax-webgpu-jit": 1657 },
  infoNCE64K: { "jax-webgpu-jit": 7487 },
  moco: { "tfjs-webgpu": 5082, "jax-webgpu": 1105, "jax-webgpu-jit": 939 },
};
/** GFLOP/s: half of what two cores reach. */
export const EARLIER_PEAK = 35;
/** How many times more a rival may take than it did. */
export const UNFAIR = 2;

/** A difference below this share is a tie. */
export const TIE = 0.05;

/** Other processes may use this many cores; more, and a row does not count. */
export const OTHERS_CORES = 0.1;
