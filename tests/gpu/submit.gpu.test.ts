import { afterAll, beforeAll, expect, test } from "vitest";
import { InternalError } from "../../src/errors.ts";
import { BindGroupCache } from "../../src/gpu/bindGroup.ts";
import { type BufferRange, type Command, Gpu, type GpuCounters } from "../../src/gpu/gpu.ts";
import { bind, dispatch, download, increment, newDevice, scaleWgsl, upload, whole } from "./kernels.ts";

let gpu: Gpu;
beforeAll(async () => {
  gpu = await Gpu.request();
});
afterAll(async () => {
  await gpu.check(); // no test of this file may leave an error behind
  gpu.destroy();
});

/** `output = input * factor`. */
function scale(input: BufferRange, output: BufferRange, factor: BufferRange): Command {
  const pipeline = gpu.pipeline("testScale", scaleWgsl);
  return dispatch(pipeline, bind(gpu, pipeline, input, output, factor), input.byteLength / 4);
}

test("dispatches and copies run in order, in one submit, with a pass between copies", async () => {
  const a = upload(gpu, 1, 2, 3);
  const b = upload(gpu, 0, 0, 0);
  const c = upload(gpu, 0, 0, 0);
  const two = upload(gpu, 2);
  const passes = countPasses(gpu.device);
  const before = { ...gpu.counters };
  const [bytes] = await gpu.submitAndRead(
    [scale(a, b, two), increment(gpu, b), { kind: "copy", from: b, to: c }, increment(gpu, c), scale(c, a, two)],
    [a],
  );
  expect([...new Float32Array(bytes!)]).toEqual([8, 12, 16]);
  expect(passes.count).toBe(2);
  const after = since(before);
  expect(after).toMatchObject({ submits: 1, dispatches: 4, copies: 2, bytesRead: 12 });
  passes.stop();
});

test("a repeated step creates no buffer, bind group or pipeline", async () => {
  const a = upload(gpu, 1);
  const step = async (): Promise<number> => {
    const scratch = whole(gpu.allocate(4, "scratch"), 4);
    const factor = upload(gpu, 3);
    const [bytes] = await gpu.submitAndRead([scale(a, scratch, factor), increment(gpu, scratch)], [scratch]);
    gpu.free(scratch.buffer);
    gpu.free(factor.buffer);
    return new Float32Array(bytes!)[0]!;
  };
  await step();
  await step();
  const before = { ...gpu.counters };
  const held = gpu.heldByteLength;
  for (let i = 0; i < 5; i++) expect(await step()).toBe(4);
  expect(since(before)).toMatchObject({ buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0, submits: 5 });
  expect(gpu.heldByteLength).toBe(held);
});

test("a grid may have 65,535 workgroups a dimension and no more", () => {
  const command = increment(gpu, upload(gpu, 1));
  const before = { ...gpu.counters };
  for (const grid of [
    [65_536, 1, 1],
    [1, 65_536, 1],
    [1, 1, 65_536],
    [1.5, 1, 1],
    [-1, 1, 1],
    [NaN, 1, 1],
  ]) {
    const broken = { ...command, grid } as unknown as Command;
    expect(() => gpu.submit([command, broken])).toThrow(InternalError);
    expect(() => gpu.submit([broken])).toThrow(/^testIncrement: .*65535/);
  }
  expect(since(before).submits).toBe(0);
  expect(() => gpu.submit([{ ...command, grid: [65_535, 1, 1] } as Command])).not.toThrow();
});

test("an empty grid and an empty copy run nothing", async () => {
  const a = upload(gpu, 1);
  const b = upload(gpu, 2);
  const empty = { buffer: a.buffer, byteOffset: 0, byteLength: 0 };
  gpu.submit([
    { ...increment(gpu, a), grid: [1, 0, 1] } as Command,
    { kind: "copy", from: empty, to: { ...empty, buffer: b.buffer } },
  ]);
  gpu.submit([]);
  expect(await download(gpu, a)).toEqual([1]);
  expect(await gpu.read([])).toEqual([]);
});

