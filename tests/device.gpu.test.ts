/** Devices from end to end, through the public API only: opening, two at once, one's own, losing one, running out of memory. */

import {
  adapterInfo,
  AutogradError,
  Buffer,
  cat,
  defaultDevice,
  type Device,
  DeviceError,
  DeviceLostError,
  type DType,
  DTypeError,
  F,
  init,
  linspace,
  memory,
  nn,
  ones,
  openDevice,
  optim,
  OutOfMemoryError,
  Parameter,
  realize,
  type Tensor,
  tensor,
  where,
  withDevice,
  zeros,
} from "flywheel";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { withAskedLimits } from "./helpers/gpuDevices";
import { Training } from "./helpers/training";

let gpu: Device;
let cpu: Device;
beforeEach(async () => {
  cpu = await openDevice("cpu");
  gpu = await init({ device: "webgpu" });
});
afterEach(() => {
  vi.restoreAllMocks();
  gpu.destroy();
});

/** The error that `action` throws or rejects with. */
async function errorOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** A device of the page's own, to share, to lose or to break. */
async function newGpuDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  return adapter!.requestDevice();
}

describe("opening", () => {
  test("auto takes WebGPU, silently", async () => {
    const warn = vi.spyOn(console, "warn");
    const device = await init();
    expect(device.kind).toBe("webgpu");
    expect(defaultDevice()).toBe(device);
    expect(warn).not.toHaveBeenCalled();
    device.destroy();
  });

  test("without an adapter auto takes the CPU and warns exactly once", async () => {
    vi.spyOn(navigator.gpu, "requestAdapter").mockResolvedValue(null);
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const device = await init();
    expect(device.kind).toBe("cpu");
    expect(await tensor([1, 2]).mul(2).toArray()).toEqual([2, 4]);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/runs on the CPU.*adapter.*\{ device: "cpu" \}/)]]);
  });

  test("without an adapter webgpu is an error that says ways out, and leaves the default device", async () => {
    vi.spyOn(navigator.gpu, "requestAdapter").mockResolvedValue(null);
    const error = await errorOf(() => init({ device: "webgpu" }));
    expect(error).toBeInstanceOf(DeviceError);
    expect(error).not.toBeInstanceOf(DeviceLostError);
    expect(String(error)).toMatch(/adapter, got none.*driver.*device 'cpu'/);
    expect(defaultDevice()).toBe(gpu);
  });

  test("an adapter that gives no device is an error with its reason", async () => {
    const refuse = { requestDevice: () => Promise.reject(new Error("too busy")), features: new Set(), limits: {} };
    vi.spyOn(navigator.gpu, "requestAdapter").mockResolvedValue(refuse as unknown as GPUAdapter);
    expect(String(await errorOf(() => openDevice("webgpu")))).toMatch(/DeviceError.*too busy.*device 'cpu'/);
  });

  test("adapterInfo tells what the browser tells", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const { vendor, architecture, device, description } = adapter!.info;
    expect(adapterInfo()).toMatchObject({ vendor, architecture, device, description });
    expect(adapterInfo()).toEqual(gpu.adapterInfo());
    for (const feature of adapterInfo().features) expect(adapter!.features.has(feature)).toBe(true);
    expect(withDevice(cpu, adapterInfo).device).toBe("cpu");
  });

  test("adapterInfo tells the largest binding, which is 128 MiB at default limits", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const largest = async (limits: "adapter" | "default"): Promise<number> => {
      const device = await withAskedLimits(() => openDevice("webgpu", { limits }));
      const { maxStorageBufferBindingSize } = device.adapterInfo();
      device.destroy();
      return maxStorageBufferBindingSize;
    };
    expect(await largest("adapter")).toBe(adapter!.limits.maxStorageBufferBindingSize);
    expect(await largest("default")).toBe(2 ** 27);
  });
});

