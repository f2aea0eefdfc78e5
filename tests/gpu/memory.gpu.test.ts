import { afterAll, beforeAll, expect, test } from "vitest";
import { InternalError, OutOfMemoryError } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { download, floats, increment, newDevice, rejections, upload, whole } from "./kernels.ts";

let gpu: Gpu;
beforeAll(async () => {
  gpu = await Gpu.request();
});
afterAll(() => {
  gpu.destroy();
});

test("bytes go there and come back, at offsets and with odd lengths", async () => {
  const memory = gpu.allocate(1024, "test");
  gpu.write(whole(memory), new Uint8Array(1024).fill(9));
  gpu.write({ buffer: memory, byteOffset: 256, byteLength: 5 }, Uint8Array.of(0, 1, 2, 3, 4, 5, 6).subarray(1, 6));
  const [five, around, none] = await gpu.read([
    { buffer: memory, byteOffset: 256, byteLength: 5 },
    { buffer: memory, byteOffset: 252, byteLength: 16 },
    { buffer: memory, byteOffset: 0, byteLength: 0 },
  ]);
  expect([...new Uint8Array(five!)]).toEqual([1, 2, 3, 4, 5]);
  // The three bytes that pad the fifth to a word are zero, the next word is untouched.
  expect([...new Uint8Array(around!)]).toEqual([9, 9, 9, 9, 1, 2, 3, 4, 5, 0, 0, 0, 9, 9, 9, 9]);
  expect(none!.byteLength).toBe(0);
});

test("freeing and allocating the same sizes creates nothing", () => {
  const sizes = [1000, 70_000, 70_001, 3];
  const first = sizes.map((size) => gpu.allocate(size, "test"));
  const live = gpu.liveByteLength;
  const pooled = gpu.pooledByteLength;
  for (const memory of first) gpu.free(memory);
  const freed = first.reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(gpu.liveByteLength).toBe(live - freed);
  expect(gpu.pooledByteLength).toBe(pooled + freed);

  const { buffersCreated } = gpu.counters;
  const second = sizes.map((size) => gpu.allocate(size + 1, "test"));
  expect(gpu.counters.buffersCreated).toBe(buffersCreated);
  expect(new Set(second)).toEqual(new Set(first));
  expect(gpu.liveByteLength).toBe(live);
  for (const memory of second) gpu.free(memory);
});

test("trim destroys what is pooled, and bind groups of it", () => {
  const memory = gpu.allocate(64, "test");
  const command = increment(gpu, whole(memory, 4));
  expect(command.kind === "dispatch" && command.bindGroup.isStale).toBe(false);
  gpu.free(memory);
  gpu.trim();
  expect(gpu.pooledByteLength).toBe(0);
  expect(command.kind === "dispatch" && command.bindGroup.isStale).toBe(true);
  expect(() => gpu.submit([command])).toThrow(/live.*destroyed/);
});

test("trim destroys the staging buffers of past reads", async () => {
  const device = await newDevice();
  const own = Gpu.fromDevice(device);
  await download(own, upload(own, 1));
  expect(own.stagingByteLength).toBe(256);
  own.trim();
  expect(own.stagingByteLength).toBe(0);
  expect(await download(own, upload(own, 1))).toEqual([1]);
  device.destroy();
});

test("what is held stays below a bound, whatever sizes come and go", () => {
  const MIB = 2 ** 20;
  gpu.trim();
  const before = gpu.liveByteLength;
  for (let size = 2; size <= 40; size++) gpu.free(gpu.allocate(size * MIB, "test"));
  expect(gpu.liveByteLength).toBe(before);
  expect(gpu.pooledByteLength).toBeLessThanOrEqual(2 * 40 * MIB + 64 * MIB + 2 * before);
  expect(gpu.pooledByteLength).toBeGreaterThan(40 * MIB);
  gpu.trim();
});

test("memory is freed once, and not used afterwards", async () => {
  const range = upload(gpu, 1);
  gpu.free(range.buffer);
  expect(() => {
    gpu.free(range.buffer);
  }).toThrow(InternalError);
  expect(() => {
    gpu.write(range, floats(1));
  }).toThrow(/live.*pooled/);
  await expect(gpu.read([range])).rejects.toThrow(/live.*pooled/);
});

