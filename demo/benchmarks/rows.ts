/** The work behind each benchmark: rows of the bench, under the page's titles. */

import type { Device } from "flywheel";
import type { Row } from "../../bench/harness";
import { defaultStepRow } from "../../bench/moco.bench";
import { conv2dBackwardWork, infoNCEWork, layerNormWork, matmulWork, softmaxWork } from "../../bench/peers/kernelWorks";
import type { Library } from "../../bench/peers/library";
import { mocoResNet18Work } from "../../bench/peers/mocoWorks";
import type { AnyWork } from "../../bench/peers/works";
import { taskRow } from "../../bench/taskRow";
import { fusionRows } from "../../bench/update.bench";
import { type BenchmarkId, benchmarkOf } from "./catalogue";
import { MAIN_WAY } from "./result";

/** What rows are made with. */
export interface Bench {
  readonly device: Device;
  readonly library: Library;
}

/** The first row is the benchmark; another one is what it is compared with. */
type MakeRows = (bench: Bench) => Promise<readonly Row[]>;

const task =
  (work: AnyWork): MakeRows =>
  async ({ library }) => [await taskRow(work, library)];

const INFO_NCE = infoNCEWork("infoNCE", { n: 256, dim: 128, k: 4096 });

/** Exported for a test, which compares them with the catalogue. */
export const WORKS = {
  matmul512: matmulWork(512),
  matmul1024: matmulWork(1024),
  conv2d: conv2dBackwardWork({ batch: 32, channels: 64, size: 32 }),
  softmax: softmaxWork(4096, 1024),
  layerNorm: layerNormWork(4096, 1024),
  infoNCE4096: INFO_NCE,
  infoNCE65536: { ...infoNCEWork("infoNCE64K", { n: 256, dim: 128, k: 65_536 }), standIn: INFO_NCE },
  mocoResNet18: mocoResNet18Work({ batch: 32, size: 32, queueSize: 4096 }, { batch: 8, size: 8, queueSize: 64 }),
} as const satisfies Partial<Record<BenchmarkId, AnyWork>>;

/** A training does not queue updates ahead: each is a submit of its own, as its counts should say. */
const oneByOne = (row: Row): Row => ({
  ...row,
  async queue(times) {
    for (let run = 0; run < times; run++) await row.queue(1);
  },
});

const OTHERS: Readonly<Record<Exclude<BenchmarkId, keyof typeof WORKS>, MakeRows>> = {
  sgdEma: async ({ device }) => (await fusionRows(device)).map(oneByOne),
  mocoTinyFlat: async ({ device }) => [await defaultStepRow(device)],
};

/** Rows of a benchmark; their work is its title, and the way of the first says that it is the benchmark. */
export async function rowsOf(id: BenchmarkId, bench: Bench): Promise<Row[]> {
  const { title, unit, amount } = benchmarkOf(id);
  const make = id in WORKS ? task(WORKS[id as keyof typeof WORKS]) : OTHERS[id as keyof typeof OTHERS];
  const rows = await make(bench);
  return rows.map((row, index) => ({
    ...{ ...row, work: title, way: index === 0 ? MAIN_WAY : row.way },
    ...(unit === "GB/s" && { bytes: 1e9 * amount }),
  }));
}
