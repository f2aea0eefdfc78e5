/**
 * What the page can measure, in the order of its table. An id stands for exactly this work, in links too: other sizes are another
 * id. The work itself is in rows.ts, which only the worker loads.
 */

export type Unit = "GFLOP/s" | "GB/s" | "steps/s";

export interface Benchmark {
  readonly title: string;
  /** What it says to a person, in a line. */
  readonly about: string;
  readonly unit: Unit;
  /** Of one run, in what the unit counts: 10^9 operations, 10^9 bytes, or steps. */
  readonly amount: number;
  /** Whether it is too much for an adapter that runs on the processor, unless asked for. */
  readonly isHeavy?: boolean;
}

/** Numbers in a ResNet-18 for small colour images. */
const RESNET18 = 11_234_496;
/** A read and a write of 4096 rows of 1024 numbers. */
const ROWS_GB = (2 * 4 * 4096 * 1024) / 1e9;

const infoNCE = (queueSize: number): Pick<Benchmark, "title" | "unit" | "amount"> => ({
  title: `InfoNCE, queue of ${queueSize}`,
  unit: "GFLOP/s",
  amount: (4 * 256 * 128 * (queueSize + 1)) / 1e9,
});

export const BENCHMARKS = {
  matmul512: {
    title: "Matrix product, 512 × 512",
    about: "What linear layers and attention are made of; small enough that starting it counts.",
    unit: "GFLOP/s",
    amount: (2 * 512 ** 3) / 1e9,
  },
  matmul1024: {
    title: "Matrix product, 1024 × 1024",
    about: "Eight times the work: how near the GPU's arithmetic limit products come.",
    unit: "GFLOP/s",
    amount: (2 * 1024 ** 3) / 1e9,
  },
  conv2d: {
    title: "Convolution with backward",
    about: "32 images of 64 channels and 32 × 32 pixels, 3 × 3 kernels: the output and both gradients.",
    unit: "GFLOP/s",
    amount: (3 * 2 * 9 * 32 * (64 * 32) ** 2) / 1e9,
  },
  softmax: {
    title: "Softmax of 4096 rows",
    about: "1024 numbers a row, in one pass over memory: it should be about as fast as copying.",
    unit: "GB/s",
    amount: ROWS_GB,
  },
  layerNorm: {
    title: "Layer norm of 4096 rows",
    about: "Mean, variance, scale and shift of each row, in one pass over memory as well.",
    unit: "GB/s",
    amount: ROWS_GB,
  },
  infoNCE4096: {
    ...infoNCE(4096),
    about: "MoCo's loss of 256 queries against the queue, and its gradient.",
  },
  infoNCE65536: {
    ...infoNCE(65_536),
    about: "The same against the queue of the paper, sixteen times as long.",
    isHeavy: true,
  },
  sgdEma: {
    title: "Momentum SGD and EMA, fused",
    about: "The update of a ResNet-18 and of its slow copy, 11 million numbers, in one dispatch instead of two.",
    unit: "GB/s",
    amount: (28 * RESNET18) / 1e9,
  },
  mocoTinyFlat: {
    title: "MoCo step, small encoder",
    about:
      "A whole training step of this demo: views, both encoders, loss, gradients, update. Batch 128, queue of 1024.",
    unit: "steps/s",
    amount: 1,
  },
  mocoResNet18: {
    title: "MoCo step, ResNet-18",
    about: "A whole training step on 32 colour images of 32 × 32 pixels, queue of 4096.",
    unit: "steps/s",
    amount: 1,
    isHeavy: true,
  },
} as const satisfies Readonly<Record<string, Benchmark>>;

export type BenchmarkId = keyof typeof BENCHMARKS;

export const BENCHMARK_IDS = Object.keys(BENCHMARKS) as readonly BenchmarkId[];

export const benchmarkOf = (id: BenchmarkId): Benchmark => BENCHMARKS[id];

/** Of runs that take so long, in the benchmark's unit. */
export const rateOf = (id: BenchmarkId, timeMs: number): number => (1000 * BENCHMARKS[id].amount) / timeMs;
