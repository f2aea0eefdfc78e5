import { expect, test } from "vitest";
import { DeviceError, DeviceLostError, InternalError, KernelError, OutOfMemoryError } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { expectUncaptured } from "../helpers/gpuDevices.ts";
import {
  bind,
  dispatch,
  download,
  floats,
  increment,
  incrementWgsl,
  newDevice,
  rejections,
  upload,
} from "./kernels.ts";

const MAX_MS = 2000;

/** Expects DeviceLostError from each promise, within two seconds. */
async function expectLost(...promises: Promise<unknown>[]): Promise<void> {
  const start = performance.now();
  for (const error of await rejections(promises)) expect(error).toBeInstanceOf(DeviceLostError);
  expect(performance.now() - start).toBeLessThan(MAX_MS);
}

test("when the device is lost, pending and later reads reject within 2 s and nothing else works", async () => {
  const device = await newDevice();
  const gpu = Gpu.fromDevice(device);
  const a = upload(gpu, 1);
  const step = increment(gpu, a);
  const unread = gpu.submit([step], { stage: [a] });
  const done = gpu.submit([step], { stage: [a] });
  await done.read();
  const pending = [
    gpu.read([a]),
    gpu.submitAndRead([step], [a]),
    gpu.submit([step], { stage: [a] }).read(),
    gpu.check(),
  ];
  device.destroy();
  await expectLost(...pending);
  expect(await gpu.lost).toMatch(/destroyed/);
  expect(gpu.isLost).toBe(true);

  const later = [gpu.read([a]), gpu.read([]), gpu.submitAndRead([step], [a]), unread.read(), done.read()];
  await expectLost(...later, gpu.check(), gpu.time([step]));
  expect(() => gpu.allocate(4, "test")).toThrow(DeviceLostError);
  expect(() => gpu.submit([step])).toThrow(DeviceLostError);
  expect(() => gpu.pipeline("testIncrement", incrementWgsl)).toThrow(DeviceLostError);
  expect(() => step.kind === "dispatch" && gpu.bindGroup(step.pipeline, step.bindGroup.bindings)).toThrow(
    DeviceLostError,
  );
  expect(() => {
    gpu.write(a, floats(1));
  }).toThrow(DeviceLostError);
  gpu.free(a.buffer);
  gpu.destroy();
});

test("a loss between submit and map rejects the read", async () => {
  const device = await newDevice();
  const gpu = Gpu.fromDevice(device);
  const block = gpu.submit([], { stage: [upload(gpu, 1)] });
  device.destroy(); // gpu does not know yet
  expect(gpu.isLost).toBe(false);
  await expectLost(block.read());
});

test("destroy() rejects what is pending and frees everything", async () => {
  const gpu = await Gpu.request();
  const a = upload(gpu, 1);
  const pending = [gpu.read([a]), gpu.check()];
  gpu.destroy();
  gpu.destroy();
  await expectLost(...pending, gpu.read([a]));
  expect(gpu.heldByteLength).toBe(0);
  expect(await gpu.lost).toBe("destroyed");
  expect((await gpu.device.lost).reason).toBe("destroyed");
});

test("a loss is believed even when maps neither fail nor finish", async () => {
  const device = await newDevice();
  const lose = fakeLoss(device);
  hang(device);
  const gpu = Gpu.fromDevice(device);
  const a = upload(gpu, 1);
  const pending = gpu.read([a]);
  lose("the driver was reset");
  await expectLost(pending, gpu.read([a]));
  expect(await gpu.lost).toContain("the driver was reset");
  await expect(gpu.read([a])).rejects.toThrow(/driver was reset.*checkpoint/);
  device.destroy();
});

test("data that arrives with the loss is not given out", async () => {
  const device = await newDevice();
  const lose = fakeLoss(device);
  const gpu = Gpu.fromDevice(device);
  const a = upload(gpu, 1);
  onMap(device, async (map) => {
    await map();
    lose("just now");
    await gpu.lost;
  });
  await expectLost(gpu.read([a]));
  device.destroy();
});

