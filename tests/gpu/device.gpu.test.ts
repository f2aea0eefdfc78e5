import { afterEach, expect, test, vi } from "vitest";
import { DeviceError } from "../../src/errors.ts";
import { classify } from "../../src/gpu/adapter.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { withAskedLimits } from "../helpers/gpuDevices.ts";
import { download, increment, newDevice, upload } from "./kernels.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("a requested device says what it is", async () => {
  const gpu = await Gpu.request();
  const adapter = (await navigator.gpu.requestAdapter())!;
  expect(gpu.info.vendor).toBe(adapter.info.vendor);
  expect(gpu.info.features).toEqual([...gpu.device.features].sort());
  for (const feature of ["timestamp-query", "subgroups", "shader-f16"]) {
    expect(gpu.info.features.includes(feature)).toBe(adapter.features.has(feature));
  }
  gpu.destroy();
});

test("buffers may be as large as the adapter offers; the other limits are WebGPU's defaults", async () => {
  const gpu = await withAskedLimits(() => Gpu.request());
  const adapter = (await navigator.gpu.requestAdapter())!;
  expect(gpu.limits.maxBufferSize).toBe(adapter.limits.maxBufferSize);
  expect(gpu.limits.maxStorageBufferBindingSize).toBe(adapter.limits.maxStorageBufferBindingSize);
  expect(gpu.limits.maxStorageBuffersPerShaderStage).toBe(8);
  expect(gpu.limits.maxComputeWorkgroupStorageSize).toBe(16384);
  expect(gpu.limits.maxComputeWorkgroupsPerDimension).toBe(65535);
  expect(gpu.limits.bindingOffsetAlignment).toBe(256);
  gpu.destroy();
});

test("or as large as on every device, where that is asked for", async () => {
  const gpu = await withAskedLimits(() => Gpu.request({ limits: "default" }));
  expect(gpu.limits.maxBufferSize).toBe(256 * 2 ** 20);
  expect(gpu.limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
  gpu.destroy();
});

test("the adapter class follows the adapter's names", async () => {
  const gpu = await Gpu.request();
  const isSwiftShader = /swiftshader/i.test(`${gpu.info.architecture} ${gpu.info.device} ${gpu.info.description}`);
  if (isSwiftShader) expect(gpu.adapterClass).toBe("software");
  expect(gpu.limits.adapterClass).toBe(gpu.adapterClass);
  expect(gpu.info.isSoftware).toBe(gpu.adapterClass === "software");
  const named = Gpu.fromDevice(gpu.device, { isFallback: false, description: "llvmpipe (LLVM 15.0.6, 256 bits)" });
  expect(named.info, "whatever the browser says").toMatchObject({ isFallback: false, isSoftware: true });
  const real = {
    ...gpu.info,
    vendor: "nvidia",
    architecture: "hopper",
    device: "",
    description: "",
    isFallback: false,
  };
  expect(classify(real)).toBe("hardware");
  expect(classify({ ...real, isFallback: true })).toBe("software");
  expect(classify({ ...real, description: "llvmpipe (LLVM 15.0.6, 256 bits)" })).toBe("software");
  expect(classify({ ...real, description: "Microsoft Basic Render Driver" })).toBe("software");
  gpu.destroy();
});

test("a device of one's own works, keeps its limits, and survives destroy", async () => {
  const device = await newDevice();
  const gpu = Gpu.fromDevice(device, {
    vendor: "mine",
    description: "",
    architecture: "",
    device: "",
    isFallback: false,
  });
  expect(gpu.info.vendor).toBe("mine");
  expect(gpu.adapterClass).toBe("hardware");
  expect(gpu.limits.maxBufferSize).toBe(device.limits.maxBufferSize);
  const range = upload(gpu, 1, 2);
  gpu.submit([increment(gpu, range)]);
  expect(await download(gpu, range)).toEqual([2, 3]);
  gpu.destroy();
  expect(gpu.isLost).toBe(true);

  const again = Gpu.fromDevice(device);
  expect(await download(again, upload(again, 5))).toEqual([5]);
  device.destroy();
});

test("a runtime without WebGPU is told what to do", async () => {
  vi.stubGlobal("navigator", {});
  await expect(Gpu.request()).rejects.toThrow(DeviceError);
  await expect(Gpu.request()).rejects.toThrow(/navigator\.gpu.*device 'cpu'/);
  vi.stubGlobal("isSecureContext", false);
  await expect(Gpu.request()).rejects.toThrow(/https/);
});

test("no adapter, or one that gives no device, is told what to do", async () => {
  vi.stubGlobal("navigator", { gpu: { requestAdapter: () => Promise.resolve(null) } });
  await expect(Gpu.request()).rejects.toThrow(/adapter, got none.*device 'cpu'/);
  const adapter = { limits: {}, features: new Set(), requestDevice: () => Promise.reject(new Error("no luck")) };
  vi.stubGlobal("navigator", { gpu: { requestAdapter: () => Promise.resolve(adapter) } });
  await expect(Gpu.request()).rejects.toThrow(DeviceError);
  await expect(Gpu.request()).rejects.toThrow(/no luck/);
});
