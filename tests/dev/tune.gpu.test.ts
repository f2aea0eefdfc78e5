/** Tuning: candidates are tried before they are timed, the fastest right ones are taken, and what was found can be kept. */

import { compile, F, grad, init, manualSeed, rand, type Device, type Tensor } from "flywheel";
import { calibrate, forgetTuning, launchesOf, printTuning, savedTuning, tune, useTuning } from "flywheel/dev";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DeviceError, KernelError, ValueError } from "../../src/errors";
import { backendOf } from "../../src/dev/device";
import { openDevice } from "../../src/device";
import type { KernelLimits } from "../../src/kernels/kernel";
import { mostWork } from "../../src/kernels/parts";
import { BROKEN } from "../helpers/pipelineLabels";

let device: Device;
beforeAll(async () => {
  device = await init({ device: "webgpu" });
});

let a: Tensor, b: Tensor, x: Tensor, weight: Tensor;
beforeEach(async () => {
  manualSeed(0);
  [a, b] = [await rand([40, 24]).realize(), await rand([24, 32]).realize()];
  [x, weight] = [await rand([2, 5, 9, 8]).realize(), await rand([6, 5, 3, 3]).realize()];
});
afterEach(() => {
  forgetTuning();
});

const convolution = (): Promise<unknown> => {
  const [input, kernel] = [x.detach().requiresGrad_(), weight.detach().requiresGrad_()];
  const out = F.conv2d(input, kernel, null, { stride: 2, padding: 1 });
  return Promise.all(grad(out.sum(), [input, kernel]).map((each) => each.data()));
};

const notCompiling = (wgsl: string): string => `${wgsl.replace("@compute", "@compite")}\n${BROKEN}`;