test("ranges outside their buffer, and writes outside their range, are refused", async () => {
  const { buffer } = upload(gpu, 1, 2);
  const outside = { buffer, byteOffset: buffer.byteLength, byteLength: 4 };
  expect(() => {
    gpu.write(outside, floats(1));
  }).toThrow(InternalError);
  expect(() => {
    gpu.write({ buffer, byteOffset: 0, byteLength: 4 }, floats(1, 2));
  }).toThrow(/must fit/);
  await expect(gpu.read([outside])).rejects.toThrow(InternalError);
  await expect(gpu.read([{ buffer, byteOffset: 2, byteLength: 4 }])).rejects.toThrow(InternalError);
  expect(() => gpu.allocate(-1, "test")).toThrow(InternalError);
  expect(() => gpu.allocate(1.5, "test")).toThrow(InternalError);
});

test("more than the largest buffer is out of memory at once, with the bytes asked and held", () => {
  const asked = gpu.limits.maxBufferSize + 4;
  const held = gpu.liveByteLength + gpu.pooledByteLength;
  const error = thrown(() => gpu.allocate(asked, "huge"));
  expect(error).toBeInstanceOf(OutOfMemoryError);
  expect(error).toMatchObject({ byteLengthAsked: asked, byteLengthLive: held });
  expect(String(error)).toContain("huge");
});

test("a device whose limit lies between two size classes gives all of it", async () => {
  const own = Gpu.fromDevice(await newDevice());
  const limit = own.limits.maxBufferSize; // 256 MiB, a class of its own
  const smaller = Gpu.fromDevice(own.device);
  Object.assign(smaller.limits, { maxBufferSize: limit - 1000 });
  expect(smaller.allocate(limit - 1003, "test").byteLength).toBe(limit - 1000);
  expect(() => smaller.allocate(limit - 999, "test")).toThrow(OutOfMemoryError);
  smaller.destroy();
  own.device.destroy();
});

test("a host without room throws OutOfMemoryError, and a smaller try works", async () => {
  const device = await newDevice();
  const own = Gpu.fromDevice(device);
  const live = own.allocate(1 << 20, "live");
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    if (descriptor.size > 1 << 22) throw new RangeError("Array buffer allocation failed");
    return createBuffer(descriptor);
  };
  const error = thrown(() => own.allocate(1 << 23, "batch"));
  expect(error).toBeInstanceOf(OutOfMemoryError);
  expect(error).toMatchObject({ byteLengthAsked: 1 << 23, byteLengthLive: live.byteLength });
  expect(own.liveByteLength).toBe(live.byteLength);
  expect(await download(own, upload(own, 7))).toEqual([7]);
  device.destroy();
});

test("a GPU without room rejects the reads under way; the memory is useless, other memory is not", async () => {
  const device = await newDevice();
  const own = Gpu.fromDevice(device);
  const good = upload(own, 1);
  const live = own.heldByteLength;
  const waiting = own.allocate(1 << 19, "waiting");
  own.free(waiting);
  failNextAllocation(device);
  const bad = own.allocate(1 << 21, "activations");
  const errors = await rejections([own.read([good]), own.read([good])]);
  for (const error of errors) {
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toMatchObject({ byteLengthAsked: 1 << 21 });
    expect((error as OutOfMemoryError).byteLengthLive).toBeGreaterThanOrEqual(live);
    expect(String(error)).toContain("activations");
  }
  expect(own.faultCount).toBe(1);
  expect(own.pooledByteLength).toBe(0); // what was kept for reuse was given back

  await expect(own.read([whole(bad, 4)])).rejects.toThrow(OutOfMemoryError);
  expect(() => own.submit([increment(own, whole(bad, 4))])).toThrow(OutOfMemoryError);
  expect(() => {
    own.write(whole(bad), floats(1));
  }).toThrow(OutOfMemoryError);
  own.free(bad);
  expect(own.pooledByteLength).toBe(0);
  expect(own.allocate(1 << 21, "activations")).not.toBe(bad);
  expect(await download(own, good)).toEqual([1]);
  device.destroy();
});

test("a GPU without room for the bytes to read rejects that read", async () => {
  const device = await newDevice();
  const own = Gpu.fromDevice(device);
  const good = upload(own, 1);
  failNextAllocation(device);
  await expect(own.read([good])).rejects.toThrow(OutOfMemoryError);
  expect(own.stagingByteLength).toBe(0);
  expect(await download(own, good)).toEqual([1]);
  device.destroy();
});

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** Makes the error scope around the next buffer report that memory ran out, as a driver would. */
function failNextAllocation(device: GPUDevice): void {
  const createBuffer = device.createBuffer.bind(device);
  const popErrorScope = device.popErrorScope.bind(device);
  device.createBuffer = (descriptor) => {
    device.createBuffer = createBuffer;
    device.popErrorScope = async () => {
      device.popErrorScope = popErrorScope;
      await popErrorScope();
      return new GPUOutOfMemoryError("VK_ERROR_OUT_OF_DEVICE_MEMORY");
    };
    return createBuffer(descriptor);
  };
}
