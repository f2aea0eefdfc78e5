/** Opening devices: the CPU, the fallback, and what happens without. */

import { expect, test } from "vitest";
import { tensor } from "../src/creation";
import { adapterInfo, defaultDevice, init, memory, openDevice } from "../src/device";
import { DeviceError, ValueError } from "../src/errors";
import { Parameter } from "../src/parameter";
import { expectConsole } from "./helpers/console";

test("before init every factory says what to do", () => {
  expect(() => tensor([1])).toThrow(DeviceError);
  expect(() => tensor([1])).toThrow("Call `await init()` first");
});

test("auto falls back to the CPU and says once why", async () => {
  expectConsole(/warn: flywheel runs on the CPU, which is very slow\..*navigator\.gpu.*\{ device: "cpu" \}/);
  const device = await init();
  expect(device.kind).toBe("cpu");
  expect(defaultDevice()).toBe(device);
});

test("the CPU describes itself and counts", async () => {
  const device = await init({ device: "cpu" });
  expect(adapterInfo().device).toBe("cpu");
  expect(device.adapterInfo().description).toContain("CPU");
  expect(memory().liveByteLength).toBe(0);
  const p = new Parameter(tensor([1, 2, 3]));
  await p.data();
  expect(device.memory().liveByteLength).toBe(12);
  expect(device.counters()["programs"]).toBeGreaterThan(0);
  expect(String(device)).toMatch(/^cpu:\d+$/);
});

test("devices that cannot be are typed errors", async () => {
  await expect(init({ device: "tpu" as "cpu" })).rejects.toThrow(ValueError);
  await expect(init({ device: "webgpu" })).rejects.toThrow(DeviceError);
  const gone = await openDevice("cpu");
  gone.destroy();
  gone.destroy();
  expect(() => tensor([1], { device: gone })).toThrow(/was destroyed/);
});