/** Values of each dtype with its extremes, in odd numbers. */
const VALUES: Readonly<Record<Exclude<DType, "f64" | "f16">, readonly number[]>> = {
  f32: [0, -0, 1.5, -3e38, 1e-30, NaN, Infinity, -Infinity, 16777217],
  i32: [0, -1, 2147483647, -2147483648, 5],
  u32: [0, 1, 4294967295],
  u8: [0, 1, 127, 128, 255, 3, 2],
  bool: [1, 0, 1, 1, 0],
};

describe("two devices in one process", () => {
  test("f64 stays on the CPU", async () => {
    const x = tensor([0.1], { dtype: "f64", device: cpu });
    await expect(x.to(gpu)).rejects.toThrow(/f64 must stay on the CPU/);
    await expect(x.to(gpu)).rejects.toBeInstanceOf(DTypeError);
    expect(await (await x.float().to(gpu)).data()).toEqual(Float32Array.of(0.1));
    const make: (() => unknown)[] = [
      () => tensor([0.1], { dtype: "f64" }),
      () => tensor([0.1]).to("f64"),
      () => tensor([0.1]).double(),
      () => new nn.Linear(2, 1).double(),
    ];
    for (const act of make) {
      expect(act).toThrow(DTypeError);
      expect(act).toThrow(/f64 must stay on the CPU, got one for webgpu:\d+\. Cast it with \.to\("f32"\)/);
    }
  });

  test.each(Object.keys(VALUES) as (keyof typeof VALUES)[])("%s goes there and back", async (dtype) => {
    for (const values of [VALUES[dtype], VALUES[dtype].slice(0, 1), []]) {
      const here = tensor([...values], { dtype, device: cpu });
      const there = await here.to(gpu);
      expect([there.device, there.dtype, there.shape]).toEqual([gpu, dtype, [values.length]]);
      const computed = await cat([there, there.flip(0)]).realize(); // not only what the host still had
      const back = await computed.to(cpu);
      expect([back.device, back.dtype]).toEqual([cpu, dtype]);
      const expected = await cat([here, here.flip(0)]).data();
      expect(await back.data()).toEqual(expected);
      expect(await computed.data()).toEqual(expected);
    }
    expect(await tensor(3).to(gpu)).toMatchObject({ device: gpu, shape: [] });
  });

  test("to the own device is the tensor itself; a copy is a leaf, with a gradient of its own where a leaf had one", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    expect(await x.to(gpu)).toBe(x);
    const copy = await x.to(cpu);
    expect(copy.isLeaf).toBe(true);
    copy.square().sum().backward();
    expect(await copy.grad!.toArray()).toEqual([2, 4]);
    expect(x.grad).toBeNull();

    const computed = await x.mul(2).to(cpu);
    expect(computed.isLeaf).toBe(true);
    expect(() => {
      computed.sum().backward();
    }).toThrow(AutogradError);
  });

  test("a model trains on each, side by side, with the same numbers", async () => {
    const losses: number[][] = [];
    const runs = [gpu, cpu].map((device) => withDevice(device, () => new Training()));
    for (let step = 0; step < 5; step++) losses.push(await Promise.all(runs.map((run) => run.step().item())));
    for (const [onGpu, onCpu] of losses) expect(onGpu).toBeCloseTo(onCpu!, 5);
    expect(losses.at(-1)![0]).toBeLessThan(losses[0]![0]!);
  });

  test("ops on tensors of two devices are errors that say what to do", async () => {
    const a = tensor([[1, 2]], { requiresGrad: true });
    const b = tensor([[3, 4]], { device: cpu });
    const layer = new nn.Linear(2, 2);
    const onCpu = withDevice(cpu, () => new nn.Linear(2, 2));
    const mixed: Record<string, () => unknown> = {
      add: () => a.add(b),
      matmul: () => a.matmul(b.transpose(0, 1)),
      cat: () => cat([a, b]),
      where: () => where(a.gt(0), a, b),
      forward: () => layer.forward(b),
      loss: () => F.mseLoss(a, b),
      backward: () => a.mul(2).backward(b),
      grad: () => (a.grad = b),
      assign: () => layer.weight.assign(onCpu.weight),
      SGD: () => new optim.SGD([layer.weight, onCpu.weight], { lr: 1 }),
    };
    for (const [name, action] of Object.entries(mixed)) {
      const error = await errorOf(action);
      expect(error, name).toBeInstanceOf(DeviceError);
      expect(String(error), name).toMatch(/one device, got (webgpu:\d+ and cpu:\d+|cpu:\d+ and webgpu:\d+)/);
    }
    expect(await a.add(await b.to(gpu)).toArray()).toEqual([[4, 6]]);
  });

  test("tensors on several devices can be realized together", async () => {
    const [a, b] = [tensor([1]).mul(2), tensor([2], { device: cpu }).mul(2)];
    await realize(a, b);
    expect([await a.item(), await b.item()]).toEqual([2, 4]);
  });
});

