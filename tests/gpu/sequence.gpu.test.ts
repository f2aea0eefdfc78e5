/** What is asked for while pipelines compile happens later, in the same order, and to the same effect. */

import { expect, test, vi } from "vitest";
import { DeviceLostError, KernelError } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import {
  bind,
  dispatch,
  download,
  floats,
  incrementWgsl,
  increment,
  newDevice,
  rejections,
  upload,
  whole,
} from "./kernels.ts";

const doubleWgsl = incrementWgsl.replace("+= 1", "*= 2");

/** What is known of an adapter whose driver compiles several kernels at a time. */
const HARDWARE = { vendor: "a vendor", architecture: "", device: "", description: "", isFallback: false };

/** A device that compiles nothing until it is told to, and what it was told so far. */
async function slowDevice(
  requiredFeatures: GPUFeatureName[] = [],
): Promise<{ device: GPUDevice; asked: string[]; release: (label: string) => void }> {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice({ requiredFeatures });
  const asked: string[] = [];
  const releases = new Map<string, () => void>();
  const compile = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = async (descriptor) => {
    asked.push(descriptor.label!);
    await new Promise<void>((resolve) => releases.set(descriptor.label!, resolve));
    return compile(descriptor);
  };
  return { device, asked, release: (label) => releases.get(label)!() };
}

/** Labels of the submits that have reached a device: how many so far. */
function countSubmits(device: GPUDevice): () => number {
  let count = 0;
  const submit = device.queue.submit.bind(device.queue);
  device.queue.submit = (buffers) => {
    count++;
    submit(buffers);
  };
  return () => count;
}

test("pipelines compile all at once, and nothing is submitted before those it needs", async () => {
  const { device, asked, release } = await slowDevice();
  const submits = countSubmits(device);
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1, 2);
  const double = gpu.pipeline("testDouble", doubleWgsl);
  const plus = increment(gpu, a);
  expect(asked).toEqual(["testDouble", "testIncrement"]);
  const read = gpu.submitAndRead([plus, dispatch(double, bind(gpu, double, a), 2)], [a]);
  release("testIncrement");
  await vi.waitFor(() => {
    expect(gpu.pipeline("testIncrement", incrementWgsl).state).toBe("ready");
  });
  expect(submits()).toBe(0);
  release("testDouble");
  expect([...new Float32Array((await read)[0]!)]).toEqual([4, 6]);
  gpu.submit([plus]);
  expect(submits()).toBe(2); // once all is there, work goes out as it comes
  expect(await download(gpu, a)).toEqual([5, 7]);
  device.destroy();
});

test("writes, copies, staged blocks and reads keep their order behind work that waits", async () => {
  const { device, release } = await slowDevice();
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1);
  const b = upload(gpu, 0);
  const plus = increment(gpu, a);
  const before = { ...gpu.counters };
  const first = gpu.submit([plus], { stage: [a] });
  const values = floats(10);
  gpu.write(a, values);
  values[0] = 99; // the caller may use it again
  const second = gpu.submit([{ kind: "copy", from: a, to: b }, plus], { stage: [a, b] });
  gpu.write(b, floats(7));
  const reads = [gpu.read([a, b]), first.read(), second.read()];
  const checked = gpu.check();
  expect(gpu.counters.submits - before.submits).toBe(3); // as if they had been made
  release("testIncrement");
  const bytes = await Promise.all(reads);
  expect(bytes.flat().map((each) => [...new Float32Array(each)])).toEqual([[11], [7], [2], [11, 10]]);
  await checked;
  device.destroy();
});

test("memory that work still waits for is neither lost nor mixed up when it is given back", async () => {
  const { device, release } = await slowDevice();
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1);
  const result = gpu.submit([increment(gpu, a)], { stage: [a] });
  gpu.free(a.buffer);
  const again = upload(gpu, 5); // the same buffer
  expect(again.buffer).toBe(a.buffer);
  const other = gpu.submit([increment(gpu, again)], { stage: [again] });
  gpu.free(again.buffer);
  gpu.trim(); // destroys it
  expect(again.buffer.state).toBe("destroyed");
  release("testIncrement");
  expect([...new Float32Array(await result.read())]).toEqual([2]);
  expect([...new Float32Array(await other.read())]).toEqual([6]);
  device.destroy();
});

test("a staging buffer that grows while it is waited for still gives both steps' values", async () => {
  const { device, release } = await slowDevice();
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1);
  const wide = whole(gpu.allocate(4096, "test"));
  gpu.write(wide, new Float32Array(1024).fill(3));
  const blocks = Array.from({ length: 8 }, () => gpu.submit([increment(gpu, a)], { stage: [a] }));
  const last = blocks.at(-1)!.read();
  const large = gpu.submit([], { stage: [wide] }); // takes the oldest of the ring, which is too small
  release("testIncrement");
  expect([...new Float32Array(await last)]).toEqual([9]);
  expect(new Float32Array(await large.read())[1023]).toBe(3);
  await gpu.check();
  device.destroy();
});

