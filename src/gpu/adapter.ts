/** Finding a device, and saying as plain data what it is and what it can do. */

import { DeviceError } from "../errors";
import type { AdapterInfo } from "./adapterInfo";

/** Software adapters (SwiftShader, llvmpipe) and hardware ones want opposite kernels. */
export type AdapterClass = "software" | "hardware";

/** Who made a GPU. */
export type Vendor = "apple" | "nvidia" | "amd" | "intel" | "qualcomm" | "arm" | "unknown";

/** What kernels and plans may use; a superset of what a kernel's `plan` takes. */
export interface GpuLimits {
  readonly adapterClass: AdapterClass;
  readonly vendor: Vendor;
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxUniformBufferBindingSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
  /** A binding's byteOffset is a multiple of this, uniform or storage. */
  readonly bindingOffsetAlignment: number;
  /** Invocations of a subgroup; 0 where that is not known, or shaders may not use it. */
  readonly subgroupSize: number;
  /** Whether shaders may read and write f16. */
  readonly hasF16: boolean;
}

export interface RequestOptions {
  /** On a computer with two GPUs: which. Default "high-performance". */
  readonly powerPreference?: "low-power" | "high-performance";
  /** How large buffers and bindings may be: as the adapter allows (the default), or as every WebGPU device does. */
  readonly limits?: "adapter" | "default";
}

/** Asked for where the adapter has them; nothing needs them. */
const usefulFeatures = ["timestamp-query", "subgroups", "shader-f16"] as const;

/** Raised to what the adapter offers: a large arena is one buffer. All else stays at WebGPU's default. */
const raisedLimits = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;

/**
 * A device of the best adapter there is.
 * @throws DeviceError when there is none; its message says what to do
 */
export async function requestDevice({
  powerPreference = "high-performance",
  limits = "adapter",
}: RequestOptions): Promise<{ device: GPUDevice; info: BrowserInfo }> {
  const gpu = (globalThis.navigator as Partial<Navigator> | undefined)?.gpu;
  if (!gpu) throw new DeviceError(noWebGpu());
  // A new adapter each time: an adapter gives one device only.
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (!adapter) {
    throw new DeviceError(
      "device: WebGPU needs a graphics adapter, got none from this browser. " +
        "Update the graphics driver, see chrome://gpu, reload the page if the GPU crashed before, or use the device 'cpu'.",
    );
  }
  const requiredLimits: Record<string, number> = {};
  if (limits === "adapter") for (const name of raisedLimits) requiredLimits[name] = adapter.limits[name];
  const requiredFeatures = usefulFeatures.filter((name) => adapter.features.has(name));
  try {
    const device = await adapter.requestDevice({ label: "flywheel", requiredFeatures, requiredLimits });
    return { device, info: describeAdapter(device, adapter.info) };
  } catch (error) {
    throw new DeviceError(
      `device: the adapter must give a device, got "${String(error)}". Reload the page, or use the device 'cpu'.`,
      { cause: error },
    );
  }
}

function noWebGpu(): string {
  const where = "device: WebGPU needs navigator.gpu, got a runtime without it. ";
  if ((globalThis as { isSecureContext?: boolean }).isSecureContext === false) {
    return `${where}This page is not a secure context: serve it over https or from localhost.`;
  }
  return (
    `${where}Use a browser with WebGPU (Chrome or Edge 113, Safari 26, Firefox 141), in Node the npm package "webgpu", ` +
    "or the device 'cpu'."
  );
}

/** What the browser says of an adapter. */
export type BrowserInfo = Omit<AdapterInfo, "isSoftware" | "maxStorageBufferBindingSize">;

/** The browser's own words about an adapter. Older browsers have no `device.adapterInfo`. */
export function describeAdapter(
  device: GPUDevice,
  info: Partial<GPUAdapterInfo> = (device as Partial<GPUDevice>).adapterInfo ?? {},
): BrowserInfo {
  return {
    vendor: info.vendor ?? "",
    architecture: info.architecture ?? "",
    device: info.device ?? "",
    description: info.description ?? "",
    isFallback: info.isFallbackAdapter ?? false,
    features: [...device.features].sort(),
    subgroupMinSize: info.subgroupMinSize,
    subgroupMaxSize: info.subgroupMaxSize,
  };
}

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|warp\b|basic render|software|\bcpu\b/i;

/** Software when the browser says fallback, or when it bears the name of a rasteriser that runs on the CPU. */
export function classify(info: BrowserInfo): AdapterClass {
  const names = [info.vendor, info.architecture, info.device, info.description].join(" ");
  return info.isFallback || softwareNames.test(names) ? "software" : "hardware";
}

/** Names of vendors as browsers write them, words of their products, and their numbers on the PCI bus, which some say instead. */
const vendors: readonly (readonly [Vendor, RegExp])[] = [
  ["apple", /\bapple\b|0x106b/],
  ["nvidia", /\bnvidia\b|geforce|quadro|0x10de/],
  ["amd", /\bamd\b|radeon|0x1002/],
  ["intel", /\bintel\b|0x8086/],
  ["qualcomm", /\bqualcomm\b|adreno|0x5143/],
  ["arm", /\barm\b|\bmali\b|0x13b5/],
];

/** The vendor that an adapter names itself; where it does not, that its description names. */
export function vendorOf({ vendor, device, description }: BrowserInfo): Vendor {
  const named = (text: string): Vendor | undefined => vendors.find(([, names]) => names.test(text.toLowerCase()))?.[0];
  return named(vendor) ?? named(`${device} ${description}`) ?? "unknown";
}

export function readLimits(device: GPUDevice, adapterClass: AdapterClass, info: BrowserInfo): GpuLimits {
  const { limits } = device;
  const hasSubgroups = device.features.has("subgroups") && info.subgroupMinSize === info.subgroupMaxSize;
  return {
    adapterClass,
    vendor: vendorOf(info),
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxUniformBufferBindingSize: limits.maxUniformBufferBindingSize,
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    bindingOffsetAlignment: Math.max(limits.minStorageBufferOffsetAlignment, limits.minUniformBufferOffsetAlignment),
    subgroupSize: hasSubgroups ? (info.subgroupMinSize ?? 0) : 0,
    hasF16: device.features.has("shader-f16"),
  };
}
