/**
 * Tensors as large as they come on a device with WebGPU's default limits: more than the 128 MiB of a binding, up to the 256 MiB
 * of a buffer. Their elements follow from their index, so that the GPU itself counts the wrong ones; only few are read.
 */

import {
  arange,
  Buffer,
  cat,
  type Device,
  grad,
  init,
  memory,
  ones,
  OutOfMemoryError,
  type Tensor,
  tensor,
  where,
  zeros,
} from "flywheel";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 300_000 }); // seconds on a software adapter that has its cores for itself

/** The pattern repeats after so many elements. */
const PERIOD = 2 ** 17;
/** 152.5 MiB of four bytes an element. */
const N = 305 * PERIOD;
/** 256 MiB. */
const MOST = 512 * PERIOD;
/** First element of the second window. */
const BORDER = 2 ** 25;

let device: Device;
beforeEach(async () => {
  device = await init({ device: "webgpu" });
});
afterEach(() => {
  device.destroy();
});

/** Whole numbers below 2^17, each once a period, as i32: exact in f32 too, and so are sums of a few. */
const patternAt = (index: number): number => Math.imul(index, 7919) & (PERIOD - 1);
const pattern = (count: number, from = 0, step = 1): Tensor =>
  arange(count)
    .mul(patternAt(step))
    .add(patternAt(from))
    .bitwiseAnd(PERIOD - 1);

/** How many elements are not as they should be. */
const wrong = (x: Tensor, wanted: Tensor): Promise<number> => x.ne(wanted).sum().item();

/** Elements at both ends and around the border between two windows, against a function of their index. */
async function expectAt(x: Tensor, wanted: (index: number) => number): Promise<void> {
  for (const start of [0, BORDER - 2, x.numel() - 4]) {
    const values = await x.reshape(-1).narrow(0, start, 4).toArray();
    expect(values, `from ${start}`).toEqual([0, 1, 2, 3].map((i) => wanted(start + i)));
  }
}

const wrapped = (value: bigint): number => Number(BigInt.asIntN(32, value));
const sumOfPeriod = (BigInt(PERIOD) * BigInt(PERIOD - 1)) / 2n;

test("pointwise: 256 MiB in, 256 MiB out, and their sum", async () => {
  const x = await pattern(MOST).realize();
  const y = await x.mul(2).add(1).realize();
  await expectAt(y, (index) => 2 * patternAt(index) + 1);
  expect(await wrong(y, pattern(MOST).mul(2).add(1))).toBe(0);
  expect(await x.sum().item()).toBe(wrapped(512n * sumOfPeriod));
  expect(await where(x.lt(5), y, x).sum().item()).toBe(wrapped(512n * (sumOfPeriod + 15n)));
});

test("reductions over some dimensions", async () => {
  const x = await pattern(N).realize();
  const half = N / 2;
  const rows = await x.reshape(305, PERIOD).sum(1).toArray();
  expect(rows).toEqual(Array(305).fill(wrapped(sumOfPeriod)));
  expect(await wrong(x.reshape(2, half).sum(0), pattern(half).add(pattern(half, half)))).toBe(0);
  const kept = await x.reshape(N, 1).sum(1).add(1).realize(); // as many results
  await expectAt(kept, (index) => patternAt(index) + 1);
});

test("slices, cat, and rows by index", async () => {
  const x = await pattern(N).realize();
  const shifted = await x.slice([1]).realize();
  await expectAt(shifted, (index) => patternAt(index + 1));
  const sparse = Array.from({ length: Math.ceil(N / 1_000_003) }, (_, i) => patternAt(i * 1_000_003));
  expect(await x.slice([null], [null], [1_000_003]).toArray()).toEqual(sparse);
  const rows = await cat([x.narrow(0, 5, N / 2), shifted]).realize();
  expect(await wrong(rows, cat([pattern(N / 2, 5), pattern(N - 1, 1)]))).toBe(0);
  const index = [0, 3, 550_072, 550_073, 655_359, 100];
  const found = await x
    .reshape(-1, 61)
    .indexSelect(0, tensor(index, { dtype: "i32" }))
    .toArray();
  expect(found).toEqual(index.map((row) => Array.from({ length: 61 }, (_, i) => patternAt(61 * row + i))));
});