describe("a GPUDevice of the page's own", () => {
  test("is shared: it works, and is still there afterwards", async () => {
    const own = await newGpuDevice();
    const device = await init({ gpuDevice: own });
    expect(device.kind).toBe("webgpu");
    const training = new Training();
    const losses = [await training.step().item(), await training.step().item(), await training.step().item()];
    expect(losses[2]).toBeLessThan(losses[0]!);
    device.destroy();
    expect(await stillWorks(own)).toBe(true);
    const again = await init({ gpuDevice: own });
    expect(await tensor([1, 2]).mul(2).toArray()).toEqual([2, 4]);
    again.destroy();
    own.destroy();
  });

  test("errors of the page's own use are not taken for flywheel's", async () => {
    const own = await newGpuDevice();
    const device = await init({ gpuDevice: own });
    own.pushErrorScope("validation");
    own.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    expect(await tensor([1, 2]).mul(2).toArray()).toEqual([2, 4]);
    expect(await own.popErrorScope()).not.toBe(null);
    device.destroy();
    own.destroy();
  });
});

async function stillWorks(own: GPUDevice): Promise<boolean> {
  const buffer = own.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ, mappedAtCreation: true });
  buffer.unmap();
  await buffer.mapAsync(GPUMapMode.READ);
  return buffer.getMappedRange().byteLength === 4;
}