test("data that arrived just before the loss is not given out either", async () => {
  const device = await newDevice();
  const gpu = Gpu.fromDevice(device);
  const a = upload(gpu, 1);
  onMap(device, (map) => {
    const mapped = map();
    // Registered after the read's own reaction, so it runs right behind it.
    queueMicrotask(() => {
      void mapped.then(() => {
        gpu.destroy();
      });
    });
    return mapped;
  });
  await expectLost(gpu.read([a]));
  device.destroy();
});

test("a map that fails shortly before the news of the loss is a loss", async () => {
  const device = await newDevice();
  const lose = fakeLoss(device);
  const gpu = Gpu.fromDevice(device);
  const a = upload(gpu, 1);
  onMap(device, () => {
    setTimeout(() => {
      lose("late news");
    }, 100);
    return Promise.reject(new DOMException("map failed", "AbortError"));
  });
  await expectLost(gpu.read([a]));
  device.destroy();
});

test("a map that fails because of an earlier error gives that error", async () => {
  const device = await newDevice();
  const gpu = Gpu.fromDevice(device);
  const a = upload(gpu, 1);
  onMap(device, () => Promise.reject(new DOMException("map failed", "OperationError")));
  gpu.pipeline("testBroken", "fn main() {");
  await expect(gpu.read([a])).rejects.toThrow(KernelError);
  device.destroy();
});

test("mapped bytes that vanish, and scopes that do not close, shortly before the news of the loss are a loss", async () => {
  for (const breakDown of [
    (device: GPUDevice, fail: () => never) => {
      onBuffer(device, (buffer) => (buffer.getMappedRange = fail));
    },
    (device: GPUDevice, fail: () => never) => {
      device.popErrorScope = async () => fail();
    },
    (device: GPUDevice, fail: () => never) => {
      device.queue.onSubmittedWorkDone = async () => fail();
    },
  ]) {
    const device = await newDevice();
    const lose = fakeLoss(device);
    const gpu = Gpu.fromDevice(device);
    const a = upload(gpu, 1);
    breakDown(device, () => {
      setTimeout(() => {
        lose("late news");
      }, 100);
      throw new DOMException("gone", "OperationError");
    });
    await expectLost(Promise.all([gpu.read([a]), gpu.check()]));
    device.destroy();
  }
});

test("a host without room for the bytes read throws OutOfMemoryError", async () => {
  const device = await newDevice();
  const gpu = Gpu.fromDevice(device);
  const a = upload(gpu, 1);
  const noRoom = (): never => {
    throw new RangeError("Array buffer allocation failed");
  };
  onBuffer(device, (buffer) => (buffer.getMappedRange = () => ({ slice: noRoom }) as unknown as ArrayBuffer));
  const [error] = await rejections([gpu.read([a])]);
  expect(error).toBeInstanceOf(OutOfMemoryError);
  expect(error).toMatchObject({ byteLengthAsked: 4 });
  device.destroy();
});

test("a map that fails on a device that is there is a DeviceError with its cause", async () => {
  const device = await newDevice();
  const gpu = Gpu.fromDevice(device);
  const a = upload(gpu, 1);
  onMap(device, () => Promise.reject(new DOMException("map failed", "OperationError")));
  const [error] = await rejections([gpu.read([a])]);
  expect(error).toBeInstanceOf(DeviceError);
  expect(error).not.toBeInstanceOf(DeviceLostError);
  expect(String(error)).toContain("map failed");
  device.destroy();
});

test("waiting reads leave nothing behind", async () => {
  const device = await newDevice();
  const gpu = Gpu.fromDevice(device);
  const a = upload(gpu, 1);
  for (let i = 0; i < 20; i++) await download(gpu, a);
  const { waiting, checks } = (gpu as unknown as { faults: { waiting: Set<unknown>; checks: Set<unknown> } }).faults;
  expect(waiting.size).toBe(0);
  expect(checks.size).toBe(0);
  device.destroy();
});

test("a shader that does not compile is named, with its line and its text", async () => {
  const gpu = await Gpu.request();
  const wgsl = incrementWgsl.replace("values[id.x] += 1;", "\n  values[id.x] += oops;\n");
  const pipeline = gpu.pipeline("testMatmulTiled", wgsl);
  const [error] = await rejections([gpu.check()]);
  expect(error).toBeInstanceOf(KernelError);
  expect(String(error)).toMatch(/^KernelError: testMatmulTiled: the shader must compile/);
  expect(String(error)).toMatch(/\n {2}4:\d+ .*oops.*\n {4}values\[id\.x\] \+= oops;$/);

  // Known by now: thrown at once, by everything that uses it.
  const a = upload(gpu, 1);
  const command = dispatch(pipeline, bind(gpu, pipeline, a), 1);
  expect(() => gpu.submit([command])).toThrow(KernelError);
  expect(() => gpu.submit([command])).toThrow(/oops/);
  expect(await download(gpu, a)).toEqual([1]);
  gpu.destroy();
});