describe("tune", () => {
  test("tries every variant of what a program uses, and finds all of them right", async () => {
    const heard: string[] = [];
    const onProgress = (done: number, count: number): unknown => heard.push(`${done} of ${count}`);
    const program = async (): Promise<void> => {
      await a.matmul(b).data();
      await convolution();
    };
    const report = await tune(program, { onProgress });
    expect(heard).toEqual(["0 of 3", "1 of 3", "2 of 3", "3 of 3"]);
    const byKernel = Object.fromEntries(report.uses.map(({ kernel, tried }) => [kernel, tried]));
    expect(Object.keys(byKernel).sort()).toEqual(["conv2dGradInput", "conv2dGradWeight", "matmul"]);
    for (const tried of Object.values(byKernel)) {
      expect(tried.filter(({ rejected }) => rejected !== null)).toEqual([]);
      expect(tried.length).toBeGreaterThan(1);
    }
    expect(report.left).toBe(0);
    expect(printTuning(report)).toContain("matmulTiled");
  });

  test.each([
    ["leaves a part out", (wgsl: string) => wgsl.replace("break if i >= rows", "break if i + 1u >= rows")],
    ["is a little wrong", (wgsl: string) => wgsl.replace("epilogue(results[i][j]", "epilogue(1.001 * results[i][j]")],
    ["does not compile", notCompiling],
  ])("never takes a variant that %s", async (_what, broken) => {
    const report = await tune(() => a.matmul(b).data(), {
      edit: (wgsl, variant) => (variant === "matmul" ? `${broken(wgsl)}\n${BROKEN}` : wgsl),
    });
    const [use] = report.uses;
    const rejected = use!.tried.filter((each) => each.rejected !== null);
    expect(rejected.map(({ variant }) => variant)).toEqual(["matmul"]);
    expect(use!.chosen).not.toBe("matmul");
    expect(printTuning(report)).toContain("matmul rejected: ");
  });

  test("says so where no variant is right", async () => {
    const broken = tune(() => a.matmul(b).data(), { edit: notCompiling });
    await expect(broken).rejects.toThrow(KernelError);
  });

  test("stops when its time is over", async () => {
    const report = await tune(() => a.matmul(b).data(), { budgetMs: -1 });
    expect(report).toEqual({ uses: [], left: 1, rates: null });
  });

  test("what is chosen is what runs, also where it was compiled before", async () => {
    const product = compile((left: Tensor, right: Tensor) => left.matmul(right));
    for (let call = 0; call < 4; call++) await product(a, b).data();
    const exact = await product(a, b).data();
    const report = await tune(() => product(a, b).data(), {
      edit: (wgsl, variant) => (variant === "matmulTiled" ? wgsl : notCompiling(wgsl)),
    });
    expect(report.uses[0]!.chosen).toBe("matmulTiled");
    expect(launchesOf(a.matmul(b))[0]!.label).toBe("matmulTiled");
    const tiled = await product(a, b).data();
    exact.forEach((value, index) => expect(Math.abs(tiled[index]! - value)).toBeLessThan(1e-4));
    forgetTuning();
    expect(launchesOf(a.matmul(b))[0]!.label).not.toBe("matmulTiled");
  });

  test("can be kept, and is taken by the same adapter only", async () => {
    await tune(() => a.matmul(b).data(), {
      edit: (wgsl, variant) => (variant === "matmulStrided" ? wgsl : notCompiling(wgsl)),
    });
    const text = savedTuning();
    forgetTuning();
    expect(useTuning(text)).toBe(true);
    expect(launchesOf(a.matmul(b))[0]!.label).toBe("matmulStrided");
    forgetTuning();
    expect(useTuning(text.replace(/"adapter":"/, '"adapter":"other '))).toBe(false);
    expect(launchesOf(a.matmul(b))[0]!.label).not.toBe("matmulStrided");
    const again = await tune(() => a.matmul(b).data());
    expect(again.uses).toHaveLength(1);
    expect((await tune(() => a.matmul(b).data())).uses).toHaveLength(0); // known
  });

  test.each(["", "{}", "[1]"])("refuses what is no tuning: %s", (text) => {
    expect(() => useTuning(text)).toThrow(ValueError);
  });

  test("refuses what has no choices, but only as its own: others may have written otherwise", () => {
    const own = JSON.stringify({ ...(JSON.parse(savedTuning()) as object), chosen: { a: 1 } });
    expect(() => useTuning(own)).toThrow(ValueError);
    expect(useTuning('{"adapter":"x","selected":{"a":1}}')).toBe(false);
  });

  test.each([
    ["version", (text: string) => text.replace(/\|\d+\.\d+\.\d+[^|]*\|/, "|9.9.9|")],
    ["shaders", (text: string) => text.replace(/\|[0-9a-f]{6,8}\|subgroups/, "|0|subgroups")],
    ["subgroups", (text: string) => text.replace(/\|subgroups [\d?]+-/, "|subgroups 3-")],
    ["features", (text: string) => text.replace(/(\|subgroups [^|]*\|)/, "$1another-feature ")],
    ["limits", (text: string) => text.replace(/maxStorageBufferBindingSize (\d+)/, "maxStorageBufferBindingSize 1$1")],
  ])("is not taken with other %s", (_what, change) => {
    const text = savedTuning();
    expect(useTuning(text)).toBe(true);
    expect(change(text)).not.toBe(text);
    expect(useTuning(change(text))).toBe(false);
  });

  test("needs a GPU", async () => {
    const cpu = await openDevice("cpu");
    await expect(tune(() => undefined, { device: cpu })).rejects.toThrow(DeviceError);
    expect(device.kind).toBe("webgpu");
  });
});

describe("calibrate", () => {
  const asHardware = async (): Promise<{ own: Device; limits: KernelLimits }> => {
    const own = await openDevice("webgpu");
    const { limits } = backendOf("test", own).gpu;
    Object.assign(limits, { adapterClass: "hardware" } satisfies Partial<KernelLimits>);
    return { own, limits };
  };

  test("measures, and launches are cut by it from then on, also once it was saved", async () => {
    const { own, limits } = await asHardware();
    const before = mostWork(limits);
    const rates = (await calibrate(own))!;
    // any machine that can run this reaches these
    expect(rates.flopsPerSecond).toBeGreaterThan(1e7);
    expect(rates.bytesPerSecond).toBeGreaterThan(1e7);
    const most = mostWork(limits);
    expect(most.flops).toBeCloseTo(rates.flopsPerSecond * (0.05 / 4), 0);
    expect(most.bytes).toBeCloseTo(rates.bytesPerSecond * (0.05 / 4), 0);
    const text = savedTuning(own);
    forgetTuning(own);
    expect(mostWork(limits)).toEqual(before);
    expect(useTuning(text, own)).toBe(true);
    expect(mostWork(limits)).toEqual(most);
    expect(() => useTuning(text.replace('"mostWork":{', '"mostWork":{"flops":-1,"was":{'), own)).toThrow(ValueError);
    own.destroy();
  });

  test("is a part of tuning", async () => {
    const { own, limits } = await asHardware();
    const report = await tune(() => undefined, { device: own });
    expect(report.rates).not.toBeNull();
    expect(printTuning(report)).toMatch(/^the adapter reaches [\d.e+]+ GFLOP\/s and [\d.e+]+ GB\/s/);
    const most = mostWork(limits);
    expect((await tune(() => undefined, { device: own })).rates).toBeNull(); // known
    expect(mostWork(limits)).toBe(most);
    own.destroy();
  });

  test("leaves software alone, and needs a GPU", async () => {
    if (backendOf("test", device).gpu.adapterClass === "software") expect(await calibrate(device)).toBeNull();
    const cpu = await openDevice("cpu");
    await expect(calibrate(cpu)).rejects.toThrow(DeviceError);
  });
});