describe("a lost device", () => {
  const MAX_MS = 2000;

  /** Expects DeviceLostError from every promise, soon. */
  async function expectLost(promises: Iterable<Promise<unknown>>): Promise<void> {
    const start = performance.now();
    for (const outcome of await Promise.allSettled(promises)) {
      expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(DeviceLostError) as Error });
    }
    expect(performance.now() - start).toBeLessThan(MAX_MS);
  }

  test("every pending and later read rejects, and none gives data", async () => {
    const own = await newGpuDevice();
    const device = await init({ gpuDevice: own });
    const weight = new Parameter(tensor([1, 2, 3]));
    const resident = await tensor([1, 2, 3]).mul(2).realize();
    const wasRead = tensor([1]).mul(5);
    expect(await wasRead.item()).toBe(5);
    const given = tensor([7]);
    const reads = (): Promise<unknown>[] => [
      resident.data(),
      weight.data(),
      resident.to(cpu),
      new nn.Sequential(new nn.Linear(2, 2)).forward(zeros([1, 2])).data(),
    ];
    const pending = reads();
    own.destroy();
    await expectLost(pending);
    const later = [resident, weight, wasRead, given].flatMap((x) => [x.data(), x.to(cpu), x.toArray()]);
    await expectLost([...later, resident.realize(), realize(resident, weight)]);
    for (const use of [() => tensor([1]), () => resident.add(1), () => weight.mul(given), () => zeros([2])]) {
      expect(use).toThrow(DeviceLostError);
    }
    expect(await errorOf(() => resident.data())).toMatchObject({
      message: expect.stringMatching(/lost.*init\(\).*checkpoint/) as string,
    });
    device.destroy();
  });

  test("in the middle of a training loop: the loop ends with DeviceLostError, and a new device trains again", async () => {
    const own = await newGpuDevice();
    await init({ gpuDevice: own });
    const training = new Training();
    const losses: Promise<number>[] = [];
    const kept: Tensor[] = [];
    let lostAfter = Infinity;
    const loop = async (): Promise<void> => {
      for (let step = 0; step < 10_000; step++) {
        const loss = training.step();
        kept.push(loss);
        losses.push(loss.item());
        losses.at(-1)!.catch(() => undefined); // looked at below
        if (step === 5) setTimeout(() => (own.destroy(), (lostAfter = performance.now())));
        await losses.at(-1);
      }
    };
    const error = await errorOf(loop);
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(performance.now() - lostAfter).toBeLessThan(MAX_MS);
    expect(losses.length).toBeGreaterThan(5);
    const outcomes = await Promise.allSettled(losses);
    const first = outcomes.findIndex(({ status }) => status === "rejected");
    expect(outcomes.slice(first < 0 ? outcomes.length : first).every(({ status }) => status === "rejected")).toBe(true);
    expect(() => training.step()).toThrow(DeviceLostError);
    await expectLost([...kept.map((loss) => loss.item()), ...training.model.parameters().map((p) => p.data())]);

    const again = await init({ device: "webgpu" });
    const fresh = new Training();
    const before = await fresh.step().item();
    for (let step = 0; step < 10; step++) fresh.step();
    expect(await fresh.step().item()).toBeLessThan(before);
    again.destroy();
  });

  test("reads that wait together all reject, and nothing rejects unseen", async () => {
    const own = await newGpuDevice();
    await init({ gpuDevice: own });
    const training = new Training();
    const [first, second] = [training.step(), training.step()];
    const reads = [
      first.item(),
      second.item(),
      training.model.stateDict()["0.weight"]!.data(),
      cat([first.reshape(1), second.reshape(1)]).data(),
    ];
    own.destroy();
    await expectLost(reads);
    await new Promise((resolve) => setTimeout(resolve, 50));
  });

  test("a device destroyed on purpose rejects what is pending, and says so afterwards", async () => {
    const x = tensor([1, 2]).mul(2);
    const pending = x.data();
    gpu.destroy();
    expect(await errorOf(() => pending)).toBeInstanceOf(DeviceLostError);
    expect(String(await errorOf(() => x.data()))).toMatch(/DeviceError: .*webgpu:\d+, which was destroyed.*init\(\)/);
    expect(() => defaultDevice()).toThrow(DeviceError);
  });
});

