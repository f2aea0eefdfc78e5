/** Opening devices where there is no WebGPU: the CPU, the fallback, and what happens without either. */

import {
  adapterInfo,
  defaultDevice,
  DeviceError,
  init,
  memory,
  openDevice,
  resetPeakMemory,
  Parameter,
  tensor,
  ValueError,
} from "flywheel";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.restoreAllMocks();
});

test("before init every factory says what to do", () => {
  expect(() => tensor([1])).toThrow(DeviceError);
  expect(() => tensor([1])).toThrow("Call `await init()` first");
});

test("without navigator.gpu auto takes the CPU and says exactly once why", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const device = await init();
  expect(device.kind).toBe("cpu");
  expect(defaultDevice()).toBe(device);
  expect(await tensor([1, 2]).mul(2).toArray()).toEqual([2, 4]);
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/^flywheel runs on the CPU, which is very slow\..*navigator\.gpu.*\{ device: "cpu" \}/)],
  ]);
});

test("asked for, the CPU comes without a warning", async () => {
  const warn = vi.spyOn(console, "warn");
  await init({ device: "cpu" });
  expect(warn).not.toHaveBeenCalled();
});

test("the CPU describes itself and counts", async () => {
  const device = await init({ device: "cpu" });
  expect(adapterInfo()).toMatchObject({ device: "cpu", isFallback: true, isSoftware: true });
  expect(adapterInfo().maxStorageBufferBindingSize).toBe(Infinity);
  expect(device.adapterInfo().description).toContain("CPU");
  expect(memory()).toEqual({ liveByteLength: 0, pooledByteLength: 0, peakByteLength: 0, byName: [] });
  const p = new Parameter(tensor([1, 2, 3]));
  await p.data();
  const byName = [{ name: "state", byteLength: 12, count: 1 }];
  expect(device.memory()).toEqual({ liveByteLength: 12, pooledByteLength: 0, peakByteLength: 12, byName });
  resetPeakMemory();
  expect(memory().peakByteLength).toBe(12);
  expect(device.counters()["programs"]).toBeGreaterThan(0);
  expect(String(device)).toMatch(/^cpu:\d+$/);
});

test("devices that cannot be are typed errors with a way out, and leave the default device", async () => {
  const before = await init({ device: "cpu" });
  await expect(init({ device: "tpu" as "cpu" })).rejects.toThrow(ValueError);
  await expect(init({ limits: "max" as "default" })).rejects.toThrow(
    /limits must be "adapter" or "default", got "max"/,
  );
  await expect(init({ device: "webgpu" })).rejects.toThrow(DeviceError);
  await expect(init({ device: "webgpu" })).rejects.toThrow(/Use a browser with WebGPU .* or the device 'cpu'/);
  expect(defaultDevice()).toBe(before);
});

test("a page that is not secure is told so", async () => {
  vi.stubGlobal("isSecureContext", false);
  await expect(openDevice("webgpu")).rejects.toThrow(/not a secure context: serve it over https or from localhost/);
  vi.unstubAllGlobals();
});

test("a destroyed device makes and reads nothing", async () => {
  const gone = await openDevice("cpu");
  const x = tensor([1], { device: gone });
  gone.destroy();
  gone.destroy();
  expect(() => tensor([1], { device: gone })).toThrow(/was destroyed/);
  await expect(x.data()).rejects.toThrow(/was destroyed.*init\(\)/);
});

test("two CPU devices do not mix", async () => {
  const [a, b] = [await openDevice("cpu"), await openDevice("cpu")];
  const x = tensor([1, 2], { device: a });
  const y = tensor([3, 4], { device: b });
  expect(() => x.add(y)).toThrow(/one device, got cpu:\d+ and cpu:\d+.*x\.to\(device\)/);
  expect(await x.add(await y.to(a)).toArray()).toEqual([4, 6]);
});