test("gradients", async () => {
  const x = (await pattern(N).to("f32").realize()).detach().requiresGrad_();
  const [square] = grad(x.square().sum(), [x]);
  expect(await wrong(square!, pattern(N).mul(2).to("f32"))).toBe(0);
  const [parts] = grad(cat([x.narrow(0, 3, N - 3), x.narrow(0, 0, 7).mul(2)]).sum(), [x]);
  expect(await parts!.eq(1).sum().item()).toBe(N - 7);
  expect(await parts!.narrow(0, 0, 9).toArray()).toEqual([2, 2, 2, 3, 3, 3, 3, 1, 1]);
});

test("state that is written in place", async () => {
  const state = new Buffer(pattern(N));
  state.assign(state.mul(3).add(1));
  await expectAt(state, (index) => 3 * patternAt(index) + 1);
  state.assign(state.flip(0));
  await expectAt(state, (index) => 3 * patternAt(N - 1 - index) + 1);
  const rows = new Buffer(zeros([N / 61, 61], { dtype: "i32" }));
  for (const start of [0, Math.floor(BORDER / 61), N / 61 - 3]) {
    rows.assignRows(start, arange(183).add(start).reshape(3, 61));
    const around = await rows.narrow(0, Math.max(0, start - 1), start > 0 ? 4 : 3).data();
    expect([...around]).toEqual([...Array<number>(start > 0 ? 61 : 0).fill(0), ...Array.from({ length: 183 }, (_, i) => i + start)]); // prettier-ignore
  }
  expect(await rows.ne(0).sum().item()).toBe(3 * 183 - 1);
});

/** The pattern on the host. */
function fill<T extends Float32Array | Uint8Array>(values: T): T {
  for (let i = 0; i < PERIOD; i++) values[i] = patternAt(i);
  for (let done = PERIOD; done < values.length; done *= 2) values.copyWithin(done, 0, done);
  return values;
}

test("the way up and back: 256 MiB from the host and to it", async () => {
  const back = (await tensor(fill(new Float32Array(MOST)))
    .add(1)
    .data()) as Float32Array;
  expect(back.length).toBe(MOST);
  let off = 0;
  for (let i = 0; i < MOST; i++) if (back[i] !== patternAt(i) + 1) off++;
  expect(off).toBe(0);
});

test("bytes: a data set of 137 MiB, and batches of it", async () => {
  const rows = 1100;
  const bytes = fill(new Uint8Array(rows * PERIOD));
  const images = await tensor(bytes, { shape: [rows * 128, 1024] }).realize();
  const sumOf = (from: number, count: number): number => bytes.subarray(from, from + count).reduce((a, b) => a + b, 0);
  expect(await images.to("i32").sum().item()).toBe(wrapped(BigInt(rows) * BigInt(sumOf(0, PERIOD))));
  const batch = images.narrow(0, 131_071, 2).to("f32"); // across the border
  expect(await batch.data()).toEqual(Float32Array.from(bytes.subarray(131_071 * 1024, 131_073 * 1024)));
  const index = [131_072, 5, 131_071];
  const sums = await images
    .indexSelect(0, tensor(index, { dtype: "i32" }))
    .to("f32")
    .matmul(ones([1024, 1]))
    .toArray();
  expect(sums).toEqual(index.map((row) => [sumOf(1024 * row, 1024)]));
});

test("one more than 256 MiB is out of memory, and so is a kernel that needs all at once", async () => {
  const huge = zeros([MOST + 1])
    .add(1)
    .realize();
  await expect(huge).rejects.toThrow(OutOfMemoryError);
  await expect(huge).rejects.toThrow(/must have room for 256\.00 MiB, got "maxBufferSize is 256\.00 MiB"/);
  const large = pattern(N).to("f32");
  for (const [name, make] of Object.entries({
    cumsum: () => large.cumsum(0),
    topk: () => large.topk(3).values,
    matmul: () => large.reshape(-1, 61).matmul(ones([61, 1])),
  })) {
    const reading = make().data();
    await expect(reading, name).rejects.toThrow(OutOfMemoryError);
    await expect(reading, name).rejects.toThrow(/a tensor must have at most 128\.00 MiB .* got 152\.50 MiB/);
  }
  expect(await large.narrow(0, 1, 2).cumsum(0).toArray()).toEqual([patternAt(1), patternAt(1) + patternAt(2)]);
  expect(memory().liveByteLength).toBeLessThan(2 ** 30);
});
