import { afterAll, beforeAll, expect, test } from "vitest";
import { InternalError } from "../../src/errors.ts";
import { Gpu, type StagedBlock } from "../../src/gpu/gpu.ts";
import { download, floats, increment, newDevice, upload, whole } from "./kernels.ts";

let gpu: Gpu;
beforeAll(async () => {
  gpu = await Gpu.request();
});
afterAll(async () => {
  await gpu.check();
  gpu.destroy();
});

const first = async (block: StagedBlock): Promise<number> => new Float32Array(await block.read())[0]!;

test("reads see everything submitted before, and are not changed by what comes later", async () => {
  const a = upload(gpu, 1);
  const step = [increment(gpu, a)];
  const early = gpu.read([a]);
  gpu.submit(step);
  const late = gpu.submitAndRead(step, [a]);
  gpu.write(a, floats(100));
  expect(new Float32Array((await early)[0]!)).toEqual(floats(1));
  expect(new Float32Array((await late)[0]!)).toEqual(floats(3));
});

test("concurrent reads take buffers of their own, and later ones reuse them", async () => {
  const ranges = [upload(gpu, 1), upload(gpu, 2), upload(gpu, 3)];
  const readAll = () => Promise.all(ranges.map((range) => download(gpu, range)));
  expect(await readAll()).toEqual([[1], [2], [3]]);
  const { buffersCreated } = gpu.counters;
  for (let i = 0; i < 4; i++) expect(await readAll()).toEqual([[1], [2], [3]]);
  expect(gpu.counters.buffersCreated).toBe(buffersCreated);
});

test("ranges that together exceed the largest buffer are read through several", async () => {
  const own = Gpu.fromDevice(await newDevice());
  Object.assign(own.limits, { maxBufferSize: 1024 });
  const ranges = [1, 2, 3, 4].map((value) => {
    const range = whole(own.allocate(600, "test"), 600);
    own.write(range, new Float32Array(150).fill(value));
    return range;
  });
  const before = { ...own.counters };
  const bytes = await own.read([ranges[0]!, { ...ranges[1]!, byteLength: 4 }, ...ranges.slice(2)]);
  expect(own.counters.submits - before.submits).toBe(1);
  expect(bytes.map((one) => new Float32Array(one).at(-1))).toEqual([1, 2, 3, 4]);
  expect(bytes.map(({ byteLength }) => byteLength)).toEqual([600, 4, 600, 600]);
  own.device.destroy();
});

test("a refused read gives its staging buffer back", async () => {
  const a = upload(gpu, 1);
  await download(gpu, a);
  const { buffersCreated } = gpu.counters;
  const broken = { ...increment(gpu, a), grid: [70_000, 1, 1] as const };
  for (let i = 0; i < 3; i++) await expect(gpu.submitAndRead([broken], [a])).rejects.toThrow(InternalError);
  await download(gpu, a);
  expect(gpu.counters.buffersCreated).toBe(buffersCreated);
});

test("a block holds the scalars of its step, in the step's one submit", async () => {
  const a = upload(gpu, 10);
  const b = upload(gpu, 20, 21);
  const { submits } = gpu.counters;
  const block = gpu.submit([increment(gpu, a)], { stage: [a, b] });
  gpu.submit([increment(gpu, a)]);
  expect(gpu.counters.submits).toBe(submits + 2);
  expect(block.offsets).toEqual([0, 4]);
  expect([...new Float32Array(await block.read())]).toEqual([11, 20, 21]);
  expect([...new Float32Array(await block.read())]).toEqual([11, 20, 21]);
  expect(gpu.submit([])).toBeNull();
});

test("the ring keeps the last eight steps; older ones are invalid unless they were read", async () => {
  const a = upload(gpu, 0);
  const step = [increment(gpu, a)];
  const stage = () => gpu.submit(step, { stage: [a] });
  const read = stage();
  expect(await first(read)).toBe(1);
  for (let i = 0; i < 10; i++) stage(); // fill the ring
  const { buffersCreated } = gpu.counters;
  const blocks = Array.from({ length: 9 }, stage);
  expect(blocks.map(({ valid }) => valid)).toEqual([false, ...Array<boolean>(8).fill(true)]);
  await expect(blocks[0]!.read()).rejects.toThrow(InternalError);
  expect(await Promise.all(blocks.slice(1).map(first))).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
  expect(read.valid).toBe(true);
  expect(await first(read)).toBe(1);
  expect(gpu.counters.buffersCreated).toBe(buffersCreated);
});

test("a block being read is skipped, even when all of them are", async () => {
  const a = upload(gpu, 0);
  const step = [increment(gpu, a)];
  const values = Array.from({ length: 40 }, () => first(gpu.submit(step, { stage: [a] })));
  expect(await Promise.all(values)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
});

test("a larger block finds room in the ring", async () => {
  const a = upload(gpu, ...Array.from({ length: 500 }, (_, i) => i));
  for (let i = 0; i < 9; i++) gpu.submit([], { stage: [whole(a.buffer, 4)] });
  const block = gpu.submit([], { stage: [a] });
  expect(new Float32Array(await block.read()).at(-1)).toBe(499);
  expect((await gpu.submit([], { stage: [] }).read()).byteLength).toBe(0);
});
