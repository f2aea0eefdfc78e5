/** Tools for people: they show and run what the library runs, and leave everything as it was. */

import { beforeAll, describe, expect, it, vi } from "vitest";
import { compile, openDevice, tensor, withDevice } from "../../src";
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
  printLaunches,
  printProfile,
  profile,
  programsIn,
  runKernel,
  synchronize,
  variantsOf,
} from "../../src/dev";
import { backendOf } from "../../src/dev/device";

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

  it("makes a track of the launches for the browser's Performance panel, if asked to", async () => {
    const [x, y] = inputs();
    const run = async (): Promise<void> => {
      await x.matmul(y).sum(0).data();
      await x.matmul(y).relu().data();
    };
    performance.clearMeasures();
    await profile(run, { device });
    expect(performance.getEntriesByType("measure")).toEqual([]);
    const beforeMs = performance.now();
    const { launches } = await profile(run, { device, tracks: true });
    const entries = performance.getEntriesByType("measure") as PerformanceMeasure[];
    performance.clearMeasures();
    expect(entries.map(({ name }) => name)).toEqual(launches.map(({ kernel }) => kernel));
    expect(entries.length).toBeGreaterThan(2);
    let endMs = beforeMs;
    entries.forEach(({ startTime, duration, detail }, index) => {
      const { devtools } = detail as { devtools: Record<string, unknown> };
      expect(devtools).toMatchObject({ dataType: "track-entry", track: "GPU", trackGroup: "flywheel" });
      expect(devtools["properties"]).toContainEqual(["output", `[${launches[index]!.output.join()}]`]);
      for (const pair of devtools["properties"] as unknown[][])
        expect(pair.map((part) => typeof part)).toEqual(["string", "string"]);
      expect(duration).toBeCloseTo(launches[index]!.timeMs, 2);
      expect(startTime).toBeGreaterThanOrEqual(endMs - 0.01); // one after the other, since the submit
      endMs = startTime + duration;
    });
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

describe("debug channels", () => {
  const watch = async (channel: Parameters<typeof debug>[0], body: () => Promise<unknown>): Promise<string[]> => {
    const shown: string[] = [];
    const stop = debug(channel, { device, print: (text) => shown.push(text) });
    await body();
    await synchronize(device);
    stop();
    return shown;
  };

  it("time: a table by kernel for each program, the plan new or not; results are the same", async () => {
    const [x, y] = inputs();
    const compute = (): Promise<ArrayLike<number>> => x.matmul(y).log1p().data();
    const wanted = await compute();
    const values: ArrayLike<number>[] = [];
    const shown = await watch("time", async () => values.push(await compute(), await compute()));
    expect(values).toEqual([wanted, wanted]);
    expect(shown).toHaveLength(2);
    const [title, header, ...lines] = shown[1]!.split("\n");
    expect(title).toBe("time by kernel");
    expect(header).toMatch(/^# +kernel +output +ms +% +GFLOP\/s +GB\/s/);
    expect(lines[0]).toMatch(/^1 +matmul/);
    expect(lines.at(-1)).toMatch(/^ +all/);
  });

  it("time: also of replays, whose scalars are read as ever", async () => {
    const [x, y] = inputs();
    const compiled = compile(() => x.matmul(y).mean());
    const replayed = (): Tensor => withDevice(device, compiled);
    const wanted = await replayed().item();
    for (let i = 0; i < 3; i++) await replayed().item();
    const values: number[] = [];
    const shown = await watch("time", async () => {
      for (let i = 0; i < 2; i++) values.push(await replayed().item());
    });
    expect(values).toEqual([wanted, wanted]);
    expect(shown.filter((text) => text.includes("matmul"))).toHaveLength(2);
  });

  it("time: what goes wrong is told here, and thrown where the result is read", async () => {
    const [x] = inputs();
    const { gpu } = backendOf("test", device);
    const shown = await watch("time", async () => {
      const time = gpu.time.bind(gpu);
      gpu.time = (commands) => {
        gpu.device.pushErrorScope = () => {
          delete (gpu.device as { pushErrorScope?: unknown }).pushErrorScope;
          gpu.device.pushErrorScope("validation");
          gpu.device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE }); // refused
        };
        return time(commands);
      };
      const y = await x.mul(7).realize();
      Reflect.deleteProperty(gpu, "time");
      await expect(y.data()).rejects.toThrow("WebGPU must accept what it is given");
    });
    expect(shown[0]).toMatch(/^time: DeviceError: device: WebGPU must accept/);
    expect(await x.mul(2).data()).toHaveLength(N * N); // the device goes on
  });

  it("time: by the clock where there are no timestamps", async () => {
    const { gpu } = backendOf("test", device);
    const { info } = gpu;
    Object.assign(gpu, { info: { ...info, features: [] } });
    const [x] = inputs();
    const shown = await watch("time", () => x.tan().data());
    Object.assign(gpu, { info });
    expect(shown).toEqual([expect.stringMatching(/^time: 1 launches in [\d.]+ ms, by the clock$/)]);
  });

  it("memory: what is held after each new plan", async () => {
    const [x] = inputs();
    const shown = await watch("memory", async () => {
      for (let i = 0; i < 2; i++) await x.cosh().data();
    });
    expect(shown).toHaveLength(1);
    expect(shown[0]).toMatch(
      /^memory: [\d.]+ \wi?B live, [\d.]+ \w*B of it pooled, [\d.]+ \w*B at the peak: .*slot [\d.]+ KiB in \d+/,
    );
  });

  it("kernels:NAME: that kernel's shader, in plans that have it", async () => {
    const [x, y] = inputs();
    const shown = await watch("kernels:reduceRows", async () => {
      await x.sinh().data();
      await x.matmul(y).sinh().sum(1).data();
    });
    expect(shown).toHaveLength(1);
    expect(shown[0]).toMatch(/^\/\/ reduceRows\.wgsl, specialised\n/);
    expect(shown[0]!.match(/@compute/g)).toHaveLength(1);
  });

  it("rejects others, and says which there are", () => {
    expect(() => debug("shedule" as "schedule", { device })).toThrow(
      'debug: the channel must be schedule, wgsl, memory, time or kernels:NAME, got "shedule"',
    );
    expect(() => debug("kernels:matmull", { device })).toThrow(
      /^debug: the kernel must be one of adam, .*matmul, .*, got "matmull"/,
    );
  });
});

describe("FLYWHEEL_DEBUG", () => {
  const isPage = typeof document !== "undefined";
  const opened = async (text: string): Promise<Device> => {
    if (isPage) localStorage.setItem("FLYWHEEL_DEBUG", text);
    else process.env["FLYWHEEL_DEBUG"] = text;
    try {
      return await openDevice("webgpu");
    } finally {
      if (isPage) localStorage.removeItem("FLYWHEEL_DEBUG");
      else delete process.env["FLYWHEEL_DEBUG"];
    }
  };

  it("opens channels on the devices that are opened with it", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const own = await opened(" schedule, kernels:elementwise,");
    await withDevice(own, () => tensor([1, 2, 3]).asinh()).data();
    const [x] = inputs();
    await x.asinh().data(); // another device
    const shown = log.mock.calls.map(([text]) => String(text));
    log.mockRestore();
    expect(shown).toHaveLength(2);
    expect(shown.some((text) => text.includes("cut because"))).toBe(true);
    expect(shown.some((text) => text.startsWith("// elementwise.wgsl"))).toBe(true);
    own.destroy();
  });

  it("that names no channel is an error, before a device is opened", async () => {
    await expect(opened("schedule,tim")).rejects.toThrow(
      'FLYWHEEL_DEBUG: the channel must be schedule, wgsl, memory, time or kernels:NAME, got "tim"',
    );
  });
});

