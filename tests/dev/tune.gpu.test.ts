/** Tuning: candidates are tried before they are timed, the fastest right ones are taken, and what was found can be kept. */

import { compile, F, grad, init, manualSeed, rand, type Device, type Tensor } from "flywheel";
import { forgetTuning, launchesOf, printTuning, savedTuning, tune, useTuning } from "flywheel/dev";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DeviceError, KernelError, ValueError } from "../../src/errors";
import { openDevice } from "../../src/device";
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
    const report = await tune(async () => {
      await a.matmul(b).data();
      await convolution();
    });
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
    expect(report).toEqual({ uses: [], left: 1 });
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

  test.each(["", "{}", '{"adapter":"x","chosen":{"a":1}}', "[1]"])("refuses what is no tuning: %s", (text) => {
    expect(() => useTuning(text)).toThrow(ValueError);
  });

  test("needs a GPU", async () => {
    const cpu = await openDevice("cpu");
    await expect(tune(() => undefined, { device: cpu })).rejects.toThrow(DeviceError);
    expect(device.kind).toBe("webgpu");
  });
});