test("a kernel that fails is left out, named by the reads that waited, and holds nothing up", async () => {
  const { device, release } = await slowDevice();
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1);
  const b = upload(gpu, 4);
  const broken = gpu.pipeline("testBroken", incrementWgsl.replace("+= 1", "+= 1u"));
  const command = dispatch(broken, bind(gpu, broken, a), 1);
  const failures = rejections([gpu.submitAndRead([command], [a]), gpu.submitAndRead([increment(gpu, b)], [b])]);
  release("testBroken");
  await vi.waitFor(() => {
    expect(broken.state).toBe("failed");
  });
  expect(() => gpu.submit([command])).toThrow(KernelError);
  release("testIncrement");
  for (const error of await failures) expect(String(error)).toMatch(/testBroken/);
  expect(await download(gpu, a)).toEqual([1]);
  expect(await download(gpu, b)).toEqual([5]);
  device.destroy();
});

test("launches that timestamps measure run in their turn", async () => {
  const { device, release } = await slowDevice(["timestamp-query"]);
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1);
  const plus = increment(gpu, a);
  gpu.submit([plus]);
  const timings = gpu.time([plus, plus]);
  gpu.write(a, floats(20));
  release("testIncrement");
  expect((await timings).dispatches.map(({ label }) => label)).toEqual(["testIncrement", "testIncrement"]);
  expect(await download(gpu, a)).toEqual([20]);
  device.destroy();
});

test("a list of commands may be used again while they wait", async () => {
  const { device, release } = await slowDevice();
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1);
  const commands = [increment(gpu, a)];
  gpu.submit(commands);
  commands.length = 0;
  const read = download(gpu, a);
  release("testIncrement");
  expect(await read).toEqual([2]);
  device.destroy();
});

test("a write for which the host has no room when its turn comes rejects the read, and holds nothing up", async () => {
  const { device, release } = await slowDevice();
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1);
  gpu.submit([increment(gpu, a)]);
  const write = device.queue.writeBuffer.bind(device.queue);
  device.queue.writeBuffer = () => {
    device.queue.writeBuffer = write;
    throw new RangeError("no room");
  };
  gpu.write(a, floats(3));
  const read = gpu.read([a]);
  release("testIncrement");
  await expect(read).rejects.toThrow(/no room/);
  gpu.write(a, floats(4));
  expect(await download(gpu, a)).toEqual([4]);
  device.destroy();
});

test("a kernel of which nobody can say why it failed fails all the same, every time", async () => {
  const { device, release } = await slowDevice();
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    const module = create(descriptor);
    module.getCompilationInfo = () => Promise.reject(new Error("no information"));
    return module;
  };
  const a = upload(gpu, 1);
  const broken = gpu.pipeline("testBroken", incrementWgsl.replace("+= 1", "+= 1u"));
  const command = dispatch(broken, bind(gpu, broken, a), 1);
  gpu.submit([command]);
  release("testBroken");
  await expect(gpu.check()).rejects.toThrow(KernelError);
  expect(() => gpu.submit([command])).toThrow(KernelError);
  device.destroy();
});

test("buffers that were given up while work waited are destroyed with the rest", async () => {
  const { device } = await slowDevice();
  const alive = new Set<GPUBuffer>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    alive.add(buffer);
    buffer.destroy = () => {
      alive.delete(buffer);
      destroy();
    };
    return buffer;
  };
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1);
  gpu.submit([increment(gpu, a)], { stage: [a] });
  gpu.free(a.buffer);
  gpu.trim();
  expect(alive.size).toBe(2);
  gpu.destroy();
  expect(alive.size).toBe(0);
  device.destroy();
});

test("what waits when the device is destroyed or lost rejects with DeviceLostError", async () => {
  for (const end of [
    (gpu: Gpu) => {
      gpu.destroy();
    },
    (gpu: Gpu) => {
      gpu.device.destroy();
    },
  ]) {
    // prettier-ignore
    const { device } = await slowDevice();
    const gpu = Gpu.fromDevice(device, HARDWARE);
    const a = upload(gpu, 1);
    const block = gpu.submit([increment(gpu, a)], { stage: [a] });
    const pending = [gpu.read([a]), block.read(), gpu.check(), gpu.time([increment(gpu, a)]), gpu.workDone()];
    end(gpu);
    for (const error of await rejections(pending)) expect(error).toBeInstanceOf(DeviceLostError);
    device.destroy();
  }
});

test("a device that is lost while it compiles is no broken kernel, though the news of the loss come later", async () => {
  const device = await newDevice();
  let lose: (info: GPUDeviceLostInfo) => void = () => undefined;
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => (lose = resolve));
  Object.defineProperty(device, "lost", { value: lost });
  const gpu = Gpu.fromDevice(device, HARDWARE);
  device.createComputePipelineAsync = () => {
    setTimeout(() => {
      lose({ reason: "unknown", message: "late news" } as GPUDeviceLostInfo);
    }, 100);
    return Promise.reject(new DOMException("the instance was dropped", "OperationError"));
  };
  const a = upload(gpu, 1);
  await expect(gpu.submitAndRead([increment(gpu, a)], [a])).rejects.toThrow(DeviceLostError);
  device.destroy();
});

test("what waits when the device is lost is let go at once", async () => {
  const { device } = await slowDevice();
  const gpu = Gpu.fromDevice(device, HARDWARE);
  const a = upload(gpu, 1);
  const destroy = vi.spyOn(a.buffer.raw, "destroy");
  gpu.submit([increment(gpu, a)]);
  gpu.free(a.buffer);
  gpu.trim();
  expect(destroy).not.toHaveBeenCalled();
  device.destroy();
  await gpu.lost;
  expect(destroy).toHaveBeenCalledOnce();
});