test("copies of unequal length, within one buffer or of odd length are refused", () => {
  const a = upload(gpu, 1, 2, 3, 4);
  const b = upload(gpu, 1, 2, 3, 4);
  const copy = (from: BufferRange, to: BufferRange) => () => gpu.submit([{ kind: "copy", from, to }]);
  expect(copy(a, { ...b, byteLength: 8 })).toThrow(InternalError);
  expect(copy({ ...a, byteLength: 4 }, { ...a, byteOffset: 8, byteLength: 4 })).toThrow(InternalError);
  expect(copy({ ...a, byteLength: 3 }, { ...b, byteLength: 3 })).toThrow(InternalError);
  expect(copy(a, b)).not.toThrow();
});

test("a bind group is made once for the same ranges, whichever kernel of that layout asks", () => {
  const pipeline = gpu.pipeline("testScale", scaleWgsl);
  const twin = gpu.pipeline("testTwin", `// another text\n${scaleWgsl}`);
  const [a, b, c] = [upload(gpu, 1, 2), upload(gpu, 1, 2), upload(gpu, 1)];
  const first = bind(gpu, pipeline, a, b, c);
  const { bindGroupsCreated } = gpu.counters;
  expect(bind(gpu, pipeline, { ...a }, { ...b }, c)).toBe(first);
  expect(bind(gpu, twin, a, b, c)).toBe(first);
  expect(gpu.counters.bindGroupsCreated).toBe(bindGroupsCreated);
  expect(bind(gpu, pipeline, b, a, c)).not.toBe(first);
  expect(bind(gpu, pipeline, { ...a, byteLength: 4 }, b, c)).not.toBe(first);
});

test("what WebGPU would reject late is refused at once, by name", async () => {
  const pipeline = gpu.pipeline("testScale", scaleWgsl);
  const a = whole(gpu.allocate(1024, "a"));
  const b = whole(gpu.allocate(1024, "b"));
  const c = upload(gpu, 1);
  const part = (byteOffset: number, byteLength: number): BufferRange => ({ buffer: a.buffer, byteOffset, byteLength });
  expect(() => bind(gpu, pipeline, a, b)).toThrow(/^testScale: .*\[0, 1, 2\].*got \[0, 1\]/);
  expect(() => bind(gpu, pipeline, a, b, c, c)).toThrow(InternalError);
  expect(() => bind(gpu, pipeline, part(4, 4), b, c)).toThrow(/multiple of 256/);
  expect(() => bind(gpu, pipeline, part(0, 0), b, c)).toThrow(InternalError);
  expect(() => bind(gpu, pipeline, part(768, 512), b, c)).toThrow(InternalError);
  // Read and written through two bindings: invalid even on disjoint ranges.
  expect(() => bind(gpu, pipeline, part(0, 256), part(512, 256), c)).toThrow(/must not be written/);
  const command = increment(gpu, b);
  expect(() => gpu.submit([{ ...command, pipeline } as Command])).toThrow(/layout/);
  await expect(gpu.check()).resolves.toBeUndefined(); // nothing reached WebGPU
});

test("two written ranges of one buffer must be disjoint", async () => {
  const wgsl = `
    @group(0) @binding(0) var<storage, read_write> a: array<f32>;
    @group(0) @binding(1) var<storage, read_write> b: array<f32>;
    @compute @workgroup_size(1) fn main() { a[0] = 1; b[0] = 2; }`;
  const pipeline = gpu.pipeline("testTwo", wgsl);
  const buffer = gpu.allocate(1024, "arena");
  const part = (byteOffset: number, byteLength: number): BufferRange => ({ buffer, byteOffset, byteLength });
  expect(() => bind(gpu, pipeline, part(0, 260), part(256, 4))).toThrow(/overlap/);
  gpu.submit([dispatch(pipeline, bind(gpu, pipeline, part(0, 4), part(256, 4)), 1)]);
  expect(await download(gpu, part(0, 4))).toEqual([1]);
  expect(await download(gpu, part(256, 4))).toEqual([2]);
});

test("a binding that the shader does not touch may be bound", async () => {
  const wgsl = `
    @group(0) @binding(0) var<storage, read> unused: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    @compute @workgroup_size(1) fn main() { output[0] = 5; }`;
  const pipeline = gpu.pipeline("testPartial", wgsl);
  const output = upload(gpu, 0);
  gpu.submit([dispatch(pipeline, bind(gpu, pipeline, upload(gpu, 0), output), 1)]);
  expect(await download(gpu, output)).toEqual([5]);
});

