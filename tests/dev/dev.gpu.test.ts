/** Tools for people: they show and run what the library runs, and leave everything as it was. */

import { beforeAll, describe, expect, it } from "vitest";
import { openDevice, tensor, withDevice } from "../../src";
import type { Device, Tensor } from "../../src";
import {
  bindKernel,
  bindShader,
  debug,
  DeviceArray,
  explain,
  kernelNames,
  launchesOf,
  type MatmulInfo,
  printProfile,
  profile,
  runKernel,
  synchronize,
  variantsOf,
} from "../../src/dev";

let device: Device;
beforeAll(async () => {
  device = await openDevice("webgpu");
});

const N = 24;
const strides = { offset: 0, batch: N * N, row: N, col: 1 };
const info: MatmulInfo = { batch: 1, m: N, n: N, k: N, a: strides, b: strides };
const numbers = (count: number, step: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => ((index * step) % 17) - 8);
const a = numbers(N * N, 3);
const b = numbers(N * N, 5);
const product = Array.from({ length: N * N }, (_, index) => {
  let sum = 0;
  for (let k = 0; k < N; k++) sum += a[Math.floor(index / N) * N + k]! * b[k * N + (index % N)]!;
  return sum;
});

const inputs = (): [Tensor, Tensor] =>
  withDevice(device, () => [tensor(a, { shape: [N, N] }), tensor(b, { shape: [N, N] })]);

describe("kernels by name", () => {
  it("lists families and variants, the device's choice first", () => {
    expect(kernelNames()).toContain("conv2dGradWeight");
    const variants = variantsOf(device, "matmul", info);
    const [x, y] = inputs();
    expect(variants[0]).toBe(launchesOf(x.matmul(y))[0]!.label);
    expect(variants).toContain("matmulTiled");
    expect(variants).not.toContain("sumPartials");
  });

  it("runs each variant, to the same result", async () => {
    for (const variant of variantsOf(device, "matmul", info)) {
      const { output, launches } = await runKernel(device, "matmul", info, [a, b], { outputLength: N * N, variant });
      expect([...output], variant).toEqual(product);
      expect(launches[0]).toMatchObject({ kernel: variant, flops: 2 * N ** 3 });
      expect(launches[0]!.timeMs).toBeGreaterThanOrEqual(0);
    }
  });

  it("rejects a variant that is none, and arrays that are missing", async () => {
    const run = runKernel(device, "matmul", info, [a, b], { outputLength: N * N, variant: "matmulFast" });
    await expect(run).rejects.toThrow("matmul: the variant must be one of");
    await expect(runKernel(device, "matmul", info, [a], { outputLength: N * N })).rejects.toThrow(
      "runKernel: there must be an array for input1, got none",
    );
  });

  it("runs kernels that work in place, on parts of arrays", async () => {
    const param = DeviceArray.from(device, new Float32Array(192).fill(3));
    const key = DeviceArray.from(device, new Float32Array(192).fill(1));
    const coefficients = DeviceArray.from(device, Float32Array.of(0.5, 0.5, 0, 0));
    const part = { inputs: [param.subarray(64, 128), key.subarray(64, 128), coefficients] };
    const launches = await bindKernel(device, "ema", { count: 64 }, part);
    launches.submit(2);
    await synchronize(device);
    const values = await key.data();
    expect([...values.slice(0, 64)]).toEqual(Array(64).fill(1));
    expect([...values.slice(64, 128)]).toEqual(Array(64).fill(2.5)); // 1 -> 2 -> 2.5
    expect([...values.slice(128)]).toEqual(Array(64).fill(1));
    expect(() => param.subarray(3, 64)).toThrow("start at a multiple of 64, got 3 to 64");
    launches.dispose();
    for (const array of [param, key, coefficients]) array.dispose();
  });

  it("runs shaders of one's own, and throws where they do not compile", async () => {
    const wgsl = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] *= 2.0; }`;
    const x = DeviceArray.from(device, Float32Array.of(1, 2, 3, 4));
    const call = { name: "testDouble", bindings: [x], grid: [1, 1, 1] as const };
    (await bindShader(device, { ...call, wgsl })).submit();
    expect([...(await x.data())]).toEqual([2, 4, 6, 8]);
    await expect(bindShader(device, { ...call, wgsl: wgsl.replace("x[id.x]", "y[id.x]") })).rejects.toThrow(
      "testDouble: the shader must compile",
    );
  });
});

describe("profile", () => {
  it("measures each launch and changes no result", async () => {
    const [x, y] = inputs();
    const compute = (): Tensor => x.matmul(y).relu().sum(0);
    const wanted = await compute().data();
    let values: ArrayLike<number> = [];
    const result = await profile(async () => (values = await compute().data()), { device });
    expect(values).toEqual(wanted);
    expect(result.launches.map(({ kernel }) => kernel)).toEqual(launchesOf(compute()).map(({ label }) => label));
    expect(result.launches[0]!.fused).toContain("matmul");
    expect(result.timeMs).toBeCloseTo(
      result.launches.reduce((sum, { timeMs }) => sum + timeMs, 0),
      9,
    );
    const lines = printProfile(result).split("\n");
    expect(lines).toHaveLength(result.launches.length + 2);
    expect(lines[0]).toMatch(/^# +kernel +output +ms +% +GFLOP\/s +GB\/s +fused$/);
    expect(printProfile(result, { byKernel: true })).toContain("reduceColumns");
    expect(await compute().data()).toEqual(wanted); // the device is as it was
  });

  it("needs a GPU", async () => {
    const cpu = await openDevice("cpu");
    await expect(profile(() => 0, { device: cpu })).rejects.toThrow(
      "profile: the device must be a WebGPU one, got cpu:",
    );
  });
});

describe("debug", () => {
  it("shows each new plan once, until it is ended", async () => {
    const shown: string[] = [];
    const [x] = inputs();
    const compute = (factor: number): Promise<unknown> => x.mul(factor).exp().sum(1).data();
    const stop = debug("schedule", { device, print: (text) => shown.push(text) });
    await compute(0.5);
    await compute(0.25); // the same plan
    const stopShaders = debug("wgsl", { device, print: (text) => shown.push(text) });
    await x.cos().data();
    stopShaders();
    stop();
    await x.sin().data();
    expect(shown).toHaveLength(3);
    expect(shown[0]).toContain("reduceRows");
    const shaders = shown.find((text) => text.includes("@compute"))!;
    expect(shaders).toMatch(/^\/\/ elementwise\.wgsl, specialised\n/);
  });
});

describe("explain", () => {
  it("tells what is wrong with its arguments", async () => {
    const cpu = await openDevice("cpu");
    expect(() => explain()).toThrow("explain: there must be tensors, got none");
    expect(() => explain(withDevice(cpu, () => tensor([1])))).toThrow("explain: the device must be a WebGPU one");
  });
});