describe("explain", () => {
  it("counts each operand and result of a kernel made from the graph, but no more of it than is gone through", () => {
    const [x, y] = inputs();
    const bytesOf = (z: Tensor): number[] => launchesOf(z).map(({ bytes }) => bytes);
    const all = 4 * N * N;
    expect(bytesOf(x.add(y).relu())).toEqual([3 * all]);
    expect(bytesOf(x.add(x))).toEqual([2 * all]);
    expect(bytesOf(x.add(y.narrow(0, 0, 1)))).toEqual([3 * all]); // which part is read is not looked at
    expect(bytesOf(x.narrow(0, 0, 12).exp())).toEqual([all]); // half in, half out
    expect(bytesOf(x.sum(1))).toEqual([all + 4 * N]);
    const [sweep] = launchesOf(x.softmax(1));
    expect(sweep).toMatchObject({ label: expect.stringContaining("sweep") as string, bytes: 2 * all });
  });

  it("tells the programs that run in some code, planned anew or not", async () => {
    const [x, y] = inputs();
    const compute = async (): Promise<void> => {
      await x.matmul(y).exp2().data();
      await x.mul(3).realize(); // one launch
    };
    const programs = await programsIn(compute, { device });
    expect(programs.map((launches) => launches.length)).toEqual([1, 1]);
    expect(programs[0]![0]!.fused).toEqual(["matmul", "exp2"]);
    expect(printLaunches(programs[0]!)).toContain("cut because");
    expect(await programsIn(compute, { device })).toEqual(programs);
    expect(await programsIn(() => x.mul(2), { device })).toEqual([]); // described only
  });

  it("tells what is wrong with its arguments", async () => {
    const cpu = await openDevice("cpu");
    expect(() => explain()).toThrow("explain: there must be tensors, got none");
    expect(() => explain(withDevice(cpu, () => tensor([1])))).toThrow("explain: the device must be a WebGPU one");
  });
});