describe("out of memory", () => {
  test("a tensor far above the limit says how much was asked and held; smaller ones still work", async () => {
    const training = new Training();
    await training.step().item();
    const held = memory().liveByteLength;
    expect(held).toBeGreaterThan(0);
    const rows = 2 ** 20;
    const huge: Record<string, () => Promise<unknown>> = {
      filled: () => zeros([rows, rows]).realize(),
      computed: () =>
        tensor(new Float32Array(rows))
          .reshape(-1, 1)
          .add(zeros([rows]))
          .realize(),
      read: () => zeros([rows, 2048]).add(1).data(),
      "in between": () =>
        zeros([rows, 2048])
          .add(1)
          .matmul(zeros([2048, 1]))
          .sum(0)
          .data(),
    };
    for (const [name, action] of Object.entries(huge)) {
      const error = await errorOf(action);
      expect(error, name).toBeInstanceOf(OutOfMemoryError);
      const { byteLengthAsked, byteLengthLive } = error as OutOfMemoryError;
      expect(byteLengthAsked, name).toBeGreaterThanOrEqual(4 * 1024 * rows);
      expect(byteLengthLive, name).toBeGreaterThan(0);
      expect(String(error), name).toMatch(/must have (room for|at most) .*iB.* got .* held\. Use a smaller batch/);
      expect(await tensor([1, 2, 3]).mul(2).toArray(), name).toEqual([2, 4, 6]);
    }
    expect(await zeros([1024, 1024]).add(1).mean().item()).toBe(1);
    const loss = await training.step().item();
    expect(loss).toBeGreaterThan(0);
    expect(memory().liveByteLength).toBeLessThan(held + 2 ** 26);
  });

  test("neither a parameter nor a loss that there is no room for stands in the way of what follows", async () => {
    const training = new Training();
    await training.step().item();
    const error = await errorOf(() => new Parameter(zeros([2 ** 30])).data());
    expect(error).toBeInstanceOf(OutOfMemoryError);
    const loss = zeros([2 ** 20, 2048])
      .add(1)
      .matmul(ones([2048, 1]))
      .mean();
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await errorOf(() => loss.item())).toBeInstanceOf(OutOfMemoryError);
    }
    expect(await training.step().item()).toBeGreaterThan(0);
    expect(await tensor([1, 2, 3]).mul(2).toArray()).toEqual([2, 4, 6]);
  });

  test("a step for which there is no room has not happened; state is as before, and training goes on", async () => {
    const [training, control] = [new Training(), new Training()];
    const seen = new Buffer(zeros([1]));
    for (let step = 0; step < 3; step++) expect(await training.step().item()).toBe(await control.step().item());
    seen.assign(tensor([7])); // before the failure: it has happened
    const running = new nn.BatchNorm1d(2);
    const huge = training.loss(
      ones([2 ** 29, 2]).mul(running.forward(ones([4, 2])).sum()),
      zeros([2 ** 29], { dtype: "i32" }),
    );
    training.optimizer.zeroGrad();
    huge.backward();
    const error = await errorOf(() => {
      training.optimizer.step();
    });
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(await errorOf(() => huge.item())).toBeInstanceOf(OutOfMemoryError);
    for (let step = 0; step < 3; step++) expect(await training.step().item()).toBe(await control.step().item());
    expect(await seen.item()).toBe(7);
    expect(await running.runningVar!.toArray()).toHaveLength(2);
  });

  test("what was made before the one without room is given back", async () => {
    await realize(zeros([100]).add(1));
    const before = memory().liveByteLength;
    for (let i = 0; i < 5; i++) {
      const [small, huge] = [zeros([2 ** 18]).add(i), zeros([2 ** 31]).add(i)];
      expect(await errorOf(() => realize(small, huge))).toBeInstanceOf(OutOfMemoryError);
    }
    expect(memory().liveByteLength).toBeLessThan(before + 3 * 2 ** 20);
  });

  test("a tensor that fits a buffer but no binding is too large for kernels that need all of it at once", async () => {
    const large = zeros([150 * 512, 512]).add(1); // 256 MiB a buffer, 128 MiB a binding
    const error = await errorOf(() => large.matmul(ones([512, 1])).realize());
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toMatchObject({ byteLengthAsked: 150 * 2 ** 20, byteLengthLive: memory().liveByteLength });
    expect(String(error)).toMatch(/matmul: a tensor must have at most 128\.00 MiB.* got 150\.00 MiB.*slices/);
    const part = large.slice([-2]).matmul(ones([512, 1]));
    expect(await part.toArray()).toEqual([[512], [512]]);
  });

  test("a GPU that refuses later: the reads under way say so, and the same size works when there is room again", async () => {
    const own = await newGpuDevice();
    const device = await init({ gpuDevice: own });
    expect(await needsRoom(8).item()).toBeGreaterThan(0);
    failAllocations(own, 1 << 20);
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await errorOf(() => needsRoom(512).data());
      expect(error).toBeInstanceOf(OutOfMemoryError);
      expect((error as OutOfMemoryError).byteLengthAsked).toBeGreaterThanOrEqual(1 << 20);
      expect((error as OutOfMemoryError).byteLengthLive).toBeGreaterThan(0);
    }
    vi.restoreAllMocks();
    for (const size of [64, 512]) {
      const onCpu = await withDevice(cpu, () => needsRoom(size)).item();
      expect(await needsRoom(size).item()).toBeCloseTo(onCpu, 2);
    }
    device.destroy();
    own.destroy();
  });

  test("what was made while the GPU refused is never read as data; written anew, state is good again", async () => {
    const own = await newGpuDevice();
    const device = await init({ gpuDevice: own });
    const training = new Training();
    const control = withDevice(gpu, () => new Training()); // a device of its own: no fault reaches it
    await training.step().item();
    await control.step().item();
    const saved = await snapshot(training);
    const early = await tensor([1, 2]).add(1).realize();
    await early.sum().item();

    failAllocations(own, 1 << 20);
    const refused = needsRoom(512);
    const later = tensor([3, 4]).mul(refused);
    const pending = [refused.realize(), later.realize()]; // nobody is told yet
    training.step();
    training.step();
    const loss = training.step();
    await Promise.all(pending);
    expect(await errorOf(() => zeros([3]).add(1).data())).toBeInstanceOf(OutOfMemoryError);
    vi.restoreAllMocks();

    const lost: Record<string, () => Promise<unknown>> = {
      "its value": () => refused.item(),
      "what was built on it": () => later.data(),
      "what is built on it now": () => later.add(1).data(),
      "a loss of that time": () => loss.item(),
      "a parameter that was trained": () => training.model.parameters()[0]!.data(),
      "a step from there": async () => training.step().item(),
    };
    for (const [name, action] of Object.entries(lost)) {
      await expect(action(), name).rejects.toThrow(OutOfMemoryError);
    }
    expect(await early.toArray()).toEqual([2, 3]);
    expect(await needsRoom(512).item()).toBeGreaterThan(0);

    training.model.loadStateDict(saved.model);
    training.optimizer.loadStateDict(saved.optimizer);
    for (let step = 0; step < 3; step++) expect(await training.step().item()).toBe(await control.step().item());
    device.destroy();
    own.destroy();
  });
});