test("a submit with a kernel that turns out not to compile rejects its read with KernelError", async () => {
  const gpu = await Gpu.request();
  const a = upload(gpu, 1);
  const pipeline = gpu.pipeline("testBroken", incrementWgsl.replace("+= 1", "+= 1u"));
  const command = dispatch(pipeline, bind(gpu, pipeline, a), 1);
  gpu.pipeline("testOther", "fn main() {");
  const errors = await rejections([gpu.submitAndRead([command], [a]), gpu.read([a])]);
  for (const error of errors) expect(error).toBeInstanceOf(KernelError);
  expect(String((errors[0] as KernelError).cause)).toMatch(/AggregateError: and \d more/);
  expect(await download(gpu, a)).toEqual([1]);
  gpu.destroy();
});

test("a pipeline that only the device can refuse says why", async () => {
  const gpu = await Gpu.request();
  gpu.pipeline("testWide", "@compute @workgroup_size(100000) fn main() {}");
  const [error] = await rejections([gpu.check()]);
  expect(error).toBeInstanceOf(KernelError);
  expect(String(error)).toMatch(/testWide: the shader must compile, got .*100000/s);
  gpu.destroy();
});

test("a validation error of a submit rejects the block and the reads under way, once", async () => {
  const gpu = await Gpu.request();
  const a = upload(gpu, 1);
  const { faultCount, submitCount } = gpu;
  gpu.submit([increment(gpu, upload(gpu, 1))]);
  await gpu.check();
  a.buffer.raw.destroy(); // behind the pool's back: WebGPU refuses the submit
  const block = gpu.submit([increment(gpu, a)], { stage: [a] });
  const errors = await rejections([block.read(), gpu.check()]);
  for (const error of errors) expect(error).toBeInstanceOf(DeviceError);
  expect(String(errors[0])).toMatch(/destroyed/);
  expect(gpu.faultCount).toBeGreaterThan(faultCount);
  await expect(gpu.check()).resolves.toBeUndefined();
  const next = gpu.submit([], { stage: [upload(gpu, 2)] });
  expect(new Float32Array(await next.read())[0]).toBe(2);
  const faults = [1, 2, 3].map((number) => gpu.faultOf(submitCount + number));
  expect(faults).toEqual([null, errors[0], null]);
  gpu.destroy();
});

test("errors that nobody asked for are thrown by the next read", async () => {
  const gpu = await Gpu.request();
  const a = upload(gpu, 1);
  expectUncaptured(/usage/i);
  gpu.device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
  const [error] = await rejections([gpu.check()]);
  expect(error).toBeInstanceOf(DeviceError);
  expect(error).not.toBeInstanceOf(InternalError);
  expect(String(error)).toMatch(/WebGPU must accept/);
  expect(await download(gpu, a)).toEqual([1]);
  gpu.destroy();
});

/** Replaces `device.lost` by one that the test resolves. */
function fakeLoss(device: GPUDevice): (message: string) => void {
  let lose: (message: string) => void = () => undefined;
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => {
    lose = (message) => {
      resolve({ reason: "unknown", message } as GPUDeviceLostInfo);
    };
  });
  Object.defineProperty(device, "lost", { value: lost });
  return lose;
}

/** Lets a test change every buffer made from now on. */
function onBuffer(device: GPUDevice, change: (buffer: GPUBuffer) => void): void {
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    change(buffer);
    return buffer;
  };
}

/** Replaces `mapAsync` of every buffer made from now on. */
function onMap(device: GPUDevice, fake: (map: () => Promise<undefined>) => Promise<void>): void {
  onBuffer(device, (buffer) => {
    const map = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = (...args) => fake(() => map(...args)) as Promise<undefined>;
  });
}

function hang(device: GPUDevice): void {
  onMap(device, () => new Promise(() => undefined));
}