test("nine storage buffers are refused at once", () => {
  const bindings = Array.from({ length: 9 }, (_, i) => `@group(0) @binding(${i}) var<storage> b${i}: array<f32>;`);
  expect(() => gpu.pipeline("testWide", bindings.join("\n"))).toThrow(/^testWide: at most 8/);
});

test("pipelines are cached by text", () => {
  const { pipelinesCreated } = gpu.counters;
  const text = `${scaleWgsl}\n// once`;
  expect(gpu.pipeline("testScale", text)).toBe(gpu.pipeline("testScale", `${scaleWgsl}\n// once`));
  expect(gpu.counters.pipelinesCreated).toBe(pipelinesCreated + 1);
});

test("the bind-group cache forgets what was used longest ago, and groups of destroyed buffers", async () => {
  const own = Gpu.fromDevice(await newDevice());
  const pipeline = own.pipeline("testScale", scaleWgsl);
  // The cache of a Gpu holds 4096; a small one behaves alike.
  const context = (own as unknown as { context: ConstructorParameters<typeof BindGroupCache>[0] }).context;
  const cache = new BindGroupCache(context, 2);
  const [input, output] = [upload(own, 1), upload(own, 1)];
  const factors = [upload(own, 1), upload(own, 2), upload(own, 3)];
  const get = (i: number) =>
    cache.get(
      pipeline,
      [input, output, factors[i]!].map((range, binding) => ({ binding, range })),
    );
  const [first, second] = [get(0), get(1)];
  expect(get(0)).toBe(first);
  get(2); // the second goes: the first was used after it
  expect(cache.size).toBe(2);
  expect(get(0)).toBe(first);
  expect(get(1)).not.toBe(second);
  expect(second.isStale).toBe(false); // a plan that kept it may go on
  cache.evictBuffer(input.buffer);
  expect(cache.size).toBe(0);
  expect(first.isStale).toBe(true);
  own.device.destroy();
});

test("debug groups change nothing else", async () => {
  const a = upload(gpu, 1);
  gpu.debugGroups = true;
  gpu.submit([increment(gpu, a), increment(gpu, a)]);
  gpu.debugGroups = false;
  expect(await download(gpu, a)).toEqual([3]);
});

test("each dispatch is timed, in a pass of its own, and runs once", async () => {
  const a = upload(gpu, 1);
  const b = upload(gpu, 0);
  const passes = countPasses(gpu.device);
  const start = performance.now();
  const { source, dispatches } = await gpu.time([
    increment(gpu, a),
    increment(gpu, a),
    { kind: "copy", from: a, to: b },
    increment(gpu, b),
  ]);
  const tookMs = performance.now() - start;
  passes.stop();
  expect(passes.count).toBe(3);
  expect(source).toBe(gpu.device.features.has("timestamp-query") ? "timestamp" : "clock");
  expect(dispatches.map(({ label }) => label)).toEqual(Array(3).fill("testIncrement"));
  for (const { timeMs } of dispatches) {
    expect(timeMs).toBeGreaterThanOrEqual(0);
    expect(timeMs).toBeLessThan(tookMs + 1);
  }
  expect(await download(gpu, b)).toEqual([4]);
  expect((await gpu.time([])).dispatches).toEqual([]);
});

test("a device without timestamps is timed by the clock", async () => {
  const own = Gpu.fromDevice(await newDevice());
  const a = upload(own, 1);
  const { source, dispatches } = await own.time([increment(own, a), increment(own, a)]);
  expect(source).toBe("clock");
  expect(dispatches).toHaveLength(2);
  for (const { timeMs } of dispatches) expect(timeMs).toBeGreaterThan(0);
  expect(await download(own, a)).toEqual([3]);
  own.device.destroy();
});

function since(before: GpuCounters): GpuCounters {
  const names = Object.keys(before) as (keyof GpuCounters)[];
  return Object.fromEntries(names.map((name) => [name, gpu.counters[name] - before[name]])) as unknown as GpuCounters;
}

function countPasses(device: GPUDevice): { count: number; stop: () => void } {
  const create = device.createCommandEncoder.bind(device);
  const counted = { count: 0, stop: () => (device.createCommandEncoder = create) };
  device.createCommandEncoder = (descriptor) => {
    const encoder = create(descriptor);
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (pass) => {
      counted.count++;
      return begin(pass);
    };
    return encoder;
  };
  return counted;
}