/** The state of a training as values, as a checkpoint would hold it. */
async function snapshot({ model, optimizer }: Training) {
  const values: Record<string, Tensor> = {};
  for (const [name, view] of Object.entries(model.stateDict())) values[name] = await copyOf(view);
  const { state, param_groups } = optimizer.stateDict();
  const momenta: Record<number, { momentum_buffer: Tensor }> = {};
  for (const [index, { momentum_buffer }] of Object.entries(state)) {
    momenta[Number(index)] = { momentum_buffer: await copyOf(momentum_buffer) };
  }
  return { model: values, optimizer: { state: momenta, param_groups } };
}

const copyOf = async (view: {
  readonly shape: readonly number[];
  data(): ReturnType<Tensor["data"]>;
}): Promise<Tensor> => tensor(await view.data()).reshape(...view.shape);

/** One number, computed by way of a matrix that must lie in memory. */
function needsRoom(size: number): Tensor {
  const x = linspace(0, 1, size);
  return x
    .reshape(-1, 1)
    .add(x)
    .matmul(ones([size, 1]))
    .amax(0);
}

/** Makes the GPU refuse buffers from a size on, as a driver does: the buffer is made, and its error scope tells later. */
function failAllocations(own: GPUDevice, fromByteLength: number): void {
  const refused: boolean[] = [];
  const createBuffer = own.createBuffer.bind(own);
  const pushErrorScope = own.pushErrorScope.bind(own);
  const popErrorScope = own.popErrorScope.bind(own);
  vi.spyOn(own, "pushErrorScope").mockImplementation((filter) => {
    refused.push(false);
    pushErrorScope(filter);
  });
  vi.spyOn(own, "createBuffer").mockImplementation((descriptor) => {
    const fails = descriptor.size >= fromByteLength;
    if (fails) refused[refused.length - 1] = true;
    const buffer = createBuffer(descriptor);
    if (fails) buffer.destroy();
    return buffer;
  });
  vi.spyOn(own, "popErrorScope").mockImplementation(async () => {
    const fails = refused.pop();
    const error = await popErrorScope();
    return fails ? new GPUOutOfMemoryError("VK_ERROR_OUT_OF_DEVICE_MEMORY") : error;
  });
}
