/** The GPU process dies: the loss that users really see, as far as a headless machine can show it. */
import { expect, test } from "vitest";
import { DeviceLostError } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { crashGpuProcess } from "../helpers/crash.ts";
import { download, increment, rejections, upload } from "./kernels.ts";

test("when the GPU process has died, reads reject within 2 s, and a new device works", async () => {
  const gpu = await Gpu.request();
  const a = upload(gpu, 1);
  const step = increment(gpu, a);
  const block = gpu.submit([step], { stage: [a] });
  // Reads without a pause, so that some are pending at the moment of the crash.
  const readForever = async (): Promise<void> => {
    for (;;) await gpu.submitAndRead([step], [a]);
  };
  const loops = [readForever(), readForever(), readForever()];
  await download(gpu, a);

  // From the news on: how long a busy browser takes to let a process die is not ours.
  const lostMs = gpu.lost.then(() => performance.now());
  crashGpuProcess();
  const pending = await rejections(loops);
  const later = await rejections([gpu.read([a]), block.read(), gpu.check()]);
  const rejectedMs = performance.now();
  expect(rejectedMs - (await lostMs)).toBeLessThan(2000);
  for (const error of [...pending, ...later]) expect(error).toBeInstanceOf(DeviceLostError);
  expect(await gpu.lost).not.toBe("");

  const again = await Gpu.request();
  expect(await download(again, upload(again, 5))).toEqual([5]);
  again.destroy();
});
