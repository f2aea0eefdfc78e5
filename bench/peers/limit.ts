/** What the adapter can do at most: multiply-adds in registers, by a kernel that knows nothing of any library. */

import { init } from "flywheel";
import { synchronize } from "flywheel/dev";
import { multiplyAddRow } from "../limits";

export interface Limit {
  /** Of one run. */
  readonly flops: number;
  /** Runs once; its milliseconds. */
  readonly run: () => Promise<number>;
}

/** @throws Error if the kernel's results are wrong */
export async function openLimit(): Promise<Limit> {
  const device = await init({ device: "webgpu" });
  const row = await multiplyAddRow(device);
  await row.check();
  return {
    flops: row.flops,
    async run() {
      const startMs = performance.now();
      await row.queue(1);
      await synchronize(device);
      return performance.now() - startMs;
    },
  };
}
