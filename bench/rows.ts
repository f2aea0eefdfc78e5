/** Rows of the common kinds: an expression of tensors, and launches bound to arrays. */

import { type Device, type Shape, type Tensor, tensor } from "flywheel";
import {
  bindKernel,
  type BoundLaunches,
  DeviceArray,
  type KernelInfoMap,
  type KernelName,
  synchronize,
  variantsOf,
} from "flywheel/dev";
import { checkOutput, type Expected } from "./check";
import type { Measured, Row } from "./harness";

/** A device as the harness takes it, and the clock of the page. */
export const measuredBy = (device: Device): Measured => ({
  counters: () => device.counters(),
  synchronize: () => synchronize(device),
  now: () => performance.now(),
});

/** A tensor with values, on the device from the start. */
export const resident = (values: Float32Array | Uint8Array, shape: Shape): Promise<Tensor> =>
  tensor(values, { shape }).realize();

export interface TensorRow extends Pick<Row, "work" | "way" | "flops" | "bytes"> {
  /** What is computed and left on the device. */
  readonly compute: () => Tensor;
  readonly expected: Expected;
}

/** What users write: a graph, a plan found by its structure, memory from the pool. */
export function tensorRow({ work, way, flops, bytes, compute, expected }: TensorRow): Row {
  return {
    ...{ work, way, flops, bytes },
    async queue(times) {
      for (let i = 0; i < times; i++) {
        const result = await compute().realize();
        result.dispose();
      }
    },
    async check() {
      const length = compute().numel();
      const poison = await tensor(new Float32Array(length).fill(NaN)).realize();
      poison.dispose(); // the result gets this memory
      const result = await compute().realize();
      const values = await result.data();
      result.dispose();
      checkOutput(values, length, expected);
    },
  };
}

export interface LaunchesRow extends Pick<Row, "work" | "way"> {
  readonly launches: BoundLaunches;
  readonly flops?: number;
  readonly bytes?: number;
  readonly check: Row["check"];
}

/** Launches by themselves: no graph, no plan, one submit. */
export const launchesRow = ({ launches, flops, bytes, ...row }: LaunchesRow): Row => ({
  ...row,
  flops: flops ?? launches.launches.reduce((sum, launch) => sum + launch.flops, 0),
  bytes: bytes ?? launches.launches.reduce((sum, launch) => sum + launch.bytes, 0),
  queue: (times) => {
    launches.submit(times);
  },
});

/** A row for each variant that a kernel family offers, forced by name; none where there is one only. */
export async function variantRows<N extends KernelName>(
  device: Device,
  name: N,
  info: KernelInfoMap[N],
  { inputs, length, ...row }: Omit<TensorRow, "compute" | "way"> & { inputs: readonly Float32Array[]; length: number },
): Promise<Row[]> {
  const variants = variantsOf(device, name, info);
  if (variants.length === 1) return [];
  const operands = inputs.map((data) => DeviceArray.from(device, data));
  const output = DeviceArray.from(device, new Float32Array(length));
  return Promise.all(
    variants.map(async (variant) => {
      const launches = await bindKernel(device, name, info, { inputs: operands, output }, { variant });
      const check = async (): Promise<void> => {
        output.write(new Float32Array(length).fill(NaN));
        launches.submit();
        checkOutput(await output.data(), length, row.expected);
      };
      return launchesRow({ ...row, way: `forced ${variant}`, launches, check });
    }),
  );
}
